//! A change as an object: targets, before and after, risk, inverse, digest; and the rules of approval.
//! Not for performing it: verbs apply changes, the store journals them.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// More targets than this make a plan a fleet operation.
pub const FLEET_TARGETS: usize = 5;

/// The risk classes, lowest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Risk {
    /// Looks only.
    Read,
    /// Changes something that can be changed back.
    Change,
    /// Removes or overwrites something that is in use.
    Destroy,
    /// More than [`FLEET_TARGETS`] targets at once.
    Fleet,
}

impl Risk {
    /// One class higher; a context marked production raises so.
    #[must_use]
    pub fn raised(self) -> Risk {
        match self {
            Risk::Read => Risk::Read,
            Risk::Change => Risk::Destroy,
            Risk::Destroy | Risk::Fleet => Risk::Fleet,
        }
    }
}

impl std::fmt::Display for Risk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Risk::Read => "read",
            Risk::Change => "change",
            Risk::Destroy => "destroy",
            Risk::Fleet => "fleet",
        })
    }
}

/// What a change acts on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// Kind in its API's own word: `Deployment`, `RecordSet`, `Instance`.
    pub kind: String,
    /// Where it lies: namespace, hosted zone, region; empty when it lies nowhere.
    pub scope: String,
    /// Its name; what an approval of class destroy asks to be typed.
    pub name: String,
}

/// How to take a change back: a pipeline of ours, printed from an ast, and what it expects to find.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Inverse {
    /// The pipeline text.
    pub pipeline: String,
    /// The state the target must still be in; anything else means it moved meanwhile and the inverse is refused.
    pub expects: Value,
}

/// One planned change of one target.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// The verb, `kubectl:scale`.
    pub verb: String,
    /// One sentence for a person: `scale deployment/inspector 1 → 3`. Never holds secret values.
    pub summary: String,
    /// What it acts on.
    pub target: Target,
    /// The state before, as far as the change touches it; null: it does not exist.
    pub before: Value,
    /// The state after; null: it will not exist.
    pub after: Value,
    /// What must still hold when it is applied (a resourceVersion, a whole record set); null: nothing to check.
    pub precondition: Value,
    /// What `apply` needs to send. Not shown and not journalled, since it may hold secret values.
    #[serde(skip)]
    pub request: Value,
    /// The class, as this plan found it (a verb declares only the lowest).
    pub risk: Risk,
    /// How to take it back; none: it cannot be.
    pub inverse: Option<Inverse>,
    /// A recovery (`undo`, `rollout undo`, `pause`): always plan and one Enter, production included.
    pub recovery: bool,
}

impl Change {
    /// An entry of class `read`: what was asked for is so already, or is only to be tried. It is no target of the plan
    /// and is not journalled; applying it answers, and sends nothing.
    pub fn only_answers(&self) -> bool {
        self.risk == Risk::Read
    }

    /// Nothing would change: before equals after.
    pub fn is_noop(&self) -> bool {
        self.before == self.after
    }
}

/// What the operator is asked to approve: every change one stage is about to make, as one object.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The changes, in the order they will be applied.
    pub changes: Vec<Change>,
}

/// What an approval has to consist of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Requirement {
    /// Applies at once.
    Nothing,
    /// The plan is shown, Enter applies.
    Enter,
    /// The target's name is typed.
    Name(String),
    /// The number of targets is typed.
    Count(usize),
}

/// Where the wish to change came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A line typed in the console.
    Typed,
    /// A key on a row.
    Key,
    /// `cogdeck run`: no one to ask.
    Headless {
        /// `--yes`.
        yes: bool,
        /// `--max-targets N`.
        max_targets: Option<usize>,
    },
}

impl Plan {
    /// SHA-256 over targets, before, after and preconditions: what an approval names.
    pub fn digest(&self) -> String {
        let parts: Vec<Value> = self
            .changes
            .iter()
            .map(|c| json!([c.verb, c.target, c.before, c.after, c.precondition]))
            .collect();
        hex(&Sha256::digest(Value::Array(parts).to_string()))
    }

    /// The class of the whole plan: the highest of its changes, fleet above [`FLEET_TARGETS`], one more on production.
    pub fn risk(&self, production: bool) -> Risk {
        let highest = self.changes.iter().map(|c| c.risk).max().unwrap_or(Risk::Read);
        let counted = if self.changes.len() > FLEET_TARGETS {
            Risk::Fleet
        } else {
            highest
        };
        if production && !self.is_recovery() {
            counted.raised()
        } else {
            counted
        }
    }

    /// All changes recover something.
    pub fn is_recovery(&self) -> bool {
        !self.changes.is_empty() && self.changes.iter().all(|c| c.recovery)
    }

