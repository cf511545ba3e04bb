//! A session: runs lines, keeps what they answered, knows its jobs. The console and `run` both stand on it.

mod front;
mod port;

use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::aliases;
use super::beside::Beside;
use super::block::Block;
use super::check::Check;
use super::destination::Outlets;
use super::ending::Ending;
use super::jobs::Jobs;
use super::memory::Memory;
use super::plan::{LinePlan, OnError, Planner};
use super::ports::{Authorise, Contexts, Journal, Place, Shelf};
use super::run::Items;
use super::starred::{marked, marked_unread};
use super::variables::{Kept, unknown_block};
use super::window::Window;
use crate::core::change::Origin;
use crate::core::clock::Clock;
use crate::core::context::Context;
use crate::core::record::Record;
use crate::core::report::Report;
use crate::core::text::SafeText;
use crate::lang::{self, shell_loop};
use crate::verb::session::Job;
use crate::verb::{Bundles, Catalogue, Operator};

pub(super) use front::Front;

/// Makes the verbs: the console's first frame does without.
pub type MakeCatalogue = Box<dyn FnOnce() -> Arc<Catalogue> + Send>;

/// What a session is made of.
pub struct SessionConfig {
    /// Makes the verbs when somebody asks for them first.
    pub catalogue: MakeCatalogue,
    /// The context of stages that name none.
    pub context: Arc<Context>,
    /// Finds those that stages name.
    pub contexts: Arc<dyn Contexts>,
    /// Where changes and history go.
    pub journal: Arc<dyn Journal>,
    /// Where aliases and kept records are.
    pub shelf: Arc<dyn Shelf>,
    /// May it run?
    pub authorise: Arc<dyn Authorise>,
    /// Where does it run?
    pub place: Arc<dyn Place>,
    /// Who it is.
    pub user: String,
    /// The clock.
    pub clock: Clock,
    /// What redirects can reach.
    pub outlets: Outlets,
    /// `--read-only`: nothing may be changed.
    pub read_only: bool,
}

/// A line to run.
pub struct Start<'a> {
    /// The line as typed.
    pub line: &'a str,
    /// The front end. Its notes and progress come as events of the block instead; asked are `origin`, `ask`, `suspend`.
    pub operator: Arc<dyn Operator>,
    /// Records for the first stage of the first pipeline; none: it starts by itself.
    pub input: Option<Items>,
    /// For stages that do not say.
    pub on_error: OnError,
    /// Most time the whole line may take.
    pub timeout: Option<Duration>,
}

/// Runs lines. Cheap to clone; clones are the same session. Needs a Tokio runtime around it.
#[derive(Clone)]
pub struct Session {
    pub(super) inner: Arc<Inner>,
}

/// What blocks share.
pub(super) struct Inner {
    pub(super) journal: Arc<dyn Journal>,
    pub(super) shelf: Arc<dyn Shelf>,
    pub(super) contexts: Beside,
    pub(super) authorise: Arc<dyn Authorise>,
    pub(super) place: Arc<dyn Place>,
    pub(super) user: String,
    pub(super) clock: Clock,
    pub(super) outlets: Outlets,
    pub(super) read_only: bool,
    pub(super) window: Window,
    pub(super) jobs: Jobs,
    pub(super) shutdown: CancellationToken,
    state: Mutex<State>,
}

struct State {
    catalogue: LazyLock<Arc<Catalogue>, MakeCatalogue>,
    context: Arc<Context>,
    memory: Memory,
}

impl State {
    /// Changes the verbs for lines that start from now on.
    fn change_catalogue(&mut self, change: impl FnOnce(Catalogue) -> Catalogue) {
        let changed = Arc::new(change(self.catalogue.as_ref().clone()));
        self.catalogue = LazyLock::new(Box::new(move || changed));
    }
}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The context of stages that name none.
    pub(super) fn context(&self) -> Arc<Context> {
        self.lock().context.clone()
    }

    /// The name of the context of stages that name none.
    pub(super) fn context_name(&self) -> String {
        self.lock().context.name.clone()
    }

    fn set_bundles(&self, bundles: Bundles) {
        self.lock()
            .change_catalogue(|catalogue| catalogue.with_bundles(bundles));
    }

    /// Reads the aliases again; lines that start from now on see them.
    async fn load_aliases(&self) -> Result<(), Report> {
        let aliases = self.shelf.aliases(&self.user).await?;
        self.lock()
            .change_catalogue(|catalogue| catalogue.with_aliases(aliases));
        Ok(())
    }

    /// The static pass over a line that nobody feeds, as this session's user; what differs is set over it.
    pub(super) fn planner<'a>(
        &'a self,
        catalogue: &'a Catalogue,
        context: &'a Arc<Context>,
        origin: Origin,
    ) -> Planner<'a> {
        Planner {
            catalogue,
            context,
            contexts: &self.contexts,
            authorise: self.authorise.as_ref(),
            place: self.place.as_ref(),
            user: &self.user,
            origin,
            on_error: OnError::Stop,
            fed: false,
            read_only: self.read_only,
            window: &self.window,
            recovery: false,
            outlets: &self.outlets,
        }
    }

    /// What earlier pipelines answered.
    pub(super) fn with_memory<T>(&self, look: impl FnOnce(&mut Memory) -> T) -> T {
        look(&mut self.lock().memory)
    }
}

