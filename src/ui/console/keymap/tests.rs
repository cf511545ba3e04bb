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
    assert_eq!(keymap.panel_key("dns", &check).map(Key::label).as_deref(), Some("K"));
    assert_eq!(keymap.panel_key("ec2", &check).map(Key::label).as_deref(), Some("c"));
}

fn key(name: &str) -> Key {
    Key::parse(name).unwrap()
}

/// What is the same in both, but for these keys.
fn differs_only_in(keymap: &Keymap, preset: &str, keys: &[(Part, &str)]) {
    let keys: Vec<_> = keys.iter().map(|(part, name)| (*part, key(name))).collect();
    let others = |keymap: &Keymap| -> Vec<(Part, Key, Action)> {
        let all = keymap.bindings();
        all.filter(|(part, key, _)| !keys.contains(&(*part, *key))).collect()
    };
    assert_eq!(others(keymap), others(&Keymap::preset(preset).unwrap()));
}

#[test]
fn a_file_changes_single_keys_of_the_preset_it_inherits_from() {
    let (keymap, remarks) = Keymap::parse("[panel]\n'ctrl-x' = 'zoom'\n'j' = 'up'\n'z' = 'none'").unwrap();
    assert_eq!(remarks, vec![]);
    assert_eq!(keymap.action(Part::Panel, key("ctrl-x")), Some(Action::Zoom));
    assert_eq!(keymap.action(Part::Panel, key("j")), Some(Action::Up));
    assert_eq!(keymap.action(Part::Panel, key("z")), None);
    assert_eq!(
        keymap.key_of(Part::Panel, Action::Zoom),
        Some(key("ctrl-x")),
        "hints follow"
    );
    let panel = |name| (Part::Panel, name);
    differs_only_in(&keymap, "default", &[panel("ctrl-x"), panel("j"), panel("z")]);
    assert!(!keymap.has_vi());
    let (keymap, remarks) = Keymap::parse("inherits = 'vim'\n[chat]\n'a' = 'none'").unwrap();
    assert_eq!(remarks, vec![]);
    assert!(keymap.has_vi());
    differs_only_in(&keymap, "vim", &[(Part::Chat, "a")]);
    let (keymap, _) = Keymap::parse("inherits = 'vim'\nvi = false").unwrap();
    assert!(!keymap.has_vi());
}

#[test]
fn an_unknown_preset_and_a_key_that_was_never_bound_are_remarks() {
    let (keymap, remarks) = Keymap::parse("inherits = 'vin'\n[chat]\n'f2' = 'none'\n'f1' = 'none'").unwrap();
    let hints: Vec<_> = remarks
        .iter()
        .map(|remark| remark.hint.as_deref().unwrap_or_default())
        .collect();
    assert_eq!(hints[0], "did you mean vim?");
    assert_eq!(hints[1], "");
    assert!(hints[2].contains("[global]"), "{hints:?}");
    differs_only_in(&keymap, "default", &[]);
}

#[test]
fn stopping_leaving_running_and_the_way_to_the_line_cannot_be_lost() {
    let lost = [
        "[global]\n'ctrl-c' = 'none'\n[input]\n'ctrl-d' = 'none'\n'enter' = 'none'\n[chat]\n':' = 'none'\n[panel]\n':' = 'none'",
        "[global]\n'ctrl-c' = 'zoom'\n[input]\n'ctrl-d' = 'left'\n'enter' = 'left'\n[chat]\n':' = 'up'\n[panel]\n':' = 'up'",
        // Keys that are taken before the part is asked.
        "[global]\n'ctrl-c' = 'redraw'\n'ctrl-d' = 'redraw'\n'enter' = 'mouse'\n':' = 'present'",
        // One may not be saved by taking another's key.
        "[global]\n'ctrl-c' = 'none'\n'ctrl-d' = 'interrupt'\n'enter' = 'bare'\n':' = 'bare'",
        "[global]\n'ctrl-c' = 'redraw'\n'enter' = 'bare'\n':' = 'bare'\n[input]\n'ctrl-c' = 'end-of-input'\n'ctrl-d' = 'left'",
    ];
    for text in lost {
        for inherits in ["", "inherits = 'vim'\n"] {
            let (keymap, remarks) = Keymap::parse(&format!("{inherits}{text}")).unwrap();
            assert_eq!(
                keymap.own(Part::Global, key("ctrl-c")),
                Some(Action::Interrupt),
                "{text}"
            );
            for (part, name, action) in [
                (Part::Input, "ctrl-d", Action::EndOfInput),
                (Part::Input, "enter", Action::Submit),
                (Part::Chat, ":", Action::Prompt),
                (Part::Panel, ":", Action::Prompt),
            ] {
                assert_eq!(keymap.own(part, key(name)), Some(action), "{text}");
                let first = keymap.own(Part::Global, key(name));
                assert!(
                    first.is_none_or(|first| !first.comes_first()),
                    "{text}: {name} is {first:?}"
                );
            }
            assert!(!remarks.is_empty(), "{text}");
            assert!(
                remarks.iter().all(|remark| remark.code == "E-KEYMAP-005"),
                "{remarks:?}"
            );
        }
    }
    let (keymap, remarks) = Keymap::parse("[global]\n'ctrl-c' = 'none'\n'f9' = 'interrupt'").unwrap();
    assert_eq!(remarks, vec![], "it has another key");
    assert_eq!(keymap.own(Part::Global, key("ctrl-c")), None);
}

