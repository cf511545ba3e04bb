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
    /// By digest: whoever names one has seen it.
    pinned: bool,
}

/// Tags that a repository has beside those of its versions.
const TAGS: [&str; 8] = ["latest", "stable", "main", "master", "edge", "alpine", "slim", "crash"];

/// What stands behind a version in a tag, with or without a number: distributions, editions, ways of building.
const VARIANTS: [&str; 34] = [
    "alpine",
    "slim",
    "debian",
    "bookworm",
    "bullseye",
    "buster",
    "trixie",
    "ubuntu",
    "jammy",
    "noble",
    "ubi",
    "rc",
    "alpha",
    "beta",
    "amd",
    "arm",
    "r",
    "jre",
    "jdk",
    "fpm",
    "apache",
    "cli",
    "management",
    "perl",
    "otel",
    "nonroot",
    "distroless",
    "minimal",
    "eks",
    "eksbuild",
    "gke",
    "k3s",
    "openjdk",
    "temurin",
];

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
            pinned: reference.contains('@'),
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

    /// What it does when started. Every repository exists, with every version, the usual names beside them, and `crash`;
    /// other tags, `broken` among them, are not found.
    pub fn program(&self) -> Program {
        match (self.tag.as_str(), self.repository.rsplit('/').next()) {
            _ if !self.exists() => Program::Missing,
            ("crash", _) => Program::Crashes,
            (_, Some("kuar-inspector")) => Program::Inspector,
            _ => Program::Idle,
        }
    }

    fn exists(&self) -> bool {
        let tag = self.tag.as_str();
        let mut parts = tag.split(['-', '_', '+']);
        let first = parts.next().unwrap_or_default();
        self.pinned
            || TAGS.contains(&tag)
            || is_commit(tag)
            || (is_version(first) && parts.all(|part| is_version(part) || is_variant(part) || is_commit(part)))
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

/// `0f3c9d1`, `eks-0f3c9d1`'s second part: a commit's hash, short or whole.
fn is_commit(text: &str) -> bool {
    text.len() >= 7
        && text.bytes().all(|byte| byte.is_ascii_hexdigit())
        && text.bytes().any(|byte| byte.is_ascii_digit())
}

/// `1`, `v1.2.3`, `1.2.3rc1`.
fn is_version(text: &str) -> bool {
    let text = text.strip_prefix('v').unwrap_or(text);
    let after = text.trim_start_matches(|symbol: char| symbol.is_ascii_digit() || symbol == '.');
    text.starts_with(|first: char| first.is_ascii_digit()) && (after.is_empty() || is_variant(after))
}

/// `alpine`, `alpine3.20`, `rc1`.
fn is_variant(text: &str) -> bool {
    VARIANTS.contains(&text.trim_end_matches(|symbol: char| symbol.is_ascii_digit() || symbol == '.'))
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

    #[test]
    fn a_tag_that_no_release_has_is_not_found() {
        let found = |tag: &str| Image::parse(&format!("so0k/kuar-inspector:{tag}")).program() != Program::Missing;
        for tag in [
            "1",
            "1.0.0",
            "9.9.9",
            "v2.7.0",
            "1.27-alpine",
            "1.27-alpine3.20",
            "3.12-slim-bookworm",
            "2.0.0rc1",
            "2.0.0-rc.1",
            "2024-05-01",
            "0f3c9d1",
            "3-management",
            "8-fpm",
            "8.3-fpm-alpine3.20",
            "21-jre",
            "21.0.4_7-jre-noble",
            "17.0.12-jdk-slim",
            "1.27.0-debian-12-r3",
            "v1.30.4-eks-36c6f2a",
            "v1.28.5+k3s1",
            "latest",
            "stable",
            "crash",
        ] {
            assert!(found(tag), "{tag}");
        }
        for tag in [
            "broken",
            "nope",
            "nosuchtag",
            "does-not-exist",
            "9.9.9-nope",
            "3.0.0-broken",
            "2.0.O",
            "v",
            "bad",
            "missing",
            "deadbeef",
            "1..x",
            "-1",
            "",
        ] {
            assert!(!found(tag), "{tag}");
        }
        assert_eq!(
            Image::parse("nginx:nope@sha256:00").program(),
            Program::Idle,
            "by digest"
        );
    }
}
