use async_trait::async_trait;

use super::*;
use crate::core::report::Report;
use crate::verb::{Alias, AliasScope, Call, Completer, Completion, Input, Output, Positional, Read};

struct Nothing;

#[async_trait]
impl Read for Nothing {
    async fn run(&self, _: &Call, _: &mut Input, _: &Output) -> Result<(), Report> {
        Ok(())
    }
}

struct Names;

#[async_trait]
impl Completer for Names {
    async fn complete(&self, _: CompletionRequest) -> Completion {
        Completion::default()
    }
}

fn catalogue() -> Catalogue {
    let verb = |bundle: &str, name: &str| Declaration::new(bundle, name, &format!("{name} things"));
    let get = verb("kubectl", "get")
        .positional(Positional::new("kind", OptionKind::Enum(&["deploy", "svc"]), "what"))
        .option(OptionSpec::new("output", OptionKind::Enum(&["json", "wide"]), "format").short('o'))
        .option(OptionSpec::new("watch", OptionKind::Bool, "follow"))
        .option(OptionSpec::new("sort-by", OptionKind::String, "field").values(&[".metadata.name", "path="]));
    Catalogue::new([
        Verb::read(get, Nothing).completed_by(Arc::new(Names)),
        Verb::read(verb("kubectl", "set-image"), Nothing),
        Verb::read(verb("kubectl", "set-env"), Nothing),
        Verb::read(verb("cogdeck", "help"), Nothing),
        Verb::read(verb("dns", "dig"), Nothing),
    ])
    .with_aliases([Alias {
        scope: AliasScope::User,
        name: "images".into(),
        body: "kubectl:get deploy".into(),
    }])
}

fn offers(text: &str) -> Vec<String> {
    let context = Arc::new(Context::empty("x"));
    let gathered = gather(
        &catalogue(),
        &["staging".into(), "prod eu".into()],
        &context,
        &Samples::default(),
        text,
        text.len(),
    );
    gathered.map_or(Vec::new(), |g| {
        matching(&g.offers, &g.prefix)
            .into_iter()
            .map(|offer| offer.insert)
            .collect()
    })
}

#[test]
fn the_table_of_positions() {
    let cases: &[(&str, &[&str])] = &[
        ("he", &["help"]),
        ("!he", &["help"]),
        ("imag", &["images", "kubectl:set-image"]),
        ("user:", &["user:images"]),
        ("kubectl:", &["kubectl:get", "kubectl:set-env", "kubectl:set-image"]),
        ("set", &["kubectl:set-env", "kubectl:set-image"]),
        ("kubectl:set ", &["env", "image"]),
        ("kubectl:set i", &["image"]),
        ("kubectl:get ", &["deploy", "svc"]),
        ("kubectl:get d", &["deploy"]),
        ("kubectl:get --", &["--output=", "--watch", "--sort-by="]),
        ("kubectl:get --output=", &["json", "wide"]),
        ("kubectl:get -o ", &["json", "wide"]),
        ("kubectl:get -o j", &["json"]),
        ("kubectl:get --sort-by=", &[".metadata.name", "path="]),
        ("kubectl:get --sort-by p", &["path="]),
        ("kubectl:get -o json ", &["deploy", "svc"]),
        ("kubectl:get --watch s", &["svc"]),
        ("kubectl:get -o json deploy ", &[]),
        ("dig x | kubectl:get s", &["svc"]),
        ("@st", &["staging"]),
        ("@prod", &["'prod eu'"]),
        ("@st,", &["staging", "'prod eu'"]),
        ("@staging,", &["'prod eu'"]),
        ("@staging,p", &["'prod eu'"]),
        ("@*", &["*"]),
        ("nope x", &[]),
        ("# he", &[]),
    ];
    for (text, wanted) in cases {
        assert_eq!(offers(text), *wanted, "{text}");
    }
}

#[test]
fn an_empty_line_offers_everything() {
    assert_eq!(offers("").len(), 6);
}

#[test]
fn the_live_question_names_the_words_before_and_the_option() {
    let context = Arc::new(Context::empty("x"));
    let ask = |text: &str| {
        gather(&catalogue(), &[], &context, &Samples::default(), text, text.len())
            .unwrap()
            .live
            .unwrap()
            .request
    };
    let request = ask("kubectl:get svc insp");
    assert_eq!(
        (request.positionals, request.option, request.prefix),
        (vec!["svc".to_owned()], None, "insp".to_owned())
    );
    assert_eq!(ask("kubectl:get --output=js").option.as_deref(), Some("output"));
    let request = ask("kubectl:get --watch -o wide svc insp");
    assert_eq!(request.positionals, ["svc"]);
    assert_eq!(request.options.get("output").map(String::as_str), Some("wide"));
}

/// Knows one name: that of the context it is asked for.
struct Here;

#[async_trait]
impl Completer for Here {
    async fn complete(&self, request: CompletionRequest) -> Completion {
        let both = ["both".to_owned(), request.context.name.clone()];
        let candidate = |value: String| Candidate {
            value,
            note: String::new(),
        };
        Completion::from(Vec::from(both.map(candidate)))
    }
}

