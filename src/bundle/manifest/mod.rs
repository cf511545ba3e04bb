//! The manifest of a bundle: Cog's format, versions 4 and 5 (YAML or JSON). Reads and checks; decides nothing.

mod checks;
mod late;
mod named;
mod read;
mod rules;

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

pub use self::named::Named;
pub use self::read::{LARGEST, bytes_of, text_of, unreadable};

/// A bundle's manifest.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Manifest {
    /// 4 or 5.
    #[serde(deserialize_with = "checks::format_version")]
    pub cog_bundle_version: u8,
    /// Namespace of its commands.
    #[serde(deserialize_with = "checks::bundle_name")]
    pub name: String,
    /// One line.
    pub description: String,
    /// `N.N` or `N.N.N`.
    #[serde(deserialize_with = "checks::version")]
    pub version: String,
    /// Paragraphs for the help page.
    #[serde(default)]
    pub long_description: String,
    /// Who wrote it.
    #[serde(default)]
    pub author: String,
    /// Where it lives.
    #[serde(default)]
    pub homepage: String,
    /// Permissions it defines.
    #[serde(default)]
    pub permissions: Vec<String>,
    /// The image its commands run in; none: executables of the host.
    #[serde(default)]
    pub docker: Option<Docker>,
    /// Documentation of the variables it reads.
    #[serde(default)]
    pub config: Option<Configuration>,
    /// Templates by name.
    #[serde(default)]
    pub templates: Named<Template>,
    /// Commands by name, in the order of the file.
    #[serde(deserialize_with = "checks::commands")]
    pub commands: Named<Command>,
}

/// `docker`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Docker {
    /// Image without a tag.
    #[serde(deserialize_with = "checks::text")]
    pub image: String,
    /// Tag.
    #[serde(deserialize_with = "checks::text")]
    pub tag: String,
    /// `host:container[:mode]`.
    #[serde(default, deserialize_with = "checks::binds")]
    pub binds: Vec<String>,
}

/// `config`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Configuration {
    /// Remarks.
    #[serde(default)]
    pub notes: String,
    /// Variables.
    #[serde(default)]
    pub env: Vec<Variable>,
}

/// A documented variable.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Variable {
    /// Its name.
    pub var: String,
    /// What it does.
    #[serde(default)]
    pub description: String,
    /// Ours: whether a command may run without it; none: it must be set unless its description calls it optional.
    #[serde(default)]
    pub required: Option<bool>,
}

impl Variable {
    /// Whether commands are refused while it is not set. Cog only documented its variables; one that may be missing
    /// says so in its description, or by `required: false`.
    pub fn is_required(&self) -> bool {
        let optional = || {
            let text = self.description.to_lowercase();
            text.split(|c: char| !c.is_ascii_alphanumeric())
                .any(|word| word == "optional")
        };
        self.required.unwrap_or_else(|| !optional())
    }
}

/// A Greenbar template.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Template {
    /// Its source.
    pub body: String,
}

/// A command.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Command {
    /// Path of the executable, without arguments.
    #[serde(deserialize_with = "checks::text")]
    pub executable: String,
    /// Rules; `allow` or `must have …`.
    pub rules: Vec<String>,
    /// One line.
    #[serde(default)]
    pub description: String,
    /// Paragraphs.
    #[serde(default)]
    pub long_description: String,
    /// Examples, free text.
    #[serde(default)]
    pub examples: String,
    /// Remarks.
    #[serde(default)]
    pub notes: String,
    /// The positionals, free text.
    #[serde(default)]
    pub arguments: String,
    /// Its page as one text, from the time before the texts above; shown where there is no long description.
    #[serde(default)]
    pub documentation: String,
    /// What it answers with.
    #[serde(default)]
    pub output: SampleOutput,
    /// Version 4: words it takes first, and what each does. Shown in its help.
    #[serde(default)]
    pub subcommands: Named<String>,
    /// Variables set for every invocation.
    #[serde(default, deserialize_with = "checks::env_vars")]
    pub env_vars: BTreeMap<String, Value>,
    /// Options by name, in the order of the file.
    #[serde(default, deserialize_with = "checks::options")]
    pub options: Named<CommandOption>,
}

/// `output`: documentation of a command's records.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct SampleOutput {
    /// In words.
    #[serde(default)]
    pub description: String,
    /// JSON text, which `help --output` feeds into a pipeline.
    #[serde(default)]
    pub example: String,
}

/// An option of a command.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CommandOption {
    /// Type.
    #[serde(rename = "type")]
    pub kind: CommandOptionKind,
    /// One line.
    #[serde(default)]
    pub description: String,
    /// Must be given.
    #[serde(default)]
    pub required: bool,
    /// Short flag, with or without dashes.
    #[serde(default, deserialize_with = "checks::short_flag")]
    pub short_flag: Option<String>,
}

/// The types options have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CommandOptionKind {
    /// A whole number.
    Int,
    /// A number.
    Float,
    /// A flag.
    Bool,
    /// Text.
    String,
    /// A flag that counts.
    Incr,
    /// Several texts.
    List,
}

