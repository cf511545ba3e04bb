//! Every key of every keymap does what its action says, in the part of the screen that binds it. The match over the
//! actions is complete: a new action does not compile before it is tested here.

use super::*;
use crate::ui::console::chat::block::Fold;
use crate::ui::console::keymap::{Key, Part};

/// A desk with answers in the chat, seen once.
fn desk(keymap: &Keymap) -> Desk {
    let mut desk = Desk::new();
    for word in ["one", "two", "three"] {
        let block = desk.start(&format!("kubectl:get deploy {word}"));
        for n in 0..20 {
            desk.item(block, json!({"line": format!("said {word} {n}"), "source": "x"}));
        }
        desk.end(block, 0);
    }
    // After what was typed under the default keys.
    desk.app.keymap = keymap.clone();
    desk.app.take_keymap();
    desk.screen(120, 40);
    desk
}

impl Desk {
    fn press(&mut self, key: Key) -> Vec<Effect> {
        let effects = self.app.handle(Event::Key(key.event()));
        self.screen(120, 40);
        effects
    }

    /// Presses the first key of an action.
    fn act(&mut self, part: Part, action: Action) -> Vec<Effect> {
        let key = self.app.keymap.key_of(part, action).expect("a key for it");
        self.press(key)
    }

    fn text(&self) -> String {
        self.app.input.text()
    }

    fn line_of(effects: &[Effect]) -> &str {
        match effects {
            [Effect::Start { line, .. }] => line,
            _ => "",
        }
    }

    fn chosen(&self) -> String {
        self.app
            .chat
            .selected()
            .map(|block| block.line.clone())
            .unwrap_or_default()
    }

    /// The row that the panel would act on.
    fn row(&mut self) -> String {
        Self::line_of(&self.act(Part::Panel, Action::Open)).to_owned()
    }
}

