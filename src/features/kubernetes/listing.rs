//! Reading the objects of a collection, page by page. Not for what a command means by its words (`target`).

use serde_json::Value;

use super::client::{JSON, NAMES_ONLY, Session};
use super::discovery::Resource;
use super::object;
use super::path::Query;
use crate::core::report::Report;

/// Objects a page of a list holds.
pub const PAGE: usize = 500;

/// The first objects of a type, so many at most, with nothing but their metadata.
pub async fn first(
    session: &Session,
    resource: &Resource,
    namespace: &str,
    most: usize,
) -> Result<Vec<Value>, kube::Error> {
    let path = Query::new()
        .with("limit", most.to_string())
        .on(&resource.collection(Some(namespace)));
    let mut list: Value = session.cluster.get_as(&path, NAMES_ONLY).await?;
    Ok(match list.get_mut("items").map(Value::take) {
        Some(Value::Array(items)) => items,
        _ => Vec::new(),
    })
}

/// All objects of a list, page by page.
pub async fn list(session: &Session, path: &str, query: &Query) -> Result<Vec<Value>, Report> {
    Ok(Listing::whole(session, path, query).await?.items)
}

/// What of a list was read so far.
pub struct Listing {
    /// The objects.
    pub items: Vec<Value>,
    /// The version of the collection that the first page shows: a watch goes on from there.
    pub version: String,
    /// There are more pages, or none was read.
    pub more: bool,
    next: String,
    accept: &'static str,
}

impl Default for Listing {
    fn default() -> Self {
        Listing {
            items: Vec::new(),
            version: String::new(),
            more: true,
            next: String::new(),
            accept: JSON,
        }
    }
}

impl Listing {
    /// One of nothing but the objects' metadata.
    pub fn names() -> Self {
        Listing {
            accept: NAMES_ONLY,
            ..Listing::default()
        }
    }

    /// Reads all pages.
    pub async fn whole(session: &Session, path: &str, query: &Query) -> Result<Self, Report> {
        let mut found = Listing::default();
        while found.more {
            let page = found.page(session, path, query).await;
            page.map_err(|error| session.cluster.report(&error))?;
        }
        Ok(found)
    }

    /// Reads the next page. What failed may be asked for again.
    pub async fn page(&mut self, session: &Session, path: &str, query: &Query) -> Result<(), kube::Error> {
        let page = query
            .clone()
            .with("limit", PAGE.to_string())
            .with_some("continue", Some(&self.next));
        let mut answer: Value = session.cluster.get_as(&page.on(path), self.accept).await?;
        if let Some(Value::Array(found)) = answer.get_mut("items").map(Value::take) {
            self.items.extend(found);
        }
        if self.version.is_empty() {
            object::text(&answer, "/metadata/resourceVersion").clone_into(&mut self.version);
        }
        object::text(&answer, "/metadata/continue").clone_into(&mut self.next);
        self.more = !self.next.is_empty();
        Ok(())
    }
}
