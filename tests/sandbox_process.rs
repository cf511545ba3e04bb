//! `cogdeck sandbox` as a guest on somebody's machine: who may talk to it, where it listens, which files it writes, how it
//! ends. Not for what it answers to those who may (tests/real_clients.rs).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::time::{Duration, Instant};

use support::process::{Sandbox, command};
use support::require;
use support::run::{Stream, run};
use support::signal;

const SOON: Duration = Duration::from_secs(30);

/// The value after `key` in a YAML file that has it once.
fn yaml_value(file: &Path, key: &str) -> String {
    let text = std::fs::read_to_string(file).unwrap();
    let line = text
        .lines()
        .find_map(|line| line.trim().trim_start_matches("- ").strip_prefix(key));
    line.unwrap_or_else(|| panic!("no {key} in {}", file.display()))
        .trim()
        .trim_matches(['"', '\''])
        .to_owned()
}

/// `http://127.0.0.1:4000/` → `127.0.0.1:4000`.
fn authority(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split('/').next().expect("an authority")
}

#[test]
fn without_its_token_the_cluster_answers_401() {
    let Some(curl) = require("curl") else { return };
    let world = Sandbox::start(&[]);
    let server = yaml_value(&world.kubeconfig(), "server:");
    let token = yaml_value(&world.kubeconfig(), "token:");
    let status = |path: &str, headers: &[String]| {
        let mut command = world.client(&curl);
        command.args(["-sk", "-w", "\n%{http_code}", &format!("{server}{path}")]);
        headers.iter().for_each(|header| {
            command.args(["-H", header]);
        });
        let answer = run(command, SOON).ok();
        let (body, code) = answer.trim_end().rsplit_once('\n').expect("a body, then the code");
        (code.to_owned(), body.to_owned())
    };
    for path in ["/api/v1/pods", "/apis/apps/v1/deployments", "/api", "/openapi/v2"] {
        for headers in [
            vec![],
            vec!["Authorization: Bearer wrong".to_owned()],
            vec![format!("Authorization: Basic {token}")],
        ] {
            let (code, body) = status(path, &headers);
            assert_eq!(code, "401", "{path} {headers:?}: {body}");
            assert!(body.contains("\"Unauthorized\""), "a Status of Kubernetes: {body}");
        }
        let (code, body) = status(path, &[format!("Authorization: Bearer {token}")]);
        assert_eq!(code, "200", "{path}: {body}");
    }
}

/// The whole answer to one raw HTTP request; empty when the connection is closed without one.
fn http(address: &str, head: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("it listens");
    stream.set_read_timeout(Some(SOON)).unwrap();
    stream
        .write_all(format!("{head}\r\nConnection: close\r\n\r\n").as_bytes())
        .unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

#[test]
fn a_foreign_host_or_origin_is_refused_on_every_port() {
    let Some(curl) = require("curl") else { return };
    let world = Sandbox::start(&[]);
    let plain = [
        ("AWS", authority(world.env("AWS_ENDPOINT_URL")).to_owned()),
        ("proxy", authority(world.env("http_proxy")).to_owned()),
    ];
    let refused = |what: &str, answer: &str| {
        let code = answer.split_whitespace().nth(1).unwrap_or_default();
        assert!(matches!(code, "400" | "403" | "421"), "{what}: {answer:?}");
    };
    for (what, address) in &plain {
        let foreign_host = "GET / HTTP/1.1\r\nHost: evil.example".to_owned();
        refused(&format!("{what}, foreign Host"), &http(address, &foreign_host));
        let rebound = format!("GET / HTTP/1.1\r\nHost: {address}.evil.example");
        refused(&format!("{what}, look-alike Host"), &http(address, &rebound));
        let foreign_origin = format!("GET / HTTP/1.1\r\nHost: {address}\r\nOrigin: http://evil.example");
        refused(&format!("{what}, foreign Origin"), &http(address, &foreign_origin));
    }
    let proxy = authority(world.env("http_proxy"));
    let outside = http(proxy, "GET http://example.com/ HTTP/1.1\r\nHost: example.com");
    assert!(
        !outside.starts_with("HTTP/1.1 200"),
        "the proxy leads nowhere outside: {outside}"
    );

    let server = yaml_value(&world.kubeconfig(), "server:");
    let bearer = format!("Authorization: Bearer {}", yaml_value(&world.kubeconfig(), "token:"));
    for (header, allowed) in [
        ("Host: evil.example", false),
        ("Origin: https://evil.example", false),
        ("Accept: */*", true),
    ] {
        let mut command = world.client(&curl);
        command.args([
            "-sk",
            "-o",
            "/dev/null",
            "-w",
            "%{http_code}",
            "-H",
            &bearer,
            "-H",
            header,
            &format!("{server}/version"),
        ]);
        let code = run(command, SOON).ok().trim().to_owned();
        assert!(
            if allowed {
                code == "200"
            } else {
                matches!(code.as_str(), "400" | "403" | "421")
            },
            "Kubernetes API, {header}: {code}"
        );
    }
}

/// Local addresses, as hexadecimal text, of the sockets of a process in a table of /proc: listening ones of TCP, all of UDP.
fn sockets(pid: u32, table: &str) -> Vec<String> {
    let inodes: BTreeSet<String> = std::fs::read_dir(format!("/proc/{pid}/fd"))
        .expect("its descriptors")
        .filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok())
        .filter_map(|link| {
            Some(
                link.to_str()?
                    .strip_prefix("socket:[")?
                    .trim_end_matches(']')
                    .to_owned(),
            )
        })
        .collect();
    let text = std::fs::read_to_string(format!("/proc/{pid}/net/{table}")).unwrap_or_default();
    let rows = text
        .lines()
        .skip(1)
        .map(|line| line.split_whitespace().collect::<Vec<_>>());
    let listening = |state: &str| table.starts_with("udp") || state == "0A";
    rows.filter(|row| row.len() > 9 && inodes.contains(row[9]) && listening(row[3]))
        .map(|row| row[1].to_owned())
        .collect()
}

