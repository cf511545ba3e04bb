//! Several contexts shown at once.

use super::*;

fn context(name: &str) -> Arc<Context> {
    Arc::new(Context::empty(name))
}

/// A desk in `sandbox`, with `staging` beside it.
fn two() -> Desk {
    let mut desk = Desk::with(Context::empty("sandbox"), &["deployments", "nodes"]);
    desk.app
        .handle(Event::Contexts(context("sandbox"), vec![context("staging")]));
    desk
}

#[test]
fn several_are_completed_one_after_the_other() {
    let desk = Desk::with(Context::empty("sandbox"), &["deployments"]);
    let offers = |text: &str| {
        let gathered = desk.app.places(text, text.len()).unwrap();
        let names: Vec<String> = gathered.offers.iter().map(|offer| offer.insert.clone()).collect();
        (gathered.span.start, gathered.prefix, names)
    };
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    assert_eq!(
        offers(":ctx s"),
        (5, "s".to_owned(), names(&["sandbox", "staging", "*"]))
    );
    assert_eq!(offers(":ctx sandbox,st"), (13, "st".to_owned(), names(&["staging"])));
    assert_eq!(offers(":ctx x,"), (7, String::new(), names(&["sandbox", "staging"])));
    let mut desk = desk;
    let effects = desk.keys(":ctx sandbox,staging<enter>");
    assert!(matches!(effects.as_slice(), [Effect::UseContexts(names)] if names == "sandbox,staging"));
}

#[test]
fn the_status_line_never_leaves_out_that_changes_are_refused() {
    let mut desk = two();
    let many: Vec<_> = (0..3).map(|n| context(&format!("cluster-{n}"))).collect();
    let mut own = Context::empty("sandbox");
    own.read_only = true;
    own.kubernetes.namespace = Some("a-namespace-with-a-long-name".into());
    desk.app.handle(Event::Contexts(Arc::new(own), many));
    for columns in 60..=140 {
        let top = desk.screen(columns, 24)[0].clone();
        assert!(top.contains("! read-only"), "{columns}: {top}");
        let (others, user) = (top.contains("+ cluster-2"), top.contains("operator"));
        assert!(others || !user, "the user last: {columns}: {top}");
    }
}

#[test]
fn the_status_line_names_where_lines_run_first_and_the_others_or_their_number() {
    let mut desk = two();
    assert!(
        desk.screen(120, 40)[0].starts_with(" sandbox + staging "),
        "{:?}",
        desk.screen(120, 40)[0]
    );
    let mut prod = Context::empty("eu-1");
    prod.production = true;
    let many = (0..20)
        .map(|n| context(&format!("cluster-{n}")))
        .chain([Arc::new(prod)]);
    desk.app.handle(Event::Contexts(context("sandbox"), many.collect()));
    assert!(
        desk.screen(80, 24)[0].starts_with(" sandbox + 21 PROD "),
        "{:?}",
        desk.screen(80, 24)[0]
    );
    // A block's end changes nothing, another context of the session's everything.
    let catalogue = desk.app.catalogue.clone();
    desk.app.handle(Event::Session(context("sandbox"), catalogue.clone()));
    assert_eq!(desk.app.beside.len(), 21);
    desk.app.handle(Event::Session(context("other"), catalogue));
    assert!(desk.app.beside.is_empty());
}

#[test]
fn a_namespace_is_that_of_all_contexts_shown() {
    let mut desk = two();
    let effects = desk.keys(":ns kube-system<enter>");
    let [Effect::Switch(own, beside)] = effects.as_slice() else {
        panic!("all are switched")
    };
    for (context, name) in [own].into_iter().chain(beside).zip(["sandbox", "staging"]) {
        assert_eq!(context.name, name);
        assert_eq!(context.kubernetes.namespace.as_deref(), Some("kube-system"));
    }
    assert_eq!(desk.app.beside, *beside);
}

