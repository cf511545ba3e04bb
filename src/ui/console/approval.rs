//! The approval of a plan: what is shown, what has to be typed, and when it counts. A machine without IO; the shell
//! hands its decision to whoever asked.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use crate::core::change::{Change, Plan, Requirement, Risk};
use crate::core::context::Context;
use crate::core::text::{SafeText, Secret, fit, safe_line};
use crate::ui::panel::Meaning;
use crate::verb::Decision;

/// A bare Enter counts only after the plan was on the screen this long: one typed ahead was meant for something else.
pub const LOOK: Duration = Duration::from_millis(250);

/// Differences shown for one change at most.
const SHOWN_DIFFERENCES: usize = 8;
/// Changes shown in full at most; the others are counted.
const SHOWN_CHANGES: usize = 6;
/// From this many alike on a change is one line, and what they have in common is said once.
const ALIKE: usize = 3;
/// Changes of one line shown at most.
const SHOWN_ALIKE: usize = 24;

/// Marks for the characters of a secret at most.
const MOST_MARKS: usize = 24;

/// A plan that waits for its answer.
#[derive(Clone)]
pub struct Approval {
    /// A value is asked for and not an approval; what it is for.
    secret: Option<SafeText>,
    plan: Plan,
    requirement: Requirement,
    risk: Risk,
    digest: String,
    typed: String,
    mismatch: bool,
    /// Something was typed where nothing is wanted: by somebody who looks elsewhere. His next Enter is not meant for this.
    astray: bool,
    shown_at: Timestamp,
    /// The context, where it has to be said.
    place: Option<SafeText>,
    /// The plan as it is shown: made once, since a plan of thousands of changes is compared one by one.
    told: Vec<(SafeText, Meaning)>,
    /// Lines of it above the box, those that can be there at most, and those that are in it.
    above: usize,
    most: usize,
    room: usize,
}

/// A key as the machine sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// A character typed.
    Type(char),
    /// One back.
    Erase,
    /// Enter.
    Confirm,
    /// Esc, Ctrl-C.
    Decline,
    /// A page of the plan on, or back.
    Turn(bool),
}

impl Approval {
    /// A plan just shown.
    pub fn new(plan: Plan, requirement: Requirement, production: bool, now: Timestamp) -> Self {
        let (risk, digest, told) = (plan.risk(production), plan.digest(), told(&plan));
        Approval {
            secret: None,
            plan,
            requirement,
            risk,
            digest,
            typed: String::new(),
            mismatch: false,
            astray: false,
            shown_at: now,
            place: None,
            told,
            above: 0,
            most: 0,
            room: 0,
        }
    }

    /// Says in which context it would be done: it may be another one than the session's own.
    #[must_use]
    pub fn named(mut self, context: &Context) -> Self {
        let name = match context.production {
            true => format!("PROD {}", context.name),
            false => context.name.clone(),
        };
        self.place = Some(SafeText::line(&name));
        self
    }

    /// A value that nobody may see, not even the one who types it.
    pub fn secret(what: SafeText, now: Timestamp) -> Self {
        let nothing = Plan { changes: Vec::new() };
        Approval {
            told: vec![(what.clone(), Meaning::Strong)],
            secret: Some(what),
            ..Approval::new(nothing, Requirement::Nothing, false, now)
        }
    }

    /// It was out of sight and is back.
    pub fn shown_again(&mut self, now: Timestamp) {
        self.shown_at = now;
    }

    /// Whether a value is asked for.
    pub fn is_secret(&self) -> bool {
        self.secret.is_some()
    }

    /// What a key does; the decision when it settles the question.
    pub fn step(&mut self, step: Step, now: Timestamp) -> Option<Decision> {
        match step {
            Step::Decline => return Some(Decision::Declined("declined by the operator".to_owned())),
            Step::Type(symbol) if self.wants_text() => {
                self.typed.push(symbol);
                self.mismatch = false;
            }
            Step::Type(_) => self.astray = true,
            Step::Erase => {
                self.typed.pop();
                self.mismatch = false;
            }
            // The first and the last line of a box may say what is hidden: what they stand for is on the next page.
            Step::Turn(on) => {
                let page = self.room.saturating_sub(3).max(1);
                self.above = match on {
                    true => (self.above + page).min(self.most),
                    false => self.above.saturating_sub(page),
                };
            }
            Step::Confirm => return self.confirm(now),
        }
        None
    }

