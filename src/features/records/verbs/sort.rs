//! `sort [PATH…]`: records in the order of their values.

use async_trait::async_trait;

use crate::core::report::Report;
use crate::features::records::held;
use crate::features::records::order::{compare, compare_found};
use crate::features::records::path::Path;
use crate::verb::catalogue::BUILT_IN;
use crate::verb::{Call, Declaration, Input, InputMode, OptionKind, OptionSpec, Output, Positional, Read, Verb};

/// The verb.
pub fn verb() -> Verb {
    let declaration = Declaration::new(BUILT_IN, "sort", "Sort records")
        .description(
            "By the values at the paths, the first path first; without one by the records themselves. Equal records \
             keep their order; records without a path come last either way.",
        )
        .input(InputMode::All)
        .positional(
            Positional::new("paths", OptionKind::String, "where the values are")
                .optional()
                .variadic(),
        )
        .options([
            OptionSpec::new("desc", OptionKind::Bool, "the highest first").short('d'),
            OptionSpec::new("asc", OptionKind::Bool, "the lowest first, as without it").short('a'),
        ])
        .exclusive(&["desc", "asc"])
        .output("The records as they are.")
        .example_expecting("seed '[3, 1, 2]' | sort --desc", "", "3\n2\n1");
    Verb::read(declaration, Sort)
}

struct Sort;

#[async_trait]
impl Read for Sort {
    async fn run(&self, call: &Call, input: &mut Input, output: &Output) -> Result<(), Report> {
        let texts = call.arguments.texts();
        let paths: Vec<Path> = texts.iter().map(|text| Path::parse(text)).collect::<Result<_, _>>()?;
        let descending = call.arguments.flag("desc");
        let mut items = held::all("sort", input).await?;
        items.sort_by(|a, b| {
            if paths.is_empty() {
                let order = compare(&a.record, &b.record);
                return if descending { order.reverse() } else { order };
            }
            let orders = paths.iter().map(|path| {
                let (a, b) = (path.find(&a.record), path.find(&b.record));
                let order = compare_found(a, b);
                if descending && a.is_some() && b.is_some() {
                    order.reverse()
                } else {
                    order
                }
            });
            orders
                .into_iter()
                .find(|order| order.is_ne())
                .unwrap_or(std::cmp::Ordering::Equal)
        });
        for item in items {
            output.send(item).await?;
        }
        Ok(())
    }
}
