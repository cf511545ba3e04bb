//! A running container from inside, as `exec`, its probes and its own program see it: a small file system in memory, environment variables, a
//! shell and a handful of programs. Not for when the container's own program
//! runs (the kubelet), nor for what serves HTTP (the inspector).

mod files;
mod programs;
mod shell;
mod tar;

use std::borrow::BorrowMut;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::mpsc;

pub use files::Files;
pub use shell::{Run, Shell, Step};

/// Pieces of output on their way to the client. Policy: a program waits for a slow reader.
pub const QUEUE: usize = 64;

/// Where a piece of output goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Out,
    /// Standard error.
    Err,
}

/// What a program writes.
pub type Sink = mpsc::Sender<(Stream, Bytes)>;

/// The client went away: nothing is left to do.
#[derive(Debug, PartialEq, Eq)]
pub struct Gone;

/// A container's inside. Cheap to clone; clones are the same container.
#[derive(Debug, Clone)]
pub struct Container {
    files: Arc<Mutex<Files>>,
    env: Arc<BTreeMap<String, String>>,
}

impl Container {
    /// With these files and variables.
    pub fn new(files: Files, env: impl IntoIterator<Item = (String, String)>) -> Self {
        Container {
            files: Arc::new(Mutex::new(files)),
            env: Arc::new(env.into_iter().collect()),
        }
    }

    /// Whether a program of this name could be started.
    pub fn has(&self, program: &str) -> bool {
        programs::is_known(program)
    }

    /// Whether the folder that `tar` is to unpack to is there.
    fn takes_archive(&self, words: &[&str]) -> bool {
        let folder = words.iter().skip_while(|word| **word != "-C").nth(1).copied();
        self.files().is_folder(&Files::resolve("", folder.unwrap_or("/")))
    }

    fn files(&self) -> MutexGuard<'_, Files> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a program reads before it does anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reads {
    /// Nothing.
    Nothing,
    /// All there is.
    Everything,
    /// An archive, which says itself where it ends.
    Archive,
    /// Lines, each of them a command.
    Commands,
}

/// What a command reads in this container.
pub fn reads(container: &Container, command: &[String]) -> Reads {
    let words: Vec<&str> = command.iter().map(String::as_str).collect();
    match words.as_slice() {
        [program, flag, script, ..] if programs::is_shell(program) && shell::is_inline(flag) => shell::reads(script),
        [program, rest @ ..] if programs::is_shell(program) && is_session(rest) => Reads::Commands,
        [program, rest @ ..] => match programs::reads(program, rest) {
            // It cannot begin, and ends before the archive is over.
            Reads::Archive if !container.takes_archive(rest) => Reads::Nothing,
            reads => reads,
        },
        [] => Reads::Nothing,
    }
}

/// A shell that is given neither a script nor a file takes its commands from its input.
fn is_session(arguments: &[&str]) -> bool {
    arguments.iter().all(|word| word.starts_with('-'))
}

/// Whether the bytes hold an archive to its end.
pub fn is_whole_archive(bytes: &[u8]) -> bool {
    tar::is_whole(bytes)
}

/// Runs a command to its end; `stdin` is all it reads. Its exit code.
pub async fn run(container: &Container, command: &[String], stdin: &[u8], sink: &Sink) -> Result<i32, Gone> {
    play(Run::command(Shell::new(container.clone()), command, stdin), sink).await
}

/// Lets a script run as fast as it goes, and hands on what it writes. Its exit code.
pub async fn play<S: BorrowMut<Shell>>(mut run: Run<S>, sink: &Sink) -> Result<i32, Gone> {
    for step in run.by_ref() {
        match step {
            Step::Wrote(stream, bytes) => send(sink, stream, bytes).await?,
            Step::Sleeps(length) => tokio::time::sleep(length).await,
            Step::Hangs => std::future::pending().await,
        }
    }
    Ok(run.status())
}

