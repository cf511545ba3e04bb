//! A program from its start to its first frame, with nothing but a reader at the other end of its terminal: one that looks
//! at the bytes would be measured too. Not for what is typed into a program.

use std::ffi::OsStr;
use std::io::{Read, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, PtySize, native_pty_system};

/// Asks the terminal where its cursor is, and waits for the answer.
const WHERE: &[u8] = b"\x1b[6n";
/// What ratatui's backend writes behind the cells of a frame; every program here draws with it.
const FRAME_END: &[u8] = b"\x1b[59m\x1b[0m";

/// A program that has drawn its first frame. Killed when dropped.
pub struct Opened {
    /// From its start to the last byte of the frame.
    pub after: Duration,
    program: Box<dyn Child + Send + Sync>,
    // Its terminal stays open as long as it runs.
    _reader: Box<dyn Read + Send>,
}

impl Opened {
    /// Starts it in a terminal of 120×40, with a home of its own and these variables.
    pub fn start(program: &Path, args: &[impl AsRef<OsStr>], envs: &[(String, String)]) -> Self {
        let home = tempfile::tempdir().expect("a folder for the program's home");
        let size = PtySize {
            rows: 40,
            cols: 120,
            ..PtySize::default()
        };
        let pair = native_pty_system().openpty(size).expect("a pseudo-terminal");
        let mut reader = pair.master.try_clone_reader().expect("its output");
        let mut writer = pair.master.take_writer().expect("its input");
        let mut command = CommandBuilder::new(program);
        command.args(args);
        command.env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("HOME", home.path());
        command.env("LANG", "C.UTF-8");
        command.env("TERM", "xterm-256color");
        envs.iter().for_each(|(name, value)| command.env(name, value));
        let begun = Instant::now();
        let program = pair.slave.spawn_command(command).expect("the program starts");
        drop(pair.slave);
        let (mut written, mut buffer) = (Vec::new(), vec![0; 64 * 1024]);
        while !written.windows(FRAME_END.len()).any(|bytes| bytes == FRAME_END) {
            let count = reader.read(&mut buffer).expect("the program draws before it ends");
            written.extend_from_slice(&buffer[..count]);
            if buffer[..count].ends_with(WHERE) {
                writer.write_all(b"\x1b[1;1R").expect("the program listens");
            }
        }
        Opened {
            after: begun.elapsed(),
            program,
            _reader: reader,
        }
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        self.program.kill().expect("the program is stopped");
        self.program.wait().expect("its end");
    }
}
