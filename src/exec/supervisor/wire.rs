//! What console and supervisor say to each other.

use std::collections::BTreeMap;
use std::io::{self, IoSlice, IoSliceMut, Read};
use std::mem::MaybeUninit;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags,
    recvmsg, sendmsg,
};
use serde::{Deserialize, Serialize};

/// A larger job is refused: Linux gives a process about 2 MiB of arguments and environment.
const LARGEST_JOB: u32 = 8 << 20;

/// What is to be run. Not `Debug`: its environment may hold secrets.
#[derive(Serialize, Deserialize)]
pub struct Job {
    /// A path, or a name to be looked for in the environment's `PATH`.
    pub program: String,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// All of its environment.
    pub environment: BTreeMap<String, String>,
    /// Its working directory.
    pub directory: PathBuf,
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Status {
    /// By itself, with this code.
    Code(i32),
    /// By this signal.
    Signal(i32),
}

impl Status {
    /// The code a shell would show: 128 and the signal's number for one that was killed.
    pub fn exit_code(self) -> i64 {
        match self {
            Status::Code(code) => i64::from(code),
            Status::Signal(signal) => 128 + i64::from(signal),
        }
    }
}

/// The supervisor's only word, one JSON line.
#[derive(Debug, Serialize, Deserialize)]
pub enum Word {
    /// It could not be started: the system's reason.
    NotStarted(String),
    /// The command itself has ended; what it started may still be there.
    Ended(Status),
}

impl Job {
    /// As it goes over the socket: its length in four bytes, low byte first, and JSON.
    pub fn encode(&self) -> io::Result<Vec<u8>> {
        let text = serde_json::to_vec(self)?;
        let length = u32::try_from(text.len()).ok().filter(|length| *length <= LARGEST_JOB);
        let length = length.ok_or_else(|| io::Error::other("its arguments and environment are too large"))?;
        Ok([&length.to_le_bytes(), text.as_slice()].concat())
    }

    /// Reads what [`Job::encode`] wrote.
    pub fn decode(mut source: impl Read) -> io::Result<Job> {
        let mut length = [0; 4];
        source.read_exact(&mut length)?;
        let length = u32::from_le_bytes(length);
        if length > LARGEST_JOB {
            return Err(io::Error::other("the job is too large"));
        }
        let mut text = Vec::new();
        source.take(u64::from(length)).read_to_end(&mut text)?;
        Ok(serde_json::from_slice(&text)?)
    }
}

/// Gives the other side a descriptor of its own.
pub fn send_descriptor(socket: &UnixStream, descriptor: BorrowedFd<'_>) -> io::Result<()> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    let descriptors = [descriptor];
    control.push(SendAncillaryMessage::ScmRights(&descriptors));
    // A descriptor travels with at least one byte.
    sendmsg(socket, &[IoSlice::new(&[0])], &mut control, SendFlags::NOSIGNAL)?;
    Ok(())
}

/// Takes the descriptor that the other side sent.
pub fn receive_descriptor(socket: &UnixStream) -> io::Result<OwnedFd> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let mut byte = [0];
    let mut parts = [IoSliceMut::new(&mut byte)];
    recvmsg(socket, &mut parts, &mut control, RecvFlags::CMSG_CLOEXEC)?;
    let mut descriptors = control.drain().filter_map(|message| match message {
        RecvAncillaryMessage::ScmRights(mut descriptors) => descriptors.next(),
        _ => None,
    });
    descriptors
        .next()
        .ok_or_else(|| io::Error::other("no stdin came for the command"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn job(value: &str) -> Job {
        Job {
            program: "/bin/true".to_owned(),
            arguments: vec!["a b".to_owned(), String::new()],
            environment: BTreeMap::from([("NAME".to_owned(), value.to_owned())]),
            directory: PathBuf::from("/"),
        }
    }

    #[test]
    fn a_job_arrives_as_it_was_sent_and_an_oversized_one_is_refused() {
        let back = Job::decode(job("é\n").encode().unwrap().as_slice()).unwrap();
        assert_eq!(
            (back.arguments, back.environment["NAME"].as_str()),
            (job("").arguments, "é\n")
        );
        assert!(job(&"x".repeat(LARGEST_JOB as usize)).encode().is_err());
        assert!(Job::decode([255, 255, 255, 255, b'{'].as_slice()).is_err());
        assert!(Job::decode([2, 0, 0, 0, b'{'].as_slice()).is_err());
    }

    #[test]
    fn a_descriptor_reaches_the_other_side() {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let (reader, writer) = std::io::pipe().unwrap();
        send_descriptor(&ours, std::os::fd::AsFd::as_fd(&reader)).unwrap();
        drop(reader);
        let mut received = std::fs::File::from(receive_descriptor(&theirs).unwrap());
        std::io::Write::write_all(&mut { writer }, b"hello").unwrap();
        let mut text = String::new();
        received.read_to_string(&mut text).unwrap();
        assert_eq!(text, "hello");
        drop(ours);
        assert!(receive_descriptor(&theirs).is_err());
    }
}
