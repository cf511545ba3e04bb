//! The sandbox's DNS server, judged by hickory-resolver, by raw packets, and by dig where it is installed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::net::{Ipv4Addr, SocketAddr};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_route53::types::{
    AliasTarget, Change, ChangeAction, ChangeBatch, ChangeStatus, ResourceRecord, ResourceRecordSet, RrType,
};
use aws_smithy_http_client::{Builder, tls};
use cogdeck::sandbox::aws::{AwsConfig, AwsHandle, AwsServer, ec2::default_world};
use cogdeck::sandbox::clock::Clock;
use cogdeck::sandbox::dns::{DnsHandle, DnsServer, Names};
use hickory_resolver::proto::op::{Message, MessageType, OpCode, Query, ResponseCode};
use hickory_resolver::proto::rr::{DNSClass, Name, RData, RecordType};
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
async fn a_chain_is_one_answer_and_an_alias_answers_as_addresses() {
    let world = world(1e6).await;
    world
        .basic("inspector.spawnhub.com", RrType::Cname, &[ELB.into()])
        .await;
    world
        .alias("spawnhub.com", "Z1GM3OXH4ZPM65", &format!("dualstack.{ELB}"))
        .await;
    world
        .alias("again.spawnhub.com", "Z37AJ8CHRUEZC6", "spawnhub.com")
        .await;

    let answer = world.ask("INSPECTOR.spawnhub.COM.", RecordType::A).await;
    assert!(answer.metadata.authoritative && !answer.metadata.recursion_available);
    assert_eq!(
        answer.answers[0].name.to_ascii(),
        "INSPECTOR.spawnhub.COM.",
        "the case of the question"
    );
    assert_eq!(answer.answers[0].record_type(), RecordType::CNAME);
    assert_eq!(answer.answers[0].ttl, 300);
    assert_eq!(addresses(&answer), ADDRESSES);
    assert!(
        answer.answers[1..]
            .iter()
            .all(|record| record.ttl == 60 && record.name.to_ascii() == format!("{ELB}."))
    );

    for name in ["spawnhub.com.", "again.spawnhub.com."] {
        let answer = world.ask(name, RecordType::A).await;
        assert_eq!(addresses(&answer), ADDRESSES);
        assert!(answer.answers.iter().all(|record| record.name.to_ascii() == name));
    }
    assert_eq!(world.names.canonical("inspector.spawnhub.com").as_deref(), Some(ELB));
    assert_eq!(world.names.canonical("Again.spawnhub.com.").as_deref(), Some(ELB));
    assert_eq!(world.names.canonical("none.spawnhub.com"), None);
    assert_eq!(world.names.canonical("gone.ap-southeast-2.elb.amazonaws.com"), None);
}

#[tokio::test]
async fn negative_answers_say_which_kind_they_are() {
    let world = world(1e6).await;
    world
        .basic("deep.down.spawnhub.com", RrType::A, &["203.0.113.5".into()])
        .await;
    for (name, kind, code, soa) in [
        (
            "none.spawnhub.com.",
            RecordType::A,
            ResponseCode::NXDomain,
            "spawnhub.com.",
        ),
        (
            "spawnhub.com.",
            RecordType::AAAA,
            ResponseCode::NoError,
            "spawnhub.com.",
        ),
        (
            "down.spawnhub.com.",
            RecordType::A,
            ResponseCode::NoError,
            "spawnhub.com.",
        ),
        (
            "x.ap-southeast-2.elb.amazonaws.com.",
            RecordType::A,
            ResponseCode::NXDomain,
            "elb.amazonaws.com.",
        ),
        (
            &format!("{ELB}."),
            RecordType::AAAA,
            ResponseCode::NoError,
            "elb.amazonaws.com.",
        ),
    ] {
        let answer = world.ask(name, kind).await;
        assert_eq!(
            (answer.metadata.response_code, answer.answers.len()),
            (code, 0),
            "{name} {kind}"
        );
        assert!(answer.metadata.authoritative);
        let authority = &answer.authorities[0];
        assert_eq!(
            (authority.record_type(), authority.name.to_ascii().as_str()),
            (RecordType::SOA, soa)
        );
    }
    for name in ["example.com.", ".", "com.", "amazonaws.com.", "google.com."] {
        let answer = world.ask(name, RecordType::A).await;
        assert_eq!(answer.metadata.response_code, ResponseCode::Refused, "{name}");
        assert!(!answer.metadata.authoritative);
    }
    let axfr = world.ask("spawnhub.com.", RecordType::AXFR).await;
    assert_eq!(
        (axfr.metadata.response_code, axfr.answers.len()),
        (ResponseCode::Refused, 0)
    );
    let mut chaos = question("version.bind.", RecordType::TXT);
    chaos.queries[0].set_query_class(DNSClass::CH);
    assert_eq!(
        udp(world.dns.addr, &chaos).await.unwrap().metadata.response_code,
        ResponseCode::Refused
    );
    let any = world.ask("spawnhub.com.", RecordType::ANY).await;
    let kinds: Vec<_> = any.answers.iter().map(|record| record.record_type()).collect();
    assert!(
        !kinds.is_empty() && kinds.iter().all(|kind| *kind == kinds[0]),
        "one set only: {kinds:?}"
    );
}

