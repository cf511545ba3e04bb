//! `kubectl:port-forward`: ports of a pod on this machine, until stopped. Listens on loopback only.

use std::net::Ipv4Addr;
use std::sync::Arc;

use async_trait::async_trait;
use futures::future::try_join_all;
use serde_json::{Value, json};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use super::behind;
use super::common::{WRITE, declare, say, until_stopped};
use super::completer::Names;
use crate::core::change::Risk;
use crate::core::report::Report;
use crate::core::text::SafeText;
use crate::features::kubernetes::client::{Clients, Session};
use crate::features::kubernetes::error::{self, CONFLICT, NOT_FOUND, UNREACHABLE, usage};
use crate::features::kubernetes::object::{self, list, text};
use crate::features::kubernetes::target;
use crate::verb::declaration::{OptionKind, Positional};
use crate::verb::{Call, Input, Output, Read, Verb};

/// Connections of one port at a time. Policy: further ones wait to be accepted.
const CONNECTIONS: usize = 64;

/// The verb.
pub fn verb(clients: &Arc<Clients>) -> Verb {
    let declaration = declare("port-forward", "Reach ports of a pod from this machine")
        .permission(WRITE)
        .risk(Risk::Change)
        .without(&[(
            "address",
            "it listens on 127.0.0.1 only, so that nobody else gets in: another machine reaches it by ssh -L",
        )])
        .positional(
            Positional::new(
                "POD|TYPE/NAME [LOCAL:]PORT",
                OptionKind::String,
                "A pod, or something that has pods (the incoming object when not given), then ports by number or name; \
                 :PORT takes any local one",
            )
            .variadic(),
        )
        .output("{kind, name, namespace, local, port, message}, one a port; it goes on until it is stopped.")
        .notes("Listens on 127.0.0.1 only. With & at its end it is a job: jobs lists it, stop N ends it.")
        .example(
            "kubectl:port-forward deploy/inspector 8080:80 &",
            "http://127.0.0.1:8080 is one of its pods",
        );
    Verb::read(
        declaration,
        PortForward {
            clients: clients.clone(),
        },
    )
    .completed_by(Names::of_pods(clients))
}

struct PortForward {
    clients: Arc<Clients>,
}

#[async_trait]
impl Read for PortForward {
    async fn run(&self, call: &Call, _input: &mut Input, output: &Output) -> Result<(), Report> {
        until_stopped(call, output, self.forward(call, output)).await
    }
}

impl PortForward {
    async fn forward(&self, call: &Call, output: &Output) -> Result<(), Report> {
        let words = call.arguments.texts();
        let (word, ports) = match (&call.record, words.as_slice()) {
            (Some(_), ports) => (None, ports),
            (None, [word, ports @ ..]) => (Some(word.as_str()), ports),
            (None, []) => (None, words.as_slice()),
        };
        if ports.is_empty() {
            return Err(usage("TYPE/NAME and list of ports are required for port-forward")
                .hint("for example: deploy/inspector 8080:80"));
        }
        let session = self.clients.session(&call.context).await?;
        let service = service(call, &session, word).await?;
        let pod = behind::pod(call, &session, word).await?;
        let phase = text(&pod, "/status/phase");
        if phase != "Running" {
            let message = format!("unable to forward port because pod is not running. Current status={phase}");
            return Err(Report::failed(CONFLICT, message));
        }
        let pairs: Vec<Pair> = ports
            .iter()
            .map(|word| Pair::read(word, service.as_ref(), &pod))
            .collect::<Result<_, _>>()?;
        let mut listeners = Vec::new();
        for pair in pairs {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, pair.local))
                .await
                .map_err(|error| {
                    Report::failed(CONFLICT, format!("unable to listen on port {}", pair.local)).because(&error)
                })?;
            let local = listener.local_addr().map_err(|error| unusable(&error))?;
            let message = format!("Forwarding from {local} -> {}", pair.remote);
            let record = json!({
                "kind": "Pod", "name": object::name(&pod), "namespace": object::namespace(&pod), "local": local.to_string(),
                "port": pair.remote, "message": message,
            });
            say(output, record).await?;
            listeners.push((listener, pair.remote));
        }
        let serve = |(listener, remote)| serve(call, &session, &pod, listener, remote);
        try_join_all(listeners.into_iter().map(serve)).await.map(|_| ())
    }
}

