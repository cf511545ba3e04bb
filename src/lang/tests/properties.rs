//! Round trips over generated trees and arbitrary strings; no text may crash anything.

use super::super::*;
use proptest::prelude::*;

fn nasty_text() -> impl Strategy<Value = String> {
    let fixed = prop::sample::select(vec![
        "",
        " ",
        "-",
        "--",
        "-5",
        "-x",
        "--image=a b",
        "let",
        "for",
        "while",
        "@prod",
        "@cog",
        "@",
        "!",
        "!!",
        "#",
        "#room",
        "on=web",
        "on=",
        "x=y",
        "=x",
        "5",
        "1.5",
        "true",
        "$x",
        "$",
        "${x}",
        "$_",
        "$41",
        "$(id)",
        "`id`",
        "a|b",
        "a||b",
        "&&",
        "&",
        ";",
        ">",
        "*>",
        "*",
        "<",
        "<elb>",
        "x'; kubectl:delete ns prod",
        "a\nb",
        "\n",
        "\r\n",
        "\\\n",
        "\\",
        "\\\\",
        "'",
        "\"",
        "\"'",
        "a\"b'c",
        "}",
        "{a}",
        "${",
        "$}",
        ":-",
        "tag:Name=x",
        "file:/tmp/x",
        "\u{0}",
        "\u{a0}",
        "ü",
        "日本",
        "é\u{301}",
        "\u{202e}",
        "kubectl:get",
        "..",
        ".x",
        "[0]",
        "\\(.)",
        "^[0-9]+\\.[0-9]$",
        "cog",
        "cog:",
        ",",
        "a,b",
        "*,",
    ]);
    prop_oneof![3 => fixed.prop_map(str::to_owned), 2 => "[ -~\n\t]{0,12}", 1 => any::<String>(), 1 => "[a-z]{1,6}"]
}

fn quote() -> impl Strategy<Value = Quote> {
    prop::sample::select(vec![
        Quote::None,
        Quote::None,
        Quote::Escaped,
        Quote::Single,
        Quote::Double,
    ])
}

fn path() -> impl Strategy<Value = Path> {
    let root = prop_oneof![
        Just(Root::Last),
        any::<u64>().prop_map(Root::Block),
        "[a-z_][a-z0-9_-]{0,5}".prop_map(Root::Name),
        nasty_text().prop_map(Root::Name)
    ];
    let step = prop_oneof![
        "[a-zA-Z_-]{0,6}".prop_map(Step::Key),
        nasty_text().prop_map(Step::Key),
        any::<i64>().prop_map(Step::Index)
    ];
    (root, prop::collection::vec(step, 0..4)).prop_map(|(root, steps)| Path { root, steps })
}

fn text_part() -> impl Strategy<Value = Part> {
    (nasty_text(), quote()).prop_map(|(text, quote)| Part::Text {
        text,
        quote,
        span: Span { start: 3, end: 9 },
    })
}

pub(super) fn word() -> impl Strategy<Value = Word> {
    let leaf = prop::collection::vec(text_part(), 0..4).prop_map(|parts| Word {
        parts,
        span: Span::default(),
    });
    leaf.prop_recursive(3, 24, 4, |inner| {
        let variable =
            (path(), prop::option::of(inner), any::<bool>()).prop_map(|(path, default, quoted)| Part::Variable {
                path,
                default: default.map(Box::new),
                quoted,
                span: Span::default(),
            });
        prop::collection::vec(prop_oneof![text_part(), variable], 0..5).prop_map(|parts| Word {
            parts,
            span: Span::default(),
        })
    })
}

fn stage() -> impl Strategy<Value = Stage> {
    let contexts = prop_oneof![
        4 => prop::collection::vec(word(), 0..4).prop_map(Contexts::Named),
        1 => Just(Contexts::Every),
    ];
    let other = (0..4, word()).prop_map(|(kind, word)| match kind {
        0 => ModifierKind::On(word),
        1 => ModifierKind::Parallel(word),
        2 => ModifierKind::OnError(word),
        _ => ModifierKind::Timeout(word),
    });
    let kind = prop_oneof![1 => contexts.prop_map(ModifierKind::Context), 2 => other];
    let modifier = kind.prop_map(|kind| Modifier {
        kind,
        span: Span::default(),
    });
    (
        prop::collection::vec(modifier, 0..3),
        prop::collection::vec(word(), 0..4),
    )
        .prop_map(|(modifiers, words)| Stage {
            modifiers,
            words,
            span: Span::default(),
        })
}