impl Session {
    /// A session in which nothing has run.
    pub fn new(config: SessionConfig) -> Self {
        let state = State {
            catalogue: LazyLock::new(config.catalogue),
            context: config.context,
            memory: Memory::default(),
        };
        let inner = Inner {
            journal: config.journal,
            shelf: config.shelf,
            contexts: Beside::new(config.contexts, state.context.clone()),
            authorise: config.authorise,
            place: config.place,
            user: config.user,
            window: Window::new(config.clock.clone()),
            clock: config.clock,
            outlets: config.outlets,
            read_only: config.read_only,
            jobs: Jobs::default(),
            shutdown: CancellationToken::new(),
            state: Mutex::new(state),
        };
        Session { inner: Arc::new(inner) }
    }

    /// Starts a line; a pasted shell loop runs as the equal `traffic:watch`, and a note says so. `Err`: it was refused by the static pass and nothing has run.
    pub fn start(&self, line: &str, operator: Arc<dyn Operator>) -> Result<Block, Report> {
        self.start_with(Start {
            line,
            operator,
            input: None,
            on_error: OnError::Stop,
            timeout: None,
        })
    }

    /// Starts a line with input, policy and time limit.
    pub fn start_with(&self, start: Start<'_>) -> Result<Block, Report> {
        let (catalogue, context) = self.snapshot();
        let mut names = self.inner.with_memory(|memory| memory.names()).into_iter().collect();
        let origin = start.operator.origin();
        let planner = Planner {
            on_error: start.on_error,
            fed: start.input.is_some(),
            ..self.inner.planner(&catalogue, &context, origin)
        };
        let translation = translated(start.line);
        let plan = planner.line(translation.as_deref().unwrap_or(start.line), &mut names)?;
        Ok(self.spawn(plan, catalogue, start, translation))
    }

    /// Checks a line and runs nothing.
    pub fn check(&self, line: &str, origin: Origin) -> Result<Check, Report> {
        self.check_script([line], origin, false)
            .map_err(|(_, report)| report)
            .map(|mut checks| checks.swap_remove(0))
    }

    /// What would refuse a line that is being typed, by all that is known before it runs: the static pass, and the
    /// blocks whose records it names. The place is one in the line as it was given.
    pub fn problem(&self, line: &str) -> Option<Report> {
        if translated(line).is_some() {
            return None;
        }
        match self.check(line, Origin::Typed) {
            Err(report) => Some(report),
            Ok(_) => unknown_block(line, |number| self.records(number).err()),
        }
    }

    /// A line as it may be kept and shown although it is refused, and nobody knows which of its words a secret becomes:
    /// with a mark in the place of each that can be told; in one that cannot be read, in the place of all that follows.
    pub fn hidden(&self, line: &str) -> String {
        let (catalogue, _) = self.snapshot();
        let hide = |line: &str| lang::parse(line).map(|parsed| marked(&catalogue, &parsed, line));
        let translation = translated(line);
        let typed = translation.as_deref().unwrap_or(line);
        match hide(typed) {
            Ok(hidden) if hidden != typed => hidden,
            Ok(_) => line.to_owned(),
            Err(_) => marked_unread(&catalogue, line),
        }
    }

