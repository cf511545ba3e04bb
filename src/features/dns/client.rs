//! Asking a name server: the context's resolver, a server named in the question, or the system's. Keeps no cache: an
//! operator who asks twice wants to see the change.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{NameServerConfig, ResolveHosts, ResolverConfig};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::{Name, RecordType};

use crate::core::context::Context;
use crate::core::report::Report;

/// How long one server may take for one try; there are two tries.
const TIMEOUT: Duration = Duration::from_secs(3);

/// One record of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Owner name, with the final dot.
    pub name: String,
    /// Type, `CNAME`.
    pub kind: String,
    /// Seconds.
    pub ttl: u32,
    /// The data in presentation form (RFC 1035 §5).
    pub data: String,
}

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answers {
    /// The answer section in the server's order: chain first, then addresses.
    pub records: Vec<Answer>,
    /// The response code's name when it is not NOERROR (`NXDOMAIN`).
    pub code: Option<String>,
}

/// Asks for `name`; `server` wins over the context's resolver.
pub async fn ask(
    context: &Context,
    server: Option<SocketAddr>,
    name: &str,
    kind: RecordType,
) -> Result<Answers, Report> {
    let parsed = Name::from_utf8(name)
        .map_err(|error| Report::refused("E-DNS-001", format!("{name} is not a DNS name")).because(&error))?;
    let resolver = resolver(context, server.or(context.resolver))?;
    let question = Name::from_ascii(format!("{}.", parsed.to_ascii().trim_end_matches('.'))).unwrap_or(parsed);
    match resolver.lookup(question, kind).await {
        Ok(lookup) => Ok(Answers {
            records: lookup.answers().iter().map(answer).collect(),
            code: None,
        }),
        Err(NetError::Dns(DnsError::NoRecordsFound(none))) => Ok(Answers {
            records: Vec::new(),
            code: (none.response_code != ResponseCode::NoError).then(|| code_name(none.response_code)),
        }),
        Err(error) => Err(failed(name, server.or(context.resolver), &error)),
    }
}

fn answer(record: &hickory_resolver::proto::rr::Record) -> Answer {
    Answer {
        name: record.name.to_string(),
        kind: record.record_type().to_string(),
        ttl: record.ttl,
        data: record.data.to_string(),
    }
}

fn code_name(code: ResponseCode) -> String {
    match code {
        ResponseCode::NXDomain => "NXDOMAIN".to_owned(),
        ResponseCode::ServFail => "SERVFAIL".to_owned(),
        ResponseCode::Refused => "REFUSED".to_owned(),
        other => other.to_str().to_uppercase(),
    }
}

fn failed(name: &str, server: Option<SocketAddr>, error: &NetError) -> Report {
    let who = server.map_or_else(|| "the system's name servers".to_owned(), |server| server.to_string());
    let report = match error {
        NetError::Dns(DnsError::ResponseCode(code)) => {
            Report::failed("E-DNS-003", format!("{who} answered {} for {name}", code_name(*code)))
        }
        NetError::Timeout => Report::failed("E-DNS-002", format!("{who} gave no answer for {name} in time")),
        other => Report::failed("E-DNS-002", format!("{who} gave no answer for {name}")).because(other),
    };
    report.hint("name another server with @SERVER, or set COGDECK_DNS=IP:PORT")
}

fn resolver(context: &Context, server: Option<SocketAddr>) -> Result<TokioResolver, Report> {
    let unusable = |error: &(dyn std::error::Error + 'static)| {
        Report::failed("E-DNS-004", "the system's resolver configuration cannot be used")
            .because(error)
            .hint("name a server with @SERVER, or set COGDECK_DNS=IP:PORT")
    };
    let mut builder = match server {
        Some(server) => {
            let config = ResolverConfig::from_name_servers(vec![name_server(server)]);
            TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
        }
        None if context.closed => {
            return Err(
                Report::refused("E-DNS-005", "this is a closed world, and it has no name server")
                    .hint("leave the sandbox to ask real name servers"),
            );
        }
        None => TokioResolver::builder_tokio().map_err(|error| unusable(&error))?,
    };
    let options = builder.options_mut();
    options.cache_size = 0;
    options.use_hosts_file = ResolveHosts::Never;
    options.timeout = TIMEOUT;
    options.attempts = 2;
    options.edns0 = true;
    builder.build().map_err(|error| unusable(&error))
}

fn name_server(server: SocketAddr) -> NameServerConfig {
    let mut config = NameServerConfig::udp_and_tcp(server.ip());
    for connection in &mut config.connections {
        connection.port = server.port();
    }
    config
}

/// `1.2.3.4`, `1.2.3.4:5353` or `[::1]:53`; port 53 when none is named.
pub fn parse_server(text: &str) -> Option<SocketAddr> {
    text.parse::<SocketAddr>()
        .ok()
        .or_else(|| text.parse::<IpAddr>().ok().map(|ip| SocketAddr::new(ip, 53)))
}

/// The name under which an address has its PTR record (RFC 1035 §3.5, RFC 3596 §2.5).
pub fn reverse_name(address: IpAddr) -> String {
    Name::from(address).to_string()
}
