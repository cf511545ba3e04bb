//! The checklist's rows about the language that share a table elsewhere, each with one of its own here: lines through a
//! whole session. And the check that every row has a test at all.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use cogdeck::engine::BlockEvent;
use serde_json::{Value, json};

use super::bench::{Script, code, finish, fresh, run, values};

/// Lines with the records they give.
async fn table<const N: usize>(rows: [(&str, Value); N]) {
    for (line, wanted) in rows {
        assert_eq!(Value::Array(values(line).await), wanted, "{line}");
    }
}

/// Lines that are refused, with their codes and what their hints hold.
async fn refused<const N: usize>(rows: [(&str, &str, &str); N]) {
    for (line, wanted, hint) in rows {
        let ran = run(&fresh(), line).await;
        let report = ran.report.unwrap_or_else(|| panic!("{line}"));
        assert_eq!((report.code, ran.exit), (wanted, 2), "{line}");
        assert!(
            report.hint.as_deref().unwrap_or_default().contains(hint),
            "{line}: {report:?}"
        );
    }
}

#[tokio::test]
async fn l03_names_with_and_without_their_bundle() {
    table([
        ("cogdeck:echo a", json!(["a"])),
        ("echo a", json!(["a"])),
        ("!echo a | @cog cogdeck:count", json!([1])),
    ])
    .await;
    refused([
        ("cogdekc:echo a", "E-RESOLVE-003", "did you mean cogdeck"),
        ("cogdeck:ecko a", "E-RESOLVE-004", "did you mean cogdeck:echo"),
        ("ecko a", "E-RESOLVE-004", "did you mean echo"),
        ("$name a", "E-RESOLVE-001", ""),
    ])
    .await;
}

#[tokio::test]
async fn l04_words_join_to_the_longest_name_and_data_never_does() {
    table([
        ("group by a -c", json!([])),
        ("seed '[{\"a\": 1}]' | group by a -c", json!([{"a": 1, "count": 1}])),
        ("seed '[{\"a\": 1}]' | group-by a -c", json!([{"a": 1, "count": 1}])),
        ("echo '[1]' | from json", json!([[1]])),
        ("echo list", json!(["list"])),
    ])
    .await;
    refused([
        // Quoted, or behind an option, a word is data.
        ("echo '[1]' | from 'json'", "E-RESOLVE-004", ""),
        ("seed 1 | group -c by a", "E-RESOLVE-004", ""),
        ("let w = echo json && echo '[1]' | from $w", "E-RESOLVE-004", ""),
    ])
    .await;
}

#[tokio::test]
async fn l09_options_are_long_or_short_with_an_equals_sign_or_a_blank() {
    for option in [
        "--lines 2",
        "--lines=2",
        "-n 2",
        "-n=2",
        "-n2",
        "--lines '2'",
        "--lines=\"2\"",
    ] {
        let line = format!("seed --range 1-5 | tail {option}");
        assert_eq!(values(&line).await, vec![json!(4), json!(5)], "{line}");
    }
    refused([
        ("seed 1 | tail --lines", "E-OPTION-002", ""),
        ("seed 1 | tail -n", "E-OPTION-002", ""),
        ("seed 1 | tail --lines --help", "E-OPTION-002", "--lines="),
        ("seed 1 | tail --lines=x", "E-TYPE-001", ""),
    ])
    .await;
}

#[tokio::test]
async fn l10_flags_come_bundled_and_two_dashes_end_the_options() {
    table([
        ("jq -n '1, 2' | jq -sc .", json!([[1, 2]])),
        ("jq -n '1, 2' | jq -scr '.[0]'", json!([1])),
        ("seed '[{\"a\": 1}, {\"b\": 2}]' | filter -vp a", json!([{"b": 2}])),
        ("echo -- -x --y", json!(["-x --y"])),
        ("echo a -- --", json!(["a --"])),
        ("echo -", json!(["-"])),
        ("echo -5 -.5", json!(["-5 -.5"])),
        ("echo '-x'", json!(["-x"])),
    ])
    .await;
    refused([
        ("seed 1 | jq -sxc .", "E-OPTION-001", ""),
        ("echo -x", "E-OPTION-001", "--"),
    ])
    .await;
}

#[tokio::test]
async fn l13_positionals_are_declared_and_checked_before_anything_runs() {
    table([
        ("seed --range 1-5 | head 2", json!([1, 2])),
        ("seed --range 1-3 | head", json!([1, 2, 3])),
        ("seed '{\"a\": 1, \"b\": 2}' | pluck a", json!([1])),
        ("echo a b c", json!(["a b c"])),
    ])
    .await;
    refused([
        ("seed 1 | head x", "E-TYPE-001", ""),
        ("seed 1 | head 1 2", "E-ARGUMENT-001", "help"),
        ("seed 1 | pluck", "E-ARGUMENT-002", "help"),
        ("seed 1 | jq", "E-ARGUMENT-002", "help"),
        ("seed 1 | join x --on a", "E-JOIN-001", ""),
        ("alias create x", "E-ARGUMENT-002", "help"),
    ])
    .await;
}

