//! What a container's command does over time, as far as this world can tell: what it says, and when and how it ends.
//! Known are the few words that jobs and probes of examples are made of; what is not known runs for ever and says
//! nothing, as every image here does. Not a shell: no variables, no pipes, no files.

use std::time::Duration;

use serde_json::Value;

use super::image::{Image, Program};

/// How long a crashing program runs, and how long one that ends at once.
const CRASH: Duration = Duration::from_millis(400);
const MOMENT: Duration = Duration::from_millis(100);
/// Steps of a script that are looked at. Policy: what comes after is not run.
const STEPS: usize = 256;
/// Longest wait of one step: a year.
const LONGEST: f64 = 31_536_000.0;

/// A container's output and end, in times since its start.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Course {
    /// Lines and when they are written.
    pub says: Vec<(Duration, String)>,
    /// When it ends and with which exit code; `None`: it does not.
    pub ends: Option<(Duration, i64)>,
}

impl Course {
    /// The course of a container as a pod declares it.
    pub fn of(image: &Image, container: &Value) -> Self {
        let ends = |after, code| Course {
            says: Vec::new(),
            ends: Some((after, code)),
        };
        match image.program() {
            Program::Crashes => return ends(CRASH, 1),
            Program::Inspector | Program::Missing => return Course::default(),
            Program::Idle => {}
        }
        let list = |field: &str| -> Vec<&str> {
            let words = container.get(field).and_then(Value::as_array);
            words.into_iter().flatten().filter_map(Value::as_str).collect()
        };
        let (command, arguments) = (list("command"), list("args"));
        if command.is_empty() && image.name() == "hello-world" {
            return Course {
                says: vec![(MOMENT, "Hello from Docker!".to_owned())],
                ends: Some((MOMENT, 0)),
            };
        }
        // Arguments alone go to a program of the image, which this world does not know, unless that is a shell's box.
        let boxes = ["busybox", "alpine", "debian", "ubuntu", "bash"];
        if command.is_empty() && !boxes.contains(&image.name()) {
            return Course::default();
        }
        Self::of_words(&[command, arguments].concat())
    }

    /// The course of a command line.
    pub fn of_words(words: &[&str]) -> Self {
        let mut course = Course::default();
        let (Some(program), rest) = (words.first(), words.get(1..).unwrap_or_default()) else {
            return course;
        };
        let program = program.rsplit('/').next().unwrap_or_default();
        let code = match (program, rest) {
            ("sh" | "bash" | "ash" | "dash", [flag, script, ..]) if flag.starts_with('-') && flag.ends_with('c') => {
                course.script(script)
            }
            _ => course.step(program, &rest.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>()),
        };
        if let Some(code) = code {
            course.ends.get_or_insert((Duration::ZERO, 0)).1 = code;
        }
        match (code, &mut course.ends) {
            (None, ends) => *ends = None,
            (Some(_), Some((at, _))) => *at += MOMENT,
            (Some(_), None) => {}
        }
        course
    }

    /// The time that has passed at the end of what was looked at so far.
    fn passed(&mut self) -> &mut Duration {
        &mut self.ends.get_or_insert((Duration::ZERO, 0)).0
    }

    /// Runs the steps of a script; none when one of them never ends.
    fn script(&mut self, script: &str) -> Option<i64> {
        let mut code = 0;
        let mut run = true;
        for (words, joint) in steps(script).into_iter().take(STEPS) {
            if run && let Some((program, rest)) = words.split_first() {
                if program == "exit" {
                    return Some(rest.first().and_then(|code| code.parse().ok()).unwrap_or(code) & 0xff);
                }
                code = self.step(program, rest)?;
            }
            run = match joint {
                "&&" => code == 0,
                "||" => code != 0,
                _ => true,
            };
        }
        Some(code)
    }

    /// One command's exit code; none when it never ends or is not known.
    fn step(&mut self, program: &str, rest: &[String]) -> Option<i64> {
        match program {
            "true" | ":" => Some(0),
            "false" => Some(1),
            "exit" => Some(rest.first().and_then(|code| code.parse().ok()).unwrap_or(0) & 0xff),
            "echo" => {
                let at = *self.passed();
                self.says.push((at, rest.join(" ")));
                Some(0)
            }
            "sleep" => {
                let seconds = rest.iter().map(|word| seconds(word)).sum::<Option<f64>>()?;
                *self.passed() += Duration::from_secs_f64(seconds.min(LONGEST));
                Some(0)
            }
            _ => None,
        }
    }
}

