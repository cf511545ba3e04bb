//! Probes: what a pod declares about how its containers are asked whether they are well, and the asking. The answers are
//! in the kubelet's words. Not for what follows from them (`life::run`).

use std::net::Ipv4Addr;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::course::{Beat, Course};
use crate::sandbox::kubernetes::RELEASE;
use crate::sandbox::kubernetes::container::Container;
use crate::sandbox::kubernetes::network::Network;
use crate::sandbox::kubernetes::objects::{int, text};

/// What of an answer is read: the status line is in it.
const HEAD: usize = 1_024;

/// What a probe is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Purpose {
    /// The container has come up; the others wait for it.
    Startup,
    /// It gets traffic.
    Readiness,
    /// It is restarted when it fails.
    Liveness,
}

impl Purpose {
    /// All of them.
    pub const ALL: [Purpose; 3] = [Purpose::Startup, Purpose::Readiness, Purpose::Liveness];

    /// The container's field.
    pub fn field(self) -> &'static str {
        match self {
            Purpose::Startup => "startupProbe",
            Purpose::Readiness => "readinessProbe",
            Purpose::Liveness => "livenessProbe",
        }
    }

    /// As the kubelet's events name it: `Readiness`.
    pub fn word(self) -> &'static str {
        match self {
            Purpose::Startup => "Startup",
            Purpose::Readiness => "Readiness",
            Purpose::Liveness => "Liveness",
        }
    }
}

/// How a container is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Question {
    Http {
        port: u16,
        path: String,
    },
    Tcp {
        port: u16,
    },
    Exec(Vec<String>),
    /// A kind of probe this world has no answer to (gRPC): it passes.
    Unasked,
}

/// A probe with the API's defaults.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    question: Question,
    /// From the start of the container to the first question.
    pub delay: Duration,
    /// Between two questions.
    pub period: Duration,
    timeout: Duration,
    /// Answers in a row that make it pass, and fail.
    pub passes: i64,
    /// Failures in a row that make it fail.
    pub failures: i64,
}

impl Probe {
    /// Reads a container's probe.
    pub fn read(container: &Value, purpose: Purpose) -> Option<Self> {
        let probe = container.get(purpose.field()).filter(|probe| probe.is_object())?;
        let port = |pointer: &str| port(container, probe.pointer(pointer)?);
        let seconds = |field: &str, default| {
            let seconds = int(probe, &format!("/{field}"), default);
            Duration::from_secs(u64::try_from(seconds).unwrap_or_default())
        };
        let question = if let Some(port) = port("/httpGet/port") {
            let path = text(probe, "/httpGet/path");
            let path = if path.starts_with('/') {
                path.to_owned()
            } else {
                format!("/{path}")
            };
            // Nothing that could end the request line.
            let path = path.chars().filter(|letter| letter.is_ascii_graphic()).collect();
            Question::Http { port, path }
        } else if let Some(port) = port("/tcpSocket/port") {
            Question::Tcp { port }
        } else if let Some(words) = probe.pointer("/exec/command").and_then(Value::as_array) {
            Question::Exec(words.iter().filter_map(Value::as_str).map(str::to_owned).collect())
        } else {
            Question::Unasked
        };
        Some(Self {
            question,
            delay: seconds("initialDelaySeconds", 0),
            period: seconds("periodSeconds", 10).max(Duration::from_secs(1)),
            timeout: seconds("timeoutSeconds", 1).max(Duration::from_secs(1)),
            passes: int(probe, "/successThreshold", 1).max(1),
            failures: int(probe, "/failureThreshold", 3).max(1),
        })
    }

    /// Asks once; `inside` is where a command runs.
    ///
    /// # Errors
    /// Why the probe failed, in the kubelet's words.
    pub async fn ask(&self, ip: Ipv4Addr, network: &Network, inside: impl FnOnce() -> Container) -> Result<(), String> {
        match &self.question {
            Question::Unasked => Ok(()),
            Question::Tcp { port } => connect(ip, *port, network).await.map(drop),
            Question::Http { port, path } => {
                let url = format!("http://{ip}:{port}{path}");
                let asked = get(ip, *port, path, network);
                let status = match tokio::time::timeout(self.timeout, asked).await {
                    Ok(answer) => answer.map_err(|why| format!("Get \"{url}\": {why}"))?,
                    Err(_) => {
                        let why = "context deadline exceeded (Client.Timeout exceeded while awaiting headers)";
                        return Err(format!("Get \"{url}\": {why}"));
                    }
                };
                match status {
                    200..=399 => Ok(()),
                    _ => Err(format!("HTTP probe failed with statuscode: {status}")),
                }
            }
            Question::Exec(words) => {
                let (mut said, mut passed) = (Vec::new(), Duration::ZERO);
                for beat in Course::of_words(words, inside) {
                    match beat {
                        Beat::Says(line) => said.push(line),
                        Beat::Waits(length) => passed += length,
                        Beat::Ends(0) => {}
                        Beat::Ends(_) => return Err(said.join("\n")),
                    }
                    if passed > self.timeout {
                        let limit = self.timeout.as_secs();
                        return Err(format!("command timed out: {words:?} timed out after {limit}s"));
                    }
                }
                // A command this world does not know is taken at its word.
                Ok(())
            }
        }
    }
}