fn unusable(error: &std::io::Error) -> Report {
    Report::failed(CONFLICT, "the local port cannot be used").because(error)
}

/// The service that is meant, if it is one: its ports stand for others of the pods.
async fn service(call: &Call, session: &Session, word: Option<&str>) -> Result<Option<Value>, Report> {
    let words: Vec<String> = match (word, &call.record) {
        (Some(word), _) if word.contains('/') => vec![word.to_owned()],
        (None, Some(_)) => Vec::new(),
        _ => return Ok(None),
    };
    let selection = target::selection(call, session, &words).await?;
    let target::Selection::Named(targets) = selection else {
        return Ok(None);
    };
    match targets.first().filter(|target| target.resource.kind == "Service") {
        Some(service) => service.read(session).await.map(Some),
        None => Ok(None),
    }
}

/// A local port (0: any) and the pod's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Pair {
    local: u16,
    remote: u16,
}

impl Pair {
    fn read(word: &str, service: Option<&Value>, pod: &Value) -> Result<Pair, Report> {
        let number = |text: &str| text.parse().ok().filter(|port: &u16| *port != 0);
        let (local, named) = match word.split_once(':') {
            Some(("", named)) => (Some(0), named),
            Some((local, named)) => {
                let local = number(local).ok_or_else(|| usage(format!("error parsing local port '{local}'")))?;
                (Some(local), named)
            }
            None => (None, word),
        };
        let (asked, remote) = match service {
            Some(service) => of_service(service, pod, named)?,
            None => {
                let port = number(named)
                    .or_else(|| of_pod(pod, named))
                    .ok_or_else(|| unknown(named, "Pod", pod))?;
                (port, port)
            }
        };
        Ok(Pair {
            local: local.unwrap_or(asked),
            remote,
        })
    }
}

fn unknown(named: &str, kind: &str, object: &Value) -> Report {
    let name = object::name(object);
    Report::failed(
        NOT_FOUND,
        format!("{kind} '{name}' does not have a named port '{named}'"),
    )
}

/// The port of a container that has this name.
fn of_pod(pod: &Value, named: &str) -> Option<u16> {
    list(pod, "/spec/containers")
        .iter()
        .flat_map(|container| list(container, "/ports"))
        .find(|port| text(port, "/name") == named)
        .and_then(|port| port["containerPort"].as_u64()?.try_into().ok())
}

/// A service's own port, and the pod's that it stands for.
fn of_service(service: &Value, pod: &Value, named: &str) -> Result<(u16, u16), Report> {
    let small = |value: &Value| value.as_u64().and_then(|port| u16::try_from(port).ok());
    let port = list(service, "/spec/ports")
        .iter()
        .find(|port| text(port, "/name") == named || small(&port["port"]).is_some_and(|own| named.parse() == Ok(own)))
        .ok_or_else(|| match named.parse::<u16>() {
            Ok(number) => Report::failed(
                NOT_FOUND,
                format!(
                    "Service {} does not have a service port {number}",
                    object::name(service)
                ),
            ),
            Err(_) => unknown(named, "Service", service),
        })?;
    let asked = small(&port["port"]).unwrap_or_default();
    let remote = match &port["targetPort"] {
        Value::Null => Some(asked),
        Value::String(name) => of_pod(pod, name),
        number => small(number).filter(|port| *port != 0).or(Some(asked)),
    };
    remote
        .map(|remote| (asked, remote))
        .ok_or_else(|| unknown(text(port, "/targetPort"), "Pod", pod))
}

