//! `bundle install`: reads a bundle from a file, folder, URL or repository, checks it, and keeps it, switched off.

use std::sync::Arc;

use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::super::library::opened;
use super::super::{Library, brings};
use super::{as_approved, change, done, still};
use crate::bundle::package::Contents;
use crate::bundle::source::{Source, Surroundings};
use crate::core::change::{Change, Risk};
use crate::core::report::Report;
use crate::lang::Stage;
use crate::store::bundles::Installed;
use crate::verb::catalogue::BUILT_IN;
use crate::verb::{Call, Declaration, InputMode, Mutate, OptionKind, OptionSpec, Output, Positional, Verb, View};

/// The verb.
pub fn verb(library: &Arc<Library>) -> Verb {
    let declaration = Declaration::new(
        BUILT_IN,
        "bundle-install",
        "Install a bundle; it stays off until it is enabled",
    )
    .description(
        "SOURCE is a manifest, a folder that holds config.yaml (and templates/NAME.greenbar), the https URL of a \
             manifest, or a git repository (git+https://HOST/REPO, ssh, git@HOST:REPO). Nothing of it is run. Executables \
             that a bundle without an image has in its folder (bin/greet) are copied with what lies beside them. What was \
             read is pinned by its digest.",
    )
    .input(InputMode::None)
    .risk(Risk::Change)
    .positional(Positional::new(
        "source",
        OptionKind::String,
        "file, folder, URL or repository",
    ))
    .options([
        OptionSpec::new("ref", OptionKind::String, "branch, tag or commit of a repository"),
        OptionSpec::new("path", OptionKind::String, "folder inside a repository"),
        OptionSpec::new("digest", OptionKind::String, "refuse anything but this: sha256:…"),
        OptionSpec::new(
            "force",
            OptionKind::Bool,
            "replace the same version with another content",
        )
        .short('f'),
    ])
    .output("{\"kind\", \"name\", \"action\", \"message\"}")
    .example("bundle install ./demo.yaml", "a manifest")
    .example(
        "bundle install git+https://example.com/bundles --ref v1.2.0 --path demo",
        "a folder of a repository",
    );
    Verb::mutate(
        declaration,
        Install {
            library: library.clone(),
        },
    )
}

struct Install {
    library: Arc<Library>,
}

#[async_trait]
impl Mutate for Install {
    async fn plan(&self, call: &Call) -> Result<Vec<Change>, Report> {
        let (found, contents) = self.read(call).await?;
        let opened = opened(&found)?;
        let known = self.library.same(&found.name, &found.version).await?;
        let known = known.as_ref();
        let forced = call.arguments.flag("force");
        if let Some(known) = known.filter(|known| known.digest != found.digest && !forced) {
            let message = format!(
                "{} {} is installed with another content ({})",
                known.name, known.version, known.digest
            );
            return Err(Report::refused("E-BUNDLE-043", message).hint("raise its version, or --force to replace it"));
        }
        replaceable(known, &found)?;
        let before = super::state(known);
        let back = Stage::new("cogdeck:bundle-uninstall")
            .arg(&found.name)
            .arg(&found.version);
        let after = brings::record(&found, &opened);
        let mut change = change(
            "bundle-install",
            format!("install {} {} from {}", found.name, found.version, found.source),
            &found.name,
            (before, after),
            known.is_none().then_some(back),
        );
        // Nothing is fetched again: what was planned is what is kept.
        let files = contents
            .iter()
            .map(|(path, (bytes, executable))| (path.clone(), json!([STANDARD.encode(bytes), executable])));
        change.request = json!({"package": found.manifest, "files": files.collect::<Map<_, _>>()});
        Ok(vec![change])
    }

