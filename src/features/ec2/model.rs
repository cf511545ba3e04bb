//! Slim rows of instances, and what a search asks for. No IO and no types of the SDK.

use jiff::Timestamp;
use serde_json::Value;

use crate::core::record::{Record, at, text_at};
use crate::core::report::Report;

/// What the panel and joins need of an instance.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InstanceRow {
    /// `i-…`.
    pub id: String,
    /// The tag `Name`; empty: none.
    pub name: String,
    /// `running`.
    pub state: String,
    /// `m4.large`.
    pub kind: String,
    /// Availability zone.
    pub zone: String,
    /// Private address; empty: none.
    pub private_ip: String,
    /// Public address; empty: none.
    pub public_ip: String,
    /// Private DNS name: what Kubernetes calls the node.
    pub private_dns: String,
    /// When it was last started.
    pub launched: Option<Timestamp>,
    /// All tags, `Name` too, by name.
    pub tags: Vec<(String, String)>,
}

impl InstanceRow {
    /// The row of a record of `ec2:instance-list`.
    pub fn of(record: &Record) -> InstanceRow {
        let text = |path: &[&str]| text_at(record, path).unwrap_or_default().to_owned();
        InstanceRow {
            id: text(&["instance_id"]),
            name: text(&["tags", "Name"]),
            state: text(&["state", "name"]),
            kind: text(&["instance_type"]),
            zone: text(&["placement", "availability_zone"]),
            private_ip: text(&["private_ip_address"]),
            public_ip: text(&["public_ip_address"]),
            private_dns: text(&["private_dns_name"]),
            launched: text_at(record, &["launch_time"]).and_then(|time| time.parse().ok()),
            tags: tags(record),
        }
    }
}

fn tags(record: &Record) -> Vec<(String, String)> {
    let tags = at(record, &["tags"]).and_then(Record::as_object);
    let pairs = tags.into_iter().flatten();
    pairs
        .filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())))
        .collect()
}

/// Filters: values of one name are alternatives, different names must all hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Search {
    /// Name and values, in the order they were first named.
    pub filters: Vec<(String, Vec<String>)>,
}

impl Search {
    /// Reads `key=value` words. The key ends at the first `=`; the value may hold more of them.
    pub fn parse(words: &[String]) -> Result<Search, Report> {
        let mut search = Search::default();
        for word in words {
            let (key, value) = word.split_once('=').filter(|(key, _)| !key.is_empty()).ok_or_else(|| {
                Report::refused("E-EC2-001", format!("{word:?} is not a filter"))
                    .hint("a filter is key=value, such as tag:Name=web-* or instance-state-name=running")
            })?;
            match search.filters.iter_mut().find(|(known, _)| known == key) {
                Some((_, values)) if values.iter().any(|known| known == value) => {}
                Some((_, values)) => values.push(value.to_owned()),
                None => search.filters.push((key.to_owned(), vec![value.to_owned()])),
            }
        }
        Ok(search)
    }
}

/// Takes out what says nothing: nulls, empty texts, empty lists and maps. EC2 answers with an empty text where an
/// instance has no public name.
pub fn said(value: Value) -> Option<Value> {
    match value {
        Value::Null => None,
        Value::String(text) if text.is_empty() => None,
        Value::Array(items) => {
            let items: Vec<Value> = items.into_iter().filter_map(said).collect();
            (!items.is_empty()).then_some(Value::Array(items))
        }
        Value::Object(map) => {
            let map: serde_json::Map<_, _> = map
                .into_iter()
                .filter_map(|(key, value)| Some((key, said(value)?)))
                .collect();
            (!map.is_empty()).then_some(Value::Object(map))
        }
        other => Some(other),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::json;

    fn parse(words: &[&str]) -> Result<Search, Report> {
        Search::parse(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn one_key_gives_alternatives_and_the_first_equals_sign_counts() {
        let search = parse(&[
            "tag:env=staging",
            "instance-type=m4.large",
            "tag:env=a=b=c",
            "tag:env=staging",
            "key-name=",
        ])
        .unwrap();
        let wanted = [
            ("tag:env", vec!["staging", "a=b=c"]),
            ("instance-type", vec!["m4.large"]),
            ("key-name", vec![""]),
        ];
        let found: Vec<(&str, Vec<&str>)> = search
            .filters
            .iter()
            .map(|(name, values)| (name.as_str(), values.iter().map(String::as_str).collect()))
            .collect();
        assert_eq!(found, wanted);
        assert_eq!(parse(&[]).unwrap(), Search::default());
        for wrong in ["running", "=x", ""] {
            assert_eq!(parse(&[wrong]).unwrap_err().code, "E-EC2-001", "{wrong:?}");
        }
    }

    #[test]
    fn what_says_nothing_is_left_out() {
        let value = json!({"a": null, "b": "", "c": [], "d": {"e": [null, ""]}, "f": false, "g": 0, "h": ["x", ""]});
        assert_eq!(said(value), Some(json!({"f": false, "g": 0, "h": ["x"]})));
    }

    #[test]
    fn a_row_of_nonsense_is_empty() {
        let record = json!({"instance_id": 5, "tags": {"Name": ["x"]}, "launch_time": "yesterday"});
        assert_eq!(InstanceRow::of(&record), InstanceRow::default());
    }
}
