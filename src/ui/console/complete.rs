//! What can stand at the cursor: bundles, commands, options, enum values and contexts from the catalogue at once; live
//! objects from a verb's completer a little later. Where the cursor stands is the language's answer; what is inserted
//! goes through its printer, so that a name can never become an operator, an option or another command.

mod live;

use std::sync::Arc;

use nucleo_matcher::pattern::{Atom, AtomKind, CaseMatching, Normalization};
use nucleo_matcher::{Config, Matcher, Utf32Str};
use serde_json::Value;

pub use self::live::Live;
use super::samples::{self, Samples};
use crate::core::context::Context;
use crate::core::record::Record;
use crate::core::text::SafeText;
use crate::engine::Partial;
use crate::lang::{
    CompletionPosition, Contexts, ModifierKind, Span, Stage, TokenKind, Word, commands as commands_of, complete_at,
    complete_variable, lex_lenient, print,
};
use crate::verb::catalogue::BUILT_IN;
use crate::verb::declaration::{InputMode, OptionKind};
use crate::verb::{Candidate, Catalogue, CompletionRequest, Declaration, OptionSpec, Positional, Verb};

/// Offers shown at most.
pub const OFFERS: usize = 400;

/// One thing that can stand at the cursor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// What is inserted: language text, already quoted where it must be.
    pub insert: String,
    /// What it is compared with and shown as.
    pub label: SafeText,
    /// A word about it.
    pub note: SafeText,
    /// Whether a blank follows (the word is complete).
    pub complete: bool,
}

impl Offer {
    fn new(insert: String, note: &str, complete: bool) -> Self {
        Offer {
            label: SafeText::line(&insert),
            insert,
            note: SafeText::line(note),
            complete,
        }
    }

    /// A field of a record: what is inserted may be quoted, what is shown is its name.
    pub fn field(insert: &str, name: &str, note: &str) -> Self {
        let mut offer = Offer::new(insert.to_owned(), note, false);
        offer.label = SafeText::line(name);
        offer
    }

    /// A place to go to, behind the colon: no word of the language.
    pub fn place(name: &str, note: &str, goes_on: bool) -> Self {
        Offer::new(name.to_owned(), note, goes_on)
    }

    /// A live value: quoted by the language's printer.
    fn value(value: &str, note: &str) -> Self {
        Offer {
            insert: print(&Word::text(value)),
            label: SafeText::line(value),
            note: SafeText::line(note),
            complete: true,
        }
    }

    /// No blank follows what goes on, `jsonpath=`, `deploy/`, nor a value that is there to be changed: `web=nginx:1.25`.
    fn going_on(mut self) -> Self {
        let label = self.label.as_str();
        self.complete &= !label.ends_with('/') && !label.contains('=');
        self
    }
}

/// What can stand at the cursor.
pub struct Gathered {
    /// What an offer replaces.
    pub span: Span,
    /// What was typed of it.
    pub prefix: String,
    /// All that the catalogue knows.
    pub offers: Vec<Offer>,
    /// Whom to ask for live objects.
    pub live: Option<Live>,
    /// What is to be typed here, told where nothing can be offered: `NAME: the name of the pod`.
    pub wanted: Option<String>,
}

/// Live candidates kept at most: all kinds of a large cluster by each of their names, which are asked for once and then
/// narrowed.
const CANDIDATES: usize = 10 * OFFERS;

/// The offers of live candidates.
pub fn live_offers(candidates: Vec<Candidate>) -> Vec<Offer> {
    candidates
        .into_iter()
        .take(CANDIDATES)
        .map(|c| Offer::value(&c.value, &c.note).going_on())
        .collect()
}

