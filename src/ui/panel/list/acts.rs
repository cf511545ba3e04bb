//! What is done with rows: marks, actions on the marked or selected ones, each in its own context, and what those of
//! several contexts want done as one. Not for what may be done: the console refuses changes in several contexts.

use std::collections::{BTreeMap, BTreeSet};

use super::rows::{Feed, RowKey};
use super::{ListPanel, Listing, NO_ROW};
use crate::core::text::SafeText;
use crate::ui::panel::{Effect, Motion};

impl<L: Listing> ListPanel<L> {
    /// The rows that are meant: the marked ones that are shown, without any mark `others`. A mark that a filter hides
    /// does not count: nothing happens to what is not seen. `Err`: it hides all of them.
    pub(super) fn chosen<'a>(&'a self, others: &'a [RowKey]) -> Result<Vec<&'a RowKey>, SafeText> {
        if self.marked.is_empty() {
            return Ok(others.iter().collect());
        }
        let shown: Vec<&RowKey> = self.shown_marks().collect();
        match shown.is_empty() {
            true => Err("the filter hides the marked rows".into()),
            false => Ok(shown),
        }
    }

    pub(super) fn shown_marks(&self) -> impl Iterator<Item = &RowKey> {
        self.keys.1.iter().filter(|key| self.marked.contains(*key))
    }

    /// The selected row; none: there is no row.
    pub(super) fn selected(&self) -> &[RowKey] {
        self.keys
            .1
            .get(self.selection.index())
            .map_or(&[], std::slice::from_ref)
    }

    /// These rows, by the places of their contexts and, where all namespaces are shown, by their own.
    pub(super) fn rows(&self, keys: Vec<&RowKey>) -> BTreeMap<(u16, Option<String>), Vec<L::Row>> {
        let mut rows: BTreeMap<(u16, Option<String>), Vec<L::Row>> = BTreeMap::new();
        for key in keys {
            let Some(row) = self.feeds.row(key, L::Row::clone) else {
                continue;
            };
            let everywhere = self.feeds.get(key.context).is_some_and(Feed::is_everywhere);
            let namespace = self.listing.namespace_of(&row).filter(|_| everywhere);
            let place = (key.context, namespace.map(str::to_owned));
            rows.entry(place).or_default().push(row);
        }
        rows
    }

    pub(super) fn act(&mut self, action: &str) -> Vec<Effect> {
        if let Some(effects) = self.listing.alone(action) {
            return effects;
        }
        match self.chosen(self.selected()) {
            Err(reason) => vec![Effect::Toast(reason)],
            Ok(keys) => self.act_on(action, keys),
        }
    }

    /// Each row is acted on in its own context and namespace.
    pub(super) fn act_on(&self, action: &str, keys: Vec<&RowKey>) -> Vec<Effect> {
        if let Some(denied) = self.denied_to(action, &keys) {
            return vec![Effect::Toast(denied)];
        }
        if keys.is_empty() {
            return vec![Effect::Toast(NO_ROW.into())];
        }
        let mut all = Vec::new();
        for ((place, namespace), rows) in self.rows(keys) {
            let (Some(feed), Some(scope)) = (self.feeds.get(place), &self.scope) else {
                continue;
            };
            for effect in self.listing.act(action, &rows) {
                let effect = match &namespace {
                    Some(namespace) => self.listing.in_namespace(effect, namespace),
                    None => effect,
                };
                join(&mut all, effect.within(scope, &feed.context));
            }
        }
        all
    }

    /// Why an action on these rows is not allowed in one of their contexts; without any row in the first.
    pub(super) fn denied_to(&self, action: &str, keys: &[&RowKey]) -> Option<SafeText> {
        let mut places: BTreeSet<u16> = keys.iter().map(|key| key.context).collect();
        if places.is_empty() {
            places.insert(0);
        }
        places.into_iter().find_map(|place| {
            let feed = self.feeds.get(place)?;
            let denied = feed.read(|rows| {
                let any = rows.iter().next().map(|(_, row)| row);
                self.listing.denied(&feed.context, action, any)
            })?;
            Some(match self.feeds.is_several() {
                true => SafeText::line(&format!("context {}: {denied}", feed.context.name)),
                false => denied,
            })
        })
    }

    /// Opening is about the selected row, whatever is marked.
    pub(super) fn open_selected(&self) -> Vec<Effect> {
        let selected: Vec<&RowKey> = self.selected().iter().collect();
        self.act_on(self.listing.opens(), selected)
    }

    /// Marks the selected row or takes its mark back, and goes on to the next.
    pub(super) fn mark(&mut self) {
        let Some(key) = self.keys.1.get(self.selection.index()).cloned() else {
            return;
        };
        if !self.marked.remove(&key) {
            self.marked.insert(key);
        }
        self.step(Motion::Down);
    }

    pub(super) fn step(&mut self, motion: Motion) {
        self.selection.step(motion, self.keys.1.len(), self.page);
        self.selection.settle(self.keys.1.get(self.selection.index()).cloned());
        self.moved += 1;
    }
}

/// Adds what the rows of one more context want done: copies become one, a panel turns to the first subject only.
fn join(all: &mut Vec<Effect>, next: Effect) {
    let turns = |effect: &Effect| matches!(effect, Effect::Show { .. } | Effect::Hold { .. });
    match &next {
        Effect::Copy(text) => {
            let copied = all.iter_mut().find_map(|effect| match effect {
                Effect::Copy(copied) => Some(copied),
                _ => None,
            });
            match copied {
                Some(copied) => *copied = SafeText::new(&format!("{copied}\n{text}")),
                None => all.push(next),
            }
        }
        Effect::Toast(_) if all.contains(&next) => {}
        turn if turns(turn) && all.iter().any(turns) => {}
        _ => all.push(next),
    }
}
