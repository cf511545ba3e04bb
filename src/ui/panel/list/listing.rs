//! What is special about one list: its feed, columns, cells, actions and words. Not for what all lists do alike
//! ([`super::ListPanel`]).

use std::cmp::Ordering;
use std::sync::Arc;

use jiff::Timestamp;

use crate::core::change::Target;
use crate::core::context::{Cloud, Context};
use crate::core::text::SafeText;
use crate::feed::{RowTable, Subscription};
use crate::ui::panel::widgets::table::{Cell, Column};
use crate::ui::panel::{Action, Effect, Theme, Tone};

/// What is special about one list.
pub trait Listing: Send {
    /// A row of its feed.
    type Row: Clone + Send + Sync + 'static;

    /// As [`Panel::id`](crate::ui::panel::Panel::id).
    fn id(&self) -> &str;

    /// The name of its source in the status line: `k8s`, `ec2`.
    fn source(&self) -> &'static str;

    /// Of the contexts to be shown those that have rows of their own: two may lead to the same account. The first one
    /// alone where the rows are no context's but the session's. Never none, in the order given.
    fn apart(&self, contexts: &[Arc<Context>]) -> Vec<Arc<Context>> {
        contexts.to_vec()
    }

    /// What it looks at besides its rows, which is the first context's only. Inside a Tokio runtime.
    fn look_beside(&mut self, first: &Arc<Context>) {
        let _ = first;
    }

    /// Nobody looks any more: drops what it looks at besides its rows.
    fn leave_beside(&mut self) {}

    /// The feed for a context. Inside a Tokio runtime.
    fn subscribe(&mut self, context: &Arc<Context>) -> Subscription<Self::Row>;

    /// The columns. `any` row, where there is one: of a kind that is only known at run time they are in it.
    fn columns(&self, any: Option<&Self::Row>) -> Vec<Column>;

    /// The cells of a row, one a column.
    fn cells(&self, row: &Self::Row, look: &RowLook<'_>) -> Vec<Cell>;

    /// What to say when there is no row although the source is well.
    fn empty(&self) -> &'static str;

    /// The same where the rows of all namespaces are shown.
    fn empty_everywhere(&self) -> &'static str {
        self.empty()
    }

    /// The namespace that a row lies in; none: in no namespace.
    fn namespace_of<'r>(&'r self, row: &'r Self::Row) -> Option<&'r str> {
        let _ = row;
        None
    }

    /// All its rows lie in one namespace, whichever are shown: they are parts of one object.
    fn is_of_one_namespace(&self) -> bool {
        false
    }

    /// What is wanted of rows of this namespace, where lines may run in another one.
    fn in_namespace(&self, effect: Effect, namespace: &str) -> Effect {
        let _ = namespace;
        effect
    }

    /// What the rows are called; by default the id.
    fn name(&self, rows: &RowTable<Self::Row>) -> String {
        let _ = rows;
        self.id().to_owned()
    }

    /// The title; by default the name and how many there are.
    fn title(&self, rows: &RowTable<Self::Row>) -> String {
        match rows.len() {
            0 => self.name(rows),
            count => format!("{} {count}", self.name(rows)),
        }
    }

    /// The line when there is no room.
    fn folded(&self, rows: &RowTable<Self::Row>) -> String {
        self.title(rows)
    }

    /// Looks at all rows of a context, by its place among those shown, before they are shown or counted.
    fn look(&self, place: usize, rows: &RowTable<Self::Row>) {
        let _ = (place, rows);
    }

    /// Keys of the rows to show, in their order.
    fn shown<'a>(&self, rows: &'a RowTable<Self::Row>) -> Vec<&'a str> {
        rows.iter().map(|(key, _)| key).collect()
    }

    /// How rows of several contexts are put together: by the order that [`Listing::shown`] has in each. Rows that are
    /// equal in it stand in the order of their contexts.
    fn order(&self, one: (&str, &Self::Row), other: (&str, &Self::Row)) -> Ordering {
        one.0.cmp(other.0)
    }

    /// Moves when something else than the feed changes what is shown.
    fn version(&self) -> u64 {
        0
    }

    /// As [`Panel::actions`](crate::ui::panel::Panel::actions).
    fn actions(&self) -> &'static [Action];

    /// As [`Panel::denied`](crate::ui::panel::Panel::denied); `any` row as for the columns.
    fn denied(&self, context: &Arc<Context>, action: &str, any: Option<&Self::Row>) -> Option<SafeText> {
        let _ = (context, action, any);
        None
    }

    /// The action that Enter means.
    fn opens(&self) -> &'static str;

    /// What an action wants done with these rows: the selected one, or all that are marked. Never none. Several rows
    /// are one pipeline, so that one plan shows them all and a fleet's count is asked for.
    fn act(&self, action: &str, rows: &[Self::Row]) -> Vec<Effect>;

    /// What an action wants done that is about the panel and not about its rows; none: it is about rows.
    fn alone(&self, action: &str) -> Option<Vec<Effect>> {
        let _ = action;
        None
    }

    /// New rows come on top: a selection there stays at the top, and the rows move on below it.
    fn newest_first(&self, rows: &RowTable<Self::Row>) -> bool {
        let _ = rows;
        false
    }

    /// As [`Panel::namespace`](crate::ui::panel::Panel::namespace).
    fn namespace(&self, context: &Arc<Context>) -> Option<String> {
        let _ = context;
        None
    }

    /// As [`Panel::cloud`](crate::ui::panel::Panel::cloud).
    fn cloud(&self, context: &Arc<Context>) -> Cloud {
        let _ = context;
        Cloud::default()
    }

    /// As [`Panel::mark`](crate::ui::panel::Panel::mark).
    fn mark(&self, rows: &RowTable<Self::Row>) -> Option<Tone> {
        let _ = rows;
        None
    }

    /// Whether a row is this subject: the selection then follows a change made to it.
    fn is(&self, row: &Self::Row, subject: &Target) -> bool {
        let _ = (row, subject);
        false
    }

    /// What a row is, as [`Panel::subjects`](crate::ui::panel::Panel::subjects); none: it has no name.
    fn subject(&self, row: &Self::Row) -> Option<Target> {
        let _ = row;
        None
    }

    /// As [`Panel::minimum`](crate::ui::panel::Panel::minimum).
    fn minimum(&self) -> (u16, u16) {
        (34, 4)
    }

    /// As [`Panel::weight`](crate::ui::panel::Panel::weight).
    fn weight(&self) -> u16 {
        2
    }

    /// As [`Panel::by_name_only`](crate::ui::panel::Panel::by_name_only).
    fn by_name_only(&self) -> bool {
        false
    }
}

/// Of the contexts to be shown the first of each that lead to the same: an account has its rows once.
pub fn apart_by<P: PartialEq>(contexts: &[Arc<Context>], part: impl Fn(&Context) -> &P) -> Vec<Arc<Context>> {
    let mut apart: Vec<Arc<Context>> = Vec::with_capacity(contexts.len());
    for context in contexts {
        if apart.iter().all(|known| part(known) != part(context)) {
            apart.push(context.clone());
        }
    }
    apart
}

/// What decides how a row looks besides the row.
pub struct RowLook<'a> {
    /// The theme.
    pub theme: &'a Theme,
    /// For ages.
    pub now: Timestamp,
    /// The row is selected in the focused pane: it may take more lines.
    pub open: bool,
    /// The row is of the first context, as is what the list looks at besides its rows.
    pub first: bool,
}
