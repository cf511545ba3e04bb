//! Programs that a test runs and never waits for without a limit: one that ends by itself ([`run`]), and one that goes on
//! until the test has seen enough ([`Stream`]). Not for programs that need a terminal.

use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

/// How often a program's end is asked for.
const POLL: Duration = Duration::from_millis(10);
/// What killing a whole process group may take.
const GRACE: Duration = Duration::from_secs(2);

/// How a program ended and what it said.
#[derive(Debug)]
pub struct Ended {
    /// The exit code; none: a signal ended it.
    pub code: Option<i32>,
    /// All of stdout.
    pub stdout: String,
    /// All of stderr.
    pub stderr: String,
    /// What ran, for messages.
    what: String,
}

impl Ended {
    /// Stdout of a program that has ended well. Panics with everything it said when it did not.
    pub fn ok(self) -> String {
        self.code(0).stdout
    }

    /// Itself, when it ended with this code. Panics with everything it said when it did not.
    pub fn code(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self}");
        self
    }
}

/// A failed assertion should show the whole conversation.
impl std::fmt::Display for Ended {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            code,
            stdout,
            stderr,
            what,
        } = self;
        writeln!(
            f,
            "{what}\nended with {code:?}\n--- stdout\n{stdout}\n--- stderr\n{stderr}"
        )
    }
}

/// Runs a program to its end. Panics, after having killed it and all it started, when it takes longer than `limit`.
pub fn run(command: Command, limit: Duration) -> Ended {
    let mut stream = Stream::start(command);
    let status = stream.end(limit);
    Ended {
        code: status.code(),
        stdout: stream.rest(),
        stderr: stream.complaints(),
        what: stream.what.clone(),
    }
}

/// A running program whose stdout is read line by line. Dropping it kills it and everything it started.
pub struct Stream {
    child: Child,
    what: String,
    /// Each with its line break, if it has one.
    lines: Receiver<String>,
    seen: Vec<String>,
    text: String,
    errors: Receiver<String>,
    told: String,
    /// Its end was seen: from then on its number may be another process's.
    ended: bool,
}

impl Stream {
    /// Starts it in a process group of its own.
    pub fn start(mut command: Command) -> Self {
        let what = format!("{command:?}");
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{what}: {error}"));
        let (line, lines) = mpsc::channel();
        let mut stdout = BufReader::new(child.stdout.take().expect("its stdout"));
        std::thread::spawn(move || {
            let mut bytes = Vec::new();
            while stdout.read_until(b'\n', &mut bytes).is_ok_and(|read| read > 0)
                && line.send(String::from_utf8_lossy(&bytes).into_owned()).is_ok()
            {
                bytes.clear();
            }
        });
        let (complaint, errors) = mpsc::channel();
        let mut stderr = BufReader::new(child.stderr.take().expect("its stderr"));
        std::thread::spawn(move || {
            let mut bytes = Vec::new();
            while stderr.read_until(b'\n', &mut bytes).is_ok_and(|read| read > 0)
                && complaint.send(String::from_utf8_lossy(&bytes).into_owned()).is_ok()
            {
                bytes.clear();
            }
        });
        Self {
            child,
            what,
            lines,
            seen: Vec::new(),
            text: String::new(),
            errors,
            told: String::new(),
            ended: false,
        }
    }

    /// Waits until the lines so far are enough and gives them. Panics with them when they never are.
    pub fn wait_for(&mut self, enough: impl Fn(&[String]) -> bool, limit: Duration) -> Vec<String> {
        let deadline = Instant::now() + limit;
        while !enough(&self.seen) {
            match self
                .lines
                .recv_timeout(deadline.saturating_duration_since(Instant::now()))
            {
                Ok(line) => self.take(&line),
                Err(RecvTimeoutError::Timeout) => {
                    panic!(
                        "{}: not seen within {limit:?}; its lines:\n{}",
                        self.what,
                        self.seen.join("\n")
                    )
                }
                Err(RecvTimeoutError::Disconnected) => {
                    self.kill();
                    let stderr = self.complaints();
                    panic!(
                        "{}: ended without it\n{}\n--- stderr\n{stderr}",
                        self.what,
                        self.seen.join("\n")
                    )
                }
            }
        }
        self.seen.clone()
    }

    /// How many lines have come so far, those included that nobody waited for.
    pub fn so_far(&mut self) -> usize {
        while let Ok(line) = self.lines.try_recv() {
            self.take(&line);
        }
        self.seen.len()
    }

    /// The process, for signals.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits for its end. Panics, after having killed it, when it takes longer than `limit`.
    pub fn end(&mut self, limit: Duration) -> ExitStatus {
        let deadline = Instant::now() + limit;
        loop {
            if let Some(status) = self.child.try_wait().expect("a child to ask") {
                self.ended = true;
                return status;
            }
            if Instant::now() >= deadline {
                self.kill();
                let (stdout, stderr) = (self.rest(), self.complaints());
                panic!(
                    "{}: still running after {limit:?}\n{stdout}\n--- stderr\n{stderr}",
                    self.what
                );
            }
            std::thread::sleep(POLL);
        }
    }

    /// Everything on stdout, once the program has ended.
    pub fn rest(&mut self) -> String {
        let deadline = Instant::now() + GRACE;
        // Something the program left behind may hold its stdout open: what has come by then must do.
        while let Ok(line) = self
            .lines
            .recv_timeout(deadline.saturating_duration_since(Instant::now()))
        {
            self.take(&line);
        }
        self.text.clone()
    }

    fn take(&mut self, line: &str) {
        self.text.push_str(line);
        self.seen.push(line.trim_end_matches(['\r', '\n']).to_owned());
    }

    /// Everything on stderr, once the program has ended.
    pub fn complaints(&mut self) -> String {
        let deadline = Instant::now() + GRACE;
        let left = || deadline.saturating_duration_since(Instant::now());
        while let Ok(line) = self.errors.recv_timeout(left()) {
            self.told.push_str(&line);
        }
        self.told.clone()
    }

    /// Waits until it complains of this. Panics with what it complained of when it never does.
    pub fn wait_for_complaint(&mut self, text: &str, limit: Duration) {
        let deadline = Instant::now() + limit;
        while !self.told.contains(text) {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.errors.recv_timeout(left) {
                Ok(line) => self.told.push_str(&line),
                Err(_) => panic!("{}: no word of {text} within {limit:?}\n{}", self.what, self.told),
            }
        }
    }

    /// Ends it and everything it started.
    fn kill(&mut self) {
        if std::mem::replace(&mut self.ended, true) {
            return;
        }
        let group = format!("-{}", self.child.id());
        let _ = Command::new("sh")
            .args(["-c", r#"kill -s KILL -- "$0" 2>/dev/null"#, &group])
            .status();
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.kill();
    }
}
