//! Keymap files: what one says is laid over the preset that it inherits from, key by key. Not for finding files: the
//! composition root reads them.

use std::collections::{BTreeMap, HashMap};

use serde::Deserialize;

use super::{Action, Key, Keymap, Named, Part, RowKey, unknown, unknown_key};
use crate::core::report::Report;

/// Takes a key its meaning.
const NONE: &str = "none";

/// What a keymap cannot lose, in the part where it is looked for: to leave, to run a line, to get from a pane to the
/// line, and, last as the others may be restored over it, to stop what runs.
const KEPT: [(Part, Action); 5] = [
    (Part::Input, Action::EndOfInput),
    (Part::Input, Action::Submit),
    (Part::Chat, Action::Prompt),
    (Part::Panel, Action::Prompt),
    (Part::Global, Action::Interrupt),
];

/// Key to action; the place of each keeps the order of the file.
type Table = HashMap<String, toml::Spanned<String>>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[allow(dead_code)]
    name: Option<String>,
    /// The preset to start from.
    inherits: Option<toml::Spanned<String>>,
    #[serde(default)]
    global: Table,
    #[serde(default)]
    input: Table,
    #[serde(default)]
    popup: Table,
    #[serde(default)]
    chat: Table,
    #[serde(default)]
    panel: Table,
    /// `[panels.deployments] describe = "D"`, or `"none"`.
    #[serde(default)]
    panels: BTreeMap<String, Table>,
    /// `[rows.pods] "ctrl-x" = "kubectl:delete po $name"`.
    #[serde(default)]
    rows: BTreeMap<String, Table>,
    /// vi's modes in the input line.
    vi: Option<bool>,
}

/// A preset: what its file in `keymaps/` says, as the build script wrote it down.
struct Preset {
    name: &'static str,
    inherits: Option<&'static str>,
    vi: Option<bool>,
    /// Key and action, in the order of the file.
    keys: &'static [(Part, &'static str, &'static str)],
}

include!(concat!(env!("OUT_DIR"), "/keymaps.rs"));

/// The preset of this name; none: there is no such.
pub(super) fn preset(name: &str) -> Option<Result<Keymap, Report>> {
    let found = PRESETS.iter().find(|preset| preset.name == name)?;
    let base = found.inherits.and_then(preset);
    Some(base.unwrap_or_else(|| Ok(Keymap::default())).and_then(|mut keymap| {
        keymap.bindings.reserve(found.keys.len());
        for (part, key, action) in found.keys {
            bind(&mut keymap, *part, key, action)?;
        }
        keymap.vi = found.vi.unwrap_or(keymap.vi);
        Ok(keymap)
    }))
}

/// Reads a file over the preset that it inherits from, or else over `standard`.
pub(super) fn parse(text: &str, standard: &str) -> Result<(Keymap, Vec<Report>), Report> {
    let file = read(text)?;
    let named = file.inherits.as_ref().map(|name| name.get_ref().as_str());
    let mut remarks = Vec::new();
    let base = match (Keymap::preset(named.unwrap_or(standard)), &file.inherits) {
        (Ok(base), _) => base,
        (Err(remark), Some(name)) => {
            remarks.push(remark.at(text, name.span()));
            Keymap::preset(standard)?
        }
        (Err(remark), None) => return Err(remark),
    };
    let mut keymap = base.clone();
    lay(&file, text, &mut keymap, &mut remarks);
    keep(&base, &mut keymap, &mut remarks);
    Ok((keymap, remarks))
}

fn read(text: &str) -> Result<File, Report> {
    toml::from_str(text).map_err(|error| {
        let report = Report::refused(
            "E-KEYMAP-002",
            format!("the keymap cannot be read: {}", error.message()),
        );
        error.span().map_or(report.clone(), |span| report.at(text, span))
    })
}

/// In the order of the file.
fn in_order(table: &Table) -> Vec<(&String, &toml::Spanned<String>)> {
    let mut rows: Vec<_> = table.iter().collect();
    rows.sort_by_key(|(_, value)| value.span().start);
    rows
}

