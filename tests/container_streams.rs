//! What goes into and out of a container through `kubectl:exec` and `kubectl:cp` when it does not end as it should: every
//! one of these commands has to end, and to say why.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod support;

use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use support::process::Sandbox;

/// How long a command may take to end.
const PATIENCE: Duration = Duration::from_secs(40);
const SPEED: &[&str] = &["--speed", "20"];
/// More than every buffer on the way holds.
const MUCH: usize = 1 << 20;

/// How a command ended: its exit code, output and errors.
struct Ended {
    code: Option<i32>,
    out: Vec<u8>,
    err: String,
}

/// Feeds a command its input, and waits for its end.
fn ended(command: &mut Command, input: Vec<u8>) -> Ended {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("cogdeck starts");
    let mut stdin = child.stdin.take().expect("its input");
    let feeding = std::thread::spawn(move || {
        // It need not read to the end.
        let _ = stdin.write_all(&input);
    });
    let result = finished(child);
    feeding.join().expect("the input");
    result
}

fn finished(mut child: Child) -> Ended {
    let (mut stdout, mut stderr) = (
        child.stdout.take().expect("stdout"),
        child.stderr.take().expect("stderr"),
    );
    let out = std::thread::spawn(move || {
        let mut bytes = Vec::new();
        stdout.read_to_end(&mut bytes).map(|_| bytes)
    });
    let err = std::thread::spawn(move || {
        let mut text = String::new();
        stderr.read_to_string(&mut text).map(|_| text)
    });
    let deadline = Instant::now() + PATIENCE;
    let status = loop {
        if let Some(status) = child.try_wait().expect("a child to ask") {
            break status;
        }
        if Instant::now() > deadline {
            child.kill().expect("it can be killed");
            child.wait().expect("its end");
            panic!("it did not end within {PATIENCE:?}");
        }
        std::thread::sleep(Duration::from_millis(10));
    };
    Ended {
        code: status.code(),
        out: out.join().unwrap().expect("its output"),
        err: err.join().unwrap().expect("its errors"),
    }
}

/// A world with one pod that runs; its name.
fn world() -> (Sandbox, String) {
    let sandbox = Sandbox::start(SPEED);
    for line in [
        "kubectl:run inspector --image=so0k/kuar-inspector:1.0.0 --port=80",
        "kubectl:rollout status deploy/inspector",
    ] {
        let ran = ended(&mut sandbox.cogdeck(&["run", line]), Vec::new());
        assert_eq!(ran.code, Some(0), "{line}: {}", ran.err);
    }
    let ran = ended(&mut sandbox.cogdeck(&["run", "kubectl:get po -o name"]), Vec::new());
    let name = String::from_utf8(ran.out).unwrap().trim().replace("pod/", "");
    (sandbox, name)
}

#[test]
fn input_reaches_the_command_with_its_end_and_need_not_be_read() {
    let (sandbox, pod) = world();
    let much: Vec<u8> = (0..MUCH).map(|n| b"0123456789abcde\n"[n % 16]).collect();
    let line = format!("kubectl:exec -i {pod} -- cat");
    let ran = ended(&mut sandbox.cogdeck(&["run", &line]), much.clone());
    assert_eq!((ran.code, ran.out.len()), (Some(0), MUCH), "{}", ran.err);
    assert!(ran.out == much, "what came back is not what was sent");

    let line = format!("kubectl:exec -i {pod} -- head -n 1");
    let ran = ended(&mut sandbox.cogdeck(&["run", &line]), much.clone());
    assert_eq!((ran.code, ran.out.as_slice()), (Some(0), &much[..16]), "{}", ran.err);

    let line = format!("kubectl:exec -i {pod} -- echo deaf");
    let ran = ended(&mut sandbox.cogdeck(&["run", &line]), much);
    assert_eq!((ran.code, ran.out.as_slice()), (Some(0), &b"deaf\n"[..]), "{}", ran.err);
}

#[test]
fn a_connection_that_is_cut_ends_the_command() {
    let (sandbox, pod) = world();
    let line = format!("kubectl:exec {pod} -- sh -c 'echo begun; sleep 600'");
    let mut child = sandbox
        .cogdeck(&["run", &line])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("cogdeck starts");
    let mut first = [0; 5];
    child
        .stdout
        .as_mut()
        .expect("stdout")
        .read_exact(&mut first)
        .expect("the command's first line");
    support::signal(sandbox.pid(), "KILL");
    let ran = finished(child);
    assert_eq!(ran.code, Some(1), "{}", ran.err);
    assert!(
        ran.err.contains("E-KUBE-003")
            && ran
                .err
                .contains("the connection to the container ended before the command did"),
        "{}",
        ran.err
    );
}

#[test]
fn a_copy_ends_when_either_side_does() {
    let (sandbox, pod) = world();
    let folder = tempfile::tempdir().unwrap();
    let local = folder.path().join("much");
    std::fs::write(&local, vec![b'x'; MUCH]).unwrap();
    let local = local.display().to_string();
    let copy = |from: &str, to: &str| {
        let line = format!("kubectl:cp '{from}' '{to}'");
        ended(&mut sandbox.cogdeck(&["run", &line]), Vec::new())
    };

    let ran = copy(&local, &format!("{pod}:/nope/deep/er"));
    assert_eq!(ran.code, Some(1), "{}", ran.err);
    assert!(
        ran.err.contains("can't change directory to '/nope/deep'"),
        "{}",
        ran.err
    );

    let ran = copy(&local, &format!("{pod}:/tmp/much"));
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    // A file stands where the folder would have to be.
    let ran = copy(&format!("{pod}:/tmp/much"), &format!("{local}/below/it"));
    assert_eq!(ran.code, Some(1), "{}", ran.err);
    assert!(ran.err.contains("cannot be used"), "{}", ran.err);
}
