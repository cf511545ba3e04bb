//! The static pass: the whole line is resolved, typed, placed and authorised before its first stage starts. Pure but
//! for the ports it asks. What only the run can know (values of variables, how many records there will be) is left.

mod checked;
mod contexts;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

pub use self::checked::{LinePlan, OnError, PipelinePlan, StagePlan};
use super::aliases::{Expanded, expand};
use super::coerce::millis;
use super::destination::Outlets;
use super::masked::{mask, masked_calls};
use super::options::Template;
use super::pin::pinned;
use super::ports::{Authorise, Contexts, Permit, Place, Site};
use super::problem::Problem;
use super::resolve::{Resolved, longer_names, resolve};
use super::starred::{secrets, starred, starred_unread};
use super::variables::roots;
use super::window::Window;
use crate::core::change::{Origin, Risk};
use crate::core::context::Context;
use crate::core::report::Report;
use crate::lang::{self, Line, ModifierKind, Pipeline, Root, Span, Stage, Word};
use crate::verb::catalogue::{BUILT_IN, Catalogue, did_you_mean, nearest};
use crate::verb::{Action, Declaration, InputMode, Verb};

/// Invocations of one stage at a time, at most.
pub const MAX_PARALLEL: usize = 64;

/// Where the flag stands that approves.
pub const YES: &str = "flags stand before the pipeline: cogdeck run --yes 'PIPELINE'";

/// Why a class is higher than the command's own.
pub fn because(context: &Context) -> String {
    match context.production {
        true => format!(
            " (context {} is production, which raises the class by one)",
            context.name
        ),
        false => String::new(),
    }
}

/// What the static pass knows and asks.
pub struct Planner<'a> {
    /// The verbs.
    pub catalogue: &'a Catalogue,
    /// The context of stages that name none.
    pub context: &'a Arc<Context>,
    /// Finds those that stages name.
    pub contexts: &'a dyn Contexts,
    /// May it run?
    pub authorise: &'a dyn Authorise,
    /// Where does it run?
    pub place: &'a dyn Place,
    /// Who asks.
    pub user: &'a str,
    /// Whence: decides what is refused before the start.
    pub origin: Origin,
    /// For stages that do not say.
    pub on_error: OnError,
    /// Records are given to the first stage.
    pub fed: bool,
    /// Nothing may be changed by this process.
    pub read_only: bool,
    /// Which context takes changes although it is marked read-only.
    pub window: &'a Window,
    /// The line takes something back: its approval is one Enter, asked when its plan is known.
    pub recovery: bool,
    /// What redirects can reach.
    pub outlets: &'a Outlets,
}