#[tokio::test]
async fn wildcards_loops_and_delegations() {
    let world = world(1e6).await;
    world
        .basic("*.apps.spawnhub.com", RrType::A, &["203.0.113.7".into()])
        .await;
    world
        .basic("one.spawnhub.com", RrType::Cname, &["two.spawnhub.com".into()])
        .await;
    world
        .basic("two.spawnhub.com", RrType::Cname, &["one.spawnhub.com".into()])
        .await;
    world
        .basic("out.spawnhub.com", RrType::Cname, &["example.com".into()])
        .await;
    world
        .basic("sub.spawnhub.com", RrType::Ns, &["ns.example.com".into()])
        .await;
    assert_eq!(
        addresses(&world.ask("a.b.apps.spawnhub.com.", RecordType::A).await),
        [Ipv4Addr::new(203, 0, 113, 7)]
    );
    let looped = world.ask("one.spawnhub.com.", RecordType::A).await;
    assert_eq!(looped.answers.len(), 2);
    assert_eq!(world.names.canonical("one.spawnhub.com"), None);
    let out = world.ask("out.spawnhub.com.", RecordType::A).await;
    assert_eq!(
        (out.metadata.response_code, out.answers.len()),
        (ResponseCode::NoError, 1)
    );
    let referral = world.ask("www.sub.spawnhub.com.", RecordType::A).await;
    assert!(!referral.metadata.authoritative && referral.answers.is_empty());
    assert_eq!(referral.authorities[0].record_type(), RecordType::NS);
}

#[tokio::test]
async fn weighted_sets_share_by_weight() {
    let world = world(1e6).await;
    for (id, weight, address) in [
        ("blue", 3, "203.0.113.1"),
        ("green", 1, "203.0.113.2"),
        ("off", 0, "203.0.113.3"),
    ] {
        let record = ResourceRecord::builder().value(address).build().unwrap();
        let set = ResourceRecordSet::builder()
            .name("w.spawnhub.com")
            .r#type(RrType::A)
            .ttl(1);
        world
            .put(
                set.set_identifier(id)
                    .weight(weight)
                    .resource_records(record)
                    .build()
                    .unwrap(),
            )
            .await;
    }
    let mut counts = std::collections::BTreeMap::new();
    for _ in 0..200 {
        let found = addresses(&world.ask("w.spawnhub.com.", RecordType::A).await);
        assert_eq!(found.len(), 1);
        *counts.entry(found[0].octets()[3]).or_insert(0) += 1;
    }
    assert!(
        (120..=180).contains(&counts[&1]) && !counts.contains_key(&3),
        "{counts:?}"
    );
}

