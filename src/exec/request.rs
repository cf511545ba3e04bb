//! What a command's process receives: environment, argument vector, stdin. Source: the contract of Cog's relays
//! (`COG_…` variables), with its defects mended: values are plain text or JSON, names are readable from a shell.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::core::record::{Record, to_text};
use crate::core::report::Report;
use crate::core::text::{MASK, Secret};

/// The longest `NAME=value` or argument that Linux gives to a process, with the zero byte at its end.
const LONGEST_ARGUMENT: usize = 128 << 10;
/// A shorter value of the configuration is not looked for in messages: it would black out ordinary words.
const SHORTEST_SECRET: usize = 6;

/// Where in a stage's stream of records an invocation stands; an only record is the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The first of several.
    First,
    /// The last.
    Last,
}

/// What a variable of the configuration is set to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Setting {
    /// May be shown.
    Plain(String),
    /// Only the command sees it.
    Secret(Secret),
}

impl Setting {
    /// What the command gets.
    pub fn reveal(&self) -> &str {
        match self {
            Setting::Plain(text) => text,
            Setting::Secret(secret) => secret.reveal(),
        }
    }
}

impl From<Secret> for Setting {
    fn from(secret: Secret) -> Setting {
        Setting::Secret(secret)
    }
}

/// One invocation of a bundle's command.
#[derive(Clone, Debug)]
pub struct Request {
    /// Bundle name.
    pub bundle: String,
    /// Command name without the bundle.
    pub command: String,
    /// The executable's path inside the image, or on this host.
    pub executable: String,
    /// Positional arguments.
    pub arguments: Vec<Value>,
    /// Options that were given or have a default; lists are JSON lists.
    pub options: Map<String, Value>,
    /// The current record; none is sent as an empty object.
    pub record: Option<Record>,
    /// Who invokes it.
    pub user: String,
    /// The room, if any.
    pub room: Option<String>,
    /// The same for the whole pipeline.
    pub pipeline_id: String,
    /// The same for all records of one stage.
    pub invocation_id: String,
    /// Where the record stands.
    pub step: Option<Step>,
    /// The command's `env_vars` from its manifest.
    pub env_vars: BTreeMap<String, String>,
    /// The bundle's configuration; wins over `env_vars`.
    pub configuration: BTreeMap<String, Setting>,
}

impl Request {
    /// The environment: the contract's variables, over them the command's own, over those the configuration, of which
    /// `COG_` and `RELAY_` names are dropped. Each name stands once: of two, a process would see the first.
    pub fn environment(&self) -> BTreeMap<String, String> {
        let mut environment = vec![
            ("COG_BUNDLE".to_owned(), self.bundle.clone()),
            ("COG_COMMAND".to_owned(), self.command.clone()),
            ("COG_ARGC".to_owned(), self.arguments.len().to_string()),
            (
                "COG_ROOM".to_owned(),
                self.room.clone().unwrap_or_else(|| "direct".to_owned()),
            ),
            ("COG_CHAT_HANDLE".to_owned(), self.user.clone()),
            ("COG_USERNAME".to_owned(), self.user.clone()),
            ("COG_EMAIL".to_owned(), String::new()),
            ("COG_PIPELINE_ID".to_owned(), self.pipeline_id.clone()),
            ("COG_INVOCATION_ID".to_owned(), self.invocation_id.clone()),
        ];
        if let Some(step) = self.step {
            let word = if step == Step::First { "first" } else { "last" };
            environment.push(("COG_INVOCATION_STEP".to_owned(), word.to_owned()));
        }
        for (index, argument) in self.arguments.iter().enumerate() {
            environment.push((format!("COG_ARGV_{index}"), to_text(argument)));
        }
        if !self.options.is_empty() {
            let names: Vec<&str> = self.options.keys().map(String::as_str).collect();
            environment.push(("COG_OPTS".to_owned(), names.join(",")));
        }
        for (name, value) in &self.options {
            option(&mut environment, name, value);
        }
        environment.extend(self.env_vars.iter().map(|(name, value)| (name.clone(), value.clone())));
        let own = self
            .configuration
            .iter()
            .filter(|(name, _)| !name.starts_with("COG_") && !name.starts_with("RELAY_"));
        environment.extend(own.map(|(name, value)| (name.clone(), value.reveal().to_owned())));
        environment.into_iter().collect()
    }

    /// The argument vector after the executable: the positionals.
    pub fn argv(&self) -> Vec<String> {
        self.arguments.iter().map(to_text).collect()
    }

    /// Refuses what no process can be given.
    pub fn check(&self) -> Result<(), Report> {
        for (name, value) in self.environment() {
            let why = if name.is_empty() || name.contains(['=', '\0']) {
                "is no name for a variable"
            } else if value.contains('\0') {
                "holds a zero byte, which no process can be given"
            } else if name.len() + value.len() + 2 > LONGEST_ARGUMENT {
                "is longer than the 128 KiB that a process can be given"
            } else {
                continue;
            };
            let message = format!("{}:{} was not started: {name:?} {why}", self.bundle, self.command);
            return Err(
                Report::failed("E-EXEC-004", message).hint("large values belong into the record, which is its stdin")
            );
        }
        Ok(())
    }

