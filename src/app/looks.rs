//! How the console looks and what its keys mean: presets and the operator's files, what the terminal can show of a
//! theme, and whether it is asked for its background. Not for what a theme or keymap file may say.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use tokio::sync::watch;

use super::environment::Environment;
use crate::core::file;
use crate::core::report::Report;
use crate::ui::console::{ByBackground, Dress, Keymap};
use crate::ui::panel::Theme;
use crate::ui::panel::theme::{Depth, Glyphs};
use crate::verb::catalogue::did_you_mean_one_of;

/// The name that leaves the choice of theme to the terminal's background.
const AUTO: &str = "auto";

/// A preset's name, one of the operator's own in `themes/` of the configuration folder, `auto`, or a TOML file; colour
/// only where the terminal and NO_COLOR allow it. What can't be had is remarked, and the standard theme worn instead.
pub fn theme(name: Option<&str>, no_color: bool, environment: &Environment, remarks: &mut Vec<Report>) -> Theme {
    let name = match name {
        Some(AUTO) => for_background(environment.get("COLORFGBG")),
        name => name.unwrap_or(Theme::STANDARD),
    };
    let theme = named_theme(name, environment, remarks).unwrap_or_else(|report| {
        remarks.push(report);
        Theme::standard()
    });
    fitted(theme, no_color, environment)
}

/// As [`theme`], for a name that is given while the console is open: what can't be had is refused, and so is `auto`, as
/// the terminal is asked for its background at the start only. Beside the theme what was remarked in its file, which is
/// watched from now on.
pub fn themes(
    worn: watch::Sender<Worn>,
    no_color: bool,
    environment: Environment,
) -> impl Fn(&str) -> Result<(Theme, Vec<Report>), Report> + Send + Sync {
    move |name| {
        if name == AUTO {
            let report = Report::refused(
                "E-THEME-003",
                "the terminal is asked for its background at the start only",
            );
            return Err(report.hint("type :theme dark or :theme light"));
        }
        let mut remarks = Vec::new();
        // Before it is read: what is written after that is read again.
        let [seen, _] = changed_at(&[Some(name.to_owned()), None], &environment);
        let theme = named_theme(name, &environment, &mut remarks)?;
        worn.send_modify(|worn| (worn.names[0], worn.seen[0]) = (Some(name.to_owned()), seen));
        Ok((fitted(theme, no_color, &environment), remarks))
    }
}

