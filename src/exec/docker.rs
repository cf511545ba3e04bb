//! Runs one invocation in a container of its own on a Docker engine: created, attached, started, read, removed. The
//! container is removed however the run ends; its labels let a later start find what a killed console left behind.

use std::collections::HashMap;
use std::time::Duration;

use bollard::Docker;
use bollard::container::LogOutput;
use bollard::errors::Error;
use bollard::models::{ContainerCreateBody, HostConfig};
use bollard::query_parameters::{
    AttachContainerOptionsBuilder, CreateContainerOptions, CreateImageOptionsBuilder, ListContainersOptionsBuilder,
    RemoveContainerOptionsBuilder,
};
use futures::StreamExt;
use tokio::io::AsyncWriteExt;
use tokio_util::sync::CancellationToken;

use super::reply::{LARGEST_OUTPUT, Reply, ReplyParser};
use super::request::Request;
use crate::core::report::Report;

/// Marks containers of ours; the value is the pipeline's id.
pub const LABEL: &str = "cogdeck.pipeline";
/// Names the process that owns a container, so that another console's are left alone.
const OWNER: &str = "cogdeck.owner";
/// For everything but the command itself: connecting, creating, removing.
const CONTROL_TIMEOUT: Duration = Duration::from_secs(30);
/// Memory of one container.
const MEMORY: i64 = 512 << 20;
/// Processes in one container.
const PROCESSES: i64 = 256;

