//! The manifest of a bundle: Cog's format, versions 4 and 5 (YAML or JSON). Reads and checks; decides nothing.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use crate::core::report::Report;

/// The largest manifest file.
const LARGEST: u64 = 1 << 20;
/// Names that belong to the product.
const RESERVED: [&str; 5] = ["operable", "site", "user", "cog", "cogdeck"];

/// A bundle's manifest.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Manifest {
    /// 4 or 5.
    pub cog_bundle_version: u8,
    /// Namespace of its commands.
    pub name: String,
    /// One line.
    pub description: String,
    /// `N.N` or `N.N.N`.
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
    pub commands: BTreeMap<String, Command>,
}

/// `docker`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Docker {
    /// Image without a tag.
    pub image: String,
    /// Tag.
    pub tag: String,
    /// `host:container[:mode]`.
    #[serde(default)]
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
    #[serde(default)]
    pub env_vars: BTreeMap<String, Value>,
    /// Options by name.
    #[serde(default)]
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
    #[serde(default)]
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

    /// Parses and checks a manifest.
    pub fn parse(text: &str) -> Result<Manifest, Report> {
        let manifest: Manifest = serde_saphyr::from_str(text)
            .map_err(|error| Report::refused("E-BUNDLE-002", format!("the manifest is not right: {error}")))?;
        manifest.check()?;
        Ok(manifest)
    }

    fn check(&self) -> Result<(), Report> {
        let refuse = |pointer: &str, why: String| Err(Report::refused("E-BUNDLE-003", format!("{pointer}: {why}")));
        if !matches!(self.cog_bundle_version, 4 | 5) {
            let found = self.cog_bundle_version;
            return refuse(
                "#/cog_bundle_version",
                format!("version {found} is not known; 4 and 5 are"),
            );
        }
        if !is_name(&self.name, "_.-") {
            return refuse(
                "#/name",
                format!("{:?} may hold letters, digits, `_`, `.` and `-` only", self.name),
            );
        }
        if RESERVED.contains(&self.name.as_str()) {
            return refuse("#/name", format!("{} is reserved", self.name));
        }
        let numbers: Vec<&str> = self.version.split('.').collect();
        if !matches!(numbers.len(), 2 | 3) || numbers.iter().any(|n| n.is_empty() || n.parse::<u32>().is_err()) {
            return refuse("#/version", format!("{:?} is not N.N or N.N.N", self.version));
        }
        if self.commands.is_empty() {
            return refuse("#/commands", "there is no command".to_owned());
        }
        for (name, command) in &self.commands {
            if !is_name(name, "_-") {
                return refuse(
                    &format!("#/commands/{name}"),
                    "a command's name may hold letters, digits, `_` and `-` only".into(),
                );
            }
            if command.executable.is_empty() || command.executable.contains('\0') {
                return refuse(&format!("#/commands/{name}/executable"), "a path is needed".to_owned());
            }
            for (option, spec) in &command.options {
                let flag = spec.short_flag.as_deref().map(|flag| flag.trim_start_matches('-'));
                if flag.is_some_and(|flag| flag.chars().count() != 1) {
                    let pointer = format!("#/commands/{name}/options/{option}/short_flag");
                    return refuse(&pointer, "a short flag is one character".to_owned());
                }
            }
        }
        Ok(())
    }
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
    fn b2_what_is_wrong_is_named_with_its_place() {
        for (from, to, place) in [
            ("cog_bundle_version: 4", "cog_bundle_version: 3", "#/cog_bundle_version"),
            ("name: demo", "name: operable", "#/name"),
            ("version: 0.1.0", "version: 1.0.0-beta", "#/version"),
            ("\"-t\"", "\"-ti\"", "#/commands/greet/options/times/short_flag"),
        ] {
            let report = Manifest::parse(&DEMO.replace(from, to)).unwrap_err();
            assert!(report.message.contains(place), "{place}: {report}");
        }
        let report = Manifest::parse(&DEMO.replace("type: int", "type: integer")).unwrap_err();
        assert!(report.message.contains("integer"), "{report}");
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
