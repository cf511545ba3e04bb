//! The declaration of a verb: the one table that feeds help, completion, key hints, shell completions and tests.

mod parameter;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde_json::Value;

pub use self::parameter::{OptionKind, OptionSpec, Positional};
use super::Known;
use crate::core::change::Risk;

/// How a verb takes what comes down the pipe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InputMode {
    /// Takes nothing; only as a first stage.
    None,
    /// One invocation a record; as a first stage one invocation without a record.
    Each,
    /// The whole stream once.
    All,
}

/// Options and positionals.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Signature {
    /// In the order they are typed.
    pub positionals: Vec<Positional>,
    /// In the order help shows them.
    pub options: Vec<OptionSpec>,
    /// The arguments as their author words them (`TYPE [NAME…]`): shown instead of the positionals; none: those.
    pub usage: Option<String>,
    /// Options that the original has and this has not, and what to do instead.
    pub absent: Vec<(&'static str, &'static str)>,
    /// Groups of options (or positional names) of which at most one may be given.
    pub exclusive: Vec<Vec<&'static str>>,
}

/// When a call does not end by itself. One that ends all the same, because what it follows is gone, has not failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GoesOn {
    /// It does so without any flag.
    pub always: bool,
    /// Flags by which it does, the one that shows and then follows first.
    pub with: &'static [&'static str],
    /// Options that bring it to an end all the same.
    pub until: &'static [&'static str],
}

/// Flags by which a verb that changes something only looks, and what that takes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OnlyLooks {
    /// Options with the value that does it.
    pub with: Vec<(&'static str, &'static str)>,
    /// The permission then.
    pub permission: Option<String>,
}

/// An example of use. Those with `expect` run as tests in the sandbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Example {
    /// The pipeline.
    pub line: String,
    /// What it is for.
    pub note: String,
    /// The text it renders, `…` standing for anything; none: not run.
    pub expect: Option<String>,
}

/// Everything known of a verb without running it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declaration {
    /// Bundle, `kubectl`.
    pub bundle: String,
    /// Name in the bundle, `set-image`.
    pub name: String,
    /// Version of the bundle: `native` for what is compiled in.
    pub version: String,
    /// One line.
    pub summary: String,
    /// Paragraphs for the help page; may be empty.
    pub description: String,
    /// Options and positionals.
    pub signature: Signature,
    /// What it takes from the pipe.
    pub input: InputMode,
    /// The lowest class; a plan may raise it.
    pub risk: Risk,
    /// When it is of class `read` all the same.
    pub only_looks: OnlyLooks,
    /// Permission the access rules name, `kubectl:write`; none: allowed to all, unless a rule says otherwise.
    pub permission: Option<String>,
    /// Rules in the access language beside that of the permission; short (`must have kubectl:write`) or long.
    pub rules: Vec<String>,
    /// Examples.
    pub examples: Vec<Example>,
    /// What its records look like.
    pub output: String,
    /// Sample records, which `help --output` emits; none: only the text above.
    pub sample: Option<Value>,
    /// Remarks at the foot of the help page.
    pub notes: String,
    /// When it does not end by itself.
    pub goes_on: GoesOn,
    /// Recovers something (`undo`): asks by itself, one Enter, production included; so the engine does not ask first.
    pub recovery: bool,
    /// Does something to this session, or waits for it, though it changes nothing outside: not to be run again and again.
    pub once: bool,
    /// Its answer is a page: read from its beginning, not from its end.
    pub page: bool,
    /// With one of these values of this option its answer is a page, too.
    pub page_with: Option<(&'static str, &'static [&'static str])>,
    /// Must know where in the stream its record stands ([`Call::step`](super::Call)); that holds back each record until
    /// the next one or the end is known.
    pub stepped: bool,
}

/// What is known of a bundle beside its commands: the help page of the whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BundleInfo {
    /// Its name, `kubectl`.
    pub name: String,
    /// `native` for what is compiled in.
    pub version: String,
    /// One line: `Interact with Kubernetes`.
    pub summary: String,
    /// Paragraphs; may be empty.
    pub description: String,
    /// Remarks above the configuration's variables; may be empty.
    pub configuration: String,
    /// Variables and what they do.
    pub variables: Vec<(String, String)>,
    /// Who wrote it; empty: not told.
    pub author: String,
    /// Where it lives; empty: not told.
    pub homepage: String,
}