#[tokio::test]
async fn l14_targets_are_written_and_a_failure_goes_to_its_origin() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("out");
    let session = fresh();
    let to = |line: &str| format!("{line} file:{}", file.display());
    let written = || std::fs::read_to_string(&file).unwrap();
    let ran = run(&session, &to("seed --range 1-2 >")).await;
    assert_eq!((ran.records.len(), ran.exit, written().as_str()), (0, 0, "1\n2\n"));
    let ran = run(&session, &to("seed --range 1-2 | tail 1 *> here")).await;
    assert_eq!((ran.records, written().as_str()), (vec![json!(2)], "2\n"));
    // What came before a failure is there; the failure is told where the line was typed, and only there.
    let ran = run(&session, &to("jq -n '1, error(\"no\")' >")).await;
    assert_eq!((ran.exit, written().as_str()), (1, "1\n"));
    assert!(ran.report.unwrap().message.contains("no"));
    refused([
        ("seed 1 > '#ops'", "E-REDIRECT-001", "file:PATH"),
        ("seed 1 > @mia", "E-REDIRECT-001", "file:PATH"),
        ("seed 1 *> here chat://#ops", "E-REDIRECT-001", "file:PATH"),
        ("seed 1 > out.txt", "E-REDIRECT-002", "file:out.txt"),
        ("seed 1 > file:no/such/folder/x", "E-REDIRECT-003", ""),
    ])
    .await;
}

#[tokio::test]
async fn l16_a_verb_runs_once_a_record() {
    table([
        ("seed --range 1-3 | map n= | echo $n", json!([1, 2, 3])),
        ("seed '[{\"a\": null}, {\"a\": [1]}]' | echo $a", json!([null, [1]])),
        (
            "seed '[1, \"x\", [2], null, {\"a\": 3}]' | echo x",
            json!(["x", "x", "x", "x", "x"]),
        ),
        ("jq -n 'empty' | echo x", json!([])),
    ])
    .await;
}

#[tokio::test]
async fn l17_a_verb_of_all_runs_once_over_the_whole_stream() {
    table([
        ("seed --range 1-3 | count", json!([3])),
        ("seed --range 1-3 | jq -s add", json!([6])),
        ("seed '[3, 1, 2]' | sort", json!([1, 2, 3])),
        ("jq -n 'empty' | count", json!([0])),
        ("seed 1 | filter -p nope | jq -s length", json!([0])),
    ])
    .await;
}

#[tokio::test]
async fn l19_the_first_record_is_there_while_the_source_runs_on() {
    let session = fresh();
    for line in [
        "sh 'echo a; exec sleep 600'",
        "sh 'echo a; exec sleep 600' | jq -r .line",
        "sh 'echo a; exec sleep 600' | pluck line | head 5",
    ] {
        let begun = Instant::now();
        let mut block = session.start(line, Arc::new(Script)).unwrap();
        let first = async {
            loop {
                match block.next().await {
                    Some(BlockEvent::Item(item)) => return item.record,
                    Some(_) => {}
                    None => panic!("{line}: no record"),
                }
            }
        };
        let record = tokio::time::timeout(Duration::from_secs(20), first).await.unwrap();
        assert!(record == json!("a") || record["line"] == "a", "{line}: {record}");
        assert!(begun.elapsed() < Duration::from_secs(20));
        block.cancel();
        assert_eq!(finish(block).await.exit, 130);
    }
}

#[tokio::test]
async fn l21_more_records_than_any_queue_holds() {
    table([
        ("seed --range 1-20000 | count", json!([20000])),
        ("seed --range 1-20000 | jq 'select(. > 19998)'", json!([19999, 20000])),
        ("seed --range 1-20000 | parallel=4 raw | tail 1", json!([20000])),
    ])
    .await;
}

#[tokio::test]
async fn l22_check_answers_as_a_run_would_and_runs_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let touched = folder.path().join("touched");
    let session = fresh();
    let good = format!("sh 'touch {}' | count", touched.display());
    let check = session.check(&good, super::bench::HEADLESS).unwrap();
    let verbs: Vec<&str> = check.stages.iter().map(|stage| stage.verb.as_str()).collect();
    assert_eq!(verbs, ["cogdeck:sh", "cogdeck:count"]);
    let wrong = format!("{good} --nope");
    let refused = session.check(&wrong, super::bench::HEADLESS).unwrap_err();
    assert_eq!((refused.code, 2), code(&session, &wrong).await);
    assert!(!touched.exists());
}

/// The rows of the checklist that are done: each has a test that names it.
#[test]
fn every_row_of_the_checklist_has_a_test_of_its_name() {
    let rows = (1..=25).map(|n| format!("l{n:02}"));
    let rows = rows
        .chain((1..=8).map(|n| format!("c{n}")))
        .chain((1..=2).map(|n| format!("e{n}")));
    let rows = rows
        .chain([1, 2, 3, 4, 6].map(|n| format!("r{n}")))
        .chain((1..=5).map(|n| format!("d{n}")));
    let rows: Vec<String> = rows
        .chain((1..=11).map(|n| format!("b{n}")))
        .chain([3, 4].map(|n| format!("x{n}")))
        .collect();
    let mut named = BTreeSet::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    ["src", "tests"]
        .iter()
        .for_each(|folder| names(&root.join(folder), &mut named));
    let missing: Vec<&String> = rows.iter().filter(|row| !named.contains(*row)).collect();
    assert!(missing.is_empty(), "no test begins with {missing:?}");
}

/// The ids that begin the names of functions in a folder: `l01`, `c1` and `c2` of `fn c1_c2_the_environment`.
fn names(folder: &Path, found: &mut BTreeSet<String>) {
    let id = |part: &&str| {
        let digits = part.get(1..).unwrap_or_default();
        part.starts_with(|c: char| "lcerbdx".contains(c))
            && !digits.is_empty()
            && digits.bytes().all(|b| b.is_ascii_digit())
    };
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            names(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            let lines = text.lines().map(|line| line.trim_start().trim_start_matches("async "));
            let ids = lines
                .filter_map(|line| line.strip_prefix("fn "))
                .flat_map(|name| name.split('_').take_while(id));
            found.extend(ids.map(|id| id.replace("b0", "b")));
        }
    }
}
