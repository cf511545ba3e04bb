//! Zones and record sets as this program sees them, and their JSON. No IO and no types of the SDK.

use serde_json::{Value, json};

use crate::core::record::Record;

/// Seconds, when none are given (as the AWS console suggests and the original bundle does).
pub const DEFAULT_TTL: i64 = 300;

/// The types that Route 53 keeps.
pub const TYPES: [&str; 17] = [
    "A", "AAAA", "CAA", "CNAME", "DS", "HTTPS", "MX", "NAPTR", "NS", "PTR", "SOA", "SPF", "SRV", "SSHFP", "SVCB",
    "TLSA", "TXT",
];

/// A hosted zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone {
    /// Without `/hostedzone/`.
    pub id: String,
    /// With the final dot.
    pub name: String,
    /// Answers inside VPCs only.
    pub private: bool,
    /// Record sets in it.
    pub count: Option<i64>,
    /// What its maker wrote.
    pub comment: Option<String>,
}

impl Zone {
    /// `{Id, Name, Private, ResourceRecordSetCount, Comment}`; the id as the API gives it.
    pub fn record(&self) -> Record {
        json!({
            "Id": format!("/hostedzone/{}", self.id),
            "Name": self.name,
            "Private": self.private,
            "ResourceRecordSetCount": self.count,
            "Comment": self.comment,
        })
    }
}

/// The target of an alias.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alias {
    /// The zone the target lies in; a load balancer's is Amazon's.
    pub zone: String,
    /// The target.
    pub host: String,
    /// Whether the target's health decides.
    pub evaluate: bool,
}

/// All records of one name and type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordSet {
    /// The name as the API gives it (`\052` for `*`).
    pub name: String,
    /// `CNAME`.
    pub kind: String,
    /// Seconds; an alias has none.
    pub ttl: Option<i64>,
    /// The values in presentation form; an alias has none.
    pub values: Vec<String>,
    /// The alias.
    pub alias: Option<Alias>,
    /// One of several sets of this name and type, told apart by this.
    pub identifier: Option<String>,
    /// Has more to it (weight, health check, …) than this program can write again.
    pub special: bool,
}

impl RecordSet {
    /// The fixed record shape: `Zone Name Type TTL AliasTarget ResourceRecords` (and `SetIdentifier` where there is one).
    pub fn record(&self, zone: &str) -> Record {
        let mut record = self.fields(self.name.clone(), self.values.clone());
        if let Value::Object(map) = &mut record {
            map.insert("Zone".into(), zone.into());
        }
        record
    }

    /// The same set always gives the same state, however it was spelled: for before and after, and to see that it moved.
    pub fn state(&self) -> Value {
        let mut values = self.values.clone();
        values.sort();
        let mut canonical = self.clone();
        if let Some(alias) = &mut canonical.alias {
            alias.host = canonical_name(&alias.host);
        }
        canonical.fields(canonical_name(&self.name), values)
    }

    fn fields(&self, name: String, values: Vec<String>) -> Value {
        let alias = self.alias.as_ref().map(
            |alias| json!({"HostedZoneId": alias.zone, "DNSName": alias.host, "EvaluateTargetHealth": alias.evaluate}),
        );
        let records = self.alias.is_none().then_some(values);
        let mut fields = json!({
            "Name": name,
            "Type": self.kind,
            "TTL": self.ttl,
            "AliasTarget": alias,
            "ResourceRecords": records,
        });
        if let (Some(identifier), Value::Object(map)) = (&self.identifier, &mut fields) {
            map.insert("SetIdentifier".into(), identifier.clone().into());
        }
        fields
    }

    /// Reads back what [`RecordSet::record`] or [`RecordSet::state`] wrote.
    pub fn parse(record: &Record) -> Option<RecordSet> {
        let text = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
        let alias = match record.get("AliasTarget") {
            None | Some(Value::Null) => None,
            Some(alias) => Some(Alias {
                zone: text(alias, "HostedZoneId")?,
                host: text(alias, "DNSName")?,
                evaluate: alias
                    .get("EvaluateTargetHealth")
                    .and_then(Value::as_bool)
                    .unwrap_or(false),
            }),
        };
        let values = match record.get("ResourceRecords") {
            Some(Value::Array(values)) => values
                .iter()
                .map(|value| value.as_str().map(str::to_owned))
                .collect::<Option<_>>()?,
            _ => Vec::new(),
        };
        Some(RecordSet {
            name: text(record, "Name")?,
            kind: text(record, "Type")?,
            ttl: record.get("TTL").and_then(Value::as_i64),
            values,
            alias,
            identifier: text(record, "SetIdentifier"),
            special: false,
        })
    }

    /// The values in one line; an alias is marked.
    pub fn value_line(&self) -> String {
        match &self.alias {
            Some(alias) => format!("ALIAS {} ({})", alias.host, alias.zone),
            None => self.values.join(", "),
        }
    }
}

/// A name in lower case, with the final dot and without octal escapes.
pub fn canonical_name(name: &str) -> String {
    let mut plain = unescaped(name).to_ascii_lowercase();
    if !plain.ends_with('.') {
        plain.push('.');
    }
    plain
}

/// Undoes `\052` where it stands for printable ASCII; other bytes stay escaped.
pub fn unescaped(name: &str) -> String {
    let mut plain = String::with_capacity(name.len());
    let mut rest = name;
    while let Some(at) = rest.find('\\') {
        plain.push_str(&rest[..at]);
        let code = rest
            .get(at + 1..at + 4)
            .and_then(|digits| u8::from_str_radix(digits, 8).ok());
        match code.filter(u8::is_ascii_graphic) {
            Some(code) => {
                plain.push(char::from(code));
                rest = &rest[at + 4..];
            }
            None => {
                plain.push('\\');
                rest = &rest[at + 1..];
            }
        }
    }
    plain + rest
}

