//! What a container of ours looks like, and the guard that removes it.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use bollard::Docker;
use bollard::errors::Error;
use bollard::models::{ContainerCreateBody, HostConfig, HostConfigLogConfig};
use bollard::query_parameters::{CreateContainerOptionsBuilder, RemoveContainerOptionsBuilder};

use super::Image;
use super::owner::Owner;
use crate::exec::request::Request;

/// Marks containers of ours; the value is the pipeline's id.
pub const PIPELINE: &str = "cogdeck.pipeline";
/// Names the command.
const COMMAND: &str = "cogdeck.command";
/// Names the process that made it.
pub const OWNER: &str = "cogdeck.owner";
/// Memory of one container, swap included.
pub const MEMORY: i64 = 512 << 20;
/// Processes in one container.
const PROCESSES: i64 = 256;
/// For a removal.
const TIMEOUT: Duration = Duration::from_secs(30);

/// What root inside a container keeps of Docker's default set: bundles chown what they write, read files of the user
/// they were built for, and step down to that user. No raw sockets, devices, chroot or audit; and no setuid program
/// gives more than this (`no-new-privileges`), so `sudo` inside an image does not work.
const CAPABILITIES: [&str; 6] = ["CHOWN", "DAC_OVERRIDE", "FOWNER", "KILL", "SETGID", "SETUID"];

/// A container that is removed at the latest when this is dropped.
pub struct Container {
    /// Its id.
    pub id: String,
    docker: Docker,
    removed: bool,
}

impl Container {
    /// Creates one for a request. Call it from a task of its own: whoever gives up waiting must not leave a container
    /// behind whose id nobody got to know.
    pub async fn create(docker: Docker, image: Image, request: Request) -> Result<Container, Error> {
        let random = RandomState::new().hash_one(0u8) as u32;
        let name = format!("cogdeck-{}-{}-{random:08x}", request.bundle, request.command);
        let options = CreateContainerOptionsBuilder::new().name(&name).build();
        let created = docker.create_container(Some(options), body(image, &request)).await?;
        Ok(Container::existing(docker, created.id))
    }

    /// Takes charge of one that exists.
    pub fn existing(docker: Docker, id: String) -> Container {
        Container {
            id,
            docker,
            removed: false,
        }
    }

    /// Kills and removes it. What cannot be removed is logged; the next start tries again.
    pub async fn remove(mut self) {
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
    match tokio::time::timeout(TIMEOUT, docker.remove_container(id, Some(options))).await {
        Ok(Ok(())) => {}
        // Gone, or on its way.
        Ok(Err(Error::DockerResponseServerError {
            status_code: 404 | 409, ..
        })) => {}
        Ok(Err(error)) => tracing::warn!(container = id, %error, "could not be removed"),
        Err(_) => tracing::warn!(container = id, "could not be removed in {TIMEOUT:?}"),
    }
}

fn body(image: Image, request: &Request) -> ContainerCreateBody {
    let mut labels = HashMap::from([
        (PIPELINE.to_owned(), request.pipeline_id.clone()),
        (COMMAND.to_owned(), format!("{}:{}", request.bundle, request.command)),
    ]);
    if let Some(owner) = Owner::of_this_process() {
        labels.insert(OWNER.to_owned(), owner.to_string());
    }
    let pair = |(name, value)| format!("{name}={value}");
    ContainerCreateBody {
        image: Some(image.name),
        entrypoint: Some(vec![request.executable.clone()]),
        cmd: Some(request.argv()),
        env: Some(request.environment().into_iter().map(pair).collect()),
        attach_stdin: Some(true),
        attach_stdout: Some(true),
        attach_stderr: Some(true),
        open_stdin: Some(true),
        stdin_once: Some(true),
        labels: Some(labels),
        host_config: Some(HostConfig {
            binds: (!image.binds.is_empty()).then_some(image.binds),
            memory: Some(MEMORY),
            memory_swap: Some(MEMORY),
            pids_limit: Some(PROCESSES),
            cap_drop: Some(vec!["ALL".to_owned()]),
            cap_add: Some(CAPABILITIES.map(str::to_owned).to_vec()),
            security_opt: Some(vec!["no-new-privileges".to_owned()]),
            // We read the streams ourselves: the engine keeps no copy of the output on its disk.
            log_config: Some(HostConfigLogConfig {
                typ: Some("none".to_owned()),
                config: None,
            }),
            ..HostConfig::default()
        }),
        ..ContainerCreateBody::default()
    }
}
