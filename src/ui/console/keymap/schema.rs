//! The JSON schema of keymap files, made from the table of actions, for editors that check while one types. The file in
//! `keymaps/` is this, printed; a test says when it is out of date.

use serde_json::{Value, json};

use super::{Action, Keymap, Part};

/// The schema.
pub fn schema() -> Value {
    let none = json!({ "const": "none", "description": "nothing: the key of the preset is taken away" });
    let actions: Vec<Value> = Action::ALL
        .iter()
        .map(|action| json!({ "const": action.name(), "description": action.word() }))
        .chain([none])
        .collect();
    let part = json!({ "type": "object", "additionalProperties": { "$ref": "#/$defs/action" } });
    let mut properties = json!({
        "name": { "type": "string" },
        "inherits": { "enum": Keymap::PRESETS, "description": "the preset this is laid over; default where it is left out" },
        "vi": { "type": "boolean", "description": "vi's modes in the input line" },
        "panels": {
            "type": "object",
            "description": "a panel's own actions on other keys: action = key, or none",
            "additionalProperties": { "type": "object", "additionalProperties": { "type": "string" } },
        },
        "rows": {
            "type": "object",
            "description": "pipelines on the rows of a panel: key = pipeline, with $name, $namespace and $kind of the row",
            "additionalProperties": { "type": "object", "additionalProperties": { "type": "string" } },
        },
    });
    if let Some(properties) = properties.as_object_mut() {
        properties.extend(Part::ALL.iter().map(|name| (name.name().to_owned(), part.clone())));
    }
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "cogdeck keymap",
        "type": "object",
        "additionalProperties": false,
        "properties": properties,
        "$defs": { "action": { "oneOf": actions } },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_schema_is_that_of_the_actions() {
        crate::ui::panel::testing::is_committed("keymaps/schema.json", &schema());
    }
}
