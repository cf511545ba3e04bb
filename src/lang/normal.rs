//! The one shape of each meaning. A program may build trees that no text spells exactly (a bare text with a blank,
//! two bare pieces side by side); their normal form means the same and is what the printer writes. A tree from the
//! parser is normal already, but for heads that the printer quotes to be sure.
//!
//! Not for broken trees: a stage without words gets the empty word, a redirect without target an empty target, so
//! that the engine refuses them instead of running something else.

use super::ast::{
    Binding, Connector, Contexts, Item, Line, Modifier, ModifierKind, Part, Pipeline, Quote, Redirect, Span, Stage,
    Word,
};
use super::lexer::{ends_bare, follows_dollar};
use super::prelude::{is_every, is_mention, is_reserved_head, modifier_key};

impl Line {
    /// The normal form, without places: two lines of equal normal form mean the same.
    #[must_use]
    pub fn normal(&self) -> Line {
        let last = self.items.len().saturating_sub(1);
        let items = self.items.iter().enumerate().map(|(at, item)| Item {
            pipeline: item.pipeline.normal(),
            then: match item.then {
                Some(Connector::And | Connector::Or) | None if at == last => None,
                None => Some(Connector::Sequence),
                then => then,
            },
        });
        Line {
            items: items.collect(),
            span: Span::default(),
        }
    }

    /// Whether both are the same but for places in their sources.
    #[must_use]
    pub fn same(&self, other: &Line) -> bool {
        self.normal() == other.normal()
    }
}

impl Pipeline {
    /// The normal form, see [`Line::normal`].
    #[must_use]
    pub fn normal(&self) -> Pipeline {
        let mut stages: Vec<Stage> = self.stages.iter().map(Stage::normal).collect();
        if stages.is_empty() {
            stages.push(Stage::new(""));
        }
        Pipeline {
            binding: self.binding.as_ref().map(|binding| Binding {
                name: binding.name.clone(),
                span: Span::default(),
            }),
            stages,
            redirect: self.redirect.as_ref().map(|redirect| Redirect {
                mode: redirect.mode,
                targets: words(&redirect.targets),
                span: Span::default(),
            }),
            span: Span::default(),
        }
    }

    /// Whether both are the same but for places in their sources.
    #[must_use]
    pub fn same(&self, other: &Pipeline) -> bool {
        self.normal() == other.normal()
    }
}

impl Stage {
    /// The normal form, see [`Line::normal`].
    #[must_use]
    pub fn normal(&self) -> Stage {
        let mut words = words(&self.words);
        if let Some(head) = words.first_mut() {
            protect_head(head);
        }
        Stage {
            modifiers: self.modifiers.iter().map(modifier).collect(),
            words,
            span: Span::default(),
        }
    }
}

impl Word {
    /// The normal form, see [`Line::normal`].
    #[must_use]
    pub fn normal(&self) -> Word {
        let mut word = pieces(self, false);
        if word.parts.is_empty() {
            word.parts.push(single(""));
        }
        word
    }
}

/// At least one word.
fn words(words: &[Word]) -> Vec<Word> {
    if words.is_empty() {
        return vec![Word::default().normal()];
    }
    words.iter().map(Word::normal).collect()
}

fn modifier(modifier: &Modifier) -> Modifier {
    let kind = match &modifier.kind {
        ModifierKind::Context(contexts) => ModifierKind::Context(match contexts {
            Contexts::Every => Contexts::Every,
            Contexts::Named(names) => {
                let alone = names.len() < 2;
                Contexts::Named(words(names).iter().map(|name| context(name, alone)).collect())
            }
        }),
        ModifierKind::On(word) => ModifierKind::On(word.normal()),
        ModifierKind::Parallel(word) => ModifierKind::Parallel(word.normal()),
        ModifierKind::OnError(word) => ModifierKind::OnError(word.normal()),
        ModifierKind::Timeout(word) => ModifierKind::Timeout(word.normal()),
    };
    Modifier {
        kind,
        span: Span::default(),
    }
}

