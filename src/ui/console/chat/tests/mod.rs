//! The chat without a console: blocks that ran, drawn into a buffer.

mod folding;
mod look;
mod reading;
mod search;

use jiff::tz::TimeZone;
use std::time::Duration;

use serde_json::json;

use super::block::State;
use super::*;
use crate::core::report::Report;
use crate::ui::console::ports::Ended;
use crate::ui::panel::Theme;
use crate::verb::{Item, View};

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

fn item(text: &str) -> Item {
    Item {
        record: json!({"line": text, "source": "x"}),
        view: None,
    }
}

fn ended(exit_code: u8) -> Ended {
    Ended {
        exit_code,
        report: None,
        elapsed: Duration::from_millis(310),
    }
}

fn run(chat: &mut Chat, line: &str, lines: usize) -> u64 {
    let id = chat.open(line.to_owned(), Arc::new(Context::empty("sandbox")), NOW);
    chat.change(id, |block| {
        block.number = Some(id);
        block.become_state(State::Running);
        for n in 0..lines {
            block.push(&item(&format!("line {n} of {line}")));
        }
        block.end(&ended(0));
    });
    chat.trim();
    id
}

static USER: std::sync::LazyLock<SafeText> = std::sync::LazyLock::new(|| "maria".into());

fn look(theme: &Theme) -> Look<'_> {
    Look {
        width: 60,
        theme,
        latest: false,
        selected: false,
        unread: false,
        to_blocks: None,
        user: &USER,
        now: NOW + Duration::from_secs(38),
        zone: const { &TimeZone::UTC },
    }
}

fn draw(chat: &mut Chat, width: u16, height: u16) -> Vec<String> {
    let theme = Theme::plain();
    let area = Rect::new(0, 0, width, height);
    let mut buffer = Buffer::empty(area);
    chat.draw(area, &mut buffer, &Look { width, ..look(&theme) });
    crate::ui::panel::testing::rows(&buffer)
}
