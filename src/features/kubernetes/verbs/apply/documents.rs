//! Manifests: from files, folders, addresses or the pipe to single objects. Not for what is done with them.

use std::path::{Path, PathBuf};

use futures::AsyncReadExt;
use http::Request;
use serde_json::Value;

use crate::core::context::Context;
use crate::core::report::Report;
use crate::core::yaml;
use crate::features::kubernetes::error::{UNREACHABLE, UNREADABLE, usage};
use crate::features::kubernetes::object;

/// A manifest above this size is refused, whatever it comes from (bytes).
const LARGEST: u64 = 16 * 1024 * 1024;
/// Objects of one call at most.
pub const MOST: usize = 1000;
/// What kubectl takes from a folder.
const EXTENSIONS: [&str; 3] = ["json", "yaml", "yml"];

/// An object and where it was written.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// The object.
    pub object: Value,
    /// File name, address or `STDIN`.
    pub source: String,
}

/// The objects of every source, in order.
pub async fn read(context: &Context, sources: &[String]) -> Result<Vec<Document>, Report> {
    let mut found = Vec::new();
    for source in sources {
        if source.starts_with("http://") || source.starts_with("https://") {
            let text = fetch(context, source).await?;
            found.extend(parse(&text, source)?);
            continue;
        }
        for path in files(Path::new(source)).await? {
            let text = load(&path).await?;
            found.extend(parse(&text, &path.display().to_string())?);
        }
    }
    if found.len() > MOST {
        return Err(usage(format!("more than {MOST} objects at once")).hint("apply them in parts"));
    }
    Ok(found)
}

/// A file is itself; a folder its manifests by name.
async fn files(path: &Path) -> Result<Vec<PathBuf>, Report> {
    let unknown = || usage(format!("the path \"{}\" does not exist", path.display()));
    let about = tokio::fs::metadata(path).await.map_err(|_| unknown())?;
    if !about.is_dir() {
        return Ok(vec![path.to_path_buf()]);
    }
    let unreadable = |error: std::io::Error| usage(format!("{} cannot be read", path.display())).because(&error);
    let mut entries = tokio::fs::read_dir(path).await.map_err(unreadable)?;
    let mut found = Vec::new();
    while let Some(entry) = entries.next_entry().await.map_err(unreadable)? {
        let file = entry.path();
        let fits = file
            .extension()
            .is_some_and(|extension| EXTENSIONS.iter().any(|known| extension == *known));
        if fits && entry.file_type().await.map_err(unreadable)?.is_file() {
            found.push(file);
        }
    }
    found.sort();
    Ok(found)
}

async fn load(path: &Path) -> Result<String, Report> {
    let unreadable = |error: std::io::Error| usage(format!("{} cannot be read", path.display())).because(&error);
    let size = tokio::fs::metadata(path).await.map_err(unreadable)?.len();
    if size > LARGEST {
        return Err(too_large(&path.display().to_string()));
    }
    tokio::fs::read_to_string(path).await.map_err(unreadable)
}

fn too_large(source: &str) -> Report {
    usage(format!("{source} is larger than {} MiB", LARGEST / 1024 / 1024))
}

/// Fetches an address without the cluster's credentials.
async fn fetch(context: &Context, address: &str) -> Result<String, Report> {
    if context.closed {
        return Err(usage(format!(
            "{address} cannot be fetched from the sandbox, which is a closed world"
        ))
        .hint("save it to a file and apply that"));
    }
    let failed = |error: &(dyn std::error::Error + 'static)| {
        Report::failed(UNREACHABLE, format!("unable to read URL \"{address}\"")).because(error)
    };
    let uri: http::Uri = address.parse().map_err(|error: http::uri::InvalidUri| failed(&error))?;
    let path = uri
        .path_and_query()
        .map_or("/", http::uri::PathAndQuery::as_str)
        .to_owned();
    let mut parts = uri.into_parts();
    parts.path_and_query = Some(http::uri::PathAndQuery::from_static("/"));
    let root = http::Uri::from_parts(parts).map_err(|error| failed(&error))?;
    let client = kube::Client::try_from(kube::Config::new(root)).map_err(|error| failed(&error))?;
    let request = Request::get(path).body(Vec::new()).map_err(|error| failed(&error))?;
    let body = client.request_stream(request).await.map_err(|error| failed(&error))?;
    futures::pin_mut!(body);
    let mut bytes = Vec::new();
    body.take(LARGEST + 1)
        .read_to_end(&mut bytes)
        .await
        .map_err(|error| failed(&error))?;
    if bytes.len() as u64 > LARGEST {
        return Err(too_large(address));
    }
    String::from_utf8(bytes).map_err(|error| failed(&error))
}

