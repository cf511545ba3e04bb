//! Who may run what: the rule language, and the decision over a user's permissions and a command's rules. Pure: nothing
//! here reads a file, a clock or a database, and nothing runs. Where permissions come from is the composition root's.
//!
//! ```text
//! rule       = [ "when" "command" "is" BUNDLE:NAME ] [ "with" condition ] ( "allow" | "must" "have" wanted )
//! condition  = all-of { "or" all-of }          all-of = single { "and" single }      single = [ "not" ] test | "(" condition ")"
//! test       = subject ( "==" | "!=" | "<" | "<=" | "=<" | ">" | ">=" ) value | subject "in" "[" value { "," value } "]"
//! subject    = "arg[" N "]" | "option[" NAME "]" | ( "any" | "all" ) ( "arg" | "args" | "option" | "options" | "option[" NAME "]" )
//! value      = number | true | false | word | "text" | 'text' | /regular expression/
//! wanted     = its own "and" / "or" over: NAMESPACE:NAME | ( "any" | "all" ) "in" "[" permission or /regular expression/ , … "]"
//! ```
//!
//! `and` binds closer than `or`. Values of different types are unequal and have no order; only a text that spells a
//! number is that number. What was not given equals nothing. A rule's weight is the number of arguments and options that took part in its match; of all rules
//! that match the heaviest decide, and **all of them** must pass.

mod decide;
mod evaluate;
mod lexer;
mod parser;
mod policy;
mod rule;
#[cfg(test)]
mod tests;

pub use decide::{Decision, Denial, decide};
pub use policy::{Permissions, Policy, rules_of};
pub use rule::{Comparison, Condition, Literal, PermissionName, Rule, Subject, Verdict, Wanted};