fn named_theme(name: &str, environment: &Environment, remarks: &mut Vec<Report>) -> Result<Theme, Report> {
    let Some(text) = own(THEMES, name, environment)? else {
        return Theme::preset(name);
    };
    let base = preset_of(name, Theme::PRESETS, Theme::STANDARD);
    let (theme, found) = Theme::parse(&text, stem(name), base)?;
    remarks.extend(found);
    Ok(theme)
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
/// environment tells it already, or no answer can be had in time. Remarks are those of [`theme`], which reads one of both.
pub fn by_background(name: Option<&str>, no_color: bool, environment: &Environment) -> Option<ByBackground> {
    let asks = name == Some(AUTO)
        && !no_color
        && environment.get("NO_COLOR").is_none()
        && environment.get("COLORFGBG").is_none()
        && answers(environment);
    let named = |name| theme(Some(name), no_color, environment, &mut Vec::new());
    asks.then(|| ByBackground {
        dark: named("dark"),
        light: named("light"),
    })
}

/// Whether a terminal of this environment may answer in time. One that is far away answers late; a multiplexer answers
/// for itself or lets the question through to nobody; the Linux console and dumb terminals do not know the question.
fn answers(environment: &Environment) -> bool {
    let far = ["SSH_CONNECTION", "SSH_TTY", "TMUX", "STY"];
    let term = environment.get("TERM").unwrap_or("dumb");
    let deaf = ["dumb", "linux", "screen", "tmux", "vt", "cons", "sun"];
    far.iter().all(|name| environment.get(name).is_none()) && !deaf.iter().any(|name| term.starts_with(name))
}

/// A preset's name, one of the operator's own in `keymaps/` of the configuration folder, or a TOML file. What can't be
/// had is remarked, and the standard keys count instead.
pub fn keymap(name: Option<&str>, environment: &Environment, remarks: &mut Vec<Report>) -> Result<Keymap, Report> {
    let named = named_keymap(name.unwrap_or(Keymap::STANDARD), environment, remarks);
    named.or_else(|report| {
        remarks.push(report);
        Keymap::preset(Keymap::STANDARD)
    })
}

fn named_keymap(name: &str, environment: &Environment, remarks: &mut Vec<Report>) -> Result<Keymap, Report> {
    let Some(text) = own(KEYMAPS, name, environment)? else {
        return Keymap::preset(name).map_err(|report| report.hint(did_you_mean_one_of(name, Keymap::PRESETS)));
    };
    let (keymap, found) = Keymap::over(preset_of(name, Keymap::PRESETS, Keymap::STANDARD), &text)?;
    remarks.extend(found);
    Ok(keymap)
}

/// How often the files are looked at.
const LOOK: Duration = Duration::from_secs(1);

/// Whose files are watched: the names of theme and keymap, and when their files were changed last as they were read.
#[derive(Clone, Debug, Default)]
pub struct Worn {
    /// The names; none: the standard one.
    pub names: [Option<String>; 2],
    /// When their files were changed last; none: not there.
    pub seen: [Option<SystemTime>; 2],
}

/// Reads theme and keymap again whenever the files of those that are worn change. The task ends with the console.
pub fn dresses(
    mut worn: watch::Receiver<Worn>,
    no_color: bool,
    environment: Environment,
) -> tokio::sync::mpsc::Receiver<Dress> {
    // Two at most: each replaces the one before, and the next look comes a second later.
    let (sender, dresses) = tokio::sync::mpsc::channel(2);
    tokio::spawn(async move {
        let Worn {
            mut names,
            seen: mut known,
        } = worn.borrow_and_update().clone();
        loop {
            tokio::time::sleep(LOOK).await;
            if sender.is_closed() {
                return;
            }
            if worn.has_changed().unwrap_or(false) {
                let chosen = worn.borrow_and_update();
                names.clone_from(&chosen.names);
                known[0] = chosen.seen[0];
            }
            let now = changed_at(&names, &environment);
            // A file that an editor has put away for a moment is looked at again when it is back.
            let new = [0, 1].map(|at| now[at].is_some() && now[at] != known[at]);
            if new == [false, false] {
                continue;
            }
            known = [now[0].or(known[0]), now[1].or(known[1])];
            let mut dress = Dress::default();
            if new[0] {
                let name = names[0].as_deref().unwrap_or(Theme::STANDARD);
                let read = named_theme(name, &environment, &mut dress.remarks);
                dress.theme = read.map_err(|report| dress.remarks.push(report)).ok();
                dress.theme = dress.theme.map(|theme| fitted(theme, no_color, &environment));
            }
            if new[1] {
                let name = names[1].as_deref().unwrap_or(Keymap::STANDARD);
                let read = named_keymap(name, &environment, &mut dress.remarks);
                dress.keymap = read.map_err(|report| dress.remarks.push(report)).ok();
            }
            if sender.send(dress).await.is_err() {
                return;
            }
        }
    });
    dresses
}

/// When the files of theme and keymap were changed last; none: not there. Under `auto` the theme's is none: which of
/// both it is stands fast once the console is open.
pub fn changed_at(names: &[Option<String>; 2], environment: &Environment) -> [Option<SystemTime>; 2] {
    let [theme, keymap] = names.each_ref().map(Option::as_deref);
    let changed = |folder, name| {
        std::fs::metadata(path(folder, name, environment)?)
            .ok()?
            .modified()
            .ok()
    };
    [
        changed(THEMES, theme.unwrap_or(Theme::STANDARD)).filter(|_| theme != Some(AUTO)),
        changed(KEYMAPS, keymap.unwrap_or(Keymap::STANDARD)),
    ]
}

/// Folders of the operator's own, in the configuration folder.
const THEMES: &str = "themes";
const KEYMAPS: &str = "keymaps";

/// A name that is a file's path, not a preset's or that of a file in the configuration folder.
pub fn is_file(name: &str) -> bool {
    name.ends_with(".toml")
}

/// Where the operator's file of this name is, if there is one; none: it can be no file's name.
fn path(folder: &str, name: &str, environment: &Environment) -> Option<PathBuf> {
    if is_file(name) {
        return Some(PathBuf::from(name));
    }
    let plain = !name.starts_with('.') && !name.contains(['/', '\0']);
    let own = environment.xdg("XDG_CONFIG_HOME", ".config").join(folder);
    plain.then(|| own.join(format!("{name}.toml")))
}

/// The text of the operator's file; none: a preset's name, over which the operator has put nothing.
fn own(folder: &str, name: &str, environment: &Environment) -> Result<Option<String>, Report> {
    let Some(path) = path(folder, name, environment) else {
        return Ok(None);
    };
    let text = match file::read(&path) {
        Ok(None) if is_file(name) => Err(ErrorKind::NotFound.into()),
        read => read,
    };
    text.map_err(|error| Report::refused("E-CONFIG-004", format!("cannot read {}", path.display())).because(&error))
}

/// The preset that a file stands over: that of its own name, else the standard one.
fn preset_of(name: &str, presets: &[&'static str], standard: &'static str) -> &'static str {
    let own = presets.iter().find(|preset| **preset == stem(name));
    own.copied().unwrap_or(standard)
}

/// A file's name without folder and ending.
fn stem(name: &str) -> &str {
    Path::new(name.trim_end_matches(".toml"))
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or(name)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]

    use super::*;
    use crate::ui::console::keymap::Action;
    use crate::ui::panel::Meaning;

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
        assert_eq!(theme(Some("auto"), false, &light, &mut Vec::new()).name, "light");
    }

    #[test]
    fn only_a_terminal_that_can_answer_is_asked_and_only_when_it_matters() {
        let asked = |theme: Option<&str>, no_color: bool, environment: &Environment| {
            by_background(theme, no_color, environment).is_some()
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

    /// A configuration folder with these files, and the environment that leads to it.
    fn folder(files: &[(&str, &str)]) -> (tempfile::TempDir, Environment) {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join("cogdeck").join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let home = folder.path().to_str().unwrap().to_owned();
        let environment = Environment::from_pairs([
            ("XDG_CONFIG_HOME", home.as_str()),
            ("COLORTERM", "truecolor"),
            ("LANG", "C.UTF-8"),
        ]);
        (folder, environment)
    }

    /// What a good state is drawn in.
    fn color(theme: &Theme) -> Option<String> {
        theme.style(Meaning::StateOk).fg.map(|color| color.to_string())
    }

    #[test]
    fn files_of_the_configuration_folder_stand_over_the_preset_of_their_name() {
        let (_folder, environment) = folder(&[
            ("themes/dark.toml", "[styles]\n'state.ok' = { fg = 'magenta' }\n"),
            ("themes/mine.toml", "[styles]\n'state.okk' = { fg = 'red' }\n"),
            ("themes/heir.toml", "inherits = 'light'\n"),
            ("keymaps/default.toml", "[panel]\n'f9' = 'zoom'\n"),
            ("keymaps/vim.toml", "[panel]\n'f9' = 'zomo'\n"),
        ]);
        let mut remarks = Vec::new();
        let mut worn = |name| theme(name, false, &environment, &mut remarks);
        let (dark, preset) = (worn(Some("dark")), Theme::preset("dark").unwrap());
        assert_eq!(color(&dark).as_deref(), Some("Magenta"));
        assert_eq!(dark.style(Meaning::StateBad), preset.style(Meaning::StateBad));
        let mine = worn(Some("mine"));
        assert_eq!(mine.name, "mine");
        assert_eq!(
            mine.style(Meaning::StateBad),
            Theme::standard().style(Meaning::StateBad)
        );
        assert_eq!(worn(Some("heir")).name, "heir", "not its parent's");
        assert!(remarks[0].message.contains("unknown meaning state.okk"), "{remarks:?}");

        let (worn, _) = watch::channel(Worn::default());
        let chosen = themes(worn, false, environment.clone());
        let (mine, remarks) = chosen("mine").unwrap();
        assert_eq!((mine.name.as_str(), remarks.len()), ("mine", 1), "told as at the start");
        assert!(
            chosen("auto")
                .unwrap_err()
                .hint
                .is_some_and(|hint| hint.contains(":theme light"))
        );

        let mut remarks = Vec::new();
        let bound = |keymap: &Keymap| {
            keymap
                .bindings()
                .any(|(_, key, action)| (key.label(), action) == ("F9".to_owned(), Action::Zoom))
        };
        assert!(
            bound(&keymap(None, &environment, &mut remarks).unwrap()),
            "the one where none is named"
        );
        let vim = keymap(Some("vim"), &environment, &mut remarks).unwrap();
        assert!(vim.has_vi() && !bound(&vim));
        assert_eq!(remarks.len(), 1);
        assert_eq!(remarks[0].hint.as_deref(), Some("did you mean zoom?"));
    }

    #[test]
    fn what_there_is_not_is_told_with_the_names_and_the_standard_counts() {
        let (_folder, environment) = folder(&[("themes/half.toml", "[styles\n")]);
        for (name, told) in [
            ("drak", "did you mean dark? there are terminal-16, dark,"),
            ("nosuch", "there are terminal-16, dark,"),
            ("../themes/half", "there are terminal-16, dark,"),
            ("half", "the theme file cannot be read"),
            ("/nosuch/file.toml", "cannot read /nosuch/file.toml"),
        ] {
            let mut remarks = Vec::new();
            let worn = theme(Some(name), false, &environment, &mut remarks);
            assert_eq!(worn.name, Theme::STANDARD, "{name}");
            let [remark] = remarks.as_slice() else {
                panic!("{name}: {remarks:?}")
            };
            assert!(
                remark.told().as_str().contains(told),
                "{name}: {}",
                remark.told().as_str()
            );
        }
        let mut remarks = Vec::new();
        assert!(!keymap(Some("vin"), &environment, &mut remarks).unwrap().has_vi());
        assert_eq!(
            remarks[0].hint.as_deref(),
            Some("did you mean vim? there are default, vim")
        );
    }

    #[tokio::test]
    async fn a_file_that_comes_into_the_folder_is_read() {
        let (folder, environment) = folder(&[("keymaps/vim.toml", "")]);
        let names = [None, Some("vim".to_owned())];
        let seen = changed_at(&names, &environment);
        assert!(seen[0].is_none() && seen[1].is_some());
        let (worn, watched) = watch::channel(Worn { names, seen });
        let mut dresses = dresses(watched, false, environment.clone());
        let choose = super::themes(worn, false, environment);
        let themes = folder.path().join("cogdeck/themes");
        std::fs::create_dir_all(&themes).unwrap();
        // It comes in one piece, as editors write: half of it would be read as a theme of its own.
        let beside = folder.path().join("beside");
        std::fs::write(&beside, "[styles]\n'state.ok' = { fg = 'blue' }\n").unwrap();
        std::fs::rename(&beside, themes.join("terminal-16.toml")).unwrap();
        let mut next = async || {
            let come = tokio::time::timeout(Duration::from_secs(60), dresses.recv());
            come.await.unwrap().unwrap()
        };
        let dress = next().await;
        assert_eq!(color(&dress.theme.unwrap()).as_deref(), Some("Blue"));
        assert!(dress.keymap.is_none());

        // Another one is chosen: it is its file that is watched.
        std::fs::write(themes.join("mine.toml"), "[styles]\n").unwrap();
        choose("mine").unwrap();
        // Clocks of file systems are coarse.
        tokio::time::sleep(Duration::from_millis(50)).await;
        std::fs::write(&beside, "[styles]\n'state.ok' = { fg = 'magenta' }\n").unwrap();
        std::fs::rename(&beside, themes.join("mine.toml")).unwrap();
        let theme = next().await.theme.unwrap();
        assert_eq!(
            (theme.name.as_str(), color(&theme).as_deref()),
            ("mine", Some("Magenta"))
        );
    }
}
