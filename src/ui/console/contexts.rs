//! The contexts that `:ctx` names: one, several (`a,b`) or all there are (`*`). Not for the language's own `@a,b`, whose
//! words are the same.

use std::sync::Arc;

use crate::core::context::Context;
use crate::core::report::Report;
use crate::engine::plan::MAX_PARALLEL;
use crate::verb::catalogue::{did_you_mean, nearest};

/// All there are.
pub const EVERY: &str = "*";

/// Contexts shown at once at most: as many as a command runs in at once.
const MOST: usize = MAX_PARALLEL;

/// What is known of contexts.
pub struct Known<'k> {
    /// The name of the session's own.
    pub own: String,
    /// All names.
    pub names: Vec<String>,
    /// The context of a name.
    pub find: &'k dyn Fn(&str) -> Option<Arc<Context>>,
}

impl Known<'_> {
    /// The context of this name; refused with the nearest names.
    pub fn one(&self, name: &str) -> Result<Arc<Context>, Report> {
        (self.find)(name).ok_or_else(|| {
            let report = refused(format!("there is no context {name}"));
            match did_you_mean(&nearest(name, self.names.clone())) {
                Some(hint) => report.hint(hint),
                None => report,
            }
        })
    }

    /// The contexts of `a`, `a,b` or `*`, in the order named; of all there are the session's own first. Never none.
    pub fn named(&self, text: &str) -> Result<Vec<Arc<Context>>, Report> {
        // A name may have a comma in it.
        if let Some(context) = (self.find)(text) {
            return Ok(vec![context]);
        }
        let names: Vec<String> = match text {
            EVERY => {
                let mut names = self.names.clone();
                names.sort_by_key(|name| *name != self.own);
                names
            }
            text => text.split(',').map(|name| name.trim().to_owned()).collect(),
        };
        let mut found: Vec<Arc<Context>> = Vec::new();
        for name in &names {
            if name.is_empty() {
                return Err(refused(format!("a name is missing in {text:?}")).hint("ctx NAME, ctx A,B or ctx *"));
            }
            if found.iter().any(|context| context.name == *name) {
                return Err(refused(format!("context {name} is named twice")).hint("name each context once"));
            }
            found.push(self.one(name)?);
        }
        match found.len() {
            0 => Err(refused("there is no context at all").hint("set KUBECONFIG, or write a [contexts.NAME] table")),
            count if count > MOST => {
                let message = format!("these are {count} contexts, and at most {MOST} are shown at once");
                Err(refused(message).hint("name those you mean: ctx A,B"))
            }
            _ => Ok(found),
        }
    }
}

fn refused(message: impl Into<String>) -> Report {
    Report::refused("E-CONSOLE-007", message)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn asked(names: &[&str], text: &str) -> Result<Vec<String>, String> {
        let known = Known {
            own: "green".into(),
            names: names.iter().map(|name| (*name).to_owned()).collect(),
            find: &|name| names.contains(&name).then(|| Arc::new(Context::empty(name))),
        };
        let found = known.named(text).map_err(|report| report.told().as_str().to_owned())?;
        Ok(found.iter().map(|context| context.name.clone()).collect())
    }

    #[test]
    fn one_several_and_all_are_found_in_their_order() {
        let names = ["blue", "green", "eu,us"];
        for (text, wanted) in [
            ("blue", &["blue"][..]),
            ("green,blue", &["green", "blue"]),
            ("green, blue", &["green", "blue"]),
            ("eu,us", &["eu,us"]),
            ("*", &["green", "blue", "eu,us"]),
        ] {
            assert_eq!(asked(&names, text).unwrap(), wanted, "{text}");
        }
    }

    #[test]
    fn what_cannot_be_meant_is_refused_with_a_way_out() {
        let names = ["blue", "green"];
        for (text, wanted) in [
            ("bleu", "did you mean blue?"),
            ("blue,gren", "did you mean green?"),
            ("blue,blue", "named twice"),
            ("blue,", "a name is missing"),
            ("", "a name is missing"),
            ("blue,*", "there is no context *"),
        ] {
            let told = asked(&names, text).unwrap_err();
            assert!(told.contains(wanted), "{text}: {told}");
        }
        assert!(asked(&[], "*").unwrap_err().contains("no context at all"));
        let many: Vec<String> = (0..=MOST).map(|n| n.to_string()).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert!(asked(&many, "*").unwrap_err().contains("at most 64 are shown at once"));
    }
}
