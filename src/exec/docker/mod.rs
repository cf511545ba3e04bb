//! Runs one invocation in a container of its own on a Docker engine: created, attached, started, read, removed. The
//! container is removed however the run ends; what a killed process left behind is removed by the next one.

mod container;
mod owner;

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bollard::Docker;
use bollard::container::LogOutput;
use bollard::errors::Error;
use bollard::models::{ContainerSummary, ContainerSummaryStateEnum};
use bollard::query_parameters::{
    AttachContainerOptionsBuilder, CreateImageOptionsBuilder, ListContainersOptionsBuilder, WaitContainerOptions,
};
use futures::StreamExt;
use tokio::io::AsyncWriteExt;
use tokio::sync::OnceCell;
use tokio_util::sync::CancellationToken;

use self::container::{Container, MEMORY, OWNER, PIPELINE};
use self::owner::Owner;
use super::reply::{Answer, Reply};
use super::request::Request;
use crate::core::report::Report;

pub use self::container::PIPELINE as LABEL;

/// How long an engine may take to say who it is.
const PATIENCE: Duration = Duration::from_secs(10);
/// The local engine's socket.
const LOCAL: &str = "unix:///var/run/docker.sock";
/// A container of ours that does not run and is older than this belongs to nobody, wherever it was made.
const ABANDONED: Duration = Duration::from_secs(3600);

/// The image of a bundle and what is mounted into its containers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// `repository:tag`.
    pub name: String,
    /// `host:container[:mode]`.
    pub binds: Vec<String>,
}

/// Connections by host, each opened at its first use. An engine that is connected to is also tidied, beside the work.
#[derive(Default)]
pub struct Engines {
    open: Mutex<HashMap<Option<String>, Arc<OnceCell<Engine>>>>,
}

impl Engines {
    /// The engine of `host` (as `DOCKER_HOST`; none: the local socket).
    pub async fn get(&self, host: Option<&str>) -> Result<Engine, Report> {
        let cell = {
            let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
            open.entry(host.map(str::to_owned)).or_default().clone()
        };
        let connect = || async {
            let engine = Engine::connect(host).await?;
            let tidied = engine.clone();
            tokio::spawn(async move {
                if let Err(error) = tidied.sweep().await {
                    tracing::warn!(%error, "leftover containers were not looked for");
                }
            });
            Ok(engine)
        };
        cell.get_or_try_init(connect).await.cloned()
    }
}

/// A connection to a Docker engine.
#[derive(Clone)]
pub struct Engine {
    docker: Docker,
    host: String,
}

impl Engine {
    /// Connects to `host` (as `DOCKER_HOST`; none: the local socket) and agrees on an API version.
    pub async fn connect(host: Option<&str>) -> Result<Engine, Report> {
        let host = host.unwrap_or(LOCAL);
        let docker = Docker::connect_with_host(host).map_err(|error| unreachable(host, &error))?;
        match tokio::time::timeout(PATIENCE, docker.negotiate_version()).await {
            Ok(Ok(docker)) => Ok(Engine {
                docker,
                host: host.to_owned(),
            }),
            Ok(Err(error)) => Err(unreachable(host, &error)),
            Err(_) => Err(Report::failed(
                "E-DOCKER-001",
                format!("the Docker engine at {host} did not answer in {} s", PATIENCE.as_secs()),
            )
            .hint("see whether it hangs: `docker version`")),
        }
    }

    /// Runs one invocation. `watch` sees each line of plain text as it comes. `stop` kills and removes the container.
    pub async fn run(
        &self,
        image: &Image,
        request: &Request,
        stop: &CancellationToken,
        mut watch: impl FnMut(String) + Send,
    ) -> Result<Reply, Report> {
        request.check()?;
        tokio::select! {
            biased;
            () = stop.cancelled() => return Err(Report::interrupted()),
            provided = self.provide(&image.name, &mut watch) => provided?,
        }
        // Not given up half way: it is short, and a container nobody knows of would stay until the next start.
        let container = self.create(image, request).await?;
        let mut watch = |line: String| watch(request.redact(&line));
        let ended = tokio::select! {
            biased;
            () = stop.cancelled() => Err(Report::interrupted()),
            ended = self.follow(&container.id, image, request, &mut watch) => ended,
        };
        container.remove().await;
        ended
    }

    async fn create(&self, image: &Image, request: &Request) -> Result<Container, Report> {
        let creation = tokio::spawn(Container::create(self.docker.clone(), image.clone(), request.clone()));
        match creation.await {
            Ok(created) => created.map_err(|error| self.failed("create a container from", &image.name, &error)),
            Err(error) => Err(Report::failed("E-DOCKER-002", "a container was not created").because(&error)),
        }
    }

    /// Makes sure that the image is there, pulling it when it is not.
    async fn provide(&self, image: &str, watch: &mut (impl FnMut(String) + Send)) -> Result<(), Report> {
        match self.docker.inspect_image(image).await {
            Ok(_) => return Ok(()),
            Err(Error::DockerResponseServerError { status_code: 404, .. }) => {}
            Err(error) => return Err(self.failed("look for the image", image, &error)),
        }
        watch(format!("pulling {image}"));
        let options = CreateImageOptionsBuilder::new().from_image(image).build();
        let mut pull = self.docker.create_image(Some(options), None, None);
        while let Some(step) = pull.next().await {
            step.map_err(|error| {
                self.failed("pull the image", image, &error)
                    .hint("build or load it on that engine, or check its name and your access to the registry")
            })?;
        }
        Ok(())
    }

