//! What every mode that runs pipelines begins with: configuration, contexts (or the sandbox), journal, bundles, deck.

use std::future::Future;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::signal::unix::{SignalKind, signal};

use super::cli::Common;
use super::compose::{self, Deck, Parts};
use super::config::Config;
use super::contexts::Contexts;
use super::environment::Environment;
use super::sandbox_context;
use crate::bundle::depot::{Depot, sweep};
use crate::bundle::secret::Keyring;
use crate::bundle::verbs::Files;
use crate::bundle::{Layers, Manifest, verbs};
use crate::core::clock::Clock;
use crate::core::report::Report;
use crate::engine::Session;
use crate::features::bundles::Library;
use crate::sandbox::{Sandbox, SandboxConfig};
use crate::store::Store;
use crate::verb::{BundleInfo, Verb};

/// Before the number of the process, the folder with what its sandbox's world has installed.
const SANDBOX_FILES: &str = "sandbox-";

/// A deck, and the sandbox under it if there is one.
pub struct Started {
    /// The deck.
    pub deck: Deck,
    /// Installed bundles.
    pub library: Arc<Library>,
    sandbox: Option<Sandbox>,
    /// What the sandbox's world has installed, which ends with it.
    installed: Option<PathBuf>,
}

impl Started {
    /// Puts the enabled bundles among the session's commands. What could not be read is told and left out.
    async fn load_bundles(&self) {
        for problem in load_bundles(&self.library, &self.deck.session).await {
            for line in problem.lines() {
                let _ = writeln!(std::io::stderr(), "{line}");
            }
        }
    }

    /// Reads the aliases, for a mode whose lines may use them at once. What can't be read is told and left out: a line
    /// without aliases runs all the same.
    async fn aliases(&self) {
        if let Err(report) = self.deck.session.load_aliases().await {
            for line in report.lines() {
                let _ = writeln!(std::io::stderr(), "note: no aliases: {line}");
            }
        }
    }

    /// Ends the sandbox, and what was installed in it.
    pub async fn end(self) {
        if let Some(sandbox) = self.sandbox {
            sandbox.stop().await;
        }
        if let Some(folder) = self.installed {
            // There is none where nothing was installed.
            let _ = tokio::fs::remove_dir_all(folder).await;
        }
    }
}

/// What a mode begins with that runs lines at once: the configured deck or the sandbox's, with bundles and aliases.
pub async fn ready(common: &Common, environment: &Environment) -> Result<Started, Report> {
    let config = Config::load(common.config.as_deref(), environment)?;
    let sandbox = match common.sandbox {
        true => Some(sandbox(common).await?),
        false => None,
    };
    let started = deck(config, sandbox, common, environment)?;
    started.load_bundles().await;
    started.aliases().await;
    Ok(started)
}

/// Builds the deck of a configuration, or that of a sandbox.
pub fn deck(
    config: Config,
    sandbox: Option<Sandbox>,
    common: &Common,
    environment: &Environment,
) -> Result<Started, Report> {
    let bundles = config
        .bundles
        .iter()
        .map(|file| bundle(file))
        .collect::<Result<Vec<_>, _>>()?;
    let (contexts, store) = match &sandbox {
        Some(sandbox) => (world(sandbox, common, environment)?, Store::in_memory(Clock::real())),
        None => (Contexts::load(&config, common, environment)?, store(environment)),
    };
    let store = Arc::new(store);
    let mut library = library(store.clone(), environment);
    // The operator's own bundles are none of the sandbox's: a digest names the same folder in both worlds.
    let installed = sandbox.as_ref().map(|_| {
        let own = format!("{SANDBOX_FILES}{}", std::process::id());
        library.depot.folder.with_file_name(own)
    });
    if let Some(state) = library.depot.folder.parent() {
        sweep(state, SANDBOX_FILES);
    }
    if let Some(folder) = &installed {
        library.depot.folder.clone_from(folder);
    }
    let library = Arc::new(library);
    let parts = Parts {
        contexts,
        store,
        policy: config.policy()?,
        bundles,
        library: library.clone(),
        read_only: common.read_only,
    };
    Ok(Started {
        deck: compose::deck(parts, environment),
        library,
        sandbox,
        installed,
    })
}

/// Reads the enabled bundles and puts them among the session's commands; what could not be read comes back.
pub async fn load_bundles(library: &Library, session: &Session) -> Vec<Report> {
    match library.load().await {
        Ok(loaded) => {
            session.set_bundles(loaded.bundles);
            loaded.problems
        }
        Err(problem) => vec![problem],
    }
}

/// Installed bundles, with what of the environment concerns them.
pub fn library(store: Arc<Store>, environment: &Environment) -> Library {
    Library {
        store,
        keyring: keyring(environment),
        user: environment.user(),
        environment: environment.starting_with("COGDECK_BUNDLE_"),
        fetching: environment.for_fetching(),
        directory: directory(environment),
        scratch: environment.xdg("XDG_STATE_HOME", ".local/state").join("fetched"),
        depot: Depot {
            folder: environment.xdg("XDG_STATE_HOME", ".local/state").join("bundles"),
        },
    }
}

/// Where relative paths start.
pub fn directory(environment: &Environment) -> PathBuf {
    std::env::current_dir().unwrap_or_else(|_| environment.home())
}

/// The key of stored secrets.
pub fn keyring(environment: &Environment) -> Keyring {
    let standard = environment.xdg("XDG_CONFIG_HOME", ".config").join("identity.txt");
    Keyring::new(environment.get("COGDECK_IDENTITY"), standard)
}

/// The journal and the shelf in the state folder.
pub fn store(environment: &Environment) -> Store {
    Store::new(
        environment.xdg("XDG_STATE_HOME", ".local/state").join("journal.db"),
        Clock::real(),
    )
}

/// Starts the world that `--sandbox` names.
pub async fn sandbox(common: &Common) -> Result<Sandbox, Report> {
    let config = SandboxConfig {
        speed: common.speed,
        seed: common.seed,
        ..SandboxConfig::default()
    };
    Sandbox::start(config).await.map_err(|error| {
        Report::failed("E-SANDBOX-001", "the sandbox cannot start")
            .because(&error)
            .hint("it needs free ports on 127.0.0.1")
    })
}

/// The contexts of a sandbox: its administrator's, to start in, and its guest's.
pub fn world(sandbox: &Sandbox, common: &Common, environment: &Environment) -> Result<Contexts, Report> {
    let mut context = sandbox_context::context(sandbox, environment, common.read_only);
    context.kubernetes.namespace.clone_from(&common.namespace);
    let guest = sandbox_context::guest(&context);
    let contexts = Contexts::only(context).with(Arc::new(guest));
    match &common.context {
        Some(name) => contexts.starting_in(name),
        None => Ok(contexts),
    }
}

fn bundle(file: &Path) -> Result<(BundleInfo, Vec<Verb>), Report> {
    Ok(verbs::verbs(
        &Manifest::read(file)?,
        &Layers::default(),
        &Files::beside(file),
    ))
}

/// Resolves at the first SIGINT, SIGTERM or SIGHUP.
pub fn interrupted() -> Result<impl Future<Output = ()>, Report> {
    let listen =
        |kind| signal(kind).map_err(|error| Report::failed("E-RUN-SIGNAL", "signals cannot be read").because(&error));
    let (mut interrupt, mut terminate, mut hangup) = (
        listen(SignalKind::interrupt())?,
        listen(SignalKind::terminate())?,
        listen(SignalKind::hangup())?,
    );
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    })
}
