//! The manifest of a bundle: Cog's format, versions 4 and 5 (YAML or JSON). Reads and checks; decides nothing.

use std::collections::BTreeMap;
use std::path::Path;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_path_to_error::Segment;

use crate::core::report::Report;

/// The largest manifest file.
const LARGEST: u64 = 1 << 20;
/// Names that belong to the product.
const RESERVED: [&str; 5] = ["operable", "site", "user", "cog", "cogdeck"];

/// A bundle's manifest.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Manifest {
    /// 4 or 5.
    #[serde(deserialize_with = "format_version")]
    pub cog_bundle_version: u8,
    /// Namespace of its commands.
    #[serde(deserialize_with = "bundle_name")]
    pub name: String,
    /// One line.
    pub description: String,
    /// `N.N` or `N.N.N`.
    #[serde(deserialize_with = "version")]
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
    pub templates: BTreeMap<String, Template>,
    /// Commands by name.
    #[serde(deserialize_with = "commands")]
    pub commands: BTreeMap<String, Command>,
}

/// `docker`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Docker {
    /// Image without a tag.
    #[serde(deserialize_with = "text")]
    pub image: String,
    /// Tag.
    #[serde(deserialize_with = "text")]
    pub tag: String,
    /// `host:container[:mode]`.
    #[serde(default, deserialize_with = "binds")]
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
    #[serde(deserialize_with = "text")]
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
    /// Variables set for every invocation.
    #[serde(default, deserialize_with = "env_vars")]
    pub env_vars: BTreeMap<String, Value>,
    /// Options by name.
    #[serde(default, deserialize_with = "options")]
    pub options: BTreeMap<String, CommandOption>,
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
    #[serde(default, deserialize_with = "short_flag")]
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

impl Manifest {
    /// Reads and checks a file.
    pub fn read(path: &Path) -> Result<Manifest, Report> {
        let refuse = |why: String| {
            Report::refused(
                "E-BUNDLE-001",
                format!("cannot read the bundle {}: {why}", path.display()),
            )
        };
        let size = std::fs::metadata(path)
            .map_err(|error| refuse(error.to_string()))?
            .len();
        if size > LARGEST {
            return Err(refuse(format!("it is larger than {LARGEST} bytes")));
        }
        let text = std::fs::read_to_string(path).map_err(|error| refuse(error.to_string()))?;
        Manifest::parse(&text).map_err(|report| Report {
            message: format!("{}: {}", path.display(), report.message),
            ..report
        })
    }

    /// Parses and checks a manifest. What is wrong is named by its JSON pointer and marked in the text.
    pub fn parse(text: &str) -> Result<Manifest, Report> {
        let mut pointer = "#".to_owned();
        let read = serde_saphyr::with_deserializer_from_str(text, |document| {
            serde_path_to_error::deserialize(document).map_err(|error| {
                pointer = json_pointer(error.path());
                error.into_inner()
            })
        });
        read.map_err(|error| wrong(text, &pointer, &error))
    }
}

fn json_pointer(path: &serde_path_to_error::Path) -> String {
    path.iter().fold("#".to_owned(), |pointer, step| match step {
        Segment::Seq { index } => format!("{pointer}/{index}"),
        Segment::Map { key } => format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1")),
        Segment::Enum { .. } | Segment::Unknown => pointer,
    })
}

fn wrong(text: &str, pointer: &str, error: &serde_saphyr::Error) -> Report {
    let why = error.without_snippet().to_string();
    let Some(location) = error.location() else {
        return Report::refused("E-BUNDLE-002", format!("{pointer}: {why}"));
    };
    let (line, column) = (location.line(), location.column());
    // The place is told once, by us.
    let why = why.split(&format!(" at line {line}")).next().unwrap_or_default();
    let before = |count: u64| usize::try_from(count.saturating_sub(1)).unwrap_or(usize::MAX);
    let start: usize = text.split_inclusive('\n').take(before(line)).map(str::len).sum();
    let marked = &text[start..];
    let from: usize = marked.chars().take(before(column)).map(char::len_utf8).sum();
    let word = marked[from..]
        .find([' ', '\t', '\r', '\n', ',', '}', ']'])
        .unwrap_or(marked.len() - from);
    Report::refused(
        "E-BUNDLE-002",
        format!("line {line}, column {column}, {pointer}: {why}"),
    )
    .at(text, start + from..start + from + word.max(1))
}

