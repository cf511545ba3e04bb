//! STS: GetCallerIdentity, and nothing else. Not for roles or session tokens: the account has one user.

use http::StatusCode;

use super::encoding::pairs;
use super::fault::Fault;
use super::server::{Call, Reply, xml};
use super::xml::Xml;

/// The namespace of STS documents.
pub(super) const XMLNS: &str = "https://sts.amazonaws.com/doc/2011-06-15/";
/// The account's number; no real account has it.
pub(super) const ACCOUNT: &str = "555555555555";
/// The one user.
const USER: &str = "operator";

/// Answers a verified request.
pub(super) fn answer(call: &Call<'_>) -> Result<Reply, Fault> {
    let body = String::from_utf8_lossy(call.body);
    let action = pairs(&body, true).into_iter().find(|(key, _)| key == "Action");
    match action.as_ref().map(|(_, value)| value.as_str()) {
        Some("GetCallerIdentity") => {
            let body = Xml::document("GetCallerIdentityResponse", XMLNS, |x| {
                x.element("GetCallerIdentityResult", |x| {
                    x.text("Arn", format!("arn:aws:iam::{ACCOUNT}:user/{USER}"));
                    x.text("UserId", "AIDACOGDECKSANDBOX000");
                    x.text("Account", ACCOUNT);
                });
                x.element("ResponseMetadata", |x| x.text("RequestId", call.request_id));
            });
            Ok(xml(StatusCode::OK, body))
        }
        other => Err(Fault::bad(
            "InvalidAction",
            format!(
                "Could not find operation {} for version 2011-06-15",
                other.unwrap_or("''")
            ),
        )),
    }
}
