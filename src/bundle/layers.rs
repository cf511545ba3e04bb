//! What the variables of a bundle are set to: layers from general to particular, of which the later wins. Pure. Not
//! for storing them nor for opening what is encrypted.
//!
//! `base` for everyone, `room/NAME` for what runs in a room (`room/direct` without one), `user/NAME` for who runs it,
//! `environment` for what the process was started with (`COGDECK_BUNDLE_NAME__VARIABLE`).

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use crate::core::report::Report;
use crate::core::text::{MASK, Secret};
use crate::exec::Setting;

/// The room of what runs in none.
pub const DIRECT: &str = "direct";

/// For whom a value counts; the later variant wins.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Layer {
    /// Everyone.
    Base,
    /// What runs in this room; lower case.
    Room(String),
    /// What this user runs; lower case.
    User(String),
    /// This process.
    Environment,
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Layer::Base => f.write_str("base"),
            Layer::Room(name) => write!(f, "room/{name}"),
            Layer::User(name) => write!(f, "user/{name}"),
            Layer::Environment => f.write_str("environment"),
        }
    }
}

impl FromStr for Layer {
    type Err = Report;

    fn from_str(text: &str) -> Result<Layer, Report> {
        match text.split_once('/') {
            None if text == "base" => Ok(Layer::Base),
            Some(("room", name)) if !name.is_empty() => Ok(Layer::Room(name.trim_start_matches('#').to_lowercase())),
            Some(("user", name)) if !name.is_empty() => Ok(Layer::User(name.trim_start_matches('@').to_lowercase())),
            _ => Err(
                Report::refused("E-BUNDLE-020", format!("{text:?} is no layer that can be set"))
                    .hint("base, room/NAME or user/NAME"),
            ),
        }
    }
}

/// A value as it is held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Held {
    /// May be shown.
    Plain(String),
    /// Never shown.
    Secret(Secret),
    /// Encrypted, and there is no key that opens it; why.
    Locked(String),
}

impl fmt::Display for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Held::Plain(text) => f.write_str(text),
            Held::Secret(_) => f.write_str(MASK),
            Held::Locked(why) => write!(f, "{MASK} ({why})"),
        }
    }
}

/// All layers of one bundle.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Layers {
    settings: BTreeMap<(Layer, String), Held>,
}

/// Each variable with the layer its value comes from.
pub type Effective<'a> = BTreeMap<&'a str, (&'a Layer, &'a Held)>;

impl Layers {
    /// Sets a variable in a layer.
    pub fn set(&mut self, layer: Layer, variable: &str, value: Held) {
        self.settings.insert((layer, variable.to_owned()), value);
    }

    /// A base layer of secrets.
    pub fn of_secrets(values: impl IntoIterator<Item = (String, Secret)>) -> Layers {
        let mut layers = Layers::default();
        for (name, value) in values {
            layers.set(Layer::Base, &name, Held::Secret(value));
        }
        layers
    }

    /// Every setting, layer by layer.
    pub fn iter(&self) -> impl Iterator<Item = (&Layer, &str, &Held)> {
        self.settings
            .iter()
            .map(|((layer, name), held)| (layer, name.as_str(), held))
    }

