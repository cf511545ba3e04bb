//! The filters that need no process of their own: `.`, `.a.b` and `{a, b: .c.d}`. They look keys up, and that is all: no
//! recursion, no loop, no more than one output, and none that is larger than the record. A record that they can't answer
//! for (a key of a text, say) is not theirs: jq itself says what is wrong with it.

use serde_json::{Map, Value};

/// Words that mean something else to jq where a key could stand.
const RESERVED: [&str; 19] = [
    "__loc__", "and", "as", "catch", "def", "elif", "else", "end", "foreach", "if", "import", "include", "label",
    "module", "not", "or", "reduce", "then", "try",
];

/// Keys one below the other.
type Path = Vec<String>;

/// Such a filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Paths {
    /// The value at a path; an empty one: the record itself.
    One(Path),
    /// An object of values at paths, none of them empty.
    Object(Vec<(String, Path)>),
}

impl Paths {
    /// Reads a filter; none: it is more than this.
    pub fn parse(filter: &str) -> Option<Paths> {
        let mut rest = Rest(filter.trim());
        let paths = match rest.symbol('{') {
            false => Paths::One(rest.path()?),
            true => {
                let mut entries = Vec::new();
                loop {
                    let key = rest.key()?;
                    let path = match rest.symbol(':') {
                        true => rest.path().filter(|path| !path.is_empty())?,
                        false => vec![key.clone()],
                    };
                    entries.push((key, path));
                    if rest.symbol('}') {
                        break Paths::Object(entries);
                    }
                    if !rest.symbol(',') {
                        return None;
                    }
                }
            }
        };
        rest.0.is_empty().then_some(paths)
    }

    /// Its only output for a record; none: jq has to say it.
    pub fn apply(&self, record: &Value) -> Option<Value> {
        match self {
            Paths::One(path) => find(record, path).cloned(),
            Paths::Object(entries) => {
                let mut object = Map::with_capacity(entries.len());
                for (key, path) in entries {
                    object.insert(key.clone(), find(record, path)?.clone());
                }
                Some(Value::Object(object))
            }
        }
    }
}

/// As jq finds it: null where there is no such key and below null.
fn find<'a>(record: &'a Value, path: &Path) -> Option<&'a Value> {
    path.iter().try_fold(record, |value, key| match value {
        Value::Object(map) => Some(map.get(key).unwrap_or(&Value::Null)),
        Value::Null => Some(&Value::Null),
        _ => None,
    })
}

/// What is left of a filter's text.
struct Rest<'a>(&'a str);

impl Rest<'_> {
    /// Whether this symbol comes next; it is taken, with the blanks behind it.
    fn symbol(&mut self, symbol: char) -> bool {
        let after = self.0.strip_prefix(symbol).map(str::trim_ascii_start);
        self.0 = after.unwrap_or(self.0);
        after.is_some()
    }

    fn key(&mut self) -> Option<String> {
        let key = self.name()?;
        self.0 = self.0.trim_ascii_start();
        Some(key)
    }

    fn name(&mut self) -> Option<String> {
        let end = self.0.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        let (name, after) = self.0.split_at(end.unwrap_or(self.0.len()));
        let starts = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        if !starts || RESERVED.contains(&name) {
            return None;
        }
        self.0 = after;
        Some(name.to_owned())
    }

    /// `.` alone, or keys with a dot before each and no blank between.
    fn path(&mut self) -> Option<Path> {
        let mut keys = Vec::new();
        self.0 = self.0.strip_prefix('.')?;
        if self.0.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
            keys.push(self.name()?);
            while let Some(after) = self.0.strip_prefix('.') {
                self.0 = after;
                keys.push(self.name()?);
            }
        }
        self.0 = self.0.trim_ascii_start();
        Some(keys)
    }
}

#[cfg(test)]
mod tests {
    use super::super::convert::write_json;
    use super::super::filter::{Next, Program};
    use super::super::wire::Options;
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    /// What jq itself makes of it.
    fn jq(filter: &str, record: &Value) -> Vec<Option<Value>> {
        let program = Program::compile(filter, Options::default()).unwrap();
        let mut outputs = Vec::new();
        program.run(std::iter::once(record.to_string().into_bytes()), &mut |_, output| {
            outputs.push(output.ok().map(|value| {
                let mut text = Vec::new();
                write_json(value, &mut text).unwrap();
                serde_json::from_slice(&text).unwrap()
            }));
            Next::Input
        });
        outputs
    }

    #[test]
    fn only_what_looks_keys_up_is_taken() {
        for filter in [".", " .a ", ".a.b_1", "{id,v}", "{ id , v : .a.b }", "{a: .a, b: .a}"] {
            assert!(Paths::parse(filter).is_some(), "{filter}");
        }
        let more = [
            "",
            "a",
            "..",
            ".[0]",
            ".a[]",
            ".a?",
            ".a | .b",
            ".a, .b",
            "{}",
            "{a",
            "{a,}",
            "{a: .}",
            "{a: 1}",
            "{$x}",
            "{(.a): .b}",
            "{\"a\"}",
            ".\"a\"",
            ".a .b",
            ".a. b",
            ".if",
            "{if}",
            "{a: .b | .c}",
            "{a: {b}}",
            "def f: f; f",
            ".é",
            "{a}}",
            ". .a",
            "repeat(1)",
            ".a#b",
            "{@base64}",
        ];
        for filter in more {
            assert_eq!(Paths::parse(filter), None, "{filter}");
        }
    }

    fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            // Only those that every reader of their text takes for the same number.
            any::<i32>().prop_map(|n| Value::from(f64::from(n) / 8.0)),
            ".{0,6}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::vec(("[abc]", inner), 0..4)
                    .prop_map(|entries| Value::Object(entries.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn an_answer_is_jqs_own(
            record in any_value(),
            filter in prop_oneof![
                "\\.|(\\.[abc]){1,3}",
                "\\{ ?[abc](, ?[abc])?(, ?[abc] ?: ?(\\.[abc]){1,2})? ?\\}",
            ],
        ) {
            let paths = Paths::parse(&filter).unwrap();
            if let Some(answer) = paths.apply(&record) {
                prop_assert_eq!(jq(&filter, &record), vec![Some(answer)]);
            }
        }

        #[test]
        fn no_text_panics(filter in "[{}.,: a-c$]{0,12}") {
            if let Some(paths) = Paths::parse(&filter) {
                prop_assert_eq!(jq(&filter, &json!({"a": {"b": 1}})).len(), 1, "{:?}", paths);
            }
        }
    }
}
