//! The checklist's rows about permissions, and the defects they mend.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::verb::{Declaration, Known};

fn known(positionals: Value, options: Value) -> Known {
    let Value::Array(positionals) = positionals else {
        panic!()
    };
    let Value::Object(options) = options else { panic!() };
    Known {
        positionals: positionals.into_iter().map(Some).collect(),
        options: options.into_iter().map(|(name, value)| (name, Some(value))).collect(),
    }
}

fn holds(condition: &str, known: &Known) -> bool {
    let rule = Rule::parse(&format!("when command is b:c with {condition} allow")).unwrap();
    decide(&Permissions::default(), [&rule], known) == Decision::Allowed
}

fn permissions(names: &[&str]) -> Permissions {
    Permissions::new(names.iter().map(|&name| name.to_owned())).unwrap()
}

fn passes(held: &[&str], rules: &[&str], known: &Known) -> Decision {
    let rules: Vec<Rule> = rules
        .iter()
        .map(|text| Rule::of_command(text, "b", "c").unwrap())
        .collect();
    decide(&permissions(held), &rules, known)
}

fn allowed(held: &[&str], rules: &[&str], known: &Known) -> bool {
    passes(held, rules, known) == Decision::Allowed
}

#[test]
fn r1_the_rule_language() {
    let call = known(
        json!(["prod", 5, "web-1", true]),
        json!({"n": 3, "f": 1.5, "env": "prod", "force": true, "ids": ["a", "b"], "none": []}),
    );
    let cases = [
        ("arg[0] == prod", true),
        ("arg[0] == 'prod'", true),
        ("arg[0] != \"prod\"", false),
        ("arg[1] > 4", true),
        ("arg[1] >= 5 and arg[1] =< 5 and arg[1] <= 5", true),
        ("arg[1] < 5", false),
        ("arg[2] == /^web-[0-9]+$/", true),
        ("arg[2] != /db/", true),
        ("arg[3] == true", true),
        ("option[f] > 1.25", true),
        ("option[env] in [staging, prod]", true),
        ("option[env] in [staging, /^pr/]", true),
        ("arg[0] in [staging]", false),
        ("any arg == web-1", true),
        ("any args in [x, 5]", true),
        ("all args == /./", true),
        ("all args in [prod, 5, web-1, true]", true),
        ("all args in [prod]", false),
        ("any option == prod", true),
        ("all options == prod", false),
        ("any option[ids] == b", true),
        ("all option[ids] in [a, b]", true),
        ("all option[ids] == a", false),
        ("any option[none] == x", false),
        ("all option[none] == x", true),
        ("all option[none] in [x]", false),
        ("any option[env] == prod", true),
        ("(arg[0] == x or arg[0] == prod) and option[force] == true", true),
    ];
    for (condition, wanted) in cases {
        assert_eq!(holds(condition, &call), wanted, "{condition}");
    }
    let held = ["site:a", "kubectl:write"];
    let none = known(json!([]), json!({}));
    for (wanted, passes) in [
        ("allow", true),
        ("must have site:a", true),
        ("must have site:b", false),
        ("must have site:b or site:a", true),
        ("must have site:a and site:b", false),
        ("must have site:b or site:a and kubectl:write", true),
        ("must have (site:b or site:a) and kubectl:admin", false),
        ("must have any in [site:b, site:a]", true),
        ("must have all in [site:b, site:a]", false),
        // A pattern in a list of permissions never matched in the ancestor.
        ("must have any in [/^kubectl:/]", true),
        ("must have all in [/^kubectl:/, site:a]", true),
        ("must have any in [/^r53:/]", false),
    ] {
        assert_eq!(allowed(&held, &[wanted], &none), passes, "{wanted}");
    }
    assert!(allowed(&["kubectl:*"], &["must have kubectl:admin"], &none));
    assert!(allowed(&["*"], &["must have kubectl:admin and any in [/x/]"], &none));
    assert!(!allowed(&["kub:*"], &["must have kubectl:admin"], &none));
}

