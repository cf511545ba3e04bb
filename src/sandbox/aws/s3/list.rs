//! ListObjectsV2, and the first version for the clients that still send it.

use http::StatusCode;

use super::super::encoding::encode;
use super::super::fault::Fault;
use super::super::server::{Reply, xml};
use super::super::xml::Xml;
use super::{BUCKET, Bucket, XMLNS, time};

const PER_PAGE: usize = 1_000;

enum Entry<'a> {
    Key(&'a str),
    Prefix(&'a str),
}

impl Entry<'_> {
    fn text(&self) -> &str {
        match self {
            Self::Key(text) | Self::Prefix(text) => text,
        }
    }
}

/// A page of keys and common prefixes in key order. The continuation token is the last entry of the page before.
pub(super) fn objects(bucket: &Bucket, query: &[(String, String)]) -> Result<Reply, Fault> {
    let get = |name: &str| {
        query
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty())
    };
    let second = get("list-type") == Some("2");
    let (prefix, delimiter) = (get("prefix").unwrap_or_default(), get("delimiter"));
    let after = if second {
        get("continuation-token").or(get("start-after"))
    } else {
        get("marker")
    };
    let size = match get("max-keys").map(str::parse::<usize>) {
        None => PER_PAGE,
        Some(Ok(size)) => size.min(PER_PAGE),
        Some(Err(_)) => {
            return Err(Fault::bad(
                "InvalidArgument",
                "Argument maxKeys must be an integer between 0 and 2147483647",
            ));
        }
    };
    let show = |text: &str| {
        if get("encoding-type") == Some("url") {
            encode(text, true)
        } else {
            text.to_owned()
        }
    };
    let (page, more) = page(
        bucket.objects.keys().map(String::as_str),
        prefix,
        delimiter,
        after,
        size,
    );
    let last = page.last().map(|entry| entry.text()).filter(|_| more);
    let body = Xml::document("ListBucketResult", XMLNS, |x| {
        x.text("Name", BUCKET);
        x.text("Prefix", show(prefix));
        x.optional("Delimiter", delimiter.map(show));
        x.text("MaxKeys", size.to_string());
        x.optional("EncodingType", get("encoding-type"));
        x.text("IsTruncated", more.to_string());
        if second {
            x.text("KeyCount", page.len().to_string());
            x.optional("ContinuationToken", get("continuation-token"));
            x.optional("NextContinuationToken", last);
        } else {
            x.text("Marker", show(after.unwrap_or_default()));
            x.optional("NextMarker", last.map(show));
        }
        for entry in &page {
            if let Entry::Key(key) = entry
                && let Some(object) = bucket.objects.get(*key)
            {
                x.element("Contents", |x| {
                    x.text("Key", show(key));
                    x.text("LastModified", time(object.modified));
                    x.text("ETag", &object.etag);
                    x.text("Size", object.body.len().to_string());
                    x.text("StorageClass", "STANDARD");
                });
            }
        }
        for entry in &page {
            if let Entry::Prefix(prefix) = entry {
                x.element("CommonPrefixes", |x| x.text("Prefix", show(prefix)));
            }
        }
    });
    Ok(xml(StatusCode::OK, body))
}

fn page<'a>(
    keys: impl Iterator<Item = &'a str>,
    prefix: &str,
    delimiter: Option<&str>,
    after: Option<&str>,
    size: usize,
) -> (Vec<Entry<'a>>, bool) {
    let mut page: Vec<Entry<'a>> = Vec::new();
    for key in keys.filter(|key| key.starts_with(prefix)) {
        let cut = delimiter.and_then(|delimiter| {
            key[prefix.len()..]
                .find(delimiter)
                .map(|at| prefix.len() + at + delimiter.len())
        });
        let entry = cut.map_or(Entry::Key(key), |cut| Entry::Prefix(&key[..cut]));
        let known = page
            .last()
            .is_some_and(|last| matches!(last, Entry::Prefix(p) if *p == entry.text()));
        if known || after.is_some_and(|after| entry.text() <= after) {
            continue;
        }
        if page.len() == size {
            return (page, size > 0);
        }
        page.push(entry);
    }
    (page, false)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(after: Option<&str>, size: usize) -> (Vec<String>, bool) {
        let keys = ["a", "d/1", "d/2", "e/x/1", "f"];
        let (page, more) = page(keys.into_iter(), "", Some("/"), after, size);
        (page.iter().map(|entry| entry.text().to_owned()).collect(), more)
    }

    #[test]
    fn pages_fold_prefixes_and_go_on_behind_them() {
        assert_eq!(texts(None, 2), (vec!["a".into(), "d/".into()], true));
        assert_eq!(texts(Some("d/"), 2), (vec!["e/".into(), "f".into()], false));
        assert_eq!(texts(None, 0), (vec![], false));
    }
}
