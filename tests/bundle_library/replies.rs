//! What a command is given and what its answer becomes: templates, text, and the harness that shows both sides.

use super::Home;
use serde_json::json;

#[test]
fn b6_b7_a_reply_is_rendered_by_its_template_and_its_data_is_never_markup() {
    let home = Home::new();
    let reply = r#"case "$COG_ARGV_0" in
  table) printf 'COG_TEMPLATE: list\nJSON\n[{"n": "a|b", "v": "**x**"}, {"n": "c", "v": "\\u001b[2J\\u202e"}]\n' ;;
  text) printf 'NAME  READY\n* pod*  \033[32mok\033[0m \033[2J|\n' ;;
  none) printf 'COG_TEMPLATE: list\nJSON\n[]\n' ;;
  other) printf 'COG_TEMPLATE: nope\nJSON\n{"n": 1}\n' ;;
esac"#;
    let templates = "templates:\n  list:\n    body: |\n      ~if cond=$results empty?~\n      No pods.\n      ~end~\n      ~if cond=$results not_empty?~\n      | Name | Value |\n      |---|---|\n      ~each var=$results as=r~\n      | **~$r.n~** | ~$r.v~ |\n      ~end~\n      ~end~\n";
    let file = home.demo("0.1.0", reply, templates);
    home.install(&file);
    home.done("bundle enable demo");
    let shown = home.done("demo:greet table");
    assert_eq!(shown, "Name   Value\na|b    **x**\nc      ␛[2J·U+202E·\n");
    // In a pipe the record is what counts.
    assert_eq!(home.records("demo:greet table | jq .n"), [json!("a|b"), json!("c")]);
    assert_eq!(
        home.records("demo:greet text"),
        [json!({"body": ["NAME  READY", "* pod*  \u{1b}[32mok\u{1b}[0m \u{1b}[2J|"]})]
    );
    // Nothing came: what the template says about that is said all the same, and nothing flows.
    let (code, stdout, stderr) = home.run("demo:greet none");
    assert_eq!((code, stdout.as_str()), (Some(0), ""), "{stderr}");
    assert!(stderr.contains("No pods."), "{stderr}");
    assert!(home.records("demo:greet none").is_empty());
    let (code, stdout, stderr) = home.run("demo:greet other");
    assert_eq!((code, stdout.as_str()), (Some(0), "N\n1\n"));
    assert!(stderr.contains("no template \"nope\""), "{stderr}");
}

#[test]
fn b1_variables_of_a_command_that_are_no_text_arrive_as_text() {
    let home = Home::new();
    let file = home.demo(
        "0.1.0",
        "echo \"$LEVEL $LOUD $RATIO\"",
        "    env_vars: {LEVEL: 5, LOUD: true, RATIO: 0.5}\n",
    );
    home.install(&file);
    home.done("bundle enable demo");
    assert_eq!(home.done("demo:greet"), "5 true 0.5\n");
}

#[test]
fn x3_the_harness_shows_both_sides_and_the_rendering() {
    let home = Home::new();
    let reply = r#"printf 'COG_TEMPLATE: one\nJSON\n{"got": %s, "arg": "%s"}\n' "$(cat)" "$COG_ARGV_0""#;
    let more = "templates: {one: {body: \"# none\\n**~$results[0].arg~** is ~$results[0].got.id~\"}}\nconfig: {env: [{var: TOKEN}]}\n";
    let file = home.demo("0.1.0", reply, more);
    let file = file.to_str().unwrap();
    let (code, stdout, stderr) = home.cogdeck(&[
        "bundle",
        "run",
        file,
        "greet",
        "bob",
        "--dry",
        "--input",
        r#"{"id": 7}"#,
    ]);
    assert_eq!(code, Some(0), "{stderr}");
    assert!(
        stdout.contains("COG_ARGV_0=bob") && stdout.contains("{\"id\":7}") && !stdout.contains("rendered"),
        "{stdout}"
    );
    assert!(
        stderr.contains("it would not start") && stderr.contains("TOKEN"),
        "{stderr}"
    );
    let (code, _, stderr) = home.cogdeck(&["bundle", "run", file, "greet", "bob"]);
    assert!(code != Some(0) && stderr.contains("--set NAME=VALUE"), "{stderr}");
    let (code, stdout, stderr) = home.cogdeck(&[
        "bundle",
        "run",
        "--set",
        "TOKEN=tok-123456",
        file,
        "greet",
        "*bob*",
        "--input",
        r#"{"id": 7}"#,
    ]);
    assert_eq!(code, Some(0), "{stderr}");
    for expected in ["TOKEN=•••", "template: one", "\"got\": {", "rendered:\n*bob* is 7\n"] {
        assert!(stdout.contains(expected), "{expected}\n{stdout}");
    }
}
