//! What stands above the pods of one rollout: state and sentence, the plan in numbers, the gates, the two bars, the
//! cause.

use std::time::Duration;

use ratatui::text::{Line, Span};

use super::feeds::One;
use super::traffic::Measured;
use crate::core::text::SafeText;
use crate::features::kubernetes::rollout::{Cause, Gate, GateState, RolloutView, SetView, Standing, gates};
use crate::ui::panel::widgets::bar::{Fill, Part, bar};
use crate::ui::panel::widgets::wrap;
use crate::ui::panel::{Meaning, Theme, Tone};

/// Width of a bar's label: `new 2.0.0`.
const LABEL: usize = 16;
/// Earlier templates shown, the newest of them.
const OLD_SHOWN: usize = 3;
/// Lines a cause may take at the cost of gates and plan; beyond them only where nothing else is.
const CAUSE_LINES: usize = 3;
/// Lines that pods want at least: the header and two of them.
const PODS: usize = 3;
/// Lines that pods have before the plan has one: the header and as many pods as three that roll have at once.
const ENOUGH_PODS: usize = 5;
/// From this many columns on a bar says more than its counts.
const ROOMY: u16 = 70;

/// What decides how it looks besides the rollout.
pub struct Look<'a> {
    /// The theme.
    pub theme: &'a Theme,
    /// Columns.
    pub columns: u16,
    /// Rows, those of the pods included.
    pub rows: u16,
    /// Since the view was made: the deadline comes nearer meanwhile.
    pub passed: Duration,
    /// What a running watch tells.
    pub traffic: Option<Measured>,
}

/// The lines. Where there are few, the plan goes first, then the gates.
pub fn lines(one: &One, look: &Look<'_>) -> Vec<Line<'static>> {
    let view = &one.view;
    let (theme, columns) = (look.theme, look.columns);
    let whole = whole(view);
    let nothing = SetView {
        version: "-".to_owned(),
        ..SetView::default()
    };
    let skipped = view.old.len().saturating_sub(OLD_SHOWN);
    let old = view
        .old
        .iter()
        .skip(skipped)
        .chain(view.old.is_empty().then_some(&nothing));
    let new = [("new", view.new.as_ref().unwrap_or(&nothing), Meaning::StateNew)];
    let sets = new.into_iter().chain(old.map(|set| ("old", set, Meaning::StateOld)));
    let sets: Vec<_> = sets
        .map(|(name, set, meaning)| (name, set, meaning, counts(view, set, look)))
        .collect();
    let widest = sets.iter().map(|(.., counts)| counts.len()).max().unwrap_or(0);
    let room = usize::from(columns).saturating_sub(LABEL + widest).min(40);
    let set_line = |(name, set, meaning, counts): (&str, &SetView, Meaning, String)| {
        set_line(name, set, meaning, counts, (room, whole), theme)
    };
    let bars: Vec<Line<'static>> = sets.into_iter().map(set_line).collect();
    let (mut cause, serving) = (cause(view, theme, columns, usize::MAX), still_serving(view, theme));
    let gates = gate_lines(view, look);
    // What still works has its line within those of the cause, so that a low panel shows both.
    let least = cause.len().min(CAUSE_LINES - usize::from(serving.is_some()));
    let fixed = 1 + bars.len() + least + usize::from(serving.is_some());
    let mut room = usize::from(look.rows).saturating_sub(fixed + PODS);
    let mut lines = vec![state_line(one, theme, columns)];
    let gates = if gates.len() <= room { gates } else { Vec::new() };
    room -= gates.len();
    let pods = (view.pods.len() + 1).clamp(PODS, ENOUGH_PODS);
    let plan = (room > pods - PODS).then(|| plan(view, theme));
    let taken = fixed + gates.len() + usize::from(plan.is_some()) + (view.pods.len() + 1).max(PODS);
    let rows = least + usize::from(look.rows).saturating_sub(taken);
    if cause.len() > rows {
        cause = self::cause(view, theme, columns, rows);
    }
    lines.extend(plan);
    lines.extend(gates);
    lines.extend(bars);
    lines.extend(cause);
    lines.extend(serving);
    lines
}

/// What bars are full at: the pods wanted, and while there are more than those, as many as there are.
pub fn whole(view: &RolloutView) -> u64 {
    let current: i64 = view.new.iter().chain(&view.old).map(|set| set.current).sum();
    u64::try_from(view.replicas.max(current)).unwrap_or(0)
}

fn state_line(one: &One, theme: &Theme, columns: u16) -> Line<'static> {
    let (tone, word) = &one.state;
    let state = theme.state(*tone, word);
    let room = usize::from(columns).saturating_sub(state.width());
    let rest = match one.view.stuck() {
        // Not kubectl's sentence: it says what is waited for, as if it would come.
        Some(_) => format!(": {}", one.view.serving()),
        None => format!("  {}", sentence(&one.view)),
    };
    let sentence = SafeText::line(&rest).fit(room);
    Line::from(vec![state, theme.span(&sentence, Meaning::Text)])
}

