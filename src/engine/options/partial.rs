//! What is given of a command that is still being typed, sorted by its declaration: which words are positionals, which
//! belong to options. Nothing is refused here; what cannot be read is passed over.

use std::collections::BTreeMap;

use super::reader;
use crate::lang::Word;
use crate::verb::Declaration;

/// The words before the cursor, sorted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Partial {
    /// Positionals in their order; one that holds a variable is the empty text.
    pub positionals: Vec<String>,
    /// Values by the options' names, the last mention of each; flags that stand alone have none.
    pub options: BTreeMap<String, String>,
}

impl Partial {
    /// Of the complete words after a command's name.
    pub fn of(declaration: &Declaration, words: &[Word]) -> Partial {
        let (given, positionals) = reader::read_so_far(declaration, words);
        let options = given.iter().filter_map(|given| {
            let option = declaration.signature.options.get(given.option)?;
            Some((option.name.clone(), given.value.as_ref()?.literal()?))
        });
        let positionals = positionals.iter().map(|word| word.literal().unwrap_or_default());
        Partial {
            options: options.collect(),
            positionals: positionals.collect(),
        }
    }
}
