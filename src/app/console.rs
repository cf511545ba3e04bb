//! The console: the engine's session behind the console's ports, what was remembered of the screen, and the sandbox that
//! is started from within.

use std::io::IsTerminal;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use async_trait::async_trait;
use futures::FutureExt;
use tokio::runtime::Runtime;
use tokio::sync::{Mutex, watch};

use super::cli::Common;
use super::compose::{Known, LiveContexts};
use super::config::Config;
use super::environment::Environment;
use super::{looks, sandbox_context, start};
use crate::core::clock::Clock;
use crate::core::context::Context;
use crate::core::file;
use crate::core::report::Report;
use crate::sandbox::Sandbox;
use crate::ui::console::arrangement::{self, Arrangement};
use crate::ui::console::pin::{Pinned, kept};
use crate::ui::console::{ByBackground, Console, ConsoleConfig, Keymap, Programs, SessionRunner, StartSandbox};
use crate::ui::panel::Theme;

/// Opens the console; the exit code.
pub fn run(common: &Common, environment: &Environment) -> Result<u8, Report> {
    if !std::io::stdin().is_terminal() || !std::io::stdout().is_terminal() {
        return Err(
            Report::refused("E-CONSOLE-002", "the console needs a terminal, and this is none")
                .hint("cogdeck run PIPELINE runs a pipeline without one"),
        );
    }
    let config = Config::load(common.config.as_deref(), environment)?;
    let names = [
        common.theme.clone().or_else(|| config.theme.clone()),
        common.keymap.clone().or_else(|| config.keymap.clone()),
    ];
    let state = environment.xdg("XDG_STATE_HOME", ".local/state");
    // The sandbox needs threads; without one the first frame comes before they are started.
    let sandbox = match common.sandbox {
        true => {
            let runtime = runtime()?;
            let sandbox = runtime.block_on(start::sandbox(common))?;
            Some((runtime, sandbox))
        }
        false => None,
    };
    let (early, sandbox) = sandbox.unzip();
    let looks = Looks::read(&names, common.no_color, environment, &state)?;
    let mut started = start::deck(config, sandbox, common, environment)?;
    // The database is opened behind the first frame, which then has both cores. One that can't be read is told by the
    // history.
    let (library, session) = (started.library.clone(), started.deck.session.clone());
    let behind = async move {
        let (problems, _) = tokio::join!(start::load_bundles(&library, &session), session.load_aliases());
        problems
    };
    let contexts = Arc::new(Known(started.deck.contexts.clone()));
    let runner = Arc::new(SessionRunner::new(started.deck.session.clone(), contexts));
    let sandbox = Arc::new(SandboxStarter {
        common: common.clone(),
        environment: environment.clone(),
        contexts: started.deck.contexts.clone(),
        running: Mutex::new(None),
    });
    let (worn, watched) = watch::channel(looks::Worn {
        names,
        seen: looks.seen,
    });
    let config = ConsoleConfig {
        runner,
        hub: started.deck.hub.clone(),
        panels: std::mem::take(&mut started.deck.panels),
        theme: looks.theme,
        themes: Arc::new(looks::themes(worn, common.no_color, environment.clone())),
        by_background: looks.by_background,
        keymap: looks.keymap,
        clock: Clock::real(),
        user: environment.user(),
        read_only: common.read_only,
        sandbox: Some(sandbox.clone()),
        programs: programs(environment),
        dresses: Some(Box::new({
            let (no_color, environment) = (common.no_color, environment.clone());
            move || looks::dresses(watched, no_color, environment)
        })),
        remote: is_remote(environment),
        arrangement: looks.arrangement,
        pinned: looks.pinned,
        remember: Some(state),
        behind: Some(behind.boxed()),
        remarks: looks.remarks,
    };
    let console = Console::open(config)?;
    let runtime = early.map_or_else(runtime, Ok)?;
    let code = runtime.block_on(async {
        let code = console.run().await;
        if let Some(sandbox) = sandbox.running.lock().await.take() {
            sandbox.stop().await;
        }
        started.end().await;
        code
    });
    super::end(runtime);
    code
}

/// Whether the terminal is at the other end of a line. Who became another user kept one of the two, mostly.
fn is_remote(environment: &Environment) -> bool {
    ["SSH_CONNECTION", "SSH_TTY"]
        .iter()
        .any(|name| environment.get(name).is_some())
}

