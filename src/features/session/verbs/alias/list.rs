//! `alias list [PATTERN]`.

use async_trait::async_trait;

use super::Table;
use crate::core::report::Report;
use crate::verb::catalogue::BUILT_IN;
use crate::verb::{Call, Declaration, Input, InputMode, OptionKind, Output, Positional, Read, Verb};

/// The verb.
pub fn verb() -> Verb {
    let declaration = Declaration::new(BUILT_IN, "alias-list", "List aliases, one's own before everyone's")
        .input(InputMode::None)
        .positional(
            Positional::new(
                "pattern",
                OptionKind::String,
                "only names like it; * stands for anything",
            )
            .optional(),
        )
        .output("{\"scope\", \"name\", \"pipeline\"}")
        .example("alias list 'kube*'", "");
    Verb::read(declaration, List)
}

struct List;

#[async_trait]
impl Read for List {
    async fn run(&self, call: &Call, _: &mut Input, output: &Output) -> Result<(), Report> {
        let pattern = call.arguments.text_at(0);
        let table = Table::new();
        for alias in call.session.catalogue().aliases() {
            if pattern.as_ref().is_none_or(|pattern| fits(pattern, &alias.name)) {
                output.send(table.row(alias)).await?;
            }
        }
        Ok(())
    }
}

/// Whether a name is like a pattern. Greedy from the left: enough for names, and linear in their length.
fn fits(pattern: &str, name: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else {
        return pattern == name;
    };
    let Some(mut left) = name.strip_prefix(start) else {
        return false;
    };
    let mut pieces: Vec<&str> = rest.split('*').collect();
    let end = pieces.pop().unwrap_or_default();
    for piece in pieces {
        match left.find(piece) {
            Some(at) => left = left.get(at + piece.len()..).unwrap_or_default(),
            None => return false,
        }
    }
    left.ends_with(end)
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn l25_patterns_have_stars() {
        for (pattern, name, wanted) in [
            ("*", "", true),
            ("a*", "abc", true),
            ("*c", "abc", true),
            ("a*b*c", "aXbYc", true),
            ("a*a", "a", false),
            ("ab", "abc", false),
            ("*b*b*", "abc", false),
        ] {
            assert_eq!(fits(pattern, name), wanted, "{pattern} {name}");
        }
    }
}
