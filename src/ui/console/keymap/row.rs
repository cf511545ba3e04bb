//! A pipeline that a keymap file binds to a key on the rows of a panel: `"ctrl-x" = "kubectl:delete po $name"`. The row's
//! facts replace the variables in the tree, so that a name can never become an option, an operator or a command.

use super::{Key, unknown};
use crate::core::change::Target;
use crate::core::report::Report;
use crate::lang::ast::{Part, Pipeline, Root, Word};
use crate::lang::parse;

/// What a row knows about itself.
const FACTS: [&str; 3] = ["name", "namespace", "kind"];

/// One such binding.
#[derive(Clone, Debug, PartialEq)]
pub struct RowKey {
    /// The panel's id.
    pub panel: String,
    /// The key.
    pub key: Key,
    /// As written, for help and menus.
    pub text: String,
    pipeline: Pipeline,
}

impl RowKey {
    /// Reads one; an error says what is wrong in the pipeline.
    pub(super) fn read(panel: &str, key: Key, text: &str) -> Result<Self, Report> {
        let wrong = |message: String| Report::refused("E-KEYMAP-003", message);
        let line = parse(text).map_err(|error| {
            let report = wrong(format!("the pipeline on {} in {panel}: {}", key.label(), error.message));
            report.at(text, error.span.start..error.span.end)
        })?;
        let mut items = line.items.into_iter().map(|item| item.pipeline);
        let (Some(pipeline), None) = (items.next(), items.next()) else {
            return Err(wrong(format!("{} in {panel} takes one pipeline", key.label())));
        };
        let names = words(&pipeline).flat_map(|word| &word.parts).filter_map(fact);
        for name in names {
            if !FACTS.contains(&name) {
                return Err(unknown("fact of a row", name, FACTS).at(text, 0..text.len()));
            }
        }
        Ok(RowKey {
            panel: panel.to_owned(),
            key,
            text: text.to_owned(),
            pipeline,
        })
    }

    /// Whether it says in which namespace the row is.
    pub fn names_namespace(&self) -> bool {
        let mut parts = words(&self.pipeline).flat_map(|word| &word.parts);
        parts.any(|part| fact(part) == Some("namespace"))
    }

    /// The pipeline for a row.
    pub fn on(&self, row: &Target) -> Pipeline {
        let value = |name: &str| match name {
            "name" => row.name.clone(),
            "namespace" => row.scope.clone(),
            _ => row.kind.clone(),
        };
        let mut pipeline = self.pipeline.clone();
        let stages = pipeline.stages.iter_mut().flat_map(|stage| &mut stage.words);
        let targets = pipeline.redirect.iter_mut().flat_map(|redirect| &mut redirect.targets);
        for word in stages.chain(targets) {
            let parts = std::mem::take(&mut word.parts);
            word.parts = parts
                .into_iter()
                .flat_map(|part| match fact(&part).map(value) {
                    Some(value) => Word::quoted(value).parts,
                    None => vec![part],
                })
                .collect();
        }
        pipeline
    }
}

fn words(pipeline: &Pipeline) -> impl Iterator<Item = &Word> {
    let stages = pipeline.stages.iter().flat_map(|stage| &stage.words);
    stages.chain(pipeline.redirect.iter().flat_map(|redirect| &redirect.targets))
}

/// The name, when a part is a plain variable.
fn fact(part: &Part) -> Option<&str> {
    match part {
        Part::Variable { path, .. } if path.steps.is_empty() => match &path.root {
            Root::Name(name) => Some(name),
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lang::print;

    fn on(text: &str, name: &str) -> String {
        let row = Target {
            kind: "Pod".into(),
            scope: "kube-system".into(),
            name: name.into(),
        };
        let key = RowKey::read("pods", Key::letter('x'), text).unwrap();
        print(&key.on(&row))
    }

    #[test]
    fn facts_of_the_row_replace_the_variables_as_data() {
        let line = on("kubectl:logs $name -n $namespace | head 5", "web-1");
        assert_eq!(line, "kubectl:logs 'web-1' -n 'kube-system' | head 5");
        for hostile in ["a; rm -rf /", "--all", "$_", "a'b", "x | sh 'y'", "世界\u{1b}[31m"] {
            for template in [
                "kubectl:delete po $name",
                "kubectl:delete po/$name",
                "echo \"is ${name}\"",
            ] {
                let line = on(template, hostile);
                let parsed = parse(&line).unwrap();
                let stages = &parsed.items[0].pipeline.stages;
                assert_eq!((parsed.items.len(), stages.len()), (1, 1), "{line}");
                let last = stages[0].words.last().unwrap();
                assert!(last.literal().is_some_and(|text| text.ends_with(hostile)), "{line}");
                assert!(!last.is_option(), "{line}");
            }
        }
    }

    #[test]
    fn what_cannot_run_or_names_no_fact_is_refused_when_the_file_is_read() {
        let wrong = |text: &str| RowKey::read("pods", Key::letter('x'), text).unwrap_err();
        assert_eq!(
            wrong("kubectl:delete po $nme").hint.as_deref(),
            Some("did you mean name?")
        );
        assert!(wrong("echo 'open").message.contains("the pipeline on x in pods"));
        assert!(wrong("echo a; echo b").message.contains("takes one pipeline"));
    }
}