/// A port by number, or by its name among the container's.
fn port(container: &Value, port: &Value) -> Option<u16> {
    if let Some(name) = port.as_str() {
        let ports = container.get("ports")?.as_array()?;
        let named = ports.iter().find(|port| text(port, "/name") == name)?;
        return u16::try_from(int(named, "/containerPort", 0)).ok();
    }
    u16::try_from(port.as_i64()?).ok()
}

async fn connect(ip: Ipv4Addr, port: u16, network: &Network) -> Result<TcpStream, String> {
    let refused = || format!("dial tcp {ip}:{port}: connect: connection refused");
    let route = network.route_pod(ip, port);
    let listener = route.listener.ok_or_else(refused)?;
    TcpStream::connect(listener).await.map_err(|_| refused())
}

/// The status of a GET, as the kubelet sends it.
async fn get(ip: Ipv4Addr, port: u16, path: &str, network: &Network) -> Result<u16, String> {
    let mut stream = connect(ip, port, network).await?;
    let minor = RELEASE
        .trim_start_matches('v')
        .rsplit_once('.')
        .map_or(RELEASE, |(minor, _)| minor);
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {ip}:{port}\r\nUser-Agent: kube-probe/{minor}\r\nAccept: */*\r\nConnection: close\r\n\r\n"
    );
    let broken = |error: std::io::Error| format!("{error}");
    stream.write_all(request.as_bytes()).await.map_err(broken)?;
    let mut head = Vec::new();
    stream.take(HEAD as u64).read_to_end(&mut head).await.map_err(broken)?;
    let head = String::from_utf8_lossy(&head);
    let status = head
        .split_ascii_whitespace()
        .nth(1)
        .and_then(|status| status.parse().ok());
    status.ok_or_else(|| "EOF".to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;
    use crate::sandbox::clock::Clock;
    use crate::sandbox::kubernetes::container::Files;

    const IP: Ipv4Addr = Ipv4Addr::new(100, 96, 1, 2);

    fn probe(probe: Value) -> Probe {
        let container = json!({"ports": [{"name": "web", "containerPort": 80}], "readinessProbe": probe});
        Probe::read(&container, Purpose::Readiness).unwrap()
    }

    #[test]
    fn defaults_are_those_of_the_api() {
        let plain = probe(json!({"tcpSocket": {"port": "web"}}));
        assert_eq!((plain.delay, plain.period), (Duration::ZERO, Duration::from_secs(10)));
        assert_eq!((plain.passes, plain.failures), (1, 3));
        assert_eq!(plain.question, Question::Tcp { port: 80 });
        assert_eq!(Probe::read(&json!({}), Purpose::Liveness), None);
        let odd = probe(json!({"httpGet": {"port": 80, "path": "a\r\nX: y"}, "periodSeconds": -5}));
        assert_eq!(
            odd.question,
            Question::Http {
                port: 80,
                path: "/aX:y".into()
            }
        );
        assert_eq!(odd.period, Duration::from_secs(1));
    }

    #[tokio::test]
    async fn a_listener_answers_and_nobody_refuses() {
        let network = Network::new(Clock::new(1.0), 1);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        network.listen(IP, 80, listener.local_addr().unwrap());
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut request = [0; 512];
                let read = stream.read(&mut request).await.unwrap();
                let request = String::from_utf8_lossy(&request[..read]).into_owned();
                let status = if request.contains("/bad") { 500 } else { 200 };
                assert!(
                    read == 0 || request.contains("User-Agent: kube-probe/1.36\r\n"),
                    "{request}"
                );
                let answer = format!("HTTP/1.1 {status} X\r\ncontent-length: 0\r\n\r\n");
                let _ = stream.write_all(answer.as_bytes()).await;
            }
        });
        let ask = |given: Value| {
            let (probe, network) = (probe(given), network.clone());
            let inside = Container::new(Files::new("p", "100.96.1.2", "default"), []);
            async move { probe.ask(IP, &network, || inside).await }
        };
        assert_eq!(ask(json!({"httpGet": {"port": "web", "path": "/good"}})).await, Ok(()));
        assert_eq!(ask(json!({"tcpSocket": {"port": 80}})).await, Ok(()));
        assert_eq!(
            ask(json!({"httpGet": {"port": 80, "path": "/bad"}})).await,
            Err("HTTP probe failed with statuscode: 500".to_owned())
        );
        assert_eq!(
            ask(json!({"httpGet": {"port": 81, "path": "/x"}})).await,
            Err("Get \"http://100.96.1.2:81/x\": dial tcp 100.96.1.2:81: connect: connection refused".to_owned())
        );
        assert_eq!(ask(json!({"exec": {"command": ["true"]}})).await, Ok(()));
        let said = ask(json!({"exec": {"command": ["sh", "-c", "echo sick; exit 1"]}})).await;
        assert_eq!(said, Err("sick".to_owned()));
        assert!(ask(json!({"exec": {"command": ["sleep", "9"]}})).await.is_err());
    }
}
