use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::*;

#[test]
fn the_presets_have_no_remarks_and_every_part_and_know_the_same_actions() {
    let sources = [
        include_str!("../../../../keymaps/default.toml"),
        include_str!("../../../../keymaps/vim.toml"),
    ];
    for (name, source) in Keymap::PRESETS.iter().zip(sources) {
        let (keymap, remarks) = Keymap::parse(source).unwrap();
        assert_eq!(remarks, vec![], "{name}");
        for part in Part::ALL {
            assert!(!keymap.help(part).is_empty(), "{name} {part:?}");
        }
        for (part, action) in [
            (Part::Panel, Action::Find),
            (Part::Panel, Action::Menu),
            (Part::Panel, Action::Prompt),
            (Part::Panel, Action::Back),
            (Part::Chat, Action::FindNext),
            (Part::Chat, Action::Rerun),
            (Part::Global, Action::Present),
            (Part::Global, Action::Interrupt),
        ] {
            assert!(keymap.key_of(part, action).is_some(), "{name}: {action:?} in {part:?}");
        }
    }
}

#[test]
fn in_vim_keys_esc_leaves_the_input_for_the_chat_and_declines_and_gives_up() {
    let keymap = Keymap::preset("vim").unwrap();
    let escape = Key::parse("esc").unwrap();
    assert_eq!(keymap.action(Part::Input, escape), Some(Action::ToChat));
    assert_eq!(keymap.action(Part::Popup, escape), Some(Action::Cancel));
    assert_eq!(keymap.action(Part::Panel, escape), Some(Action::Back));
}

#[test]
fn keys_read_and_print() {
    let cases = [
        ("ctrl-c", "^C"),
        ("alt-1", "Alt-1"),
        ("shift-tab", "Shift-Tab"),
        ("f1", "F1"),
        ("?", "?"),
        ("ctrl-space", "^Space"),
        ("pageup", "PgUp"),
        ("alt-enter", "Alt-Enter"),
        ("G", "G"),
        ("-", "-"),
    ];
    for (text, label) in cases {
        assert_eq!(Key::parse(text).map(Key::label).as_deref(), Some(label));
    }
    for text in ["", "hyper-x", "ctrl-", "ff", "f999"] {
        assert_eq!(Key::parse(text), None, "{text}");
    }
}

#[test]
fn terminals_that_send_other_codes_mean_the_same_key() {
    let key = |code, modifiers| Key::from(KeyEvent::new(code, modifiers));
    assert_eq!(
        Some(key(KeyCode::BackTab, KeyModifiers::SHIFT)),
        Key::parse("shift-tab")
    );
    assert_eq!(Some(key(KeyCode::Null, KeyModifiers::NONE)), Key::parse("ctrl-space"));
    assert_eq!(Some(key(KeyCode::Char('G'), KeyModifiers::SHIFT)), Key::parse("G"));
    assert_eq!(key(KeyCode::Char('G'), KeyModifiers::SHIFT).typed(), Some('G'));
    assert_eq!(key(KeyCode::Char('c'), KeyModifiers::CONTROL).typed(), None);
}

#[test]
fn unknown_names_are_reported_with_the_nearest_and_the_rest_counts() {
    let (keymap, remarks) = Keymap::parse(
        "name = 'mine'\n[global]\n'ctrl-q' = 'interupt'\n'ctrl-x' = 'help'\n'hyper-x' = 'help'\n[panels.dns]\ncheck = 'K'",
    )
    .unwrap();
    assert_eq!(remarks.len(), 2);
    assert_eq!(remarks[0].hint.as_deref(), Some("did you mean interrupt?"));
    assert_eq!(
        keymap.action(Part::Panel, Key::parse("ctrl-x").unwrap()),
        Some(Action::Help)
    );
    let check = crate::ui::panel::Action::new("check", 'c', "check");
    assert_eq!(keymap.panel_key("dns", &check).label(), "K");
    assert_eq!(keymap.panel_key("ec2", &check).label(), "c");
}