fn lay(file: &File, text: &str, keymap: &mut Keymap, remarks: &mut Vec<Report>) {
    let tables = [&file.global, &file.input, &file.popup, &file.chat, &file.panel];
    for (part, table) in Part::ALL.into_iter().zip(tables) {
        for (key_name, action) in in_order(table) {
            match bind(keymap, part, key_name, action.get_ref()) {
                Ok(()) if part == Part::Panel => {
                    let key = Key::parse(key_name).map(|key| (key, action.span()));
                    keymap.of_panels.extend(key);
                }
                Ok(()) => {}
                Err(remark) => remarks.push(remark.at(text, action.span())),
            }
        }
    }
    for (panel, table) in &file.panels {
        for (action, key_name) in in_order(table) {
            let key = match key_name.get_ref().as_str() {
                NONE => None,
                name => match Key::parse(name) {
                    Some(key) => Some(key),
                    None => {
                        remarks.push(unknown_key(name).at(text, key_name.span()));
                        continue;
                    }
                },
            };
            keymap.panels.insert((panel.clone(), action.clone()), key);
            keymap.named.push(Named {
                panel: panel.clone(),
                action: Some(action.clone()),
                span: key_name.span(),
            });
        }
    }
    for (panel, table) in &file.rows {
        for (key_name, pipeline) in in_order(table) {
            let bound = match Key::parse(key_name) {
                Some(key) => RowKey::read(panel, key, pipeline.get_ref()),
                None => Err(unknown_key(key_name).at(text, pipeline.span())),
            };
            match bound {
                Ok(bound) => {
                    keymap.rows.push(bound);
                    keymap.named.push(Named {
                        panel: panel.clone(),
                        action: None,
                        span: pipeline.span(),
                    });
                }
                // A place in the pipeline is none in the file.
                Err(remark) => remarks.push(Report { place: None, ..remark }.at(text, pipeline.span())),
            }
        }
    }
    keymap.named.sort_by_key(|named| named.span.start);
    text.clone_into(&mut keymap.source);
    keymap.vi = file.vi.unwrap_or(keymap.vi);
}

/// One key of a part: an action of its own, or none.
fn bind(keymap: &mut Keymap, part: Part, key_name: &str, action: &str) -> Result<(), Report> {
    let key = Key::parse(key_name).ok_or_else(|| unknown_key(key_name))?;
    if action == NONE {
        return match keymap.unbind(part, key) {
            true => Ok(()),
            false => {
                let message = format!("{} means nothing of its own in [{}]", key.label(), part.name());
                let report = Report::refused("E-KEYMAP-004", message);
                Err(match keymap.own(Part::Global, key) {
                    Some(_) => report.hint("it is bound in [global]: \"none\" there unbinds it everywhere"),
                    None => report,
                })
            }
        };
    }
    let known = || Action::ALL.iter().map(|action| action.name()).chain([NONE]);
    let action = Action::named(action).ok_or_else(|| unknown("action", action, known()))?;
    keymap.bind(part, key, action);
    Ok(())
}

/// Whoever can't stop, run a line or leave has lost the console: what the file takes away of that comes back, on the keys
/// that the preset has for it. Twice: what comes back on a key may stand before another on the same.
fn keep(base: &Keymap, keymap: &mut Keymap, remarks: &mut Vec<Report>) {
    for (part, action) in KEPT.into_iter().chain(KEPT) {
        if keymap.reaches(part, action) {
            continue;
        }
        let own = base
            .bindings()
            .filter(|(known, _, meant)| *known == part && *meant == action);
        let mut labels = Vec::new();
        for (_, key, _) in own {
            if part != Part::Global && keymap.own(Part::Global, key).is_some_and(Action::comes_first) {
                keymap.unbind(Part::Global, key);
            }
            keymap.bind(part, key, action);
            labels.push(key.label());
        }
        let message = format!(
            "no key would be left for {} in [{}]: {} keeps it",
            action.name(),
            part.name(),
            labels.join(", "),
        );
        remarks.push(Report::refused("E-KEYMAP-005", message).hint("bind it to another key first"));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_preset_is_what_its_file_says() {
        for name in Keymap::PRESETS {
            let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/keymaps");
            let text = std::fs::read_to_string(format!("{folder}/{name}.toml")).unwrap();
            let file = read(&text).unwrap();
            let parent = file.inherits.as_ref().map(|parent| Keymap::preset(parent.get_ref()));
            let mut read = parent.map(Result::unwrap).unwrap_or_default();
            let mut remarks = Vec::new();
            lay(&file, &text, &mut read, &mut remarks);
            let preset = Keymap::preset(name).unwrap();
            assert_eq!(
                (&preset.order, preset.vi, remarks),
                (&read.order, read.vi, vec![]),
                "{name}"
            );
        }
    }
}
