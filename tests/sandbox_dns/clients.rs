//! Other people's resolvers read it.

use std::process::Stdio;

use super::{ADDRESSES, ELB, world};
use aws_sdk_route53::types::RrType;

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
