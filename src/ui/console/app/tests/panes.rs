//! Panes: focus, keys on rows, blocks of the chat.

use super::*;
use crate::verb::Candidate;

#[test]
fn keys_on_rows_are_pipelines_in_the_chat_and_names_stay_data() {
    let mut desk = Desk::new();
    desk.screen(120, 40);
    desk.keys("<alt-2>j");
    let effects = desk.keys("<enter>");
    let [Effect::Start { line, origin, .. }] = effects.as_slice() else {
        panic!("one start")
    };
    assert_eq!(
        (line.as_str(), *origin),
        ("kubectl:describe 'web; rm -rf'", Origin::Key)
    );
    assert!(desk.shows(120, 40, "❯ kubectl:describe 'web; rm -rf'"));
    desk.keys("s");
    assert_eq!(desk.app.focus, Focus::Input);
    assert_eq!(desk.app.input.text(), "kubectl:scale 'web; rm -rf' ");
    desk.keys("<ctrl-u><up>");
    assert_eq!(
        desk.app.input.text(),
        "kubectl:describe 'web; rm -rf'",
        "in the history too"
    );
}

#[test]
fn panes_are_reached_by_number_tab_and_left_by_i_colon_and_esc() {
    let mut desk = Desk::new();
    for key in ["i", ":", "<esc>", "q"] {
        desk.keys("<alt-3>");
        assert_eq!(desk.app.focus, Focus::Pane(2));
        desk.keys(key);
        assert_eq!(desk.app.focus, Focus::Input, "{key}");
        desk.keys("<esc><ctrl-u>");
    }
    let mut seen = Vec::new();
    for _ in 0..7 {
        desk.keys("<tab>");
        seen.push(desk.app.focus);
    }
    use Focus::*;
    assert_eq!(seen, [Pane(1), Pane(2), Pane(3), Pane(4), Pane(5), Pane(0), Input]);
    desk.keys("<alt-9>");
    assert_eq!(desk.app.focus, Input, "there is no pane 9");
}

#[test]
fn the_change_just_made_turns_the_panels_to_it() {
    let mut desk = Desk::new();
    desk.start("kubectl:scale deploy inspector --replicas=3");
    let target = Target {
        kind: "Deployment".into(),
        scope: "default".into(),
        name: "inspector".into(),
    };
    desk.app.handle(Event::ActingOn(target.into()));
    assert!(desk.shows(120, 40, "rollout of inspector"));
}

#[test]
fn blocks_are_rerun_edited_and_copied_from_the_chat() {
    let mut desk = Desk::new();
    let block = desk.start("echo one");
    desk.item(block, json!({"line": "one", "source": "x"}));
    desk.end(block, 0);
    desk.keys("<alt-1>");
    assert!(matches!(desk.keys("y").as_slice(), [Effect::Copy(text, _)] if text == "one\n"));
    assert!(matches!(desk.keys("Y").as_slice(), [Effect::Copy(text, _)] if text == "echo one"));
    assert!(
        matches!(desk.keys(".").as_slice(), [Effect::Start { line, origin: Origin::Key, .. }] if line == "echo one")
    );
    desk.keys("e");
    assert_eq!(
        (desk.app.input.text().as_str(), desk.app.focus),
        ("echo one", Focus::Input)
    );
}

#[test]
fn a_keymap_file_binds_pipelines_to_rows_and_what_it_names_wrong_is_told() {
    let mut desk = Desk::new();
    let text = "name = 'mine'\n[rows.deployments]\n'X' = 'kubectl:delete deploy $name -n $namespace | head 1'\n[rows.pods]\n'X' = 'echo'\n[panels.dns]\nscal = 'K'\n[global]\n'alt-2' = 'pane-2'\n[panel]\n'j' = 'down'\n'm' = 'menu'\n'enter' = 'open'";
    let (keymap, remarks) = Keymap::parse(text).unwrap();
    assert_eq!(remarks, vec![]);
    desk.app.keymap = keymap;
    desk.app.take_keymap();
    assert!(desk.shows(120, 40, "line 7: unknown action of dns scal"));
    let told = |text: &str| desk.app.toasts.kept().any(|toast| toast.text.as_str().contains(text));
    assert!(told("line 5: unknown panel pods"));
    desk.keys("<alt-2>j");
    let effects = desk.keys("X");
    let [
        Effect::Start {
            line,
            origin: Origin::Key,
            ..
        },
    ] = effects.as_slice()
    else {
        panic!("a pipeline by key")
    };
    assert_eq!(line, "kubectl:delete deploy 'web; rm -rf' -n 'default' | head 1");
    desk.keys("m");
    assert!(desk.shows(120, 40, "kubectl:delete deploy $name"), "in the menu too");
    assert!(matches!(desk.keys("X").as_slice(), [Effect::Start { .. }]));
}

