//! Making words and asking them: is it an option, a variable, plain text? Not for values and their types.

use super::ast::{Part, Path, Quote, Span, Word};

/// An option as it was spelled, see [`Word::as_option`].
#[derive(Clone, PartialEq, Debug)]
pub struct OptionWord {
    /// With its dashes: `--image`, `-z`, `-it`, `--`.
    pub name: String,
    /// What stands after `=`; keeps variables and quotes. `--x=` has the empty word.
    pub value: Option<Word>,
}

impl Word {
    /// A word that prints and parses back to exactly this text, never an option, a variable, an operator or several
    /// words. Text without any special character stays bare, all other is quoted.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Word {
        let text = text.into();
        let bare = !text.is_empty()
            && !text.starts_with(['-', '@', '#'])
            && text.chars().all(|c| c.is_alphanumeric() || "_-./:=,@%+#".contains(c));
        Word::with_quote(text, if bare { Quote::None } else { Quote::Single })
    }

    /// Like [`Word::text`], as one of several names between commas: a comma, or a star that is all of it, is quoted.
    #[must_use]
    pub fn listed(text: impl Into<String>) -> Word {
        let text = text.into();
        match text.contains(',') || text == "*" {
            true => Word::quoted(text),
            false => Word::text(text),
        }
    }

    /// Like [`Word::text`], but always in quotes: never part of a command's name either.
    #[must_use]
    pub fn quoted(text: impl Into<String>) -> Word {
        Word::with_quote(text.into(), Quote::Single)
    }

    fn with_quote(text: String, quote: Quote) -> Word {
        // A single-quoted text cannot hold its own quote.
        let quote = if quote == Quote::Single && text.contains('\'') {
            Quote::Double
        } else {
            quote
        };
        Word {
            parts: vec![Part::Text {
                text,
                quote,
                span: Span::default(),
            }],
            span: Span::default(),
        }
    }

    /// An option built by a program. `name` brings its dashes and must be an option's name, not data.
    #[must_use]
    pub fn option(name: &str, value: Option<Word>) -> Word {
        let head = |text: String| Part::Text {
            text,
            quote: Quote::None,
            span: Span::default(),
        };
        match value {
            None => Word {
                parts: vec![head(name.to_owned())],
                span: Span::default(),
            },
            Some(value) => {
                let mut word = Word {
                    parts: vec![head(format!("{name}="))],
                    span: Span::default(),
                };
                value.parts.into_iter().for_each(|part| word.push(part));
                word
            }
        }
    }

    /// A word that is one variable and keeps its JSON type.
    #[must_use]
    pub fn variable(path: Path) -> Word {
        let part = Part::Variable {
            path,
            default: None,
            quoted: false,
            span: Span::default(),
        };
        Word {
            parts: vec![part],
            span: Span::default(),
        }
    }

    /// The text, if no variable is in it.
    #[must_use]
    pub fn literal(&self) -> Option<String> {
        let mut all = String::new();
        for part in &self.parts {
            match part {
                Part::Text { text, .. } => all.push_str(text),
                Part::Variable { .. } => return None,
            }
        }
        Some(all)
    }

    /// The text, if it is one bare piece without quotes or escapes.
    #[must_use]
    pub fn plain(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [
                Part::Text {
                    text,
                    quote: Quote::None,
                    ..
                },
            ] => Some(text),
            _ => None,
        }
    }

    /// The variable and its default, if the whole word is one variable outside quotes: it keeps its JSON type.
    #[must_use]
    pub fn as_variable(&self) -> Option<(&Path, Option<&Word>)> {
        match self.parts.as_slice() {
            [
                Part::Variable {
                    path,
                    default,
                    quoted: false,
                    ..
                },
            ] => Some((path, default.as_deref())),
            _ => None,
        }
    }

    /// Whether it starts with a bare `-` followed by something and is not a number such as `-5` or `-.5`.
    /// `--` counts; a lone `-` and a quoted dash do not.
    #[must_use]
    pub fn is_option(&self) -> bool {
        let Some(first) = self.bare_start() else {
            return false;
        };
        let Some(rest) = first.strip_prefix('-') else {
            return false;
        };
        if rest.is_empty() {
            return self.parts.len() > 1;
        }
        let number = rest.starts_with(|c: char| c.is_ascii_digit() || c == '.') && rest.parse::<f64>().is_ok();
        !(number && self.parts.len() == 1)
    }

    /// Splits an option at its first bare `=`. `None` if it is no option, or its name holds a variable.
    #[must_use]
    pub fn as_option(&self) -> Option<OptionWord> {
        if !self.is_option() {
            return None;
        }
        let first = self.bare_start()?;
        match first.find('=') {
            Some(at) => {
                let name = first.get(..at)?.to_owned();
                Some(OptionWord {
                    name,
                    value: Some(self.without_start(at + 1)),
                })
            }
            None => Some(OptionWord {
                name: self.literal()?,
                value: None,
            }),
        }
    }

    /// The bare text a word starts with.
    pub(crate) fn bare_start(&self) -> Option<&str> {
        match self.parts.first() {
            Some(Part::Text {
                text,
                quote: Quote::None,
                ..
            }) => Some(text),
            _ => None,
        }
    }

    /// The word without the first `bytes` bytes of its bare start; bare text is the same in source and tree.
    pub(crate) fn without_start(&self, bytes: usize) -> Word {
        let mut word = self.clone();
        let shift = |span: &mut Span| span.start = (span.start + bytes).min(span.end);
        if let Some(Part::Text {
            text,
            quote: Quote::None,
            span,
        }) = word.parts.first_mut()
        {
            *text = text.get(bytes..).unwrap_or_default().to_owned();
            shift(span);
            if text.is_empty() {
                word.parts.remove(0);
            }
        }
        shift(&mut word.span);
        word
    }

    /// The words between its bare commas; one without pieces where two commas, or a comma and an end, meet.
    pub(crate) fn between_commas(&self) -> Vec<Word> {
        let mut words = Vec::new();
        let mut word = Word {
            parts: Vec::new(),
            span: self.span,
        };
        for part in &self.parts {
            let Part::Text {
                text,
                quote: Quote::None,
                span,
            } = part
            else {
                word.parts.push(part.clone());
                continue;
            };
            let mut start = span.start;
            for (at, piece) in text.split(',').enumerate() {
                if at > 0 {
                    word.span.end = start - 1;
                    let next = Span {
                        start,
                        end: self.span.end,
                    };
                    let parts = std::mem::take(&mut word.parts);
                    words.push(Word { parts, span: word.span });
                    word.span = next;
                }
                let end = start + piece.len();
                if !piece.is_empty() {
                    word.parts.push(Part::Text {
                        text: piece.to_owned(),
                        quote: Quote::None,
                        span: Span { start, end },
                    });
                }
                start = end + 1;
            }
        }
        words.push(word);
        words
    }

    /// Appends a piece so that equal meaning has one shape: neighbours of one quote become one piece, and an empty
    /// piece stays only where it is all that shows the quotes.
    pub(crate) fn push(&mut self, part: Part) {
        let last = self.parts.last_mut();
        match (last, &part) {
            (
                _,
                Part::Text {
                    text,
                    quote: Quote::None | Quote::Escaped,
                    ..
                },
            ) if text.is_empty() => {}
            (
                Some(Part::Text { text, quote, span }),
                Part::Text {
                    text: more,
                    quote: same,
                    span: next,
                },
            ) if quote == same => {
                text.push_str(more);
                *span = span.to(*next);
            }
            (
                Some(Part::Variable { quoted: true, .. }),
                Part::Text {
                    text,
                    quote: Quote::Double,
                    ..
                },
            ) if text.is_empty() => {}
            (
                Some(Part::Text {
                    text,
                    quote: Quote::Double,
                    ..
                }),
                Part::Variable { quoted: true, .. },
            ) if text.is_empty() => {
                self.parts.pop();
                self.parts.push(part);
            }
            _ => self.parts.push(part),
        }
    }
}