fn plan(view: &RolloutView, theme: &Theme) -> Line<'static> {
    let plan = format!(
        "{} wanted  +{} surge  -{} unavailable",
        view.replicas, view.surge, view.unavailable
    );
    Line::from(theme.span(&SafeText::line(&plan), Meaning::Dim))
}

/// kubectl's sentence without the deployment's name, which the title has already.
fn sentence(view: &RolloutView) -> &str {
    let whole = view.progress.sentence();
    whole.split_once(" rollout to finish: ").map_or(whole, |(_, rest)| rest)
}

/// `✓ updated 3 of 3  ~ available 2 of 3  ~ deadline 9m left`, over as many lines as it takes.
fn gate_lines(view: &RolloutView, look: &Look<'_>) -> Vec<Line<'static>> {
    let standing = Standing {
        deadline_left: view.standing.deadline_left.map(|left| left.saturating_sub(look.passed)),
        ..view.standing.clone()
    };
    let (traffic, foreign) = match &look.traffic {
        Some(Measured::Own { traffic, .. }) => (Some(*traffic), None),
        Some(Measured::Foreign { url, why }) => (None, Some(format!("traffic of {url} is not counted: {why}"))),
        None => (None, None),
    };
    let mut spans: Vec<Span<'static>> = gates(&standing, traffic)
        .iter()
        .map(|gate| gate_span(gate, replaces(view), look.theme, look.columns))
        .collect();
    let room = usize::from(look.columns).saturating_sub(2);
    spans.extend(foreign.map(|text| look.theme.state(Tone::Neutral, &SafeText::line(&text).fit_middle(room))));
    let mut lines: Vec<Line<'static>> = Vec::new();
    for span in spans {
        match lines.last_mut() {
            Some(line) if line.width() + 2 + span.width() <= usize::from(look.columns) => {
                line.spans.push(Span::raw("  "));
                line.spans.push(span);
            }
            _ => lines.push(Line::from(span)),
        }
    }
    lines
}

/// Whether pods of an earlier template are there: what counts the new ones only has to say so, or it reads as an outage.
fn replaces(view: &RolloutView) -> bool {
    view.old.iter().any(|set| set.current > 0)
}

fn gate_span(gate: &Gate, replaces: bool, theme: &Theme, columns: u16) -> Span<'static> {
    let tone = match gate.state {
        GateState::Passed => Tone::Ok,
        GateState::Waiting => Tone::Progress,
        GateState::Failed => Tone::Bad,
    };
    let room = usize::from(columns).saturating_sub(2);
    let whose = match gate.name {
        "ready" | "available" if replaces => "new ",
        _ => "",
    };
    theme.state(
        tone,
        &SafeText::line(&format!("{whose}{} {}", gate.name, gate.detail)).fit(room),
    )
}

