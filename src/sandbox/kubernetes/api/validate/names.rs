//! The three grammars of names: DNS label, DNS subdomain, qualified (label) name.

pub(super) const LABEL: &str = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
pub(super) const LABEL_1035: &str = "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";
pub(super) const SUBDOMAIN: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
pub(super) const QUALIFIED: &str = "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
pub(super) const LABEL_VALUE: &str = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";

fn long(length: usize, most: usize) -> Option<String> {
    (length > most).then(|| format!("must be no more than {most} characters"))
}

/// Starts and ends with a letter or digit, and has only letters, digits and `inner` between.
fn word(text: &str, inner: &str, lower: bool) -> bool {
    let edge = |c: char| {
        if lower {
            c.is_ascii_lowercase() || c.is_ascii_digit()
        } else {
            c.is_ascii_alphanumeric()
        }
    };
    text.starts_with(edge) && text.ends_with(edge) && text.chars().all(|c| edge(c) || inner.contains(c))
}

/// What is wrong with a DNS label, if anything.
pub(super) fn label(text: &str) -> Vec<String> {
    let shape = (!word(text, "-", true)).then(|| LABEL.to_owned());
    shape.into_iter().chain(long(text.len(), 63)).collect()
}

/// What is wrong with a DNS label that must start with a letter.
pub(super) fn label_1035(text: &str) -> Vec<String> {
    let ok = word(text, "-", true) && text.starts_with(|c: char| c.is_ascii_lowercase());
    (!ok)
        .then(|| LABEL_1035.to_owned())
        .into_iter()
        .chain(long(text.len(), 63))
        .collect()
}

/// What is wrong with a DNS subdomain.
pub(super) fn subdomain(text: &str) -> Vec<String> {
    let ok = text.split('.').all(|part| word(part, "-", true));
    (!ok)
        .then(|| SUBDOMAIN.to_owned())
        .into_iter()
        .chain(long(text.len(), 253))
        .collect()
}

/// What is wrong with a label's or annotation's key.
pub(super) fn qualified(text: &str) -> Vec<String> {
    let (prefix, name) = text
        .split_once('/')
        .map_or((None, text), |(prefix, name)| (Some(prefix), name));
    let mut wrong: Vec<String> = Vec::new();
    if let Some(prefix) = prefix {
        wrong.extend(subdomain(prefix).into_iter().map(|why| format!("prefix part {why}")));
    }
    if name.is_empty() {
        wrong.push("name part must be non-empty".to_owned());
    } else if !word(name, "-_.", false) {
        wrong.push(QUALIFIED.to_owned());
    }
    wrong.extend(long(name.len(), 63).map(|why| format!("name part {why}")));
    wrong
}

/// What is wrong with a label's value.
pub(super) fn label_value(text: &str) -> Vec<String> {
    let ok = text.is_empty() || word(text, "-_.", false);
    (!ok)
        .then(|| LABEL_VALUE.to_owned())
        .into_iter()
        .chain(long(text.len(), 63))
        .collect()
}
