//! `$name.key[0]["other key"]`: where in the data a value lies.

use serde_json::Value;

/// A name and the steps from its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path {
    /// `results`, or what a loop calls its item.
    pub name: String,
    /// Keys and indexes.
    pub steps: Vec<String>,
}

impl Path {
    /// Reads a path that starts with `$`; the rest of the text comes back with it.
    pub fn read(text: &str) -> Result<(Path, &str), String> {
        let rest = text
            .strip_prefix('$')
            .ok_or_else(|| format!("{text:?} is not a variable"))?;
        let (name, mut rest) = word(rest);
        if name.is_empty() {
            return Err("a variable's name is missing behind `$`".to_owned());
        }
        let mut steps = Vec::new();
        loop {
            if let Some(after) = rest.strip_prefix('.') {
                let (key, left) = word(after);
                if key.is_empty() {
                    return Err("a key is missing behind `.`".to_owned());
                }
                steps.push(key.to_owned());
                rest = left;
            } else if let Some(after) = rest.strip_prefix('[') {
                let (inside, left) = after.split_once(']').ok_or("a `]` is missing")?;
                let quoted = ['"', '\'']
                    .iter()
                    .find_map(|quote| inside.strip_prefix(*quote)?.strip_suffix(*quote));
                steps.push(quoted.unwrap_or(inside).to_owned());
                rest = left;
            } else {
                break;
            }
        }
        Ok((
            Path {
                name: name.to_owned(),
                steps,
            },
            rest,
        ))
    }

    /// The value the steps lead to from that of the name; none: a step is missing.
    pub fn follow<'v>(&self, root: &'v Value) -> Option<&'v Value> {
        let steps: Vec<&str> = self.steps.iter().map(String::as_str).collect();
        crate::core::record::at(root, &steps)
    }
}

fn word(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_' && c != '-');
    text.split_at(end.unwrap_or(text.len()))
}
