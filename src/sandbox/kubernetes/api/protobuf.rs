//! Request bodies in Kubernetes' protobuf encoding, which typed Go clients (kubectl since 1.32) send unless told
//! otherwise. Field numbers are in `protobuf/fields.txt`, one message a line: `message number=name[:message] …`, names
//! in lower case; what a field holds is known from the kind's shape. Answers are JSON, which those clients accept.

use std::collections::HashMap;
use std::sync::OnceLock;

use base64::Engine as _;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::sandbox::kubernetes::schema::{self, Shape};

/// The media type.
pub(super) const MEDIA_TYPE: &str = "application/vnd.kubernetes.protobuf";
/// First bytes of every body.
const MAGIC: &[u8] = b"k8s\0";

/// Number fields in which zero is not the same as nothing. The encoding writes plain zeros out, JSON leaves them out.
const ZERO_COUNTS: &[&str] = &[
    "replicas",
    "parallelism",
    "completions",
    "backoffLimit",
    "terminationGracePeriodSeconds",
    "gracePeriodSeconds",
    "revisionHistoryLimit",
    "progressDeadlineSeconds",
    "ttlSecondsAfterFinished",
    "activeDeadlineSeconds",
    "tolerationSeconds",
    "partition",
    "priority",
    "runAsUser",
    "runAsGroup",
    "fsGroup",
    "defaultMode",
    "successfulJobsHistoryLimit",
    "failedJobsHistoryLimit",
    "value",
];
/// Yes-or-no fields in which no is not the same as nothing.
const NO_COUNTS: &[&str] = &[
    "automountServiceAccountToken",
    "enableServiceLinks",
    "allowPrivilegeEscalation",
    "readOnlyRootFilesystem",
    "privileged",
    "runAsNonRoot",
    "suspend",
    "orphanDependents",
    "allocateLoadBalancerNodePorts",
    "ready",
    "serving",
    "terminating",
];

/// Decodes a body to the object's JSON.
pub(super) fn decode(bytes: &[u8]) -> Result<Value, String> {
    let bytes = bytes
        .strip_prefix(MAGIC)
        .ok_or("the body does not start as Kubernetes protobuf does")?;
    let (mut api_version, mut kind, mut raw) = (String::new(), String::new(), &[][..]);
    for field in Fields(bytes) {
        match field? {
            (1, Payload::Bytes(meta)) => {
                for field in Fields(meta) {
                    match field? {
                        (1, Payload::Bytes(text)) => api_version = utf8(text)?,
                        (2, Payload::Bytes(text)) => kind = utf8(text)?,
                        _ => {}
                    }
                }
            }
            (2, Payload::Bytes(body)) => raw = body,
            (3, Payload::Bytes(encoding)) if !encoding.is_empty() => {
                return Err("encoded content is not supported".to_owned());
            }
            _ => {}
        }
    }
    let (message, shape) =
        root(&api_version, &kind).ok_or_else(|| format!("no kind {kind:?} of {api_version:?} is known in protobuf"))?;
    let mut object = Map::new();
    object.insert("kind".to_owned(), json!(kind));
    object.insert("apiVersion".to_owned(), json!(api_version));
    read(raw, &message, shape, &mut object)?;
    Ok(Value::Object(object))
}

fn root(api_version: &str, kind: &str) -> Option<(String, &'static Shape)> {
    if kind == "DeleteOptions" {
        return Some(("meta.v1.DeleteOptions".to_owned(), schema::of("v1", kind)?));
    }
    let (group, version) = api_version.split_once('/').unwrap_or(("core", api_version));
    let group = group.split('.').next().unwrap_or(group);
    Some((format!("{group}.{version}.{kind}"), schema::of(api_version, kind)?))
}

/// Number to name and, for messages, type.
type Message = HashMap<u64, (&'static str, Option<&'static str>)>;

fn message(name: &str) -> Option<&'static Message> {
    static MESSAGES: OnceLock<HashMap<&'static str, Message>> = OnceLock::new();
    let all = MESSAGES.get_or_init(|| {
        let lines = include_str!("protobuf/fields.txt").lines();
        lines
            .filter_map(|line| line.split_once(' '))
            .map(|(name, fields)| (name, fields.split(' ').filter_map(field).collect()))
            .collect()
    });
    all.get(name)
}

fn field(text: &'static str) -> Option<(u64, (&'static str, Option<&'static str>))> {
    let (number, rest) = text.split_once('=')?;
    let (name, kind) = rest
        .split_once(':')
        .map_or((rest, None), |(name, kind)| (name, Some(kind)));
    Some((number.parse().ok()?, (name, kind)))
}