/// What can stand at the cursor of this text; none: nothing.
pub fn gather(
    catalogue: &Catalogue,
    contexts: &[String],
    context: &Arc<Context>,
    samples: &Samples,
    text: &str,
    cursor: usize,
) -> Option<Gathered> {
    let gathered = |span, prefix, offers| {
        Some(Gathered {
            span,
            prefix,
            offers,
            live: None,
            wanted: None,
        })
    };
    match complete_at(text, cursor) {
        CompletionPosition::Command { prefix, span, .. } => {
            let offers = commands(catalogue, &prefix);
            gathered(span, prefix, offers)
        }
        CompletionPosition::Option { stage, prefix, span } => {
            let offers = verb_of(catalogue, &stage)
                .map(|(verb, _)| options(&verb.declaration))
                .unwrap_or_default();
            gathered(span, prefix, offers)
        }
        CompletionPosition::OptionValue {
            stage,
            option,
            prefix,
            span,
        } => Some(argument(
            catalogue,
            (context, contexts),
            &stage,
            Some(&option),
            prefix,
            span,
        )),
        CompletionPosition::Argument {
            stage,
            after,
            prefix,
            span,
            ..
        } => {
            let mut gathered = argument(catalogue, (context, contexts), &stage, after.as_deref(), prefix, span);
            if verb_of(catalogue, &stage).is_some_and(|(verb, _)| verb.declaration.name == "jq") {
                let found = samples.filters(upstream(text, span.start), &gathered.prefix);
                gathered.offers.extend(found.into_iter().map(|(filter, holds)| Offer {
                    complete: false,
                    ..Offer::value(&filter, &holds)
                }));
            }
            Some(gathered)
        }
        CompletionPosition::Context { before, prefix, span } => {
            let every = (before.is_empty() && contexts.len() > 1)
                .then(|| Offer::new("*".to_owned(), "all contexts at once", true));
            let names = contexts.iter().filter(|name| !before.contains(name));
            let names = names.map(|name| Offer {
                insert: print(&Word::listed(name.as_str())),
                ..Offer::value(name, "context")
            });
            gathered(span, prefix, names.chain(every).collect())
        }
        CompletionPosition::Modifier { name, prefix, span } => {
            let words: &[&str] = if name == "on-error" { &["stop", "continue"] } else { &[] };
            gathered(span, prefix, words.iter().map(|word| Offer::value(word, "")).collect())
        }
        CompletionPosition::RedirectTarget { prefix, span } => {
            let offers = [("here", "this pane"), ("file:", "a file")]
                .map(|(word, note)| Offer::new(word.to_owned(), note, word == "here"));
            gathered(span, prefix, offers.to_vec())
        }
        CompletionPosition::Variable {
            path: None,
            prefix,
            span,
        } => {
            let field = |name: &str, note: &str| Offer::field(&complete_variable(text, span, name).1, name, note);
            let incoming = incoming(catalogue, samples, text, span.start);
            let own = incoming.and_then(Value::as_object);
            let mut offers = own.map_or_else(Vec::new, |fields| samples::offers(text, span, fields));
            offers.extend(
                samples
                    .names()
                    .map(|(name, holds)| field(name, &format!("let: {holds}"))),
            );
            offers.push(field("_", "the last block's records"));
            let numbers = samples.numbers().map(|number| number.to_string());
            offers.extend(numbers.map(|number| Offer::field(&number, &number, "what this block answered")));
            gathered(span, prefix, offers)
        }
        CompletionPosition::Variable {
            path: Some(path),
            prefix,
            span,
        } => {
            let incoming = incoming(catalogue, samples, text, span.start);
            let offers = samples.fields(text, &path, span, incoming)?;
            gathered(span, prefix, offers)
        }
        CompletionPosition::None => None,
    }
}

/// The record that the command at a place reads, where it takes them one by one: names mean its fields.
fn incoming<'a>(catalogue: &Catalogue, samples: &'a Samples, text: &str, at: usize) -> Option<&'a Record> {
    let line = commands_of(text.get(..at)?);
    let stage = line.items.last()?.pipeline.stages.last()?;
    let (verb, _) = verb_of(catalogue, stage)?;
    samples
        .incoming(upstream(text, at))
        .filter(|_| verb.declaration.input == InputMode::Each)
}

/// The stages before the one that holds a place, as typed; empty: it is the first.
fn upstream(text: &str, at: usize) -> &str {
    let (mut start, mut end) = (0, 0);
    let mut behind_bar = false;
    for token in lex_lenient(text).iter().take_while(|token| token.span.end <= at) {
        match token.kind {
            TokenKind::Pipe => end = token.span.start,
            TokenKind::Word(_) | TokenKind::Redirect(_) | TokenKind::Invalid => {}
            TokenKind::LineBreak if behind_bar => {}
            _ => (start, end) = (token.span.end, token.span.end),
        }
        behind_bar = token.kind == TokenKind::Pipe;
    }
    text.get(start..end).unwrap_or_default().trim().trim_start_matches('!')
}

