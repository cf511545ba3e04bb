//! The commands of a text that cannot be read as a line, as far as its tokens tell. Not for running it: what must not be
//! kept or quoted is looked for in it.

use super::ast::{Item, Line, Pipeline, Span, Stage, Word};
use super::lexer::{TokenKind, lex_lenient};
use super::roles::{Role, Walk, without_bang};

/// Every command with its words, each a pipeline of its own.
#[must_use]
pub fn commands(source: &str) -> Line {
    let (mut walk, mut words, mut items) = (Walk::default(), Vec::new(), Vec::new());
    for token in lex_lenient(source) {
        match &token.kind {
            TokenKind::Word(word) => match walk.word(word) {
                Role::Head => words.push(without_bang(word)),
                Role::Argument => words.push(word.clone()),
                _ => {}
            },
            // What is no token stands where a word could: the command goes on behind it.
            TokenKind::Invalid => words.push(Word {
                span: token.span,
                ..Word::text(token.span.of(source))
            }),
            operator => {
                walk.operator(operator);
                items.extend(command(std::mem::take(&mut words)));
            }
        }
    }
    items.extend(command(words));
    Line {
        items,
        span: Span {
            start: 0,
            end: source.len(),
        },
    }
}

fn command(words: Vec<Word>) -> Option<Item> {
    let span = words.first()?.span.to(words.last()?.span);
    let stage = Stage {
        modifiers: Vec::new(),
        words,
        span,
    };
    let pipeline = Pipeline {
        binding: None,
        stages: vec![stage],
        redirect: None,
        span,
    };
    Some(Item { pipeline, then: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commands_of_any_text_and_their_words() {
        let words = |source: &str| -> Vec<Vec<String>> {
            let of = |item: &Item| {
                let words = item.pipeline.stages.iter().flat_map(|stage| &stage.words);
                words.map(|word| word.span.of(source).to_owned()).collect()
            };
            commands(source).items.iter().map(of).collect()
        };
        assert_eq!(
            words("a b | @x c 'd | e"),
            [vec!["a", "b"], vec!["c", "'d | e"]],
            "an open quote reaches to the end"
        );
        assert_eq!(words("let x = a | | b &&"), [["a"], ["b"]]);
        assert_eq!(words("a --b <c> d >> e"), [["a", "--b", "<c>", "d", ">>", "e"]]);
        assert_eq!(words("|"), Vec::<Vec<String>>::new());
    }
}
