//! What an approval shows, what it wants typed, and when it counts.

use super::*;
use crate::core::change::{Inverse, Target};
use serde_json::json;

fn plan(names: &[&str]) -> Plan {
    let change = |name: &&str| Change {
        verb: "kubectl:scale".into(),
        summary: format!("scale deployment/{name} 1 → 3"),
        target: Target {
            kind: "Deployment".into(),
            scope: "default".into(),
            name: (*name).into(),
        },
        before: json!({"spec": {"replicas": 1, "paused": false}}),
        after: json!({"spec": {"replicas": 3, "paused": false}}),
        precondition: Value::Null,
        request: Value::Null,
        risk: Risk::Change,
        inverse: Some(Inverse {
            pipeline: "kubectl:scale deploy x --replicas=1".into(),
            expects: Value::Null,
        }),
        recovery: false,
    };
    Plan {
        changes: names.iter().map(change).collect(),
    }
}

const START: Timestamp = Timestamp::UNIX_EPOCH;

fn answer(requirement: Requirement, typed: &str, after: Duration) -> Option<Decision> {
    let mut approval = Approval::new(plan(&["web"]), requirement, false, START);
    for symbol in typed.chars() {
        let step = match symbol {
            '\n' => Step::Confirm,
            '\u{1b}' => Step::Decline,
            '\u{8}' => Step::Erase,
            other => Step::Type(other),
        };
        if let Some(decision) = approval.step(step, START + after) {
            return Some(decision);
        }
    }
    None
}

#[test]
fn the_table_of_answers() {
    let yes = Some(Decision::Approved(plan(&["web"]).digest()));
    let no = Some(Decision::Declined("declined by the operator".into()));
    let (later, at_once) = (LOOK, Duration::from_millis(10));
    let name = || Requirement::Name("web".into());
    let cases = [
        (Requirement::Enter, "\n", later, yes.clone()),
        (Requirement::Enter, "\n", at_once, None),
        (Requirement::Enter, "y", later, None),
        (Requirement::Enter, "\u{1b}", at_once, no.clone()),
        (name(), "\n", later, None),
        (name(), "we\n", later, None),
        (name(), "web\n", at_once, yes.clone()),
        (name(), "wex\u{8}b\n", later, yes.clone()),
        (name(), "we\nb\n", later, yes.clone()),
        (name(), "web\u{1b}", later, no),
        (Requirement::Count(7), "6\n", later, None),
        (Requirement::Count(7), "7\n", later, yes),
    ];
    for (index, (requirement, typed, after, wanted)) in cases.into_iter().enumerate() {
        assert_eq!(answer(requirement, typed, after), wanted, "case {index}");
    }
}

#[test]
fn b10_a_secret_is_typed_unseen_and_an_empty_one_is_none() {
    let mut asked = Approval::secret("--secret of cogdeck:bundle-config-set".into(), START);
    assert!(asked.wants_text() && asked.step(Step::Confirm, START).is_none());
    assert!(asked.prompt(["Enter", "Esc"]).0.as_str().contains("first"));
    "tok-12x"
        .chars()
        .for_each(|symbol| drop(asked.step(Step::Type(symbol), START)));
    asked.step(Step::Erase, START);
    let shown = format!(
        "{:?} {:?} {:?}",
        asked.title(),
        asked.lines(),
        asked.prompt(["Enter", "Esc"])
    );
    assert!(
        shown.contains("bundle-config-set") && shown.contains("••••••\"") && !shown.contains("tok"),
        "{shown}"
    );
    let given = asked.step(Step::Confirm, START);
    assert_eq!(given, Some(Decision::Given(Secret::new("tok-12"))));
    assert!(!format!("{given:?}").contains("tok-12"));
    let declined = Approval::secret("x".into(), START).step(Step::Decline, START);
    assert!(matches!(declined, Some(Decision::Declined(_))));
}

#[test]
fn the_plan_shows_target_difference_and_inverse_only() {
    let approval = Approval::new(plan(&["web"]), Requirement::Enter, false, START);
    let lines: Vec<String> = approval
        .lines()
        .iter()
        .map(|(text, _)| text.as_str().to_owned())
        .collect();
    assert_eq!(
        lines,
        [
            "scale deployment/web 1 → 3",
            "  Deployment web in default  (kubectl:scale, change)",
            "  - spec.replicas: 1",
            "  + spec.replicas: 3",
            "  undo: kubectl:scale deploy x --replicas=1",
        ]
    );
}

#[test]
fn alike_changes_are_a_line_each_and_what_differs_is_told_in_full() {
    let texts = |plan: Plan| -> Vec<String> {
        let approval = Approval::new(plan, Requirement::Enter, false, START);
        let lines = approval.lines();
        lines.iter().map(|(text, _)| text.as_str().to_owned()).collect()
    };
    assert_eq!(
        texts(plan(&["a", "b", "c"])),
        [
            "3 of kind Deployment in default  (kubectl:scale, change)",
            "  - spec.replicas: 1",
            "  + spec.replicas: 3",
            "  undo takes each of them back",
            "scale deployment/a 1 → 3",
            "scale deployment/b 1 → 3",
            "scale deployment/c 1 → 3",
        ]
    );
    assert_eq!(texts(plan(&["a", "b"])).len(), 10, "two are told in full");
    // One of three does something else: its difference is what is approved.
    let mut odd = plan(&["a", "b", "c"]);
    odd.changes[1].after = json!({"spec": {"replicas": 30, "paused": false}});
    let lines = texts(odd);
    assert!(lines.contains(&"  + spec.replicas: 30".to_owned()), "{lines:?}");
    assert_eq!(lines.len(), 15);
    // Seven that go, whatever they were: all names are seen, and that there is no way back.
    let mut gone = plan(&["a", "b", "c", "d", "e", "f", "g"]);
    for (at, change) in gone.changes.iter_mut().enumerate() {
        (change.before, change.after) = (json!({"phase": at}), Value::Null);
        (change.inverse, change.risk) = (None, Risk::Destroy);
    }
    let lines = texts(gone);
    assert_eq!(lines.len(), 9, "{lines:?}");
    assert_eq!(lines[1], "  none of them can be undone");
}

#[test]
fn a_fleet_is_bounded_and_hostile_names_are_harmless() {
    let names: Vec<String> = (0..500).map(|n| format!("n{n}\u{1b}]52;c;eA==\u{7}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let approval = Approval::new(plan(&names), Requirement::Count(500), false, START);
    let lines = approval.lines();
    assert!(lines.len() < 40);
    assert!(lines.iter().all(|(text, _)| !text.as_str().contains('\u{1b}')));
    assert!(approval.title().as_str().contains("500 changes, class fleet"));
    assert!(
        lines
            .iter()
            .any(|(text, _)| text.as_str().starts_with("… and 476 more: n24"))
    );
}

#[test]
fn the_enter_behind_a_line_that_was_typed_into_it_applies_nothing() {
    let mut approval = Approval::new(plan(&["web"]), Requirement::Enter, false, START);
    let later = START + LOOK;
    ":messages".chars().for_each(|symbol| {
        assert_eq!(approval.step(Step::Type(symbol), later), None);
    });
    assert_eq!(approval.step(Step::Confirm, later), None);
    let (told, _) = approval.prompt(["Enter", "Esc"]);
    assert!(told.as_str().contains("Enter applies it now"), "{told}");
    assert_eq!(approval.step(Step::Confirm, later), None, "not before it was seen");
    let decision = approval.step(Step::Confirm, later + LOOK);
    assert!(matches!(decision, Some(Decision::Approved(_))), "{decision:?}");
}