/// Two threads beside the one that draws: feeds of a cluster in motion take a tenth of one. More would each keep a cache
/// of the allocator's, and counting the machine's cores takes longer than to start both.
fn runtime() -> Result<Runtime, Report> {
    super::runtime(Some(2))
}

/// How the console looks and what its keys mean when it opens.
struct Looks {
    theme: Theme,
    by_background: Option<ByBackground>,
    keymap: Keymap,
    /// When the files of theme and keymap were changed last.
    seen: [Option<SystemTime>; 2],
    arrangement: Arrangement,
    pinned: Vec<Pinned>,
    /// What was wrong in one of these and is told once the console is open.
    remarks: Vec<Report>,
}

impl Looks {
    /// Reads them: `names` are those of theme and keymap, `state` is the folder of what earlier sessions left.
    fn read(
        names: &[Option<String>; 2],
        no_color: bool,
        environment: &Environment,
        state: &Path,
    ) -> Result<Self, Report> {
        let [theme, keymap] = names.each_ref().map(Option::as_deref);
        let mut remarks = Vec::new();
        Ok(Looks {
            // Before they are read: what is written after that is read again.
            seen: looks::changed_at(names, environment),
            theme: looks::theme(theme, no_color, environment, &mut remarks),
            by_background: looks::by_background(theme, no_color, environment),
            keymap: looks::keymap(keymap, environment, &mut remarks)?,
            arrangement: arrangement(&state.join(arrangement::FILE), &mut remarks),
            pinned: pinned(&state.join(kept::FILE), &mut remarks),
            remarks,
        })
    }
}

/// `$PAGER`, else `less`; `$EDITOR`, else `vi`; and the desktop's clipboard program, where there is a desktop and the
/// program is installed.
fn programs(environment: &Environment) -> Programs {
    let program = |name: &str, usual: &str| {
        let named = environment
            .get(name)
            .filter(|text| !text.trim().is_empty())
            .unwrap_or(usual);
        shlex::split(named).unwrap_or_else(|| vec![named.to_owned()])
    };
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
        pager: program("PAGER", "less"),
        editor: program("EDITOR", "vi"),
        scratch: ["XDG_RUNTIME_DIR", "TMPDIR"]
            .iter()
            .find_map(|name| environment.get(name))
            .map(Into::into),
        clipboard: clipboard.map(|argv| argv.iter().map(|word| (*word).to_owned()).collect()),
    }
}

/// What an earlier session made of the screen; the default where there is none, or none that can be read.
fn arrangement(path: &Path, remarks: &mut Vec<Report>) -> Arrangement {
    let read = file::read(path).map_err(|error| arrangement::broken(&error.to_string()));
    let parsed = read.and_then(|text| text.map(|text| Arrangement::parse(&text)).transpose());
    parsed
        .unwrap_or_else(|report| {
            remarks.push(report);
            None
        })
        .unwrap_or_default()
}

/// What earlier sessions pinned, as far as it can be read.
fn pinned(path: &Path, remarks: &mut Vec<Report>) -> Vec<Pinned> {
    let (pins, wrong) = match file::read(path) {
        Ok(Some(text)) => kept::read(&text),
        Ok(None) => return Vec::new(),
        Err(error) => (Vec::new(), vec![kept::broken(&error.to_string())]),
    };
    remarks.extend(wrong);
    pins
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
    fn a_terminal_is_far_away_under_ssh_only() {
        let remote = |name: &str, value: &str| is_remote(&Environment::from_pairs([(name, value)]));
        assert!(remote("SSH_CONNECTION", "10.0.0.1 1 10.0.0.2 22") && remote("SSH_TTY", "/dev/pts/3"));
        assert!(!remote("SSH_AUTH_SOCK", "/run/agent") && !remote("SSH_TTY", ""));
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
                ("EDITOR", "code --wait"),
            ])
        };
        assert_eq!(programs(&wayland()).clipboard, None, "not installed");
        write(folder.path().join("wl-copy"), "").unwrap();
        assert_eq!(programs(&wayland()).clipboard, Some(vec!["wl-copy".to_owned()]));
        assert_eq!(programs(&wayland()).pager, ["less", "-S"]);
        assert_eq!(programs(&wayland()).editor, ["code", "--wait"]);
        let no_desktop = Environment::from_pairs([("PATH", path.as_str())]);
        assert_eq!(programs(&no_desktop).clipboard, None, "no desktop");
        assert_eq!(programs(&no_desktop).editor, ["vi"]);
    }
}
