//! The sandbox's DNS server, judged by hickory-resolver, by raw packets, and by dig where it is installed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "sandbox_dns/answers.rs"]
mod answers;
#[path = "sandbox_dns/clients.rs"]
mod clients;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_route53::types::{
    AliasTarget, Change, ChangeAction, ChangeBatch, ChangeStatus, ResourceRecord, ResourceRecordSet, RrType,
};
use aws_smithy_http_client::{Builder, tls};
use cogdeck::sandbox::aws::ec2::default_world;
use cogdeck::sandbox::aws::{AwsConfig, AwsHandle, AwsServer};
use cogdeck::sandbox::clock::Clock;
use cogdeck::sandbox::dns::{DnsHandle, DnsServer, Names};
use hickory_resolver::proto::op::{Message, MessageType, OpCode, Query};
use hickory_resolver::proto::rr::{Name, RData, RecordType};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};

const ELB: &str = "a0123-1.ap-southeast-2.elb.amazonaws.com";
const ADDRESSES: [Ipv4Addr; 3] = [
    Ipv4Addr::new(203, 0, 113, 201),
    Ipv4Addr::new(203, 0, 113, 202),
    Ipv4Addr::new(203, 0, 113, 203),
];

struct World {
    aws: AwsHandle,
    dns: DnsHandle,
    names: Names,
    r53: aws_sdk_route53::Client,
}

async fn world(speed: f64) -> World {
    let aws = AwsServer::start(AwsConfig {
        access_key_id: "K".into(),
        secret_access_key: "S".into(),
        region: "ap-southeast-2".into(),
        instances: default_world(),
        clock: Clock::new(speed),
        seed: 1,
    })
    .await
    .unwrap();
    let names = Names::new(
        aws.zones.clone(),
        Arc::new(|host| (host == ELB).then(|| ADDRESSES.to_vec())),
    );
    let dns = DnsServer::start(names.clone()).await.unwrap();
    let http = Builder::new()
        .tls_provider(tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring))
        .build_https();
    let config = aws_sdk_route53::Config::builder()
        .behavior_version(aws_sdk_route53::config::BehaviorVersion::latest())
        .http_client(http)
        .endpoint_url(format!("http://{}", aws.addr))
        .region(aws_sdk_route53::config::Region::new("us-east-1"))
        .credentials_provider(aws_sdk_route53::config::Credentials::new("K", "S", None, None, "test"))
        .build();
    let r53 = aws_sdk_route53::Client::from_conf(config);
    World { aws, dns, names, r53 }
}

impl World {
    /// Submits a change and gives its id.
    async fn submit(&self, set: ResourceRecordSet) -> String {
        let change = Change::builder()
            .action(ChangeAction::Upsert)
            .resource_record_set(set)
            .build()
            .unwrap();
        let batch = ChangeBatch::builder().changes(change).build().unwrap();
        let request = self.r53.change_resource_record_sets().hosted_zone_id("Z37AJ8CHRUEZC6");
        let answer = request.change_batch(batch).send().await.unwrap();
        answer.change_info().unwrap().id().to_owned()
    }