    async fn follow(
        &self,
        id: &str,
        image: &Image,
        request: &Request,
        watch: &mut (impl FnMut(String) + Send),
    ) -> Result<Reply, Report> {
        let attach = AttachContainerOptionsBuilder::new()
            .stdin(true)
            .stdout(true)
            .stderr(true)
            .stream(true)
            .build();
        let name = &request.executable;
        let mut attached = self
            .docker
            .attach_container(id, Some(attach))
            .await
            .map_err(|error| self.failed("attach to the container of", name, &error))?;
        self.docker.start_container(id, None).await.map_err(|error| {
            self.failed("start", name, &error).hint(format!(
                "{} must hold {name} as a program that may be executed",
                image.name
            ))
        })?;
        let stdin = request.stdin();
        let mut input = attached.input;
        let write = async move {
            // A command that does not read its stdin closes it: that is no failure, and it ends nothing.
            let _ = input.write_all(&stdin).await;
            let _ = input.shutdown().await;
            std::future::pending::<Infallible>().await
        };
        let mut answer = Answer::default();
        let read = async {
            while let Some(piece) = attached.output.next().await {
                match piece.map_err(|error| self.failed("read the output of", name, &error))? {
                    LogOutput::StdErr { message } => answer.stderr(&message),
                    LogOutput::StdOut { message } | LogOutput::Console { message } => {
                        answer.stdout(&message, watch)?;
                    }
                    LogOutput::StdIn { .. } => {}
                }
            }
            Ok::<(), Report>(())
        };
        tokio::select! {
            read = read => read?,
            never = write => match never {},
        }
        let exit_code = self.exit_code(id, name).await?;
        answer.finish(exit_code, request)
    }

    async fn exit_code(&self, id: &str, name: &str) -> Result<i64, Report> {
        let mut wait = self.docker.wait_container(id, None::<WaitContainerOptions>);
        let code = match wait.next().await {
            Some(Ok(ended)) => ended.status_code,
            Some(Err(Error::DockerContainerWaitError { code, .. })) => code,
            Some(Err(error)) => return Err(self.failed("wait for", name, &error)),
            None => {
                return Err(Report::failed(
                    "E-DOCKER-002",
                    format!("the engine at {} lost {name}", self.host),
                ));
            }
        };
        if code != 0 {
            let inspected = self.docker.inspect_container(id, None).await;
            let state = inspected.ok().and_then(|container| container.state);
            if state.and_then(|state| state.oom_killed) == Some(true) {
                let message = format!(
                    "{name} needed more memory than the {} MiB a container gets",
                    MEMORY >> 20
                );
                return Err(Report::failed("E-DOCKER-003", message).hint("let it hold less at a time"));
            }
        }
        Ok(code)
    }

    fn failed(&self, act: &str, what: &str, error: &Error) -> Report {
        let why = match error {
            Error::DockerResponseServerError { message, .. } => message.clone(),
            other => other.to_string(),
        };
        let message = format!(
            "the Docker engine at {} could not {act} {what}: {}",
            self.host,
            why.trim_end()
        );
        Report::failed("E-DOCKER-002", message)
    }

    /// Removes containers of ours whose process has ended, or that ended themselves long ago; how many there were.
    pub async fn sweep(&self) -> Result<usize, Report> {
        let filters = HashMap::from([("label".to_owned(), vec![PIPELINE.to_owned()])]);
        let options = ListContainersOptionsBuilder::new().all(true).filters(&filters).build();
        let found = self.docker.list_containers(Some(options)).await;
        let found = found.map_err(|error| self.failed("list", "containers", &error))?;
        let own = Owner::of_this_process();
        let mut removed = 0;
        for container in found
            .into_iter()
            .filter(|container| is_left_over(container, own.as_ref()))
        {
            if let Some(id) = container.id {
                Container::existing(self.docker.clone(), id).remove().await;
                removed += 1;
            }
        }
        Ok(removed)
    }
}

fn is_left_over(container: &ContainerSummary, own: Option<&Owner>) -> bool {
    let label = container.labels.as_ref().and_then(|labels| labels.get(OWNER));
    let owner = label.and_then(|label| Owner::parse(label));
    let orphaned = matches!((&owner, own), (Some(owner), Some(own)) if owner.is_gone(own));
    let made = container
        .created
        .and_then(|at| u64::try_from(at).ok())
        .unwrap_or(u64::MAX);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let old = now.as_secs().saturating_sub(made) > ABANDONED.as_secs();
    orphaned || (old && container.state != Some(ContainerSummaryStateEnum::RUNNING))
}

fn unreachable(host: &str, error: &Error) -> Report {
    let report = Report::failed("E-DOCKER-001", format!("no Docker engine answers at {host}")).because(error);
    let denied = report.causes.iter().any(|cause| cause.contains("ermission denied"));
    match (error, denied) {
        (Error::UnsupportedURISchemeError { .. }, _) => report.hint("write unix:///PATH or tcp://HOST:PORT"),
        (_, true) => {
            report.hint("your user may not use it: join the group of its socket (often `docker`) and log in again")
        }
        _ => report.hint("start Docker, or name another engine: DOCKER_HOST, or docker_host of the context"),
    }
}