    fn confirm(&mut self, now: Timestamp) -> Option<Decision> {
        if self.is_secret() {
            self.mismatch = self.typed.is_empty();
            let typed = std::mem::take(&mut self.typed);
            return (!typed.is_empty()).then(|| Decision::Given(Secret::new(typed)));
        }
        if std::mem::take(&mut self.astray) {
            // From here on it is seen anew.
            (self.mismatch, self.shown_at) = (true, now);
            return None;
        }
        let fits = match self.wanted() {
            Some(wanted) => self.typed.trim() == wanted,
            None => Duration::try_from(now.duration_since(self.shown_at)).unwrap_or_default() >= LOOK,
        };
        self.mismatch = !fits && self.wanted().is_some();
        fits.then(|| Decision::Approved(self.digest.clone()))
    }

    /// What has to be typed, if anything.
    fn wanted(&self) -> Option<String> {
        match &self.requirement {
            Requirement::Nothing | Requirement::Enter => None,
            Requirement::Name(name) => Some(name.clone()),
            Requirement::Count(count) => Some(count.to_string()),
        }
    }

    /// The title of its box.
    pub fn title(&self) -> SafeText {
        if self.is_secret() {
            return "a secret value".into();
        }
        let count = self.plan.changes.len();
        let noun = if count == 1 { "change" } else { "changes" };
        let place = self
            .place
            .as_ref()
            .map_or(String::new(), |place| format!(" in {place}"));
        format!("approve {count} {noun}{place}, class {}", self.risk).into()
    }

    /// The plan as lines with their meanings.
    pub fn lines(&self) -> &[(SafeText, Meaning)] {
        &self.told
    }

    /// It was drawn: of `all` lines on the screen `room` have a place at once.
    pub fn shows(&mut self, all: usize, room: usize) {
        (self.most, self.room) = (all.saturating_sub(room), room);
        self.above = self.above.min(self.most);
    }

    /// Lines above those that are shown.
    pub fn above(&self) -> usize {
        self.above
    }

    /// What to do, by the keys that confirm and decline, and what was typed so far.
    pub fn prompt(&self, [confirm, decline]: [&str; 2]) -> (SafeText, SafeText) {
        if self.is_secret() {
            let instruction = match self.mismatch {
                true => format!("type or paste it first; {decline} declines"),
                false => format!("type or paste it and {confirm}, {decline} declines"),
            };
            // How long it is, up to a point.
            let marks = "•".repeat(self.typed.chars().count().min(MOST_MARKS));
            return (SafeText::line(&instruction), marks.as_str().into());
        }
        let instruction = match self.wanted() {
            None if self.mismatch => {
                format!("nothing was done by what was typed: {confirm} applies it now, {decline} declines")
            }
            None if self.astray => {
                format!("letters do nothing here: {confirm} twice applies it, {decline} declines")
            }
            None => format!("{confirm} applies it, {decline} declines"),
            Some(wanted) if self.mismatch => {
                format!("that is not {wanted}: type {wanted} and {confirm}, {decline} declines")
            }
            Some(wanted) => format!("type {wanted} and {confirm} to apply, {decline} declines"),
        };
        (SafeText::line(&instruction), SafeText::line(&self.typed))
    }

    /// Whether something has to be typed.
    pub fn wants_text(&self) -> bool {
        self.is_secret() || self.wanted().is_some()
    }
}

fn told(plan: &Plan) -> Vec<(SafeText, Meaning)> {
    let mut lines = Vec::new();
    let (mut full, mut short, mut rest) = (SHOWN_CHANGES, SHOWN_ALIKE, Vec::new());
    for group in plan.changes.chunk_by(alike) {
        let is_short = group.len() >= ALIKE;
        let left = if is_short { &mut short } else { &mut full };
        let (shown, others) = group.split_at(group.len().min(*left));
        *left -= shown.len();
        rest.extend(others.iter().map(|change| change.target.name.as_str()));
        match is_short {
            true => lines.extend(in_short(shown, group.len())),
            false => shown.iter().for_each(|change| lines.extend(in_full(change))),
        }
    }
    if !rest.is_empty() {
        let names = fit(&safe_line(&rest.join(", ")), 200);
        let text = format!("… and {} more: {names}", rest.len());
        lines.push((SafeText::line(&text), Meaning::Dim));
    }
    lines
}