    /// Checks the lines of a script as a whole: a name that one line gives, by `let` or as an alias, is known in the
    /// next. `Err`: the index of the first wrong line, and why. `fed`: records are given to the first stage of the
    /// first line.
    pub fn check_script<'a>(
        &self,
        lines: impl IntoIterator<Item = &'a str>,
        origin: Origin,
        fed: bool,
    ) -> Result<Vec<Check>, (usize, Report)> {
        let (mut catalogue, context) = self.snapshot();
        let mut names: BTreeSet<String> = self.inner.with_memory(|memory| memory.names()).into_iter().collect();
        let lines = lines.into_iter().enumerate();
        let checks = lines.map(|(index, line)| {
            let planner = Planner {
                fed: fed && index == 0,
                ..self.inner.planner(&catalogue, &context, origin)
            };
            let plan = planner
                .line(&translated(line).unwrap_or(line.to_owned()), &mut names)
                .map_err(|report| (index, report))?;
            for alias in plan.aliases() {
                if aliases::acceptable(&catalogue, &alias).is_ok() {
                    catalogue = Arc::new(aliases::with(&catalogue, &alias));
                }
            }
            Ok(Check::of(&plan))
        });
        checks.collect()
    }

    /// The context of stages that name none.
    pub fn context(&self) -> Arc<Context> {
        self.inner.lock().context.clone()
    }

    /// Lets that context take changes until then, though it is marked read-only; none: no more. Going over to a context
    /// of another name ends it. Changes nothing under `--read-only`, which is asked about first.
    pub fn open_until(&self, until: Option<Timestamp>) {
        self.inner.window.open(&self.inner.context_name(), until);
    }

    /// Switches it for lines that start from now on.
    pub fn set_context(&self, context: Arc<Context>) {
        self.inner.window.go_over(&context.name);
        self.inner.contexts.look_at(context.clone());
        self.inner.lock().context = context;
    }

    /// The context that `@NAME` means in a line that starts now.
    pub fn meant_by(&self, name: &str) -> Option<Arc<Context>> {
        self.inner.contexts.context(name)
    }

    /// `@NAME` means these from now on, where one of them has the name: the operator looks at them as they are here,
    /// beside the context of [`Session::set_context`].
    pub fn set_shown(&self, contexts: Vec<Arc<Context>>) {
        self.inner.contexts.show(contexts);
    }

    /// The verbs.
    pub fn catalogue(&self) -> Arc<Catalogue> {
        self.inner.lock().catalogue.clone()
    }

    /// Reads the user's and the site's aliases; until then there are none.
    pub async fn load_aliases(&self) -> Result<(), Report> {
        self.inner.load_aliases().await
    }

    /// Swaps the verbs of installed bundles for lines that start from now on.
    pub fn set_bundles(&self, bundles: Bundles) {
        self.inner.set_bundles(bundles);
    }

    /// The records of a block that has ended, by its number; the reason why there are none.
    pub fn records(&self, number: u64) -> Result<Arc<Vec<Record>>, String> {
        let values = self.inner.with_memory(|memory| memory.snapshot());
        match values.blocks.get(&number) {
            Some(Kept::Records(records)) => Ok(records.clone()),
            Some(Kept::Gone(reason)) => Err(format!("the records of block {number} were not kept: {reason}")),
            None if self.inner.jobs.is_running(number) => Err(format!(
                "block {number} still runs: its records are there once it has ended (`stop {number}` ends it)"
            )),
            None => Err(format!("the records of block {number} are not known any more")),
        }
    }

    /// Blocks and jobs, oldest first.
    pub fn jobs(&self) -> Vec<Job> {
        self.inner.jobs.all()
    }

    /// The journal.
    pub fn journal(&self) -> Arc<dyn Journal> {
        self.inner.journal.clone()
    }

    /// Interrupts everything that runs, for the end of the process. Blocks still tell their ends.
    pub fn interrupt_all(&self) {
        self.inner.shutdown.cancel();
    }

    pub(super) fn snapshot(&self) -> (Arc<Catalogue>, Arc<Context>) {
        let state = self.inner.lock();
        (state.catalogue.clone(), state.context.clone())
    }

    fn spawn(&self, plan: LinePlan, catalogue: Arc<Catalogue>, start: Start<'_>, translation: Option<String>) -> Block {
        let inner = self.inner.clone();
        let ending = Ending::below(&inner.shutdown);
        let (number, records) = inner.jobs.begin(&plan.masked, false, inner.clock.now(), ending.clone());
        let operator = start.operator;
        let front = Front {
            number,
            records,
            catalogue,
            ending,
            background: false,
            operator,
        };
        let (block, run) = front.open(inner, plan.masked.clone(), 0);
        if translation.is_some() {
            run.operator.note(SafeText::line(&format!(
                "a shell's loop, which runs as: {}",
                plan.masked
            )));
        }
        tokio::spawn(run.line(plan, start.input, start.timeout));
        block
    }
}

/// The loop that people paste from their shell, in our language; none: the line is ours already.
fn translated(line: &str) -> Option<String> {
    shell_loop::recognise(line).map(|found| lang::print(&found.pipeline()))
}