/// Bundles, commands and aliases. Behind `bundle:` that bundle's commands only, behind `user:` and `site:` the aliases.
fn commands(catalogue: &Catalogue, prefix: &str) -> Vec<Offer> {
    let named = |verb: &Verb| {
        let declaration = &verb.declaration;
        let name = if declaration.bundle == BUILT_IN {
            declaration.name.clone()
        } else {
            declaration.qualified()
        };
        // Several words joined with dashes read better as they are typed in the talk, but one word always works.
        Offer::new(name, &declaration.summary, true)
    };
    match prefix.split_once(':') {
        Some((bundle, _)) => {
            let commands = catalogue
                .iter()
                .filter(|verb| verb.declaration.bundle == bundle)
                .map(named);
            let aliases = catalogue.aliases().filter(|alias| alias.scope.word() == bundle);
            let aliases = aliases.map(|alias| Offer::new(alias.qualified(), &alias.body, true));
            commands.chain(aliases).collect()
        }
        None => {
            let aliases = catalogue
                .aliases()
                .map(|alias| Offer::new(alias.name.clone(), &alias.body, true));
            catalogue.iter().map(named).chain(aliases).collect()
        }
    }
}

/// The verb of a stage: of the words that could join to its name the most, as the engine resolves them; and how many
/// words the name took.
pub(super) fn verb_of<'a>(catalogue: &'a Catalogue, stage: &Stage) -> Option<(&'a Verb, usize)> {
    let plain: Vec<&str> = stage.words.iter().map_while(|word| word.plain()).take(4).collect();
    let (bundle, first) = match plain.first()?.split_once(':') {
        Some((bundle, name)) => (Some(bundle), name),
        None => (None, *plain.first()?),
    };
    (1..=plain.len()).rev().find_map(|count| {
        let mut name = first.to_owned();
        for word in plain.iter().take(count).skip(1) {
            name.push('-');
            name.push_str(word);
        }
        let found = catalogue.lookup(bundle, &name).ok().flatten();
        found.map(|verb| (verb, count))
    })
}

fn options(declaration: &Declaration) -> Vec<Offer> {
    let offer = |option: &OptionSpec| {
        let flag = matches!(option.kind, OptionKind::Bool | OptionKind::Incr);
        let insert = if flag {
            format!("--{}", option.name)
        } else {
            format!("--{}=", option.name)
        };
        let note = match option.short {
            Some(short) => format!("-{short}  {}", option.help),
            None => option.help.clone(),
        };
        Offer::new(insert, &note, flag)
    };
    declaration.signature.options.iter().map(offer).collect()
}

fn argument(
    catalogue: &Catalogue,
    (context, contexts): (&Arc<Context>, &[String]),
    stage: &Stage,
    option: Option<&str>,
    prefix: String,
    span: Span,
) -> Gathered {
    let mut gathered = Gathered {
        span,
        prefix,
        offers: Vec::new(),
        live: None,
        wanted: None,
    };
    let found = verb_of(catalogue, stage);
    gathered.offers = joins(catalogue, stage);
    let Some((verb, words)) = found else { return gathered };
    let given = Partial::of(&verb.declaration, stage.words.get(words..).unwrap_or_default());
    let spec = option.and_then(|name| find_option(&verb.declaration, name));
    let spec = spec.filter(|spec| !matches!(spec.kind, OptionKind::Bool | OptionKind::Incr));
    let positional = positional(&verb.declaration, given.positionals.len());
    let kind = match spec {
        Some(spec) => Some(&spec.kind),
        None => positional.map(|positional| &positional.kind),
    };
    gathered.wanted = match (spec, positional) {
        (Some(spec), _) => Some(format!("--{}: {}", spec.name, spec.help)),
        (None, Some(positional)) => Some(format!("{}: {}", positional.name.to_uppercase(), positional.help)),
        (None, None) => None,
    };
    let words = spec.map_or(&[][..], |spec| spec.values);
    let words = words.iter().map(|word| Offer::value(word, "").going_on());
    gathered.offers.extend(words);
    if let Some(OptionKind::Enum(values)) = kind {
        gathered
            .offers
            .extend(values.iter().map(|value| Offer::value(value, "")));
    } else if let Some(OptionKind::Bool) = kind {
        gathered
            .offers
            .extend(["true", "false"].map(|value| Offer::value(value, "")));
    }
    if let Some(completer) = &verb.completer {
        gathered.live = Some(Live {
            completer: completer.clone(),
            within: within(stage, contexts),
            request: CompletionRequest {
                context: context.clone(),
                positionals: given.positionals,
                options: given.options,
                option: spec.map(|spec| spec.name.clone()),
                prefix: gathered.prefix.clone(),
            },
        });
    }
    gathered
}

