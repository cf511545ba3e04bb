//! `kubectl port-forward` against the sandbox: over SPDY inside a WebSocket, and over plain SPDY as before kubectl 1.31.

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::Child;

use crate::bench::Bench;
use crate::support::require;

const VARIABLE: &str = "KUBECTL_PORT_FORWARD_WEBSOCKETS";
const WAYS: [&str; 2] = ["true", "false"];
/// How the upgrade is asked for: kubectl goes over to the other way without a word where one does not work.
const METHODS: [&str; 2] = ["GET ", "POST "];
const PATIENCE: Duration = Duration::from_secs(30);

/// A running `kubectl port-forward`.
struct Forward {
    child: Child,
    /// `127.0.0.1:PORT`.
    local: String,
    complaint: Arc<Mutex<String>>,
}

impl Forward {
    async fn start(bench: &Bench, way: &str, target: &str) -> Forward {
        let words: Vec<&str> = ["port-forward", "--address=127.0.0.1"]
            .into_iter()
            .chain(target.split(' '))
            .collect();
        let mut child = bench.spawn_kubectl_with(&[(VARIABLE, way)], &words);
        let complaint = Arc::new(Mutex::new(String::new()));
        let mut errors = BufReader::new(child.stderr.take().unwrap()).lines();
        let said = complaint.clone();
        tokio::spawn(async move {
            while let Ok(Some(line)) = errors.next_line().await {
                said.lock().unwrap().push_str(&format!("{line}\n"));
            }
        });
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let first = tokio::time::timeout(PATIENCE, lines.next_line())
            .await
            .unwrap()
            .unwrap();
        let Some(first) = first else {
            panic!("{target}: {}", complaint.lock().unwrap());
        };
        let local = first
            .strip_prefix("Forwarding from ")
            .unwrap()
            .split(' ')
            .next()
            .unwrap();
        let local = local.to_owned();
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Forward {
            child,
            local,
            complaint,
        }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(&self.local).await.unwrap()
    }

    /// The inspector's start page, over a connection of its own.
    async fn fetch(&self) -> String {
        let mut stream = self.connect().await;
        let ask = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
        stream.write_all(ask).await.unwrap();
        let mut text = String::new();
        let read = stream.read_to_string(&mut text);
        tokio::time::timeout(PATIENCE, read).await.unwrap().unwrap();
        text
    }

    /// Waits until kubectl has complained of this.
    async fn complains(&self, of: &str) {
        eventually(
            || self.complaint.lock().unwrap().contains(of),
            || format!("{of}\nin: {}", self.complaint.lock().unwrap()),
        )
        .await;
    }
}