#[test]
fn a_panels_own_key_can_be_taken_away_and_two_meanings_of_one_key_are_told() {
    let actions = || {
        vec![
            crate::ui::panel::Action::new("describe", 'd', "describe"),
            crate::ui::panel::Action::new("delete", 'D', "delete"),
        ]
    };
    let panels = [("pods", actions()), ("nodes", actions())];
    let told = |text: &str| -> Vec<String> {
        let (keymap, remarks) = Keymap::parse(text).unwrap();
        assert_eq!(remarks, vec![], "{text}");
        keymap
            .check_panels(&panels)
            .into_iter()
            .map(|remark| remark.message)
            .collect()
    };
    let (keymap, remarks) = Keymap::parse("[panels.pods]\ndelete = 'none'").unwrap();
    assert_eq!(remarks, vec![]);
    assert_eq!(keymap.panel_key("pods", &panels[0].1[1]), None);
    assert_eq!(keymap.panel_key("nodes", &panels[1].1[1]), Some(key("D")));
    assert_eq!(told("[panels.pods]\ndelete = 'none'"), [""; 0]);
    assert_eq!(told("[panels.pods]\ndescribe = 'ctrl-x'"), [""; 0]);
    assert_eq!(
        told("[panels.pods]\ndescribe = 'j'"),
        ["j in pods is both describe and down"]
    );
    assert_eq!(
        told("[panels.pods]\ndescribe = 'D'"),
        ["D in pods is both describe and delete"]
    );
    assert_eq!(
        told("[panel]\n'd' = 'zoom'"),
        ["d is not zoom everywhere: it is describe in pods, describe in nodes"]
    );
    assert_eq!(told("[panel]\n'ctrl-x' = 'zoom'"), [""; 0]);
    let (_, remarks) = Keymap::parse("[panels.pods]\ndelete = 'nnoe'").unwrap();
    assert_eq!(remarks.len(), 1, "unknown, and told where");
}

#[test]
fn what_is_wrong_about_a_panel_is_told_with_its_line() {
    let describe = crate::ui::panel::Action::new("describe", 'd', "describe");
    let text = [
        "[panel]",
        "'d' = 'zoom'",
        "[rows.podz]",
        "'ctrl-x' = 'kubectl:delete po $name'",
        "'ctrl-y' = 'kubectl:delete po $nme'",
        "[panels.podz]",
        "describe = 'x'",
        "[panels.pods]",
        "descrbe = 'x'",
        "describe = 'j'",
    ];
    let (keymap, remarks) = Keymap::parse(&text.join("\n")).unwrap();
    let lines = |remarks: &[Report]| -> Vec<(usize, String)> {
        let place = |remark: &Report| remark.place.as_ref().unwrap().line();
        remarks
            .iter()
            .map(|remark| (place(remark), remark.message.clone()))
            .collect()
    };
    assert_eq!(lines(&remarks), [(5, "unknown fact of a row nme".to_owned())]);
    let remarks = keymap.check_panels(&[("pods", vec![describe]), ("nodes", vec![describe])]);
    let wanted = [
        (4, "unknown panel podz"),
        (9, "unknown action of pods descrbe"),
        (10, "j in pods is both describe and down"),
        (2, "d is not zoom everywhere: it is describe in nodes"),
    ];
    assert_eq!(
        lines(&remarks),
        wanted.map(|(line, message)| (line, message.to_owned()))
    );
}