fn pipeline() -> impl Strategy<Value = Pipeline> {
    let redirect = (any::<bool>(), prop::collection::vec(word(), 0..3)).prop_map(|(many, targets)| Redirect {
        mode: if many { RedirectMode::Many } else { RedirectMode::One },
        targets,
        span: Span::default(),
    });
    let binding = prop_oneof!["[a-z]{1,4}", nasty_text()].prop_map(|name| Binding {
        name,
        span: Span::default(),
    });
    (
        prop::option::of(binding),
        prop::collection::vec(stage(), 0..4),
        prop::option::of(redirect),
    )
        .prop_map(|(binding, stages, redirect)| Pipeline {
            binding,
            stages,
            redirect,
            span: Span::default(),
        })
}

fn line() -> impl Strategy<Value = Line> {
    let then = prop::sample::select(vec![
        None,
        Some(Connector::And),
        Some(Connector::Or),
        Some(Connector::Sequence),
        Some(Connector::Background),
    ]);
    let item = (pipeline(), then).prop_map(|(pipeline, then)| Item { pipeline, then });
    prop::collection::vec(item, 0..4).prop_map(|items| Line {
        items,
        span: Span::default(),
    })
}

/// Texts made of the pieces that mean something, closer to the grammar than random characters.
pub(super) fn grammar_soup() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "a",
        "b:c",
        " ",
        "  ",
        "\n",
        "|",
        "||",
        "&",
        "&&",
        ";",
        ">",
        "*>",
        "*",
        "<",
        "<x>",
        "'",
        "\"",
        "\\",
        "$",
        "$x",
        "${",
        "${x",
        "}",
        ":-",
        ".",
        "[",
        "]",
        "[0]",
        "$_",
        "$4",
        "let ",
        "=",
        "@p",
        "@p,q",
        "@*",
        ",",
        "@cog",
        "!",
        "!!",
        "#",
        "on=",
        "-",
        "--",
        "--o=",
        "`",
        "$(",
        ")",
        "for ",
        "\\\n",
        "ü",
        "\u{a0}",
        "'x y'",
        "\"${a.b:-c d}\"",
        "5",
        "timeout=3s ",
    ]);
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn printed_lines_parse_back_to_their_normal_form(line in line()) {
        let normal = line.normal();
        prop_assert_eq!(&normal.normal(), &normal);
        let text = print(&line);
        let parsed = parse(&text).map_err(|e| TestCaseError::fail(format!("{text:?}: {e}")))?;
        prop_assert_eq!(unplaced(&parsed), normal, "{:?}", text);
        prop_assert_eq!(print(&parsed), text);
    }

    #[test]
    fn the_normal_form_keeps_what_words_mean(word in word()) {
        let normal = word.normal();
        prop_assert_eq!(normal.literal(), word.literal());
        let merged = word.parts.iter().filter(|p| !matches!(p, Part::Text { text, quote: Quote::None | Quote::Escaped, .. } if text.is_empty())).count();
        if merged == word.parts.len() {
            prop_assert_eq!(normal.is_option(), word.is_option());
        }
    }

    #[test]
    fn data_stays_one_argument(head in "[a-z]{1,5}", texts in prop::collection::vec(nasty_text(), 0..5)) {
        let stage = texts.iter().fold(Stage::new(&head), |stage, text| stage.arg(text));
        let parsed = parse(&print(&stage)).map_err(|e| TestCaseError::fail(e.to_string()))?;
        prop_assert_eq!(parsed.items.len(), 1);
        let stages = &parsed.items[0].pipeline.stages;
        prop_assert_eq!(stages.len(), 1);
        prop_assert!(parsed.items[0].pipeline.redirect.is_none());
        let words: Vec<_> = stages[0].words.iter().skip(1).map(|word| (word.literal().unwrap(), word.is_option())).collect();
        let wanted: Vec<_> = texts.into_iter().map(|text| (text, false)).collect();
        prop_assert_eq!(words, wanted);
    }

    #[test]
    fn names_stay_the_contexts_of_a_stage(names in prop::collection::vec(nasty_text(), 1..5)) {
        let contexts = Contexts::Named(names.iter().map(Word::text).collect());
        let mut stage = Stage::new("a");
        stage.modifiers.push(Modifier { kind: ModifierKind::Context(contexts), span: Span::default() });
        let listed: Vec<String> = names.iter().map(|name| print(&Word::listed(name))).collect();
        for text in [print(&stage), format!("@{} a", listed.join(","))] {
            if text == "@cog a" || text == "@cog: a" {
                continue;
            }
            let parsed = parse(&text).map_err(|e| TestCaseError::fail(format!("{text:?}: {e}")))?;
            let stage = &parsed.items[0].pipeline.stages[0];
            let ModifierKind::Context(Contexts::Named(read)) = &stage.modifiers[0].kind else {
                return Err(TestCaseError::fail(text));
            };
            let read: Vec<String> = read.iter().filter_map(Word::literal).collect();
            prop_assert_eq!(&read, &names, "{:?}", text);
        }
    }

    #[test]
    fn any_text_parses_or_says_where_not(text in prop_oneof![any::<String>(), grammar_soup(), "[ -~\n]{0,40}"]) {
        check_source(&text)?;
    }
}

