//! What the ancestor did wrong with bundles, shown mended through the binary. Where one room alone mends it, the test
//! stands there: `b2_` to `b11_` beside the manifest, the layers and the templates, `r1_` to `r4_` beside the rules,
//! `c1_` to `c8_` beside the contract of a command.

use super::Home;

#[test]
fn defect_a_bundle_that_is_off_is_told_apart_from_one_that_is_not_there() {
    let home = Home::new();
    home.install(&home.demo("0.1.0", "echo on", ""));
    let stderr = home.refused("demo:greet");
    assert!(
        stderr.contains("the bundle \"demo\" is not in use") && stderr.contains("bundle enable demo"),
        "{stderr}"
    );
    home.done("bundle enable demo");
    assert_eq!(home.done("demo:greet"), "on\n");
    home.done("bundle disable demo");
    assert!(home.refused("demo:greet").contains("is not in use"));
    assert!(home.refused("deno:greet").contains("there is no bundle"));
    // One of a built-in's name that is off leaves the built-in where it was.
    home.install(&super::public("net"));
    assert!(home.done("help net:dig").contains("net:dig"));
}

#[test]
fn defect_values_arrive_as_they_are_whatever_their_type() {
    let mut home = Home::new();
    // Numbers came as `%!s(int=5)`, maps as `map[k:v]`, null as `<nil>`, what holds blanks in quotes.
    let reply = r#"for value in "$WORDS" "$NUMBER" "$@" "$COG_ARGV_0" "$COG_OPT_DRY_RUN" "$COG_USERNAME"; do
  echo "[$value]"
done"#;
    home.install(&home.demo("0.1.0", reply, "    options: {dry-run: {type: string}}\n"));
    home.done("bundle enable demo");
    home.done("bundle config set demo WORDS --value 'two  words'");
    home.done("bundle config set demo NUMBER --value 5");
    // What names the user is the contract's, and no configuration's.
    home.variables
        .push(("COGDECK_BUNDLE_DEMO__COG_USERNAME".to_owned(), "root".to_owned()));
    let said = home
        .done(r#"seed '{"map": {"k": [1, "v"]}, "none": null}' | demo:greet 'two  words' $map $none --dry-run 'a  b'"#);
    let expected = [
        "[two  words]",
        "[5]",
        "[two  words]",
        r#"[{"k":[1,"v"]}]"#,
        "[null]",
        "[two  words]",
        "[a  b]",
        "[ana]",
    ];
    assert_eq!(said.lines().collect::<Vec<_>>(), expected);
}

#[test]
fn defect_a_setting_is_seen_by_the_next_line_of_the_same_session() {
    let home = Home::new();
    // A first run without any setting kept later ones from being looked for.
    home.install(&home.demo("0.1.0", "echo \"[$WORD]\"", ""));
    home.done("bundle enable demo");
    let lines = [
        "demo:greet",
        "bundle config set demo WORD --value one",
        "demo:greet",
        "bundle config set demo WORD --value two --layer user/ana",
        "demo:greet",
        "bundle config unset demo WORD --layer user/ana",
        "demo:greet",
    ];
    std::fs::write(home.folder.path().join("script"), lines.join("\n")).unwrap();
    let (code, stdout, stderr) = home.cogdeck(&["run", "-f", "script"]);
    assert_eq!(code, Some(0), "{stdout}{stderr}");
    let said: Vec<&str> = stdout.lines().filter(|line| line.starts_with('[')).collect();
    assert_eq!(said, ["[]", "[one]", "[two]", "[one]"], "{stdout}");
}

#[test]
fn defect_a_setting_has_a_history_and_can_be_taken_back() {
    let home = Home::new();
    home.install(&home.demo("0.1.0", "echo \"[$WORD]\"", ""));
    home.done("bundle enable demo");
    home.done("bundle config set demo WORD --value one");
    home.done("bundle config set demo WORD --value two");
    assert_eq!(home.done("demo:greet"), "[two]\n");
    let entries = home.records("audit --limit 1");
    assert!(entries[0].to_string().contains("WORD"), "{entries:?}");
    home.done(&format!("undo {}", entries[0]["number"]));
    assert_eq!(home.done("demo:greet"), "[one]\n");
}

#[test]
fn defect_a_secret_of_the_configuration_is_in_no_message() {
    let mut home = Home::new();
    let reply = r#"echo "COGCMD_INFO: as $TOKEN"
echo "using $TOKEN" >&2
[ -z "$1" ] || { echo "no entry for $TOKEN" >&2; exit 3; }
echo done"#;
    home.install(&home.demo("0.1.0", reply, "config: {env: [{var: TOKEN}]}\n"));
    home.done("bundle enable demo");
    home.variables
        .push(("COGDECK_BUNDLE_DEMO__TOKEN".to_owned(), "tok-123456".to_owned()));
    let (code, stdout, stderr) = home.run("demo:greet");
    assert_eq!((code, stdout.as_str()), (Some(0), "done\n"), "{stderr}");
    assert!(
        stderr.contains("info: as •••") && stderr.contains("using •••"),
        "{stderr}"
    );
    let (code, stdout, failed) = home.run("demo:greet fail");
    assert_eq!((code, stdout.as_str()), (Some(1), ""), "{failed}");
    assert!(failed.contains("no entry for ••• (exit code 3)"), "{failed}");
    for text in [stderr, failed, home.done("history"), home.done("audit")] {
        assert!(!text.contains("tok-123456"), "{text}");
    }
}

#[test]
fn defect_each_kind_of_failure_is_told_as_what_it_is() {
    let home = Home::new();
    let reply = r#"case "$1" in
  silent) exit 3 ;;
  half) echo half; exit 4 ;;
  trace) printf 'Traceback:\n  line 1\nno such zone\n' >&2; exit 1 ;;
  json) printf 'JSON\n{"a": ,}\n' ;;