/// The documents of a text, YAML or JSON; lists taken apart, empty documents left out.
pub fn parse(text: &str, source: &str) -> Result<Vec<Document>, Report> {
    if text.trim().is_empty() {
        return Ok(Vec::new());
    }
    let values = yaml::all(text).map_err(|why| {
        Report::refused(
            UNREADABLE,
            format!("error parsing {source}: error converting YAML to JSON: {why}"),
        )
    })?;
    let mut found = Vec::new();
    for value in values {
        flatten(value, source, &mut found)?;
    }
    Ok(found)
}

/// An object, or those of a list.
pub fn flatten(mut value: Value, source: &str, found: &mut Vec<Document>) -> Result<(), Report> {
    if value.is_null() {
        return Ok(());
    }
    let missing: Vec<&str> = ["apiVersion", "kind"]
        .into_iter()
        .filter(|field| object::text(&value, &format!("/{field}")).is_empty())
        .collect();
    if !missing.is_empty() {
        let words: Vec<String> = missing.iter().map(|field| format!("{field} not set")).collect();
        let words = if words.len() == 1 {
            words.concat()
        } else {
            format!("[{}]", words.join(", "))
        };
        return Err(usage(format!(
            "error validating \"{source}\": error validating data: {words}"
        )));
    }
    if object::text(&value, "/kind").ends_with("List")
        && let Some(Value::Array(items)) = value.get_mut("items").map(Value::take)
    {
        for item in items {
            flatten(item, source, found)?;
        }
        return Ok(());
    }
    found.push(Document {
        object: value,
        source: source.to_owned(),
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn documents_lists_and_json_come_apart() {
        let text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n---\n---\n\
                    apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Secret, metadata: {name: b}}\n";
        let names: Vec<String> = parse(text, "x")
            .unwrap()
            .iter()
            .map(|d| object::name(&d.object).to_owned())
            .collect();
        assert_eq!(names, ["a", "b"]);
        assert_eq!(parse(r#"{"apiVersion": "v1", "kind": "Pod"}"#, "x").unwrap().len(), 1);
        assert!(parse("  \n", "x").unwrap().is_empty());
    }

    #[test]
    fn what_is_no_manifest_says_where_and_why() {
        let message = |text: &str| parse(text, "STDIN").unwrap_err().message;
        assert!(message("{}").contains("[apiVersion not set, kind not set]"));
        assert!(message("kind: Pod").contains("error validating data: apiVersion not set"));
        assert!(message("a: [").starts_with("error parsing STDIN"));
        let secret = message("kind: Secret\ndata: {password: hunter2\n");
        assert!(
            secret.starts_with("error parsing STDIN") && !secret.contains("hunter2"),
            "{secret}"
        );
        assert!(message("- 1").contains("not set"));
    }

    #[tokio::test]
    async fn folders_give_their_manifests_by_name_and_missing_paths_are_named() {
        let folder = tempfile::tempdir().unwrap();
        for (name, kind) in [("b.yaml", "B"), ("a.json", "A"), ("c.txt", "C")] {
            let text = format!("{{\"apiVersion\": \"v1\", \"kind\": \"{kind}\"}}");
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        let context = Context::empty("t");
        let found = read(&context, &[folder.path().display().to_string()]).await.unwrap();
        let kinds: Vec<&str> = found.iter().map(|d| object::text(&d.object, "/kind")).collect();
        assert_eq!(kinds, ["A", "B"]);
        let missing = read(&context, &["nope.yaml".to_owned()]).await.unwrap_err();
        assert_eq!(missing.message, "the path \"nope.yaml\" does not exist");
        let mut closed = Context::empty("sandbox");
        closed.closed = true;
        let refused = read(&closed, &["https://example.org/x".to_owned()]).await.unwrap_err();
        assert!(refused.message.contains("closed world"));
    }
}
