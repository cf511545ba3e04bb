//! The process's environment, read once at the start. Nobody else of ours reads it afterwards; the AWS SDK reads its
//! own variables itself, as their owner defines them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// Variables that executables started by pipelines may see.
const SHARED_WITH_EXECUTABLES: [&str; 12] = [
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "TZ",
    "TMPDIR",
    "EDITOR",
    "KUBE_EDITOR",
];

/// Variables that fetching a bundle may see beside those: by whom to be let in, and the way through.
const FOR_FETCHING: [&str; 9] = [
    "SSH_AUTH_SOCK",
    "https_proxy",
    "HTTPS_PROXY",
    "all_proxy",
    "ALL_PROXY",
    "no_proxy",
    "NO_PROXY",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
];

/// A snapshot of the environment.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    variables: BTreeMap<String, String>,
    descriptors: BTreeSet<u32>,
}

impl Environment {
    /// The process's own, asked before anything is opened; variables that are not UTF-8 are left out.
    pub fn of_process() -> Self {
        let variables = std::env::vars_os().filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?)));
        Environment {
            variables: variables.collect(),
            descriptors: inherited(),
        }
    }

    /// A made-up one.
    pub fn from_pairs<const N: usize>(pairs: [(&str, &str); N]) -> Self {
        Environment {
            variables: pairs.into_iter().map(|(k, v)| (k.to_owned(), v.to_owned())).collect(),
            descriptors: BTreeSet::new(),
        }
    }

    /// A variable that is set and not empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.variables
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    /// Descriptors beyond stderr that we were started with.
    pub fn descriptors(&self) -> &BTreeSet<u32> {
        &self.descriptors
    }

    /// The first of these that is set.
    pub fn first(&self, names: &[&str]) -> Option<&str> {
        names.iter().find_map(|name| self.get(name))
    }

    /// Those whose names begin so.
    pub fn starting_with(&self, prefix: &str) -> BTreeMap<String, String> {
        let named = self.variables.iter().filter(|(name, _)| name.starts_with(prefix));
        named.map(|(name, value)| (name.clone(), value.clone())).collect()
    }

    /// The home folder.
    pub fn home(&self) -> PathBuf {
        PathBuf::from(self.get("HOME").unwrap_or("/"))
    }

    /// Ours in the folder of this XDG variable, `$HOME/fallback` when it is not set.
    pub fn xdg(&self, variable: &str, fallback: &str) -> PathBuf {
        self.get(variable)
            .map_or_else(|| self.home().join(fallback), PathBuf::from)
            .join("cogdeck")
    }

    /// Who runs us.
    pub fn user(&self) -> String {
        self.first(&["USER", "LOGNAME"]).unwrap_or("operator").to_owned()
    }

    /// What executables may see.
    pub fn shared(&self) -> BTreeMap<String, String> {
        self.named(&SHARED_WITH_EXECUTABLES)
    }

    /// What fetching a bundle may see beside that.
    pub fn for_fetching(&self) -> BTreeMap<String, String> {
        self.named(&FOR_FETCHING)
    }

    fn named(&self, names: &[&str]) -> BTreeMap<String, String> {
        let set = names
            .iter()
            .filter_map(|name| Some(((*name).to_owned(), self.get(name)?.to_owned())));
        set.collect()
    }
}

fn inherited() -> BTreeSet<u32> {
    let Ok(listing) = std::fs::read_dir("/dev/fd") else {
        return BTreeSet::new();
    };
    let names = listing.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    let all: Vec<u32> = names.filter(|number| *number > 2).collect();
    // The listing's own is closed by now.
    all.into_iter()
        .filter(|number| std::fs::symlink_metadata(format!("/dev/fd/{number}")).is_ok())
        .collect()
}
