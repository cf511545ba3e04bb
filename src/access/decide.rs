//! The decision over the rules of one command: which of them apply, which of those count, and whether they pass.

use super::evaluate::{Truth, holds};
use super::policy::Permissions;
use super::rule::{PermissionName, Rule, Verdict, Wanted};
use crate::verb::Known;

/// May it run?
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It may.
    Allowed,
    /// It may not.
    Denied(Denial),
    /// Values that only the run knows decide; asked again when they are known.
    Depends,
}

/// Why not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Denial {
    /// The command has rules, and none is about such arguments.
    NoRule,
    /// These rules count and do not pass.
    Rules(Vec<String>),
}

/// Decides by rules that are all about one command. Of those that match, the ones in whose match the most arguments
/// and options took part count, and every one of them has to pass.
pub fn decide<'a>(permissions: &Permissions, rules: impl IntoIterator<Item = &'a Rule>, known: &Known) -> Decision {
    let mut certain: Vec<(usize, &Rule)> = Vec::new();
    let mut possible: Vec<&Rule> = Vec::new();
    for rule in rules {
        let (truth, weight) = match &rule.condition {
            None => (Truth::Yes, 0),
            Some(condition) => {
                let (truth, parts) = holds(condition, known);
                (truth, parts.len())
            }
        };
        match truth {
            Truth::Yes => certain.push((weight, rule)),
            Truth::Unknown => possible.push(rule),
            Truth::No => {}
        }
    }
    let passes = |rule: &Rule| match &rule.verdict {
        Verdict::Allow => true,
        Verdict::MustHave(wanted) => has(permissions, wanted),
    };
    if !possible.is_empty() {
        let all = || certain.iter().map(|(_, rule)| *rule).chain(possible.iter().copied());
        if !certain.is_empty() && all().all(passes) {
            return Decision::Allowed;
        }
        return if all().any(passes) {
            Decision::Depends
        } else {
            denied(all())
        };
    }
    let Some(heaviest) = certain.iter().map(|(weight, _)| *weight).max() else {
        return Decision::Denied(Denial::NoRule);
    };
    let failing: Vec<&Rule> = certain
        .into_iter()
        .filter(|(weight, rule)| *weight == heaviest && !passes(rule))
        .map(|(_, rule)| rule)
        .collect();
    match failing.is_empty() {
        true => Decision::Allowed,
        false => denied(failing),
    }
}

fn denied<'a>(rules: impl IntoIterator<Item = &'a Rule>) -> Decision {
    Decision::Denied(Denial::Rules(rules.into_iter().map(|rule| rule.text.clone()).collect()))
}

fn has(permissions: &Permissions, wanted: &Wanted) -> bool {
    let one = |name: &PermissionName| match name {
        PermissionName::Name(name) => permissions.include(name),
        PermissionName::Pattern(pattern) => permissions.any_matches(pattern),
    };
    match wanted {
        Wanted::Permission(name) => permissions.include(name),
        Wanted::AnyIn(names) => names.iter().any(one),
        Wanted::AllIn(names) => names.iter().all(one),
        Wanted::And(all) => all.iter().all(|wanted| has(permissions, wanted)),
        Wanted::Or(all) => all.iter().any(|wanted| has(permissions, wanted)),
    }
}
