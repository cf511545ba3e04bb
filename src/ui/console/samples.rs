//! What the latest answers look like: one record of each, so that the fields behind `$_.` and `$41.` can be offered.
//! Bounded by count; not the blocks' own data, which the engine keeps.

use std::collections::VecDeque;

use serde_json::Value;

use super::complete::Offer;
use crate::core::record::Record;
use crate::engine::part;
use crate::lang::ast::{Path, Root};
use crate::lang::{Span, complete_variable};

/// Answers remembered.
const KEPT: usize = 16;
/// Fields offered at most.
const FIELDS: usize = 200;

/// One record of each of the latest answers, the newest last.
#[derive(Default)]
pub struct Samples {
    known: VecDeque<(u64, Record)>,
}

impl Samples {
    /// A block answered with a record; only its first one is kept.
    pub fn add(&mut self, number: u64, record: &Record) {
        if self.known.iter().any(|(known, _)| *known == number) {
            return;
        }
        self.known.push_back((number, record.clone()));
        if self.known.len() > KEPT {
            self.known.pop_front();
        }
    }

    /// The blocks there are samples of, newest first.
    pub fn numbers(&self) -> impl Iterator<Item = u64> {
        self.known.iter().rev().map(|(number, _)| *number)
    }

    fn at(&self, path: &Path) -> Option<&Value> {
        let record = match path.root {
            Root::Last => self.known.back(),
            Root::Block(number) => self.known.iter().find(|(known, _)| *known == number),
            Root::Name(_) => None,
        };
        path.steps.iter().try_fold(&record?.1, part)
    }

    /// The fields that can follow a path, with what they hold, and what they replace.
    pub fn fields(&self, source: &str, path: &Path, span: Span) -> Option<(Span, Vec<Offer>)> {
        let fields = match self.at(path)? {
            Value::Object(fields) => fields,
            _ => return None,
        };
        let mut at = span;
        let mut offers = Vec::new();
        for (name, value) in fields.iter().take(FIELDS) {
            let (place, insert) = complete_variable(source, span, name);
            // A name that needs brackets replaces the dot too: such ones cannot stand beside the others.
            if place == span {
                at = place;
                offers.push(Offer::field(&insert, name, &holds(value)));
            }
        }
        Some((at, offers))
    }
}

/// A word on what a field holds: short values themselves, else their kind and size.
fn holds(value: &Value) -> String {
    match value {
        Value::Object(fields) => format!("{} fields", fields.len()),
        Value::Array(items) => format!("list of {}", items.len()),
        Value::String(text) if text.len() > 40 => "text".to_owned(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lang::ast::Step;
    use serde_json::json;

    fn path(root: Root, steps: &[Step]) -> Path {
        Path {
            root,
            steps: steps.to_vec(),
        }
    }

    #[test]
    fn fields_follow_the_path_through_lists() {
        let mut samples = Samples::default();
        samples.add(
            41,
            &json!({"status": {"loadBalancer": {"ingress": [{"hostname": "lb.example"}]}}}),
        );
        samples.add(41, &json!({"other": 1}));
        samples.add(42, &json!({"name": "web", "a b": 1}));
        let names = |root, steps: &[Step]| -> Vec<String> {
            let source = "echo $_.";
            let span = Span { start: 8, end: 8 };
            let found = samples.fields(source, &path(root, steps), span);
            found.map_or_else(Vec::new, |(_, offers)| {
                offers.into_iter().map(|offer| offer.insert).collect()
            })
        };
        let key = |name: &str| Step::Key(name.to_owned());
        assert_eq!(names(Root::Last, &[]), ["name"], "of the newest answer");
        let ingress = [key("status"), key("loadBalancer"), key("ingress"), Step::Index(0)];
        assert_eq!(names(Root::Block(41), &ingress), ["hostname"]);
        assert_eq!(
            names(Root::Block(41), &[key("status"), key("nothing")]),
            Vec::<String>::new()
        );
        assert_eq!(samples.numbers().collect::<Vec<_>>(), [42, 41]);
    }

    #[test]
    fn it_is_bounded() {
        let mut samples = Samples::default();
        (0..100).for_each(|number| samples.add(number, &json!({})));
        assert_eq!(samples.numbers().count(), KEPT);
    }
}