/// A zone id in any of its spellings, without `/hostedzone/`; none: the text can only be a domain name.
pub fn zone_id(text: &str) -> Option<&str> {
    let bare = text.trim_start_matches('/');
    let bare = bare.strip_prefix("hostedzone/").unwrap_or(bare);
    let sound = !bare.is_empty() && bare.len() <= 32 && bare.bytes().all(|byte| byte.is_ascii_alphanumeric());
    sound.then_some(bare)
}

/// A TXT value as Route 53 wants it: in double quotes, in pieces of 255 bytes. What is quoted already stays.
pub fn quoted_text(value: &str) -> String {
    if value.len() >= 2 && value.starts_with('"') && value.ends_with('"') {
        return value.to_owned();
    }
    let pieces = value.as_bytes().chunks(255).map(|piece| {
        let escaped: String = piece
            .iter()
            .map(|byte| match byte {
                b'"' | b'\\' => format!("\\{}", char::from(*byte)),
                b' '..=b'~' => char::from(*byte).to_string(),
                other => format!("\\{other:03o}"),
            })
            .collect();
        format!("\"{escaped}\"")
    });
    let pieces: Vec<String> = pieces.collect();
    if pieces.is_empty() {
        "\"\"".to_owned()
    } else {
        pieces.join(" ")
    }
}

/// The order of a zone: labels from the right, so that a name's children follow it.
pub fn order(name: &str) -> String {
    let canonical = canonical_name(name);
    let labels: Vec<&str> = canonical.trim_end_matches('.').rsplit('.').collect();
    labels.join("\u{1}")
}

/// A row of the feed, one zone or one record set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DnsRow {
    /// A zone, before its records.
    Zone {
        /// The zone.
        zone: Zone,
        /// Record sets kept of it.
        kept: usize,
        /// Why it has none here.
        error: Option<String>,
    },
    /// A record set.
    Record {
        /// Its zone's id.
        zone: String,
        /// The set.
        set: RecordSet,
        /// A change of it made here has not reached every name server.
        pending: bool,
    },
}

#[cfg(test)]
pub(super) mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    /// A CNAME for tests.
    pub fn cname(name: &str, value: &str) -> RecordSet {
        RecordSet {
            name: name.into(),
            kind: "CNAME".into(),
            ttl: Some(300),
            values: vec![value.into()],
            alias: None,
            identifier: None,
            special: false,
        }
    }

    #[test]
    fn the_record_has_the_promised_fields_and_reads_back() {
        let set = cname("\\052.spawnhub.com.", "lb.example");
        let record = set.record("Z1");
        assert_eq!(
            record,
            json!({"Zone": "Z1", "Name": "\\052.spawnhub.com.", "Type": "CNAME", "TTL": 300, "AliasTarget": null,
                   "ResourceRecords": ["lb.example"]})
        );
        assert_eq!(RecordSet::parse(&record), Some(set));
        let alias = RecordSet {
            ttl: None,
            values: Vec::new(),
            alias: Some(Alias {
                zone: "Z2".into(),
                host: "lb.example.".into(),
                evaluate: true,
            }),
            ..cname("a.", "")
        };
        assert_eq!(RecordSet::parse(&alias.record("Z1")), Some(alias));
        assert_eq!(RecordSet::parse(&json!({"Name": 1})), None);
    }

    #[test]
    fn one_set_has_one_state_however_it_is_spelled() {
        let mut one = cname("*.Spawnhub.com", "b");
        one.values.push("a".into());
        let mut other = cname("\\052.spawnhub.com.", "a");
        other.values.push("b".into());
        assert_eq!(one.state(), other.state());
        assert_ne!(one.state(), cname("*.spawnhub.com", "b").state());
    }

    #[test]
    fn zone_ids_have_three_spellings() {
        for text in [
            "Z37AJ8CHRUEZC6",
            "/hostedzone/Z37AJ8CHRUEZC6",
            "hostedzone/Z37AJ8CHRUEZC6",
        ] {
            assert_eq!(zone_id(text), Some("Z37AJ8CHRUEZC6"));
        }
        for text in ["spawnhub.com", "", "../Z1", "Z1/rrset", "Z\u{1b}"] {
            assert_eq!(zone_id(text), None, "{text:?}");
        }
    }

    #[test]
    fn text_values_are_quoted_in_pieces() {
        assert_eq!(quoted_text("v=spf1 -all"), "\"v=spf1 -all\"");
        assert_eq!(quoted_text("\"as it is\""), "\"as it is\"");
        assert_eq!(quoted_text("say \"hi\\\""), "\"say \\\"hi\\\\\\\"\"");
        assert_eq!(quoted_text("ö"), "\"\\303\\266\"");
        assert_eq!(quoted_text(&"x".repeat(300)).matches("\" \"").count(), 1);
    }

    #[test]
    fn children_follow_their_parent() {
        let mut names = [
            "b.spawnhub.com.",
            "spawnhub.com.",
            "a.b.spawnhub.com.",
            "a.spawnhub.com.",
        ];
        names.sort_by_key(|name| order(name));
        assert_eq!(
            names,
            [
                "spawnhub.com.",
                "a.spawnhub.com.",
                "b.spawnhub.com.",
                "a.b.spawnhub.com."
            ]
        );
    }

    proptest! {
        #[test]
        fn hostile_names_do_no_harm(name in "\\PC{0,40}") {
            let canonical = canonical_name(&name);
            prop_assert!(canonical.ends_with('.'));
            let _ = (order(&name), zone_id(&name), quoted_text(&name));
        }
    }
}