/// Reads a message into an object. Fields the table or the shape does not know are skipped.
fn read(bytes: &[u8], name: &str, shape: &Shape, out: &mut Map<String, Value>) -> Result<(), String> {
    let (Some(table), Shape::Struct(known)) = (message(name), shape) else {
        return Ok(());
    };
    for field in Fields(bytes) {
        let (number, payload) = field?;
        let Some((field, kind)) = table.get(&number) else {
            continue;
        };
        match known.fields.iter().find(|(name, _)| name.eq_ignore_ascii_case(field)) {
            Some((name, shape)) => {
                if let Some(value) = convert(payload, kind.unwrap_or_default(), shape, name)? {
                    put(out, name, shape, value);
                }
            }
            // In JSON the fields of some messages stand beside their parent's.
            None => {
                if let (Some(kind), Payload::Bytes(bytes)) = (kind, payload) {
                    read(bytes, kind, shape, out)?;
                }
            }
        }
    }
    Ok(())
}

fn put(out: &mut Map<String, Value>, name: &str, shape: &Shape, value: Value) {
    let slot = out.entry(name.to_owned());
    match (shape, value) {
        (Shape::List(_), value) => {
            if let Value::Array(list) = slot.or_insert_with(|| json!([])) {
                list.push(value);
            }
        }
        (Shape::Map(_), Value::Object(entry)) => {
            if let Value::Object(map) = slot.or_insert_with(|| json!({})) {
                map.extend(entry);
            }
        }
        (_, value) => *slot.or_insert(Value::Null) = value,
    }
}

/// One value; `None` for what JSON would leave out.
fn convert(payload: Payload<'_>, message: &str, shape: &Shape, name: &str) -> Result<Option<Value>, String> {
    Ok(match (shape, payload) {
        (Shape::List(item), payload) => Some(element(payload, message, item)?),
        (Shape::Map(item), Payload::Bytes(entry)) => {
            let (mut key, mut value) = (String::new(), None);
            for field in Fields(entry) {
                match field? {
                    (1, Payload::Bytes(text)) => key = utf8(text)?,
                    (2, payload) => value = Some(element(payload, message, item)?),
                    _ => {}
                }
            }
            Some(json!({key: value.unwrap_or_else(|| json!(""))}))
        }
        (Shape::Bool, Payload::Number(0)) if !NO_COUNTS.contains(&name) => None,
        (Shape::Int32 | Shape::Int64, Payload::Number(0)) if !ZERO_COUNTS.contains(&name) => None,
        (Shape::Text | Shape::Time, Payload::Bytes([])) => None,
        (shape, payload) => Some(element(payload, message, shape)?).filter(|value| !value.is_null()),
    })
}

/// One value that stands for itself, in a list or a map.
fn element(payload: Payload<'_>, message: &str, shape: &Shape) -> Result<Value, String> {
    Ok(match (shape, payload) {
        (Shape::Bool, Payload::Number(number)) => json!(number != 0),
        (Shape::Int32 | Shape::Int64, Payload::Number(number)) => json!(number.cast_signed()),
        (Shape::Float, Payload::Fixed(bits)) => json!(f64::from_bits(bits)),
        (Shape::Text, Payload::Bytes(text)) => json!(utf8(text)?),
        (Shape::Bytes, Payload::Bytes(bytes)) => json!(base64::engine::general_purpose::STANDARD.encode(bytes)),
        (Shape::Time, Payload::Bytes(bytes)) => time(bytes)?,
        (Shape::Quantity, Payload::Bytes(bytes)) => json!(text_field(bytes, 1)?),
        (Shape::IntOrString, Payload::Bytes(bytes)) => int_or_string(bytes)?,
        (Shape::Any, Payload::Bytes(bytes)) => serde_json::from_str(&text_field(bytes, 1)?).unwrap_or(Value::Null),
        (Shape::Struct(_), Payload::Bytes(bytes)) => {
            let mut object = Map::new();
            read(bytes, message, shape, &mut object)?;
            Value::Object(object)
        }
        _ => return Err(format!("a field of {message:?} has the wrong wire type")),
    })
}

fn time(bytes: &[u8]) -> Result<Value, String> {
    let (mut seconds, mut nanos) = (0, 0);
    for field in Fields(bytes) {
        match field? {
            (1, Payload::Number(number)) => seconds = number.cast_signed(),
            (2, Payload::Number(number)) => nanos = i32::try_from(number).unwrap_or(0),
            _ => {}
        }
    }
    let at = Timestamp::new(seconds, nanos).map_err(|error| error.to_string())?;
    let format = if nanos == 0 {
        "%Y-%m-%dT%H:%M:%SZ"
    } else {
        "%Y-%m-%dT%H:%M:%S%.6fZ"
    };
    Ok(json!(at.strftime(format).to_string()))
}