#[tokio::test]
async fn live_names_are_those_of_the_contexts_that_the_stage_names() {
    let get = Declaration::new("kubectl", "get", "gets").positional(Positional::new("x", OptionKind::String, "x"));
    let catalogue = Catalogue::new([Verb::read(get, Nothing).completed_by(Arc::new(Here))]);
    let known = ["own", "blue", "green"].map(str::to_owned);
    let find = |name: &str| (name != "gone").then(|| Arc::new(Context::empty(name)));
    let context = Arc::new(Context::empty("own"));
    for (line, names, why) in [
        ("kubectl:get ", &["both", "own"][..], None),
        ("@blue kubectl:get ", &["both", "blue"], None),
        ("@blue,green kubectl:get ", &["both", "blue", "green"], None),
        ("@* kubectl:get ", &["both", "own", "blue", "green"], None),
        ("@blue kubectl:get x | kubectl:get ", &["both", "own"], None),
        ("@gone kubectl:get ", &[], Some("there is no context gone")),
    ] {
        let gathered = gather(&catalogue, &known, &context, &Samples::default(), line, line.len());
        let found = gathered.unwrap().live.unwrap().ask(find).await;
        let values: Vec<&str> = found.candidates.iter().map(|found| found.value.as_str()).collect();
        assert_eq!((values.as_slice(), found.why.as_deref()), (names, why), "{line}");
    }
}

#[test]
fn a_hostile_name_is_inserted_as_one_harmless_word() {
    let names = ["a; kubectl:delete x", "--all", "$_", "it's\n| sh", "\u{1b}[2J"];
    let candidates = names.map(|value| Candidate {
        value: value.to_owned(),
        note: String::new(),
    });
    for (offer, name) in live_offers(candidates.to_vec()).iter().zip(names) {
        let line = crate::lang::parse(&format!("kubectl:get {}", offer.insert)).unwrap();
        let words = &line.items[0].pipeline.stages[0].words;
        assert_eq!((line.items.len(), words.len()), (1, 2), "{name:?}");
        assert_eq!(words[1].literal().as_deref(), Some(name));
        assert!(!words[1].is_option());
        assert!(!offer.label.as_str().contains('\u{1b}'));
    }
}

#[test]
fn the_common_beginning_goes_on_from_what_was_typed() {
    let offers = |names: &[&str]| {
        names
            .iter()
            .map(|name| Offer::new((*name).to_owned(), "", true))
            .collect::<Vec<_>>()
    };
    let set = offers(&["kubectl:set-env", "kubectl:set-image"]);
    assert_eq!(common_beginning(&set, "kubectl:s").as_deref(), Some("kubectl:set-"));
    assert_eq!(common_beginning(&set, "set"), None, "a fuzzy match is not lengthened");
    assert_eq!(common_beginning(&offers(&["世界", "世間"]), "").as_deref(), Some("世"));
    assert_eq!(common_beginning(&[], ""), None);
}

#[test]
fn behind_the_dollar_stand_fields_of_the_record_that_comes_let_names_and_answers() {
    let mut samples = Samples::default();
    samples.add(7, "dig x", &serde_json::json!({"name": "a", "ttl": 60}));
    samples.add(
        8,
        "let svc = kubectl:get svc",
        &serde_json::json!({"spec": {"port": 80}}),
    );
    let all = Declaration::new("t", "all", "x").input(InputMode::All);
    let catalogue = Catalogue::new([
        Verb::read(Declaration::new("dns", "dig", "x"), Nothing),
        Verb::read(Declaration::new("t", "each", "x"), Nothing),
        Verb::read(all, Nothing),
    ]);
    let context = Arc::new(Context::empty("x"));
    for (line, wanted) in [
        ("dig x | each $", &["name", "ttl", "svc", "_", "8", "7"][..]),
        ("dig x | each --a=b \"${", &["name", "ttl", "svc", "_", "8", "7"]),
        ("dig x | all $", &["svc", "_", "8", "7"]),
        ("each $", &["svc", "_", "8", "7"]),
        ("each $s", &["svc"]),
        ("each $svc.", &["spec"]),
        ("each $svc.spec.", &["port"]),
        ("dig y | each $name.", &[]),
    ] {
        let gathered = gather(&catalogue, &[], &context, &samples, line, line.len());
        let found = gathered.map_or_else(Vec::new, |found| matching(&found.offers, &found.prefix));
        let found: Vec<&str> = found.iter().map(|offer| offer.insert.as_str()).collect();
        assert_eq!(found, wanted, "{line}");
    }
}

#[test]
fn the_stages_before_a_place_are_told_by_the_language_and_not_by_the_signs_in_quotes() {
    let cases = [
        ("kubectl:get svc | jq '.a | .b' | jq ", "kubectl:get svc | jq '.a | .b'"),
        ("echo 'a; b && c' \"d|e\" | jq ", "echo 'a; b && c' \"d|e\""),
        ("echo x\\|y | jq ", "echo x\\|y"),
        ("jq '.a | ", ""),
        ("a | b; c | jq ", "c"),
        ("a | b && ", ""),
        ("a &\nb | jq ", "b"),
        ("a |\n b | jq ", "a |\n b"),
        ("! a | jq ", "a"),
    ];
    for (text, wanted) in cases {
        assert_eq!(upstream(text, text.len()).trim(), wanted, "{text}");
    }
    assert_eq!(
        upstream("a | jq .x | b 'c", 7),
        "a",
        "what stands behind counts for nothing"
    );
}