async fn eventually(holds: impl Fn() -> bool, what: impl Fn() -> String) {
    let begin = Instant::now();
    while !holds() {
        assert!(begin.elapsed() < PATIENCE, "waited for: {}", what());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A deployment that really serves, its service, and name and address of its pod.
async fn serving() -> Option<(Bench, String, Ipv4Addr)> {
    require("kubectl")?;
    let bench = Bench::start().await;
    for line in [
        "create deployment insp --image=so0k/kuar-inspector:1.0.0 --port=80",
        "rollout status deploy/insp",
        "expose deploy/insp --port=8000 --target-port=80",
    ] {
        bench.run(&format!("kubectl:{line}")).await.ok();
    }
    let pod = bench.plane.store.list("pods", Some("default"))[0].clone();
    let text = |pointer: &str| pod.pointer(pointer).unwrap().as_str().unwrap().to_owned();
    Some((bench, text("/metadata/name"), text("/status/podIP").parse().unwrap()))
}

#[tokio::test(flavor = "multi_thread")]
async fn kubectl_forwards_ports_of_pods_deployments_and_services() {
    let Some((bench, pod, address)) = serving().await else {
        return;
    };
    for (way, method) in WAYS.into_iter().zip(METHODS) {
        bench.faults.forget();
        for target in [
            format!("pod/{pod} :80"),
            "deploy/insp :80".into(),
            "svc/insp :8000".into(),
        ] {
            let mut forward = Forward::start(&bench, way, &target).await;
            for _ in 0..3 {
                let page = forward.fetch().await;
                assert!(page.contains("Version: Inspector 1.0.0"), "{way} {target}: {page}");
            }
            let pages = futures::future::join_all((0..8).map(|_| forward.fetch())).await;
            assert!(
                pages.iter().all(|page| page.contains("Version: Inspector 1.0.0")),
                "{way} {target}"
            );
            // One that is open when kubectl is killed: the pod sees it go.
            let _open = forward.connect().await;
            let in_flight = || bench.plane.network.in_flight(address);
            eventually(
                || in_flight() == 1,
                || format!("{way} {target}: a connection, of {}", in_flight()),
            )
            .await;
            forward.child.kill().await.unwrap();
            eventually(
                || in_flight() == 0,
                || format!("{way} {target}: none, of {}", in_flight()),
            )
            .await;
            assert_eq!(*forward.complaint.lock().unwrap(), "", "{way} {target}");
        }
        for asked in METHODS {
            assert_eq!(
                bench.faults.saw(&[asked, "/portforward"]),
                asked == method,
                "{way} {asked}"
            );
        }
    }
}

/// Says back what it hears, and ends after the client has.
async fn echo(listener: TcpListener) {
    while let Ok((mut stream, _)) = listener.accept().await {
        tokio::spawn(async move {
            let (mut from, mut to) = stream.split();
            let _ = tokio::io::copy(&mut from, &mut to).await;
        });
    }
}

/// Talks without end.
async fn flood(listener: TcpListener) {
    while let Ok((mut stream, _)) = listener.accept().await {
        tokio::spawn(async move { while stream.write_all(&[b'x'; 65536]).await.is_ok() {} });
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_carry_much_in_both_directions_and_end_each_for_itself() {
    let Some((bench, pod, address)) = serving().await else {
        return;
    };
    let listen = async |port: u16| {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        bench
            .plane
            .network
            .listen(address, port, listener.local_addr().unwrap());
        listener
    };
    tokio::spawn(echo(listen(9000).await));
    tokio::spawn(flood(listen(9001).await));
    for way in WAYS {
        let forward = Forward::start(&bench, way, &format!("pod/{pod} :9000")).await;
        let rounds = (0_u8..4).map(|number| {
            let forward = &forward;
            async move {
                let (mut from, mut to) = forward.connect().await.into_split();
                let sent: Vec<u8> = (0..3_000_000_u32).map(|at| (at / 7) as u8 ^ number).collect();
                let mut heard = Vec::new();
                let say = async {
                    to.write_all(&sent).await.unwrap();
                    to.shutdown().await.unwrap();
                };
                let (_, read) = tokio::join!(say, from.read_to_end(&mut heard));
                read.unwrap();
                assert!(heard == sent, "{way} {number}: {} of {} bytes", heard.len(), sent.len());
            }
        });
        tokio::time::timeout(PATIENCE, futures::future::join_all(rounds))
            .await
            .unwrap();
        // Nobody reads the flood; when its reader leaves, the same kubectl serves the next one.
        let flooded = Forward::start(&bench, way, &format!("pod/{pod} :9001")).await;
        for _ in 0..3 {
            let mut stream = flooded.connect().await;
            let mut some = vec![0; 100_000];
            tokio::time::timeout(PATIENCE, stream.read_exact(&mut some))
                .await
                .unwrap()
                .unwrap();
            assert!(some.iter().all(|byte| *byte == b'x'), "{way}");
            drop(stream);
        }
        drop((forward, flooded));
        let in_flight = || bench.plane.network.in_flight(address);
        eventually(|| in_flight() == 0, || format!("{way}: none, of {}", in_flight())).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn kubectl_tells_why_a_port_is_not_reached() {
    let Some((bench, pod, _)) = serving().await else { return };
    let uid = bench.plane.store.get("pods", "default", &pod).unwrap()["metadata"]["uid"].clone();
    let uid = uid.as_str().unwrap();
    for way in WAYS {
        let forward = Forward::start(&bench, way, &format!("pod/{pod} :81")).await;
        let mut nothing = Vec::new();
        let mut stream = forward.connect().await;
        let read = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut nothing))
            .await
            .unwrap();
        assert!(read.is_err() || nothing.is_empty(), "{way}: {nothing:?}");
        let local = forward.local.rsplit(':').next().unwrap();
        forward
            .complains(&format!(
                "an error occurred forwarding {local} -> 81: error forwarding port 81 to pod {pod}, uid {uid}: dial tcp \
                 127.0.0.1:81: connect: connection refused"
            ))
            .await;
    }
    let (code, _, error) = bench.kubectl("port-forward pod/nope :80").await.unwrap();
    assert_eq!(
        (code, error.trim()),
        (1, "Error from server (NotFound): pods \"nope\" not found")
    );
    // The pod goes while it is forwarded to; its successor is another one.
    let mut forward = Forward::start(&bench, "true", &format!("pod/{pod} :80")).await;
    assert!(forward.fetch().await.contains("Version: Inspector"));
    assert_eq!(bench.kubectl(&format!("delete pod {pod}")).await.unwrap().0, 0);
    let _ = forward.connect().await.read_to_end(&mut Vec::new()).await;
    forward.complains(&format!("uid {uid}: pod not found (")).await;
    forward.complains("error: lost connection to pod").await;
    let ended = tokio::time::timeout(PATIENCE, forward.child.wait())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(ended.code(), Some(1));
}
