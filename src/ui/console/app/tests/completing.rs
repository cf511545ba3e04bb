//! What the menu of a completion says and asks for while a line is typed.
use super::*;
use crate::verb::{Candidate, CompletionRequest};

/// A desk whose `kubectl:logs` asks somebody for names, and the question that these keys make of it.
fn asking(keys: &str) -> (Desk, Option<u64>) {
    struct Pods;
    #[async_trait]
    impl crate::verb::Completer for Pods {
        async fn complete(&self, _: CompletionRequest) -> Completion {
            unreachable!("the shell asks")
        }
    }
    let mut desk = Desk::new();
    let logs = Declaration::new("kubectl", "logs", "prints").positional(Positional::new(
        "pod",
        OptionKind::String,
        "which one",
    ));
    desk.app.catalogue = Arc::new(Catalogue::new([Verb::read(logs, Nothing).completed_by(Arc::new(Pods))]));
    let effects = desk.keys(keys);
    let question = asked(&effects).map(|(question, _)| question);
    (desk, question)
}

/// The question to a completer among effects, and what was typed of the word.
fn asked(effects: &[Effect]) -> Option<(u64, String)> {
    effects.iter().find_map(|effect| match effect {
        Effect::Complete(question, live) => Some((*question, live.request.prefix.clone())),
        _ => None,
    })
}

fn found(names: &[&str], more: bool, why: Option<&str>) -> Completion {
    let candidate = |name: &&str| Candidate {
        value: (*name).to_owned(),
        note: "Pod".to_owned(),
    };
    Completion {
        candidates: names.iter().map(candidate).collect(),
        more,
        why: why.map(str::to_owned),
    }
}

#[test]
fn the_menu_says_why_nothing_is_offered_and_tab_asks_again() {
    let (mut desk, question) = asking("kubectl:logs <tab>");
    let why = "not allowed: pods is forbidden\u{1b}]52;c;eA==\u{7}";
    desk.app
        .handle(Event::Candidates(question.unwrap(), found(&[], false, Some(why))));
    assert!(desk.shows(120, 40, "not allowed: pods is forbidden"));
    assert!(!desk.shows(120, 40, "nothing fits here"));
    assert!(!desk.shows(120, 40, "\u{1b}"), "it is the server's text");
    let again = asked(&desk.keys("<tab>"));
    assert!(again.is_some(), "it may be allowed by now");
    desk.app
        .handle(Event::Candidates(again.unwrap().0, found(&["web-1"], false, None)));
    assert_eq!(desk.app.input.text(), "kubectl:logs web-1 ");
}

#[test]
fn what_a_large_namespace_had_no_room_for_is_asked_for_as_it_is_typed() {
    let (mut desk, question) = asking("kubectl:logs <tab>");
    let first = found(&["a-1", "a-2"], true, None);
    desk.app.handle(Event::Candidates(question.unwrap(), first));
    assert_eq!(
        desk.app.input.text(),
        "kubectl:logs ",
        "a part of all agrees in nothing"
    );
    let (question, prefix) = asked(&desk.keys("z")).expect("what z begins was not told");
    assert_eq!(prefix, "z");
    assert!(asked(&desk.keys("-")).is_none(), "one question at a time");
    let late = desk
        .app
        .handle(Event::Candidates(question, found(&["z-1"], false, None)));
    assert!(asked(&late).is_none(), "z is all told: z- is narrower");
    assert!(desk.shows(120, 40, "z-1"));
    assert_eq!(
        desk.app.input.text(),
        "kubectl:logs z-",
        "typing is not finished by a menu"
    );
    let (_, prefix) = asked(&desk.keys("<bs><bs>")).expect("what is shorter was not asked for");
    assert_eq!(prefix, "");
}
