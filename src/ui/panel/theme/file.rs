//! Theme files: TOML with a name, a set of glyphs and a style for each meaning. Not for finding files: the composition
//! root reads them.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::str::FromStr;

use ratatui::style::{Color, Modifier, Style};
use serde::Deserialize;

use super::{Glyphs, Meaning, Theme, plain_style};
use crate::core::report::Report;
use crate::verb::catalogue::{did_you_mean, nearest};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    /// Without one it has that of what it starts from.
    name: Option<String>,
    /// A preset to start from.
    inherits: Option<toml::Spanned<String>>,
    glyphs: Option<String>,
    /// Names for colours, used in `styles`.
    #[serde(default)]
    palette: BTreeMap<String, String>,
    #[serde(default)]
    styles: BTreeMap<String, Spec>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Spec {
    fg: Option<Cow<'static, str>>,
    bg: Option<Cow<'static, str>>,
    #[serde(default)]
    bold: bool,
    #[serde(default)]
    dim: bool,
    #[serde(default)]
    italic: bool,
    #[serde(default)]
    underline: bool,
    #[serde(default)]
    reverse: bool,
}

/// A preset: what its file in `themes/` says, as the build script wrote it down, with the colours of its palette.
struct Preset {
    name: &'static str,
    inherits: Option<&'static str>,
    glyphs: Option<&'static str>,
    styles: &'static [(&'static str, Spec)],
}

include!(concat!(env!("OUT_DIR"), "/themes.rs"));

/// The preset of this name, over the one that it inherits from; none: there is no such. What it names that does not exist
/// is remarked.
pub(super) fn preset(name: &str, remarks: &mut Vec<Report>) -> Option<Theme> {
    let found = PRESETS.iter().find(|preset| preset.name == name)?;
    let base = found.inherits.and_then(|parent| preset(parent, remarks));
    let mut theme = base.unwrap_or_else(Theme::plain);
    found.name.clone_into(&mut theme.name);
    theme.take_glyphs(found.glyphs, remarks);
    for (name, spec) in found.styles {
        theme.take_style(name, spec, &BTreeMap::new(), remarks);
    }
    Some(theme)
}

/// Starts from the preset that the file inherits, or else, where there is none of that name, from `base`. It is called `name` unless it says another one.
pub(super) fn parse(
    text: &str,
    name: &str,
    base: impl FnOnce() -> Result<Theme, Report>,
) -> Result<(Theme, Vec<Report>), Report> {
    let file: File = toml::from_str(text).map_err(|error| broken(text, &error))?;
    let mut remarks = Vec::new();
    let parent = file.inherits.and_then(|parent| {
        let unknown = |remark: Report| remarks.push(remark.at(text, parent.span()));
        Theme::preset(parent.get_ref()).map_err(unknown).ok()
    });
    let mut theme = parent.map_or_else(base, Ok)?;
    theme.name = file.name.unwrap_or_else(|| name.to_owned());
    theme.take_glyphs(file.glyphs.as_deref(), &mut remarks);
    for (name, spec) in &file.styles {
        theme.take_style(name, spec, &file.palette, &mut remarks);
    }
    Ok((theme, remarks))
}

impl Theme {
    fn take_glyphs(&mut self, name: Option<&str>, remarks: &mut Vec<Report>) {
        match name {
            None => {}
            Some("unicode") => self.glyphs = Glyphs::UNICODE,
            Some("ascii") => self.glyphs = Glyphs::ASCII,
            Some(other) => remarks.push(unknown("set of glyphs", other, ["unicode", "ascii"])),
        }
    }

    fn take_style(&mut self, name: &str, spec: &Spec, palette: &BTreeMap<String, String>, remarks: &mut Vec<Report>) {
        let Some(meaning) = Meaning::named(name) else {
            let known = Meaning::ALL.iter().map(|meaning| meaning.name());
            return remarks.push(unknown("meaning", name, known));
        };
        let style = spec.style(palette, remarks).patch(plain_modifiers(meaning));
        if let Some(slot) = self.styles.get_mut(meaning as usize) {
            *slot = style;
        }
    }
}

/// A theme may add attributes to a selection, never take reverse video away: it is what shows without colour.
fn plain_modifiers(meaning: Meaning) -> Style {
    match meaning {
        Meaning::RowSelected | Meaning::PopupSelected => plain_style(meaning),
        _ => Style::new(),
    }
}

impl Spec {
    const PLAIN: Spec = Spec {
        fg: None,
        bg: None,
        bold: false,
        dim: false,
        italic: false,
        underline: false,
        reverse: false,
    };

    fn style(&self, palette: &BTreeMap<String, String>, remarks: &mut Vec<Report>) -> Style {
        let mut color = |name: &Option<Cow<'static, str>>| {
            let name = name.as_deref()?;
            let resolved = palette.get(name).map_or(name, String::as_str);
            Color::from_str(resolved)
                .map_err(|_| {
                    let known = palette.keys().map(String::as_str).chain(COLORS.iter().copied());
                    remarks.push(unknown("colour", name, known));
                })
                .ok()
        };
        let (fg, bg) = (color(&self.fg), color(&self.bg));
        let modifiers = [
            (self.bold, Modifier::BOLD),
            (self.dim, Modifier::DIM),
            (self.italic, Modifier::ITALIC),
            (self.underline, Modifier::UNDERLINED),
            (self.reverse, Modifier::REVERSED),
        ];
        let set = modifiers
            .iter()
            .filter(|(on, _)| *on)
            .fold(Modifier::empty(), |all, (_, one)| all | *one);
        Style { fg, bg, ..Style::new() }.add_modifier(set)
    }
}

const COLORS: &[&str] = &[
    "black",
    "red",
    "green",
    "yellow",
    "blue",
    "magenta",
    "cyan",
    "gray",
    "darkgray",
    "lightred",
    "lightgreen",
    "lightyellow",
    "lightblue",
    "lightmagenta",
    "lightcyan",
    "white",
    "reset",
];

/// A name that does not exist, with the nearest ones that do.
pub(super) fn unknown<'a>(what: &str, name: &str, known: impl IntoIterator<Item = &'a str>) -> Report {
    let near = nearest(name, known.into_iter().map(str::to_owned));
    let report = Report::refused("E-THEME-001", format!("unknown {what} {name}"));
    match did_you_mean(&near) {
        Some(hint) => report.hint(hint),
        None => report,
    }
}

fn broken(text: &str, error: &toml::de::Error) -> Report {
    let report = Report::refused(
        "E-THEME-002",
        format!("the theme file cannot be read: {}", error.message()),
    );
    match error.span() {
        Some(span) => report.at(text, span),
        None => report,
    }
}
