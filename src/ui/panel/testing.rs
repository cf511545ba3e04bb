//! For tests of panels and the console: what a drawing reads like, and feeds that the test fills.

use std::sync::Arc;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use unicode_width::UnicodeWidthStr;

use super::{Effect, Panel, Theme};
use crate::core::context::Context;
use crate::feed::{FeedKey, HealthState, Hub, Subscription};
use crate::lang::print;

/// The rows of a buffer as text without blanks at the end; a wide character counts once.
pub fn rows(buffer: &Buffer) -> Vec<String> {
    let area = buffer.area;
    (area.top()..area.bottom())
        .map(|y| {
            let mut row = String::new();
            let mut x = area.left();
            while x < area.right() {
                let symbol = buffer[(x, y)].symbol();
                row.push_str(symbol);
                x += u16::try_from(symbol.width().max(1)).unwrap();
            }
            row.trim_end().to_owned()
        })
        .collect()
}

/// A panel's rows at a size, drawn with the plain theme and focused.
pub fn panel_rows(panel: &mut dyn Panel, width: u16, height: u16, now: jiff::Timestamp) -> Vec<String> {
    let area = Rect::new(0, 0, width, height);
    let mut buffer = Buffer::empty(area);
    panel.draw(area, &mut buffer, &Theme::plain(), true, now);
    rows(&buffer)
}

/// What effects ask to be run, as lines; none of them may be another one.
pub fn pipelines(effects: &[Effect]) -> Vec<String> {
    let line = |effect: &Effect| match effect {
        Effect::Run(pipeline) => print(pipeline),
        other => panic!("{other:?}"),
    };
    effects.iter().map(line).collect()
}

/// Compares a committed schema, by its path in the repository, with what it is made from.
/// `COGDECK_WRITE_SCHEMAS=1` writes it instead.
pub fn is_committed(path: &str, schema: &serde_json::Value) {
    let wanted = format!("{}\n", serde_json::to_string_pretty(schema).unwrap());
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("COGDECK_WRITE_SCHEMAS").is_some() {
        std::fs::write(&file, &wanted).unwrap();
    }
    assert!(
        std::fs::read_to_string(&file).unwrap() == wanted,
        "{path} is out of date: COGDECK_WRITE_SCHEMAS=1 cargo test schema"
    );
}

/// The same as one text, at the beginning of time.
pub fn panel_text(panel: &mut dyn Panel, width: u16, height: u16) -> String {
    panel_rows(panel, width, height, jiff::Timestamp::UNIX_EPOCH).join("\n")
}

/// A live feed that has these rows, by their keys, instead of what polls or watches.
pub fn filled<R: Send + Sync + 'static>(
    hub: &Hub,
    context: &Arc<Context>,
    kind: &str,
    rows: impl IntoIterator<Item = (String, R)>,
) -> Subscription<R> {
    let key = FeedKey {
        context: context.clone(),
        kind: kind.to_owned(),
    };
    hub.subscribe(key, |source, _| {
        source.write(|table| rows.into_iter().for_each(|(key, row)| table.upsert(key, row)));
        source.set_health(HealthState::Live, None);
    })
}