#[test]
fn a_panel_that_follows_a_change_out_of_sight_says_where_it_is() {
    let target = |name: &str| Target {
        kind: "Deployment".into(),
        scope: "default".into(),
        name: name.into(),
    };
    let mut desk = Desk::new();
    desk.screen(80, 24);
    desk.app.handle(Event::ActingOn(target("inspector").into()));
    assert!(desk.shows(80, 24, "Alt-2 shows deployments of inspector"));
    let mut desk = Desk::new();
    desk.screen(120, 40);
    desk.app.handle(Event::ActingOn(target("inspector").into()));
    assert!(!desk.shows(120, 40, "Alt-2 shows"), "it is in sight");
    // It shows it already, and nobody sees it.
    desk.screen(80, 24);
    desk.app.handle(Event::ActingOn(target("inspector").into()));
    assert!(desk.shows(80, 24, "Alt-2 shows deployments of inspector"));
}

#[test]
fn a_line_begun_on_a_row_is_given_up_with_esc_and_the_row_has_the_keys_again() {
    let mut desk = Desk::new();
    desk.keys("<alt-2>s");
    assert_eq!(
        (desk.app.input.text().as_str(), desk.app.focus),
        ("kubectl:scale inspector ", Focus::Input)
    );
    desk.keys("3<esc>");
    assert_eq!((desk.app.input.text().as_str(), desk.app.focus), ("", Focus::Pane(1)));
    // It can be had back, and what was being typed before it stands there again.
    desk.app.focus_pane(0);
    desk.keys("i<ctrl-_>");
    assert_eq!(desk.app.input.text(), "kubectl:scale inspector 3");
    desk.keys("<ctrl-c>echo draft<alt-2>s<esc>");
    assert_eq!(
        (desk.app.input.text().as_str(), desk.app.focus),
        ("echo draft", Focus::Pane(1))
    );
    desk.keys("i<ctrl-c><alt-2>");
    // One that was typed is nobody's: Esc leaves it as it is.
    desk.keys("s<ctrl-c>echo x<esc>");
    assert_eq!(
        (desk.app.input.text().as_str(), desk.app.focus),
        ("echo x", Focus::Input)
    );
    let mut desk = Desk::new();
    desk.app.keymap = Keymap::preset("vim").unwrap();
    desk.app.take_keymap();
    desk.keys("<alt-2>s<esc>");
    assert_eq!(desk.app.focus, Focus::Input, "vi's normal mode first");
    desk.keys("<esc>");
    assert_eq!((desk.app.input.text().as_str(), desk.app.focus), ("", Focus::Pane(1)));
}

#[test]
fn the_way_back_to_the_line_is_told_on_a_narrow_screen() {
    let mut desk = Desk::new();
    desk.keys("<alt-2>");
    assert!(desk.shows(40, 12, "m actions  i input"));
}

#[test]
fn a_line_to_go_on_with_ends_at_the_value_to_change() {
    use crate::ui::console::app::blocks::to_go_on;
    assert_eq!(
        to_go_on("kubectl:scale deploy x --replicas=1"),
        "kubectl:scale deploy x --replicas=1"
    );
    assert_eq!(to_go_on("kubectl:delete po x"), "kubectl:delete po x ");
    // A page goes on behind its address.
    assert_eq!(
        to_go_on("traffic:watch http://web.example/"),
        "traffic:watch http://web.example/"
    );
}

#[test]
fn a_bound_pipeline_runs_on_the_marked_row_and_on_no_other_when_several_are_marked() {
    let mut desk = Desk::new();
    let text = "name = 'mine'\n[rows.deployments]\n'X' = 'kubectl:delete deploy $name'\n[global]\n'alt-2' = 'pane-2'\n[panel]\n'j' = 'down'\n'space' = 'mark'";
    let (keymap, remarks) = Keymap::parse(text).unwrap();
    assert_eq!(remarks, vec![]);
    desk.app.keymap = keymap;
    desk.keys("<alt-2> j");
    let effects = desk.keys("X");
    assert!(
        matches!(effects.as_slice(), [Effect::Start { line, .. }] if line == "kubectl:delete deploy 'inspector'"),
        "the marked one, not the selected one"
    );
    desk.keys(" ");
    assert!(desk.keys("X").is_empty());
    assert!(desk.shows(120, 40, "this runs on one row, 2 are marked"));
}

