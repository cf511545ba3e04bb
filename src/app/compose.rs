//! Puts a session together: features, clients, catalogue, journal, context. One place for `run`, `check` and the
//! console, so that a pipeline means the same in all three.

use std::sync::Arc;

use arc_swap::ArcSwap;

use super::contexts::Contexts;
use super::environment::Environment;
use crate::access::{Decision, Policy};
use crate::core::clock::Clock;
use crate::core::context::Context;
use crate::core::report::Report;
use crate::engine::ports::{Authorise, Contexts as ContextsPort, Permit, Place, Site};
use crate::engine::{MakeCatalogue, Outlets, Session, SessionConfig};
use crate::features::bundles::Library;
use crate::features::session::panel::{self as session_panel, SessionFeeds};
use crate::features::{Features, Shared};
use crate::feed::Hub;
use crate::store::Store;
use crate::ui::panel::Panel;
use crate::verb::{BundleInfo, Catalogue, Declaration, Known as KnownArguments, Verb};

/// The contexts there are now: the sandbox may join them while the console runs.
pub type LiveContexts = ArcSwap<Contexts>;

/// Everything a front end works with.
pub struct Deck {
    /// Runs lines.
    pub session: Session,
    /// The contexts there are now.
    pub contexts: Arc<LiveContexts>,
    /// Shared feeds.
    pub hub: Hub,
    /// The panels, in the order they are offered.
    pub panels: Vec<Box<dyn Panel>>,
}

/// What a deck is made of.
pub struct Parts {
    /// Contexts.
    pub contexts: Contexts,
    /// Where changes, history, aliases and kept records are.
    pub store: Arc<Store>,
    /// Who may run what.
    pub policy: Policy,
    /// Verbs and pages of the bundles that the configuration names.
    pub bundles: Vec<(BundleInfo, Vec<Verb>)>,
    /// Installed bundles: those that are enabled join the session when they are loaded.
    pub library: Arc<Library>,
    /// `--read-only`.
    pub read_only: bool,
}

/// The verbs and pages of all features, without any connection: what `verbs` lists.
pub fn catalogue(features: &Features, bundles: Vec<(BundleInfo, Vec<Verb>)>) -> Catalogue {
    let mut pages = Vec::new();
    let mut verbs = Vec::new();
    for mut feature in features.commands() {
        pages.append(&mut feature.bundles);
        verbs.append(&mut feature.verbs);
    }
    for (page, mut own) in bundles {
        // A built-in bundle of the same name stays in charge.
        if !verbs.iter().any(|verb: &Verb| verb.declaration.bundle == page.name) {
            pages.push(page);
            verbs.append(&mut own);
        }
    }
    Catalogue::new(verbs).describe(pages)
}

/// Builds the deck. Opens no connection and starts no task.
pub fn deck(parts: Parts, environment: &Environment) -> Deck {
    let clock = Clock::real();
    let hub = Hub::new(clock.clone());
    let shared = Shared {
        hub: hub.clone(),
        clock: clock.clone(),
        library: parts.library,
        journal: Some(parts.store.clone()),
    };
    let features = Features::new(shared);
    let mut panels = features.panels();
    let bundles = parts.bundles;
    let catalogue = move || Arc::new(catalogue(&features, bundles));
    let contexts = Arc::new(ArcSwap::from_pointee(parts.contexts));
    let config = SessionConfig {
        clock,
        read_only: parts.read_only,
        authorise: Arc::new(Configured(parts.policy)),
        ..config(Box::new(catalogue), &contexts, parts.store.clone(), environment)
    };
    let session = Session::new(config);
    let jobs = session.clone();
    panels.extend(session_panel::panels(&SessionFeeds {
        hub: hub.clone(),
        jobs: Arc::new(move || jobs.jobs()),
        journal: parts.store,
    }));
    Deck {
        session,
        contexts,
        hub,
        panels,
    }
}

/// A session of a few verbs only, which remembers nothing: a bundle's command in isolation.
pub fn isolated(catalogue: Catalogue, contexts: Contexts, environment: &Environment) -> Session {
    let store = Arc::new(Store::in_memory(Clock::real()));
    let contexts = Arc::new(ArcSwap::from_pointee(contexts));
    Session::new(config(
        Box::new(move || Arc::new(catalogue)),
        &contexts,
        store,
        environment,
    ))
}

fn config(
    catalogue: MakeCatalogue,
    contexts: &Arc<LiveContexts>,
    store: Arc<Store>,
    environment: &Environment,
) -> SessionConfig {
    SessionConfig {
        catalogue,
        context: contexts.load().default().clone(),
        contexts: Arc::new(Known(contexts.clone())),
        journal: store.clone(),
        shelf: store,
        authorise: Arc::new(Configured(Policy::default())),
        place: Arc::new(OnThisConsole),
        user: environment.user(),
        clock: Clock::real(),
        outlets: Outlets {
            descriptors: environment.descriptors().clone(),
            ..Outlets::local(super::start::directory(environment))
        },
        read_only: false,
    }
}

/// The policy that is configured; without any the local user may do everything.
struct Configured(Policy);

impl Authorise for Configured {
    fn authorise(&self, user: &str, declaration: &Declaration, known: &KnownArguments) -> Result<Permit, Report> {
        match self.0.decide(user, declaration, known)? {
            Decision::Allowed => Ok(Permit::Granted),
            Decision::Depends => Ok(Permit::Conditional),
            Decision::Denied(denial) => Err(self.0.refusal(user, declaration, &denial)),
        }
    }
}

/// Stages run here; no relay is configured.
struct OnThisConsole;

impl Place for OnThisConsole {
    fn place(&self, _context: &Arc<Context>, _declaration: &Declaration, on: Option<&str>) -> Result<Site, Report> {
        match on {
            None | Some("here") => Ok(Site::Here),
            Some(host) if host.contains("://") => Ok(Site::Docker(host.to_owned())),
            Some(name) => Err(
                Report::refused("E-PLACE-001", format!("no relay or host is named {name}"))
                    .hint("leave on= out to run here, or name a Docker engine: on='tcp://HOST:PORT'"),
            ),
        }
    }
}

/// The contexts as the engine asks for them.
pub struct Known(pub Arc<LiveContexts>);

impl ContextsPort for Known {
    fn context(&self, name: &str) -> Option<Arc<Context>> {
        self.0.load().get(name).ok()
    }

    fn names(&self) -> Vec<String> {
        self.0.load().names()
    }
}
