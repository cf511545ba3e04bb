//! The data verbs, by the checklist's ids.

use serde_json::{Value, json};

use super::bench::{code, fresh, run, values};

#[tokio::test]
async fn d1_tee_keeps_and_cat_combines() {
    let session = fresh();
    let all = |line: &'static str| {
        let session = session.clone();
        async move {
            let ran = run(&session, line).await;
            assert_eq!(ran.exit, 0, "{line}: {ran:?}");
            ran.records
        }
    };
    assert_eq!(
        all("seed '[{\"a\": 1}, {\"a\": 2}]' | tee two | count").await,
        vec![json!(2)]
    );
    all("seed '{\"k\": 9}' | tee one").await;
    assert_eq!(all("cat two | pluck a").await, vec![json!(1), json!(2)]);
    assert_eq!(
        all("seed '{\"b\": 3}' | cat two --append").await,
        vec![json!({"b": 3}), json!({"a": 1}), json!({"a": 2})]
    );
    assert_eq!(
        all("seed '{\"b\": 3}' | cat one -m").await,
        vec![json!({"b": 3, "k": 9})]
    );
    assert_eq!(
        all("seed '{\"b\": 3}' | cat one -i x").await,
        vec![json!({"b": 3, "x": {"k": 9}})]
    );
    assert_eq!(
        all("seed '{\"b\": 3}' | cat two -i x | jq .x[1].a").await,
        vec![json!(2)]
    );
    assert_eq!(all("cat | pluck name").await, vec![json!("one"), json!("two")]);
    all("tee two --delete").await;
    for (line, wanted) in [
        ("cat two", ("E-KEPT-002", 1)),
        ("cat ../x", ("E-KEPT-001", 2)),
        ("seed 1 | tee 'a b'", ("E-KEPT-001", 2)),
        ("tee two --delete", ("E-KEPT-002", 1)),
        ("seed 1 | cat one", ("E-CAT-001", 2)),
        ("cat one -m", ("E-CAT-001", 2)),
        ("seed 1 | cat one -m", ("E-CAT-002", 1)),
        ("seed 1 | cat one -m -a", ("E-OPTION-004", 2)),
    ] {
        assert_eq!(code(&session, line).await, wanted, "{line}");
    }
    assert_eq!(
        run(&session, "cat onee").await.report.unwrap().hint.as_deref(),
        Some("did you mean one?")
    );
    // What fails on its way is not kept.
    run(&session, "jq -n '1, (2 | .a)' | tee broken").await;
    assert_eq!(code(&session, "cat broken").await, ("E-KEPT-002", 1));
}

#[tokio::test]
async fn d1_abort_when_is_true_or_above_zero_and_nothing_else() {
    // In the ancestor false, null and every text aborted.
    for value in ["false", "null", "0", "-1", "\"no\"", "\"\"", "[]", "[1]", "{}", "\"0\""] {
        let line = format!("jq -n '{{v: {value}}}' | abort-when $v");
        assert_eq!(values(&line).await.len(), 1, "{line}");
    }
    for value in ["true", "1", "0.5", "\"true\"", "\"7\""] {
        let line = format!("jq -n '{{v: {value}}}' | abort-when $v");
        assert_eq!(code(&fresh(), &line).await, ("E-ABORT-001", 1), "{line}");
    }
    let ran = run(
        &fresh(),
        "seed --range 0-3 | map n= | abort-when $n -m 'that is it' | count",
    )
    .await;
    assert_eq!(
        ran.records,
        vec![json!(1)],
        "what came before is delivered, and three or more records are no crash"
    );
    assert_eq!(ran.report.unwrap().message, "aborted: that is it");
    assert_eq!(values("seed 1 | abort-when").await, vec![json!(1)]);
}

#[tokio::test]
async fn d1_accumulating_verbs_take_any_number_of_records() {
    // With three or more inputs these crashed in the ancestor; more than 500 killed its pipelines silently.
    for (tail, wanted) in [
        ("sort -d | head 1", json!(5000)),
        ("unique | count", json!(5000)),
        ("max", json!(5000)),
        ("min", json!(1)),
        ("tee many | count", json!(5000)),
        ("sleep 1ms | count", json!(5000)),
        ("count", json!(5000)),
        ("tail 1", json!(5000)),
        ("sum", json!(12_502_500)),
    ] {
        let line = format!("seed --range 1-5000 | {tail}");
        assert_eq!(values(&line).await, vec![wanted], "{line}");
    }
}