/// Whether two changes differ in nothing but their names. What is taken away as a whole is told by its name; of other
/// changes it is the difference that is approved.
fn alike(one: &Change, other: &Change) -> bool {
    let common = |change: &Change| {
        (
            change.verb.clone(),
            change.target.kind.clone(),
            change.target.scope.clone(),
            change.risk,
            change.inverse.is_some(),
        )
    };
    let gone = one.after.is_null() && other.after.is_null();
    let same = || differences(&one.before, &one.after) == differences(&other.before, &other.after);
    common(one) == common(other) && (gone || same())
}

/// A change over as many lines as it takes.
fn in_full(change: &Change) -> Vec<(SafeText, Meaning)> {
    let mut lines = vec![
        (SafeText::line(&change.summary), Meaning::Strong),
        (target_line(change), Meaning::Dim),
    ];
    lines.extend(differences(&change.before, &change.after));
    lines.push(match &change.inverse {
        Some(inverse) => (SafeText::line(&format!("  undo: {}", inverse.pipeline)), Meaning::Dim),
        None => ("  cannot be undone".into(), Meaning::StateWarn),
    });
    lines
}

/// Once what alike changes have in common, then a line each; `count` of them in all. The names come last: where there is
/// no room for all, what is done to them is still seen.
fn in_short(changes: &[Change], count: usize) -> Vec<(SafeText, Meaning)> {
    let Some(first) = changes.first() else {
        return Vec::new();
    };
    let summary = |change: &Change| (SafeText::line(&change.summary), Meaning::Strong);
    let common = format!(
        "{count} of kind {}{}  ({}, {})",
        first.target.kind,
        scope(first),
        first.verb,
        first.risk
    );
    let mut lines = vec![(SafeText::line(&common), Meaning::Dim)];
    if !first.after.is_null() {
        lines.extend(differences(&first.before, &first.after));
    }
    lines.push(match &first.inverse {
        Some(_) => ("  undo takes each of them back".into(), Meaning::Dim),
        None => ("  none of them can be undone".into(), Meaning::StateWarn),
    });
    lines.extend(changes.iter().map(summary));
    lines
}

fn scope(change: &Change) -> String {
    match change.target.scope.as_str() {
        "" => String::new(),
        scope => format!(" in {scope}"),
    }
}

fn target_line(change: &Change) -> SafeText {
    let (target, scope) = (&change.target, scope(change));
    SafeText::line(&format!(
        "  {} {}{scope}  ({}, {})",
        target.kind, target.name, change.verb, change.risk
    ))
}

/// `- path: old` and `+ path: new` for each leaf that differs, bounded.
fn differences(before: &Value, after: &Value) -> Vec<(SafeText, Meaning)> {
    let mut found = Vec::new();
    compare("", before, after, &mut found);
    let more = found.len().saturating_sub(SHOWN_DIFFERENCES);
    found.truncate(SHOWN_DIFFERENCES);
    if more > 0 {
        found.push((format!("  … {more} more lines").into(), Meaning::Dim));
    }
    found
}

fn compare(path: &str, before: &Value, after: &Value, found: &mut Vec<(SafeText, Meaning)>) {
    if before == after {
        return;
    }
    let nothing = serde_json::Map::new();
    let fields = match (before, after) {
        (Value::Object(old), Value::Object(new)) => Some((old, new)),
        (Value::Object(old), Value::Null) => Some((old, &nothing)),
        (Value::Null, Value::Object(new)) => Some((&nothing, new)),
        _ => None,
    };
    if let Some((old, new)) = fields {
        for key in old.keys().chain(new.keys().filter(|key| !old.contains_key(*key))) {
            let path = if path.is_empty() {
                key.clone()
            } else {
                format!("{path}.{key}")
            };
            let side = |map: &serde_json::Map<String, Value>| map.get(key).cloned().unwrap_or(Value::Null);
            compare(&path, &side(old), &side(new), found);
        }
        return;
    }
    let mut side = |sign: char, value: &Value, meaning| {
        if !value.is_null() {
            let name = if path.is_empty() {
                String::new()
            } else {
                format!("{path}: ")
            };
            let text = fit(
                &safe_line(&format!("  {sign} {name}{}", crate::core::record::to_text(value))),
                400,
            );
            found.push((SafeText::line(&text), meaning));
        }
    };
    side('-', before, Meaning::DiffRemove);
    side('+', after, Meaning::DiffAdd);
}

#[cfg(test)]
mod tests;
