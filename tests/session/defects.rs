//! What the ancestor did wrong and its users complained of, shown mended through a whole session. Where one room alone
//! mends it, the test stands there: `defect_` in the language's and the engine's, the rules' and the bundles' own.

use serde_json::{Value, json};

use super::bench::{code, fresh, run, values};

#[tokio::test]
async fn defect_operators_quotes_and_dashes_mean_what_they_say() {
    for (line, wanted) in [
        // Operators needed blanks; `&&` was a pipe; a word that began with a dot or bracket stuck to the one before.
        ("seed 1|count", json!([1])),
        ("echo a&&echo b", json!(["a", "b"])),
        ("jq -n '1|.a' || echo b", json!(["b"])),
        ("echo hi .x [0]", json!(["hi .x [0]"])),
        // There was no literal quote, a `$` in quotes was an error, escapes stayed in the text.
        ("echo '${x} $y'", json!(["${x} $y"])),
        ("seed '[{\"a\": \"xa\"}]' | filter -p a -m \"a$\" | count", json!([1])),
        ("echo \"a\\\"b\"", json!(["a\"b"])),
        ("echo a\"b c\"d", json!(["ab cd"])),
        (
            "seed '{\"host\": \"h\"}' | echo $host:80 \"${host}:81\"",
            json!(["h:80 h:81"]),
        ),
        // No dash, no bundle of flags, no value with a dash could be typed.
        ("echo -", json!(["-"])),
        ("echo =foo -- -x", json!(["=foo -x"])),
    ] {
        assert_eq!(Value::Array(run(&fresh(), line).await.records), wanted, "{line}");
    }
    // A redirect in the middle was taken and forgotten.
    assert_eq!(code(&fresh(), "seed 1 > here | count").await, ("E-SYNTAX-006", 2));
}

#[tokio::test]
async fn defect_null_is_a_value_and_wrong_steps_are_told() {
    for (line, wanted) in [
        ("seed '{\"a\": null}' | echo $a", json!([null])),
        ("seed '{\"a\": null}' | echo ${a:-x}", json!([null])),
        ("seed '{\"b\": null}' | echo ${a:-x}", json!(["x"])),
        ("seed '{\"a\": [1, 2]}' | echo $a[-1]", json!([2])),
        (
            "seed '{\"a\": {\"b\": [1]}}' | echo $a \"${a}\"",
            json!(["{\"b\":[1]} {\"b\":[1]}"]),
        ),
    ] {
        assert_eq!(Value::Array(values(line).await), wanted, "{line}");
    }
    for line in ["echo $a[0]", "echo $a.b.c", "echo $nope"] {
        let ran = run(&fresh(), &format!("seed '{{\"a\": 1}}' | {line}")).await;
        let report = ran.report.unwrap();
        assert!(
            ran.exit == 1 && report.code.starts_with("E-VALUE-"),
            "{line}: {report:?}"
        );
        assert_eq!(report.record.as_deref(), Some(&json!({"a": 1})), "{line}");
    }
}

#[tokio::test]
async fn defect_options_are_strict_and_texts_may_look_like_numbers() {
    for (line, wanted) in [
        // `--id=123` was a type error for a string.
        ("seed --range 1-2 | map n= | filter -p n -m 1 | count", json!([1])),
        ("jq -n --arg a 5 '$a'", json!(["5"])),
        ("let v = seed 1 && jq -n --arg a $v '$a'", json!([1, "1"])),
        ("echo 5 true", json!(["5 true"])),
    ] {
        assert_eq!(Value::Array(values(line).await), wanted, "{line}");
    }
    for (line, wanted) in [
        // Dropped without a word, its value becoming an argument.
        ("seed 1 | head --lnes 2", "E-OPTION-001"),
        // Anything but true, t, y, yes and on was false; what followed a number was dropped.
        ("seed 1 | jq --slurp=maybe .", "E-TYPE-001"),
        ("seed 1 | head 5x", "E-TYPE-001"),
        ("seed 1 | head 1.5", "E-TYPE-001"),
        // Arguments were not counted.
        ("seed 1 | head 1 2", "E-ARGUMENT-001"),
    ] {
        assert_eq!(code(&fresh(), line).await, (wanted, 2), "{line}");
    }
}

#[tokio::test]
async fn defect_what_was_produced_stays_and_no_stage_dies_unheard() {
    // Any error dropped all that came before; a large answer or a crash ended the pipeline without a word.
    let ran = run(&fresh(), "jq -n 'range(5), error(\"no\")' | echo x").await;
    assert_eq!((ran.records.len(), ran.exit), (5, 1));
    assert!(ran.report.unwrap().message.contains("no"));
    assert_eq!(values("seed --range 1-3000 | echo x | count").await, vec![json!(3000)]);
    // An empty stderr made an empty box.
    let report = run(&fresh(), "sh 'exit 3'").await.report.unwrap();
    assert_eq!(report.message, "the line ended with status 3");
    // Stderr of a success was thrown away.
    let ran = run(&fresh(), "sh 'echo careful >&2; echo done'").await;
    assert_eq!((ran.exit, ran.notes), (0, vec!["careful".to_owned()]));
    // Scalars and mixed lists ended the stage unheard.
    assert_eq!(values("jq -n '1, \"a\", null, [1, {}]' | count").await, vec![json!(4)]);
}

#[tokio::test]
async fn defect_large_numbers_and_addresses_arrive_whole() {
    for (line, wanted) in [
        (
            "seed 9007199254740993 | map n= | echo $n",
            json!([9_007_199_254_740_993_i64]),
        ),
        (
            "seed 18446744073709551615 | filter -p ''",
            json!([18_446_744_073_709_551_615_u64]),
        ),
        (
            "echo 123456789012345678901234567890",
            json!(["123456789012345678901234567890"]),
        ),
        ("echo https://a.example/x?b=1;", json!(["https://a.example/x?b=1"])),
        (
            "echo 'https://a.example/x?b=1&c=[2]#d'",
            json!(["https://a.example/x?b=1&c=[2]#d"]),
        ),
        ("echo naïve 日本語 🎉", json!(["naïve 日本語 🎉"])),
    ] {
        assert_eq!(Value::Array(values(line).await), wanted, "{line}");
    }
}

#[tokio::test]
async fn defect_history_and_pipelines_answer_every_form() {
    let session = fresh();
    run(&session, "echo a").await;
    // `-10` crashed; finished pipelines were never listed; a wrong number raised.
    assert_eq!(run(&session, "history -10").await.records.len(), 1);
    assert_eq!(run(&session, "pipeline list -s done").await.exit, 0);
    assert_eq!(code(&session, "pipeline info 4711").await, ("E-JOB-001", 2));
    assert_eq!(code(&session, "history exec 4711").await, ("E-HISTORY-001", 2));
    // Anyone could change what was everyone's without naming it.
    run(&session, "alias create site:hi 'echo hi'").await;
    assert_eq!(code(&session, "alias delete hi").await, ("E-ALIAS-010", 2));
    assert_eq!(run(&session, "hi | count").await.records, vec![json!(1)]);
}