#[test]
fn r1_what_is_no_rule_is_marked() {
    let cases = [
        ("", ""),
        ("allow", "allow"),
        ("when command is bc allow", "bc"),
        ("when command is b:c", ""),
        ("when command is b:c allow allow", "allow"),
        ("when command is b:c must have x", "x"),
        ("when command is b:c with allow", "allow"),
        ("when command is b:c with arg[0] allow", "allow"),
        ("when command is b:c with arg[x] == 1 allow", "x"),
        ("when command is b:c with foo[1] == 1 allow", "foo"),
        ("when command is b:c with arg[0] == 'x allow", "'x allow"),
        ("when command is b:c with arg[0] == /(/ allow", "/(/"),
        ("when command is b:c with arg[0] > /x/ allow", "/x/"),
        (
            "when command is b:c with arg[0] == /(a{999}){999}/ allow",
            "/(a{999}){999}/",
        ),
        ("when command is b:c with arg[0] == must allow", "must"),
        ("when command is b:c with arg[0] in [] allow", "]"),
        ("when command is b:c with (arg[0] == 1 allow", "allow"),
        ("when command is b:c with arg[0] = 1 allow", "="),
    ];
    for (text, marked) in cases {
        let report = Rule::parse(text).unwrap_err();
        assert_eq!(report.code, "E-RULE-001", "{text}");
        if let Some(place) = report.place {
            assert_eq!(&place.source[place.span], marked, "{text}");
        }
    }
    let report = Rule::of_command("when command is b:d allow", "b", "c").unwrap_err();
    assert_eq!(report.code, "E-RULE-002");
    let deep = format!("when command is b:c with {} arg[0] == 1 allow", "not ".repeat(900));
    assert!(Rule::parse(&deep).unwrap_err().message.contains("too deep"));
    assert!(Rule::parse(&"x".repeat(5000)).is_err());
}

#[test]
fn r2_the_most_specific_rules_decide_and_all_of_them_must_pass() {
    let call = known(json!(["prod", "web"]), json!({"force": true}));
    let general = "must have b:any";
    let prod = "with arg[0] == prod must have b:prod";
    let both = "with arg[0] == prod and option[force] == true must have b:force";
    assert!(allowed(&["b:any"], &[general], &call));
    assert!(!allowed(&["b:any"], &[general, prod], &call));
    assert!(allowed(&["b:prod"], &[general, prod], &call));
    assert!(allowed(&["b:force"], &[general, prod, both], &call));
    assert!(!allowed(&["b:any", "b:prod"], &[general, prod, both], &call));
    // Two rules of one weight were an "or" in the ancestor: either permission was enough.
    let (one, other) = ("must have b:groups", "must have b:users");
    assert!(!allowed(&["b:groups"], &[one, other], &call));
    assert!(!allowed(&["b:users"], &[one, other], &call));
    assert!(allowed(&["b:groups", "b:users"], &[one, other], &call));
    // `allow` does not win a tie either.
    assert!(!allowed(&[], &["allow", "must have b:x"], &call));
    let unmatched = passes(&["b:x"], &["with arg[0] == other must have b:x"], &call);
    assert_eq!(unmatched, Decision::Denied(Denial::NoRule));
}

#[test]
fn r3_not_precedence_and_typed_comparison() {
    let call = known(json!(["x", 5]), json!({"n": 3, "text": "10", "list": [1]}));
    let cases = [
        ("not arg[0] == y", true),
        ("not (arg[0] == x or arg[0] == y)", false),
        ("not not arg[0] == x", true),
        // `and` before `or`: the ancestor read this as x and (y or …).
        ("arg[0] == y and arg[0] == y or arg[1] == 5", true),
        ("arg[1] == 5 or arg[0] == y and arg[0] == z", true),
        // What was not given is not greater than every number.
        ("option[absent] > 5", false),
        ("option[absent] < 5", false),
        ("option[absent] == 5", false),
        ("option[absent] != 5", true),
        ("not option[absent] == 5", true),
        ("arg[9] > 0", false),
        // Nor is a text, a list or a boolean.
        ("arg[0] > 1", false),
        ("option[list] > 0", false),
        ("arg[0] == true", false),
        ("option[text] > 9", true),
        ("option[text] == 10", true),
        ("option[text] == 9", false),
        // A pattern on a number is no crash.
        ("arg[1] == /^5$/", true),
        ("option[list] == /x/", false),
    ];
    for (condition, wanted) in cases {
        assert_eq!(holds(condition, &call), wanted, "{condition}");
    }
}

