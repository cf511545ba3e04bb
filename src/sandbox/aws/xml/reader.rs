//! Reads a request's XML into a small tree, within bounds. Attributes and namespaces are skipped: the AWS requests
//! that we take carry none that matter.

use xmlparser::{ElementEnd, Token, Tokenizer};

/// Deeper than any AWS request that we know.
const MAX_DEPTH: usize = 16;
/// A Route 53 batch of 1,000 values stays far below.
const MAX_ELEMENTS: usize = 50_000;

/// One element: its local name, its own text and its children.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::sandbox::aws) struct Element {
    pub name: String,
    pub text: String,
    pub children: Vec<Element>,
}

impl Element {
    /// The first child of that name.
    pub fn child(&self, name: &str) -> Option<&Element> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The trimmed text of the first child of that name; an element without text counts as absent.
    pub fn child_text(&self, name: &str) -> Option<&str> {
        let text = self.child(name)?.text.trim();
        (!text.is_empty()).then_some(text)
    }

    /// The children of that name.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Element> {
        self.children.iter().filter(move |child| child.name == name)
    }
}

/// The root element, or why the text is no document that we take.
pub(in crate::sandbox::aws) fn parse(text: &str) -> Result<Element, String> {
    let mut open: Vec<Element> = Vec::new();
    let mut count = 0_usize;
    let mut root = None;
    for token in Tokenizer::from(text) {
        match token.map_err(|error| error.to_string())? {
            Token::ElementStart { local, .. } => {
                count += 1;
                if root.is_some() {
                    return Err("more than one root element".into());
                }
                if open.len() >= MAX_DEPTH || count > MAX_ELEMENTS {
                    return Err("the document is too deep or too large".into());
                }
                open.push(Element {
                    name: local.as_str().to_owned(),
                    ..Element::default()
                });
            }
            Token::ElementEnd { end, .. } => {
                if matches!(end, ElementEnd::Open) {
                    continue;
                }
                let done = open.pop().ok_or("an element is closed that was never opened")?;
                if let ElementEnd::Close(_, local) = end
                    && local.as_str() != done.name
                {
                    return Err(format!("<{}> is closed by </{local}>", done.name));
                }
                match open.last_mut() {
                    Some(parent) => parent.children.push(done),
                    None => root = Some(done),
                }
            }
            Token::Text { text } => {
                if let Some(current) = open.last_mut() {
                    unescape(text.as_str(), &mut current.text)?;
                }
            }
            Token::Cdata { text, .. } => {
                if let Some(current) = open.last_mut() {
                    current.text.push_str(text.as_str());
                }
            }
            Token::Declaration { .. } | Token::Comment { .. } | Token::Attribute { .. } => {}
            Token::ProcessingInstruction { .. }
            | Token::DtdStart { .. }
            | Token::EmptyDtd { .. }
            | Token::EntityDeclaration { .. }
            | Token::DtdEnd { .. } => {
                return Err("document types and processing instructions are not accepted".into());
            }
        }
    }
    if !open.is_empty() {
        return Err("the document ends inside an element".into());
    }
    root.ok_or_else(|| "the document is empty".into())
}

fn unescape(text: &str, out: &mut String) -> Result<(), String> {
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        let tail = &rest[at + 1..];
        let end = tail.find(';').ok_or("an entity has no end")?;
        out.push(entity(&tail[..end]).ok_or_else(|| format!("unknown entity &{};", &tail[..end]))?);
        rest = &tail[end + 1..];
    }
    out.push_str(rest);
    Ok(())
}

fn entity(name: &str) -> Option<char> {
    match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16),
                None => number.parse(),
            };
            char::from_u32(code.ok()?)
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_request_becomes_a_tree() {
        let root =
            parse("<?xml version=\"1.0\"?><A xmlns=\"urn:x\"><B> x &amp; &#x41; </B><B/><c:C>1</c:C></A>").unwrap();
        assert_eq!(root.name, "A");
        assert_eq!(root.child_text("B"), Some("x & A"));
        assert_eq!(root.all("B").count(), 2);
        assert_eq!(root.child_text("C"), Some("1"));
    }

    #[test]
    fn hostile_documents_are_refused() {
        let laughs = "<!DOCTYPE l [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;\">]><l>&b;</l>";
        let external = "<!DOCTYPE x SYSTEM \"file:///etc/passwd\"><x/>";
        let deep = "<a>".repeat(1000) + &"</a>".repeat(1000);
        for text in [
            laughs,
            external,
            &deep,
            "",
            "<a>",
            "</a>",
            "<a></b>",
            "<a/><b/>",
            "<a>&x;</a>",
            "<a>&amp</a>",
            "<a>&#xD800;</a>",
            "<?php?><a/>",
            "\0",
            "<a b=",
        ] {
            assert!(parse(text).is_err(), "{text:.40}");
        }
    }

    proptest::proptest! {
        #[test]
        fn nothing_panics(text in ".{0,200}") {
            let _ = parse(&text);
        }
    }
}