impl Planner<'_> {
    /// Checks a line. `names` are those that `let` has given so far; the line's own are added.
    pub fn line(&self, source: &str, names: &mut BTreeSet<String>) -> Result<LinePlan, Report> {
        let unread = |error| super::problem::syntax(error, &starred_unread(self.catalogue, source));
        let line: Line = lang::parse(source).map_err(unread)?;
        let typed = source;
        let source: Arc<str> = Arc::from(starred(self.catalogue, &line, source));
        let mut items = Vec::new();
        let mut masked = line.clone();
        for (index, item) in line.items.iter().enumerate() {
            let fed = self.fed && index == 0;
            let expanded = expand(self.catalogue, &item.pipeline).map_err(|problem| problem.refused(&source))?;
            let (plan, hidden) = self
                .pipeline(&source, &expanded, fed, names)
                .map_err(|(problem, stage)| {
                    let report = problem.refused(&source);
                    stage.map_or(report.clone(), |stage| report.in_stage(stage))
                })?;
            if let Some(slot) = masked.items.get_mut(index) {
                slot.pipeline = match expanded.any() {
                    true => masked_calls(&item.pipeline, &expanded, &hidden),
                    false => hidden,
                };
            }
            names.extend(plan.binding.clone());
            items.push((Arc::new(plan), item.then));
        }
        let masked = if masked == line {
            typed.to_owned()
        } else {
            lang::print(&masked)
        };
        Ok(LinePlan { source, masked, items })
    }

    fn pipeline(
        &self,
        source: &Arc<str>,
        expanded: &Expanded,
        fed: bool,
        names: &BTreeSet<String>,
    ) -> Result<(PipelinePlan, Pipeline), (Problem, Option<usize>)> {
        let pipeline = &expanded.pipeline;
        let mut hidden = pipeline.clone();
        let mut stages: Vec<Arc<StagePlan>> = Vec::new();
        let count = pipeline.stages.len();
        for (index, stage) in pipeline.stages.iter().enumerate() {
            let number = index + 1;
            let alias = expanded.origins.get(index).and_then(|origin| origin.alias.as_deref());
            let mut plan = self
                .stage(source, stage, number, fed || index > 0, names)
                .map_err(|problem| (in_alias(problem, alias), Some(number)))?;
            if alias.is_some() {
                // The source does not spell what an alias stands for.
                let mut shown = stage.clone();
                mask(&mut shown, &plan.template.secrets());
                plan.text = lang::print(&shown);
            }
            plan.last = number == count;
            follows(stages.last(), &plan)
                .and_then(|()| contexts::follows(&stages, &plan))
                .map_err(|problem| (problem, Some(number)))?;
            if let Some(slot) = hidden.stages.get_mut(index) {
                mask(slot, &plan.template.secrets());
            }
            stages.push(Arc::new(plan));
        }
        let destinations = match &pipeline.redirect {
            None => Vec::new(),
            Some(redirect) => {
                for word in &redirect.targets {
                    known(word, false, names).map_err(|problem| (problem, None))?;
                }
                self.outlets.targets(redirect).map_err(|problem| (problem, None))?
            }
        };
        let pin = pinned(&stages, pipeline)?;
        let plan = PipelinePlan {
            pin,
            source: source.clone(),
            text: match hidden == *pipeline && !expanded.any() {
                true => pipeline.span.of(source).to_owned(),
                false => lang::print(&hidden),
            },
            binding: pipeline.binding.as_ref().map(|binding| binding.name.clone()),
            stages,
            destinations,
        };
        Ok((plan, hidden))
    }

    fn stage(
        &self,
        source: &str,
        stage: &Stage,
        number: usize,
        fed: bool,
        names: &BTreeSet<String>,
    ) -> Result<StagePlan, Problem> {
        let mut resolved = resolve(self.catalogue, &stage.words)?;
        let (name, words) = stage.words.split_at(resolved.words.min(stage.words.len()));
        let name = name.iter().map(|word| word.span).reduce(Span::to).unwrap_or_default();
        let page = match fed {
            true => None,
            false => self.help_page(&resolved, stage, words, name),
        };
        let words = match &page {
            None => words,
            Some((help, page)) => {
                resolved.verb = help;
                std::slice::from_ref(page)
            }
        };
        let declaration = resolved.verb.declaration.clone();
        if fed && declaration.input == InputMode::None {
            let message = format!("{} takes nothing from a pipe", declaration.qualified());
            return Err(Problem::new("E-INPUT-001", name, message));
        }
        let template = Template::read(declaration.clone(), words, name, fed).map_err(|problem| {
            let meant = did_you_mean(&longer_names(self.catalogue, resolved, &stage.words));
            let hint = meant.or_else(|| problem.hint.clone());
            problem.hint(hint)
        })?;
        let each = fed && declaration.input == InputMode::Each;
        template.dynamic_words().try_for_each(|word| known(word, each, names))?;
        let modifiers = self.modifiers(stage)?;
        let on = modifiers.on.as_ref().map(|(text, _)| text.as_str());
        let at = modifiers.on.as_ref().map_or(name, |(_, span)| *span);
        let named = &modifiers.contexts;
        let (context, site) = self
            .placed(&named.first, &declaration, on)
            .map_err(|report| problem_of(named.within(report, &named.first), at))?;
        let mut contexts = Vec::with_capacity(named.several.len());
        for context in &named.several {
            let placed = self.placed(context, &declaration, on);
            contexts.push(
                placed
                    .map_err(|report| problem_of(named.within(report, context), at))?
                    .0,
            );
        }
        let conditional = self
            .authorise
            .authorise(self.user, &declaration, &template.known())
            .map(|permit| permit == Permit::Conditional)
            .map_err(|report| problem_of(report, name))?;
        if let Action::Read(action) = &resolved.verb.action {
            for context in std::iter::once(&context).chain(contexts.iter().skip(1)) {
                action
                    .ready(context, self.user)
                    .map_err(|report| problem_of(named.within(report, context), name))?;
            }
        }
        let mut hidden = stage.clone();
        mask(&mut hidden, &template.secrets());
        let plan = StagePlan {
            number,
            span: stage.span,
            text: match hidden == *stage {
                true => stage.span.of(source).to_owned(),
                false => lang::print(&hidden),
            },
            verb: resolved.verb.clone(),
            template,
            context,
            contexts,
            site,
            on_error: modifiers.on_error.unwrap_or(self.on_error),
            parallel: modifiers.parallel,
            timeout: modifiers.timeout,
            conditional,
            fed,
            last: false,
        };
        contexts::fits(&plan, name)?;
        self.permitted(&plan, name)?;
        Ok(plan)
    }

    /// Where it runs in a context, and that context as it is there.
    fn placed(
        &self,
        context: &Arc<Context>,
        declaration: &Declaration,
        on: Option<&str>,
    ) -> Result<(Arc<Context>, Site), Report> {
        let site = self.place.place(context, declaration, on)?;
        let context = match &site {
            Site::Here => context.clone(),
            Site::Docker(host) => Arc::new(Context {
                docker_host: Some(host.clone()),
                ..context.as_ref().clone()
            }),
        };
        Ok((context, site))
    }

    /// `COMMAND --help` and `COMMAND -h` are `help COMMAND`, unless the command has such an option itself. Not where a
    /// secret stands beside it: help would know no secrets, and keep it.
    fn help_page(&self, asked: &Resolved<'_>, stage: &Stage, words: &[Word], name: Span) -> Option<(&Verb, Word)> {
        let declaration = &asked.verb.declaration;
        let options = &declaration.signature.options;
        let means_help = |word: &Word| match word.plain() {
            Some("--help") => !options
                .iter()
                .any(|option| option.name == "help" || option.aliases.contains(&"help")),
            Some("-h") => !options.iter().any(|option| option.short == Some('h')),
            _ => false,
        };
        let mut before_end = words.iter().take_while(|word| word.plain() != Some("--"));
        if !before_end.any(means_help) || !secrets(self.catalogue, stage).is_empty() {
            return None;
        }
        let help = self.catalogue.find(Some(BUILT_IN), "help").ok()?;
        let page = Word {
            span: name,
            ..Word::text(declaration.qualified())
        };
        Some((help, page))
    }

    /// What is refused by its class alone.
    fn permitted(&self, plan: &StagePlan, name: Span) -> Result<(), Problem> {
        let verb = plan.verb.declaration.qualified();
        if plan.parallel.is_some_and(|several| several > 1) && matches!(plan.verb.action, Action::Mutate(_)) {
            let message = format!("{verb} plans all its changes and applies them in order: no parallel=");
            return Err(Problem::new("E-MODIFIER-002", name, message));
        }
        if plan.risk() == Risk::Read {
            return Ok(());
        }
        let what = format!("{verb} changes something");
        let takes = self.window.takes(self.read_only, &plan.context, &what);
        takes.map_err(|report| problem_of(report, name))?;
        if self.recovery || plan.verb.declaration.recovery || !matches!(self.origin, Origin::Headless { .. }) {
            return Ok(());
        }
        let requirement = plan.opaque_plan().requirement(self.origin, plan.context.production);
        requirement.map(|_| ()).map_err(|reason| {
            let message = format!("{verb}: {reason}{}", because(&plan.context));
            Problem::new("E-APPROVAL-001", name, message).hint(Some(YES.to_owned()))
        })
    }

    fn modifiers(&self, stage: &Stage) -> Result<Modifiers, Problem> {
        let mut found = Modifiers {
            contexts: contexts::Named::one(self.context.clone()),
            on: None,
            parallel: None,
            on_error: None,
            timeout: None,
        };
        for modifier in &stage.modifiers {
            let text = |word: &Word| fixed(word, modifier.span);
            let wrong = |message: String| Problem::new("E-MODIFIER-001", modifier.span, message);
            match &modifier.kind {
                ModifierKind::Context(names) => {
                    found.contexts = contexts::Named::read(self.contexts, names, modifier.span)?;
                }
                ModifierKind::On(word) => found.on = Some((text(word)?, modifier.span)),
                ModifierKind::Parallel(word) => {
                    let count = text(word)?
                        .parse::<usize>()
                        .ok()
                        .filter(|n| (1..=MAX_PARALLEL).contains(n));
                    let range = || wrong(format!("parallel= takes a number from 1 to {MAX_PARALLEL}"));
                    found.parallel = Some(count.ok_or_else(range)?);
                }
                ModifierKind::OnError(word) => {
                    found.on_error = Some(match text(word)?.as_str() {
                        "stop" => OnError::Stop,
                        "continue" => OnError::Continue,
                        other => return Err(wrong(format!("on-error={other} is neither stop nor continue"))),
                    });
                }
                ModifierKind::Timeout(word) => {
                    let time = millis(&text(word)?).filter(|ms| *ms > 0).map(Duration::from_millis);
                    found.timeout =
                        Some(time.ok_or_else(|| wrong("timeout= takes a duration such as 30s or 5m".to_owned()))?);
                }
            }
        }
        Ok(found)
    }
}

