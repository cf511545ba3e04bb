//! One function a reader: any bytes in; what holds for every text is asserted, and what came out is told as a number, so
//! that a mutator without coverage can see something new when it happens. Used by the fuzzers and by the corpus' replay.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use serde_json::json;

use super::access::{Permissions, Rule, decide};
use super::bundle::manifest::Manifest;
use super::core::change::Origin;
use super::core::clock::Clock;
use super::core::context::Context;
use super::core::report::Report;
use super::engine::ports::{Authorise, Contexts, Permit, Place, Site};
use super::engine::{MemoryJournal, MemoryShelf, Outlets, Session, SessionConfig};
use super::lang;
use super::render::greenbar::Template;
use super::verb::{Call, Catalogue, Declaration, Input, Known, OptionKind, OptionSpec, Output, Positional, Read, Verb};

/// A reader under test.
pub type Target = fn(&[u8]) -> u64;

/// All of them by name; a folder of the corpus has the same name.
pub const TARGETS: [(&str, Target); 6] = [
    ("lexer", lexer),
    ("parser", parser),
    ("options", options),
    ("rules", rules),
    ("manifests", manifests),
    ("templates", templates),
];

fn hash(of: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    hasher.finish()
}

/// Tokens and meanings are in order, inside the text and between its characters; a cursor may stand anywhere.
pub fn lexer(data: &[u8]) -> u64 {
    let text = String::from_utf8_lossy(data);
    let mut end = 0;
    let mut kinds = Vec::new();
    for token in lang::lex_lenient(&text) {
        assert!(
            token.span.start >= end && token.span.end >= token.span.start,
            "{token:?} after {end}"
        );
        assert!(text.get(token.span.start..token.span.end).is_some(), "{token:?}");
        end = token.span.end;
        kinds.push(std::mem::discriminant(&token.kind));
    }
    let mut end = 0;
    for (span, _) in lang::highlight(&text) {
        assert!(
            span.start >= end && text.get(span.start..span.end).is_some(),
            "{span:?} after {end}"
        );
        end = span.end;
    }
    let step = (text.len() / 8).max(1);
    for cursor in (0..=text.len() + 1).step_by(step) {
        let _ = lang::complete_at(&text, cursor);
    }
    let _ = lang::clean_paste(&text);
    kinds.truncate(12);
    hash(kinds)
}

/// A tree's text is read as the same tree; an error points into the text and has a known code.
pub fn parser(data: &[u8]) -> u64 {
    let text = String::from_utf8_lossy(data);
    let _ = lang::read(&text);
    match lang::parse(&text) {
        Ok(line) => {
            let printed = lang::print(&line);
            match lang::parse(&printed) {
                Ok(again) => assert!(line.same(&again), "{text:?} is printed as {printed:?}"),
                Err(error) => panic!("{text:?} is printed as {printed:?}: {error}"),
            }
            let stages: Vec<usize> = line
                .items
                .iter()
                .map(|item| item.pipeline.stages.len().min(4))
                .collect();
            hash((stages, line.items.first().map(|item| item.pipeline.redirect.is_some())))
        }
        Err(error) => {
            assert!(lang::CODES.iter().any(|(code, _)| *code == error.code), "{error}");
            assert!(text.get(error.span.start..error.span.end).is_some(), "{:?}", error.span);
            hash((error.code, error.incomplete))
        }
    }
}

/// The words behind a command with an option and a positional of each kind, through the whole static pass.
pub fn options(data: &[u8]) -> u64 {
    static SESSION: OnceLock<Session> = OnceLock::new();
    let session = SESSION.get_or_init(session);
    let text = String::from_utf8_lossy(data);
    match session.check(
        &format!("t:all {text}"),
        Origin::Headless {
            yes: false,
            max_targets: None,
        },
    ) {
        Ok(check) => hash(check.to_json().to_string().len().ilog2()),
        Err(report) => hash((report.code, report.hint.is_some())),
    }
}

/// A rule decides about any arguments; what is wrong with a text that is none is said of a place in it.
pub fn rules(data: &[u8]) -> u64 {
    static PERMISSIONS: OnceLock<Option<Permissions>> = OnceLock::new();
    let text = String::from_utf8_lossy(data);
    let rule = match (Rule::parse(&text), Rule::of_command(&text, "b", "c")) {
        (Ok(rule), _) | (_, Ok(rule)) => rule,
        (Err(report), _) => {
            if let Some(place) = &report.place {
                assert!(place.source.get(place.span.clone()).is_some(), "{place:?}");
            }
            // The sentence up to what it quotes.
            let kind: String = report
                .message
                .chars()
                .take_while(|c| !"\"'`".contains(*c))
                .take(60)
                .collect();
            return hash((report.code, kind));
        }
    };
    let permissions = PERMISSIONS.get_or_init(|| Permissions::new(["site:a".to_owned(), "b:c".to_owned()]).ok());
    let known = Known {
        positionals: vec![Some(json!("prod")), Some(json!(5)), None, Some(json!([1.5, true]))],
        options: [("x", Some(json!("y"))), ("n", Some(json!(3))), ("later", None)]
            .map(|(name, value)| (name.to_owned(), value))
            .into(),
    };
    let decision = permissions
        .as_ref()
        .map(|permissions| decide(permissions, [&rule, &rule], &known));
    hash(format!(
        "{:?}",
        decision.map(|decision| std::mem::discriminant(&decision))
    ))
}