#[test]
fn a_panel_that_stands_aside_is_subscribed_and_judged_when_somebody_goes_to_it() {
    let mut desk = Desk::with(Context::empty("sandbox"), &["deployments", "nodes"]);
    let opened =
        |desk: &Desk| -> Vec<bool> { desk.app.panels.iter().map(|panel| !panel.health().is_empty()).collect() };
    assert_eq!(opened(&desk), [true, false]);
    assert!(desk.screen(120, 40)[0].contains("k8s") && !desk.screen(120, 40)[0].contains("denied"));
    desk.keys(":nodes<enter>");
    assert_eq!(opened(&desk), [true, true]);
    assert!(desk.screen(120, 40)[0].contains("denied"));
    desk.keys("<esc>");
    assert!(!desk.screen(120, 40)[0].contains("denied"), "it is away again");
    // Another context is only asked for what is looked at.
    let catalogue = desk.app.catalogue.clone();
    desk.app
        .handle(Event::Session(Arc::new(Context::empty("other")), catalogue));
    assert_eq!(opened(&desk), [true, false]);
    let mut hidden = Arrangement::default();
    hidden.set_shown("deployments", false);
    let mut desk = Desk::arranged(&["deployments", "nodes"], hidden);
    assert_eq!(opened(&desk), [false, false]);
    desk.keys(":layout reset<enter>");
    assert_eq!(opened(&desk), [true, false]);
}

#[test]
fn where_one_pane_fills_the_screen_what_a_key_reads_is_shown_at_once_and_left_for_the_panel() {
    let mut desk = Desk::new();
    desk.screen(80, 24);
    for back in ["<esc>", "q"] {
        desk.keys("<alt-3>j");
        desk.screen(80, 24);
        let effects = desk.keys("<enter>");
        assert!(matches!(effects.as_slice(), [Effect::Start { .. }]));
        assert_eq!((desk.app.focus, desk.app.shown), (Focus::Pane(0), 0));
        assert!(desk.shows(80, 24, "❯ kubectl:describe 'web; rm -rf'"));
        assert!(desk.shows(80, 24, "back to rollout"));
        desk.keys(back);
        assert_eq!((desk.app.focus, desk.app.shown), (Focus::Pane(2), 2), "{back}");
        desk.keys(back);
        assert_eq!(desk.app.focus, Focus::Input, "{back}");
    }
    // Who goes somewhere else meanwhile is not brought back.
    desk.keys("<alt-3>");
    desk.screen(80, 24);
    desk.keys("<enter><alt-2><alt-1><esc>");
    assert_eq!(desk.app.focus, Focus::Input);
    // Beside the chat the keys stay where they are.
    desk.keys("<alt-3>");
    desk.screen(120, 40);
    desk.keys("<enter>");
    assert_eq!(desk.app.focus, Focus::Pane(2));
    // What changes something is looked at in the panel.
    desk.screen(80, 24);
    desk.keys("s<esc><ctrl-u><alt-3>");
    let change = Stage::new("kubectl:unknown").into();
    desk.screen(80, 24);
    desk.app.panel_effects(vec![PanelEffect::Run(change)]);
    assert_eq!(desk.app.focus, Focus::Pane(2));
    assert!(desk.shows(80, 24, "it runs in the chat: Alt-1"));
    let block = desk.app.chat.blocks().next_back().unwrap().id;
    desk.ask(block, Requirement::Enter);
    assert!(!desk.shows(80, 24, "it runs in the chat"), "the approval has the keys");
}

#[test]
fn a_pane_that_fills_the_screen_is_not_zoomed() {
    let mut desk = Desk::new();
    desk.screen(80, 24);
    desk.keys("<alt-2>z");
    assert!(!desk.app.zoomed);
    assert!(desk.shows(80, 24, "one pane fills the screen already"));
    desk.screen(120, 40);
    desk.keys("z");
    assert!(desk.app.zoomed);
    // The screen became narrow: nobody sees the zoom that q would take away.
    desk.screen(80, 24);
    desk.keys("q");
    assert_eq!((desk.app.focus, desk.app.zoomed), (Focus::Input, false));
}