#[test]
fn r4_short_rules_site_rules_and_turned_off_rules() {
    let short = Rule::of_command("with arg[0] == x must have b:p", "b", "c").unwrap();
    assert_eq!(short.text, "when command is b:c with arg[0] == x must have b:p");
    assert!(Rule::of_command("when command is b:c allow", "b", "c").is_ok());

    let command = Declaration::new("b", "c", "").rule("must have b:p");
    let policy = |rules: &[&str], disabled: &[&str]| {
        let users = BTreeMap::from([
            ("ana".to_owned(), permissions(&["b:p"])),
            ("bo".to_owned(), permissions(&[])),
        ]);
        let own = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect::<Vec<_>>();
        Policy::new(users, own(rules), own(disabled)).unwrap()
    };
    let may = |policy: &Policy, user: &str, declaration: &Declaration, arguments: Value| {
        policy.decide(user, declaration, &known(arguments, json!({}))).unwrap() == Decision::Allowed
    };
    let plain = policy(&[], &[]);
    assert!(may(&plain, "ana", &command, json!([])));
    assert!(!may(&plain, "bo", &command, json!([])) && !may(&plain, "nobody", &command, json!([])));
    assert!(may(&plain, "nobody", &Declaration::new("b", "free", ""), json!([])));

    let site = policy(&["when command is b:c with arg[0] == prod must have site:prod"], &[]);
    assert!(may(&site, "ana", &command, json!(["x"])) && !may(&site, "ana", &command, json!(["prod"])));

    let off = policy(&["when command is b:c allow"], &["when command is b:c  must have b:p"]);
    assert!(may(&off, "bo", &command, json!([])));
    let off = policy(&[], &["when command is b:c must have b:p"]);
    assert!(!may(&off, "ana", &command, json!([])), "without a rule left nobody may");

    let open = Policy::default();
    assert!(open.is_open() && may(&open, "nobody", &command, json!([])));
    let denial = Denial::Rules(vec!["when command is b:c must have b:p".into()]);
    let report = plain.refusal("bo", &command, &denial);
    assert_eq!(report.code, "E-ACCESS-001");
    assert!(report.message.contains("must have b:p") && report.message.contains("bo may not run b:c"));
    assert!(Permissions::new(["x".to_owned()]).is_err());
}

#[test]
fn r6_a_value_that_only_the_run_knows_is_left_to_it() {
    let later = Known {
        positionals: vec![Some(json!("pod")), None],
        options: BTreeMap::new(),
    };
    let prod = "with arg[1] == prod must have b:prod";
    assert_eq!(
        passes(&["b:any"], &["must have b:any", prod], &later),
        Decision::Depends
    );
    assert_eq!(
        passes(&["b:any", "b:prod"], &["must have b:any", prod], &later),
        Decision::Allowed
    );
    assert!(matches!(
        passes(&[], &["must have b:any", prod], &later),
        Decision::Denied(_)
    ));
    assert_eq!(passes(&["b:prod"], &[prod], &later), Decision::Depends);
    assert_eq!(
        passes(&["b:x"], &["with arg[0] == pod must have b:x"], &later),
        Decision::Allowed
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn r1_no_text_breaks_the_rule_reader(text in prop_oneof![any::<String>(), "[ -~\n]{0,200}"]) {
        let _ = Rule::parse(&text);
        let _ = Rule::of_command(&text, "b", "c");
    }

    #[test]
    fn r1_no_words_of_the_language_break_the_rule_reader(
        words in proptest::collection::vec(
            prop_oneof![
                Just("when"), Just("command"), Just("is"), Just("b:c"), Just("with"), Just("arg"), Just("["), Just("]"),
                Just("0"), Just("option"), Just("any"), Just("all"), Just("in"), Just("("), Just(")"), Just("not"), Just("and"),
                Just("or"), Just("=="), Just("=<"), Just("/x/"), Just("'"), Just("\""), Just("/"), Just("must"), Just("have"),
                Just("allow"), Just("p:q"), Just(","), Just("\\"), Just("ü"),
            ],
            0..40,
        )
    ) {
        let text = words.join(" ");
        if let Ok(rule) = Rule::of_command(&text, "b", "c") {
            let empty = Known { positionals: Vec::new(), options: BTreeMap::new() };
            let _ = decide(&Permissions::default(), [&rule], &empty);
            prop_assert!(Rule::parse(&rule.text).is_ok(), "{}", rule.text);
        }
    }
}
