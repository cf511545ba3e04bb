//! What a container's own program does over time: what it says, and when and how it ends. A program that this world does
//! not know runs for ever and says nothing, as every image here does. Scripts are the shell's (`container::shell`).

use std::collections::VecDeque;
use std::time::Duration;

use serde_json::Value;

use super::image::{Image, Program};
use crate::sandbox::kubernetes::container::{Container, Run, Shell, Step};

/// How long a crashing program runs, and how long one that ends at once.
const CRASH: Duration = Duration::from_millis(400);
const MOMENT: Duration = Duration::from_millis(100);

/// What a program does next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Beat {
    /// Writes a line.
    Says(String),
    /// Goes on after this time.
    Waits(Duration),
    /// Ends with this exit code; nothing follows.
    Ends(i64),
}

/// A program while it runs: an iterator over its beats. Without an end it runs for ever.
#[derive(Debug)]
pub struct Course {
    beats: VecDeque<Beat>,
    script: Option<Run<Shell>>,
    /// A line that is not complete yet.
    line: Vec<u8>,
}

impl Course {
    /// The course of a container as a pod declares it; `inside` is where a script of it runs.
    pub fn of(image: &Image, container: &Value, inside: impl FnOnce() -> Container) -> Self {
        match image.program() {
            Program::Crashes => return Course::known([Beat::Waits(CRASH), Beat::Ends(1)]),
            Program::Inspector | Program::Missing => return Course::known([]),
            Program::Idle => {}
        }
        let list = |field: &str| -> Vec<String> {
            let words = container.get(field).and_then(Value::as_array).into_iter().flatten();
            words.filter_map(Value::as_str).map(str::to_owned).collect()
        };
        let (command, arguments) = (list("command"), list("args"));
        if command.is_empty() && image.name() == "hello-world" {
            let hello = Beat::Says("Hello from Docker!".to_owned());
            return Course::known([Beat::Waits(MOMENT), hello, Beat::Ends(0)]);
        }
        // Arguments alone go to a program of the image, which this world does not know, unless that is a shell's box.
        let boxes = ["busybox", "alpine", "debian", "ubuntu", "bash"];
        if command.is_empty() && !boxes.contains(&image.name()) {
            return Course::known([]);
        }
        Course::of_words(&[command, arguments].concat(), inside)
    }

    /// The course of a command line. Without any word it is that of a shell's box: a shell that nobody speaks to.
    pub fn of_words(words: &[String], inside: impl FnOnce() -> Container) -> Self {
        Course {
            script: (!words.is_empty()).then(|| Run::command(Shell::main(inside()), words, &[])),
            ..Course::known([])
        }
    }

    fn known<const COUNT: usize>(beats: [Beat; COUNT]) -> Self {
        Course {
            beats: beats.into(),
            script: None,
            line: Vec::new(),
        }
    }

    fn wrote(&mut self, bytes: &[u8]) {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.line.extend_from_slice(piece);
            if self.line.last() == Some(&b'\n') {
                self.line.pop();
                self.say();
            }
        }
    }

    fn say(&mut self) {
        let line = String::from_utf8_lossy(&std::mem::take(&mut self.line)).into_owned();
        self.beats.push_back(Beat::Says(line));
    }
}

impl Iterator for Course {
    type Item = Beat;

    fn next(&mut self) -> Option<Beat> {
        loop {
            if let Some(beat) = self.beats.pop_front() {
                return Some(beat);
            }
            let script = self.script.as_mut()?;
            match script.next() {
                Some(Step::Wrote(_, bytes)) => self.wrote(&bytes),
                Some(Step::Sleeps(length)) => return Some(Beat::Waits(length)),
                Some(Step::Hangs) => self.script = None,
                None => {
                    let code = i64::from(script.status());
                    self.script = None;
                    if !self.line.is_empty() {
                        self.say();
                    }
                    self.beats.extend([Beat::Waits(MOMENT), Beat::Ends(code)]);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::sandbox::kubernetes::container::Files;

    fn inside() -> Container {
        Container::new(
            Files::new("p", "100.96.1.2", "default"),
            [("A".to_owned(), "1".to_owned())],
        )
    }

    fn course(image: &str, container: Value) -> Vec<Beat> {
        Course::of(&Image::parse(image), &container, inside).collect()
    }

    fn ends(image: &str, container: Value) -> Option<i64> {
        match course(image, container).pop() {
            Some(Beat::Ends(code)) => Some(code),
            _ => None,
        }
    }

    /// What a script says, and after how many tenths of a second it ends with which code.
    fn script(text: &str) -> (Vec<String>, Option<(u128, i64)>) {
        let words = ["/bin/sh", "-c", text].map(str::to_owned);
        let (mut says, mut passed, mut end) = (Vec::new(), Duration::ZERO, None);
        for beat in Course::of_words(&words, inside) {
            match beat {
                Beat::Says(line) => says.push(line),
                Beat::Waits(length) => passed += length,
                Beat::Ends(code) => end = Some(((passed - MOMENT).as_millis() / 100, code)),
            }
        }
        (says, end)
    }

    #[test]
    fn scripts_say_wait_and_end() {
        assert_eq!(script("echo 'a  b' c; sleep 2"), (vec!["a  b c".into()], Some((20, 0))));
        assert_eq!(script("sleep 1m\nexit 3"), (vec![], Some((600, 3))));
        assert_eq!(
            script("false && echo no || echo yes"),
            (vec!["yes".into()], Some((0, 0)))
        );
        assert_eq!(script("true && false"), (vec![], Some((0, 1))));
        assert_eq!(script("exit 256").1, Some((0, 0)), "one byte, as in a shell");
        assert_eq!(script("").1, Some((0, 0)));
        assert_eq!(
            script("echo -n a; echo b$A; echo -n c"),
            (vec!["ab1".into(), "c".into()], Some((0, 0)))
        );
        assert_eq!(script("echo x > /tmp/f; cat /tmp/f | wc -l").0, ["1"]);
        for endless in [
            "sleep infinity",
            "while true; do sleep 1; done",
            "echo a; nginx -g x",
            "exec nginx",
        ] {
            assert_eq!(script(endless).1, None, "{endless}");
        }
    }

    #[test]
    fn images_without_a_known_command_run_for_ever() {
        for (image, container) in [
            ("nginx:1", json!({})),
            ("nginx:1", json!({"args": ["false"]})),
            ("busybox", json!({})),
            ("so0k/kuar-inspector:1.0.0", json!({"command": ["false"]})),
        ] {
            assert!(course(image, container).is_empty(), "{image}");
        }
        assert_eq!(ends("busybox", json!({"args": ["false"]})), Some(1));
        assert_eq!(ends("nginx:1", json!({"command": ["/bin/true"]})), Some(0));
        assert_eq!(ends("nginx:crash", json!({"command": ["true"]})), Some(1));
        assert_eq!(course("hello-world", json!({})).len(), 3);
    }

    #[test]
    fn hostile_scripts_end() {
        for text in [
            "'",
            "\"\"\"",
            "&",
            "|",
            "&&&&",
            "echo \u{fffd}|",
            &"echo x;".repeat(100_000),
        ] {
            let _ = script(text);
        }
        assert_eq!(script("sleep 1e300").1.map(|end| end.1), Some(0));
        assert!(script(&"true;".repeat(50_000)).1.is_some());
    }
}
