//! The built-in world as a process of its own: `cogdeck sandbox`, for tests that talk to it with real clients. Not for
//! the world inside of another process (`--sandbox`).

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::terminal::Terminal;

/// The binary under test.
pub const COGDECK: &str = env!("CARGO_BIN_EXE_cogdeck");

/// How long a world may take to be ready, and to stop.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running world. Dropping it interrupts it, waits for its end and removes its files.
pub struct Sandbox {
    child: Child,
    folder: TempDir,
    envs: Vec<(String, String)>,
}

impl Sandbox {
    /// Starts `cogdeck sandbox` with `args` besides its two files (`--speed 10`, `--seed 7` …) and waits for `ready`.
    pub fn start(args: &[&str]) -> Self {
        let folder = TempDir::new().expect("a folder for the world's files");
        let file = |name: &str| folder.path().join(name);
        let mut child = command(&["sandbox"], folder.path())
            .args(["--kubeconfig".as_ref(), file("kubeconfig").as_os_str()])
            .args(["--env".as_ref(), file("env").as_os_str()])
            .args(args)
            .stdout(Stdio::piped())
            .spawn()
            .expect("cogdeck starts");
        let output = child.stdout.take().expect("its output");
        // From here on a failed expectation drops the world, which stops the process.
        let mut sandbox = Self {
            child,
            folder,
            envs: Vec::new(),
        };
        let (lines, received) = mpsc::channel();
        std::thread::spawn(move || {
            BufReader::new(output)
                .lines()
                .map_while(Result::ok)
                .try_for_each(|l| lines.send(l))
        });
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match received.recv_timeout(left) {
                Ok(line) if line == "ready" => break,
                Ok(_) => {}
                Err(error) => panic!("the sandbox did not say ready within {PATIENCE:?} ({error})"),
            }
        }
        let exports = std::fs::read_to_string(sandbox.env_file()).expect("the world's env file");
        sandbox.envs = parse_exports(&exports);
        sandbox
    }

    /// The kubeconfig that the world wrote.
    pub fn kubeconfig(&self) -> PathBuf {
        self.folder.path().join("kubeconfig")
    }

    /// The file of `export NAME=VALUE` lines that the world wrote.
    pub fn env_file(&self) -> PathBuf {
        self.folder.path().join("env")
    }

    /// What the env file exports.
    pub fn envs(&self) -> &[(String, String)] {
        &self.envs
    }

    /// One exported value. Panics when the world does not export it.
    pub fn env(&self, name: &str) -> &str {
        let found = self.envs.iter().find(|(known, _)| known == name);
        &found
            .unwrap_or_else(|| panic!("the sandbox exports no {name}: {:?}", self.envs))
            .1
    }

    /// A program that sees this world and nothing else: a clean environment, a home of its own, the exports.
    pub fn client(&self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new(program.as_ref());
        close(&mut command, self.folder.path());
        command.envs(self.envs.iter().map(|(name, value)| (name, value)));
        command
    }

    /// cogdeck as a client of this world: `sandbox.cogdeck(&["run", "kubectl:get deploy"])`.
    pub fn cogdeck(&self, args: &[&str]) -> Command {
        let mut command = self.client(COGDECK);
        command.args(args);
        command
    }

    /// A program in a terminal of `cols` × `rows` that sees this world and nothing else.
    pub fn terminal(&self, program: impl AsRef<Path>, args: &[&str], cols: u16, rows: u16) -> Terminal {
        let envs = self.envs.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        Terminal::spawn(program, args, &envs.collect::<Vec<_>>(), cols, rows)
    }

    /// The process, for signals.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Interrupts the world as Ctrl-C does and waits for its end. Panics when it does not end.
    pub fn stop(mut self) -> ExitStatus {
        self.interrupt().expect("the sandbox ends on SIGINT")
    }

    /// The end after SIGINT, or `None` after having had to kill it.
    fn interrupt(&mut self) -> Option<ExitStatus> {
        if let Ok(Some(status)) = self.child.try_wait() {
            return Some(status);
        }
        super::signal(self.child.id(), "INT");
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Some(status);
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
        None
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        let ended = self.interrupt().is_some();
        assert!(
            ended || std::thread::panicking(),
            "the sandbox did not end on SIGINT within {PATIENCE:?}"
        );
    }
}

/// cogdeck with `args`, in a clean environment with `home` as its home and no input.
pub fn command(args: &[&str], home: &Path) -> Command {
    let mut command = Command::new(COGDECK);
    close(&mut command, home);
    command.args(args);
    command
}

fn close(command: &mut Command, home: &Path) {
    command
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.env("LANG", "C.UTF-8").env("HOME", home).stdin(Stdio::null());
}

/// Reads `export NAME=VALUE` lines, the values quoted as a shell reads them.
pub fn parse_exports(text: &str) -> Vec<(String, String)> {
    text.lines()
        .filter_map(|line| line.strip_prefix("export "))
        .flat_map(|exports| shlex::split(exports).expect("a line that a shell can read"))
        .filter_map(|export| {
            export
                .split_once('=')
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
        })
        .collect()
}
