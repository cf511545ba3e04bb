//! Manifests: from files, folders, addresses, the pipe or standard input to single objects. Not for what is done with
//! them, nor for which object of the cluster each one means.

use std::path::{Path, PathBuf};

use futures::AsyncReadExt;
use http::Request;
use serde_json::Value;

use super::error::{UNREACHABLE, UNREADABLE, usage};
use super::object;
use crate::core::context::Context;
use crate::core::report::Report;
use crate::core::yaml;
use crate::verb::{Call, OptionKind, OptionSpec};

/// A manifest above this size is refused, whatever it comes from (bytes).
const LARGEST: u64 = 16 * 1024 * 1024;
/// All manifests of one call at most (bytes).
const ALL: u64 = 4 * LARGEST;
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

/// `-f, --filename`, and `-R, --recursive` beside it.
pub fn options() -> [OptionSpec; 2] {
    [
        OptionSpec::new(
            "filename",
            OptionKind::List,
            "A file, a folder, an address of manifests; -: the incoming record, else standard input",
        )
        .short('f')
        .value_name("file"),
        OptionSpec::new("recursive", OptionKind::Bool, "Folders with what is in their folders").short('R'),
    ]
}

/// What `--filename` names; `-` is the incoming record, and standard input where none comes.
pub async fn of(call: &Call) -> Result<Vec<Document>, Report> {
    let (piped, named): (Vec<String>, Vec<String>) = call
        .arguments
        .list("filename")
        .into_iter()
        .partition(|source| source == "-");
    if call.record.is_some() && piped.is_empty() {
        return Err(usage("-f FILE takes no records").hint("-f - means the incoming record"));
    }
    let mut found = Found::default();
    match &call.record {
        _ if piped.is_empty() => {}
        Some(record) => flatten(object::as_manifest(record.clone()), "STDIN", &mut found.documents)?,
        None => found.add(&call.operator.input().await?, "STDIN")?,
    }
    found
        .read(&call.context, &named, call.arguments.flag("recursive"))
        .await?;
    Ok(found.documents)
}

/// What was found so far: it is bounded before the next source is read.
#[derive(Default)]
struct Found {
    documents: Vec<Document>,
    /// What they were read from.
    bytes: u64,
}

impl Found {
    /// The objects of every source, in order.
    async fn read(&mut self, context: &Context, sources: &[String], recursive: bool) -> Result<(), Report> {
        for source in sources {
            if source.starts_with("http://") || source.starts_with("https://") {
                let text = fetch(context, source).await?;
                self.add(&text, &crate::core::address::shown(source))?;
                continue;
            }
            for path in files(Path::new(source), recursive).await? {
                let text = load(&path).await?;
                self.add(&text, &path.display().to_string())?;
            }
        }
        Ok(())
    }

    fn add(&mut self, text: &str, source: &str) -> Result<(), Report> {
        let much = |what: String| usage(format!("{what} at once")).hint("give them in parts");
        self.bytes += text.len() as u64;
        if self.bytes > ALL {
            return Err(much(format!("more than {} MiB of manifests", ALL / 1024 / 1024)));
        }
        self.documents.extend(parse(text, source)?);
        match self.documents.len() {
            ..=MOST => Ok(()),
            _ => Err(much(format!("more than {MOST} objects"))),
        }
    }
}

/// A file is itself; a folder its manifests by name, those of folders in it too where that is asked for.
async fn files(path: &Path, recursive: bool) -> Result<Vec<PathBuf>, Report> {
    let unknown = || usage(format!("the path \"{}\" does not exist", path.display()));
    let about = tokio::fs::metadata(path).await.map_err(|_| unknown())?;
    if !about.is_dir() {
        return Ok(vec![path.to_path_buf()]);
    }
    let unreadable = |error: std::io::Error| usage(format!("{} cannot be read", path.display())).because(&error);
    let mut folders = vec![path.to_path_buf()];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        let mut entries = tokio::fs::read_dir(&folder).await.map_err(unreadable)?;
        while let Some(entry) = entries.next_entry().await.map_err(unreadable)? {
            let (file, about) = (entry.path(), entry.file_type().await.map_err(unreadable)?);
            let fits = file
                .extension()
                .is_some_and(|extension| EXTENSIONS.iter().any(|known| extension == *known));
            // A link counts as what it leads to, be it a folder: that is no manifest, and says so.
            if fits && (about.is_file() || about.is_symlink()) {
                found.push(file);
            } else if recursive && about.is_dir() {
                folders.push(file);
            }
            // Whoever names a whole disk is stopped before its names fill the memory.
            if found.len() + folders.len() > MOST {
                return Err(usage(format!("{} holds more than {MOST} manifests", path.display())));
            }
        }
    }
    found.sort();
    Ok(found)
}