/// Quotes what a normal name would be read as beside itself: a comma, a star that is all of it, the mention.
fn context(name: &Word, alone: bool) -> Word {
    let mention = |name: &str| is_mention(&Word::option(&format!("@{name}"), None));
    let whole = is_every(name) || alone && name.plain().is_some_and(mention);
    let mut word = name.clone();
    for part in &mut word.parts {
        if let Part::Text {
            text,
            quote: quote @ Quote::None,
            ..
        } = part
            && (whole || text.contains(','))
        {
            *quote = Quote::Single;
        }
    }
    pieces(&word, false)
}

/// Quotes the start of a head that would be read as a prefix, a modifier, a comment or a reserved word.
fn protect_head(head: &mut Word) {
    let alone = head.parts.len() == 1;
    if let Some(Part::Text {
        text,
        quote: quote @ Quote::None,
        ..
    }) = head.parts.first_mut()
    {
        let special =
            text.starts_with(['!', '@', '#']) || modifier_key(text).is_some() || (alone && is_reserved_head(text));
        if special {
            *quote = Quote::Single;
            *head = pieces(head, false);
        }
    }
}

fn pieces(word: &Word, in_default: bool) -> Word {
    // First join neighbours, because joined they may read differently (`$` and `x`), then protect.
    let mut joined = Word::default();
    for part in &word.parts {
        joined.push(unplaced(part));
    }
    let mut normal = Word::default();
    for part in joined.parts {
        match part {
            Part::Text {
                text,
                quote: Quote::None,
                ..
            } => protect(&mut normal, text, in_default),
            Part::Text {
                text,
                quote: Quote::Escaped,
                ..
            } if !text.contains(['\n', '\r']) => {
                normal.push(piece(text, Quote::Escaped));
            }
            Part::Text {
                text,
                quote: Quote::Double,
                ..
            } => normal.push(piece(text, Quote::Double)),
            Part::Text { text, .. } => normal.push(single(&text)),
            Part::Variable {
                path, default, quoted, ..
            } => normal.push(Part::Variable {
                path,
                default: default.map(|word| {
                    Box::new(if quoted {
                        double_quoted(&word)
                    } else {
                        pieces(&word, true)
                    })
                }),
                quoted,
                span: Span::default(),
            }),
        }
    }
    normal
}

fn unplaced(part: &Part) -> Part {
    let mut part = part.clone();
    match &mut part {
        Part::Text { span, .. } | Part::Variable { span, .. } => *span = Span::default(),
    }
    part
}

fn piece(text: impl Into<String>, quote: Quote) -> Part {
    Part::Text {
        text: text.into(),
        quote,
        span: Span::default(),
    }
}

/// Single quotes, or double ones around a single quote.
fn single(text: &str) -> Part {
    piece(
        text,
        if text.contains('\'') {
            Quote::Double
        } else {
            Quote::Single
        },
    )
}

/// Keeps bare text bare if it reads back so. An option keeps its start bare, because that makes it an option.
fn protect(word: &mut Word, text: String, in_default: bool) {
    let Some(unsafe_at) = first_unsafe(&text, in_default) else {
        word.push(piece(text, Quote::None));
        return;
    };
    let keep = if word.parts.is_empty() && text.starts_with('-') {
        unsafe_at
    } else {
        0
    };
    let (start, rest) = text.split_at(keep);
    word.push(piece(start, Quote::None));
    word.push(single(rest));
}

fn first_unsafe(text: &str, in_default: bool) -> Option<usize> {
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let dollar = c == '$' && chars.peek().is_some_and(|(_, next)| follows_dollar(*next));
        if dollar || ends_bare(c) || matches!(c, '\'' | '"' | '\\' | '`') || (in_default && c == '}') {
            return Some(at);
        }
    }
    None
}

/// Inside double quotes every piece is double-quoted text or a variable that becomes text.
fn double_quoted(word: &Word) -> Word {
    let mut normal = Word::default();
    for part in &word.parts {
        match part {
            Part::Text { text, .. } if text.is_empty() => {}
            Part::Text { text, .. } => normal.push(piece(text.as_str(), Quote::Double)),
            Part::Variable { path, default, .. } => normal.push(Part::Variable {
                path: path.clone(),
                default: default.as_ref().map(|word| Box::new(double_quoted(word))),
                quoted: true,
                span: Span::default(),
            }),
        }
    }
    normal
}
