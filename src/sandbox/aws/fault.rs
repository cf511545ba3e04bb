//! What the AWS services answer when they refuse: one value, and the XML shape that each service gives it.
//! Not for HTTP errors below the services (a foreign Host, a body over the limit of the connection).

use http::StatusCode;

use super::xml::Xml;

/// The services behind the endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Service {
    Ec2,
    Route53,
    S3,
    Sts,
}

/// A refusal: HTTP status, AWS error code, and the sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub status: StatusCode,
    pub code: &'static str,
    pub message: String,
}

impl Fault {
    pub fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
        }
    }

    /// 400.
    pub fn bad(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    /// 403.
    pub fn forbidden(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, code, message)
    }

    /// 404.
    pub fn not_found(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, code, message)
    }

    /// The error document as the service writes it; without a service the shape of the query services is used.
    pub fn document(&self, service: Option<Service>, resource: &str, request_id: &str) -> String {
        match service {
            Some(Service::Ec2) => Xml::document("Response", "", |x| {
                x.element("Errors", |x| {
                    x.element("Error", |x| {
                        x.text("Code", self.code);
                        x.text("Message", &self.message);
                    });
                });
                x.text("RequestID", request_id);
            }),
            Some(Service::S3) => Xml::document("Error", "", |x| {
                x.text("Code", self.code);
                x.text("Message", &self.message);
                x.text("Resource", resource);
                x.text("RequestId", request_id);
            }),
            Some(Service::Route53) => self.query(super::route53::XMLNS, request_id),
            Some(Service::Sts) => self.query(super::sts::XMLNS, request_id),
            None => self.query("", request_id),
        }
    }

    fn query(&self, xmlns: &str, request_id: &str) -> String {
        let kind = if self.status.is_server_error() {
            "Receiver"
        } else {
            "Sender"
        };
        Xml::document("ErrorResponse", xmlns, |x| {
            x.element("Error", |x| {
                x.text("Type", kind);
                x.text("Code", self.code);
                x.text("Message", &self.message);
            });
            x.text("RequestId", request_id);
        })
    }
}
