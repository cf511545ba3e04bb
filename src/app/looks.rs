//! How the console looks and what its keys mean: presets and the operator's files, what the terminal can show of a
//! theme, and whether it is asked for its background. Not for what a theme or keymap file may say.

use std::path::Path;
use std::time::{Duration, SystemTime};

use super::environment::Environment;
use crate::core::report::Report;
use crate::ui::console::{ByBackground, Dress, Keymap};
use crate::ui::panel::Theme;
use crate::ui::panel::theme::{Depth, Glyphs};

/// The name that leaves the choice of theme to the terminal's background.
const AUTO: &str = "auto";

/// A preset's name, `auto`, or a TOML file; colour only where the terminal and NO_COLOR allow it.
pub fn theme(
    name: Option<&str>,
    no_color: bool,
    environment: &Environment,
    remarks: &mut Vec<Report>,
) -> Result<Theme, Report> {
    let theme = match name {
        None => Theme::standard(),
        Some(AUTO) => Theme::preset(for_background(environment.get("COLORFGBG")))?,
        Some(name) => match file(name)? {
            Some(text) => {
                let (theme, found) = Theme::parse(&text)?;
                remarks.extend(found);
                theme
            }
            None => Theme::preset(name)?,
        },
    };
    Ok(fitted(theme, no_color, environment))
}

/// What the terminal can show of a theme.
fn fitted(theme: Theme, no_color: bool, environment: &Environment) -> Theme {
    let dumb = environment.get("TERM") == Some("dumb");
    let theme = match no_color || environment.get("NO_COLOR").is_some() || dumb {
        true => theme.without_color(),
        false => theme.at_depth(Depth::of(environment.get("COLORTERM"), environment.get("TERM"))),
    };
    let utf8 = environment.first(&["LC_ALL", "LC_CTYPE", "LANG"]).is_none_or(|locale| {
        let locale = locale.to_lowercase();
        locale.contains("utf-8") || locale.contains("utf8")
    });
    if dumb || !utf8 {
        theme.with_glyphs(Glyphs::ASCII)
    } else {
        theme
    }
}

/// The theme for the background that `COLORFGBG` (foreground;background, as numbers of the sixteen colours) tells of;
/// where it tells nothing, the one to begin with until the terminal answers.
fn for_background(colors: Option<&str>) -> &'static str {
    match colors.and_then(|colors| colors.rsplit(';').next()) {
        Some("7" | "15") => "light",
        _ => "dark",
    }
}

/// What the terminal's answer chooses from; none: it is not asked, because the theme does not depend on it, the
/// environment tells it already, or no answer can be had in time.
pub fn by_background(
    name: Option<&str>,
    no_color: bool,
    environment: &Environment,
) -> Result<Option<ByBackground>, Report> {
    let asks = name == Some(AUTO)
        && !no_color
        && environment.get("NO_COLOR").is_none()
        && environment.get("COLORFGBG").is_none()
        && answers(environment);
    if !asks {
        return Ok(None);
    }
    let preset = |name| Theme::preset(name).map(|theme| fitted(theme, no_color, environment));
    Ok(Some(ByBackground {
        dark: preset("dark")?,
        light: preset("light")?,
    }))
}

/// Whether a terminal of this environment may answer in time. One that is far away answers late; a multiplexer answers
/// for itself or lets the question through to nobody; the Linux console and dumb terminals do not know the question.
fn answers(environment: &Environment) -> bool {
    let far = ["SSH_CONNECTION", "SSH_TTY", "TMUX", "STY"];
    let term = environment.get("TERM").unwrap_or("dumb");
    let deaf = ["dumb", "linux", "screen", "tmux", "vt", "cons", "sun"];
    far.iter().all(|name| environment.get(name).is_none()) && !deaf.iter().any(|name| term.starts_with(name))
}

/// A preset's name, or a TOML file.
pub fn keymap(name: Option<&str>, remarks: &mut Vec<Report>) -> Result<Keymap, Report> {
    let name = name.unwrap_or("default");
    match file(name)? {
        Some(text) => {
            let (keymap, found) = Keymap::parse(&text)?;
            remarks.extend(found);
            Ok(keymap)
        }
        None => Keymap::preset(name),
    }
}

/// How often the files are looked at.
const LOOK: Duration = Duration::from_secs(1);

