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

struct Sample {
    number: u64,
    /// The line that answered so.
    line: String,
    record: Record,
}

/// One record of each of the latest answers, the newest last.
#[derive(Default)]
pub struct Samples {
    known: VecDeque<Sample>,
}

impl Samples {
    /// A block answered with a record; only its first one is kept.
    pub fn add(&mut self, number: u64, line: &str, record: &Record) {
        if self.known.iter().any(|known| known.number == number) {
            return;
        }
        self.known.push_back(Sample {
            number,
            line: line.to_owned(),
            record: record.clone(),
        });
        if self.known.len() > KEPT {
            self.known.pop_front();
        }
    }

    /// The blocks there are samples of, newest first.
    pub fn numbers(&self) -> impl Iterator<Item = u64> {
        self.known.iter().rev().map(|known| known.number)
    }

    fn at(&self, path: &Path) -> Option<&Value> {
        let record = match path.root {
            Root::Last => self.known.back(),
            Root::Block(number) => self.known.iter().find(|known| known.number == number),
            Root::Name(_) => None,
        };
        path.steps.iter().try_fold(&record?.record, part)
    }

    /// The fields that can stand at the end of a jq filter which reads what `upstream` answers: the whole filter with
    /// each, and what the field holds. `upstream`: the stages before, as typed.
    pub fn filters(&self, upstream: &str, filter: &str) -> Vec<(String, String)> {
        let command = |line: &str| line.split_whitespace().next().map(str::to_owned);
        let newest = || self.known.iter().rev();
        let sample = match upstream {
            "seed $_" | "echo $_" => self.known.back(),
            _ => newest()
                .find(|known| known.line.trim() == upstream)
                .or_else(|| newest().find(|known| command(&known.line) == command(upstream))),
        };
        let Some((sample, (before, steps))) = sample.zip(leading(filter)) else {
            return Vec::new();
        };
        let value = steps.iter().try_fold(&sample.record, |value, step| follow(value, step));
        let fields = value.and_then(Value::as_object).into_iter().flatten().take(FIELDS);
        let offer = |(name, value): (&String, &Value)| {
            let letter = |symbol: char| symbol.is_ascii_alphanumeric() || symbol == '_';
            let plain = name.chars().all(letter) && !name.starts_with(|first: char| first.is_ascii_digit());
            let name = if plain {
                name.clone()
            } else {
                format!("{:?}", name.as_str())
            };
            (format!("{before}.{name}"), holds(value))
        };
        fields.map(offer).collect()
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

/// A jq filter, cut before the field that is being typed: what came so far, and the paths that lead to it.
fn leading(filter: &str) -> Option<(&str, Vec<&str>)> {
    let (before, _) = filter.rsplit_once('.')?;
    let steps = before.split('|').map(str::trim);
    let plain = |step: &&str| {
        step.chars()
            .all(|symbol| symbol.is_alphanumeric() || "._[]?\"-".contains(symbol))
    };
    let steps: Vec<&str> = steps.collect();
    steps.iter().all(plain).then_some((before, steps))
}

/// Where a path of a jq filter leads in a record: `.status.loadBalancer.ingress[0]`; the items of a list are alike.
fn follow<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.')
        .filter(|step| !step.is_empty())
        .try_fold(value, |value, step| {
            let (key, index) = step
                .split_once('[')
                .map_or((step, None), |(key, index)| (key, Some(index)));
            let key = key.trim_end_matches('?').trim_matches('"');
            let value = if key.is_empty() { value } else { value.get(key)? };
            match index {
                Some(_) => value.as_array()?.first(),
                None => Some(value),
            }
        })
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
            "kubectl:get svc",
            &json!({"status": {"loadBalancer": {"ingress": [{"hostname": "lb.example"}]}}}),
        );
        samples.add(41, "", &json!({"other": 1}));
        samples.add(42, "", &json!({"name": "web", "a b": 1}));
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
    fn a_jq_filter_is_completed_from_what_its_input_answered() {
        let mut samples = Samples::default();
        let service = json!({"status": {"loadBalancer": {"ingress": [{"hostname": "lb"}]}}, "metadata": {"a-b": 1}});
        samples.add(1, "kubectl:get svc web", &service);
        samples.add(2, "instance-search", &json!({"public_ip_address": "1.2.3.4"}));
        let cases: &[(&str, &str, &[&str])] = &[
            ("kubectl:get svc web", ".", &[".status", ".metadata"]),
            ("kubectl:get svc other", ".sta", &[".status", ".metadata"]),
            ("kubectl:get svc web", ".status.", &[".status.loadBalancer"]),
            ("kubectl:get svc web", ".status | .load", &[".status | .loadBalancer"]),
            (
                "kubectl:get svc web",
                ".status.loadBalancer.ingress[0].",
                &[".status.loadBalancer.ingress[0].hostname"],
            ),
            ("kubectl:get svc web", ".metadata.", &[".metadata.\"a-b\""]),
            ("instance-search", ".p", &[".public_ip_address"]),
            ("dig x", ".", &[]),
            ("kubectl:get svc web", "map(.x).", &[]),
            ("kubectl:get svc web", "", &[]),
            ("seed $_", ".", &[".public_ip_address"]),
        ];
        for (upstream, filter, wanted) in cases {
            let found: Vec<String> = samples
                .filters(upstream, filter)
                .into_iter()
                .map(|(text, _)| text)
                .collect();
            assert_eq!(&found, wanted, "{upstream} | jq '{filter}");
        }
    }

    #[test]
    fn it_is_bounded() {
        let mut samples = Samples::default();
        (0..100).for_each(|number| samples.add(number, "", &json!({})));
        assert_eq!(samples.numbers().count(), KEPT);
    }
}