fn int_or_string(bytes: &[u8]) -> Result<Value, String> {
    let (mut is_text, mut number, mut text) = (false, 0, String::new());
    for field in Fields(bytes) {
        match field? {
            (1, Payload::Number(kind)) => is_text = kind == 1,
            (2, Payload::Number(value)) => number = value.cast_signed(),
            (3, Payload::Bytes(value)) => text = utf8(value)?,
            _ => {}
        }
    }
    Ok(if is_text { json!(text) } else { json!(number) })
}

fn text_field(bytes: &[u8], wanted: u64) -> Result<String, String> {
    for field in Fields(bytes) {
        match field? {
            (number, Payload::Bytes(text)) if number == wanted => return utf8(text),
            _ => {}
        }
    }
    Ok(String::new())
}

fn utf8(bytes: &[u8]) -> Result<String, String> {
    String::from_utf8(bytes.to_vec()).map_err(|_| "text that is not UTF-8".to_owned())
}

/// What a field carries.
enum Payload<'b> {
    Number(u64),
    Fixed(u64),
    Bytes(&'b [u8]),
}

/// The fields of a message, until the bytes end or make no sense.
struct Fields<'b>(&'b [u8]);

impl<'b> Fields<'b> {
    fn varint(&mut self) -> Option<u64> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let (first, rest) = self.0.split_first()?;
            self.0 = rest;
            value |= u64::from(first & 0x7f).checked_shl(shift)?;
            if first & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    fn take(&mut self, length: usize) -> Option<&'b [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn field(&mut self) -> Option<(u64, Payload<'b>)> {
        let tag = self.varint()?;
        let payload = match tag & 7 {
            0 => Payload::Number(self.varint()?),
            1 => Payload::Fixed(u64::from_le_bytes(self.take(8)?.try_into().ok()?)),
            2 => {
                let length = usize::try_from(self.varint()?).ok()?;
                Payload::Bytes(self.take(length)?)
            }
            5 => Payload::Fixed(u64::from(u32::from_le_bytes(self.take(4)?.try_into().ok()?))),
            _ => return None,
        };
        Some((tag >> 3, payload))
    }
}

impl<'b> Iterator for Fields<'b> {
    type Item = Result<(u64, Payload<'b>), String>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_none() {
            self.0 = &[];
        }
        Some(field.ok_or_else(|| "the protobuf message is cut off or malformed".to_owned()))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn bytes(number: u8, content: &[u8]) -> Vec<u8> {
        [&[number << 3 | 2, u8::try_from(content.len()).unwrap()], content].concat()
    }

    fn envelope(api_version: &str, kind: &str, raw: &[u8]) -> Vec<u8> {
        let meta = [bytes(1, api_version.as_bytes()), bytes(2, kind.as_bytes())].concat();
        [MAGIC.to_vec(), bytes(1, &meta), bytes(2, raw)].concat()
    }

    #[test]
    fn a_deployment_is_read() {
        let metadata = [
            bytes(1, b"web"),
            bytes(3, b""),
            bytes(8, b""),
            bytes(11, &[bytes(1, b"run"), bytes(2, b"web")].concat()),
        ]
        .concat();
        let port = [bytes(1, b""), vec![2 << 3, 0], vec![3 << 3, 80], bytes(4, b"TCP")].concat();
        let container = [bytes(1, b"web"), bytes(2, b"x:1"), bytes(6, &port)].concat();
        let template = bytes(2, &bytes(2, &container));
        let spec = [vec![1 << 3, 0], bytes(3, &template), vec![5 << 3, 0]].concat();
        let body = envelope(
            "apps/v1",
            "Deployment",
            &[bytes(1, &metadata), bytes(2, &spec)].concat(),
        );
        let wanted = json!({
            "kind": "Deployment",
            "apiVersion": "apps/v1",
            "metadata": {"name": "web", "labels": {"run": "web"}},
            "spec": {"replicas": 0, "template": {"spec": {"containers": [
                {"name": "web", "image": "x:1", "ports": [{"containerPort": 80, "protocol": "TCP"}]}
            ]}}}
        });
        assert_eq!(decode(&body).unwrap(), wanted);
    }

    #[test]
    fn garbage_is_refused() {
        let good = envelope("v1", "ConfigMap", &bytes(1, &bytes(1, b"x")));
        assert!(decode(&good).is_ok());
        for length in 0..good.len() {
            // Any cut either fails or yields less; it never panics.
            let _ = decode(&good[..length]);
        }
        assert!(decode(b"{}").is_err());
        assert!(decode(&envelope("v1", "Nope", b"")).is_err());
        assert!(decode(&[MAGIC, &[0xff; 20]].concat()).is_err());
        assert!(decode(&envelope("v1", "ConfigMap", &bytes(1, &[0x0a, 0x7f]))).is_err());
    }
}