    /// The merge for a room and a user.
    pub fn effective(&self, room: Option<&str>, user: &str) -> Effective<'_> {
        let (room, user) = (
            room.unwrap_or(DIRECT).trim_start_matches('#').to_lowercase(),
            user.to_lowercase(),
        );
        let counts = |layer: &Layer| match layer {
            Layer::Base | Layer::Environment => true,
            Layer::Room(name) => *name == room,
            Layer::User(name) => *name == user,
        };
        // In the order of the layers: the later replaces the earlier.
        let counting = self.settings.iter().filter(|((layer, _), _)| counts(layer));
        counting
            .map(|((layer, name), held)| (name.as_str(), (layer, held)))
            .collect()
    }

    /// The merge as values for a process. Refused while one of them is locked: the value of an earlier layer would be
    /// the wrong one.
    pub fn values(&self, room: Option<&str>, user: &str) -> Result<BTreeMap<String, Setting>, Report> {
        let effective = self.effective(room, user);
        let values = effective.into_iter().map(|(name, (layer, held))| match held {
            Held::Plain(text) => Ok((name.to_owned(), Setting::Plain(text.clone()))),
            Held::Secret(secret) => Ok((name.to_owned(), Setting::Secret(secret.clone()))),
            Held::Locked(why) => Err(Report::refused(
                "E-BUNDLE-021",
                format!("{name} of the layer {layer} cannot be decrypted: {why}"),
            )
            .hint("give the key it was encrypted for, or set the value again")),
        });
        values.collect()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn layers() -> Layers {
        let mut layers = Layers::default();
        let plain = |text: &str| Held::Plain(text.to_owned());
        layers.set("user/Ana".parse().unwrap(), "REGION", plain("eu"));
        layers.set(Layer::Base, "REGION", plain("us"));
        layers.set(Layer::Base, "TOKEN", Held::Secret(Secret::new("tok-123456")));
        layers.set("room/#Ops".parse().unwrap(), "REGION", plain("ap"));
        layers.set("room/ops".parse().unwrap(), "ZONE", plain("b"));
        layers.set("room/direct".parse().unwrap(), "ZONE", plain("d"));
        layers
    }

    #[test]
    fn b8_the_later_layer_wins_and_names_are_compared_in_lower_case() {
        let layers = layers();
        for (room, user, region, zone) in [
            (Some("ops"), "bob", "ap", Some("b")),
            (Some("#OPS"), "ana", "eu", Some("b")),
            (None, "bob", "us", Some("d")),
            (Some("dev"), "ANA", "eu", None),
        ] {
            let values = layers.values(room, user).unwrap();
            assert_eq!(values["REGION"].reveal(), region, "{room:?} {user}");
            assert_eq!(values.get("ZONE").map(Setting::reveal), zone, "{room:?} {user}");
        }
        let mut with_environment = layers;
        with_environment.set(Layer::Environment, "REGION", Held::Secret(Secret::new("local")));
        assert_eq!(
            with_environment.values(Some("ops"), "ana").unwrap()["REGION"].reveal(),
            "local"
        );
        for wrong in ["", "room", "room/", "team/x", "environment"] {
            assert_eq!(wrong.parse::<Layer>().unwrap_err().code, "E-BUNDLE-020", "{wrong}");
        }
    }

    #[test]
    fn b9_the_merge_shows_where_a_value_comes_from_and_no_secret() {
        let layers = layers();
        let shown: Vec<String> = layers
            .effective(Some("ops"), "ana")
            .iter()
            .map(|(name, (layer, held))| format!("{name}={held} {layer}"))
            .collect();
        assert_eq!(shown, ["REGION=eu user/ana", "TOKEN=••• base", "ZONE=b room/ops"]);
        assert!(!format!("{layers:?}").contains("tok-123456"));
        let values = layers.values(Some("ops"), "ana").unwrap();
        assert_eq!(
            values["REGION"],
            Setting::Plain("eu".to_owned()),
            "what may be shown stays so"
        );
        assert!(matches!(values["TOKEN"], Setting::Secret(_)));
    }

    #[test]
    fn b10_a_value_that_cannot_be_decrypted_is_no_reason_to_take_another() {
        let mut layers = layers();
        layers.set(
            "user/ana".parse().unwrap(),
            "TOKEN",
            Held::Locked("there is no key".to_owned()),
        );
        assert_eq!(layers.values(None, "ana").unwrap_err().code, "E-BUNDLE-021");
        assert_eq!(layers.values(None, "bob").unwrap()["TOKEN"].reveal(), "tok-123456");
    }
}