impl BundleInfo {
    /// A built-in bundle's name and summary.
    pub fn new(name: &str, summary: &str) -> Self {
        BundleInfo {
            name: name.to_owned(),
            version: "native".to_owned(),
            summary: summary.to_owned(),
            ..Self::default()
        }
    }
}

impl Declaration {
    /// A native declaration with nothing but a name and a summary: reads, takes each record, no arguments.
    pub fn new(bundle: &str, name: &str, summary: &str) -> Self {
        Declaration {
            bundle: bundle.to_owned(),
            name: name.to_owned(),
            version: "native".to_owned(),
            summary: summary.to_owned(),
            description: String::new(),
            signature: Signature::default(),
            input: InputMode::Each,
            risk: Risk::Read,
            only_looks: OnlyLooks::default(),
            permission: None,
            rules: Vec::new(),
            examples: Vec::new(),
            output: String::new(),
            sample: None,
            notes: String::new(),
            goes_on: GoesOn::default(),
            recovery: false,
            once: false,
            page: false,
            page_with: None,
            stepped: false,
        }
    }

    /// `kubectl:set-image`.
    pub fn qualified(&self) -> String {
        format!("{}:{}", self.bundle, self.name)
    }

    /// Sets the lowest risk class.
    #[must_use]
    pub fn risk(mut self, risk: Risk) -> Self {
        self.risk = risk;
        self
    }

    /// With one of these options, too, at this value it only looks, for which it takes another permission.
    #[must_use]
    pub fn only_looking(mut self, with: &[(&'static str, &'static str)], permission: &str) -> Self {
        self.only_looks.with.extend(with);
        self.only_looks.permission = Some(permission.to_owned());
        self
    }

    /// Whether a call with these arguments certainly only looks, though the verb changes something. Not where a
    /// variable will give the value.
    pub fn looks_only(&self, arguments: &Known) -> bool {
        self.only_looks.with.iter().any(|(option, value)| {
            let given = arguments.options.get(*option).and_then(Option::as_ref);
            given.is_some_and(|given| crate::core::record::to_text(given) == *value)
        })
    }

    /// The lowest class of a call with these arguments, as far as that is known before it runs.
    pub fn risk_of(&self, arguments: &Known) -> Risk {
        match self.looks_only(arguments) {
            true => Risk::Read,
            false => self.risk,
        }
    }

    /// The permission that a call with these arguments takes.
    pub fn permission_of(&self, arguments: &Known) -> Option<&String> {
        match self.looks_only(arguments) {
            true => self.only_looks.permission.as_ref(),
            false => self.permission.as_ref(),
        }
    }

    /// Sets what it takes from the pipe.
    #[must_use]
    pub fn input(mut self, input: InputMode) -> Self {
        self.input = input;
        self
    }

    /// Sets the permission.
    #[must_use]
    pub fn permission(mut self, permission: &str) -> Self {
        self.permission = Some(permission.to_owned());
        self
    }

    /// Adds a rule about who may run it.
    #[must_use]
    pub fn rule(mut self, text: &str) -> Self {
        self.rules.push(text.to_owned());
        self
    }

    /// Says that it must know where in the stream its record stands.
    #[must_use]
    pub fn stepped(mut self) -> Self {
        self.stepped = true;
        self
    }

    /// Adds a positional.
    #[must_use]
    pub fn positional(mut self, positional: Positional) -> Self {
        self.signature.positionals.push(positional);
        self
    }

    /// Adds an option.
    #[must_use]
    pub fn option(mut self, option: OptionSpec) -> Self {
        self.signature.options.push(option);
        self
    }

    /// Adds several options.
    #[must_use]
    pub fn options(mut self, options: impl IntoIterator<Item = OptionSpec>) -> Self {
        self.signature.options.extend(options);
        self
    }

    /// These options of the original are not here; each with what to do instead.
    #[must_use]
    pub fn without(mut self, absent: &[(&'static str, &'static str)]) -> Self {
        self.signature.absent.extend_from_slice(absent);
        self
    }