    /// What approving this plan takes. `Err` says why it is refused without anyone being asked.
    pub fn requirement(&self, origin: Origin, production: bool) -> Result<Requirement, String> {
        let risk = self.risk(production);
        if let Origin::Headless { yes, max_targets } = origin {
            return self.headless(risk, yes, max_targets);
        }
        Ok(match risk {
            Risk::Read => Requirement::Nothing,
            _ if self.is_recovery() => Requirement::Enter,
            Risk::Change if origin == Origin::Typed => Requirement::Nothing,
            Risk::Change => Requirement::Enter,
            Risk::Destroy if self.changes.len() > 1 => Requirement::Count(self.changes.len()),
            Risk::Destroy => {
                Requirement::Name(self.changes.first().map_or_else(String::new, |c| c.target.name.clone()))
            }
            Risk::Fleet => Requirement::Count(self.changes.len()),
        })
    }

    fn headless(&self, risk: Risk, yes: bool, max_targets: Option<usize>) -> Result<Requirement, String> {
        let count = self.changes.len();
        if let Some(most) = max_targets
            && count > most
        {
            return Err(format!("{count} targets are more than --max-targets {most}"));
        }
        match risk {
            Risk::Read | Risk::Change => Ok(Requirement::Nothing),
            _ if yes || self.is_recovery() => Ok(Requirement::Nothing),
            Risk::Fleet if max_targets.is_some() => Ok(Requirement::Nothing),
            Risk::Fleet => Err(format!("{count} targets need --yes or --max-targets {count}")),
            Risk::Destroy => Err("a change of class destroy needs --yes".to_owned()),
        }
    }
}

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(risk: Risk, recovery: bool) -> Change {
        Change {
            verb: "kubectl:scale".into(),
            summary: "scale".into(),
            target: Target {
                kind: "Deployment".into(),
                scope: "default".into(),
                name: "web".into(),
            },
            before: json!({"replicas": 1}),
            after: json!({"replicas": 3}),
            precondition: Value::Null,
            request: Value::Null,
            risk,
            inverse: None,
            recovery,
        }
    }

    fn plan(risk: Risk, count: usize) -> Plan {
        Plan {
            changes: vec![change(risk, false); count],
        }
    }

    const HEADLESS: Origin = Origin::Headless {
        yes: false,
        max_targets: None,
    };

    #[test]
    fn the_table_of_approvals() {
        use Requirement::*;
        let cases = [
            (plan(Risk::Change, 1), Origin::Typed, false, Ok(Nothing)),
            (plan(Risk::Change, 1), Origin::Key, false, Ok(Enter)),
            (plan(Risk::Change, 1), Origin::Typed, true, Ok(Name("web".into()))),
            (plan(Risk::Destroy, 1), Origin::Typed, false, Ok(Name("web".into()))),
            (plan(Risk::Destroy, 3), Origin::Typed, false, Ok(Count(3))),
            (plan(Risk::Change, 6), Origin::Typed, false, Ok(Count(6))),
            (plan(Risk::Change, 1), HEADLESS, false, Ok(Nothing)),
            (plan(Risk::Destroy, 1), HEADLESS, false, Err(())),
            (plan(Risk::Change, 6), HEADLESS, false, Err(())),
            (
                plan(Risk::Destroy, 1),
                Origin::Headless {
                    yes: true,
                    max_targets: None,
                },
                false,
                Ok(Nothing),
            ),
            (
                plan(Risk::Change, 6),
                Origin::Headless {
                    yes: false,
                    max_targets: Some(6),
                },
                false,
                Ok(Nothing),
            ),
            (
                plan(Risk::Change, 7),
                Origin::Headless {
                    yes: true,
                    max_targets: Some(6),
                },
                false,
                Err(()),
            ),
        ];
        for (index, (plan, origin, production, wanted)) in cases.into_iter().enumerate() {
            assert_eq!(
                plan.requirement(origin, production).map_err(|_| ()),
                wanted,
                "case {index}"
            );
        }
    }

    #[test]
    fn recovery_is_one_enter_on_production_too() {
        let plan = Plan {
            changes: vec![change(Risk::Destroy, true)],
        };
        assert_eq!(plan.requirement(Origin::Typed, true), Ok(Requirement::Enter));
    }

    #[test]
    fn the_digest_moves_with_the_target() {
        let one = plan(Risk::Change, 1);
        let mut moved = one.clone();
        moved.changes[0].before = json!({"replicas": 2});
        assert_ne!(one.digest(), moved.digest());
        assert_eq!(one.digest(), plan(Risk::Change, 1).digest());
    }
}