/// Hands on output, in pieces that fit a message.
async fn send(sink: &Sink, stream: Stream, bytes: Vec<u8>) -> Result<(), Gone> {
    /// What one message carries at most.
    const PIECE: usize = 32 * 1024;
    let mut rest = Bytes::from(bytes);
    while !rest.is_empty() {
        let piece = rest.split_to(rest.len().min(PIECE));
        sink.send((stream, piece)).await.map_err(|_| Gone)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    async fn ran(container: &Container, command: &[&str], stdin: &[u8]) -> (String, String, i32) {
        let (sink, mut output) = mpsc::channel(QUEUE);
        let command: Vec<String> = command.iter().map(|word| (*word).to_owned()).collect();
        let code = run(container, &command, stdin, &sink).await.unwrap();
        drop(sink);
        let (mut out, mut err) = (Vec::new(), Vec::new());
        while let Some((stream, bytes)) = output.recv().await {
            match stream {
                Stream::Out => out.extend(bytes),
                Stream::Err => err.extend(bytes),
            }
        }
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        (text(out), text(err), code)
    }

    fn container() -> Container {
        Container::new(
            Files::new("web-1", "100.96.1.2", "default"),
            [("A", "1 2"), ("HOSTNAME", "web-1")].map(|(name, value)| (name.to_owned(), value.to_owned())),
        )
    }

    async fn line(script: &str) -> (String, String, i32) {
        ran(&container(), &["sh", "-c", script], b"").await
    }

    #[tokio::test]
    async fn scripts_join_pipe_redirect_and_end_with_their_status() {
        let ok = |out: &str| (out.to_owned(), String::new(), 0);
        assert_eq!(line("echo a; echo \"b $A\" 'c $A'").await, ok("a\nb 1 2 c $A\n"));
        assert_eq!(line("false && echo no || echo yes").await, ok("yes\n"));
        assert_eq!(
            line("echo one > /tmp/f; echo two >> /tmp/f; cat /tmp/f | head -n 1").await,
            ok("one\n")
        );
        assert_eq!(
            line("cd /etc && pwd; ls /etc | grep host; hostname").await,
            ok("/etc\nhostname\nhosts\nweb-1\n")
        );
        assert_eq!(line("B=x; echo $B${A}$? | wc -l").await, ok("1\n"));
        assert_eq!(
            line("test -d /etc && [ -f /etc/hosts ] && echo both").await,
            ok("both\n")
        );
        assert_eq!(line("echo a; exit 3; echo b").await, ("a\n".into(), String::new(), 3));
        assert_eq!(
            line("cat /nope").await.1,
            "cat: can't open '/nope': No such file or directory\n"
        );
        assert_eq!(line("nope").await, (String::new(), "sh: nope: not found\n".into(), 127));
        assert_eq!(line("cat /nope 2>&1 | wc -l").await, ok("1\n"));
        assert_eq!(line("echo 'a").await.2, 2, "an open quote is an error");
        assert_eq!(line("echo a | | cat").await.2, 2);
    }

    #[tokio::test]
    async fn numbers_are_written_as_their_format_says_and_not_without_end() {
        let ok = |out: &str| (out.to_owned(), String::new(), 0);
        assert_eq!(line("seq 3").await, ok("1\n2\n3\n"));
        assert_eq!(line("seq 8 2 11").await, ok("8\n10\n"));
        assert_eq!(
            line("X=end; seq -f \"no %03.0f $X\" 9 10").await,
            ok("no 009 end\nno 010 end\n")
        );
        assert_eq!(line("seq 9223372036854775806 9223372036854775807").await.2, 0);
        for wrong in [
            "seq",
            "seq a",
            "seq 1 0 5",
            "seq -f plain 3",
            "seq -f %d%f 3",
            "seq 9000000",
        ] {
            let (out, err, code) = line(wrong).await;
            assert!(out.is_empty() && code == 1 && err.contains("seq"), "{wrong}: {err}");
        }
    }

    #[tokio::test]
    async fn archives_go_in_and_come_out() {
        let inside = container();
        ran(&inside, &["sh", "-c", "mkdir -p /data/sub; echo hi > /data/sub/f"], b"").await;
        let (sink, mut output) = mpsc::channel(QUEUE);
        let command = ["tar", "cf", "-", "/data"].map(str::to_owned);
        assert_eq!(run(&inside, &command, &[], &sink).await, Ok(0));
        drop(sink);
        let mut archive = Vec::new();
        while let Some((Stream::Out, bytes)) = output.recv().await {
            archive.extend(bytes);
        }
        assert!(is_whole_archive(&archive) && !is_whole_archive(&archive[..512]));
        let other = container();
        assert_eq!(ran(&other, &["tar", "-xmf", "-", "-C", "/tmp"], &archive).await.2, 0);
        assert_eq!(ran(&other, &["cat", "/tmp/data/sub/f"], b"").await.0, "hi\n");
        assert_eq!(ran(&other, &["tar", "-xmf", "-", "-C", "/nope"], &archive).await.2, 1);
    }

    #[tokio::test]
    async fn a_full_disk_is_told() {
        let big = vec![b'x'; files::CAPACITY + 1];
        let (_, err, code) = ran(&container(), &["sh", "-c", "cat > /tmp/big"], &big).await;
        assert!(code == 1 && err.contains("No space left on device"), "{err}");
    }

    #[test]
    fn what_a_command_reads_is_known_before_it_runs() {
        let of = |line: &str| {
            let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
            reads(&container(), &words)
        };
        assert_eq!(of("sh"), Reads::Commands);
        assert_eq!(of("cat"), Reads::Everything);
        assert_eq!(of("cat /etc/hosts"), Reads::Nothing);
        assert_eq!(of("tar -xmf - -C /"), Reads::Archive);
        assert_eq!(of("env"), Reads::Nothing);
    }
}
