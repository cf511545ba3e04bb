//! Where a bundle comes from: a file, a folder, a URL or a git repository; and reading it within limits. What is read
//! is data: nothing of it is run, no link is followed, and what it names is not fetched.

mod folder;
mod git;
mod proxy;
mod tree;
mod url;
mod user;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::manifest::{LARGEST, text_of};
use super::package::Package;
use crate::core::address;
use crate::core::report::Report;

/// Where to look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A manifest, or a folder that holds one.
    Path(PathBuf),
    /// A manifest.
    Url(String),
    /// A repository that holds one.
    Git {
        /// As git takes it.
        url: String,
        /// Branch, tag or commit; none: its own default.
        reference: Option<String>,
        /// The folder inside; empty: the top.
        folder: String,
    },
}

/// What fetching may use of its surroundings.
#[derive(Clone, Debug)]
pub struct Surroundings {
    /// Where relative paths start.
    pub directory: PathBuf,
    /// A folder of ours for what is fetched meanwhile.
    pub scratch: PathBuf,
    /// Variables git may see; some of them name proxies.
    pub environment: BTreeMap<String, String>,
    /// A closed world: nothing is fetched over a network.
    pub closed: bool,
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetched {
    /// The bundle.
    pub package: Package,
    /// Where exactly it came from: a commit for a branch.
    pub origin: String,
}

impl Source {
    /// Reads what was typed. `git+URL`, `ssh://`, `git@HOST:PATH` and what ends in `.git` are repositories.
    pub fn parse(text: &str, reference: Option<&str>, folder: Option<&str>) -> Result<Source, Report> {
        let git = text.strip_prefix("git+");
        let remote = text.contains("://") || text.starts_with("git@");
        let is_git = git.is_some()
            || text.starts_with("ssh://")
            || text.starts_with("git@")
            || (remote && text.ends_with(".git"));
        if is_git {
            let url = git.unwrap_or(text).to_owned();
            let reference = reference.map(str::to_owned);
            return git::checked(url, reference, folder.unwrap_or_default());
        }
        if reference.is_some() || folder.is_some() {
            return Err(
                Report::refused("E-BUNDLE-032", "--ref and --path belong to a git repository")
                    .hint(format!("write git+{} if it is one", address::shown(text))),
            );
        }
        match text.split_once("://") {
            None => Ok(Source::Path(PathBuf::from(text))),
            Some(("https" | "http", _)) => Ok(Source::Url(text.to_owned())),
            Some((scheme, _)) => Err(Report::refused("E-BUNDLE-032", format!("{scheme}:// is not fetched"))
                .hint("a path, https://…/bundle.yaml, or git+https://… for a repository")),
        }
    }

    /// Reads the bundle.
    pub async fn fetch(&self, surroundings: &Surroundings) -> Result<Fetched, Report> {
        if surroundings.closed && !matches!(self, Source::Path(_)) {
            return Err(Report::refused(
                "E-BUNDLE-033",
                "this is a closed world: nothing is fetched over a network",
            )
            .hint("install from a file or a folder"));
        }
        match self {
            Source::Path(path) => local(&surroundings.directory.join(path)).await,
            Source::Url(url) => {
                let manifest = url::fetch(url, &surroundings.environment).await?;
                Ok(Fetched {
                    package: Package::of_manifest(&manifest),
                    origin: address::shown(url),
                })
            }
            Source::Git { url, reference, folder } => git::fetch(url, reference.as_deref(), folder, surroundings).await,
        }
    }
}

async fn local(path: &Path) -> Result<Fetched, Report> {
    let owned = path.to_path_buf();
    let read = move || -> Result<Package, Report> {
        match owned.is_dir() {
            true => folder::read(&owned),
            false => text_of(&owned, LARGEST).map(|text| Package::of_manifest(&text)),
        }
    };
    let package = tokio::task::spawn_blocking(read)
        .await
        .map_err(|error| Report::failed("E-BUNDLE-034", "a bundle was not read").because(&error))??;
    Ok(Fetched {
        package,
        origin: path.display().to_string(),
    })
}

#[cfg(test)]
mod tests;