#[tokio::test]
async fn d2_table_list_and_pluck() {
    let people =
        "seed '[{\"n\": \"b\", \"o\": {\"x\": 1}, \"p\": {\"x\": null}}, {\"n\": \"a\", \"o\": {\"x\": [2]}}]'";
    let table = run(&fresh(), &format!("{people} | table n first=o.x p.x")).await;
    assert_eq!(table.text.trim_end(), "N     FIRST   X\nb     1       -\na     [2]");
    assert_eq!(
        table.records,
        vec![
            json!({"n": "b", "first": 1, "x": null}),
            json!({"n": "a", "first": [2]})
        ]
    );
    let table = run(&fresh(), &format!("{people} | table o.x p.x")).await;
    assert!(
        table.text.starts_with("O.X"),
        "equal headings become the paths: {}",
        table.text
    );
    for (tail, wanted) in [
        ("list n", "b, a"),
        ("list n -o asc -j ' + '", "a + b"),
        ("list n --order desc", "b, a"),
        ("list p.x", ""),
        ("pluck n | list", "b, a"),
    ] {
        assert_eq!(
            values(&format!("{people} | {tail}")).await,
            vec![json!(wanted)],
            "{tail}"
        );
    }
    assert_eq!(code(&fresh(), "seed 1 | list n -o up").await, ("E-TYPE-001", 2));
    assert_eq!(code(&fresh(), "seed 1 | table").await, ("E-ARGUMENT-002", 2));
    assert_eq!(code(&fresh(), "seed 1 | table ''").await, ("E-PATH-002", 2));
}

#[tokio::test]
async fn d3_join_group_by_and_map() {
    let pods = "let pods = seed '[{\"pod\": \"a\", \"node\": 1, \"x\": \"pod\"}, {\"pod\": \"b\", \"node\": 1}, {\"pod\": \"c\", \"node\": 3}]'";
    let nodes = "seed '[{\"id\": 1, \"x\": \"node\"}, {\"id\": 2}]'";
    for (tail, wanted) in [
        (
            "join $pods --on id --with node",
            json!([{"id": 1, "x": "node", "pod": "a", "node": 1}, {"id": 1, "x": "node", "pod": "b", "node": 1}]),
        ),
        ("join $pods --on id --with node --left | count", json!([3])),
        ("join $pods --on id --with node --as p | jq .p.x", json!(["pod", null])),
        ("join $pods --on node | count", json!([0])),
    ] {
        let ran = run(&fresh(), &format!("{pods} && {nodes} | {tail}")).await;
        assert_eq!(
            Value::Array(ran.records[3..].to_vec()),
            wanted,
            "{tail} {:?}",
            ran.report
        );
    }
    assert_eq!(code(&fresh(), "seed 1 | join x --on a").await, ("E-JOIN-001", 2));
    let rows = "seed '[{\"a\": 1, \"b\": 2}, {\"a\": 1, \"b\": 3}, {\"b\": 2}, {\"a\": null, \"b\": 2}]'";
    assert_eq!(
        values(&format!("{rows} | group-by a -c")).await,
        vec![json!({"a": 1, "count": 2}), json!({"a": null, "count": 2})]
    );
    assert_eq!(
        values(&format!("{rows} | group by b k=a | jq '.records | length'")).await,
        vec![json!(1), json!(1), json!(2)]
    );
    assert_eq!(
        values(&format!("{rows} | head 1 | map x=b none all= -k")).await,
        vec![json!({"a": 1, "b": 2, "x": 2, "none": null, "all": {"a": 1, "b": 2}})]
    );
}

