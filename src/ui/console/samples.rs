//! What the latest answers look like: one record of each, so that the fields behind `$_.`, `$41.` and a `let` name's can
//! be offered. Bounded by count; not the blocks' own data, which the engine keeps.

use std::collections::VecDeque;

use serde_json::{Map, Value};

use super::complete::Offer;
use crate::core::record::Record;
use crate::core::text::MASK;
use crate::engine::part;
use crate::lang::ast::{Path, Root, Step};
use crate::lang::{Span, complete_variable, parse};

/// Answers remembered.
const KEPT: usize = 16;
/// Names remembered; a name that is given again is the newest.
const NAMES: usize = 64;
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
    /// What `let` named, the newest last; none: what it holds was not seen.
    names: VecDeque<(String, Option<Record>)>,
}

impl Samples {
    /// A block answered with a record; only its first one is kept.
    pub fn add(&mut self, number: u64, line: &str, record: &Record) {
        if self.known.iter().any(|known| known.number == number) {
            return;
        }
        let mut record = record.clone();
        veil(&mut record, line.to_lowercase().contains("secret"));
        // Whose record it is can be told where the line is one pipeline.
        if let [Some(name)] = bindings(line).as_slice() {
            self.name(name.clone(), Some(record.clone()));
        }
        self.known.push_back(Sample {
            number,
            line: line.to_owned(),
            record,
        });
        if self.known.len() > KEPT {
            self.known.pop_front();
        }
    }

    /// A line has ended: the names that it gave can be used, whatever they hold.
    pub fn ended(&mut self, line: &str) {
        for name in bindings(line).into_iter().flatten() {
            if !self.names.iter().any(|(known, _)| *known == name) {
                self.name(name, None);
            }
        }
    }

    fn name(&mut self, name: String, record: Option<Record>) {
        self.names.retain(|(known, _)| *known != name);
        self.names.push_back((name, record));
        if self.names.len() > NAMES {
            self.names.pop_front();
        }
    }

    /// What `let` named, newest first, and what each holds.
    pub fn names(&self) -> impl Iterator<Item = (&str, String)> {
        let told = |record: &Option<Record>| record.as_ref().map_or_else(String::new, holds);
        self.names
            .iter()
            .rev()
            .map(move |(name, record)| (name.as_str(), told(record)))
    }

    /// The blocks there are samples of, newest first.
    pub fn numbers(&self) -> impl Iterator<Item = u64> {
        self.known.iter().rev().map(|known| known.number)
    }

    fn at<'a>(&'a self, path: &Path, incoming: Option<&'a Record>) -> Option<&'a Value> {
        let numbered = |number: u64| self.known.iter().find(|known| known.number == number);
        let record = match &path.root {
            Root::Last => &self.known.back()?.record,
            Root::Block(number) => &numbered(*number)?.record,
            // As the engine looks a name up: the record's own field first.
            Root::Name(name) => match incoming.and_then(|record| record.get(name)) {
                Some(field) => field,
                None => self.names.iter().find(|(known, _)| known == name)?.1.as_ref()?,
            },
        };
        // Of several records the place comes first; the one that is known stands for each.
        let steps = match path.steps.as_slice() {
            [Step::Index(_), rest @ ..] if !record.is_array() => rest,
            steps => steps,
        };
        steps.iter().try_fold(record, part)
    }

    /// A record such as a stage reads behind these, as typed; none: nobody has seen one.
    pub fn incoming(&self, upstream: &str) -> Option<&Record> {
        Some(&self.of(upstream)?.record)
    }

    fn of(&self, upstream: &str) -> Option<&Sample> {
        // Whose answers look alike: those of one command. Behind a pipe another one answers.
        let command = |line: &str| {
            let line = parse(line).ok()?;
            let [item] = line.items.as_slice() else { return None };
            let [stage] = item.pipeline.stages.as_slice() else {
                return None;
            };
            stage.words.first()?.literal()
        };
        let newest = || self.known.iter().rev();
        match upstream {
            "" => None,
            "seed $_" | "echo $_" => self.known.back(),
            _ => newest().find(|known| known.line.trim() == upstream).or_else(|| {
                let asked = command(upstream)?;
                newest().find(|known| command(&known.line).as_ref() == Some(&asked))
            }),
        }
    }