/// Every span fits, tokens come in order, and what parses prints to a text that means the same.
fn check_source(text: &str) -> Result<(), TestCaseError> {
    let mut at = 0;
    for token in lex_lenient(text) {
        prop_assert!(token.span.start >= at && token.span.end > token.span.start && token.span.end <= text.len());
        prop_assert!(
            text.get(at..token.span.start)
                .unwrap()
                .chars()
                .all(|c| c.is_whitespace() || c == '\\')
        );
        at = token.span.end;
    }
    match parse(text) {
        Ok(line) => {
            let printed = print(&line);
            let again = parse(&printed).map_err(|e| TestCaseError::fail(format!("{text:?} -> {printed:?}: {e}")))?;
            prop_assert!(again.same(&line), "{:?} -> {:?}", text, printed);
        }
        Err(error) => {
            prop_assert!(text.get(error.span.start..error.span.end).is_some(), "{:?}", error);
            prop_assert!(CODES.iter().any(|(code, _)| *code == error.code));
        }
    }
    Ok(())
}

/// Takes the places out, changing nothing else.
fn unplaced(line: &Line) -> Line {
    let mut line = line.clone();
    line.span = Span::default();
    for item in &mut line.items {
        let pipeline = &mut item.pipeline;
        pipeline.span = Span::default();
        pipeline
            .binding
            .iter_mut()
            .for_each(|binding| binding.span = Span::default());
        if let Some(redirect) = &mut pipeline.redirect {
            redirect.span = Span::default();
            redirect.targets.iter_mut().for_each(unplaced_word);
        }
        for stage in &mut pipeline.stages {
            stage.span = Span::default();
            stage.words.iter_mut().for_each(unplaced_word);
            for modifier in &mut stage.modifiers {
                modifier.span = Span::default();
                match &mut modifier.kind {
                    ModifierKind::Context(Contexts::Every) => {}
                    ModifierKind::Context(Contexts::Named(names)) => names.iter_mut().for_each(unplaced_word),
                    ModifierKind::On(value)
                    | ModifierKind::Parallel(value)
                    | ModifierKind::OnError(value)
                    | ModifierKind::Timeout(value) => unplaced_word(value),
                }
            }
        }
    }
    line
}

fn unplaced_word(word: &mut Word) {
    word.span = Span::default();
    for part in &mut word.parts {
        match part {
            Part::Text { span, .. } => *span = Span::default(),
            Part::Variable { span, default, .. } => {
                *span = Span::default();
                default.iter_mut().for_each(|default| unplaced_word(default));
            }
        }
    }
}
