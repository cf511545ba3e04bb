//! The fuzzers' corpus, replayed: what was once found stays mended. How to fuzz: tests/fuzz/Cargo.toml.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use cogdeck::{access, bundle, core, engine, lang, render, verb};

#[path = "fuzz/src/targets.rs"]
mod targets;

#[test]
fn every_input_of_the_corpus_is_read_without_harm() {
    let corpus = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus");
    for (name, target) in targets::TARGETS {
        let entries = std::fs::read_dir(corpus.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        let mut inputs = 0;
        for entry in entries {
            let path = entry.unwrap().path();
            let input = std::fs::read(&path).unwrap();
            let result = std::panic::catch_unwind(|| target(&input));
            assert!(result.is_ok(), "{}", path.display());
            // Cut anywhere, it is hostile input too.
            for end in 0..input.len() {
                target(&input[..end]);
            }
            inputs += 1;
        }
        assert!(inputs > 0, "{name} has no corpus");
    }
}
