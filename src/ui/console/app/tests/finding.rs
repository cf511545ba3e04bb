//! Finding and going: filters of panels, searches of the chat, the colon's places, the mouse.

use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};

use super::*;

fn mouse(desk: &mut Desk, kind: MouseEventKind, column: u16, row: u16) -> Vec<Effect> {
    desk.app.handle(Event::Mouse(MouseEvent {
        kind,
        column,
        row,
        modifiers: KeyModifiers::NONE,
    }))
}

const CLICK: MouseEventKind = MouseEventKind::Down(MouseButton::Left);

#[test]
fn a_filter_takes_effect_with_every_key_stays_after_enter_and_goes_with_esc() {
    let mut desk = Desk::new();
    desk.keys("<alt-2>/web");
    let screen = desk.screen(120, 40).join("\n");
    assert!(screen.contains("filter deployments: /web"), "{screen}");
    assert_eq!(
        screen.matches("inspector").count(),
        4,
        "three other panels and the welcome: {screen}"
    );
    let effects = desk.keys("<enter><enter>");
    let [Effect::Start { line, .. }] = effects.as_slice() else {
        panic!("the row that is left is acted on")
    };
    assert_eq!(line, "kubectl:describe 'web; rm -rf'");
    desk.keys("<esc>");
    assert_eq!(desk.app.focus, Focus::Pane(1), "the first Esc shows all again");
    assert!(desk.screen(120, 40).join("\n").matches("web; rm -rf").count() > 4);
    desk.keys("<esc>");
    assert_eq!(desk.app.focus, Focus::Input);
}

#[test]
fn what_is_pasted_into_a_filter_is_looked_for_and_its_other_lines_are_not() {
    let mut desk = Desk::new();
    desk.keys("<alt-2>/w");
    assert!(
        desk.app
            .handle(Event::Paste("eb\nkubectl:delete po x\n".into()))
            .is_empty()
    );
    assert_eq!(
        (desk.app.focus, desk.app.panels[0].filter_text()),
        (Focus::Pane(1), "web")
    );
    assert!(desk.app.input.is_empty());
}

#[test]
fn a_line_that_stands_there_makes_room_for_a_colon_and_can_be_had_back() {
    let mut desk = Desk::new();
    desk.keys("kubectl:delete po x<alt-2>:");
    assert_eq!(desk.app.input.text(), ":");
    assert!(desk.shows(120, 40, "what stood in the line is put away: ^_ brings it back"));
    desk.keys("<ctrl-_>");
    assert_eq!(desk.app.input.text(), "kubectl:delete po x");
}

#[test]
fn letters_typed_into_a_filter_are_no_keys() {
    let mut desk = Desk::new();
    assert!(desk.keys("<alt-2>/sqz?:.<ctrl-c>").is_empty());
    assert_eq!(desk.app.focus, Focus::Pane(1));
    assert!(desk.app.panels[0].filter_text().is_empty() && !desk.app.zoomed);
}

#[test]
fn the_chat_is_searched_and_left_as_it_was() {
    let mut desk = Desk::new();
    for word in ["one", "two", "three"] {
        let block = desk.start(&format!("echo {word}"));
        desk.item(block, json!({"line": format!("said {word}"), "source": "x"}));
        desk.end(block, 0);
    }
    desk.screen(120, 40);
    desk.keys("<alt-1>/said<enter>");
    assert!(desk.shows(120, 40, "/said in 3 blocks"));
    assert_eq!(desk.app.chat.selected().unwrap().line, "echo three");
    desk.keys("nn");
    assert_eq!(desk.app.chat.selected().unwrap().line, "echo one");
    desk.keys("N");
    assert_eq!(desk.app.chat.selected().unwrap().line, "echo two");
    desk.keys("<esc>");
    assert!(!desk.app.chat.is_searching());
}

