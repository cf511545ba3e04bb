//! What the static pass refuses: with the right code and place, and before anything has run.

use std::sync::atomic::Ordering;

use crate::core::change::Origin;
use crate::engine::test_support::{Bench, HEADLESS};

#[tokio::test]
async fn e1_l22_r6_a_wrong_third_stage_runs_nothing() {
    let bench = Bench::new();
    let cases = [
        ("t:emit 1 | t:pass | t:nope", "E-RESOLVE-004", Some("t:nope")),
        ("t:emit 1 | t:pass | u:pass", "E-RESOLVE-003", Some("u:pass")),
        ("t:emit 1 | t:pass | t:pass --fail=x", "E-TYPE-001", Some("--fail=x")),
        ("t:emit 1 | t:pass | t:pass --fial=1", "E-OPTION-001", Some("--fial=1")),
        ("t:emit 1 | t:pass | t:never", "E-ACCESS-001", Some("t:never")),
        ("t:emit 1 | t:pass | t:emit 2", "E-INPUT-001", Some("t:emit")),
        ("t:emit 1 | t:pass | on=moon t:pass", "E-PLACE-001", Some("on=moon")),
        ("t:emit 1 | t:pass | @nowhere t:pass", "E-CONTEXT-001", Some("@nowhere")),
        (
            "t:emit 1 | t:pass | parallel=0 t:pass",
            "E-MODIFIER-001",
            Some("parallel=0"),
        ),
        (
            "t:emit 1 | t:pass | timeout=x t:pass",
            "E-MODIFIER-001",
            Some("timeout=x"),
        ),
        (
            "t:emit 1 | t:pass | on-error=$n t:pass",
            "E-MODIFIER-001",
            Some("on-error=$n"),
        ),
        (
            "t:emit 1 | t:pass | @ro t:set --value=1",
            "E-READONLY-002",
            Some("t:set"),
        ),
        (
            "t:emit 1 | t:pass | @prod t:set --value=1",
            "E-APPROVAL-001",
            Some("t:set"),
        ),
        ("t:emit 1 | t:pass | t:set", "E-OPTION-003", Some("t:set")),
        ("t:emit 1 | t:pass | t:count $n", "E-VALUE-001", Some("$n")),
        ("t:tail | t:set --value=1", "E-INPUT-002", Some("t:set --value=1")),
        ("t:logs -f | t:set --value=1", "E-INPUT-002", Some("t:set --value=1")),
        ("t:emit 1 | t:pass > '#ops'", "E-REDIRECT-001", Some("'#ops'")),
        ("t:emit 1 | t:pass > out", "E-REDIRECT-002", Some("out")),
        ("t:echo $later; let later = t:emit 1", "E-VALUE-001", Some("$later")),
        ("t:emit 1 && t:nope", "E-RESOLVE-004", Some("t:nope")),
        ("t:emit 1 | 'open", "E-SYNTAX-002", None),
    ];
    for (line, code, marked) in cases {
        let ran = bench.run(line).await;
        let report = ran.report.expect(line);
        assert_eq!((report.code, ran.exit), (code, 2), "{line}: {report:?}");
        let place = report.place.expect(line);
        if let Some(marked) = marked {
            assert_eq!(&place.source[place.span], marked, "{line}");
        }
    }
    assert_eq!(bench.emitted.load(Ordering::Relaxed), 0);
    assert!(bench.session.jobs().is_empty());
}

#[tokio::test]
async fn e2_suggestions_reach_the_report() {
    let bench = Bench::new();
    let hint = |line: &'static str| {
        let report = bench.session.check(line, HEADLESS).unwrap_err();
        report.hint.unwrap_or_default()
    };
    assert_eq!(hint("t:emt 1"), "did you mean t:emit?");
    assert_eq!(hint("t:pass --fial=1"), "did you mean --fail?");
    assert_eq!(hint("@prd t:pass"), "did you mean prod?");
}

