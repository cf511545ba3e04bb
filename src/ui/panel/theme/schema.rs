//! The JSON schema of theme files, made from the table of meanings, for editors that check while one types. The file in
//! `themes/` is this, printed; a test says when it is out of date.

use serde_json::{Value, json};

use super::{Meaning, Theme};

/// The schema.
pub fn schema() -> Value {
    let styles: serde_json::Map<String, Value> = Meaning::ALL
        .iter()
        .map(|meaning| (meaning.name().to_owned(), json!({ "$ref": "#/$defs/style" })))
        .collect();
    let color = json!({
        "type": "string",
        "description": "a name of the palette, one of the sixteen (red, lightred …), 0 to 255, or #rrggbb",
    });
    let attribute = json!({ "type": "boolean" });
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "cogdeck theme",
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "name": { "type": "string" },
            "inherits": { "enum": Theme::PRESETS },
            "glyphs": { "enum": ["unicode", "ascii"] },
            "palette": { "type": "object", "additionalProperties": { "type": "string" } },
            "styles": { "type": "object", "additionalProperties": false, "properties": styles },
        },
        "$defs": {
            "style": {
                "type": "object",
                "additionalProperties": false,
                "properties": {
                    "fg": color,
                    "bg": color,
                    "bold": attribute,
                    "dim": attribute,
                    "italic": attribute,
                    "underline": attribute,
                    "reverse": attribute,
                },
            },
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_schema_is_that_of_the_meanings() {
        crate::ui::panel::testing::is_committed("themes/schema.json", &schema());
    }
}
