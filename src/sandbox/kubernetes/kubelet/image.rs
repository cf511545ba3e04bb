//! Image references: what a kubelet does with them, and which of them this world knows how to run.

use sha2::{Digest, Sha256};

/// What happens when a container of an image is started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Program {
    /// The inspector: serves HTTP.
    Inspector,
    /// Runs and serves nothing.
    Idle,
    /// Ends with an error soon after its start.
    Crashes,
    /// Can't be pulled.
    Missing,
}

/// A parsed image reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    given: String,
    repository: String,
    tag: String,
}

impl Image {
    /// Parses `[registry/]repository[:tag][@digest]`; without a tag it is `latest`.
    pub fn parse(reference: &str) -> Self {
        let name = reference.split('@').next().unwrap_or(reference);
        let slash = name.rfind('/').map_or(0, |at| at + 1);
        let (repository, tag) = match name[slash..].rfind(':') {
            Some(colon) => (&name[..slash + colon], &name[slash + colon + 1..]),
            None => (name, "latest"),
        };
        Self {
            given: reference.to_owned(),
            repository: repository.to_owned(),
            tag: tag.to_owned(),
        }
    }

    /// As written in the pod.
    pub fn given(&self) -> &str {
        &self.given
    }

    /// The tag.
    pub fn tag(&self) -> &str {
        &self.tag
    }

    /// The repository's last part: `nginx`.
    pub fn name(&self) -> &str {
        self.repository.rsplit('/').next().unwrap_or_default()
    }

    /// What it does when started: the tags `broken` and `crash` have their meaning for every repository.
    pub fn program(&self) -> Program {
        match (self.tag.as_str(), self.repository.rsplit('/').next()) {
            ("broken", _) => Program::Missing,
            ("crash", _) => Program::Crashes,
            (_, Some("kuar-inspector")) => Program::Inspector,
            _ => Program::Idle,
        }
    }

    /// The full reference, as the container runtime reports it.
    pub fn canonical(&self) -> String {
        format!("{}:{}", self.full_repository(), self.tag)
    }

    /// Reference by digest, as the container runtime reports it; the digest is made from the name.
    pub fn id(&self) -> String {
        let digest: String = Sha256::digest(self.canonical())
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        format!("{}@sha256:{digest}", self.full_repository())
    }

    fn full_repository(&self) -> String {
        match self.repository.split_once('/') {
            Some((host, _)) if host.contains(['.', ':']) || host == "localhost" => self.repository.clone(),
            Some(_) => format!("docker.io/{}", self.repository),
            None => format!("docker.io/library/{}", self.repository),
        }
    }

    /// Why the pull failed, in the container runtime's words.
    pub fn pull_error(&self) -> String {
        let name = self.canonical();
        format!("failed to pull and unpack image \"{name}\": failed to resolve reference \"{name}\": not found")
    }

    /// Whether a kubelet pulls it even when it is there.
    pub fn always_pulled(&self) -> bool {
        self.tag == "latest"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_told_apart() {
        for (reference, canonical, program) in [
            (
                "so0k/kuar-inspector:1.0.0",
                "docker.io/so0k/kuar-inspector:1.0.0",
                Program::Inspector,
            ),
            (
                "registry.example:5000/so0k/kuar-inspector:2.0.0",
                "registry.example:5000/so0k/kuar-inspector:2.0.0",
                Program::Inspector,
            ),
            ("nginx", "docker.io/library/nginx:latest", Program::Idle),
            ("localhost/x@sha256:00", "localhost/x:latest", Program::Idle),
            (
                "so0k/kuar-inspector:broken",
                "docker.io/so0k/kuar-inspector:broken",
                Program::Missing,
            ),
            ("nginx:crash", "docker.io/library/nginx:crash", Program::Crashes),
            ("", "docker.io/library/:latest", Program::Idle),
        ] {
            let image = Image::parse(reference);
            assert_eq!(
                (image.canonical().as_str(), image.program()),
                (canonical, program),
                "{reference}"
            );
        }
    }
}