/// ` 2/3 ready`, and where there is room how much of what is asked now this version answers.
fn counts(view: &RolloutView, set: &SetView, look: &Look<'_>) -> String {
    let ready = format!(" {}/{} ready", set.ready, set.desired);
    let Some(Measured::Own { versions, .. }) = look.traffic.as_ref().filter(|_| look.columns >= ROOMY) else {
        return ready;
    };
    let all: usize = versions.values().sum();
    let same = |other: &&SetView| other.version == set.version;
    // Two templates of one version answer alike.
    if all == 0 || view.new.iter().chain(&view.old).filter(same).count() != 1 {
        return ready;
    }
    let own = versions.get(&set.version).copied().unwrap_or(0);
    format!("{ready}  answers {own} of {all}")
}

/// `new 2.0.0       [████▒▒····] 2/3 ready`.
fn set_line(
    name: &str,
    set: &SetView,
    meaning: Meaning,
    counts: String,
    (room, whole): (usize, u64),
    theme: &Theme,
) -> Line<'static> {
    let parts = parts(set, meaning);
    let label = SafeText::line(&format!("{name} {}", set.version)).fit(LABEL - 1);
    let label = format!("{label}{}", " ".repeat(LABEL.saturating_sub(label.width())));
    let mut spans = vec![Span::styled(label, theme.style(meaning))];
    spans.extend(bar(theme, u16::try_from(room).unwrap_or(0), whole, &parts).spans);
    spans.push(Span::styled(counts, theme.style(Meaning::Text)));
    Line::from(spans)
}

/// Pods of a set in a bar: those that are ready, those on their way.
pub fn parts(set: &SetView, meaning: Meaning) -> [Part; 2] {
    let amount = |number: i64| u64::try_from(number).unwrap_or(0);
    let ready = amount(set.ready);
    [
        Part {
            amount: ready,
            fill: Fill::Full,
            meaning,
        },
        Part {
            amount: amount(set.current).saturating_sub(ready),
            fill: Fill::Part,
            meaning,
        },
    ]
}

/// `✗ ErrImagePull web-2-n1: the registry's words`.
pub fn cause_text(cause: &Cause, theme: &Theme) -> SafeText {
    let place = match cause.pod.is_empty() {
        true => String::new(),
        false => format!(" {}", cause.pod),
    };
    let message = match cause.message.is_empty() {
        true => String::new(),
        false => format!(": {}", cause.message),
    };
    SafeText::line(&format!(
        "{} {}{place}{message}",
        theme.glyphs.of(Tone::Bad),
        cause.reason
    ))
}

/// All that is known of it, over as many lines as it takes; its middle is left out where these are too many: a message of
/// several causes has the last one, which is the reason, at its end.
fn cause(view: &RolloutView, theme: &Theme, columns: u16, rows: usize) -> Vec<Line<'static>> {
    let Some(cause) = &view.cause else { return Vec::new() };
    let mut room = usize::from(columns).saturating_mul(rows);
    let mut text = cause_text(cause, theme).fit_middle(room);
    let mut pieces = wrap(text.as_str(), columns);
    // Words that are not parted leave some of the room empty.
    while pieces.len() > rows && room > 0 {
        room = room.saturating_sub(4);
        text = text.fit_middle(room);
        pieces = wrap(text.as_str(), columns);
    }
    pieces.truncate(rows);
    let styled = |piece| Line::from(Span::styled(piece, theme.style(Meaning::StateBad)));
    pieces.into_iter().map(styled).collect()
}

/// What a failed change did not break, so that nobody acts in a hurry: `the old 3/3 still serve`.
fn still_serving(view: &RolloutView, theme: &Theme) -> Option<Line<'static>> {
    view.cause.as_ref()?;
    let sum = |count: fn(&SetView) -> i64| view.old.iter().map(count).sum::<i64>();
    let (ready, desired) = (sum(|set| set.ready), sum(|set| set.desired));
    let text = SafeText::line(&format!("the old {ready}/{desired} still serve"));
    (ready > 0).then(|| Line::from(theme.state(Tone::Ok, &text)))
}
