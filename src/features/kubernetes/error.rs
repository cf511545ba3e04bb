//! What the API server or the way to it said, as one report with kubectl's words. Not for usage errors: those are
//! the verbs' own.

use jiff::Timestamp;
use kube::Error;
use kube::core::Status;

use crate::core::report::Report;

/// No cluster is configured.
pub const NOT_CONFIGURED: &str = "E-KUBE-001";
/// The kubeconfig cannot be used.
pub const KUBECONFIG: &str = "E-KUBE-002";
/// Somebody has to log in before anything can be asked of the server.
pub const LOGIN: &str = "E-KUBE-LOGIN";
/// The server does not answer.
pub const UNREACHABLE: &str = "E-KUBE-003";
/// The server wants a login (401).
pub const UNAUTHORIZED: &str = "E-KUBE-401";
/// The user may not do this (403).
pub const FORBIDDEN: &str = "E-KUBE-403";
/// No such object (404).
pub const NOT_FOUND: &str = "E-KUBE-404";
/// It exists already, or changed meanwhile (409).
pub const CONFLICT: &str = "E-KUBE-409";
/// Any other answer that is no success.
pub const REFUSED_BY_SERVER: &str = "E-KUBE-400";
/// The server does not know the type.
pub const UNKNOWN_TYPE: &str = "E-KUBE-404T";
/// The command line of a verb cannot be right.
pub const USAGE: &str = "E-KUBE-USAGE";
/// A condition was not reached.
pub const NOT_REACHED: &str = "E-KUBE-WAIT";
/// The answer could not be understood.
pub const UNREADABLE: &str = "E-KUBE-005";

/// What kept a request from being sent, as a request's error: [`report`] gives it back as it is.
pub fn not_sent(report: Report) -> Error {
    Error::Service(Box::new(report))
}

/// The report for a failed request to `server` (its URL's authority), which stands behind `proxy` if there is one.
pub fn report(error: &Error, server: &str, proxy: Option<&str>) -> Report {
    if let Error::Service(error) = error
        && let Some(report) = error.downcast_ref::<Report>()
    {
        return report.clone();
    }
    match (error, proxy) {
        (Error::Api(_) | Error::SerdeError(_) | Error::FromUtf8(_), _) | (_, None) => {}
        (other, Some(proxy)) => {
            return Report::failed(
                UNREACHABLE,
                format!("Unable to connect to the server {server} through the proxy {proxy}"),
            )
            .because(other)
            .hint("check the proxy-url of the cluster in the kubeconfig, HTTPS_PROXY and NO_PROXY");
        }
    }
    match error {
        Error::Api(status) => of_status(status),
        Error::SerdeError(_) | Error::FromUtf8(_) => {
            Report::failed(UNREADABLE, format!("the answer of {server} cannot be read")).because(error)
        }
        other if is_refused(other) => Report::failed(
            UNREACHABLE,
            format!("The connection to the server {server} was refused - did you specify the right host or port?"),
        )
        .hint("check the server in the kubeconfig, or try `cogdeck --sandbox`"),
        other => Report::failed(UNREACHABLE, format!("Unable to connect to the server {server}"))
            .because(other)
            .hint(match is_untrusted(other) {
                true => {
                    "the certificate authority in the kubeconfig is not this server's: kubectl:login reads the kubeconfig \
                     again, for a cluster that was made anew"
                }
                false => "check the server in the kubeconfig, and the network between",
            }),
    }
}

/// Several failures as one, each on a line of its own; none: nothing failed.
pub fn all(failures: Vec<Report>) -> Option<Report> {
    failures.into_iter().reduce(|first, next| first.and(&next))
}

/// The report for an API server's Status, as kubectl words it.
pub fn of_status(status: &Status) -> Report {
    let message = match (status.code, status.reason.as_str()) {
        (404, "Failed to parse error data") => {
            "Error from server (NotFound): the server could not find the requested resource".to_owned()
        }
        (405, "Failed to parse error data") => {
            "Error from server (MethodNotAllowed): the server does not allow this method on the requested resource"
                .to_owned()
        }
        (401, _) => "You must be logged in to the server (Unauthorized)".to_owned(),
        (422, "Invalid") => invalid(status),
        (_, "" | "Failed to parse error data") => format!("Error from server: {}", status.message),
        (_, reason) => format!("Error from server ({reason}): {}", status.message),
    };
    match status.code {
        401 => Report::failed(UNAUTHORIZED, message)
            .hint("kubectl:login logs in again; or check the user of this kube context"),
        403 => Report::failed(FORBIDDEN, message)
            .hint("ask for the missing permission, or use another context or namespace"),
        404 => with_hint(Report::failed(NOT_FOUND, message), status, |kind| {
            format!("`kubectl:get {kind}` lists those there are; where they lie in namespaces, `-A` those of all")
        }),
        409 => with_hint(Report::failed(CONFLICT, message), status, |kind| {
            format!("`kubectl:get {kind}` shows what is there now")
        }),
        _ => Report::failed(REFUSED_BY_SERVER, message),
    }
}

/// A client certificate that has ended.
pub struct Ended {
    /// The kubeconfig's name of its user.
    pub user: String,
    /// Its end.
    pub at: Timestamp,
    /// It came from a credential plugin.
    pub plugin: bool,
}