esac"#;
    home.install(&home.demo("0.1.0", reply, ""));
    home.done("bundle enable demo");
    // Whatever was wrong was an execution error; what nobody wrote to stderr was an empty box.
    assert!(home.refused("demo:greet --nope").contains("E-OPTION-001"));
    assert!(home.refused("demo:greet > here | count").contains("E-SYNTAX-006"));
    for (argument, code, why) in [
        ("silent", "E-EXEC-002", "said nothing (exit code 3)"),
        ("half", "E-EXEC-002", "its last line is \"half\" (exit code 4)"),
        ("trace", "E-EXEC-002", ": no such zone (exit code 1)"),
        ("json", "E-EXEC-003", "not JSON: expected value at line 1 column"),
    ] {
        let (exit, stdout, stderr) = home.run(&format!("demo:greet {argument}"));
        assert_eq!((exit, stdout.as_str()), (Some(1), ""), "{argument}: {stderr}");
        assert!(stderr.contains(code) && stderr.contains(why), "{argument}: {stderr}");
    }
}

#[test]
fn defect_rules_that_say_both_mean_both_and_no_switch_turns_them_off() {
    let mut home = Home::new();
    let file = home.demo("0.1.0", "echo in", "");
    let text = std::fs::read_to_string(&file)
        .unwrap()
        .replace("[demo:greet]", "[demo:one, demo:two]")
        .replace("rules: [allow]", "rules: [must have demo:one, must have demo:two]");
    std::fs::write(&file, text).unwrap();
    home.install(&file);
    home.done("bundle enable demo");
    let config = home.folder.path().join("config.toml");
    let grant = |permissions: &str| {
        let text = format!("[users.ana]\npermissions = [\"cogdeck:*\", {permissions}]\n");
        std::fs::write(&config, text).unwrap();
    };
    home.variables
        .push(("COGDECK_CONFIG".to_owned(), config.display().to_string()));
    home.variables
        .push(("DISABLE_RULE_ENFORCEMENT".to_owned(), "true".to_owned()));
    for (one, missing) in [("\"demo:one\"", "demo:two"), ("\"demo:two\"", "demo:one")] {
        grant(one);
        let stderr = home.refused("demo:greet");
        assert!(
            stderr.contains("E-ACCESS-001") && stderr.contains(&format!("must have {missing}")),
            "{stderr}"
        );
    }
    // Granted or taken away, it counts at once.
    grant("\"demo:one\", \"demo:two\"");
    assert_eq!(home.done("demo:greet"), "in\n");
    grant("\"demo:one\"");
    home.refused("demo:greet");
}
