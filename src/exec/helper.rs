//! This program, started again in a hidden mode: what must not share our process (a command's supervisor, a filter that
//! may run away) runs in a copy of ourselves, so nothing has to be installed beside the binary. Not for the modes: each
//! belongs to whoever needs it.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process::Command;

/// Names the running program even when its file was replaced by an update meanwhile.
const SELF: &str = "/proc/self/exe";

/// Where the program is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Helper(PathBuf);

impl Helper {
    /// The running program.
    pub fn this_program() -> Self {
        let path = match Path::new(SELF).exists() {
            true => PathBuf::from(SELF),
            false => std::env::current_exe().unwrap_or_else(|_| PathBuf::from("cogdeck")),
        };
        Helper(path)
    }

    /// The program in this file, for a process that is not cogdeck itself.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Helper(path.into())
    }

    /// The program in a hidden mode: its three streams are pipes, it sees no environment of ours.
    pub fn command(&self, mode: &str) -> Command {
        let mut command = Command::new(&self.0);
        command.arg0("cogdeck").arg(mode).env_clear();
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }
}

impl Default for Helper {
    fn default() -> Self {
        Helper::this_program()
    }
}