#[test]
fn the_colon_goes_to_panes_kinds_namespaces_and_contexts() {
    let mut desk = Desk::new();
    desk.keys(":traffic<enter>");
    assert_eq!(desk.app.focus, Focus::Pane(3));
    desk.keys("<esc>:deploy<enter>");
    assert_eq!(desk.app.focus, Focus::Pane(1), "kubectl's short name");
    desk.keys("<esc>:roll<enter>");
    assert_eq!(desk.app.focus, Focus::Pane(2), "a beginning that is no other's");
    desk.keys("<esc>:4<enter>");
    assert_eq!(desk.app.focus, Focus::Pane(3), "the number in the title");
    let effects = desk.keys("i:configmaps<enter>");
    assert!(matches!(effects.as_slice(), [Effect::Start { line, .. }] if line == "kubectl:get configmaps"));
    let effects = desk.keys(":nodes 'a;b'<enter>");
    assert!(
        matches!(effects.as_slice(), [Effect::Start { line, .. }] if line == r#"kubectl:get nodes '\'a;b\''"# || line.contains("a;b")),
        "words are arguments"
    );
    let effects = desk.keys(":ns kube-system<enter>");
    let [Effect::Switch(context, _)] = effects.as_slice() else {
        panic!("a context with another namespace")
    };
    assert_eq!(context.kubernetes.namespace.as_deref(), Some("kube-system"));
    assert!(desk.screen(120, 40)[0].contains("kube-system"));
    assert!(matches!(desk.keys(":ctx staging<enter>").as_slice(), [Effect::UseContexts(name)] if name == "staging"));
    assert!(desk.keys(":ctx<enter>").is_empty());
    assert!(desk.shows(120, 40, "ctx NAME: sandbox  staging"));
    assert!(quits(&Desk::new().keys(":q<enter>")));
}

#[test]
fn a_slip_in_the_name_of_a_pane_is_no_kind() {
    let mut desk = Desk::new();
    assert!(desk.keys(":depoyments<enter>").is_empty());
    assert!(desk.shows(120, 40, "no pane depoyments  did you mean deployments?"));
    let effects = desk.keys(":ds<enter>");
    assert!(
        matches!(effects.as_slice(), [Effect::Start { line, .. }] if line == "kubectl:get ds"),
        "a short name of a kind, though it is near to dns"
    );
}

#[test]
fn the_colon_offers_its_places() {
    let mut desk = Desk::new();
    desk.keys(":");
    assert!(desk.shows(120, 40, "steps through a script"), "from the input line too");
    desk.keys("<esc><ctrl-u><alt-2>:");
    assert!(desk.shows(120, 40, "another namespace: ns NAME"));
    desk.keys("tra<tab><enter>");
    assert_eq!(desk.app.input.text(), ":traffic");
    desk.keys("<ctrl-u>:ctx st<tab>");
    assert_eq!(desk.app.input.text(), ":ctx staging");
}

#[test]
fn clicks_focus_select_and_open_and_the_wheel_moves_what_is_below_it() {
    let mut desk = Desk::new();
    let screen = desk.screen(120, 40);
    let row = screen.iter().position(|row| row.contains("web; rm -rf")).unwrap();
    let before = screen[row].split("web; rm").next().unwrap();
    let column = before.chars().count();
    let (column, row) = (u16::try_from(column).unwrap(), u16::try_from(row).unwrap());
    assert!(mouse(&mut desk, CLICK, column, row).is_empty());
    assert_eq!(desk.app.focus, Focus::Pane(1));
    let effects = desk.keys("<enter>");
    assert!(matches!(effects.as_slice(), [Effect::Start { line, .. }] if line.contains("web; rm -rf")));
    desk.screen(120, 40);
    mouse(&mut desk, CLICK, 5, 38);
    assert_eq!(desk.app.focus, Focus::Input, "the input line");
    mouse(&mut desk, MouseEventKind::ScrollDown, column, row);
    assert_eq!(desk.app.focus, Focus::Input, "the wheel takes no focus");
    let narrow = desk.screen(80, 24);
    let tab = u16::try_from(narrow[1].find("3 rollout").unwrap()).unwrap();
    mouse(&mut desk, CLICK, tab, 1);
    assert_eq!(desk.app.focus, Focus::Pane(2));
}

#[test]
fn an_error_was_seen_by_who_clicks_or_turns_the_wheel_but_not_by_a_pointer_that_moves() {
    let acts = [CLICK, MouseEventKind::ScrollDown, MouseEventKind::ScrollUp];
    for (kind, seen) in acts
        .map(|kind| (kind, true))
        .into_iter()
        .chain([(MouseEventKind::Moved, false)])
    {
        let mut desk = Desk::new();
        desk.app.handle(Event::Tell("the link is lost".into(), Tone::Bad));
        desk.clock.advance(Duration::from_secs(60));
        desk.app.tick();
        assert!(desk.shows(120, 40, "the link is lost"), "nobody may have looked");
        mouse(&mut desk, kind, 20, 20);
        assert!(desk.shows(120, 40, "the link is lost"), "a moment longer");
        desk.clock.advance(Duration::from_secs(60));
        desk.app.tick();
        assert_eq!(desk.shows(120, 40, "the link is lost"), !seen, "{kind:?}");
    }
}

#[test]
fn the_menu_names_every_action_and_does_the_chosen_one() {
    let mut desk = Desk::new();
    desk.keys("<alt-2>m");
    assert!(desk.shows(120, 40, "actions: Enter does it"));
    desk.keys("jk<enter>");
    assert_eq!(desk.app.input.text(), "kubectl:scale inspector ");
    desk.keys("<ctrl-u><alt-2>mz");
    assert!(
        !desk.app.zoomed && !desk.shows(120, 40, "actions: Enter"),
        "any other key closes it"
    );
    desk.keys("ms");
    assert_eq!(desk.app.input.text(), "kubectl:scale inspector ", "its own key");
}

#[test]
fn a_click_does_not_answer_an_approval() {
    let mut desk = Desk::new();
    let block = desk.start("kubectl:delete x");
    desk.ask(block, Requirement::Enter);
    desk.screen(120, 40);
    for row in 0..40 {
        assert!(mouse(&mut desk, CLICK, 10, row).is_empty());
    }
    assert!(desk.app.approval().is_some());
}

#[test]
fn a_right_click_selects_and_opens_the_menu_and_starts_nothing() {
    let mut desk = Desk::new();
    let screen = desk.screen(120, 40);
    let row = screen.iter().position(|row| row.contains("web; rm -rf")).unwrap();
    let column = screen[row].split("web; rm").next().unwrap().chars().count();
    let (column, row) = (u16::try_from(column).unwrap(), u16::try_from(row).unwrap());
    mouse(&mut desk, CLICK, column, row);
    desk.screen(120, 40);
    let blocks = desk.app.chat.blocks().count();
    let right = MouseEventKind::Down(MouseButton::Right);
    assert!(mouse(&mut desk, right, column, row).is_empty());
    assert_eq!(desk.app.chat.blocks().count(), blocks, "no block that never runs");
    assert!(desk.shows(120, 40, "actions: Enter does it"));
    desk.keys("<enter>");
    assert_eq!(desk.app.input.text(), "kubectl:scale 'web; rm -rf' ");
}

#[test]
fn esc_on_a_line_begun_on_another_row_after_the_first_brings_back_what_was_typed_before_both() {
    let mut desk = Desk::new();
    desk.keys("echo draft<alt-2>s<alt-2><down>s");
    assert!(desk.app.input.text().contains("web; rm -rf"));
    desk.keys("<esc>");
    assert_eq!(desk.app.input.text(), "echo draft");
}

#[test]
fn esc_leaves_the_colon_and_what_nothing_is_called_is_refused() {
    let mut desk = Desk::new();
    desk.keys(":the<esc>");
    assert_eq!((desk.app.input.text().as_str(), desk.app.popup.is_none()), ("", true));
    desk.keys(":deplx");
    assert!(desk.shows(120, 40, "nothing fits"), "the menu says so");
    desk.keys("<esc>");
    assert!(desk.app.input.is_empty());
    // No answer of the cluster yet: it is asked for the kind.
    assert!(matches!(desk.keys(":thedig<enter>").as_slice(), [Effect::Start { .. }]));
    struct Kinds(Rows);
    impl Panel for Kinds {
        fn id(&self) -> &str {
            "objects"
        }
        fn title(&self) -> SafeText {
            self.0.title()
        }
        fn open(&mut self, context: &Arc<Context>) {
            self.0.open(context);
        }
        fn close(&mut self) {
            self.0.close();
        }
        fn version(&self) -> u64 {
            self.0.version()
        }
        fn health(&self) -> Vec<Sourced> {
            self.0.health()
        }
        fn key(&mut self, key: PanelKey) -> Vec<PanelEffect> {
            self.0.key(key)
        }
        fn visit(&mut self, _: &str) -> bool {
            true
        }
        fn lacks(&self, word: &str, context: &Arc<Context>) -> Option<Vec<String>> {
            let has = word == "configmaps" || (word == "secretz" && context.name == "beside");
            (!has).then(|| vec!["configmaps".to_owned(), "secrets".to_owned()])
        }
        fn draw(&mut self, area: Rect, buffer: &mut Buffer, theme: &Theme, focused: bool, now: Timestamp) {
            self.0.draw(area, buffer, theme, focused, now);
        }
    }
    desk.app
        .panels
        .push(Box::new(Kinds(Rows::new("objects", Arc::default()))));
    desk.app.registered.push("objects".to_owned());
    desk.app.focus = Focus::Input;
    assert!(
        desk.keys(":secretz inspector<enter>").is_empty(),
        "no line for what there is not"
    );
    assert!(desk.shows(120, 40, "there is no pane, place or kind secretz"));
    assert!(desk.keys(":secret<enter>").is_empty());
    assert!(desk.shows(120, 40, "did you mean secrets?"));
    assert_eq!(desk.app.focus, Focus::Input);
    // What may be new, or is no single kind, is the server's to refuse.
    for line in [":widgets one", ":secretz/one two", ":secretz,configmap one"] {
        let effects = desk.keys(&format!("{line}<enter>"));
        assert!(matches!(effects.as_slice(), [Effect::Start { .. }]), "{line}");
    }
    desk.app.beside = vec![Arc::new(Context::empty("beside"))];
    let effects = desk.keys(":secretz one<enter>");
    assert!(
        matches!(effects.as_slice(), [Effect::Start { .. }]),
        "a context beside has it"
    );
    desk.app.beside.clear();
    desk.keys(":configmaps<enter>");
    assert_eq!(desk.app.focus, Focus::Pane(6), "a kind there is");
}

#[test]
fn the_theme_is_changed_behind_the_colon() {
    let mut desk = Desk::new();
    desk.keys(":theme mo<tab>");
    assert_eq!(desk.app.input.text().trim_end(), ":theme mono");
    let effects = desk.keys("<enter>");
    assert!(matches!(effects.as_slice(), [Effect::Wear(name)] if name == "mono"));
    desk.keys(":theme<enter>");
    desk.app
        .handle(Event::Chosen(Box::new(Theme::preset("mono").unwrap()), Vec::new()));
    assert!(desk.shows(120, 40, "theme mono is worn"));
    desk.keys(":theme<enter>");
    assert!(desk.shows(120, 40, "mono is worn; :theme NAME of terminal-16, dark"));
    desk.keys(":ctx<enter>");
    let all = desk.app.toasts.shown().map(|(_, all)| all);
    assert_eq!(all, Some(2), "the answer to the line before has gone");
    // The file of the theme worn before was saved, or the terminal told its background.
    let dark = || Theme::preset("dark").unwrap();
    let dress = Dress {
        theme: Some(dark()),
        ..Dress::default()
    };
    desk.app.handle(Event::Dress(Box::new(dress)));
    desk.app.handle(Event::Wear(Box::new(dark())));
    assert_eq!(desk.app.theme.name, "mono");
}

#[test]
fn a_click_on_a_line_of_a_menu_or_of_the_offers_chooses_it_and_the_wheel_goes_through_them() {
    let place = |desk: &mut Desk, text: &str| {
        let rows = desk.screen(120, 40);
        let row = rows.iter().position(|row| row.contains(text)).unwrap();
        let before = rows[row].split(text).next().unwrap_or_default();
        (
            u16::try_from(before.chars().count()).unwrap(),
            u16::try_from(row).unwrap(),
        )
    };
    let mut desk = Desk::new();
    desk.keys("<alt-2>m");
    let (column, row) = place(&mut desk, "  scale");
    mouse(&mut desk, CLICK, column + 2, row);
    assert_eq!(desk.app.input.text(), "kubectl:scale inspector ");

    desk.keys("<ctrl-u><alt-2>m");
    desk.screen(120, 40);
    mouse(&mut desk, MouseEventKind::ScrollDown, column, row);
    assert!(
        desk.shows(120, 40, "actions: Enter does it"),
        "the wheel leaves it open"
    );
    mouse(&mut desk, CLICK, 0, 0);
    assert!(
        !desk.shows(120, 40, "actions: Enter does it"),
        "a click beside it closes it"
    );

    desk.keys("i:");
    let (column, row) = place(&mut desk, "takes a pinned pipeline away");
    mouse(&mut desk, CLICK, column, row);
    assert_eq!(
        desk.app.input.text().trim_end(),
        ":unpin",
        "the offer under the pointer"
    );
    desk.keys("<ctrl-u>:");
    let (column, row) = place(&mut desk, "takes a pinned pipeline away");
    mouse(&mut desk, MouseEventKind::ScrollDown, column, row);
    assert!(desk.app.popup.as_ref().is_some_and(|popup| popup.selected().is_some()));
    let focus = desk.app.focus;
    mouse(&mut desk, CLICK, 0, 0);
    assert!(
        desk.app.popup.is_none() && desk.app.focus == focus,
        "closed, and nothing else"
    );
}
