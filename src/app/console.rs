//! The console: the engine's session behind the console's ports, themes and keymaps from files, and the sandbox that
//! is started from within.

use std::io::IsTerminal;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use tokio::sync::Mutex;

use super::cli::Common;
use super::compose::{Known, LiveContexts};
use super::environment::Environment;
use super::{sandbox_context, start};
use crate::core::clock::Clock;
use crate::core::context::Context;
use crate::core::report::Report;
use crate::sandbox::Sandbox;
use crate::ui::console::arrangement::Arrangement;
use crate::ui::console::{Console, ConsoleConfig, Dress, Keymap, Programs, SessionRunner, StartSandbox};
use crate::ui::panel::Theme;
use crate::ui::panel::theme::{Depth, Glyphs};

/// Opens the console; the exit code.
pub async fn run(common: &Common, environment: &Environment) -> Result<u8, Report> {
    if !std::io::stdin().is_terminal() || !std::io::stdout().is_terminal() {
        return Err(
            Report::refused("E-CONSOLE-002", "the console needs a terminal, and this is none")
                .hint("cogdeck run PIPELINE runs a pipeline without one"),
        );
    }
    let mut started = start::deck(common, environment).await?;
    let mut remarks = Vec::new();
    let names = [
        common.theme.clone().or_else(|| started.config.theme.clone()),
        common.keymap.clone().or_else(|| started.config.keymap.clone()),
    ];
    let [theme_name, keymap_name] = &names;
    // Before they are read: what is written after that is read again.
    let seen = names.each_ref().map(changed_at);
    let (theme, keymap) = (
        theme(theme_name.as_deref(), common.no_color, environment, &mut remarks)?,
        keymap(keymap_name.as_deref(), &mut remarks)?,
    );
    // Beside the first frame: the database is opened after it.
    let (library, session) = (started.library.clone(), started.deck.session.clone());
    tokio::spawn(async move {
        for problem in start::load_bundles(&library, &session).await {
            tracing::warn!("{problem}");
        }
    });
    let contexts = Arc::new(Known(started.deck.contexts.clone()));
    let session = started.deck.session.clone();
    // Not waited for: the database is opened behind the first frame. One that can't be read is told by the history.
    tokio::spawn(async move { session.load_aliases().await });
    let runner = Arc::new(SessionRunner::new(started.deck.session.clone(), contexts));
    let sandbox = Arc::new(SandboxStarter {
        common: common.clone(),
        environment: environment.clone(),
        contexts: started.deck.contexts.clone(),
        running: Mutex::new(None),
    });
    let layout = environment.xdg("XDG_STATE_HOME", ".local/state").join("layout.toml");
    let arrangement = arrangement(&layout, &mut remarks);
    let config = ConsoleConfig {
        runner,
        hub: started.deck.hub.clone(),
        panels: std::mem::take(&mut started.deck.panels),
        theme,
        keymap,
        clock: Clock::real(),
        user: environment.user(),
        read_only: common.read_only,
        sandbox: Some(sandbox.clone()),
        programs: programs(environment),
        dresses: dresses(names, seen, common.no_color, environment.clone()),
        remote: environment.get("SSH_CONNECTION").is_some(),
        arrangement,
        remember: Some(layout),
        remarks,
    };
    let code = Console::run(config).await;
    if let Some(sandbox) = sandbox.running.lock().await.take() {
        sandbox.stop().await;
    }
    started.end().await;
    code
}

/// `$PAGER`, else `less`; and the desktop's clipboard program, where there is a desktop and the program is installed.
fn programs(environment: &Environment) -> Programs {
    let pager = environment.get("PAGER").unwrap_or("less");
    let folders: Vec<_> = std::env::split_paths(environment.get("PATH").unwrap_or_default()).collect();
    let installed = |name: &str| folders.iter().any(|folder| folder.join(name).is_file());
    let candidates: [(bool, &[&str]); 3] = [
        (environment.get("WAYLAND_DISPLAY").is_some(), &["wl-copy"]),
        (
            environment.get("DISPLAY").is_some(),
            &["xclip", "-selection", "clipboard"],
        ),
        (cfg!(target_os = "macos"), &["pbcopy"]),
    ];
    let mut candidates = candidates.into_iter().filter(|(desktop, _)| *desktop);
    let clipboard = candidates.find_map(|(_, argv)| argv.first().filter(|name| installed(name)).map(|_| argv));
    Programs {
        pager: shlex::split(pager).unwrap_or_else(|| vec![pager.to_owned()]),
        clipboard: clipboard.map(|argv| argv.iter().map(|word| (*word).to_owned()).collect()),
    }
}

