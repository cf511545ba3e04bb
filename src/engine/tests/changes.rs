//! Changes: planned as a whole, asked once, applied in order, journalled, taken back.

use serde_json::json;

use crate::core::change::{Origin, Requirement};
use crate::engine::ports::Journal;
use crate::engine::test_support::{Answer, Bench, HEADLESS, Script};

const YES: Origin = Origin::Headless {
    yes: true,
    max_targets: None,
};

async fn outcomes(bench: &Bench) -> Vec<String> {
    let mut entries = bench.journal.entries(100).await.unwrap();
    entries.reverse();
    entries.into_iter().map(|entry| entry.outcome).collect()
}

fn world(bench: &Bench) -> Vec<(String, i64)> {
    bench.world.lock().unwrap().clone().into_iter().collect()
}

#[tokio::test]
async fn a_change_runs_is_journalled_and_undone_once() {
    let bench = Bench::new();
    bench.run("t:set --name=a --value=1").await;
    let ran = bench.run("t:set --name=a --value=3").await;
    assert_eq!((ran.records, ran.exit), (vec![json!({"name": "a", "value": 3})], 0));
    assert_eq!(ran.notes, vec!["undo 2 takes back: set a 1 → 3"]);
    let ran = bench.run("t:undo 2").await;
    assert_eq!((ran.exit, world(&bench)), (0, vec![("a".into(), 1)]), "{ran:?}");
    let ran = bench.run("t:undo 2").await;
    assert_eq!((ran.exit, ran.report.unwrap().code), (2, "E-UNDO-003"));
    let entry = bench.journal.entry(3).await.unwrap().unwrap();
    assert_eq!(
        (entry.undoes, entry.change.recovery, entry.outcome.as_str()),
        (Some(2), true, "applied")
    );
    let ran = bench.run("t:undo 1").await;
    assert_eq!(
        (ran.exit, world(&bench)),
        (0, vec![]),
        "an inverse of class destroy runs headless: it recovers"
    );
}

#[tokio::test]
async fn undo_is_refused_when_the_target_moved_or_nothing_can_be_taken_back() {
    let bench = Bench::new();
    bench.run("t:set --name=a --value=1").await;
    bench.world.lock().unwrap().insert("a".into(), 7);
    let report = bench.run("t:undo 1").await.report.unwrap();
    assert_eq!(report.code, "E-UNDO-004");
    assert!(report.message.contains("should be 1, and is 7"), "{report:?}");
    bench.run("t:set --name=a --value=99").await;
    bench.run("t:set --name=a --value=13").await;
    for (number, code) in [(2, "E-UNDO-002"), (3, "E-UNDO-002"), (4, "E-UNDO-001")] {
        assert_eq!(
            bench.run(&format!("t:undo {number}")).await.report.unwrap().code,
            code,
            "{number}"
        );
    }
    assert_eq!(world(&bench), vec![("a".into(), 99)]);
}

#[tokio::test]
async fn undo_is_asked_with_one_enter_in_production_too() {
    let bench = Bench::new();
    bench
        .run_as("@prod t:set --name=a --value=1", Script::new(YES, []))
        .await;
    let operator = Script::new(Origin::Typed, [Answer::Yes]);
    let ran = bench.run_as("t:undo 1", operator.clone()).await;
    assert_eq!((ran.exit, world(&bench)), (0, vec![]), "{ran:?}");
    assert_eq!(operator.asked.lock().unwrap()[0].1, Requirement::Enter);
    assert_eq!(bench.journal.entry(2).await.unwrap().unwrap().context, "prod");
}

#[tokio::test]
async fn a_piped_change_collects_asks_once_and_applies_in_order() {
    let bench = Bench::new();
    let operator = Script::new(Origin::Typed, [Answer::Yes]);
    let ran = bench.run_as("t:emit 6 | t:set --value=5", operator.clone()).await;
    assert_eq!((ran.records.len(), ran.exit), (6, 0), "{ran:?}");
    {
        let asked = operator.asked.lock().unwrap();
        let seen = (asked.len(), asked[0].0.changes.len(), &asked[0].1);
        assert_eq!(seen, (1, 6, &Requirement::Count(6)));
    }
    assert_eq!(outcomes(&bench).await, vec!["applied"; 6]);
}

#[tokio::test]
async fn a_declined_plan_changes_nothing_and_is_journalled() {
    let bench = Bench::new();
    bench.run("t:set --name=a --value=1").await;
    let operator = Script::new(Origin::Typed, [Answer::No("not now")]);
    let ran = bench.run_as("t:set --name=a --value=-1", operator.clone()).await;
    assert_eq!((ran.exit, ran.report.unwrap().code), (2, "E-APPROVAL-002"));
    assert_eq!(operator.asked.lock().unwrap()[0].1, Requirement::Name("a".into()));
    assert_eq!(outcomes(&bench).await, vec!["applied", "declined: not now"]);
    assert_eq!(world(&bench), vec![("a".into(), 1)]);
}

#[tokio::test]
async fn a_target_that_moves_while_asked_is_refused_with_the_new_difference() {
    let bench = Bench::new();
    bench.run("t:set --name=a --value=1").await;
    let world_of_another = bench.world.clone();
    let another_sets = move || {
        world_of_another.lock().unwrap().insert("a".to_owned(), 4);
    };
    let operator = Script::new(Origin::Typed, [Answer::After(Box::new(another_sets))]);
    let report = bench
        .run_as("t:set --name=a --value=-1", operator)
        .await
        .report
        .unwrap();
    assert_eq!(report.code, "E-APPROVAL-003");
    assert!(report.message.contains("Thing a: 4 → null"), "{report:?}");
    let operator = Script::new(Origin::Typed, [Answer::Wrong]);
    let report = bench
        .run_as("t:set --name=a --value=-1", operator)
        .await
        .report
        .unwrap();
    assert_eq!(report.code, "E-APPROVAL-003");
    assert_eq!(world(&bench), vec![("a".into(), 4)]);
}

