//! Writes XML whose text is escaped wherever it comes from.

/// A document in the making.
pub(in crate::sandbox::aws) struct Xml {
    out: String,
}

impl Xml {
    /// A document with one root element; `xmlns` is left out when empty.
    pub fn document(root: &str, xmlns: &str, body: impl FnOnce(&mut Self)) -> String {
        let mut xml = Self {
            out: String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"),
        };
        xml.out.push('<');
        xml.out.push_str(root);
        if !xmlns.is_empty() {
            xml.out.push_str(" xmlns=\"");
            escape(xmlns, &mut xml.out);
            xml.out.push('"');
        }
        xml.out.push('>');
        body(&mut xml);
        xml.close(root);
        xml.out
    }

    /// An element with children. `name` is always a literal of ours.
    pub fn element(&mut self, name: &str, body: impl FnOnce(&mut Self)) {
        self.out.push('<');
        self.out.push_str(name);
        self.out.push('>');
        body(self);
        self.close(name);
    }

    /// An element with text, which is escaped.
    pub fn text(&mut self, name: &str, text: impl AsRef<str>) {
        self.element(name, |xml| xml.content(text.as_ref()));
    }

    /// An element with text, or nothing at all.
    pub fn optional(&mut self, name: &str, text: Option<impl AsRef<str>>) {
        if let Some(text) = text {
            self.text(name, text);
        }
    }

    /// The text of the element that is open, escaped.
    pub fn content(&mut self, text: &str) {
        escape(text, &mut self.out);
    }

    fn close(&mut self, name: &str) {
        self.out.push_str("</");
        self.out.push_str(name);
        self.out.push('>');
    }
}

/// Control characters have no place in XML 1.0, not even escaped: they become U+FFFD.
fn escape(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            '\r' => out.push_str("&#xD;"),
            '\n' => out.push_str("&#xA;"),
            '\t' => out.push_str("&#x9;"),
            '\0'..='\x1f' | '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_never_becomes_markup() {
        let xml = Xml::document("A", "urn:x\"y", |x| x.text("B", "<c>&\"'\x1b[31m\n"));
        assert!(xml.ends_with("<A xmlns=\"urn:x&quot;y\"><B>&lt;c&gt;&amp;&quot;&apos;\u{fffd}[31m&#xA;</B></A>"));
    }
}