/// A preset's name, or a TOML file; colour only where the terminal and NO_COLOR allow it.
fn theme(
    name: Option<&str>,
    no_color: bool,
    environment: &Environment,
    remarks: &mut Vec<Report>,
) -> Result<Theme, Report> {
    let theme = match name {
        None => Theme::standard(),
        Some("auto") => Theme::preset(for_background(environment.get("COLORFGBG")))?,
        Some(name) => match file(name)? {
            Some(text) => {
                let (theme, found) = Theme::parse(&text)?;
                remarks.extend(found);
                theme
            }
            None => Theme::preset(name)?,
        },
    };
    let dumb = environment.get("TERM") == Some("dumb");
    let theme = match no_color || environment.get("NO_COLOR").is_some() || dumb {
        true => theme.without_color(),
        false => theme.at_depth(Depth::of(environment.get("COLORTERM"), environment.get("TERM"))),
    };
    let utf8 = environment.first(&["LC_ALL", "LC_CTYPE", "LANG"]).is_none_or(|locale| {
        let locale = locale.to_lowercase();
        locale.contains("utf-8") || locale.contains("utf8")
    });
    Ok(if dumb || !utf8 {
        theme.with_glyphs(Glyphs::ASCII)
    } else {
        theme
    })
}

/// What an earlier session made of the screen; the default where there is none, or none that can be read.
fn arrangement(path: &Path, remarks: &mut Vec<Report>) -> Arrangement {
    let Ok(text) = std::fs::read_to_string(path) else {
        return Arrangement::default();
    };
    Arrangement::parse(&text).unwrap_or_else(|report| {
        remarks.push(report);
        Arrangement::default()
    })
}

/// The theme for the background that `COLORFGBG` (foreground;background, as numbers of the sixteen colours) tells of.
/// Terminals are not asked: an answer that comes late would be read as typed keys.
fn for_background(colors: Option<&str>) -> &'static str {
    match colors.and_then(|colors| colors.rsplit(';').next()) {
        Some("7" | "15") => "light",
        _ => "dark",
    }
}

fn keymap(name: Option<&str>, remarks: &mut Vec<Report>) -> Result<Keymap, Report> {
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
fn dresses(
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
fn changed_at(name: &Option<String>) -> Option<SystemTime> {
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

/// Starts the sandbox under a console that has nothing else to look at, and keeps it.
struct SandboxStarter {
    common: Common,
    environment: Environment,
    contexts: Arc<LiveContexts>,
    running: Mutex<Option<Sandbox>>,
}

#[async_trait]
impl StartSandbox for SandboxStarter {
    async fn start(&self) -> Result<Arc<Context>, Report> {
        let mut running = self.running.lock().await;
        let sandbox = match running.take() {
            Some(sandbox) => sandbox,
            None => start::sandbox(&self.common).await?,
        };
        let context = Arc::new(sandbox_context::context(
            &sandbox,
            &self.environment,
            self.common.read_only,
        ));
        *running = Some(sandbox);
        let guest = Arc::new(sandbox_context::guest(&context));
        self.contexts
            .rcu(|contexts| contexts.with(context.clone()).with(guest.clone()));
        Ok(context)
    }
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
    fn a_desktops_clipboard_program_is_used_only_where_it_is_installed() {
        use std::fs::write;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().to_str().unwrap().to_owned();
        let wayland = || {
            Environment::from_pairs([
                ("WAYLAND_DISPLAY", "wayland-0"),
                ("PATH", path.as_str()),
                ("PAGER", "less -S"),
            ])
        };
        assert_eq!(programs(&wayland()).clipboard, None, "not installed");
        write(folder.path().join("wl-copy"), "").unwrap();
        assert_eq!(programs(&wayland()).clipboard, Some(vec!["wl-copy".to_owned()]));
        assert_eq!(programs(&wayland()).pager, ["less", "-S"]);
        let no_desktop = Environment::from_pairs([("PATH", path.as_str())]);
        assert_eq!(programs(&no_desktop).clipboard, None, "no desktop");
    }
}
