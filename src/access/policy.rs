//! Everything that decides: users with their permissions, the site's own rules beside those of the commands, and the
//! rules of commands that the site has turned off.

use std::collections::{BTreeMap, BTreeSet};

use regex::Regex;

use super::decide::{Decision, Denial, decide};
use super::rule::Rule;
use crate::core::report::Report;
use crate::verb::{Declaration, Known};

const DENIED: &str = "E-ACCESS-001";
const NO_RULE: &str = "E-ACCESS-002";

/// What a user holds: `NAMESPACE:NAME`, `NAMESPACE:*`, or `*` for everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Permissions(BTreeSet<String>);

impl Permissions {
    /// Checks how they are written.
    pub fn new(names: impl IntoIterator<Item = String>) -> Result<Permissions, Report> {
        let names: BTreeSet<String> = names.into_iter().collect();
        let wrong = |name: &&String| {
            let parts = name.split_once(':');
            *name != "*" && parts.is_none_or(|(namespace, name)| namespace.is_empty() || name.is_empty())
        };
        match names.iter().find(wrong) {
            None => Ok(Permissions(names)),
            Some(name) => Err(Report::refused("E-ACCESS-003", format!("{name:?} is no permission"))
                .hint("write NAMESPACE:NAME, NAMESPACE:* or *")),
        }
    }

    /// Whether they include this one.
    pub fn include(&self, name: &str) -> bool {
        let namespace = name.split_once(':').map_or(name, |(namespace, _)| namespace);
        self.0.contains(name) || self.0.contains("*") || self.0.contains(&format!("{namespace}:*"))
    }

    /// Whether one of them matches.
    pub fn any_matches(&self, pattern: &Regex) -> bool {
        self.0.contains("*") || self.0.iter().any(|name| pattern.is_match(name))
    }
}

/// Who may run what.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    users: BTreeMap<String, Permissions>,
    site: Vec<Rule>,
    disabled: BTreeSet<String>,
}

impl Policy {
    /// From what is configured. No users: everyone may do everything. `disabled` are rules of commands in their long
    /// form, blanks counting as one.
    pub fn new(
        users: BTreeMap<String, Permissions>,
        rules: impl IntoIterator<Item = String>,
        disabled: impl IntoIterator<Item = String>,
    ) -> Result<Policy, Report> {
        let site = rules.into_iter().map(|text| Rule::parse(&text));
        let disabled = disabled
            .into_iter()
            .map(|text| Rule::parse(&text).map(|rule| plain(&rule.text)));
        Ok(Policy {
            users,
            site: site.collect::<Result<_, _>>()?,
            disabled: disabled.collect::<Result<_, _>>()?,
        })
    }

    /// Whether nothing is configured, so that everything may be run.
    pub fn is_open(&self) -> bool {
        self.users.is_empty()
    }

    /// May this user run this command with these arguments? A command without any rule may be run by everyone. `Err`:
    /// one of its rules can't be read, so nobody may.
    pub fn decide(&self, user: &str, declaration: &Declaration, known: &Known) -> Result<Decision, Report> {
        if self.is_open() {
            return Ok(Decision::Allowed);
        }
        let mut rules = rules_of(declaration, known)?;
        let any = !rules.is_empty();
        rules.retain(|rule| !self.disabled.contains(&plain(&rule.text)));
        let site = self.site.iter();
        let site: Vec<&Rule> = site
            .filter(|rule| rule.bundle == declaration.bundle && rule.command == declaration.name)
            .collect();
        if !any && site.is_empty() {
            return Ok(Decision::Allowed);
        }
        let nothing = Permissions::default();
        let permissions = self.users.get(user).unwrap_or(&nothing);
        Ok(decide(permissions, rules.iter().chain(site), known))
    }

    /// A denial as a refusal.
    pub fn refusal(&self, user: &str, declaration: &Declaration, denial: &Denial) -> Report {
        let verb = declaration.qualified();
        let hint = match self.users.contains_key(user) {
            true => format!("permissions are given under [users.{user}] in the configuration"),
            false => format!("the configuration has no [users.{user}], so {user} has no permission"),
        };
        match denial {
            Denial::NoRule => Report::refused(NO_RULE, format!("no rule of {verb} is about such arguments")).hint(
                "a rule such as `when command is … with … must have …` in the configuration's rules says who may",
            ),
            Denial::Rules(rules) => {
                Report::refused(DENIED, format!("{user} may not run {verb}: {}", rules.join("; "))).hint(hint)
            }
        }
    }
}

/// The rules that a command brings for such arguments: its permission is the shortest of them.
pub fn rules_of(declaration: &Declaration, known: &Known) -> Result<Vec<Rule>, Report> {
    let permission = declaration
        .permission_of(known)
        .into_iter()
        .map(|name| format!("must have {name}"));
    let texts = permission.chain(declaration.rules.iter().cloned());
    texts
        .map(|text| Rule::of_command(&text, &declaration.bundle, &declaration.name))
        .collect()
}

fn plain(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