#[tokio::test]
async fn headless_a_fleet_and_a_destroy_need_consent() {
    let bench = Bench::new();
    let most = |most| Origin::Headless {
        yes: false,
        max_targets: Some(most),
    };
    let cases = [
        ("t:emit 6 | t:set --value=1", HEADLESS, 2),
        ("t:emit 6 | t:set --value=1", most(5), 2),
        ("t:emit 6 | t:set --value=1", most(6), 0),
        ("t:set --name=r1 --value=-1", HEADLESS, 2),
        ("t:set --name=r1 --value=-1", YES, 0),
        ("@prod t:set --name=r1 --value=1", HEADLESS, 2),
        ("@prod t:opaque", HEADLESS, 2),
        ("t:opaque", HEADLESS, 0),
    ];
    for (line, origin, exit) in cases {
        let ran = bench.run_as(line, Script::new(origin, [])).await;
        assert_eq!(ran.exit, exit, "{line} {origin:?} {:?}", ran.report);
    }
}

#[tokio::test]
async fn a_refused_plan_says_what_of_it_has_no_way_back() {
    let bench = Bench::new();
    let plan = async |line: &str| {
        let hint = bench.run(line).await.report.unwrap().hint.unwrap();
        hint.split_once("the plan was: ").expect("the plan").1.to_owned()
    };
    let lost = plan("t:emit 6 | t:set --value=99").await;
    let told: Vec<&str> = lost.split("; ").collect();
    assert_eq!(
        (told.len(), told[0], told[5]),
        (6, "set r1 null → 99 (cannot be undone)", "…")
    );
    assert_eq!(lost.matches("(cannot be undone)").count(), 5);
    let kept = plan("t:emit 6 | t:set --value=1").await;
    assert!(kept.starts_with("set r1 null → 1; "), "{kept}");
    assert_eq!(world(&bench), vec![]);
}

#[tokio::test]
async fn an_opaque_command_is_asked_about_in_production() {
    let bench = Bench::new();
    let operator = Script::new(Origin::Typed, [Answer::Yes]);
    assert_eq!(bench.run_as("@prod t:opaque", operator.clone()).await.exit, 0);
    assert_eq!(operator.asked.lock().unwrap()[0].1, Requirement::Name("opaque".into()));
    let operator = Script::new(Origin::Typed, [Answer::No("no")]);
    assert_eq!(bench.run_as("@prod t:opaque", operator).await.exit, 2);
}

#[tokio::test]
async fn nothing_is_changed_when_an_earlier_stage_or_a_plan_failed() {
    let bench = Bench::new();
    let ran = bench.run("t:emit 5 | t:pass --fail=3 | t:set --value=1").await;
    assert_eq!((ran.exit, ran.report.unwrap().code), (1, "E-TEST-001"));
    assert!(ran.notes[0].contains("changed nothing"), "{:?}", ran.notes);
    let ran = bench.run("t:echo 1 2 | t:set --value=1").await;
    assert_eq!((ran.exit, ran.report.unwrap().code), (1, "E-TEST-003"));
    assert_eq!(world(&bench), vec![]);
    let ran = bench
        .run("t:emit 5 | on-error=continue t:pass --fail=3 | t:set --value=1")
        .await;
    assert_eq!(
        (ran.exit, ran.failed.len(), world(&bench).len()),
        (1, 1, 4),
        "passed over: the others are complete"
    );
}

#[tokio::test]
async fn a_failed_change_is_journalled_and_the_rest_told() {
    let bench = Bench::new();
    bench.run("t:emit 1 | t:set --value=13").await;
    assert_eq!(outcomes(&bench).await, vec!["failed: 13 is unlucky"]);
    let ran = bench.run("t:emit 3 | t:set --value=13").await;
    assert_eq!(ran.exit, 1);
    assert_eq!(ran.notes, vec!["2 of 3 planned changes were not made"]);
    let ran = bench.run("t:emit 3 | on-error=continue t:set --value=13").await;
    assert_eq!((ran.exit, ran.failed.len()), (1, 3));
}

#[tokio::test]
async fn time_that_is_up_for_one_change_is_not_up_for_the_next() {
    let bench = Bench::new();
    let line = "timeout=500ms t:set --name=a,b,c --value=1 --hang=a";
    let ran = bench.run(&line.replacen("t:", "on-error=continue t:", 1)).await;
    let failed: Vec<&str> = ran.failed.iter().map(|report| report.code).collect();
    assert_eq!((ran.exit, failed), (1, vec!["E-RUN-124"]), "nobody interrupted it");
    assert_eq!(world(&bench), vec![("b".into(), 1), ("c".into(), 1)]);
    let ran = bench.run(line).await;
    assert_eq!((ran.exit, ran.notes.len()), (124, 1), "{ran:?}");
}

#[tokio::test]
async fn a_change_is_made_to_its_end_though_nobody_reads_its_result() {
    let bench = Bench::new();
    let ran = bench.run("t:emit 5 | t:set --value=1 | t:count 1").await;
    assert_eq!((ran.exit, world(&bench).len()), (0, 5), "{ran:?}");
}

#[tokio::test]
async fn more_targets_than_a_plan_may_hold_are_refused() {
    let bench = Bench::new();
    let ran = bench
        .run_as("t:emit 10001 | t:set --value=1", Script::new(YES, []))
        .await;
    assert_eq!((ran.exit, ran.report.unwrap().code), (2, "E-PLAN-001"));
    assert!(world(&bench).is_empty());
}