/// Reads a value and refuses it where `check` says why.
fn checked<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
    check: impl FnOnce(&T) -> Result<(), String>,
) -> Result<T, D::Error> {
    let value = T::deserialize(deserializer)?;
    check(&value).map_err(D::Error::custom)?;
    Ok(value)
}

fn ensure(right: bool, why: impl FnOnce() -> String) -> Result<(), String> {
    if right { Ok(()) } else { Err(why()) }
}

fn format_version<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u8, D::Error> {
    checked(deserializer, |version: &u8| {
        ensure(matches!(version, 4 | 5), || {
            format!("version {version} is not known; 4 and 5 are")
        })
    })
}

fn bundle_name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    checked(deserializer, |name: &String| {
        ensure(is_name(name, "_.-"), || {
            format!("{name:?} may hold letters, digits, `_`, `.` and `-` only")
        })?;
        ensure(!RESERVED.contains(&name.as_str()), || format!("{name} is reserved"))
    })
}

fn version<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    checked(deserializer, |version: &String| {
        let numbers: Vec<&str> = version.split('.').collect();
        let right =
            matches!(numbers.len(), 2 | 3) && numbers.iter().all(|n| is_name(n, "") && n.parse::<u32>().is_ok());
        ensure(right, || format!("{version:?} is not N.N or N.N.N"))
    })
}

fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    checked(deserializer, |text: &String| {
        ensure(!text.trim().is_empty() && !text.contains('\0'), || {
            "a text is needed here".to_owned()
        })
    })
}

fn short_flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    checked(deserializer, |flag: &Option<String>| {
        let letter = flag.as_deref().map(|flag| flag.trim_start_matches('-'));
        let right = letter.is_none_or(|letter| letter.chars().count() == 1 && is_name(letter, ""));
        ensure(right, || "a short flag is one letter or digit".to_owned())
    })
}

fn binds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    checked(deserializer, |binds: &Vec<String>| {
        let right = |bind: &String| {
            let parts: Vec<&str> = bind.split(':').collect();
            matches!(parts.len(), 2 | 3) && parts.iter().all(|part| !part.is_empty()) && parts[1].starts_with('/')
        };
        binds
            .iter()
            .try_for_each(|bind| ensure(right(bind), || format!("{bind:?} is not HOST:/CONTAINER[:MODE]")))
    })
}

fn env_vars<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, Value>, D::Error> {
    checked(deserializer, |variables: &BTreeMap<String, Value>| {
        variables.iter().try_for_each(|(name, value)| {
            ensure(!name.is_empty() && !name.contains(['=', '\0']), || {
                format!("{name:?} is no name for a variable")
            })?;
            let plain = matches!(value, Value::String(_) | Value::Bool(_) | Value::Number(_));
            ensure(plain, || format!("{name} must be a text, a number or a boolean"))
        })
    })
}

/// The name of a command or option, as a key.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Name(String);

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        checked(deserializer, |name: &String| {
            ensure(is_name(name, "_-"), || {
                format!("the name {name:?} may hold letters, digits, `_` and `-` only")
            })
        })
        .map(Name)
    }
}

fn commands<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, Command>, D::Error> {
    let commands = checked(deserializer, |commands: &BTreeMap<Name, Command>| {
        ensure(!commands.is_empty(), || "there is no command".to_owned())
    })?;
    Ok(commands.into_iter().map(|(name, command)| (name.0, command)).collect())
}

fn options<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, CommandOption>, D::Error> {
    let options = checked(deserializer, |options: &BTreeMap<Name, CommandOption>| {
        let mut flags = BTreeMap::new();
        options.iter().try_for_each(|(name, option)| {
            let flag = option.short_flag.as_deref().map(|flag| flag.trim_start_matches('-'));
            match flag.and_then(|flag| flags.insert(flag, &name.0)) {
                Some(other) => Err(format!("{} and {other} have the same short flag", name.0)),
                None => Ok(()),
            }
        })
    })?;
    Ok(options.into_iter().map(|(name, option)| (name.0, option)).collect())
}

fn is_name(text: &str, besides: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || besides.contains(c))
}

#[cfg(test)]
pub(crate) mod tests {
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
        assert_eq!(manifest.commands["greet"].options["times"].kind, CommandOptionKind::Int);
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
        fn no_text_panics_the_reader(text in any::<String>()) {
            let _ = Manifest::parse(&text);
        }
    }
}