struct Modifiers {
    contexts: contexts::Named,
    on: Option<(String, Span)>,
    parallel: Option<usize>,
    on_error: Option<OnError>,
    timeout: Option<Duration>,
}

/// What stands before a command is known before it runs.
fn fixed(word: &Word, span: Span) -> Result<String, Problem> {
    let message = "what stands before a command must be known before it runs: no variables here";
    word.literal()
        .ok_or_else(|| Problem::new("E-MODIFIER-001", span, message))
}

/// A plan of all records' changes needs an end of records.
fn follows(before: Option<&Arc<StagePlan>>, stage: &StagePlan) -> Result<(), Problem> {
    let endless = before.filter(|before| before.goes_on());
    if let (Some(before), Action::Mutate(_)) = (endless, &stage.verb.action) {
        let message = format!(
            "{} never ends by itself, so {} would never know all its targets",
            before.verb.declaration.qualified(),
            stage.verb.declaration.qualified()
        );
        return Err(Problem::new("E-INPUT-002", stage.span, message));
    }
    Ok(())
}

/// Names that can't have a value when the stage starts are refused before it does.
fn known(word: &Word, each: bool, names: &BTreeSet<String>) -> Result<(), Problem> {
    for (root, span) in roots(word) {
        let Root::Name(name) = root else { continue };
        if each || names.contains(name) {
            continue;
        }
        let message = format!("${name} has no value: no record comes in here, and no `let {name} = …` came before");
        let near = did_you_mean(&nearest(name, names.iter().cloned()));
        let hint =
            near.unwrap_or_else(|| format!("let {name} = PIPELINE gives it one; '${name}' in single quotes is text"));
        return Err(Problem::new("E-VALUE-001", span, message).hint(Some(hint)));
    }
    Ok(())
}

/// A port's refusal, at the place that caused it.
fn problem_of(report: Report, span: Span) -> Problem {
    Problem::new(report.code, span, report.sentence()).hint(report.hint)
}

/// A problem in what an alias stands for.
fn in_alias(problem: Problem, alias: Option<&str>) -> Problem {
    match alias {
        None => problem,
        Some(alias) => Problem {
            message: format!("in the alias {alias}: {}", problem.message),
            ..problem
        },
    }
}