/// A manifest is read, or one sentence says what is wrong.
pub fn manifests(data: &[u8]) -> u64 {
    let text = String::from_utf8_lossy(data);
    match Manifest::parse(&text) {
        Ok(manifest) => hash((manifest.commands.keys().count(), manifest.docker.is_some())),
        Err(report) => {
            assert!(!report.message.is_empty() && report.lines().iter().all(|line| line.len() < 1 << 20));
            let kind: String = report
                .message
                .chars()
                .filter(|c| c.is_ascii_alphabetic())
                .take(40)
                .collect();
            hash((report.code, kind))
        }
    }
}

/// A template shows records of any shape, in bounded time and size, and without a control character of theirs.
pub fn templates(data: &[u8]) -> u64 {
    let text = String::from_utf8_lossy(data);
    let template = match Template::parse(&text) {
        Ok(template) => template,
        Err(error) => {
            assert!((1..=text.lines().count() + 1).contains(&error.line), "{error:?}");
            return hash(
                error
                    .why
                    .chars()
                    .filter(|c| c.is_ascii_alphabetic())
                    .take(40)
                    .collect::<String>(),
            );
        }
    };
    let records = [
        json!({"body": ["*a*", "~br~", "\u{1b}[2J"], "a": {"b": [1, null, {"c d": "x|y"}]}, "n": 5, "e": []}),
        json!(null),
        json!([[1, 2], {"a": "`"}]),
    ];
    let lines = template.render(&records);
    assert!(lines.len() < 1 << 20, "{} lines", lines.len());
    hash(lines.len().min(64))
}

struct Nothing;

#[async_trait]
impl Read for Nothing {
    async fn run(&self, _: &Call, _: &mut Input, _: &Output) -> Result<(), Report> {
        Ok(())
    }
}

fn session() -> Session {
    let kinds = [
        ("string", 's', OptionKind::String),
        ("int", 'i', OptionKind::Int),
        ("float", 'f', OptionKind::Float),
        ("bool", 'b', OptionKind::Bool),
        ("incr", 'v', OptionKind::Incr),
        ("list", 'l', OptionKind::List),
        ("duration", 'd', OptionKind::Duration),
        ("enum", 'e', OptionKind::Enum(&["one", "two"])),
        ("json", 'j', OptionKind::Json),
        ("pair", 'p', OptionKind::Pair),
    ];
    let options = kinds
        .into_iter()
        .map(|(name, short, kind)| OptionSpec::new(name, kind, "").short(short));
    let all = Declaration::new("t", "all", "Every kind")
        .options(options)
        .exclusive(&["int", "float"])
        .positional(Positional::new("count", OptionKind::Int, "").optional())
        .positional(Positional::new("rest", OptionKind::Json, "").optional().variadic());
    let set = Declaration::new("t", "all-set", "A longer name");
    Session::new(SessionConfig {
        catalogue: Box::new(|| Arc::new(Catalogue::new([Verb::read(all, Nothing), Verb::read(set, Nothing)]))),
        context: Arc::new(Context::empty("fuzz")),
        contexts: Arc::new(Ports),
        journal: Arc::new(MemoryJournal::new(Clock::real())),
        shelf: Arc::new(MemoryShelf::default()),
        authorise: Arc::new(Ports),
        place: Arc::new(Ports),
        user: "fuzz".to_owned(),
        clock: Clock::real(),
        outlets: Outlets::local(std::env::temp_dir()),
        read_only: false,
    })
}

struct Ports;

impl Contexts for Ports {
    fn context(&self, _: &str) -> Option<Arc<Context>> {
        None
    }

    fn names(&self) -> Vec<String> {
        vec!["fuzz".to_owned()]
    }
}

impl Authorise for Ports {
    fn authorise(&self, _: &str, _: &Declaration, _: &Known) -> Result<Permit, Report> {
        Ok(Permit::Granted)
    }
}

impl Place for Ports {
    fn place(&self, _: &Arc<Context>, _: &Declaration, _: Option<&str>) -> Result<Site, Report> {
        Ok(Site::Here)
    }
}
