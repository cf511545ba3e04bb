//! A line as its reports may quote it: the values of secret options starred out, so that a refusal of a line does not
//! show what the line keeps from everybody else. Byte by byte, so that every place in it stays where it is.

use std::ops::Range;

use super::aliases;
use super::options::holds_password;
use super::resolve::resolve;
use crate::core::text::MASK;
use crate::lang::{self, Line, Stage, Word};
use crate::verb::{Catalogue, OptionSpec};

/// The line without secret values; as it is where there are none.
pub fn starred(catalogue: &Catalogue, line: &Line, source: &str) -> String {
    let mut text = source.to_owned();
    for place in places(catalogue, line) {
        if text.get(place.clone()).is_some() {
            text.replace_range(place.clone(), &"*".repeat(place.len()));
        }
    }
    text
}

/// The line as it may be kept though it was refused: with the mark that no command takes for a value in the place of a
/// secret, so that the line cannot be run with stars for a password.
pub fn marked(catalogue: &Catalogue, line: &Line, source: &str) -> String {
    let mut places = places(catalogue, line);
    places.sort_by_key(|place| (place.start, std::cmp::Reverse(place.end)));
    let (mut text, mut from) = (String::with_capacity(source.len()), 0);
    for place in places {
        // One inside another is gone with it.
        if let Some(before) = source.get(from..place.start) {
            text.push_str(before);
            text.push_str(MASK);
            from = place.end;
        }
    }
    text.push_str(source.get(from..).unwrap_or_default());
    text
}

/// The same of a line that cannot be read. Nobody knows where a secret ends in it: all behind its beginning is gone.
pub fn marked_unread(catalogue: &Catalogue, source: &str) -> String {
    match first_secret(catalogue, source).and_then(|at| source.get(..at)) {
        Some(before) => format!("{before}{MASK}"),
        None => source.to_owned(),
    }
}

/// A line that cannot be read, as the report of that may quote it.
pub fn starred_unread(catalogue: &Catalogue, source: &str) -> String {
    match first_secret(catalogue, source).and_then(|at| source.split_at_checked(at)) {
        Some((before, secret)) => format!("{before}{}", "*".repeat(secret.len())),
        None => source.to_owned(),
    }
}

/// Where secrets stand in a line as it is being typed; in one that cannot be read, all from the first one on.
pub fn secret_places(catalogue: &Catalogue, source: &str) -> Vec<Range<usize>> {
    match lang::parse(source) {
        Ok(line) => places(catalogue, &line),
        Err(_) => {
            let first = first_secret(catalogue, source);
            first.into_iter().map(|at| at..source.len()).collect()
        }
    }
}

/// Where the first secret of a line begins that cannot be read, as far as its words tell.
fn first_secret(catalogue: &Catalogue, source: &str) -> Option<usize> {
    let places = places(catalogue, &lang::commands(source));
    places.into_iter().map(|place| place.start).min()
}

fn places(catalogue: &Catalogue, line: &Line) -> Vec<Range<usize>> {
    let stages = line.items.iter().flat_map(|item| &item.pipeline.stages);
    stages
        .flat_map(|stage| secrets(catalogue, stage).into_iter().chain(given(catalogue, stage)))
        .collect()
}

/// Where the arguments of an alias's call stand, if the alias makes a secret of one, or nobody can tell: which of them
/// is not traced, so it is all of them.
fn given(catalogue: &Catalogue, stage: &Stage) -> Vec<Range<usize>> {
    let Ok(Some(call)) = aliases::call(catalogue, stage) else {
        return Vec::new();
    };
    let keeps_none = |stages: &[Stage]| stages.iter().all(|stage| secrets(catalogue, stage).is_empty());
    match call.body {
        Ok(body) if keeps_none(&body.stages) => Vec::new(),
        _ => {
            let arguments = stage.words.iter().skip(call.words);
            arguments.map(|word| word.span.start..word.span.end).collect()
        }
    }
}

/// Where the values of secret options stand, whether or not the rest of the stage is right.
pub fn secrets(catalogue: &Catalogue, stage: &Stage) -> Vec<Range<usize>> {
    let addresses = stage.words.iter().filter(|word| holds_password(word));
    let mut places: Vec<Range<usize>> = addresses.map(|word| word.span.start..word.span.end).collect();
    let Ok(resolved) = resolve(catalogue, &stage.words) else {
        return places;
    };
    let options = &resolved.verb.declaration.signature.options;
    let long = |name: &str| options.iter().any(|option| option.secret && is_called(option, name));
    let short = |letter: char| {
        options
            .iter()
            .any(|option| option.secret && option.short == Some(letter))
    };
    let before = stage.words.iter().take_while(|word| word.plain() != Some("--"));
    for (index, word) in before.enumerate() {
        let Some(option) = word.as_option() else { continue };
        let name = option.name.as_str();
        // How much of the word is the name: of `-psecret` the letter only.
        let named = match name.strip_prefix("--") {
            Some(name) if long(name) => option.name.len(),
            Some(_) => continue,
            None => match name.char_indices().skip(1).find(|(_, letter)| short(*letter)) {
                Some((at, letter)) => at + letter.len_utf8(),
                None => continue,
            },
        };
        let value = word.span.start + named;
        let apart = named == name.len() && option.value.is_none();
        match apart {
            // One that stands alone is asked for: another option behind it is not its value.
            true => {
                let next = stage.words.get(index + 1).filter(|next| !is_known(options, next));
                places.extend(next.map(|next| next.span.start..next.span.end));
            }
            false => places.push(value + usize::from(named == name.len())..word.span.end),
        }
    }
    places
}

/// Whether a word is an option that the verb has, or ends the options. A dash alone does not make one: the secret
/// itself may begin with it, and the line is refused then, but must not be quoted with it.
fn is_known(options: &[OptionSpec], word: &Word) -> bool {
    word.as_option()
        .is_some_and(|option| match option.name.strip_prefix("--") {
            Some("") => true,
            Some(name) => options.iter().any(|known| is_called(known, name)),
            None => option.name.chars().nth(1).is_some_and(|letter| {
                let short = |known: &OptionSpec| known.short == Some(letter);
                options.iter().any(short)
            }),
        })
}

fn is_called(option: &OptionSpec, name: &str) -> bool {
    option.name == name || option.aliases.contains(&name)
}
