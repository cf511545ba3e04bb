#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use crate::engine::variables::Values;
use crate::lang::parse;
use crate::verb::Positional;

fn declaration() -> Arc<Declaration> {
    Arc::new(
        Declaration::new("k", "run", "runs")
            .positional(Positional::new("name", OptionKind::String, ""))
            .positional(Positional::new("rest", OptionKind::Int, "").optional().variadic())
            .options([
                OptionSpec::new("image", OptionKind::String, "").short('i'),
                OptionSpec::new("tty", OptionKind::Bool, "").short('t'),
                OptionSpec::new("verbose", OptionKind::Incr, "").short('v'),
                OptionSpec::new("label", OptionKind::List, "").short('l'),
                OptionSpec::new("port", OptionKind::Int, "").short('p').default("80"),
                OptionSpec::new("wait", OptionKind::Duration, "").alias("timeout"),
                OptionSpec::new("output", OptionKind::Enum(&["json", "wide"]), "").short('o'),
            ])
            .exclusive(&["image", "label"]),
    )
}

fn read(words: &str, fed: bool) -> Result<Template, Problem> {
    let line = parse(&format!("x {words}")).unwrap();
    let words = &line.items[0].pipeline.stages[0].words;
    Template::read(declaration(), &words[1..], words[0].span, fed)
}

#[test]
fn words_that_are_still_typed_are_sorted_by_the_declaration() {
    let so_far = |words: &str| {
        let line = parse(&format!("x {words}")).unwrap();
        let partial = Partial::of(&declaration(), &line.items[0].pipeline.stages[0].words[1..]);
        let options: Vec<String> = partial
            .options
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        (partial.positionals.join(" "), options.join(" "))
    };
    let expected = |positionals: &str, options: &str| (positionals.to_owned(), options.to_owned());
    // What stands behind a flag is no value of it, what stands behind another option is.
    assert_eq!(so_far("-t web --image a 3"), expected("web 3", "image=a"));
    assert_eq!(so_far("-ti a web --timeout=5s"), expected("web", "image=a wait=5s"));
    assert_eq!(so_far("-p 1 --port 2"), expected("", "port=2"));
    assert_eq!(so_far("web -- -x --image"), expected("web -x --image", ""));
    // Unfinished, unknown or from elsewhere: the rest counts all the same.
    assert_eq!(so_far("web --image"), expected("web", ""));
    assert_eq!(so_far("--nope web -x 3"), expected("web 3", ""));
    assert_eq!(so_far("$name --image=$a 3"), expected(" 3", ""));
}

#[test]
fn what_is_near_is_told_before_what_stands_elsewhere() {
    let hint = |words: &str| read(words, false).err().and_then(|problem| problem.hint).unwrap();
    assert_eq!(hint("web --lable=a"), "did you mean --label?");
    let command = Arc::new(Declaration::new("k", "x", "").option(OptionSpec::new("contexts", OptionKind::Bool, "")));
    let line = parse("x --context").unwrap();
    let words = &line.items[0].pipeline.stages[0].words;
    let problem = Template::read(command, &words[1..], words[0].span, false)
        .err()
        .unwrap();
    assert_eq!(
        problem.hint.unwrap(),
        "did you mean --contexts? or it stands before the command: @NAME COMMAND"
    );
}

fn bound(words: &str) -> Result<(Value, Value), &'static str> {
    let template = read(words, false).map_err(|problem| problem.code)?;
    let record = json!({"n": 5, "list": ["a", "b"], "text": "x", "none": null});
    let values = Values::default();
    let scope = Scope {
        record: Some(&record),
        values: &values,
    };
    let arguments = template.arguments(scope).map_err(|problem| problem.code)?;
    let mut options = arguments.options;
    for (name, default) in [("port", json!(80)), ("tty", json!(false)), ("verbose", json!(0))] {
        if options.get(name) == Some(&default) {
            options.remove(name);
        }
    }
    Ok((Value::Array(arguments.positionals), Value::Object(options)))
}

#[test]
fn l09_l10_l13_spellings_of_options_and_positionals() {
    let cases = [
        ("web", json!(["web"]), json!({})),
        ("123 4 5", json!(["123", 4, 5]), json!({})),
        (
            "web --image=a --port 81",
            json!(["web"]),
            json!({"image": "a", "port": 81}),
        ),
        ("--image 5 web", json!(["web"]), json!({"image": "5"})),
        ("-i a:1 web", json!(["web"]), json!({"image": "a:1"})),
        ("-ia:1 web", json!(["web"]), json!({"image": "a:1"})),
        ("-tvv web", json!(["web"]), json!({"tty": true, "verbose": 2})),
        (
            "-tvi a web",
            json!(["web"]),
            json!({"tty": true, "verbose": 1, "image": "a"}),
        ),
        (
            "-lapp=web,x=y web",
            json!(["web"]),
            json!({"label": ["app=web", "x=y"]}),
        ),
        ("-l a,b -l c web", json!(["web"]), json!({"label": ["a", "b", "c"]})),
        ("-p=81 web", json!(["web"]), json!({"port": 81})),
        ("--tty=no web", json!(["web"]), json!({})),
        ("--verbose=3 -v web", json!(["web"]), json!({"verbose": 4})),
        ("--timeout 1m web", json!(["web"]), json!({"wait": 60000})),
        ("-- -web", json!(["-web"]), json!({})),
        ("web -- -5", json!(["web", -5]), json!({})),
        ("web -5", json!(["web", -5]), json!({})),
        ("'-web'", json!(["-web"]), json!({})),
        ("--image= web", json!(["web"]), json!({"image": ""})),
        ("--image=-x web", json!(["web"]), json!({"image": "-x"})),
        ("web --image a --image b", json!(["web"]), json!({"image": "b"})),
        ("$n $n", json!(["5", 5]), json!({})),
        ("w --label $list", json!(["w"]), json!({"label": ["a", "b"]})),
        ("w --image=\"v${n}\"", json!(["w"]), json!({"image": "v5"})),
        ("w -i${text}y", json!(["w"]), json!({"image": "xy"})),
    ];
    for (words, positionals, options) in cases {
        assert_eq!(bound(words), Ok((positionals, options)), "{words}");
    }
}