/// Takes connections of one port, until the pod is gone.
async fn serve(call: &Call, session: &Session, pod: &Value, listener: TcpListener, remote: u16) -> Result<(), Report> {
    let slots = Arc::new(Semaphore::new(CONNECTIONS));
    let mut open = tokio::task::JoinSet::new();
    loop {
        let Ok(slot) = slots.clone().acquire_owned().await else {
            return Ok(());
        };
        let (stream, _) = loop {
            tokio::select! {
                accepted = listener.accept() => break accepted.map_err(|error| unusable(&error))?,
                Some(ended) = open.join_next() => told(call, remote, ended.unwrap_or(Ok(())))?,
            }
        };
        let local = stream.local_addr().map_or(0, |address| address.port());
        call.operator
            .note(SafeText::line(&format!("Handling connection for {local}")));
        let (session, space, name) = (
            session.clone(),
            object::namespace(pod).to_owned(),
            object::name(pod).to_owned(),
        );
        open.spawn(async move {
            let done = carry(&session, &space, &name, stream, remote).await;
            drop(slot);
            done
        });
    }
}

/// One connection's trouble is a note; that the pod is gone ends them all.
fn told(call: &Call, remote: u16, done: Result<(), Report>) -> Result<(), Report> {
    let Err(report) = done else { return Ok(()) };
    if report.code == NOT_FOUND {
        return Err(
            Report::failed(UNREACHABLE, "lost connection to pod").because(&std::io::Error::other(report.message))
        );
    }
    let words = format!("an error occurred forwarding to port {remote}: {}", report.message);
    call.operator.note(SafeText::line(&words));
    Ok(())
}

/// Carries the bytes of one connection, which has a WebSocket of its own.
async fn carry(session: &Session, space: &str, pod: &str, mut stream: TcpStream, remote: u16) -> Result<(), Report> {
    let cluster = &session.cluster;
    let mut forward =
        cluster
            .pods(space)
            .await?
            .portforward(pod, &[remote])
            .await
            .map_err(|error| match error::code(&error) {
                Some(404) => Report::failed(NOT_FOUND, cluster.report(&error).message),
                _ => cluster.report(&error),
            })?;
    let (upstream, trouble) = (forward.take_stream(remote), forward.take_error(remote));
    let Some(mut upstream) = upstream else { return Ok(()) };
    let carried = copy_bidirectional(&mut stream, &mut upstream);
    let trouble = async {
        match trouble {
            Some(trouble) => match trouble.await {
                Some(why) => why,
                None => std::future::pending().await,
            },
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        why = trouble => Err(Report::failed(UNREACHABLE, why)),
        // Either side may cut a connection; that is its own affair.
        _ = carried => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn ports_by_number_by_name_and_through_a_service() {
        let pod = json!({"metadata": {"name": "p"}, "spec": {"containers": [{"ports": [{"name": "http", "containerPort": 80}]}]}});
        let service = json!({"metadata": {"name": "s"}, "spec": {"ports": [{"name": "web", "port": 8000, "targetPort": "http"}]}});
        let of_pod = |word: &str| Pair::read(word, None, &pod).map(|pair| (pair.local, pair.remote));
        let of_service = |word: &str| Pair::read(word, Some(&service), &pod).map(|pair| (pair.local, pair.remote));
        assert_eq!(of_pod("8080:80").unwrap(), (8080, 80));
        assert_eq!(of_pod("http").unwrap(), (80, 80));
        assert_eq!(of_pod(":http").unwrap(), (0, 80));
        assert_eq!(of_service("web").unwrap(), (8000, 80));
        assert_eq!(of_service("9000:8000").unwrap(), (9000, 80));
        for wrong in ["nope", "0", "x:80", "70000", ""] {
            assert!(of_pod(wrong).is_err(), "{wrong}");
        }
        assert_eq!(
            of_service("81").unwrap_err().message,
            "Service s does not have a service port 81"
        );
    }
}
