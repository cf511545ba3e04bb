//! What a declaration says of itself.
#![allow(clippy::unwrap_used)]
use super::*;
use serde_json::json;

#[test]
fn whether_a_call_goes_on_is_one_question() {
    let bool = |name: &str| OptionSpec::new(name, OptionKind::Bool, "");
    let logs = Declaration::new("t", "logs", "")
        .options([bool("follow"), bool("previous"), bool("watch")])
        .following(&["follow"])
        .ending(&["previous", "count"]);
    let watch = Declaration::new("t", "watch", "").endless().ending(&["count"]);
    let known = |options: &[(&str, Option<Value>)]| Known {
        positionals: Vec::new(),
        options: options
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.clone()))
            .collect(),
    };
    let (yes, no) = (Some(json!(true)), Some(json!(false)));
    type Case<'a> = (&'a [(&'a str, Option<Value>)], bool, bool);
    let cases: [Case<'_>; 7] = [
        (&[], false, true),
        (&[("follow", yes.clone())], true, true),
        (&[("follow", no.clone())], false, true),
        // A flag of that name that means something else.
        (&[("watch", yes.clone())], false, true),
        (&[("follow", yes.clone()), ("previous", yes.clone())], false, true),
        (&[("follow", yes), ("previous", no)], true, true),
        // A variable gives the value later; that it is given is known.
        (&[("follow", None), ("count", None)], false, false),
    ];
    for (options, logs_go_on, watch_goes_on) in cases {
        let known = known(options);
        assert_eq!(logs.goes_on(&known), logs_go_on, "{options:?}");
        assert_eq!(watch.goes_on(&known), watch_goes_on, "{options:?}");
    }
    for (mentioned, open) in [
        ("namespace", true),
        ("watch", true),
        ("follow", false),
        ("previous", false),
    ] {
        let flag = logs.follow_flag(|name| name == mentioned);
        assert_eq!(flag.is_some_and(|flag| flag.name == "follow"), open, "{mentioned}");
    }
    assert!(watch.follow_flag(|_| false).is_none(), "it goes on as it is");
}

#[test]
fn an_answer_is_a_page_by_its_verb_or_by_the_value_of_an_option() {
    let get = Declaration::new("t", "get", "")
        .following(&["watch"])
        .page_with("output", &["yaml"]);
    let given = |value: &str| [("output".to_owned(), value.to_owned())].into();
    assert!(get.is_page(&given("yaml")));
    assert!(!get.is_page(&given("wide")) && !get.is_page(&Default::default()));
    assert!(get.page().is_page(&Default::default()));
    let logs = Declaration::new("t", "logs", "")
        .following(&["follow"])
        .ending(&["previous"]);
    assert!(logs.follows(|name| name == "follow") && !logs.follows(|_| false));
    assert!(!logs.follows(|_| true), "the other option ends it");
}
