//! `--dry-run` of the verbs that change something: what would be said is said, and nothing is changed. Not for what a
//! verb would change.

use crate::core::report::Report;
use crate::features::kubernetes::error::usage;
use crate::verb::Call;
use crate::verb::declaration::{Declaration, OptionKind, OptionSpec};

use super::common::READ;

/// Both ways only look: they take no approval, and the right to look.
const LOOKS: &[(&str, &str)] = &[("dry-run", "client"), ("dry-run", "server")];

/// How a change is only tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DryRun {
    /// Nothing is sent.
    Client,
    /// The server checks the request as if it were real, with all that has a say in it, and keeps nothing.
    Server,
}

/// Adds `--dry-run`.
pub fn dry_run(declaration: Declaration) -> Declaration {
    let option = OptionSpec::new(
        "dry-run",
        OptionKind::Enum(&["none", "client", "server"]),
        "Change nothing, only say what would be: as known here (client), or as the server would do it (server)",
    );
    declaration.option(option.default("none")).only_looking(LOOKS, READ)
}

impl DryRun {
    /// What a call asks for; none: the change.
    pub fn of(call: &Call) -> Option<DryRun> {
        match call.arguments.text("dry-run").as_deref() {
            Some("client") => Some(DryRun::Client),
            Some("server") => Some(DryRun::Server),
            _ => None,
        }
    }

    /// How a sentence ends that says what did not happen.
    pub fn words(self) -> &'static str {
        match self {
            DryRun::Client => " (dry run)",
            DryRun::Server => " (server dry run)",
        }
    }

    /// The path of a request that the server only tries.
    pub fn path(path: &str) -> String {
        let sign = if path.contains('?') { '&' } else { '?' };
        format!("{path}{sign}dryRun=All")
    }
}

/// Refuses the way that server-side apply has no words for.
///
/// # Errors
/// In kubectl's words.
pub fn on_server_only(call: &Call) -> Result<(), Report> {
    match DryRun::of(call) {
        Some(DryRun::Client) => {
            let words = "--dry-run=client doesn't work with --server-side (did you mean --dry-run=server instead?)";
            Err(usage(words).hint("apply is always server-side here"))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trial_is_marked_in_any_path() {
        assert_eq!(DryRun::path("/a"), "/a?dryRun=All");
        assert_eq!(DryRun::path("/a?force=true"), "/a?force=true&dryRun=All");
    }
}