    /// The fields that can stand at the end of a jq filter which reads what `upstream` answers: the whole filter with
    /// each, and what the field holds. `upstream`: the stages before, as typed.
    pub fn filters(&self, upstream: &str, filter: &str) -> Vec<(String, String)> {
        let Some((sample, (before, steps))) = self.of(upstream).zip(leading(filter)) else {
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

    /// The fields that can follow a path, with what they hold. `incoming`: the record that the stage reads.
    pub fn fields(&self, source: &str, path: &Path, span: Span, incoming: Option<&Record>) -> Option<Vec<Offer>> {
        Some(offers(source, span, self.at(path, incoming)?.as_object()?))
    }
}

/// The fields of a record as they can stand at a place.
pub fn offers(source: &str, span: Span, fields: &Map<String, Value>) -> Vec<Offer> {
    let offer = |(name, value): (&String, &Value)| {
        let (place, insert) = complete_variable(source, span, name);
        // A name that needs brackets replaces the dot too: such ones cannot stand beside the others.
        (place == span).then(|| Offer::field(&insert, name, &holds(value)))
    };
    fields.iter().take(FIELDS).filter_map(offer).collect()
}

/// What `let` names in a line: one for each of its pipelines, none for one that is not named.
fn bindings(line: &str) -> Vec<Option<String>> {
    let items = parse(line).map(|line| line.items).unwrap_or_default();
    let name = |item: crate::lang::Item| item.pipeline.binding.map(|binding| binding.name);
    items.into_iter().map(name).collect()
}

/// What a menu must not tell goes: the values of a Secret, wherever one stands, and of all that was asked for with this
/// word, as its `data` alone.
fn veil(value: &mut Value, all: bool) {
    match value {
        Value::Object(fields) => {
            let secret = fields.get("kind").is_some_and(|kind| kind == "Secret");
            for (name, value) in fields {
                let told = ["data", "stringData", "metadata"].contains(&name.as_str());
                veil(value, all || (secret && told));
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| veil(item, all)),
        leaf if all => *leaf = Value::from(MASK),
        _ => {}
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
            let found = samples.fields(source, &path(root, steps), span, None);
            let found = found.unwrap_or_default().into_iter();
            found.map(|offer| offer.insert).collect()
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
        samples.add(3, "kubectl:get svc web | jq .status", &json!({"of": "a filter"}));
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
            // What a filter makes of it looks otherwise.
            ("kubectl:get svc web | jq .metadata", ".", &[]),
            ("kubectl:get svc web | jq .status", ".", &[".of"]),
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
    fn a_let_name_is_known_with_what_its_line_answered() {
        let mut samples = Samples::default();
        samples.add(
            1,
            "let svc = kubectl:get svc web",
            &json!({"status": {"ip": "192.0.2.1"}}),
        );
        samples.add(2, "let a = dig x; let b = dig y", &json!({"answer": 1}));
        samples.ended("let a = dig x; let b = dig y");
        let names: Vec<(&str, String)> = samples.names().collect();
        assert_eq!(
            names,
            [
                ("b", String::new()),
                ("a", String::new()),
                ("svc", "1 fields".to_owned())
            ]
        );
        let fields = |steps: &[Step]| -> Vec<String> {
            let path = path(Root::Name("svc".to_owned()), steps);
            let found = samples.fields("echo $svc.", &path, Span { start: 10, end: 10 }, None);
            let found = found.unwrap_or_default().into_iter();
            found.map(|offer| offer.insert).collect()
        };
        assert_eq!(fields(&[]), ["status"]);
        assert_eq!(fields(&[Step::Index(0), Step::Key("status".to_owned())]), ["ip"]);
    }

    #[test]
    fn no_value_of_a_secret_is_told() {
        let secret = json!({"kind": "Secret", "type": "Opaque", "data": {"password": "aHVudGVyMg=="},
            "metadata": {"name": "x", "annotations": {"copy": "aHVudGVyMg=="}}});
        let lines = [
            ("kubectl:get secret x", secret.clone()),
            ("cat x.json", json!({"items": [secret.clone()]})),
            ("let s = kubectl:get secrets x | jq .data", secret["data"].clone()),
        ];
        for (line, record) in lines {
            let mut samples = Samples::default();
            samples.add(1, line, &record);
            let known = samples.at(&path(Root::Last, &[]), None).unwrap();
            let text = known.to_string();
            assert!(
                text.contains("password") && !text.contains("aHVudGVyMg"),
                "{line}: {text}"
            );
        }
    }

    #[test]
    fn it_is_bounded() {
        let mut samples = Samples::default();
        (0..100).for_each(|number| samples.add(number, "", &json!({})));
        assert_eq!(samples.numbers().count(), KEPT);
    }
}