    async fn apply(&self, call: &Call, change: &Change, output: &Output) -> Result<(), Report> {
        let text = |key: &str| change.after[key].as_str().unwrap_or_default().to_owned();
        let installed = Installed {
            name: text("name"),
            version: text("version"),
            digest: text("digest"),
            source: text("source"),
            manifest: change.request["package"].as_str().unwrap_or_default().to_owned(),
            installed: String::new(),
            enabled: false,
        };
        let opened = opened(&installed)?;
        let known = self.library.same(&installed.name, &installed.version).await?;
        still(change, &super::state(known.as_ref()))?;
        // Another may have enabled it since.
        replaceable(known.as_ref(), &installed)?;
        as_approved(change, &brings::record(&installed, &opened))?;
        self.library
            .depot
            .put(&opened.package, &contents(&change.request["files"]))?;
        self.library.store.put_bundle(&installed).await?;
        // `0.10` takes the place of `0.10.0`: they are one version, whichever way it is written.
        if let Some(other) = &known
            && other.version != installed.version
        {
            self.library.store.remove_bundle(&other.name, &other.version).await?;
        }
        if let Some(other) = known.filter(|known| known.digest != installed.digest) {
            self.library.depot.remove(&other.digest)?;
        }
        self.library.refresh(call).await?;
        let (name, version) = (&installed.name, &installed.version);
        let message = format!("bundle {name} {version} installed; off until `bundle enable {name} {version}`");
        let built_in = call.session.catalogue().built_in().contains(name);
        let page = brings::page(&change.after, &opened.manifest.description, built_in);
        output
            .emit_as(
                done(name, "installed", &message),
                View::Text(format!("{page}\n\n{message}")),
            )
            .await
    }
}

/// Refuses to put another content in the place of a version that is in use.
fn replaceable(known: Option<&Installed>, fresh: &Installed) -> Result<(), Report> {
    let Some(known) = known.filter(|known| known.enabled && known.digest != fresh.digest) else {
        return Ok(());
    };
    let message = format!("{} {} is in use and stays what it is", known.name, known.version);
    Err(Report::refused("E-BUNDLE-043", message).hint(format!("`bundle disable {}` first", known.name)))
}

impl Install {
    async fn read(&self, call: &Call) -> Result<(Installed, Contents), Report> {
        let text = |name: &str| call.arguments.text(name);
        let source = call.arguments.text_at(0).unwrap_or_default();
        let source = Source::parse(&source, text("ref").as_deref(), text("path").as_deref())?;
        let mut environment = call.context.environment.clone();
        environment.extend(self.library.fetching.clone());
        let surroundings = Surroundings {
            directory: self.library.directory.clone(),
            scratch: self.library.scratch.clone(),
            environment,
            closed: call.context.closed,
        };
        let fetched = tokio::select! {
            () = call.cancel.cancelled() => return Err(Report::interrupted()),
            fetched = source.fetch(&surroundings) => fetched?,
        };
        let digest = fetched.package.digest();
        if let Some(wanted) = text("digest").filter(|wanted| *wanted != digest) {
            let message = format!(
                "{} is not what was asked for: {wanted} was, {digest} is there",
                fetched.origin
            );
            return Err(Report::refused("E-BUNDLE-044", message));
        }
        let manifest = fetched.package.load().map_err(|report| Report {
            message: format!("{}: {}", fetched.origin, report.message),
            ..report
        })?;
        fetched.package.complete(&manifest)?;
        let installed = Installed {
            name: manifest.name,
            version: manifest.version,
            digest,
            source: fetched.origin,
            manifest: fetched.package.to_text(),
            installed: String::new(),
            enabled: false,
        };
        Ok((installed, fetched.contents))
    }
}

/// The files of a planned change; what is no file is left out, and missed when they are compared with the marks.
fn contents(files: &Value) -> Contents {
    let file = |(path, file): (&String, &Value)| {
        let bytes = STANDARD.decode(file[0].as_str()?).ok()?;
        Some((path.clone(), (bytes, file[1].as_bool()?)))
    };
    files.as_object().into_iter().flatten().filter_map(file).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn b4_what_is_in_use_is_replaced_by_itself_only() {
        let installed = |digest: &str, enabled: bool| Installed {
            name: "demo".to_owned(),
            version: "0.1.0".to_owned(),
            digest: digest.to_owned(),
            source: String::new(),
            manifest: String::new(),
            installed: String::new(),
            enabled,
        };
        let fresh = installed("sha256:1", false);
        for (known, allowed) in [
            (None, true),
            (Some(installed("sha256:1", true)), true),
            (Some(installed("sha256:0", false)), true),
            (Some(installed("sha256:0", true)), false),
        ] {
            let refused = replaceable(known.as_ref(), &fresh).err().map(|report| report.code);
            assert_eq!(refused, (!allowed).then_some("E-BUNDLE-043"), "{known:?}");
        }
    }
}
