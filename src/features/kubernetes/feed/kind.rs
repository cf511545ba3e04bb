//! What one feed follows: which type, in which form it is asked for, and how an answer becomes rows. How a list and a
//! watch are kept going is the same for all of them and not here.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::sync::Arc;

use serde::de::{DeserializeOwned, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::core::report::Report;
use crate::features::kubernetes::client::{JSON, Session};
use crate::features::kubernetes::discovery::Resource;
use crate::features::kubernetes::model::{HasMeta, SlimRow};
use crate::feed::Words;

/// What a feed follows.
pub(super) trait Kind: Send + 'static {
    /// Its rows.
    type Row: Send + Sync + 'static;
    /// A page of a list.
    type Page: DeserializeOwned + Send;
    /// The object of a watch event.
    type Object: DeserializeOwned + Clone + Send + 'static;
    /// The form asked for.
    const ACCEPT: &'static str;

    /// The type. Asked before every list, so that a type that is installed later is found then.
    fn resource(&mut self, session: &Session) -> impl Future<Output = Result<Arc<Resource>, Report>> + Send;

    /// The rows of a page by their keys.
    fn page(&mut self, page: Self::Page) -> Listed<Self::Row>;

    /// The rows of an event's object by their keys: one.
    fn object(&mut self, object: Self::Object) -> Listed<Self::Row>;

    /// Whether rows become wrong by the passing of time alone: they are then listed again whenever a watch ends.
    fn withers(&self) -> bool {
        false
    }
}

/// Rows, where they end, and their version.
pub(super) struct Listed<R> {
    /// The version to go on from.
    pub(super) version: String,
    /// Where the next page begins; empty: nowhere.
    pub(super) next: String,
    /// The rows by their keys.
    pub(super) rows: Vec<(String, R)>,
}

/// A type that has a slim row of its own.
pub(super) struct Slim<R> {
    words: Words,
    row: PhantomData<fn() -> R>,
}

impl<R> Default for Slim<R> {
    fn default() -> Self {
        Slim {
            words: Words::default(),
            row: PhantomData,
        }
    }
}

/// A list as the API gives it. Each item becomes its row as soon as it is read: a page's decoded objects never stand
/// in memory together.
#[derive(Deserialize)]
#[serde(bound = "R: SlimRow")]
pub(super) struct Page<R> {
    metadata: ListMeta,
    #[serde(default = "Vec::new", deserialize_with = "rows")]
    items: Vec<(String, R)>,
}

fn rows<'de, R: SlimRow, D: Deserializer<'de>>(list: D) -> Result<Vec<(String, R)>, D::Error> {
    struct Rows<R>(PhantomData<fn() -> R>);
    impl<'de, R: SlimRow> Visitor<'de> for Rows<R> {
        type Value = Vec<(String, R)>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a list of objects")
        }

        // An empty list may be null.
        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok(Vec::new())
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
            let mut rows = Vec::new();
            while let Some(raw) = items.next_element::<R::Raw>()? {
                rows.push((raw.meta().key(), R::of(raw)));
            }
            Ok(rows)
        }
    }
    list.deserialize_any(Rows(PhantomData))
}

/// The metadata of a list.
#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct ListMeta {
    /// The list's version.
    pub(super) resource_version: String,
    /// Where the next page begins.
    #[serde(rename = "continue")]
    pub(super) next: String,
}

impl<R: SlimRow> Kind for Slim<R> {
    type Row = R;
    type Page = Page<R>;
    type Object = R::Raw;
    const ACCEPT: &'static str = JSON;

    async fn resource(&mut self, _: &Session) -> Result<Arc<Resource>, Report> {
        let (group, version, plural) = R::TYPE;
        Ok(Arc::new(Resource {
            group: group.to_owned(),
            version: version.to_owned(),
            plural: plural.to_owned(),
            namespaced: true,
            ..Resource::default()
        }))
    }

    fn page(&mut self, page: Page<R>) -> Listed<R> {
        let mut rows = page.items;
        for (_, row) in &mut rows {
            row.share(&mut self.words);
        }
        Listed {
            version: page.metadata.resource_version,
            next: page.metadata.next,
            rows,
        }
    }

    fn object(&mut self, raw: R::Raw) -> Listed<R> {
        let (version, key) = (raw.meta().resource_version.clone(), raw.meta().key());
        let mut row = R::of(raw);
        row.share(&mut self.words);
        Listed {
            version,
            next: String::new(),
            rows: vec![(key, row)],
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::features::kubernetes::model::PodRow;
    use serde_json::{Value, json};

    fn page(answer: Value) -> Listed<PodRow> {
        Slim::<PodRow>::default().page(serde_json::from_value(answer).unwrap())
    }

    #[test]
    fn a_page_is_rows_with_their_keys_and_shared_words() {
        let pod = |name: &str| json!({"metadata": {"name": name, "namespace": "n"}, "spec": {"nodeName": "node-1"}});
        let listed =
            page(json!({"metadata": {"resourceVersion": "9", "continue": "c"}, "items": [pod("a"), pod("b")]}));
        assert_eq!((listed.version.as_str(), listed.next.as_str()), ("9", "c"));
        let [(one, first), (two, second)] = listed.rows.as_slice() else {
            unreachable!()
        };
        assert_eq!((one.as_str(), two.as_str()), ("n/a", "n/b"));
        assert!(std::ptr::eq(first.node.as_str(), second.node.as_str()));
        assert!(page(json!({"metadata": {}, "items": null})).rows.is_empty());
        assert!(page(json!({"metadata": {}})).rows.is_empty());
    }
}
