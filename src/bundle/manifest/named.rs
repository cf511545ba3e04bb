//! A map of a manifest that keeps the order of its file: help pages show options as their author wrote them.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// Values by name, in the order of the file; no name stands twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named<T>(Vec<(String, T)>);

impl<T> Default for Named<T> {
    fn default() -> Self {
        Named(Vec::new())
    }
}

impl<T> Named<T> {
    /// The value of this name.
    pub fn get(&self, name: &str) -> Option<&T> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// Names and values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &T)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// The names.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.iter().map(|(name, _)| name)
    }

    /// Nothing in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds a value, or replaces the one of this name.
    pub fn insert(&mut self, name: &str, value: T) {
        match self.0.iter_mut().find(|(known, _)| known == name) {
            Some((_, known)) => *known = value,
            None => self.0.push((name.to_owned(), value)),
        }
    }
}

/// Reads a map whose keys are checked as a `K`.
pub fn read<'de, K, T, D>(deserializer: D) -> Result<Named<T>, D::Error>
where
    K: Deserialize<'de> + Into<String>,
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    deserializer.deserialize_map(Pairs::<K, T>(PhantomData))
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Named<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        read::<String, T, D>(deserializer)
    }
}

struct Pairs<K, T>(PhantomData<(K, T)>);

impl<'de, K: Deserialize<'de> + Into<String>, T: Deserialize<'de>> Visitor<'de> for Pairs<K, T> {
    type Value = Named<T>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a map")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Named<T>, M::Error> {
        let mut found: Named<T> = Named::default();
        while let Some((name, value)) = map.next_entry::<K, T>()? {
            let name = name.into();
            if found.get(&name).is_some() {
                return Err(M::Error::custom(format!("{name} stands here twice")));
            }
            found.0.push((name, value));
        }
        Ok(found)
    }

    fn visit_unit<E>(self) -> Result<Named<T>, E> {
        Ok(Named::default())
    }
}