#[test]
fn nothing_listens_beyond_loopback() {
    let world = Sandbox::start(&[]);
    let listening: Vec<_> = ["tcp", "tcp6", "udp", "udp6"]
        .iter()
        .flat_map(|table| sockets(world.pid(), table))
        .collect();
    // Kubernetes, AWS, DNS twice, proxy.
    assert!(listening.len() >= 5, "{listening:?}");
    let loopback =
        |address: &String| address.starts_with("0100007F:") || address.starts_with("00000000000000000000000001000000:");
    assert!(listening.iter().all(loopback), "{listening:?}");
}

#[test]
fn its_files_are_private_and_never_written_over_others() {
    let world = Sandbox::start(&[]);
    for file in [world.kubeconfig(), world.env_file()] {
        let mode = file.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{}", file.display());
    }
    let folder = tempfile::tempdir().unwrap();
    let foreign = folder.path().join("config");
    std::fs::write(&foreign, "precious").unwrap();
    let link = folder.path().join("link");
    symlink(&foreign, &link).unwrap();
    let new = folder.path().join("new");
    for (kubeconfig, env) in [(&foreign, &new), (&new, &foreign), (&link, &new), (&new, &link)] {
        let files = [kubeconfig, env].map(|path| path.to_str().unwrap());
        let refused = run(
            command(&["sandbox", "--kubeconfig", files[0], "--env", files[1]], folder.path()),
            SOON,
        )
        .code(2);
        let named = files
            .iter()
            .any(|file| *file != new.to_str().unwrap() && refused.stderr.contains(file));
        assert!(named && refused.stderr.contains("hint:"), "{refused}");
        assert_eq!(refused.stdout, "", "it was refused before it was ready");
        assert!(!new.exists(), "nothing was written");
    }
    assert_eq!(std::fs::read_to_string(&foreign).unwrap(), "precious");
}

#[test]
fn a_file_of_an_earlier_world_is_taken_over() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("kubeconfig");
    let start = || {
        let mut world = Stream::start(command(
            &["sandbox", "--kubeconfig", file.to_str().unwrap()],
            folder.path(),
        ));
        world.wait_for(|lines| lines.iter().any(|line| line == "ready"), SOON);
        signal(world.pid(), "INT");
        world.end(SOON);
        std::fs::read_to_string(&file).unwrap()
    };
    assert_ne!(start(), start(), "another certificate authority and another token");
    let left: Vec<_> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(left, ["kubeconfig"], "nothing half-written stays behind");
}

#[test]
fn a_fixed_row_of_ports_is_the_same_at_every_start_and_refused_while_in_use() {
    let folder = tempfile::tempdir().unwrap();
    // Below the ports that systems hand out, so that nobody takes one of the row meanwhile.
    let free = |port: &u16| (*port..*port + 5).all(|port| std::net::TcpListener::bind(("127.0.0.1", port)).is_ok());
    let base = (20_000 + (std::process::id() % 1000) as u16 * 10..32_000)
        .step_by(5)
        .find(free)
        .unwrap();
    let (first, port) = (base.to_string(), base + 2);
    let taken = std::net::TcpListener::bind(("127.0.0.1", port)).unwrap();
    let ended = run(command(&["sandbox", "--port", &first], folder.path()), SOON).code(1);
    assert!(ended.stdout.is_empty(), "not ready: {ended}");
    for part in [
        format!("DNS server could not listen on 127.0.0.1, port {port}"),
        "in use".into(),
        "another --port".into(),
    ] {
        assert!(ended.stderr.contains(&part), "{part}: {ended}");
    }
    drop(taken);
    let (kubeconfig, env) = (folder.path().join("kubeconfig"), folder.path().join("env"));
    let args = [
        "sandbox",
        "--port",
        &first,
        "--kubeconfig",
        kubeconfig.to_str().unwrap(),
        "--env",
        env.to_str().unwrap(),
    ];
    for _ in 0..2 {
        let mut world = Stream::start(command(&args, folder.path()));
        world.wait_for(|lines| lines.iter().any(|line| line == "ready"), SOON);
        signal(world.pid(), "INT");
        assert!(world.end(SOON).success(), "{}", world.complaints());
        assert_eq!(yaml_value(&kubeconfig, "server:"), format!("https://127.0.0.1:{base}"));
        assert!(
            std::fs::read_to_string(&env)
                .unwrap()
                .contains(&format!("'127.0.0.1:{port}'"))
        );
    }
}

#[test]
fn a_signal_ends_it_promptly_and_well() {
    for name in ["TERM", "INT", "HUP"] {
        let folder = tempfile::tempdir().unwrap();
        let mut world = Stream::start(command(&["sandbox", "--events", "50"], folder.path()));
        world.wait_for(|lines| lines.iter().any(|line| line == "ready"), SOON);
        let begun = Instant::now();
        signal(world.pid(), name);
        let status = world.end(SOON);
        assert_eq!(status.code(), Some(0), "SIG{name}: {}", world.complaints());
        assert!(
            begun.elapsed() < Duration::from_secs(5),
            "SIG{name} took {:?}",
            begun.elapsed()
        );
    }
}
