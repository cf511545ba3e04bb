//! Checks of single values, made while they are read so that each is refused at its own place.

use std::collections::BTreeMap;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::{Command, CommandOption, Named, named};

/// Names that belong to the product.
const RESERVED: [&str; 5] = ["operable", "site", "user", "cog", "cogdeck"];

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

pub(super) fn format_version<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u8, D::Error> {
    checked(deserializer, |version: &u8| {
        ensure(matches!(version, 4 | 5), || {
            format!("version {version} is not known; 4 and 5 are")
        })
    })
}

pub(super) fn bundle_name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    checked(deserializer, |name: &String| {
        ensure(is_name(name, "_.-"), || {
            format!("{name:?} may hold letters, digits, `_`, `.` and `-` only")
        })?;
        ensure(!RESERVED.contains(&name.as_str()), || format!("{name} is reserved"))
    })
}

pub(super) fn version<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    checked(deserializer, |version: &String| {
        let numbers: Vec<&str> = version.split('.').collect();
        let right =
            matches!(numbers.len(), 2 | 3) && numbers.iter().all(|n| is_name(n, "") && n.parse::<u32>().is_ok());
        ensure(right, || format!("{version:?} is not N.N or N.N.N"))
    })
}

pub(super) fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    checked(deserializer, |text: &String| {
        ensure(!text.trim().is_empty() && !text.contains('\0'), || {
            "a text is needed here".to_owned()
        })
    })
}

pub(super) fn short_flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    checked(deserializer, |flag: &Option<String>| {
        let letter = flag.as_deref().map(|flag| flag.trim_start_matches('-'));
        let right = letter.is_none_or(|letter| letter.chars().count() == 1 && is_name(letter, ""));
        ensure(right, || "a short flag is one letter or digit".to_owned())
    })
}

pub(super) fn binds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
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

pub(super) fn env_vars<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, Value>, D::Error> {
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
struct Name(String);

impl From<Name> for String {
    fn from(name: Name) -> String {
        name.0
    }
}

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

pub(super) fn commands<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Named<Command>, D::Error> {
    let commands = named::read::<Name, Command, D>(deserializer)?;
    ensure(!commands.is_empty(), || "there is no command".to_owned()).map_err(D::Error::custom)?;
    Ok(commands)
}

pub(super) fn options<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Named<CommandOption>, D::Error> {
    let options = named::read::<Name, CommandOption, D>(deserializer)?;
    let mut flags = BTreeMap::new();
    for (name, option) in options.iter() {
        let flag = option.short_flag.as_deref().map(|flag| flag.trim_start_matches('-'));
        if let Some(other) = flag.and_then(|flag| flags.insert(flag, name)) {
            return Err(D::Error::custom(format!("{name} and {other} have the same short flag")));
        }
    }
    Ok(options)
}

fn is_name(text: &str, besides: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || besides.contains(c))
}
