//! What the language promises, seen from outside: tables per checklist id, and properties over generated trees.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod checklist;
mod completion;
mod defects;
mod errors;
mod highlight;
mod limits;
mod paste;
mod properties;
mod shell_loop;
mod splice;

use super::*;

/// The words of each stage of each pipeline, as the commands see them; variables as they print.
fn stages(source: &str) -> Vec<Vec<Vec<String>>> {
    let line = parse(source).unwrap_or_else(|e| panic!("{source}: {e}"));
    let shown = |word: &Word| word.literal().unwrap_or_else(|| print(word));
    let stage = |stage: &Stage| stage.words.iter().map(shown).collect();
    line.items
        .iter()
        .map(|item| item.pipeline.stages.iter().map(stage).collect())
        .collect()
}

/// The words of the only stage.
fn words(source: &str) -> Vec<String> {
    let mut all = stages(source);
    assert_eq!(all.len(), 1, "{source}");
    let mut pipeline = all.remove(0);
    assert_eq!(pipeline.len(), 1, "{source}");
    pipeline.remove(0)
}

/// The only stage of a line.
fn stage(source: &str) -> Stage {
    let line = parse(source).unwrap_or_else(|e| panic!("{source}: {e}"));
    line.items[0].pipeline.stages[0].clone()
}

/// The last word of a line.
fn word(source: &str) -> Word {
    stage(source).words.pop().unwrap()
}