    /// A text of the command's with the secret values of the configuration taken out, for messages and logs.
    pub fn redact(&self, text: &str) -> String {
        let secrets = self.configuration.values().filter_map(|setting| match setting {
            Setting::Plain(_) => None,
            Setting::Secret(secret) => Some(secret.reveal()),
        });
        secrets
            .filter(|secret| secret.len() >= SHORTEST_SECRET)
            .fold(text.to_owned(), |text, secret| text.replace(secret, MASK))
    }

    /// What stdin holds: the record as JSON, `{}` at the start of a pipeline.
    pub fn stdin(&self) -> Vec<u8> {
        self.record
            .as_ref()
            .map_or_else(|| b"{}".to_vec(), |record| record.to_string().into_bytes())
    }
}

/// An option under its name with dashes, as Cog gave it, and with underscores, as a shell can read it.
fn option(environment: &mut Vec<(String, String)>, name: &str, value: &Value) {
    let upper = name.to_uppercase();
    let mut names = vec![upper.clone()];
    if upper.contains('-') {
        names.push(upper.replace('-', "_"));
    }
    for name in names {
        match value {
            Value::Array(items) => {
                environment.push((format!("COG_OPT_{name}_COUNT"), items.len().to_string()));
                for (index, item) in items.iter().enumerate() {
                    environment.push((format!("COG_OPT_{name}_{index}"), to_text(item)));
                }
            }
            other => environment.push((format!("COG_OPT_{name}"), to_text(other))),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use serde_json::json;

    pub(crate) fn request() -> Request {
        Request {
            bundle: "demo".into(),
            command: "greet".into(),
            executable: "/bin/greet".into(),
            arguments: vec![json!("world"), json!(5), json!({"a": null})],
            options: json!({"dry-run": true, "tag": ["x", "y,z"]})
                .as_object()
                .cloned()
                .unwrap(),
            record: Some(json!({"id": 12345678901234567890u64})),
            user: "ana".into(),
            room: None,
            pipeline_id: "p1".into(),
            invocation_id: "i1".into(),
            step: Some(Step::Last),
            env_vars: BTreeMap::from([("LEVEL".to_owned(), "5".to_owned())]),
            configuration: BTreeMap::from([
                ("TOKEN".to_owned(), Secret::new("s3cret").into()),
                ("COG_USERNAME".to_owned(), Secret::new("root").into()),
                ("LEVEL".to_owned(), Secret::new("6").into()),
                ("REGION".to_owned(), Setting::Plain("ap-southeast-2".to_owned())),
            ]),
        }
    }

    #[test]
    fn c1_c2_the_environment_holds_arguments_options_and_names_a_shell_can_read() {
        let environment = request().environment();
        let value = |name: &str| environment.get(name).map(String::as_str);
        for (name, expected) in [
            ("COG_ARGC", "3"),
            ("COG_ARGV_0", "world"),
            ("COG_ARGV_1", "5"),
            ("COG_ARGV_2", r#"{"a":null}"#),
            ("COG_OPTS", "dry-run,tag"),
            ("COG_OPT_DRY-RUN", "true"),
            ("COG_OPT_DRY_RUN", "true"),
            ("COG_OPT_TAG_COUNT", "2"),
            ("COG_OPT_TAG_1", "y,z"),
            ("COG_INVOCATION_STEP", "last"),
            ("COG_USERNAME", "ana"),
            ("LEVEL", "6"),
            ("TOKEN", "s3cret"),
            ("REGION", "ap-southeast-2"),
        ] {
            assert_eq!(value(name), Some(expected), "{name}");
        }
        assert_eq!(value("COG_OPT_TAG"), None);
    }

    #[test]
    fn c3_stdin_is_the_record_or_an_empty_object() {
        assert_eq!(request().stdin(), br#"{"id":12345678901234567890}"#);
        assert_eq!(
            Request {
                record: None,
                ..request()
            }
            .stdin(),
            b"{}"
        );
    }

    #[test]
    fn a_request_does_not_print_its_secrets() {
        assert!(!format!("{:?}", request()).contains("s3cret"));
        assert_eq!(
            request().redact("no: s3cret, level 6 in ap-southeast-2"),
            "no: •••, level 6 in ap-southeast-2",
            "what may be shown is"
        );
    }

    #[test]
    fn what_no_process_can_be_given_is_refused_and_named() {
        let refused = |argument: Value| {
            let request = Request {
                arguments: vec![argument],
                ..request()
            };
            request.check().unwrap_err().message
        };
        assert!(refused(json!("a\0b")).contains("\"COG_ARGV_0\" holds a zero byte"));
        assert!(refused(json!("x".repeat(LONGEST_ARGUMENT))).contains("\"COG_ARGV_0\" is longer"));
        assert!(request().check().is_ok());
    }
}