/// The contexts that a stage names: what is live there is what it means.
fn within(stage: &Stage, all: &[String]) -> Vec<String> {
    let named = stage.modifiers.iter().find_map(|modifier| match &modifier.kind {
        ModifierKind::Context(contexts) => Some(contexts),
        _ => None,
    });
    match named {
        None => Vec::new(),
        Some(Contexts::Every) => all.to_vec(),
        Some(Contexts::Named(names)) => names.iter().filter_map(Word::literal).collect(),
    }
}

/// Words that lengthen the command's name: after `kubectl:set` the `image` of `kubectl:set-image`.
fn joins(catalogue: &Catalogue, stage: &Stage) -> Vec<Offer> {
    let plain: Option<Vec<&str>> = stage.words.iter().map(|word| word.plain()).collect();
    let Some(name) = plain.map(|words| words.join("-")).filter(|name| !name.is_empty()) else {
        return Vec::new();
    };
    let joined = |verb: &Verb| {
        let qualified = verb.declaration.qualified();
        let own = if name.contains(':') {
            qualified.as_str()
        } else {
            verb.declaration.name.as_str()
        };
        let rest = own.strip_prefix(name.as_str())?.strip_prefix('-')?;
        Some(Offer::new(rest.replace('-', " "), &verb.declaration.summary, true))
    };
    catalogue.iter().filter_map(joined).collect()
}

fn find_option<'a>(declaration: &'a Declaration, dashed: &str) -> Option<&'a OptionSpec> {
    let long = dashed.strip_prefix("--");
    let short = dashed.strip_prefix('-').and_then(|rest| rest.chars().last());
    declaration.signature.options.iter().find(|spec| match long {
        Some(name) => spec.name == name || spec.aliases.contains(&name),
        None => spec.short == short,
    })
}

/// The positional that comes after so many.
fn positional(declaration: &Declaration, typed: usize) -> Option<&Positional> {
    let positionals = &declaration.signature.positionals;
    let last = positionals.last().filter(|last| last.variadic);
    positionals.get(typed).or(last)
}

/// The offers that match what was typed, best first: exact beginnings, then by fuzzy score.
pub fn matching(offers: &[Offer], prefix: &str) -> Vec<Offer> {
    if prefix.is_empty() {
        return offers.iter().take(OFFERS).cloned().collect();
    }
    let mut matcher = Matcher::new(Config::DEFAULT);
    let atom = Atom::new(
        prefix,
        CaseMatching::Smart,
        Normalization::Smart,
        AtomKind::Fuzzy,
        false,
    );
    let mut buffer = Vec::new();
    let mut scored: Vec<(bool, u16, &Offer)> = offers
        .iter()
        .filter_map(|offer| {
            let label = offer.label.as_str();
            let score = atom.score(Utf32Str::new(label, &mut buffer), &mut matcher)?;
            let begins = label.starts_with(prefix) || offer.insert.starts_with(prefix) || begins_name(label, prefix);
            Some((begins, score, offer))
        })
        .collect();
    if scored.iter().any(|(begins, ..)| *begins) {
        // Beginnings first, in the order they came: that is what a shell's Tab would offer.
        scored.sort_by_key(|(begins, ..)| !*begins);
    } else {
        scored.sort_by_key(|(_, score, _)| std::cmp::Reverse(*score));
    }
    scored
        .into_iter()
        .take(OFFERS)
        .map(|(_, _, offer)| offer.clone())
        .collect()
}

/// `scale` begins the name of `kubectl:scale`.
fn begins_name(label: &str, prefix: &str) -> bool {
    label.split_once(':').is_some_and(|(_, name)| name.starts_with(prefix))
}

/// The longest beginning that all offers share, if it goes on from the prefix.
pub fn common_beginning(offers: &[Offer], prefix: &str) -> Option<String> {
    let mut offers = offers.iter();
    let mut common = offers.next()?.insert.clone();
    for offer in offers {
        let shared: usize = common
            .chars()
            .zip(offer.insert.chars())
            .take_while(|(a, b)| a == b)
            .map(|(a, _)| a.len_utf8())
            .sum();
        common.truncate(shared);
    }
    (common.len() > prefix.len() && common.starts_with(prefix)).then_some(common)
}

#[cfg(test)]
mod tests;