#[tokio::test]
async fn l22_check_shows_the_plan_and_runs_nothing() {
    let bench = Bench::new();
    let check = bench
        .session
        .check("t:emit 2 | @prod on=docker t:pass && t:opaque", Origin::Typed)
        .unwrap();
    let told: Vec<_> = check
        .stages
        .iter()
        .map(|s| {
            let place = (s.site.as_str(), s.context.as_str());
            (s.pipeline, s.stage, s.verb.as_str(), place, s.risk.as_str())
        })
        .collect();
    assert_eq!(
        told,
        [
            (1, 1, "t:emit", ("here", "test"), "read"),
            (1, 2, "t:pass", ("unix:///run/docker.sock", "prod"), "read"),
            (2, 1, "t:opaque", ("here", "test"), "change")
        ]
    );
    assert_eq!(check.to_json()["stages"][1]["where"], "unix:///run/docker.sock");
    assert_eq!(bench.emitted.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn check_raises_the_class_on_production_as_the_run_does() {
    let bench = Bench::new();
    let risk = |line: &str| bench.session.check(line, Origin::Typed).unwrap().stages[0].risk.clone();
    assert_eq!(
        (risk("t:set --value=1"), risk("@prod t:set --value=1")),
        ("change".into(), "destroy".into())
    );
    assert_eq!(risk("@prod t:emit 1"), "read");
    let refused = bench.session.check("@prod t:opaque", HEADLESS).unwrap_err();
    assert!(refused.message.contains("context prod is production"), "{refused:?}");
    assert!(refused.hint.unwrap().contains("cogdeck run --yes"));
}

#[tokio::test]
async fn an_option_that_stands_elsewhere_says_where() {
    let bench = Bench::new();
    for (line, hint) in [
        (
            "t:emit 1 --yes",
            "outside the console the program takes it: cogdeck run --yes",
        ),
        ("t:emit 1 --context prod", "@NAME COMMAND"),
        ("t:emit 1 --dry-run", "cogdeck check"),
    ] {
        let report = bench.session.check(line, Origin::Typed).unwrap_err();
        assert!(
            report.code == "E-OPTION-001" && report.hint.unwrap().contains(hint),
            "{line}"
        );
    }
}

#[tokio::test]
async fn a_script_is_checked_as_a_whole_and_its_let_names_carry_over() {
    let bench = Bench::new();
    let good = ["let a = t:emit 1", "t:echo $a.n", "t:echo $_"];
    assert_eq!(bench.session.check_script(good, HEADLESS, false).unwrap().len(), 3);
    let (index, report) = bench
        .session
        .check_script(["let a = t:emit 1", "t:echo $b"], HEADLESS, false)
        .unwrap_err();
    assert_eq!((index, report.code), (1, "E-VALUE-001"));
}

#[tokio::test]
async fn missing_earlier_answers_are_refused_before_anything_changed() {
    let bench = Bench::new();
    let ran = bench.run("t:echo $_").await;
    assert_eq!((ran.exit, ran.report.unwrap().code), (2, "E-VALUE-001"));
}

#[tokio::test]
async fn stages_run_in_the_context_they_name() {
    let bench = Bench::new();
    let ran = bench.run("t:context; @prod t:context").await;
    assert_eq!(ran.records, vec![serde_json::json!("test"), serde_json::json!("prod")]);
}

#[tokio::test]
async fn a_kept_line_whose_secret_is_a_mark_is_refused_and_never_runs_with_the_mark() {
    use crate::engine::ports::Journal;
    let bench = Bench::new();
    for line in [
        "t:login --password=hunter2",
        "t:login -p hunter2 && t:emit 1",
        "t:emit 1; t:login -phunter2",
        "t:echo https://mia:hunter2@example.com",
    ] {
        assert_eq!(bench.run(line).await.exit, 0, "{line}");
    }
    let emitted = bench.emitted.load(Ordering::Relaxed);
    let kept = bench.journal.history(10).await.unwrap();
    assert_eq!(kept.len(), 4);
    for entry in kept {
        let ran = bench.run(&entry.line).await;
        let report = ran.report.expect(&entry.line);
        assert_eq!((report.code, ran.exit), ("E-OPTION-006", 2), "{}", entry.line);
        assert!(report.hint.unwrap().contains("again"));
    }
    assert_eq!(bench.emitted.load(Ordering::Relaxed), emitted);
    for (line, text) in [
        ("t:echo 'it is •••'", "it is •••"),
        ("t:echo '•••'", "•••"),
        ("t:echo \"•••\"", "•••"),
    ] {
        let said = bench.run(line).await.records;
        assert_eq!(said, vec![serde_json::json!(text)], "in a text it is text");
        // Kept as it was typed: it runs again.
        let kept = bench.journal.history(1).await.unwrap().remove(0);
        assert_eq!(bench.run(&kept.line).await.records, said, "{}", kept.line);
    }
    let refused = bench.run("t:login --password='•••'").await.report.unwrap();
    assert_eq!(refused.code, "E-OPTION-006", "no secret is the mark");
}
