//! What a version of a bundle brings: the page that is read before it is enabled, and the state a change shows.

use serde_json::{Value, json};

use super::library::Opened;
use crate::store::bundles::Installed;

/// What enabling it allows: image, mounts of the host, executables, permissions, variables.
pub fn record(installed: &Installed, opened: &Opened) -> Value {
    let manifest = &opened.manifest;
    let variables = manifest
        .config
        .iter()
        .flat_map(|config| &config.env)
        .map(|variable| variable.var.as_str());
    let mut executables: Vec<&str> = manifest
        .commands
        .iter()
        .map(|(_, command)| command.executable.as_str())
        .collect();
    executables.sort_unstable();
    executables.dedup();
    json!({
        "name": installed.name,
        "version": installed.version,
        "digest": installed.digest,
        "source": installed.source,
        "image": manifest.docker.as_ref().map(|docker| format!("{}:{}", docker.image, docker.tag)),
        "binds": manifest.docker.iter().flat_map(|docker| &docker.binds).collect::<Vec<_>>(),
        "executables": executables,
        "files": opened.package.files.len(),
        "permissions": manifest.permissions,
        "variables": variables.collect::<Vec<_>>(),
        "commands": manifest.commands.keys().collect::<Vec<_>>(),
    })
}

/// The same as lines for a person. `replaces`: a built-in bundle has the same name.
pub fn page(record: &Value, summary: &str, replaces: bool) -> String {
    let text = |key: &str| record[key].as_str().unwrap_or_default().to_owned();
    let list = |key: &str| {
        let items = record[key].as_array().map(Vec::as_slice).unwrap_or_default();
        items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", ")
    };
    let mut lines = vec![format!("{} {}: {summary}", text("name"), text("version"))];
    let mut fact = |name: &str, value: String| {
        if !value.is_empty() {
            lines.push(format!("{:13}{value}", format!("{name}:")));
        }
    };
    fact("source", text("source"));
    fact("digest", text("digest"));
    match record["image"].as_str() {
        Some(image) => fact("image", image.to_owned()),
        None => fact("image", "none: its executables run on this host, as you".to_owned()),
    }
    fact("binds", list("binds"));
    fact("executables", list("executables"));
    let files = record["files"].as_u64().filter(|files| *files > 0);
    fact(
        "files",
        files.map_or_else(String::new, |files| format!("{files} copied from its folder")),
    );
    fact("permissions", list("permissions"));
    fact("variables", list("variables"));
    fact("commands", list("commands"));
    if replaces {
        fact("replaces", format!("the built-in {} while it is enabled", text("name")));
    }
    lines.join("\n")
}