/// The image of a bundle and what is mounted into its containers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// `repository:tag`.
    pub name: String,
    /// `host:container[:mode]`.
    pub binds: Vec<String>,
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
        let name = host.unwrap_or("unix:///var/run/docker.sock").to_owned();
        let unreachable = |error: &Error| {
            Report::failed("E-DOCKER-001", format!("no Docker engine answers at {name}"))
                .because(error)
                .hint("start Docker, or name another engine: DOCKER_HOST, or docker_host of the context")
        };
        let docker = match host {
            Some(host) => Docker::connect_with_host(host),
            None => Docker::connect_with_local_defaults(),
        }
        .map_err(|error| unreachable(&error))?;
        let agreed = tokio::time::timeout(CONTROL_TIMEOUT, docker.negotiate_version()).await;
        let docker = match agreed {
            Ok(docker) => docker.map_err(|error| unreachable(&error))?,
            Err(_) => {
                return Err(Report::failed(
                    "E-DOCKER-001",
                    format!("the Docker engine at {name} does not answer"),
                ));
            }
        };
        Ok(Engine { docker, host: name })
    }

    /// Runs one invocation. `watch` sees each line of plain text as it comes. Cancelling kills the container.
    pub async fn run(
        &self,
        image: &Image,
        request: &Request,
        cancel: &CancellationToken,
        mut watch: impl FnMut(String) + Send,
    ) -> Result<Reply, Report> {
        self.provide(&image.name, &mut watch).await?;
        let container = self.create(image, request).await?;
        let ended = tokio::select! {
            biased;
            () = cancel.cancelled() => Err(Report::interrupted()),
            ended = self.follow(&container.id, request, &mut watch) => ended,
        };
        container.remove().await;
        ended
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

    async fn create(&self, image: &Image, request: &Request) -> Result<Container, Report> {
        let labels = HashMap::from([
            (LABEL.to_owned(), request.pipeline_id.clone()),
            (OWNER.to_owned(), std::process::id().to_string()),
        ]);
        let body = ContainerCreateBody {
            image: Some(image.name.clone()),
            entrypoint: Some(vec![request.executable.clone()]),
            cmd: Some(request.argv()),
            env: Some(
                request
                    .environment()
                    .into_iter()
                    .map(|(name, value)| format!("{name}={value}"))
                    .collect(),
            ),
            attach_stdin: Some(true),
            attach_stdout: Some(true),
            attach_stderr: Some(true),
            open_stdin: Some(true),
            stdin_once: Some(true),
            labels: Some(labels),
            host_config: Some(HostConfig {
                binds: (!image.binds.is_empty()).then(|| image.binds.clone()),
                memory: Some(MEMORY),
                pids_limit: Some(PROCESSES),
                cap_drop: Some(vec!["ALL".to_owned()]),
                security_opt: Some(vec!["no-new-privileges".to_owned()]),
                ..HostConfig::default()
            }),
            ..ContainerCreateBody::default()
        };
        let created = self.docker.create_container(None::<CreateContainerOptions>, body).await;
        let created = created.map_err(|error| self.failed("create a container from", &image.name, &error))?;
        Ok(Container {
            docker: self.docker.clone(),
            id: created.id,
            removed: false,
        })
    }

    async fn follow(
        &self,
        id: &str,
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
        self.docker
            .start_container(id, None)
            .await
            .map_err(|error| self.failed("start", name, &error))?;
        let stdin = request.stdin();
        let mut input = attached.input;
        let write = async move {
            // A command that does not read its stdin closes it: that is no failure.
            let _ = input.write_all(&stdin).await;
            let _ = input.shutdown().await;
        };
        let mut parser = ReplyParser::default();
        let mut stderr = Vec::new();
        let read = async {
            while let Some(piece) = attached.output.next().await {
                match piece.map_err(|error| self.failed("read the output of", name, &error))? {
                    LogOutput::StdErr { message } => {
                        let room = LARGEST_OUTPUT.saturating_sub(stderr.len());
                        stderr.extend_from_slice(&message[..message.len().min(room)]);
                    }
                    LogOutput::StdOut { message } | LogOutput::Console { message } => {
                        parser.feed(&message)?.into_iter().for_each(&mut *watch);
                    }
                    LogOutput::StdIn { .. } => {}
                }
            }
            Ok::<(), Report>(())
        };
        let ((), read) = tokio::join!(write, read);
        read?;
        let exit_code = self.exit_code(id, name).await?;
        parser.finish(exit_code, &String::from_utf8_lossy(&stderr))
    }

    async fn exit_code(&self, id: &str, name: &str) -> Result<i64, Report> {
        let mut wait = self
            .docker
            .wait_container(id, None::<bollard::query_parameters::WaitContainerOptions>);
        let code = match wait.next().await {
            Some(Ok(ended)) => ended.status_code,
            Some(Err(Error::DockerContainerWaitError { code, .. })) => code,
            Some(Err(error)) => return Err(self.failed("wait for", name, &error)),
            None => 0,
        };
        if code == 137 {
            let state = self
                .docker
                .inspect_container(id, None)
                .await
                .ok()
                .and_then(|container| container.state);
            if state.and_then(|state| state.oom_killed) == Some(true) {
                return Err(Report::failed(
                    "E-DOCKER-003",
                    format!("{name} needed more than {} MiB", MEMORY >> 20),
                ));
            }
        }
        Ok(code)
    }

    fn failed(&self, act: &str, what: &str, error: &Error) -> Report {
        let message = match error {
            Error::DockerResponseServerError { message, .. } => message.clone(),
            other => other.to_string(),
        };
        Report::failed(
            "E-DOCKER-002",
            format!("the Docker engine at {} could not {act} {what}: {message}", self.host),
        )
    }

    /// Removes containers of ours whose process is gone; how many there were.
    pub async fn sweep(&self) -> Result<usize, Report> {
        let filters = HashMap::from([("label".to_owned(), vec![LABEL.to_owned()])]);
        let options = ListContainersOptionsBuilder::new().all(true).filters(&filters).build();
        let found = self.docker.list_containers(Some(options)).await;
        let found = found.map_err(|error| self.failed("list", "containers", &error))?;
        let mut removed = 0;
        for container in found {
            let owner = container.labels.unwrap_or_default().remove(OWNER).unwrap_or_default();
            let alive = std::path::Path::new("/proc").join(&owner).exists() || owner.is_empty();
            if let (false, Some(id)) = (alive, container.id) {
                Container {
                    docker: self.docker.clone(),
                    id,
                    removed: false,
                }
                .remove()
                .await;
                removed += 1;
            }
        }
        Ok(removed)
    }
}

/// A container that is removed at the latest when this is dropped.
struct Container {
    docker: Docker,
    id: String,
    removed: bool,
}

impl Container {
    async fn remove(mut self) {
        self.removed = true;
        remove(&self.docker, &self.id).await;
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        if self.removed {
            return;
        }
        let (docker, id) = (self.docker.clone(), self.id.clone());
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move { remove(&docker, &id).await });
        }
    }
}

async fn remove(docker: &Docker, id: &str) {
    let options = RemoveContainerOptionsBuilder::new().force(true).v(true).build();
    let removal = docker.remove_container(id, Some(options));
    if !matches!(tokio::time::timeout(CONTROL_TIMEOUT, removal).await, Ok(Ok(()))) {
        tracing::warn!(container = id, "could not be removed");
    }
}
