//! Paths into records as the data verbs take them: `a.b[0]`, `.a."b.c"`, `['a b']`. Quotes protect dots and brackets.

use serde_json::Value;

use crate::core::record::{Record, at};
use crate::core::report::Report;

/// A path into a record. Empty: the record itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Path(Vec<String>);

impl Path {
    /// Reads a path.
    pub fn parse(text: &str) -> Result<Path, Report> {
        let wrong = |why: &str| Report::refused("E-PATH-001", format!("{text:?} is no path: {why}"));
        let mut steps: Vec<String> = Vec::new();
        let mut step: Option<String> = None;
        let mut symbols = text.chars().peekable();
        while let Some(symbol) = symbols.next() {
            match symbol {
                '.' => steps.extend(step.take()),
                '[' => steps.extend(step.take()),
                ']' => {
                    if step.is_none() {
                        return Err(wrong("nothing between [ and ]"));
                    }
                }
                '"' | '\'' => {
                    let quoted = step.get_or_insert_default();
                    loop {
                        match symbols.next() {
                            Some(end) if end == symbol => break,
                            Some(other) => quoted.push(other),
                            None => return Err(wrong("a quote is not closed")),
                        }
                    }
                }
                other => step.get_or_insert_default().push(other),
            }
        }
        steps.extend(step);
        Ok(Path(steps))
    }

    /// One key, whatever it holds.
    pub fn key(name: &str) -> Path {
        Path(vec![name.to_owned()])
    }

    /// Its last step.
    pub fn last(&self) -> Option<&str> {
        self.0.last().map(String::as_str)
    }

    /// The value at the path, if every step exists.
    pub fn find<'a>(&self, record: &'a Record) -> Option<&'a Value> {
        at(record, &self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn paths_reach_keys_indexes_and_quoted_keys() {
        let record = json!({"a": {"b": [1, {"c.d": 2}]}, "x y": null});
        let cases = [
            ("a.b[0]", Some(json!(1))),
            (".a.b[1]", Some(json!({"c.d": 2}))),
            ("a.b[1].\"c.d\"", Some(json!(2))),
            ("['x y']", Some(json!(null))),
            ("", Some(record.clone())),
            (".", Some(record.clone())),
            ("a.q", None),
            ("a.b[9]", None),
        ];
        for (path, wanted) in cases {
            assert_eq!(Path::parse(path).unwrap().find(&record).cloned(), wanted, "{path}");
        }
        assert!(Path::parse("a.'b").is_err() && Path::parse("a[]").is_err());
    }
}
