//! A bundle as it is installed: its manifest's text, the templates and executables that lay in files beside it, and the
//! digest that pins all of them.

use std::collections::BTreeMap;
use std::path::{Component, Path};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::manifest::{Manifest, Template};
use crate::core::change::hex;
use crate::core::report::Report;
use crate::render::greenbar;

/// What is kept of a bundle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Package {
    /// The manifest's text, as it came.
    pub manifest: String,
    /// Bodies of templates that lay in `templates/NAME.greenbar`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub templates: BTreeMap<String, String>,
    /// The files that its executables need, by their paths below its folder.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub files: BTreeMap<String, FileMark>,
}

/// A file of a bundle, as it must be whenever it is used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileMark {
    /// SHA-256 of its bytes, hexadecimal.
    pub sha256: String,
    /// Whether it may be run.
    pub executable: bool,
}

impl FileMark {
    /// Of these bytes.
    pub fn of(bytes: &[u8], executable: bool) -> FileMark {
        FileMark {
            sha256: hex(&Sha256::digest(bytes)),
            executable,
        }
    }
}

/// Files by their paths below the bundle's folder: bytes, and whether they may be run.
pub type Contents = BTreeMap<String, (Vec<u8>, bool)>;

/// The executables of a bundle that are files of its own (`bin/greet`), each as the path below its folder; with the
/// commands that run them. A whole path names a file of the host, a word alone is looked for there.
pub fn own_executables(manifest: &Manifest) -> Vec<(String, String)> {
    let commands = manifest.commands.iter().filter(|_| manifest.docker.is_none());
    let own = commands.filter_map(|(name, command)| Some((name.to_owned(), own_path(&command.executable)?)));
    own.collect()
}

/// The path below the bundle's folder of an executable that is a file of its own. One that leads out stays as it is
/// written, and is no file of the bundle.
pub fn own_path(executable: &str) -> Option<String> {
    let path = Path::new(executable);
    if path.is_absolute() || !executable.contains('/') {
        return None;
    }
    let parts = path.components().filter(|part| *part != Component::CurDir);
    let parts: Vec<_> = parts.map(|part| part.as_os_str().to_string_lossy()).collect();
    Some(parts.join("/"))
}

/// Whether a path names a file below the folder that it is joined to.
pub fn stays_inside(path: &str) -> bool {
    !path.is_empty()
        && Path::new(path)
            .components()
            .all(|part| matches!(part, Component::Normal(_)))
}

impl Package {
    /// A manifest alone.
    pub fn of_manifest(text: &str) -> Package {
        Package::of_parts(text.to_owned(), BTreeMap::new(), &Contents::default())
    }

    /// A manifest with what lies beside it.
    pub fn of_parts(manifest: String, templates: BTreeMap<String, String>, contents: &Contents) -> Package {
        let mark =
            |(path, (bytes, executable)): (&String, &(Vec<u8>, bool))| (path.clone(), FileMark::of(bytes, *executable));
        Package {
            manifest,
            templates,
            files: contents.iter().map(mark).collect(),
        }
    }

    /// `sha256:…` over the manifest (what `sha256sum` prints for the file), or over everything if there is more.
    pub fn digest(&self) -> String {
        let text = match self.templates.is_empty() && self.files.is_empty() {
            true => self.manifest.clone(),
            false => self.to_text(),
        };
        format!("sha256:{}", hex(&Sha256::digest(text)))
    }

    /// As the database keeps it.
    pub fn to_text(&self) -> String {
        let mut text = serde_json::json!({"manifest": self.manifest, "templates": self.templates});
        // Left out where there are none: what was pinned before there were any stays what it was.
        if !self.files.is_empty() {
            text["files"] = serde_json::json!(self.files);
        }
        text.to_string()
    }

    /// From what the database kept, if it is still what was pinned.
    pub fn of_text(text: &str, digest: &str) -> Result<Package, Report> {
        let package: Package = serde_json::from_str(text)
            .map_err(|error| Report::failed("E-BUNDLE-030", "an installed bundle cannot be read").because(&error))?;
        match package.digest() == digest {
            true => Ok(package),
            false => Err(Report::failed(
                "E-BUNDLE-031",
                format!(
                    "an installed bundle is not what was pinned: {digest} was, {} is there",
                    package.digest()
                ),
            )
            .hint("install it again")),
        }
    }

    /// Refuses a bundle whose commands run files of its own that did not come with it.
    pub fn complete(&self, manifest: &Manifest) -> Result<(), Report> {
        let absent = own_executables(manifest).into_iter().find_map(|(command, path)| {
            let why = match self.files.get(&path) {
                Some(mark) if mark.executable => return None,
                Some(_) => "may not be run",
                None => "is not among its files",
            };
            Some((command, path, why))
        });
        let Some((command, path, why)) = absent else {
            return Ok(());
        };
        let message = format!("{}:{command} runs {path}, which {why}", manifest.name);
        Err(Report::refused("E-BUNDLE-051", message)
            .hint("install the folder that holds the manifest and the file, not a link, with leave to run it"))
    }

    /// The manifest with all its templates, checked.
    pub fn load(&self) -> Result<Manifest, Report> {
        let mut manifest = Manifest::parse(&self.manifest)?;
        for (name, body) in &self.templates {
            greenbar::Template::parse(body)
                .map_err(|error| Report::refused("E-BUNDLE-002", format!("templates/{name}.greenbar: {error}")))?;
            manifest.templates.insert(name, Template { body: body.clone() });
        }
        Ok(manifest)
    }
}
