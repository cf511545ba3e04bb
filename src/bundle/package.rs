//! A bundle as it is installed: its manifest's text, the templates that lay in files beside it, and the digest that
//! pins both.

use std::collections::BTreeMap;

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
}

impl Package {
    /// A manifest alone.
    pub fn of_manifest(text: &str) -> Package {
        Package {
            manifest: text.to_owned(),
            templates: BTreeMap::new(),
        }
    }

    /// `sha256:…` over the manifest (what `sha256sum` prints for the file), or over everything if there is more.
    pub fn digest(&self) -> String {
        let text = match self.templates.is_empty() {
            true => self.manifest.clone(),
            false => self.to_text(),
        };
        format!("sha256:{}", hex(&Sha256::digest(text)))
    }

    /// As the database keeps it.
    pub fn to_text(&self) -> String {
        serde_json::json!({"manifest": self.manifest, "templates": self.templates}).to_string()
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
