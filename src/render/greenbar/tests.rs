#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::render::document::Role;

fn shown(template: &str, results: &Value) -> String {
    let results = match results {
        Value::Array(items) => items.clone(),
        one => vec![one.clone()],
    };
    let lines = Template::parse(template).unwrap().render(&results);
    lines.iter().map(Line::text).collect::<Vec<_>>().join("\n")
}

fn refused(template: &str) -> String {
    Template::parse(template).unwrap_err().to_string()
}

#[test]
fn b6_conditions_loops_and_joins() {
    let pods = json!([{"name": "a", "n": 2, "tags": ["x", "y"]}, {"name": "b", "n": 0, "tags": [], "gone": null}]);
    let template = "\
~each var=$results as=pod~
**~$pod.name~**~if cond=$pod.n > 1~ many~end~~if cond=$pod.tags not_empty?~ (~join var=$pod.tags with=\" + \" as=t~~$t~~end~)~end~
~if cond=$pod.gone not_bound?~
nothing gone: ~$pod.gone~~$pod.missing.deep~
~end~
~end~
~count var=$results~ in all";
    assert_eq!(
        shown(template, &pods),
        "a many (x + y)\nnothing gone:\nb\nnothing gone:\n2 in all"
    );
    for (condition, holds) in [
        ("$item.name == \"a\"", true),
        ("$item.name != 'a'", false),
        ("$item.n >= 2", true),
        ("$item.n == \"2\"", true),
        ("$item.n < 10", true),
        ("$item.name > 5", false),
        ("$item.missing > 5", false),
        ("$item.missing == $item.gone", true),
        ("length($item.tags) == 2", true),
        ("$item.tags[1] == y", true),
        ("$item[\"name\"] bound?", true),
        ("$item.n.deeper empty?", true),
        ("$item.n", true),
    ] {
        let template = format!("~each var=$results~~if cond={condition}~yes~end~~end~");
        assert_eq!(shown(&template, &pods[0]) == "yes", holds, "{condition}");
    }
}

#[test]
fn b6_tables_lists_and_attachments() {
    let zones = json!([{"id": "Z1", "name": "a|b"}, {"id": "Z22", "name": "*c*\nd"}]);
    let table = "| Zone ID | Zone Name |\n|---|---|\n~each var=$results as=z~\n| ~$z.id~ | ~$z.name~ |\n~end~\n\nend";
    assert_eq!(
        shown(table, &zones),
        "Zone ID   Zone Name\nZ1        a|b\nZ22       *c*⏎d\n\nend"
    );
    let list = "\\# Zones\n~each var=$results~\n* ~$item.id~ [site](http://~$item.id~/)\n~end~\n1. one\n2. two";
    assert_eq!(
        shown(list, &zones),
        "Zones\n• Z1 site (http://Z1/)\n• Z22 site (http://Z22/)\n1. one\n2. two"
    );
    let attachment = "~each var=$results as=z~\n~attachment color=\"red\" title=$z.id Zone-short=$z.name gone=$z.gone~\n**Name:** ~$z.name~~br~\nlast\n~end~\n~end~";
    let lines = Template::parse(attachment).unwrap().render(&[zones[0].clone()]);
    let text: Vec<String> = lines.iter().map(Line::text).collect();
    assert_eq!(text, ["▌ Z1", "▌ Name: a|b", "▌ last", "▌ Zone: a|b"]);
    let Role::Styled(bar) = lines[0].spans[0].role else {
        panic!("{lines:?}")
    };
    assert_eq!(bar.foreground, Some(1));
    assert_eq!(
        shown("~json var=$results[0]~", &zones),
        "{\n  \"id\": \"Z1\",\n  \"name\": \"a|b\"\n}"
    );
}

#[test]
fn b6_data_is_never_markup() {
    let hostile = [
        "**bold** _it_ `code` [x](http://evil) | a | b |",
        "# heading",
        "* bullet",
        "```",
        "1. one",
        "~$results~ ~end~ ~attachment~",
        "\\* \\n",
        "\u{1b}[2J\u{1b}]52;c;eHg=\u{7}\u{202e}abc",
    ];
    for text in hostile {
        let data = json!({"x": text});
        let inert = crate::core::text::safe_line(text);
        for (template, before, after) in [
            ("~$results[0].x~", "", ""),
            ("**~$results[0].x~**", "", ""),
            ("* ~$results[0].x~", "• ", ""),
            ("a `~$results[0].x~` b", "a ", " b"),
            ("| ~$results[0].x~ | z |", "", "   z"),
        ] {
            let lines = Template::parse(template).unwrap().render(std::slice::from_ref(&data));
            let [line] = lines.as_slice() else {
                panic!("{template} {text:?}: {lines:?}")
            };
            assert_eq!(line.text(), format!("{before}{inert}{after}"), "{template} {text:?}");
        }
        let lines = Template::parse("~$results[0].x~").unwrap().render(&[data]);
        assert!(lines[0].spans.iter().all(|span| span.role == Role::Plain), "{lines:?}");
    }
    // A line break in data starts no block.
    let lines = Template::parse("* ~$results[0].x~")
        .unwrap()
        .render(&[json!({"x": "a\n# b\n| c |"})]);
    assert_eq!(
        lines.iter().map(Line::text).collect::<Vec<_>>(),
        ["• a", "  # b", "  | c |"]
    );
}

#[test]
fn b7_a_fenced_block_is_verbatim_with_its_colours_and_cannot_be_left_by_data() {
    let text = "  NAME   READY\n\u{1b}[32m* pod*\u{1b}[0m  | x |\n```\n# not a heading \u{1b}]0;title\u{7}";
    let lines = Template::parse("before\n```\n~$results[0].body~\n```\n**after**")
        .unwrap()
        .render(&[json!({"body": text})]);
    let shown: Vec<String> = lines.iter().map(Line::text).collect();
    assert_eq!(
        shown,
        [
            "before",
            "  NAME   READY",
            "* pod*  | x |",
            "```",
            "# not a heading ␛]0;title␇",
            "after"
        ]
    );
    let Role::Styled(green) = lines[2].spans[0].role else {
        panic!("{lines:?}")
    };
    assert_eq!(green.foreground, Some(2));
}

#[test]
fn b6_a_hash_inside_a_line_is_text_and_a_comment_is_none() {
    let template = "# a comment\ntalk in #room or \\#dev # and this is none\n  # another\n\\# Heading";
    assert_eq!(shown(template, &json!([])), "talk in #room or #dev\nHeading");
    assert_eq!(
        shown("5*3*2 snake_case_name 100% ~/bin **open", &json!([])),
        "5*3*2 snake_case_name 100% ~/bin **open"
    );
}

#[test]
fn b6_what_is_no_template_is_named_with_its_line() {
    for (template, why) in [
        ("a\n~each var=$x~\nb", "line 2 of the template: `each` has no ~end~"),
        ("a\n\n~end~", "line 3 of the template: `~end~` has no beginning"),
        ("~if $x~~end~", "`if` needs cond="),
        ("~if cond=$x && $y~~end~", "not a comparison"),
        ("~if cond=$x == 1 and $y == 2~~end~", "too much"),
        ("~each as=x~~end~", "needs var=$NAME"),
        ("~each var=$x colour=1~~end~", "no attribute \"colour\""),
        ("~blink~", "there is no tag \"blink\""),
        ("~$x.~", "a key is missing"),
        ("~br", "is not closed"),
    ] {
        assert!(refused(template).contains(why), "{template}: {}", refused(template));
    }
    assert!(refused(&"~if cond=$x~".repeat(40)).contains("nested deeper"));
    assert!(refused(&"x".repeat(LONGEST + 1)).contains("longer"));
}

#[test]
fn b6_a_rendering_is_bounded_and_says_so() {
    let many: Vec<Value> = (0..3_000).map(|_| json!("x")).collect();
    let begun = std::time::Instant::now();
    let loops = "~each var=$results as=a~~each var=$results as=b~~each var=$results as=c~~end~~end~~end~";
    for template in [
        loops.to_owned(),
        "~each var=$results as=a~~each var=$results as=b~[~$b~~end~~end~".to_owned(),
    ] {
        let lines = Template::parse(&template).unwrap().render(&many);
        assert!(lines.last().unwrap().text().contains("cut here"), "{template}");
    }
    assert!(
        begun.elapsed() < std::time::Duration::from_secs(20),
        "{:?}",
        begun.elapsed()
    );
}

fn piece() -> impl Strategy<Value = String> {
    let tags = proptest::sample::select(vec![
        "~",
        "~end~",
        "~each var=$results~",
        "~if cond=$item.a empty?~",
        "~$item.a[0]~",
        "~attachment color=$x~",
        "~br~",
        "\n",
        "|",
        "**",
        "_",
        "`",
        "```",
        "# ",
        "[",
        "](",
        ")",
        "\\",
        "* ",
        "1. ",
        "|---|",
        "~json var=$results~",
    ]);
    prop_oneof![3 => tags.prop_map(str::to_owned), 1 => any::<String>()]
}

#[test]
fn b6_a_condition_about_all_results_in_a_loop_over_them_is_not_quadratic() {
    let record = json!({"name": "a".repeat(40), "tags": ["x", "y", "z"]});
    let results = vec![record; 20_000];
    let begun = std::time::Instant::now();
    for condition in ["$results not_empty?", "length($results) > 1", "$results[0] bound?"] {
        let template = format!("~each var=$results~~if cond={condition}~x~end~~end~");
        let lines = Template::parse(&template).unwrap().render(&results);
        assert_eq!(lines[0].text().len(), results.len(), "{condition}");
    }
    // A copy of the results for each of them takes many minutes.
    assert!(
        begun.elapsed() < std::time::Duration::from_secs(20),
        "{:?}",
        begun.elapsed()
    );
}

proptest! {
    #[test]
    fn no_text_panics_the_template_reader_and_no_control_survives(
        pieces in proptest::collection::vec(piece(), 0..30),
        data in any::<String>(),
    ) {
        if let Ok(template) = Template::parse(&pieces.concat()) {
            let results = [json!({"a": [data.clone()], "x": data}), json!(null), json!([data])];
            for line in template.render(&results) {
                prop_assert!(!line.text().chars().any(char::is_control));
            }
        }
    }
}
