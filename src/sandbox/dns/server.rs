//! The sockets: one port for udp and tcp on loopback, served by the DNS library; malformed packets end there. Decides
//! about headers, EDNS and what is refused; what a name's answer is, is decided elsewhere.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use hickory_server::Server;
use hickory_server::net::runtime::Time;
use hickory_server::proto::op::{Edns, Header, HeaderCounts, MessageType, Metadata, OpCode, ResponseCode};
use hickory_server::proto::rr::{DNSClass, RecordType as WireType};
use hickory_server::server::{Request, RequestHandler, ResponseHandler, ResponseInfo};
use hickory_server::zone_handler::MessageResponseBuilder;
use tokio::net::{TcpListener, UdpSocket};

use super::answer::{Answer, answer};
use super::names::Names;

/// What fits any path without fragments (DNS flag day 2020); larger answers are truncated and asked again over tcp.
const MAX_UDP: u16 = 1_232;
/// A silent tcp connection ends after this.
const TCP_TIMEOUT: Duration = Duration::from_secs(10);
/// Answers buffered for one tcp connection.
const TCP_BUFFER: usize = 32;
/// Free ports tried until one is free for both udp and tcp.
const ATTEMPTS: usize = 16;

/// The server, before it runs.
pub struct DnsServer;

/// The running server; it ends when this is dropped.
pub struct DnsHandle {
    /// Where it listens, udp and tcp: a port on 127.0.0.1.
    pub addr: SocketAddr,
    _server: Server<Handler>,
}

impl std::fmt::Debug for DnsHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DnsHandle")
            .field("addr", &self.addr)
            .finish_non_exhaustive()
    }
}

impl DnsServer {
    /// Binds a free port on 127.0.0.1, the same for udp and tcp, and serves until the handle is dropped.
    pub async fn start(names: Names) -> io::Result<DnsHandle> {
        Self::start_on(0, names).await
    }

    /// The same on this port; 0 takes a free one.
    pub async fn start_on(port: u16, names: Names) -> io::Result<DnsHandle> {
        let mut attempt = 0;
        let (tcp, udp) = loop {
            attempt += 1;
            let tcp = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
            match UdpSocket::bind(tcp.local_addr()?).await {
                Ok(udp) => break (tcp, udp),
                Err(error) if port != 0 || attempt >= ATTEMPTS => return Err(error),
                Err(_) => {}
            }
        };
        let addr = tcp.local_addr()?;
        let mut server = Server::new(Handler { names });
        server.register_socket(udp);
        server.register_listener(tcp, TCP_TIMEOUT, TCP_BUFFER);
        Ok(DnsHandle { addr, _server: server })
    }
}

struct Handler {
    names: Names,
}

impl Handler {
    fn answer(&self, request: &Request) -> Answer {
        let refuse = |code| Answer {
            code,
            ..Answer::default()
        };
        if request.metadata.op_code != OpCode::Query {
            return refuse(ResponseCode::NotImp);
        }
        let [query] = request.queries.queries() else {
            return refuse(ResponseCode::FormErr);
        };
        if query.query_class() != DNSClass::IN || matches!(query.query_type(), WireType::AXFR | WireType::IXFR) {
            return refuse(ResponseCode::Refused);
        }
        answer(&self.names, query.original().name(), query.query_type())
    }
}

#[async_trait::async_trait]
impl RequestHandler for Handler {
    async fn handle_request<R: ResponseHandler, T: Time>(&self, request: &Request, mut handle: R) -> ResponseInfo {
        let mut edns = request.edns.as_ref().map(|asked| {
            let mut edns = Edns::new();
            edns.set_max_payload(asked.max_payload().clamp(512, MAX_UDP))
                .set_version(0);
            edns
        });
        let found = match request.edns.as_ref().map(Edns::version) {
            None | Some(0) => self.answer(request),
            Some(_) => Answer {
                code: ResponseCode::BADVERS,
                ..Answer::default()
            },
        };
        if let Some(edns) = &mut edns {
            edns.set_rcode_high(found.code.high());
        }
        // `response_from_request` leaves RA unset: this server never recurses.
        let mut metadata = Metadata::response_from_request(&request.metadata);
        metadata.response_code = found.code;
        metadata.authoritative = found.authoritative;
        let builder = MessageResponseBuilder::new(&request.queries, edns.as_ref());
        let response = builder.build(metadata, &found.answers, &found.authorities, [], []);
        match handle.send_response(response).await {
            Ok(info) => info,
            Err(_) => failed(request),
        }
    }
}

/// What is reported when the answer could not be sent: the asker is gone.
fn failed(request: &Request) -> ResponseInfo {
    let mut metadata = Metadata::new(request.metadata.id, MessageType::Response, request.metadata.op_code);
    metadata.response_code = ResponseCode::ServFail;
    ResponseInfo::from(Header {
        metadata,
        counts: HeaderCounts::default(),
    })
}