/// `5`, `0.5`, `2m`; `infinity` is none.
fn seconds(word: &str) -> Option<f64> {
    let (number, unit) = match word.char_indices().last()? {
        (at, 's') => (&word[..at], 1.0),
        (at, 'm') => (&word[..at], 60.0),
        (at, 'h') => (&word[..at], 3600.0),
        _ => (word, 1.0),
    };
    let value: f64 = number.parse().ok()?;
    (value.is_finite() && value >= 0.0).then_some(value * unit)
}

/// The commands of a script, each with what joins it to the next one. Quotes keep words together.
fn steps(script: &str) -> Vec<(Vec<String>, &'static str)> {
    let mut steps = Vec::new();
    let (mut words, mut word, mut open) = (Vec::new(), String::new(), false);
    let mut quote = None;
    let mut letters = script.chars().peekable();
    while let Some(letter) = letters.next() {
        let joint = match (quote, letter) {
            (Some(mark), _) if letter == mark => {
                quote = None;
                continue;
            }
            (None, '\'' | '"') => {
                (quote, open) = (Some(letter), true);
                continue;
            }
            (None, ';' | '\n') => ";",
            (None, '&') if letters.next_if_eq(&'&').is_some() => "&&",
            (None, '|') if letters.next_if_eq(&'|').is_some() => "||",
            (None, ' ' | '\t') => "",
            _ => {
                word.push(letter);
                open = true;
                continue;
            }
        };
        if open {
            words.push(std::mem::take(&mut word));
            open = false;
        }
        if !joint.is_empty() {
            steps.push((std::mem::take(&mut words), joint));
        }
    }
    if open {
        words.push(word);
    }
    steps.push((words, ";"));
    steps
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn course(image: &str, container: Value) -> Course {
        Course::of(&Image::parse(image), &container)
    }

    fn script(text: &str) -> (Vec<String>, Option<(f64, i64)>) {
        let course = Course::of_words(&["/bin/sh", "-c", text]);
        let ends = course.ends.map(|(at, code)| (at.as_secs_f64() - 0.1, code));
        let ends = ends.map(|(at, code)| ((at * 10.0).round() / 10.0, code));
        (course.says.into_iter().map(|(_, line)| line).collect(), ends)
    }

    #[test]
    fn scripts_say_wait_and_end() {
        assert_eq!(
            script("echo 'a  b' c; sleep 2"),
            (vec!["a  b c".into()], Some((2.0, 0)))
        );
        assert_eq!(script("sleep 1m\nexit 3"), (vec![], Some((60.0, 3))));
        assert_eq!(
            script("false && echo no || echo yes"),
            (vec!["yes".into()], Some((0.0, 0)))
        );
        assert_eq!(script("true && false"), (vec![], Some((0.0, 1))));
        assert_eq!(script("exit 256").1, Some((0.0, 0)), "one byte, as in a shell");
        assert_eq!(script("").1, Some((0.0, 0)));
        for endless in ["sleep infinity", "while true; do sleep 1; done", "nginx -g x", "sleep"] {
            assert_eq!(script(endless).1.is_none(), endless != "sleep", "{endless}");
        }
    }

    #[test]
    fn images_without_a_known_command_run_for_ever() {
        assert_eq!(course("nginx:1", json!({})), Course::default());
        assert_eq!(course("nginx:1", json!({"args": ["false"]})), Course::default());
        assert_eq!(
            course("busybox", json!({"args": ["false"]})).ends.map(|end| end.1),
            Some(1)
        );
        assert_eq!(
            course("nginx:1", json!({"command": ["/bin/true"]}))
                .ends
                .map(|end| end.1),
            Some(0)
        );
        assert_eq!(
            course("nginx:crash", json!({"command": ["true"]}))
                .ends
                .map(|end| end.1),
            Some(1)
        );
        assert_eq!(course("hello-world", json!({})).says.len(), 1);
        assert_eq!(
            course("so0k/kuar-inspector:1.0.0", json!({"command": ["false"]})),
            Course::default()
        );
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
    }
}