#[tokio::test]
async fn a_record_is_served_when_its_change_is_insync_and_not_before() {
    let world = world(10.0).await;
    let record = ResourceRecord::builder().value("203.0.113.5").build().unwrap();
    let set = ResourceRecordSet::builder()
        .name("late.spawnhub.com")
        .r#type(RrType::A)
        .ttl(60);
    world.submit(set.resource_records(record).build().unwrap()).await;
    let early = world.ask("late.spawnhub.com.", RecordType::A).await;
    assert_eq!(early.metadata.response_code, ResponseCode::NXDomain);
    tokio::time::sleep(Duration::from_millis(800)).await;
    assert_eq!(
        addresses(&world.ask("late.spawnhub.com.", RecordType::A).await).len(),
        1
    );
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
async fn hickory_resolver_reads_it() {
    use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig};
    use hickory_resolver::net::runtime::TokioRuntimeProvider;
    let world = world(1e6).await;
    world
        .basic("inspector.spawnhub.com", RrType::Cname, &[ELB.into()])
        .await;
    world
        .basic("mail.spawnhub.com", RrType::Mx, &["10 mx.example.com".into()])
        .await;
    world
        .basic("note.spawnhub.com", RrType::Txt, &["\"a \\\"b\\\"\" \"c\"".into()])
        .await;
    let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()].map(|mut connection| {
        connection.port = world.dns.addr.port();
        connection
    });
    let server = NameServerConfig::new(world.dns.addr.ip(), true, connections.to_vec());
    let config = ResolverConfig::from_name_servers(vec![server]);
    let resolver = hickory_resolver::TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
        .build()
        .unwrap();
    let found = resolver.ipv4_lookup("inspector.spawnhub.com.").await.unwrap();
    let mut found: Vec<String> = found.answers().iter().map(|record| record.data.to_string()).collect();
    found.sort();
    assert!(
        ADDRESSES.iter().all(|address| found.contains(&address.to_string())),
        "{found:?}"
    );
    assert!(
        resolver.mx_lookup("mail.spawnhub.com.").await.unwrap().answers()[0]
            .data
            .to_string()
            .contains("10 mx.example.com")
    );
    let text = resolver.txt_lookup("note.spawnhub.com.").await.unwrap();
    assert!(
        text.answers()[0].data.to_string().contains("a \"b\""),
        "{}",
        text.answers()[0].data
    );
    assert!(
        resolver
            .ipv4_lookup("none.spawnhub.com.")
            .await
            .unwrap_err()
            .is_nx_domain()
    );
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
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(TcpStream::connect(addr).await.is_err());
    assert!(UdpSocket::bind(addr).await.is_ok(), "the udp port is free again");
}

#[tokio::test]
async fn dig_reads_it() {
    if std::process::Command::new("dig")
        .arg("-v")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_err()
    {
        eprintln!("skipped: dig is not installed (Debian: bind9-dnsutils)");
        return;
    }
    let world = world(1e6).await;
    world
        .basic("inspector.spawnhub.com", RrType::Cname, &[ELB.into()])
        .await;
    let many: Vec<String> = (0..120).map(|n| format!("203.0.113.{n}")).collect();
    world.basic("many.spawnhub.com", RrType::A, &many).await;
    let dig = async |args: &[&str]| {
        let port = world.dns.addr.port().to_string();
        let fixed = ["@127.0.0.1", "-p", &port, "+tries=1", "+time=3"];
        let output = tokio::process::Command::new("dig")
            .args(fixed)
            .args(args)
            .output()
            .await
            .unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let short = dig(&["+short", "inspector.spawnhub.com"]).await;
    let lines: Vec<&str> = short.lines().collect();
    assert_eq!(
        lines,
        [&format!("{ELB}."), "203.0.113.201", "203.0.113.202", "203.0.113.203"]
    );
    let full = dig(&["inspector.spawnhub.com"]).await;
    assert!(
        full.contains("status: NOERROR") && full.contains("flags: qr aa rd;"),
        "{full}"
    );
    assert!(full.contains("recursion requested but not available"), "{full}");
    assert!(
        full.contains("EDNS: version: 0") && full.contains("udp: 1232"),
        "{full}"
    );
    assert!(dig(&["none.spawnhub.com"]).await.contains("status: NXDOMAIN"));
    assert!(dig(&["example.com"]).await.contains("status: REFUSED"));
    let many = dig(&["+bufsize=512", "many.spawnhub.com"]).await;
    assert!(
        many.contains("Truncated, retrying in TCP mode") && many.contains("ANSWER: 120"),
        "{many}"
    );
    assert!(
        dig(&["+edns=1", "+noednsneg", "spawnhub.com"])
            .await
            .contains("BADVERS")
    );
    assert!(!dig(&["spawnhub.com", "ANY"]).await.contains("WARNING: Message parser"));
}