impl Ended {
    /// A failure that it is the reason of.
    pub fn explains(&self, failure: Report) -> Report {
        let mut report = Report::failed(
            failure.code,
            format!("the client certificate of user {} ended at {}", self.user, self.at),
        )
        .hint(match self.plugin {
            true => "renew it: kubectl:login asks the credential plugin for another, with the terminal lent to it",
            false => {
                "renew it where it was issued, and put it and its key in the old one's place in the kubeconfig: the next \
                 command reads it"
            }
        });
        report.causes = [vec![failure.message], failure.causes].concat();
        report
    }
}

/// Whether a client certificate that ended may be why: the server does not know who asks, or ended the handshake.
pub fn may_be_of_certificate(error: &Error) -> bool {
    let mut next: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(cause) = next {
        let within = cause.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        let tls = match within {
            Some(within) => within.downcast_ref::<rustls::Error>(),
            None => cause.downcast_ref::<rustls::Error>(),
        };
        if matches!(tls, Some(rustls::Error::AlertReceived(_))) {
            return true;
        }
        next = cause.source();
    }
    code(error) == Some(401)
}

/// kubectl's words for what validation refused: the kind, the name, and each cause with its field.
fn invalid(status: &Status) -> String {
    let details = status.details.as_ref();
    let causes: Vec<String> = details
        .into_iter()
        .flat_map(|details| &details.causes)
        .map(|cause| format!("{}: {}", cause.field, cause.message))
        .collect();
    let Some(details) = details.filter(|details| !details.kind.is_empty()) else {
        return format!("The request is invalid: {}", status.message);
    };
    let what = format!("The {} \"{}\" is invalid", details.kind, details.name);
    match causes.as_slice() {
        [] => what,
        [one] => format!("{what}: {one}"),
        several => format!("{what}:\n* {}", several.join("\n* ")),
    }
}

/// A hint that names the kind, where the Status does.
fn with_hint(report: Report, status: &Status, hint: impl Fn(&str) -> String) -> Report {
    match status.details.as_ref().map(|details| details.kind.as_str()) {
        None | Some("") => report,
        Some(kind) => report.hint(hint(kind)),
    }
}

/// The HTTP code of an answer that is a Status.
pub fn code(error: &Error) -> Option<u16> {
    match error {
        Error::Api(status) => Some(status.code),
        _ => None,
    }
}

/// Whether the same request may succeed later: the server is busy or in trouble, or the way to it is. Not where it
/// refuses, and not where its answer cannot be read.
pub fn may_pass(error: &Error) -> bool {
    match error {
        Error::Api(status) => status.code == 429 || status.code >= 500,
        // Where nobody listens any more the operator hears of it at once, as with kubectl.
        Error::Service(inner) => !inner.is::<Report>() && !may_be_of_certificate(error) && !is_refused(error),
        Error::HyperError(_) | Error::ReadEvents(_) => true,
        _ => false,
    }
}

/// The pause that the server asks for.
pub fn pause(error: &Error) -> Option<std::time::Duration> {
    let Error::Api(status) = error else { return None };
    let seconds = status.details.as_ref()?.retry_after_seconds;
    (seconds > 0).then(|| std::time::Duration::from_secs(u64::from(seconds)))
}

/// An error and what caused it, from the outside in.
fn causes(error: &Error) -> impl Iterator<Item = &(dyn std::error::Error + 'static)> {
    std::iter::successors(Some(error as &(dyn std::error::Error + 'static)), |cause| {
        cause.source()
    })
}

fn is_refused(error: &Error) -> bool {
    causes(error).any(|cause| {
        cause
            .downcast_ref::<std::io::Error>()
            .is_some_and(|io| io.kind() == std::io::ErrorKind::ConnectionRefused)
    })
}

/// Whether the server's certificate was refused. By its words: the error of TLS lies inside one of input and output, which
/// does not name it among its causes.
fn is_untrusted(error: &Error) -> bool {
    causes(error).any(|cause| cause.to_string().contains("invalid peer certificate"))
}

/// A usage error: refused before anything was asked of the server.
pub fn usage(message: impl Into<String>) -> Report {
    Report::refused(USAGE, message)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::json;

    fn status(value: serde_json::Value) -> Status {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn a_certificate_that_is_not_trusted_is_told_from_a_server_that_does_not_answer() {
        let told = |reason: &str| {
            let error = Error::Service(Box::new(std::io::Error::other(reason.to_owned())));
            report(&error, "a:6443", None).hint.unwrap()
        };
        assert!(told("invalid peer certificate: BadSignature").contains("kubectl:login"));
        assert!(told("deadline has elapsed").contains("the network"));
    }

    #[test]
    fn the_words_are_those_of_kubectl() {
        let missing = status(
            json!({"status": "Failure", "message": "deployments.apps \"nope\" not found",
            "reason": "NotFound", "details": {"name": "nope", "group": "apps", "kind": "deployments"}, "code": 404}),
        );
        let report = of_status(&missing);
        assert_eq!(
            report.message,
            "Error from server (NotFound): deployments.apps \"nope\" not found"
        );
        assert_eq!(report.code, NOT_FOUND);
        let hint = report.hint.unwrap();
        assert!(hint.contains("`kubectl:get deployments`"), "{hint}");
        let login = of_status(&status(
            json!({"reason": "Unauthorized", "message": "Unauthorized", "code": 401}),
        ));
        assert_eq!(
            (login.code, login.message.as_str()),
            (UNAUTHORIZED, "You must be logged in to the server (Unauthorized)")
        );
        assert_eq!(
            of_status(&status(json!({"message": "boom", "code": 500}))).message,
            "Error from server: boom"
        );
    }
}
