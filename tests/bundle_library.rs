//! Bundles from their files to commands in use, through the binary: install, enable, roll back, configure, try. No
//! container is started: what a command is given and answers comes from executables of this machine.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a failed expectation is how a test fails"
)]

#[path = "bundle_library/defects.rs"]
mod defects;
#[path = "bundle_library/install.rs"]
mod install;
#[path = "bundle_library/published.rs"]
mod published;
#[path = "bundle_library/replies.rs"]
mod replies;
#[path = "bundle_library/settings.rs"]
mod settings;
mod support;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;
use support::process::COGDECK;
use tempfile::TempDir;

struct Home {
    folder: TempDir,
    variables: Vec<(String, String)>,
}

/// Exit code, stdout, stderr.
type Ended = (Option<i32>, String, String);

impl Home {
    fn new() -> Home {
        Home {
            folder: tempfile::tempdir().unwrap(),
            variables: Vec::new(),
        }
    }

    fn cogdeck(&self, words: &[&str]) -> Ended {
        let output = Command::new(COGDECK)
            .args(words)
            .current_dir(self.folder.path())
            .env_clear()
            .env("HOME", self.folder.path())
            .env("USER", "ana")
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .envs(self.variables.iter().cloned())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let text = |bytes| String::from_utf8(bytes).expect("text");
        (output.status.code(), text(output.stdout), text(output.stderr))
    }

    fn run(&self, line: &str) -> Ended {
        self.cogdeck(&["run", line])
    }

    /// The stdout of a line that must succeed.
    fn done(&self, line: &str) -> String {
        let (code, stdout, stderr) = self.run(line);
        assert_eq!(code, Some(0), "{line}: {stdout}{stderr}");
        stdout
    }

    /// The stderr of a line that must be refused, having printed nothing.
    fn refused(&self, line: &str) -> String {
        let (code, stdout, stderr) = self.run(line);
        assert_eq!((code, stdout.as_str()), (Some(2), ""), "{line}: {stderr}");
        stderr
    }

    /// The stderr of a line that must not succeed.
    fn refused_or_failed(&self, line: &str) -> String {
        let (code, _, stderr) = self.run(line);
        assert!(matches!(code, Some(1 | 2)), "{line}: {stderr}");
        stderr
    }

    fn records(&self, line: &str) -> Vec<Value> {
        let (code, stdout, stderr) = self.cogdeck(&["run", "-o", "jsonl", line]);
        assert_eq!(code, Some(0), "{line}: {stderr}");
        stdout
            .lines()
            .map(|line| serde_json::from_str(line).expect("a record"))
            .collect()
    }

    /// A manifest of a bundle with one command of this machine, which prints `reply`.
    fn demo(&self, version: &str, reply: &str, more: &str) -> PathBuf {
        use std::os::unix::fs::PermissionsExt;
        let program = self.folder.path().join(format!("greet-{version}"));
        std::fs::write(&program, format!("#!/bin/sh\n{reply}\n")).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        let manifest = format!(
            "cog_bundle_version: 4\nname: demo\ndescription: Greets\nversion: {version}\npermissions: [demo:greet]\n\
             commands:\n  greet:\n    executable: {}\n    description: Greets\n    rules: [allow]\n{more}",
            program.display()
        );
        let file = self.folder.path().join(format!("demo-{version}.yaml"));
        std::fs::write(&file, manifest).unwrap();
        file
    }

    fn install(&self, file: &Path) -> String {
        self.done(&format!("bundle install '{}'", file.display()))
    }
}

fn public(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/bundles")
        .join(format!("{name}.yaml"))
}
