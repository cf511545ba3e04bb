//! What one feed follows: which type, in which form it is asked for, and how an answer becomes rows. How a list and a
//! watch are kept going is the same for all of them and not here.

use std::future::Future;
use std::marker::PhantomData;
use std::sync::Arc;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::core::report::Report;
use crate::features::kubernetes::client::{JSON, Session};
use crate::features::kubernetes::discovery::Resource;
use crate::features::kubernetes::model::{HasMeta, SlimRow};

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
pub(super) struct Slim<R>(PhantomData<fn() -> R>);

impl<R> Default for Slim<R> {
    fn default() -> Self {
        Slim(PhantomData)
    }
}

/// A list as the API gives it; what rows do not need is skipped.
#[derive(Deserialize)]
#[serde(bound = "R: DeserializeOwned")]
pub(super) struct Page<R> {
    metadata: ListMeta,
    #[serde(default = "Vec::new")]
    items: Vec<R>,
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
    type Page = Page<R::Raw>;
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

    fn page(&mut self, page: Page<R::Raw>) -> Listed<R> {
        Listed {
            version: page.metadata.resource_version,
            next: page.metadata.next,
            rows: page
                .items
                .into_iter()
                .map(|raw| (raw.meta().key(), R::of(raw)))
                .collect(),
        }
    }

    fn object(&mut self, raw: R::Raw) -> Listed<R> {
        Listed {
            version: raw.meta().resource_version.clone(),
            next: String::new(),
            rows: vec![(raw.meta().key(), R::of(raw))],
        }
    }
}