#[cfg(test)]
pub(crate) mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    pub(crate) const DEMO: &str = r#"
cog_bundle_version: 4
name: demo
description: Greets
version: 0.1.0
permissions: [demo:greet]
docker: {image: cogdeck-tests/busybox, tag: "1"}
config:
  env: [{var: GREETING, description: the word}]
commands:
  greet:
    executable: /bin/greet
    description: Greets someone
    arguments: "[name]"
    rules: [must have demo:greet]
    env_vars: {LEVEL: 5, LOUD: true}
    options:
      times: {type: int, short_flag: "-t", required: true, description: how often}
      tag: {type: list}
"#;

    #[test]
    fn b1_a_version_4_manifest_loads_unchanged() {
        let manifest = Manifest::parse(DEMO).unwrap();
        assert_eq!(manifest.docker.as_ref().map(|d| d.tag.as_str()), Some("1"));
        assert_eq!(
            manifest
                .commands
                .get("greet")
                .unwrap()
                .options
                .get("times")
                .unwrap()
                .kind,
            CommandOptionKind::Int
        );
        assert!(Manifest::parse(&DEMO.replace("version: 4", "version: 5")).is_ok());
    }

    #[test]
    fn b2_what_is_wrong_is_named_by_pointer_line_and_column_and_marked() {
        for (from, to, place, marked) in [
            (
                "cog_bundle_version: 4",
                "cog_bundle_version: 3",
                "line 2, column 21, #/cog_bundle_version: version 3",
                "3",
            ),
            (
                "name: demo",
                "name: operable",
                "line 3, column 7, #/name: operable is reserved",
                "operable",
            ),
            (
                "version: 0.1.0",
                "version: 1.0.0-beta",
                "line 5, column 10, #/version: ",
                "1.0.0-beta",
            ),
            (
                "type: int",
                "type: integer",
                "#/commands/greet/options/times/type: ",
                "integer",
            ),
            (
                "\"-t\"",
                "\"-ti\"",
                "#/commands/greet/options/times/short_flag: ",
                "\"-ti\"",
            ),
            (
                "executable: /bin/greet",
                "executable: [a]",
                "#/commands/greet/executable: ",
                "[a",
            ),
            (
                "rules: [must have demo:greet]",
                "rules: [1, {a: 2}]",
                "#/commands/greet/rules/1: ",
                "{a:",
            ),
            ("LEVEL: 5", "LEVEL: [5]", "#/commands/greet/env_vars: LEVEL must be", ""),
            ("  greet:", "  gre et:", "the name \"gre et\" may hold", "gre"),
        ] {
            let text = DEMO.replace(from, to);
            let report = Manifest::parse(&text).unwrap_err();
            assert!(
                report.message.contains(place) && report.message.starts_with("line "),
                "{place}: {report}"
            );
            let found = report.place.unwrap();
            assert!(
                found.source[found.span.clone()].starts_with(marked),
                "{place}: {:?}",
                &found.source[found.span]
            );
        }
        let missing = Manifest::parse(&DEMO.replace("    executable: /bin/greet\n", "")).unwrap_err();
        assert!(
            missing.message.contains("#/commands/greet: missing field `executable`"),
            "{missing}"
        );
        let twice = Manifest::parse(&DEMO.replace("{type: list}", "{type: list, short_flag: t}")).unwrap_err();
        assert!(twice.message.contains("have the same short flag"), "{twice}");
    }

    #[test]
    fn bombs_are_refused() {
        let mut bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n".to_owned();
        for (name, before) in ["b", "c", "d", "e", "f", "g", "h", "i"].iter().zip("abcdefgh".chars()) {
            bomb.push_str(&format!(
                "{name}: &{name} [{}]\n",
                vec![format!("*{before}"); 9].join(",")
            ));
        }
        assert!(Manifest::parse(&bomb).is_err());
        assert!(Manifest::parse(&"[".repeat(100_000)).is_err());
    }

    proptest! {
        #[test]
        fn b2_no_edit_of_a_manifest_panics_the_reader_and_its_place_lies_in_the_text(
            at in 0..DEMO.len(),
            length in 0usize..40,
            put in prop_oneof![
                any::<String>(),
                proptest::sample::select(vec!["*a", "&a ", "[", "{", "!!int ", "|", "\n  - ", ": ", "~", "\"", "? ", "<<: *x"])
                    .prop_map(str::to_owned),
            ],
        ) {
            let end = (at + length).min(DEMO.len());
            let text = format!("{}{put}{}", &DEMO[..at], &DEMO[end..]);
            if let Err(report) = Manifest::parse(&text) {
                let lines = report.lines();
                prop_assert!(!lines.iter().any(|line| line.chars().any(char::is_control)));
                if let Some(place) = &report.place {
                    prop_assert!(place.source.get(place.span.start.min(place.source.len())..).is_some());
                }
            }
        }

        #[test]
        fn no_text_panics_the_reader(text in any::<String>()) {
            let _ = Manifest::parse(&text);
        }
    }
}
