//! Aliases through their verbs, and the line before (`!!`) headless.

use cogdeck::core::change::Origin;
use cogdeck::engine::OnError;
use cogdeck::lang::script_lines;
use cogdeck::ui::headless::printer::Format;
use cogdeck::ui::headless::{self, Settings};
use serde_json::{Value, json};

use super::bench::{code, fresh, run};

#[tokio::test]
async fn l25_an_alias_is_made_run_moved_and_removed() {
    let session = fresh();
    let ran = run(&session, "alias create twice 'echo $1 $1 | tee $2'").await;
    assert_eq!(
        ran.records,
        vec![json!({"scope": "user", "name": "twice", "pipeline": "echo $1 $1 | tee $2"})]
    );
    let ran = run(&session, "twice hi x").await;
    assert_eq!((ran.records, ran.exit), (vec![json!("hi hi")], 0));
    assert_eq!(run(&session, "cat x").await.records, vec![json!("hi hi")]);
    // Text stays one argument, whatever it holds.
    assert_eq!(
        run(&session, "twice \"a'; echo b | c\" y | count").await.records,
        vec![json!(1)]
    );
    assert_eq!(
        run(&session, "cat y").await.records,
        vec![json!("a'; echo b | c a'; echo b | c")]
    );
    assert_eq!(
        run(&session, "which twice").await.text.trim_end(),
        "user:twice = echo $1 $1 | tee $2"
    );

    let page = run(&session, "help twice").await.text;
    assert!(
        page.contains("user:twice - an alias") && page.contains("echo $1 $1"),
        "{page}"
    );
    assert_eq!(code(&session, "twice").await, ("E-ALIAS-005", 2));
    assert_eq!(code(&session, "alias create twice 'echo'").await, ("E-ALIAS-009", 2));
    assert_eq!(code(&session, "alias create echo 'count'").await, ("E-ALIAS-007", 2));
    assert_eq!(code(&session, "alias create 'a b' 'count'").await, ("E-ALIAS-007", 2));
    assert_eq!(
        code(&session, "alias create x 'echo a && echo b'").await,
        ("E-ALIAS-004", 2)
    );
    assert_eq!(code(&session, "alias create me 'me'").await, ("E-ALIAS-002", 2));
    assert_eq!(code(&session, "alias create x 'echo \"open'").await.1, 2);

    run(&session, "alias create n 'seed --range 1-3'").await;
    assert_eq!(
        run(&session, "n | count").await.records,
        vec![json!(3)],
        "piping an alias works"
    );
    assert_eq!(run(&session, "alias move n site:numbers").await.exit, 0);
    assert_eq!(run(&session, "site:numbers | count").await.records, vec![json!(3)]);
    assert_eq!(code(&session, "n").await, ("E-RESOLVE-004", 2));
    assert_eq!(
        run(&session, "number").await.report.unwrap().hint.as_deref(),
        Some("did you mean numbers?")
    );
    assert_eq!(code(&session, "alias delete numbers").await, ("E-ALIAS-010", 2));
    let names = |ran: super::bench::Ran| ran.records.iter().map(|r| r["name"].clone()).collect::<Vec<Value>>();
    assert_eq!(
        names(run(&session, "alias list").await),
        vec![json!("twice"), json!("numbers")]
    );
    assert_eq!(names(run(&session, "alias list 'n*'").await), vec![json!("numbers")]);
    assert_eq!(run(&session, "alias info numbers").await.records[0]["scope"], "site");
    assert_eq!(run(&session, "alias delete site:numbers twice").await.exit, 0);
    assert_eq!(run(&session, "alias list").await.records.len(), 0);
}

#[tokio::test]
async fn l25_a_redirect_replaces_and_an_error_says_which_alias() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (folder.path().join("one"), folder.path().join("two"));
    let session = fresh();
    run(
        &session,
        &format!("alias create out 'echo hi > file:{}'", one.display()),
    )
    .await;
    run(&session, "out").await;
    run(&session, &format!("out > file:{}", two.display())).await;
    let read = |path| std::fs::read_to_string(path).unwrap();
    assert_eq!((read(&one), read(&two)), ("hi\n".to_owned(), "hi\n".to_owned()));
    run(&session, "alias create wrong 'seed 1 | head --lnes 2'").await;
    let report = run(&session, "wrong").await.report.unwrap();
    assert!(report.message.starts_with("in the alias user:wrong: "), "{report:?}");
    let place = report.place.unwrap();
    assert_eq!(&place.source[place.span], "wrong", "the typed line is marked");
    let check = session.check("wrong2 | count", super::bench::HEADLESS);
    assert!(check.is_err());
    run(&session, "alias create two 'seed 1 | head 2'").await;
    let check = session.check("two", super::bench::HEADLESS).unwrap();
    let verbs: Vec<&str> = check.stages.iter().map(|stage| stage.verb.as_str()).collect();
    assert_eq!(
        verbs,
        ["cogdeck:seed", "cogdeck:head"],
        "check shows what an alias stands for"
    );
}

async fn script(session: &cogdeck::engine::Session, text: &str) -> (String, String, u8) {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let settings = Settings {
        format: Format::JsonLines,
        echo: false,
        origin: Origin::Headless {
            yes: false,
            max_targets: None,
        },
        timeout: None,
        input: None,
        on_error: OnError::Stop,
        keep_going: false,
    };
    let lines = script_lines(text);
    let code = headless::run(session, &lines, settings, (&mut out, &mut err), std::future::pending()).await;
    (String::from_utf8(out).unwrap(), String::from_utf8(err).unwrap(), code)
}

#[tokio::test]
async fn l23_the_line_before_runs_again() {
    let session = fresh();
    let (_, errors, exit) = script(&session, "!!").await;
    assert!(exit == 2 && errors.contains("E-REPEAT-001"), "{errors}");
    let (out, errors, exit) = script(&session, "echo a\n!!\n !!\n").await;
    assert_eq!((out.as_str(), exit), ("\"a\"\n\"a\"\n\"a\"\n", 0), "{errors}");
    let session = fresh();
    run(&session, "echo b").await;
    assert_eq!(script(&session, "!!").await.0, "\"b\"\n");
    assert_eq!(script(&fresh(), "!! x").await.2, 2);
}

#[tokio::test]
async fn l25_a_script_is_checked_with_the_aliases_it_makes() {
    let session = fresh();
    let text = "alias create site:three 'seed --range 1-3'\nalias create n 'three | count'\nn\nhead 1 --input";
    let (out, errors, exit) = script(&session, text).await;
    assert!(
        exit == 2 && out.is_empty() && errors.contains("--input"),
        "line 4 is wrong, so none ran: {errors}"
    );
    assert_eq!(session.catalogue().aliases().count(), 0);
    let (out, errors, exit) = script(&session, text.rsplit_once('\n').unwrap().0).await;
    assert_eq!((out.lines().last(), exit), (Some("3"), 0), "{errors}");
    let (_, errors, exit) = script(&fresh(), "nine\nalias create nine 'echo 9'").await;
    assert!(
        exit == 2 && errors.contains("nine"),
        "only for what comes after: {errors}"
    );
}