/// Presses the key where it is bound and says whether it did what its action is for.
fn does(keymap: &Keymap, part: Part, key: Key, action: Action) -> bool {
    let mut desk = desk(keymap);
    match part {
        Part::Chat => {
            desk.act(Part::Global, Action::Pane1);
        }
        Part::Panel => {
            desk.act(Part::Global, Action::Pane2);
        }
        Part::Popup => {
            desk.act(Part::Input, Action::Commands);
        }
        Part::Global | Part::Input => {}
    }
    let in_panel = part == Part::Panel;
    let focus = desk.app.focus;
    let typed = |desk: &mut Desk| {
        desk.keys("one two");
    };
    match action {
        Action::Help | Action::HelpWhenEmpty => desk.press(key).is_empty() && desk.app.help.is_some(),
        Action::Interrupt => {
            typed(&mut desk);
            desk.press(key).is_empty() && desk.text().is_empty()
        }
        Action::EndOfInput => {
            typed(&mut desk);
            let quits_early = quits(&desk.press(key));
            desk.act(Part::Input, Action::DeleteToStart);
            !quits_early && quits(&desk.press(key))
        }
        Action::Redraw => matches!(desk.press(key).as_slice(), [Effect::Redraw]),
        Action::Suspend => matches!(desk.press(key).as_slice(), [Effect::Suspend]),
        Action::Mouse => matches!(desk.press(key).as_slice(), [Effect::Mouse(false)]),
        Action::Transcript => {
            matches!(desk.press(key).as_slice(), [Effect::Transcript(text)] if text.contains("said two"))
        }
        Action::Bare => matches!(desk.press(key).as_slice(), [Effect::Mouse(false)]) && desk.app.bare,
        Action::Present => desk.press(key).is_empty() && desk.shows(120, 40, "nothing is presented"),
        Action::Back | Action::ToInput => desk.press(key).is_empty() && desk.app.focus == Focus::Input,
        Action::Prompt => desk.press(key).is_empty() && desk.text() == ":" && desk.app.popup.is_some(),
        Action::Find => desk.press(key).is_empty() && desk.app.finder.is_some(),
        Action::Menu => desk.press(key).is_empty() && desk.app.overlay.is_some(),
        Action::FindNext | Action::FindPrevious => {
            desk.act(Part::Chat, Action::Find);
            desk.keys("said<enter>");
            // From the newest match: upwards through its block, or around to the oldest one.
            for _ in 0..25 {
                desk.press(key);
                if !desk.chosen().ends_with("three") {
                    break;
                }
            }
            desk.chosen()
                .ends_with(if action == Action::FindNext { "two" } else { "one" })
        }
        Action::EditLine => {
            typed(&mut desk);
            matches!(desk.press(key).as_slice(), [Effect::EditLine(text)] if text == "one two")
        }
        Action::ToChat => desk.press(key).is_empty() && desk.app.focus == Focus::Pane(0),
        Action::NextPane | Action::PreviousPane => desk.press(key).is_empty() && desk.app.focus != focus,
        Action::Pane1
        | Action::Pane2
        | Action::Pane3
        | Action::Pane4
        | Action::Pane5
        | Action::Pane6
        | Action::Pane7
        | Action::Pane8
        | Action::Pane9 => {
            let pane = action.pane().unwrap();
            let there = if pane <= desk.app.panels.len() {
                Focus::Pane(pane)
            } else {
                focus
            };
            desk.press(key).is_empty() && desk.app.focus == there
        }
        Action::Wider | Action::Narrower | Action::Taller | Action::Shorter | Action::Earlier | Action::Later => {
            if in_panel {
                desk.act(Part::Global, Action::Pane3);
            }
            matches!(desk.press(key).as_slice(), [Effect::Remember(_)])
        }
        Action::Zoom => desk.press(key).is_empty() && desk.app.zoomed,
        Action::Up if in_panel => {
            desk.act(part, Action::Down);
            desk.press(key);
            desk.row() == "kubectl:describe inspector"
        }
        Action::Down if in_panel => {
            desk.press(key);
            desk.row() == "kubectl:describe 'web; rm -rf'"
        }
        Action::Last | Action::PageDown if in_panel => {
            desk.press(key);
            desk.row().contains("世界")
        }
        Action::First | Action::PageUp if in_panel => {
            desk.act(part, Action::Last);
            desk.press(key);
            desk.row() == "kubectl:describe inspector"
        }
        Action::Left | Action::Right if in_panel => {
            desk.press(key).is_empty() && desk.app.focus == focus && desk.row() == "kubectl:describe inspector"
        }
        Action::Up => desk.press(key).is_empty() && desk.chosen().ends_with("two"),
        Action::Down => {
            desk.act(part, Action::Up);
            desk.act(part, Action::Up);
            desk.press(key);
            desk.chosen().ends_with("two")
        }
        Action::First => desk.press(key).is_empty() && !desk.app.chat.follows(),
        Action::Last => {
            desk.act(part, Action::First);
            desk.press(key);
            desk.app.chat.follows()
        }
        Action::PageUp | Action::ScrollUp => {
            desk.screen(120, 15);
            desk.app.handle(Event::Key(key.event()));
            !desk.app.chat.follows()
        }
        Action::PageDown | Action::ScrollDown => {
            let up = if part == Part::Input {
                Action::ScrollUp
            } else {
                Action::PageUp
            };
            desk.screen(120, 15);
            let up = desk.app.keymap.key_of(part, up).unwrap();
            desk.app.handle(Event::Key(up.event()));
            let left = !desk.app.chat.follows();
            desk.app.handle(Event::Key(key.event()));
            left && desk.app.chat.follows()
        }
        Action::Left => {
            typed(&mut desk);
            desk.press(key);
            desk.app.input.cursor() == 6
        }
        // No part but panels binds it: the input has `right-or-accept`.
        Action::Right => false,
        Action::Open if in_panel => Desk::line_of(&desk.press(key)) == "kubectl:describe inspector",
        Action::Open => {
            desk.press(key);
            desk.app.chat.selected().is_some_and(|block| block.fold != Fold::Auto)
        }
        Action::Mark => desk.press(key).is_empty() && desk.shows(120, 40, "deployments 1 marked"),
        Action::Copy => {
            matches!(desk.press(key).as_slice(), [Effect::Copy(text, _)] if text.starts_with("said three 0\n"))
        }
        Action::CopyLine => {
            matches!(desk.press(key).as_slice(), [Effect::Copy(text, _)] if text == "kubectl:get deploy three")
        }
        Action::CopyJson if in_panel => {
            matches!(desk.press(key).as_slice(), [Effect::Copy(text, _)] if text.contains("\"name\": \"inspector\""))
        }
        Action::CopyTable => {
            matches!(desk.press(key).as_slice(), [Effect::Copy(text, _)] if text.starts_with("NAME          READY\ninspector     1/1\n"))
        }
        Action::CopyCell => {
            let asks = desk.press(key).is_empty() && desk.app.overlay.is_some();
            let wanted = if in_panel { "inspector" } else { "said three 19" };
            let copied = desk.act(Part::Panel, Action::Open);
            asks && matches!(copied.as_slice(), [Effect::Copy(text, _)] if text == wanted)
        }
        Action::CopyJson => matches!(desk.press(key).as_slice(), [Effect::CopyRecords(_)]),
        Action::Page => matches!(desk.press(key).as_slice(), [Effect::Page(text)] if text.contains("said three 19")),
        Action::Save => desk.press(key).is_empty() && desk.text().ends_with(" > file:"),
        Action::FilterBlock => desk.press(key).is_empty() && desk.text().ends_with(" | "),
        Action::Live => Desk::line_of(&desk.press(key)) == "kubectl:get deploy three --watch",
        Action::Rerun => Desk::line_of(&desk.press(key)) == "kubectl:get deploy three",
        Action::Edit => desk.press(key).is_empty() && desk.text() == "kubectl:get deploy three",
        Action::Stop => {
            desk.act(Part::Chat, Action::ToInput);
            desk.keys("kubectl:get deploy -w");
            desk.act(Part::Input, Action::Submit);
            desk.act(Part::Global, Action::Pane1);
            matches!(desk.press(key).as_slice(), [Effect::Cancel(_)])
        }
        Action::Submit => {
            typed(&mut desk);
            Desk::line_of(&desk.press(key)) == "one two"
        }
        Action::NewLine => {
            typed(&mut desk);
            desk.press(key).is_empty() && desk.text() == "one two\n"
        }
        Action::Complete => {
            let moved = desk.press(key).is_empty() && desk.app.focus != focus;
            desk.act(Part::Panel, Action::ToInput);
            desk.keys("hel");
            desk.press(key);
            moved && desk.text() == "help "
        }
        Action::Commands => desk.press(key).is_empty() && desk.app.popup.is_some(),
        Action::HistoryPrevious => desk.press(key).is_empty() && desk.text() == "kubectl:get deploy three",
        Action::HistoryNext => {
            desk.act(part, Action::HistoryPrevious);
            desk.act(part, Action::HistoryPrevious);
            desk.press(key);
            desk.text() == "kubectl:get deploy three"
        }
        Action::HistorySearch => desk.press(key).is_empty() && desk.app.input.search().is_some(),
        Action::HistoryFilter => {
            desk.act(part, Action::HistorySearch);
            desk.press(key);
            desk.shows(120, 40, "history here:")
        }
        Action::AcceptRight | Action::AcceptEnd => {
            desk.keys("kubectl:get d");
            desk.press(key);
            let taken = desk.text() == "kubectl:get deploy three";
            desk.act(part, Action::LineStart);
            desk.press(key);
            taken
                && desk.app.input.cursor()
                    == if action == Action::AcceptRight {
                        1
                    } else {
                        desk.text().len()
                    }
        }
        Action::LineStart => {
            typed(&mut desk);
            desk.press(key);
            desk.app.input.cursor() == 0
        }
        Action::WordLeft => {
            typed(&mut desk);
            desk.press(key);
            desk.app.input.cursor() == 4
        }
        Action::WordRight => {
            typed(&mut desk);
            desk.act(part, Action::LineStart);
            desk.press(key);
            (3..=4).contains(&desk.app.input.cursor())
        }
        Action::DeleteLeft => {
            typed(&mut desk);
            desk.press(key);
            desk.text() == "one tw"
        }
        Action::DeleteRight => {
            typed(&mut desk);
            desk.act(part, Action::LineStart);
            desk.press(key);
            desk.text() == "ne two"
        }
        Action::DeleteWordLeft => {
            typed(&mut desk);
            desk.press(key);
            desk.text() == "one "
        }
        Action::DeleteWordRight => {
            typed(&mut desk);
            desk.act(part, Action::LineStart);
            desk.press(key);
            desk.text().trim_start() == "two"
        }
        Action::DeleteToStart => {
            typed(&mut desk);
            desk.press(key);
            desk.text().is_empty()
        }
        Action::DeleteToEnd => {
            typed(&mut desk);
            desk.act(part, Action::LineStart);
            desk.press(key);
            desk.text().is_empty()
        }
        Action::InsertDeleted => {
            typed(&mut desk);
            desk.act(part, Action::DeleteWordLeft);
            desk.press(key);
            desk.text() == "one two"
        }
        Action::InsertDeletedBefore => {
            typed(&mut desk);
            desk.act(part, Action::DeleteWordLeft);
            desk.act(part, Action::DeleteWordLeft);
            desk.act(part, Action::InsertDeleted);
            desk.press(key);
            desk.text() == "two"
        }
        Action::InsertLastWord => {
            desk.press(key);
            let newest = desk.text() == "three";
            desk.press(key);
            newest && desk.text() == "two"
        }
        Action::Transpose => {
            typed(&mut desk);
            desk.press(key);
            desk.text() == "one tow"
        }
        Action::WordUpper | Action::WordLower | Action::WordCapital => {
            desk.keys("oNE two");
            desk.act(part, Action::LineStart);
            desk.press(key);
            desk.text()
                == match action {
                    Action::WordUpper => "ONE two",
                    Action::WordLower => "one two",
                    _ => "One two",
                }
        }
        Action::UndoEdit => {
            typed(&mut desk);
            desk.act(part, Action::DeleteLeft);
            desk.press(key);
            desk.text() == "one two"
        }
        Action::Cancel if part == Part::Popup => desk.press(key).is_empty() && desk.app.popup.is_none(),
        Action::Cancel => {
            desk.act(part, Action::HistorySearch);
            desk.press(key);
            desk.app.input.search().is_none()
        }
        Action::Accept => {
            desk.act(part, Action::NextCandidate);
            desk.press(key);
            desk.app.popup.is_none() && !desk.text().is_empty()
        }
        Action::NextCandidate | Action::PreviousCandidate => {
            desk.press(key);
            desk.app.popup.as_ref().is_some_and(|popup| popup.selected().is_some())
        }
    }
}

#[test]
fn every_key_of_every_keymap_does_what_its_action_says() {
    for name in Keymap::PRESETS {
        let keymap = Keymap::preset(name).unwrap();
        let mut failed = Vec::new();
        for (part, key, action) in keymap.bindings() {
            if !does(&keymap, part, key, action) {
                failed.push(format!("{} in {}: {}", key.label(), part.name(), action.name()));
            }
        }
        assert!(failed.is_empty(), "{name}: {failed:#?}");
    }
}

#[test]
fn every_action_has_a_key_in_some_keymap() {
    let keymaps = Keymap::PRESETS.iter().map(|name| Keymap::preset(name).unwrap());
    let bound: Vec<Action> = keymaps
        .flat_map(|keymap| keymap.bindings().map(|(.., action)| action).collect::<Vec<_>>())
        .collect();
    let missing: Vec<_> = Action::ALL.iter().filter(|action| !bound.contains(action)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