#[test]
fn l12_wrong_options_and_arguments_have_codes() {
    let cases = [
        ("web --imge=x", UNKNOWN),
        ("web -x", UNKNOWN),
        ("web --port", NO_VALUE),
        ("web --image --tty", NO_VALUE),
        ("web --port=abc", TYPE),
        ("web --port=$text", TYPE),
        ("web --image=$none", TYPE),
        ("web --image=$nope", "E-VALUE-001"),
        ("web abc", TYPE),
        ("", TOO_FEW),
        ("web --image a -l b", EXCLUSIVE),
        ("web --output=jsno", TYPE),
        ("web --$text=1", NAME),
    ];
    for (words, code) in cases {
        assert_eq!(bound(words), Err(code), "{words}");
    }
}

#[test]
fn e2_an_unknown_option_is_marked_and_suggested() {
    let problem = read("web --imge=x", false).unwrap_err();
    assert_eq!(problem.hint.as_deref(), Some("did you mean --image?"));
    assert_eq!((problem.span.start, problem.span.end), (6, 14));
    let problem = read("web -image=x", false).unwrap_err();
    assert_eq!(problem.hint.as_deref(), Some("did you mean --image?"));
}

#[test]
fn l11_all_missing_are_named_at_once_and_a_pipe_stands_in_for_positionals() {
    let declaration = Arc::new(
        Declaration::new("r53", "record-create", "")
            .positional(Positional::new("name", OptionKind::String, ""))
            .positional(Positional::new("pattern", OptionKind::String, "").always())
            .option(OptionSpec::new("zone", OptionKind::String, "").required())
            .option(OptionSpec::new("type", OptionKind::String, "").required()),
    );
    let problem = Template::read(declaration.clone(), &[], Span::default(), false).unwrap_err();
    assert_eq!(
        problem.message,
        "r53:record-create needs --zone, --type, <name>, <pattern>"
    );
    let line = parse("x --zone=z --type=t").unwrap();
    let words = &line.items[0].pipeline.stages[0].words[1..];
    let problem = Template::read(declaration, words, Span::default(), true).unwrap_err();
    assert_eq!(problem.message, "r53:record-create needs <pattern>");
}

#[test]
fn arguments_without_variables_are_bound_once() {
    assert!(read("web --port=1", false).unwrap().is_fixed());
    let dynamic = read("web --port=$n", false).unwrap();
    assert!(!dynamic.is_fixed());
    assert_eq!(dynamic.known().positionals, [Some(serde_json::json!("web"))]);
    assert_eq!(dynamic.known().options["port"], None);
    assert_eq!(dynamic.dynamic_words().count(), 1);
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { cases: 500, failure_persistence: None, ..Default::default() })]

    #[test]
    fn no_words_break_the_option_reader(
        pieces in proptest::collection::vec(
            proptest::sample::select(vec![
                "--", "-", "--port", "--port=", "-z", "-zt", "-5", "=", "x", "'a b'", "$n", "${n:-1}", "\"${x}\"", "5", "ü", ",", "\\,",
                "true", "--replicas", "999999999999999999999", "1h", "-1h", "nan", "inf", " ", " ", " ",
            ]),
            0..16,
        ),
        fed in proptest::bool::ANY,
    ) {
        let text = pieces.concat();
        if parse(&format!("x {text}")).is_ok()
            && let Ok(template) = read(&text, fed)
        {
            let values = super::super::variables::Values::default();
            let record = serde_json::json!({"n": null, "x": [1]});
            let scope = Scope { record: Some(&record), values: &values };
            let _ = template.arguments(scope);
            let _ = template.known();
        }
    }
}

#[test]
fn b10_that_a_secret_comes_from_elsewhere_is_known_and_its_value_is_not() {
    let secret = OptionSpec {
        secret: true,
        ..OptionSpec::new("password", OptionKind::String, "")
    };
    let declaration = Arc::new(Declaration::new("t", "login", "").option(secret));
    for (words, known) in [
        ("", None),
        ("--password=x", Some(Some(json!("x")))),
        ("--password", Some(None)),
        ("--password -", Some(None)),
        ("--password @file", Some(None)),
        ("--password=$x", Some(None)),
    ] {
        let line = parse(&format!("x {words}")).unwrap();
        let stage = &line.items[0].pipeline.stages[0].words;
        let template = Template::read(declaration.clone(), &stage[1..], stage[0].span, false).unwrap();
        assert_eq!(template.known().options.get("password"), known.as_ref(), "{words}");
    }
}
