//! The console: the engine's session behind the console's ports, themes and keymaps from files, and the sandbox that
//! is started from within.

use std::io::IsTerminal;
use std::path::Path;
use std::sync::Arc;

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
use crate::ui::console::{Console, ConsoleConfig, Keymap, SessionRunner, StartSandbox};
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
    let (theme, keymap) = (
        theme(common, &started, environment, &mut remarks)?,
        keymap(common, &started, &mut remarks)?,
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

/// A preset's name, or a TOML file; colour only where the terminal and NO_COLOR allow it.
fn theme(
    common: &Common,
    started: &start::Started,
    environment: &Environment,
    remarks: &mut Vec<Report>,
) -> Result<Theme, Report> {
    let name = common.theme.as_deref().or(started.config.theme.as_deref());
    let theme = match name {
        None => Theme::standard(),
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
    let theme = match common.no_color || environment.get("NO_COLOR").is_some() || dumb {
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

fn keymap(common: &Common, started: &start::Started, remarks: &mut Vec<Report>) -> Result<Keymap, Report> {
    let name = common
        .keymap
        .as_deref()
        .or(started.config.keymap.as_deref())
        .unwrap_or("default");
    match file(name)? {
        Some(text) => {
            let (keymap, found) = Keymap::parse(&text)?;
            remarks.extend(found);
            Ok(keymap)
        }
        None => Keymap::preset(name),
    }
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
        self.contexts.rcu(|contexts| contexts.with(context.clone()));
        Ok(context)
    }
}
