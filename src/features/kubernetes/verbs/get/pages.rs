//! A list's tables page by page, and the rows of the first before their objects for whoever looks.

use std::time::Duration;

use futures::pin_mut;

use super::print::Printer;
use super::table::Table;
use crate::core::report::Report;
use crate::features::kubernetes::client::{Session, TABLE};
use crate::features::kubernetes::discovery::Resource;
use crate::features::kubernetes::listing::PAGE;
use crate::features::kubernetes::path::Query;
use crate::verb::Call;

/// How long the objects wait for the cells: asked for at once they would hold the cells up, asked for later a slow
/// server would answer one after the other.
const HEAD_START: Duration = Duration::from_millis(25);

/// Reads tables page by page.
pub(super) struct Pages<'a> {
    session: &'a Session,
    path: &'a str,
    query: Query,
    next: Option<String>,
    by_name: bool,
    /// The list's resourceVersion.
    pub version: String,
}

impl<'a> Pages<'a> {
    pub fn new(session: &'a Session, path: &'a str, query: Query, by_name: bool) -> Self {
        Pages {
            session,
            path,
            query,
            next: Some(String::new()),
            by_name,
            version: String::new(),
        }
    }

    pub async fn next(&mut self, resource: &Resource) -> Result<Option<Table>, Report> {
        let cluster = &self.session.cluster;
        self.ask(resource).await.map_err(|error| cluster.report(&error))
    }

    /// The next page, or none; what failed may be asked for again.
    pub async fn ask(&mut self, resource: &Resource) -> Result<Option<Table>, kube::Error> {
        let Some(token) = &self.next else { return Ok(None) };
        let table = self.read(token, "Object", resource).await?;
        self.next = table.next.clone();
        self.version = table.version.clone();
        Ok(Some(table))
    }

    /// The first page, whose rows the operator sees as soon as the server has them without their objects, which are
    /// more than ten times as long.
    pub async fn next_after_preview(
        &mut self,
        call: &Call,
        resource: &Resource,
        printer: &Printer,
    ) -> Result<Option<Table>, Report> {
        let ahead = Pages::new(self.session, self.path, self.query.clone(), self.by_name);
        let rows = async {
            // What is wrong with it, the request for the objects tells as well.
            let Ok(table) = ahead.read("", "None", resource).await else {
                return;
            };
            let mut printer = printer.clone();
            printer.columns(resource, &table);
            if let Ok(rows) = table.rows.iter().map(|row| printer.view(resource, row)).collect() {
                call.operator.preview(rows);
            }
        };
        pin_mut!(rows);
        if tokio::time::timeout(HEAD_START, &mut rows).await.is_ok() {
            return self.next(resource).await;
        }
        let objects = self.next(resource);
        pin_mut!(objects);
        tokio::select! {
            biased;
            page = &mut objects => page,
            () = rows => objects.await,
        }
    }

    async fn read(&self, token: &str, include: &str, resource: &Resource) -> Result<Table, kube::Error> {
        let mut query = self.query.clone().with("includeObject", include);
        if !self.by_name {
            query = query.with("limit", PAGE.to_string()).with_some("continue", Some(token));
        }
        let answer = self.session.cluster.get_text(&query.on(self.path), TABLE).await;
        answer.and_then(|text| Table::parse(&text, resource).map_err(kube::Error::SerdeError))
    }
}