/// Reads theme and keymap again whenever their files change after `known`; none: neither is a file. The task ends with
/// the console.
pub fn dresses(
    names: [Option<String>; 2],
    mut known: [Option<SystemTime>; 2],
    no_color: bool,
    environment: Environment,
) -> Option<tokio::sync::mpsc::Receiver<Dress>> {
    let is_file = |name: &Option<String>| name.as_deref().is_some_and(|name| name.ends_with(".toml"));
    if !names.iter().any(is_file) {
        return None;
    }
    // Two at most: each replaces the one before, and the next look comes a second later.
    let (sender, dresses) = tokio::sync::mpsc::channel(2);
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(LOOK).await;
            let now = names.each_ref().map(changed_at);
            // A file that an editor has put away for a moment is looked at again when it is back.
            let new = [0, 1].map(|at| now[at].is_some() && now[at] != known[at]);
            if new == [false, false] {
                continue;
            }
            known = [now[0].or(known[0]), now[1].or(known[1])];
            let mut dress = Dress::default();
            if new[0] {
                let read = theme(names[0].as_deref(), no_color, &environment, &mut dress.remarks);
                dress.theme = read.map_err(|report| dress.remarks.push(report)).ok();
            }
            if new[1] {
                let read = keymap(names[1].as_deref(), &mut dress.remarks);
                dress.keymap = read.map_err(|report| dress.remarks.push(report)).ok();
            }
            if sender.send(dress).await.is_err() {
                return;
            }
        }
    });
    Some(dresses)
}

/// When a file was changed last; none: it is no file, or not there.
pub fn changed_at(name: &Option<String>) -> Option<SystemTime> {
    let path = name.as_deref().filter(|name| name.ends_with(".toml"))?;
    std::fs::metadata(path).ok()?.modified().ok()
}

/// The text of a file when the name is one (`…/x.toml`); none: a preset's name.
fn file(name: &str) -> Result<Option<String>, Report> {
    if !name.ends_with(".toml") {
        return Ok(None);
    }
    let read = std::fs::read_to_string(Path::new(name));
    read.map(Some)
        .map_err(|error| Report::refused("E-CONFIG-004", format!("cannot read {name}")).because(&error))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn the_theme_follows_the_background_where_the_terminal_tells_of_it() {
        let cases = [
            (Some("0;15"), "light"),
            (Some("0;default;7"), "light"),
            (Some("15;0"), "dark"),
            (Some("7;default"), "dark"),
            (None, "dark"),
        ];
        for (colors, wanted) in cases {
            assert_eq!(for_background(colors), wanted, "{colors:?}");
        }
        let light = Environment::from_pairs([("COLORFGBG", "0;15"), ("COLORTERM", "truecolor")]);
        assert_eq!(
            theme(Some("auto"), false, &light, &mut Vec::new()).unwrap().name,
            "light"
        );
    }

    #[test]
    fn only_a_terminal_that_can_answer_is_asked_and_only_when_it_matters() {
        let asked = |theme: Option<&str>, no_color: bool, environment: &Environment| {
            by_background(theme, no_color, environment).unwrap().is_some()
        };
        let term = |term: &'static str| Environment::from_pairs([("TERM", term)]);
        let xterm = term("xterm-256color");
        assert!(asked(Some("auto"), false, &xterm));
        assert!(
            !asked(None, false, &xterm),
            "the standard theme shows on any background"
        );
        assert!(!asked(Some("dark"), false, &xterm));
        assert!(!asked(Some("auto"), true, &xterm), "--no-color");
        for other in [
            ("NO_COLOR", "1"),
            ("COLORFGBG", "0;15"),
            ("SSH_CONNECTION", "10.0.0.1 1 10.0.0.2 22"),
            ("TMUX", "/tmp/x,1,0"),
            ("STY", "1.pts"),
        ] {
            let environment = Environment::from_pairs([("TERM", "xterm-256color"), other]);
            assert!(!asked(Some("auto"), false, &environment), "{other:?}");
        }
        for name in ["dumb", "linux", "screen-256color", "tmux-256color"] {
            assert!(!asked(Some("auto"), false, &term(name)), "{name}");
        }
        assert!(!asked(Some("auto"), false, &Environment::from_pairs([])), "no TERM");
    }
}