    /// Submits a change and waits until it is INSYNC.
    async fn put(&self, set: ResourceRecordSet) {
        let id = self.submit(set).await;
        for _ in 0..500 {
            let answer = self.r53.get_change().id(&id).send().await.unwrap();
            if *answer.change_info().unwrap().status() == ChangeStatus::Insync {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("{id} never became INSYNC");
    }

    async fn basic(&self, name: &str, kind: RrType, values: &[String]) {
        let records = values
            .iter()
            .map(|value| ResourceRecord::builder().value(value).build().unwrap())
            .collect();
        let set = ResourceRecordSet::builder()
            .name(name)
            .r#type(kind)
            .ttl(300)
            .set_resource_records(Some(records));
        self.put(set.build().unwrap()).await;
    }

    async fn alias(&self, name: &str, zone: &str, target: &str) {
        let target = AliasTarget::builder()
            .hosted_zone_id(zone)
            .dns_name(target)
            .evaluate_target_health(false)
            .build()
            .unwrap();
        self.put(
            ResourceRecordSet::builder()
                .name(name)
                .r#type(RrType::A)
                .alias_target(target)
                .build()
                .unwrap(),
        )
        .await;
    }

    async fn ask(&self, name: &str, kind: RecordType) -> Message {
        udp(self.dns.addr, &question(name, kind)).await.expect("an answer")
    }
}

fn question(name: &str, kind: RecordType) -> Message {
    let mut message = Message::new(4711, MessageType::Query, OpCode::Query);
    message.metadata.recursion_desired = true;
    message.add_query(Query::query(Name::from_ascii(name).unwrap(), kind));
    message
}

async fn udp(addr: SocketAddr, message: &Message) -> Option<Message> {
    send(addr, &message.to_vec().unwrap())
        .await
        .map(|bytes| Message::from_vec(&bytes).unwrap())
}

async fn send(addr: SocketAddr, bytes: &[u8]) -> Option<Vec<u8>> {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    socket.send_to(bytes, addr).await.unwrap();
    let mut buffer = vec![0; 65_535];
    let read = tokio::time::timeout(Duration::from_millis(700), socket.recv(&mut buffer))
        .await
        .ok()?
        .unwrap();
    buffer.truncate(read);
    Some(buffer)
}

async fn tcp(addr: SocketAddr, message: &Message) -> Message {
    let bytes = message.to_vec().unwrap();
    let mut stream = TcpStream::connect(addr).await.unwrap();
    stream
        .write_all(&u16::try_from(bytes.len()).unwrap().to_be_bytes())
        .await
        .unwrap();
    stream.write_all(&bytes).await.unwrap();
    let mut buffer = vec![0; usize::from(stream.read_u16().await.unwrap())];
    stream.read_exact(&mut buffer).await.unwrap();
    Message::from_vec(&buffer).unwrap()
}

fn addresses(message: &Message) -> Vec<Ipv4Addr> {
    message
        .answers
        .iter()
        .filter_map(|record| match &record.data {
            RData::A(address) => Some(address.0),
            _ => None,
        })
        .collect()
}

#[tokio::test]
async fn large_answers_are_truncated_over_udp_and_whole_over_tcp() {
    let world = world(1e6).await;
    let many: Vec<String> = (0..120).map(|n| format!("203.0.113.{n}")).collect();
    world.basic("many.spawnhub.com", RrType::A, &many).await;
    let asked = question("many.spawnhub.com.", RecordType::A);
    let short = udp(world.dns.addr, &asked).await.unwrap();
    assert!(short.metadata.truncation && short.answers.len() < 120);
    assert!(short.to_vec().unwrap().len() <= 512);
    let whole = tcp(world.dns.addr, &asked).await;
    assert!(!whole.metadata.truncation);
    assert_eq!(addresses(&whole).len(), 120);
}

#[tokio::test]
async fn malformed_packets_never_end_the_server() {
    let world = world(1e6).await;
    let good = question("spawnhub.com.", RecordType::NS).to_vec().unwrap();
    let mut packets: Vec<Vec<u8>> = (0..good.len()).map(|end| good[..end].to_vec()).collect();
    packets.extend((0..good.len()).map(|at| {
        let mut broken = good.clone();
        broken[at] ^= 0xff;
        broken
    }));
    let mut pointer_loop = good[..12].to_vec();
    pointer_loop.extend([0xc0, 0x0c, 0, 1, 0, 1]);
    packets.extend([pointer_loop, vec![0xff; 1500], vec![]]);
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    for packet in &packets {
        socket.send_to(packet, world.dns.addr).await.unwrap();
    }
    // tcp: a length that lies, a length of nothing, garbage.
    for bytes in [&b"\xff\xff\x00"[..], b"\x00\x00", b"GET / HTTP/1.1\r\n\r\n"] {
        let mut stream = TcpStream::connect(world.dns.addr).await.unwrap();
        let _ = stream.write_all(bytes).await;
    }
    let answer = world.ask("spawnhub.com.", RecordType::NS).await;
    assert_eq!(answer.answers.len(), 4);
    assert_eq!(
        tcp(world.dns.addr, &question("spawnhub.com.", RecordType::SOA))
            .await
            .answers
            .len(),
        1
    );
}

#[tokio::test]
async fn the_server_ends_with_its_handle() {
    let World { aws, dns, names, .. } = world(1e6).await;
    let addr = dns.addr;
    assert!(addr.ip().is_loopback());
    drop((dns, names, aws));
    let begin = std::time::Instant::now();
    while TcpStream::connect(addr).await.is_ok() || UdpSocket::bind(addr).await.is_err() {
        assert!(begin.elapsed() < Duration::from_secs(20), "{addr} is still taken");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
