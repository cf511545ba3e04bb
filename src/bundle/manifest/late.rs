//! Checks that need more than one value of a manifest, each reported at the place of the value that is wrong.

use serde::de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::{Manifest, rules};
use crate::render::greenbar::Template;

/// What is wrong: the steps of its JSON pointer, and why.
pub type Objection = (Vec<String>, String);

/// The first thing that does not agree with the rest.
pub fn objection(manifest: &Manifest) -> Option<Objection> {
    permissions(manifest)
        .or_else(|| rules_of(manifest))
        .or_else(|| templates(manifest))
}

fn permissions(manifest: &Manifest) -> Option<Objection> {
    manifest.permissions.iter().enumerate().find_map(|(index, name)| {
        let right = name
            .split_once(':')
            .is_some_and(|(bundle, rest)| bundle == manifest.name && !rest.is_empty() && !rest.contains(':'));
        let why = || format!("{name:?} is not {}:NAME", manifest.name);
        (!right).then(|| (vec!["permissions".to_owned(), index.to_string()], why()))
    })
}

fn rules_of(manifest: &Manifest) -> Option<Objection> {
    manifest.commands.iter().find_map(|(name, command)| {
        command.rules.iter().enumerate().find_map(|(index, rule)| {
            let why = rules::objection(rule, &manifest.name, name, &manifest.permissions)?;
            let steps = ["commands", name, "rules", &index.to_string()].map(str::to_owned);
            Some((steps.to_vec(), why))
        })
    })
}

fn templates(manifest: &Manifest) -> Option<Objection> {
    manifest.templates.iter().find_map(|(name, template)| {
        let steps = vec!["templates".to_owned(), name.to_owned()];
        if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            return Some((
                steps,
                format!("the name {name:?} may hold letters, digits and `_` only"),
            ));
        }
        let why = Template::parse(&template.body).err()?;
        Some(([steps, vec!["body".to_owned()]].concat(), why.to_string()))
    })
}

/// Walks to the value that a pointer names and fails there: the reader then knows its line and column.
pub struct FailAt<'a> {
    /// What is left of the way.
    pub steps: &'a [String],
    /// Why.
    pub why: &'a str,
}

impl<'de> DeserializeSeed<'de> for FailAt<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        if self.steps.is_empty() {
            IgnoredAny::deserialize(deserializer)?;
            return Err(D::Error::custom(self.why));
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for FailAt<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("a map or a list")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<(), M::Error> {
        while let Some(key) = map.next_key::<String>()? {
            match self.steps.split_first() {
                Some((step, rest)) if *step == key => map.next_value_seed(FailAt {
                    steps: rest,
                    why: self.why,
                })?,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut list: S) -> Result<(), S::Error> {
        let wanted = self.steps.first().and_then(|step| step.parse::<usize>().ok());
        for index in 0.. {
            let found = match wanted == Some(index) {
                true => {
                    let rest = self.steps.get(1..).unwrap_or_default();
                    list.next_element_seed(FailAt {
                        steps: rest,
                        why: self.why,
                    })?
                    .is_some()
                }
                false => list.next_element::<IgnoredAny>()?.is_some(),
            };
            if !found {
                break;
            }
        }
        Ok(())
    }
}
