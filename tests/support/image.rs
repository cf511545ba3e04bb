//! Images for tests, built from nothing but the static busybox and scripts of the test, and a look at what containers
//! of ours an engine holds. Not for the product's own runner: this is the judge's side.

use std::collections::HashMap;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

use bollard::Docker;
use bollard::query_parameters::{CreateImageOptionsBuilder, ListContainersOptionsBuilder};
use futures::StreamExt;

/// Programs of busybox that scripts of tests use.
const PROGRAMS: [&str; 14] = [
    "cat", "chown", "dd", "echo", "env", "head", "id", "ls", "seq", "sh", "sleep", "sort", "tail", "yes",
];

/// A connection of the test's own.
pub async fn docker(host: &str) -> Docker {
    let docker = Docker::connect_with_host(host).expect("an engine's address");
    docker.negotiate_version().await.expect("an engine that answers")
}

/// Builds `repository:1` with `scripts` (name, text) in `/bundle`, for `sh`.
pub async fn build(docker: &Docker, busybox: &Path, repository: &str, scripts: &[(&str, &str)]) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let (bin, bundle) = (folder.path().join("root/bin"), folder.path().join("root/bundle"));
    for path in [&bin, &bundle, &folder.path().join("root/tmp")] {
        std::fs::create_dir_all(path).expect("a folder of the image");
    }
    std::fs::copy(busybox, bin.join("busybox")).expect("busybox");
    for program in PROGRAMS {
        symlink("busybox", bin.join(program)).expect("a program");
    }
    for (name, text) in scripts {
        let path = bundle.join(name);
        std::fs::write(&path, format!("#!/bin/sh\n{text}\n")).expect("a script");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("its mode");
    }
    let tar = folder.path().join("image.tar");
    let packed = Command::new("tar")
        .args(["--owner=0", "--group=0", "-C"])
        .arg(folder.path().join("root"))
        .arg("-cf")
        .arg(&tar)
        .arg(".")
        .status();
    assert!(packed.is_ok_and(|status| status.success()), "tar");
    let body = std::fs::read(&tar).expect("the image");
    let options = CreateImageOptionsBuilder::new()
        .from_src("-")
        .repo(repository)
        .tag("1")
        .build();
    let mut import = docker.create_image(Some(options), Some(bollard::body_full(body.into())), None);
    while let Some(step) = import.next().await {
        step.expect("an imported image");
    }
    format!("{repository}:1")
}

/// Ids of the containers, running or not, with this label (`name` or `name=value`).
pub async fn containers(docker: &Docker, label: &str) -> Vec<String> {
    let filters = HashMap::from([("label".to_owned(), vec![label.to_owned()])]);
    let options = ListContainersOptionsBuilder::new().all(true).filters(&filters).build();
    let found = docker.list_containers(Some(options)).await.expect("a list");
    found.into_iter().filter_map(|container| container.id).collect()
}