#[tokio::test]
async fn d3_from_and_to_json_yaml_and_csv() {
    let cases = [
        (
            "seed '[{\"a\": [1, null]}, \"x\"]' | to json | from json",
            json!([{"a": [1, null]}, "x"]),
        ),
        ("seed '[1, 2]' | to json -s", json!(["[1,2]"])),
        ("seed '{\"a\": 1}' | to json -p | from json", json!([{"a": 1}])),
        (
            "seed '[{\"a\": [1, null], \"b\": \"x: y\"}, \"no\", true]' | to yaml | from yaml",
            json!([{"a": [1, null], "b": "x: y"}, "no", true]),
        ),
        (
            "seed '[{\"a\": \"1,\\\"2\\\"\", \"b\": \"x\\ny\"}]' | to csv | from csv",
            json!([{"a": "1,\"2\"", "b": "x\ny"}]),
        ),
        (
            "seed '{\"a\": {\"b\": 1}}' | to csv v=a.b -s ';' --no-header",
            json!(["1"]),
        ),
        (
            "seed '[[1, \"a b\"], [null, {}]]' | jq -n 'inputs' | to csv",
            json!(["1,a b", ",{}"]),
        ),
        ("echo 'a;b' | from csv -n -s ';'", json!([["a", "b"]])),
        ("echo '[1, 2]' | from json --spread", json!([1, 2])),
        (
            "sh 'echo \"[1,\"; echo \"2\"; echo \"] 3\"' | from json",
            json!([[1, 2], 3]),
        ),
    ];
    for (line, wanted) in cases {
        let wanted = match wanted {
            Value::Array(all) => all,
            other => vec![other],
        };
        assert_eq!(values(line).await, wanted, "{line}");
    }
    let wrong = [
        ("echo '{' | from json", "E-JSON-001", 1),
        ("echo '[1}' | from json", "E-JSON-001", 1),
        ("echo 'a: [' | from yaml", "E-YAML-001", 1),
        ("echo 'a,\"b' | from csv", "E-CSV-001", 1),
        ("seed 1 | from yaml", "E-TEXT-001", 1),
        ("seed 1 | to csv", "E-CSV-004", 1),
        ("echo x | from csv -s ab", "E-CSV-002", 2),
        ("seed '[{\"a\": 1}, {\"b\": 1}]' | to csv", "E-CSV-005", 1),
    ];
    for (line, code_, exit) in wrong {
        assert_eq!(code(&fresh(), line).await, (code_, exit), "{line}");
    }
    let bomb = "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e]\ng: &g [*f,*f,*f,*f,*f,*f,*f,*f,*f]\nh: [*g,*g,*g,*g,*g,*g,*g,*g,*g]";
    let line = format!("echo '{bomb}' | from yaml");
    assert_eq!(
        code(&fresh(), &line).await,
        ("E-YAML-001", 1),
        "aliases of aliases are bounded"
    );
    let deep = "[".repeat(100_000);
    for reader in ["from json", "from yaml"] {
        assert_eq!(
            code(
                &fresh(),
                &format!("sh \"head -c 100000 /dev/zero | tr '\\\\0' '['\" | {reader}")
            )
            .await
            .1,
            1,
            "{}",
            deep.len()
        );
    }
}

#[tokio::test]
async fn b05_help_behind_a_command_shows_its_page() {
    let session = fresh();
    let page = run(&session, "help head").await.text;
    run(&session, "alias create h head").await;
    for line in ["head --help", "head 5 -h", "head --nope --help", "h --help"] {
        let ran = run(&session, line).await;
        assert_eq!((ran.text.as_str(), ran.exit), (page.as_str(), 0), "{line}: {ran:?}");
    }
    assert_eq!(
        run(&session, "alias create --help").await.text,
        run(&session, "help alias create").await.text
    );
    // Behind a pipe nothing is run for a page; after `--` it is data.
    assert_eq!(code(&session, "seed 1 | head --help").await, ("E-OPTION-001", 2));
    assert_eq!(run(&session, "echo -- --help").await.records, vec![json!("--help")]);
}

#[tokio::test]
async fn d1_info_and_help_output() {
    let info = run(&fresh(), "info").await;
    assert!(
        info.text.starts_with("cogdeck ") && info.text.contains("user mia, context test"),
        "{}",
        info.text
    );
    assert_eq!(info.records[0]["bundles"][0]["name"], "cogdeck");
    let page = run(&fresh(), "help alias create").await.text;
    assert!(page.contains("cogdeck:alias-create"), "{page}");
}

#[tokio::test]
async fn l11_positionals_are_declared_and_options_exclude_each_other() {
    let session = fresh();
    for (line, wanted) in [
        ("seed 1 | head 1 -n 2", "E-OPTION-004"),
        ("seed 1 | sort --asc --desc", "E-OPTION-004"),
        ("seed 1 --range 1-2", "E-OPTION-004"),
        ("seed 1 | head 1 2", "E-ARGUMENT-001"),
        ("seed 1 | head x", "E-TYPE-001"),
        ("seed 1 | filter", "E-OPTION-003"),
        ("seed 1 | head --lins 1", "E-OPTION-001"),
    ] {
        assert_eq!(code(&session, line).await, (wanted, 2), "{line}");
    }
}