#[test]
fn rows_of_several_contexts_are_read_and_not_changed() {
    let mut desk = two();
    let on = |verb: &str| {
        let pipeline = crate::lang::ast::Pipeline::from(Stage::new(verb).arg("web"));
        vec![
            PanelEffect::Run(pipeline.clone()),
            PanelEffect::Run(pipeline.in_context("staging")),
        ]
    };
    let effects = desk.app.panel_effects(on("kubectl:describe"));
    let lines: Vec<&str> = effects
        .iter()
        .map(|effect| match effect {
            Effect::Start { line, .. } => line.as_str(),
            _ => panic!("two lines start"),
        })
        .collect();
    assert_eq!(lines, ["kubectl:describe web", "@staging kubectl:describe web"]);
    assert!(desk.app.panel_effects(on("kubectl:scale")).is_empty());
    assert!(desk.shows(160, 40, "one context at a time for changes"));
    let one = on("kubectl:scale").split_off(1);
    assert_eq!(
        desk.app.panel_effects(one).len(),
        1,
        "a change in one context is asked about there"
    );
}

#[test]
fn an_approval_says_in_which_context() {
    let mut prod = Context::empty("staging");
    prod.production = true;
    let mut desk = Desk::new();
    let block = desk.start("@staging kubectl:delete deploy inspector");
    desk.ask_in(block, Requirement::Enter, Arc::new(prod));
    assert!(desk.shows(120, 40, "approve 1 change in PROD staging, class "));
    let mut desk = two();
    let block = desk.start("kubectl:delete deploy inspector");
    desk.ask(block, Requirement::Enter);
    assert!(
        desk.shows(120, 40, "approve 1 change in sandbox, class "),
        "there are others"
    );
}

#[test]
fn all_namespaces_are_shown_and_lines_run_where_they_did() {
    let mut desk = Desk::new();
    for typed in [":ns *<enter>", ":ns all<enter>"] {
        let effects = desk.keys(typed);
        let [Effect::Switch(context, _)] = effects.as_slice() else {
            panic!("{typed}: the panels show something else")
        };
        assert!(context.kubernetes.everywhere);
        assert_eq!(context.kubernetes.namespace.as_deref(), Some("default"), "of lines");
        assert!(desk.shows(120, 40, "all namespaces in the panels; lines run in default"));
        assert!(desk.screen(120, 40)[0].contains("default + * "));
        desk.keys(":ns kube-system<enter>");
        assert!(!desk.app.context.kubernetes.everywhere && !desk.screen(120, 40)[0].contains('*'));
        desk.keys(":ns default<enter>");
    }
    desk.keys(":ns <tab>");
    assert_eq!(desk.app.input.text().trim_end(), ":ns *", "offered");
}

/// A row's object may lie in another namespace than the one in which its line would run.
#[test]
fn a_pipeline_of_the_keymap_runs_on_a_row_of_all_namespaces_only_where_it_names_its_own() {
    for (pipeline, runs) in [
        ("kubectl:describe $name", false),
        ("kubectl:get deploy $name -n $namespace", true),
    ] {
        let mut desk = Desk::new();
        let (keymap, _) = Keymap::parse(&format!("name = 'mine'\n[rows.deployments]\n'X' = '{pipeline}'")).unwrap();
        desk.app.keymap = keymap;
        desk.app.take_keymap();
        desk.keys(":ns *<enter><alt-2>");
        assert_eq!(!desk.keys("X").is_empty(), runs, "{pipeline}");
        assert_eq!(desk.shows(120, 40, "does not name $namespace"), !runs, "{pipeline}");
    }
}

#[test]
fn rows_of_several_namespaces_are_not_changed_by_one_key() {
    let mut desk = Desk::new();
    let lines = |verb: &str| {
        ["blue", "green"]
            .map(|name| PanelEffect::Run(Stage::new(verb).arg(name).into()))
            .to_vec()
    };
    assert_eq!(desk.app.panel_effects(lines("kubectl:describe")).len(), 2);
    assert!(desk.app.panel_effects(lines("kubectl:scale")).is_empty());
    assert!(desk.shows(160, 40, "one namespace at a time"));
}