#[test]
fn a_namespace_that_the_cluster_does_not_have_is_left_again() {
    struct Told;
    #[async_trait]
    impl crate::verb::Completer for Told {
        async fn complete(&self, _: crate::verb::CompletionRequest) -> Completion {
            unreachable!("the shell asks")
        }
    }
    let names = |names: &[&str]| -> Vec<Candidate> {
        let candidate = |name: &&str| Candidate {
            value: (*name).to_owned(),
            note: "Namespace".into(),
        };
        names.iter().map(candidate).collect()
    };
    let goes = |name: &str, told: &[&str]| {
        let mut desk = Desk::new();
        let get = Declaration::new("kubectl", "get", "lists objects");
        let get = Verb::read(get, Nothing).completed_by(Arc::new(Told));
        desk.app.catalogue = Arc::new(Catalogue::new([get]));
        let effects = desk.keys(&format!(":ns {name} <enter>"));
        let question = effects.iter().find_map(|effect| match effect {
            Effect::Complete(question, live) if live.request.positionals == ["namespaces"] => Some(*question),
            _ => None,
        });
        let namespace = |desk: &Desk| desk.app.context.kubernetes.namespace.clone();
        assert_eq!(namespace(&desk).as_deref(), Some(name), "at once");
        let answer = desk
            .app
            .handle(Event::Candidates(question.unwrap(), names(told).into()));
        let switched = answer.iter().any(|effect| matches!(effect, Effect::Switch(..)));
        assert_eq!(
            switched,
            namespace(&desk).as_deref() != Some(name),
            "the session goes along"
        );
        (namespace(&desk).unwrap(), desk)
    };
    let (namespace, mut desk) = goes("stagin", &["default", "staging"]);
    assert_eq!(namespace, "default");
    assert!(desk.shows(120, 40, "has no namespace stagin") && desk.shows(120, 40, "did you mean staging?"));
    for told in [&["default", "staging"][..], &[]] {
        let (namespace, desk) = goes("all", told);
        assert_eq!(namespace, "default", "lines run where they did: {told:?}");
        assert!(desk.app.context.kubernetes.everywhere);
    }
    let (namespace, desk) = goes("all", &["all", "default"]);
    assert!(
        namespace == "all" && !desk.app.context.kubernetes.everywhere,
        "one is called so"
    );
    for told in [&["default", "staging"][..], &[]] {
        let (namespace, mut desk) = goes("staging", told);
        assert_eq!(namespace, "staging", "nobody knows better: {told:?}");
        assert!(desk.shows(120, 40, "namespace staging"));
    }
}

#[test]
fn a_hint_too_long_for_the_line_leaves_its_place_to_shorter_ones() {
    let mut desk = Desk::new();
    desk.keys("<alt-1>");
    let hints: Vec<String> = (16..100).filter_map(|width| desk.screen(width, 24).pop()).collect();
    let has = |line: &String, word: &str| line.contains(word);
    assert!(
        hints.iter().any(|line| has(line, "rerun") && !has(line, "open/fold")),
        "{hints:#?}"
    );
    assert!(
        hints
            .last()
            .is_some_and(|line| has(line, "open/fold") && has(line, "rerun")),
        "{hints:#?}"
    );
}

#[test]
fn tabs_show_as_much_of_the_names_as_there_is_room_for() {
    let mut desk = Desk::new();
    let tabs = |desk: &mut Desk, width| desk.screen(width, 24)[1].trim_end().to_owned();
    assert_eq!(
        tabs(&mut desk, 80),
        "  1 chat  2 deployments 3  3 rollout 3  4 traffic 3  5 dns 3  6 ec2 3"
    );
    desk.keys("<alt-3>");
    assert_eq!(
        tabs(&mut desk, 50),
        "  1 chat 2 depl 3 rollout 3  4 traffic 5 dns 6 ec2"
    );
    assert_eq!(tabs(&mut desk, 30), "  1  2  3 rollout 3  4  5  6");
}

#[test]
fn a_keymap_file_that_changes_while_the_console_runs_leaves_all_other_keys_as_they_were() {
    let mut desk = Desk::new();
    let (keymap, remarks) = Keymap::parse("[panel]\n'f' = 'zoom'\n'm' = 'none'").unwrap();
    let dress = crate::ui::console::app::Dress {
        keymap: Some(keymap),
        remarks,
        ..Default::default()
    };
    desk.app.handle(Event::Dress(Box::new(dress)));
    assert!(desk.shows(120, 40, "read again: keymap"));
    desk.keys("<alt-2>f");
    assert!(desk.app.zoomed);
    desk.keys("fm");
    assert!(desk.app.overlay.is_none(), "m is unbound");
    desk.keys(":chat<enter>");
    assert_eq!(desk.app.focus, Focus::Pane(0));
    desk.keys("iecho one");
    assert!(matches!(desk.keys("<enter>").as_slice(), [Effect::Start { line, .. }] if line == "echo one"));
    assert!(matches!(desk.keys("<ctrl-c>").as_slice(), [Effect::Cancel(_)]));
}