    /// At most one of these options may be given.
    #[must_use]
    pub fn exclusive(mut self, names: &[&'static str]) -> Self {
        self.signature.exclusive.push(names.to_vec());
        self
    }

    /// Sets the paragraphs of the help page.
    #[must_use]
    pub fn description(mut self, text: &str) -> Self {
        self.description = text.to_owned();
        self
    }

    /// Says what the records look like.
    #[must_use]
    pub fn output(mut self, text: &str) -> Self {
        self.output = text.to_owned();
        self
    }

    /// Adds remarks.
    #[must_use]
    pub fn notes(mut self, text: &str) -> Self {
        self.notes = text.to_owned();
        self
    }

    /// Adds an example that is only shown.
    #[must_use]
    pub fn example(mut self, line: &str, note: &str) -> Self {
        self.examples.push(Example {
            line: line.to_owned(),
            note: note.to_owned(),
            expect: None,
        });
        self
    }

    /// Adds an example that is run as a test.
    #[must_use]
    pub fn example_expecting(mut self, line: &str, note: &str, expect: &str) -> Self {
        self.examples.push(Example {
            line: line.to_owned(),
            note: note.to_owned(),
            expect: Some(expect.to_owned()),
        });
        self
    }

    /// It follows something and does not end by itself.
    #[must_use]
    pub fn endless(mut self) -> Self {
        self.goes_on.always = true;
        self
    }

    /// With one of these flags it follows something and does not end by itself.
    #[must_use]
    pub fn following(mut self, flags: &'static [&'static str]) -> Self {
        self.goes_on.with = flags;
        self
    }

    /// With one of these options it ends, whatever it follows.
    #[must_use]
    pub fn ending(mut self, options: &'static [&'static str]) -> Self {
        self.goes_on.until = options;
        self
    }

    /// Whether a call with these arguments goes on until it is stopped, as far as that is known before it runs.
    pub fn goes_on(&self, arguments: &Known) -> bool {
        let is_on = |flag: &&str| arguments.options.get(*flag) == Some(&Some(Value::Bool(true)));
        let given = |name: &&str| !matches!(arguments.options.get(*name), None | Some(Some(Value::Bool(false))));
        (self.goes_on.always || self.goes_on.with.iter().any(is_on)) && !self.goes_on.until.iter().any(given)
    }

    /// Whether a call with these arguments may go on for long: also where another option brings it to an end, and where a
    /// flag is not known before it runs.
    pub fn may_go_on(&self, arguments: &Known) -> bool {
        let may = |flag: &&str| !matches!(arguments.options.get(*flag), None | Some(Some(Value::Bool(false))));
        self.goes_on.always || self.goes_on.with.iter().any(may)
    }

    /// The flag by which a call would go on; `mentions`: whether it has this option, of whatever value. None: there is no
    /// such flag, one of them is there already or ruled out, or another option brings the call to an end all the same.
    pub fn follow_flag(&self, mentions: impl Fn(&str) -> bool) -> Option<&OptionSpec> {
        let GoesOn { always, with, until } = self.goes_on;
        let first = with.first().filter(|_| !always)?;
        let settled = with.iter().chain(until).any(|name| mentions(name));
        let mut options = self.signature.options.iter().filter(|_| !settled);
        options.find(|option| option.name == *first)
    }

    /// It does something to this session: not to be run again and again by a panel.
    #[must_use]
    pub fn once(mut self) -> Self {
        self.once = true;
        self
    }

    /// Its answer is read from its beginning.
    #[must_use]
    pub fn page(mut self) -> Self {
        self.page = true;
        self
    }

    /// Its answer is read from its beginning where this option has one of these values.
    #[must_use]
    pub fn page_with(mut self, option: &'static str, values: &'static [&'static str]) -> Self {
        self.page_with = Some((option, values));
        self
    }

    /// Whether the answer of a call with these options is a page.
    pub fn is_page(&self, options: &BTreeMap<String, String>) -> bool {
        let with =
            |(name, values): (&str, &[&str])| options.get(name).is_some_and(|given| values.contains(&given.as_str()));
        self.page || self.page_with.is_some_and(with)
    }

    /// Whether a call that mentions these options goes on until it is stopped.
    pub fn follows(&self, mentions: impl Fn(&str) -> bool) -> bool {
        let GoesOn { always, with, until } = self.goes_on;
        (always || with.iter().any(|name| mentions(name))) && !until.iter().any(|name| mentions(name))
    }

    /// It recovers something and asks by itself.
    #[must_use]
    pub fn recovery(mut self) -> Self {
        self.recovery = true;
        self
    }
}
