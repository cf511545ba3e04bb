//! Route 53, the REST protocol of 2013-04-01: hosted zones, record sets and changes. The state is shared with the DNS
//! server, which sees a change only once it is INSYNC. Not for health checks, traffic policies or delegation sets.

mod batch;
mod elb;
mod list;
mod name;
mod record;
mod render;
mod request;
mod rules;
mod value;
mod zone;
mod zones;

pub use self::name::DnsName;
pub use self::record::{Alias, RecordSet, RecordType};
pub use self::value::rdata;
pub use self::zones::{Published, Zones};

use http::{Method, StatusCode};

use super::encoding::{decode, pairs};
use super::fault::Fault;
use super::server::{Call, Reply, xml};

/// The namespace of Route 53 documents.
pub(super) const XMLNS: &str = "https://route53.amazonaws.com/doc/2013-04-01/";

/// Answers a verified request.
pub(super) fn answer(zones: &Zones, call: &Call<'_>) -> Result<Reply, Fault> {
    let path = decode(call.parts.uri.path(), false);
    let path: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let query = pairs(call.parts.uri.query().unwrap_or_default(), true);
    let get = |name: &str| {
        query
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
            .filter(|v| !v.is_empty())
    };
    let body = match (&call.parts.method, path.as_slice()) {
        (&Method::GET, ["2013-04-01", "hostedzone"]) => list::zones(zones, get("marker"), get("maxitems"))?,
        (&Method::POST, ["2013-04-01", "hostedzone"]) => return list::create(zones, call),
        (&Method::GET, ["2013-04-01", "hostedzonecount"]) => list::count(zones),
        (&Method::GET, ["2013-04-01", "hostedzonesbyname"]) => {
            list::zones_by_name(zones, get("dnsname"), get("hostedzoneid"), get("maxitems"))?
        }
        (&Method::GET, ["2013-04-01", "hostedzone", id]) => list::zone(zones, id)?,
        (&Method::DELETE, ["2013-04-01", "hostedzone", id]) => {
            render::change_info("DeleteHostedZoneResponse", &zones.delete(id)?)
        }
        (&Method::GET, ["2013-04-01", "hostedzone", id, "rrset"]) => {
            list::record_sets(zones, id, get("name"), get("type"), get("identifier"), get("maxitems"))?
        }
        (&Method::POST, ["2013-04-01", "hostedzone", id, "rrset"]) => {
            let batch = request::batch(call.body)?;
            render::change_info("ChangeResourceRecordSetsResponse", &zones.change(id, batch)?)
        }
        (&Method::GET, ["2013-04-01", "change", id]) => {
            render::change_info("GetChangeResponse", &zones.get_change(id)?)
        }
        (method, _) => {
            return Err(Fault::not_found(
                "UnknownOperationException",
                format!(
                    "The sandbox's Route 53 has no operation {method} {}.",
                    call.parts.uri.path()
                ),
            ));
        }
    };
    Ok(xml(StatusCode::OK, body))
}