async fn load(path: &Path) -> Result<String, Report> {
    let text = super::files::text(path, LARGEST)
        .await
        .map_err(|error| match error.kind() {
            // A link in a folder whose file is gone.
            std::io::ErrorKind::NotFound => usage(format!("open {}: no such file or directory", path.display())),
            _ => usage(format!("{} cannot be read", path.display())).because(&error),
        })?;
    text.ok_or_else(|| too_large(&path.display().to_string()))
}

fn too_large(source: &str) -> Report {
    usage(format!("{source} is larger than {} MiB", LARGEST / 1024 / 1024))
}

/// Fetches an address without the cluster's credentials.
async fn fetch(context: &Context, address: &str) -> Result<String, Report> {
    // A password in it is nobody's business.
    let told = crate::core::address::shown(address);
    if context.closed {
        return Err(usage(format!(
            "{told} cannot be fetched from the sandbox, which is a closed world"
        ))
        .hint("save it to a file and apply that"));
    }
    let failed = |error: &(dyn std::error::Error + 'static)| {
        Report::failed(UNREACHABLE, format!("unable to read URL \"{told}\"")).because(error)
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
    let body = client.request_stream(request).await.map_err(|error| match &error {
        // What comes with it is a page for people, not a Status.
        kube::Error::Api(status) => Report::failed(
            UNREACHABLE,
            format!(
                "unable to read URL \"{told}\", server reported {0}, status code={0}",
                status.code
            ),
        ),
        other => failed(other),
    })?;
    futures::pin_mut!(body);
    let mut bytes = Vec::new();
    body.take(LARGEST + 1)
        .read_to_end(&mut bytes)
        .await
        .map_err(|error| failed(&error))?;
    if bytes.len() as u64 > LARGEST {
        return Err(too_large(&told));
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

    async fn read(context: &Context, sources: &[String], recursive: bool) -> Result<Vec<Document>, Report> {
        let mut found = Found::default();
        found.read(context, sources, recursive).await?;
        Ok(found.documents)
    }

    #[test]
    fn much_is_refused_before_more_of_it_is_read() {
        let mut found = Found::default();
        let many = "{apiVersion: v1, kind: A}\n---\n".repeat(MOST);
        assert!(found.add(&many, "a.yaml").is_ok());
        let refused = found.add("{apiVersion: v1, kind: A}", "b.yaml").unwrap_err();
        assert_eq!(refused.message, "more than 1000 objects at once");
        let mut found = Found::default();
        let long = format!("# {}", "x".repeat(usize::try_from(LARGEST).unwrap() - 2));
        let added: Vec<bool> = (0..5).map(|_| found.add(&long, "a.yaml").is_ok()).collect();
        assert_eq!(added, [true, true, true, true, false]);
    }

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
        let inner = folder.path().join("inner");
        std::fs::create_dir(&inner).unwrap();
        std::fs::write(inner.join("d.yml"), "{apiVersion: v1, kind: D}").unwrap();
        for (recursive, wanted) in [(false, vec!["A", "B"]), (true, vec!["A", "B", "D"])] {
            let folder = folder.path().display().to_string();
            let found = read(&context, &[folder], recursive).await.unwrap();
            let kinds: Vec<&str> = found.iter().map(|d| object::text(&d.object, "/kind")).collect();
            assert_eq!(kinds, wanted);
        }
        std::os::unix::fs::symlink(inner.join("d.yml"), folder.path().join("z.yaml")).unwrap();
        std::os::unix::fs::symlink(&inner, folder.path().join("linked")).unwrap();
        let all = [folder.path().display().to_string()];
        let found = read(&context, &all, false).await.unwrap();
        assert_eq!(
            found.last().map(|d| object::text(&d.object, "/kind")),
            Some("D"),
            "a link to a file"
        );
        let found = read(&context, &all, true).await.unwrap();
        assert_eq!(found.len(), 4, "a linked folder is not gone into: {found:?}");
        std::os::unix::fs::symlink(inner.join("gone"), folder.path().join("lost.yaml")).unwrap();
        let lost = read(&context, &all, false).await.unwrap_err();
        assert!(
            lost.message.ends_with("lost.yaml: no such file or directory"),
            "{lost:?}"
        );
        let missing = read(&context, &["nope.yaml".to_owned()], false).await.unwrap_err();
        assert_eq!(missing.message, "the path \"nope.yaml\" does not exist");
        let mut closed = Context::empty("sandbox");
        closed.closed = true;
        let refused = read(&closed, &["https://example.org/x".to_owned()], false)
            .await
            .unwrap_err();
        assert!(refused.message.contains("closed world"));
    }
}
