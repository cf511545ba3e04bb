//! Aliases on a line: found by name, expanded in the tree before anything else is asked. A built-in command wins over
//! an alias of its name, the user's over the site's, an alias over a bundle's command; `user:x` and `site:x` say
//! which. Names with any other bundle in front are never aliases.

use super::masked::is_mark;
use super::options::masked;
use super::problem::Problem;
use super::resolve::joins;
use crate::core::report::Report;
use crate::lang::{self, Pipeline, Span, Stage, Word};
use crate::verb::catalogue::{BUILT_IN, Catalogue, NameError, did_you_mean, nearest};
use crate::verb::{Alias, AliasScope};

/// Aliases inside each other, at most.
pub const DEEPEST: usize = 5;
/// Stages of one pipeline when all is expanded.
const MOST_STAGES: usize = 100;

const UNKNOWN: &str = "E-ALIAS-001";
const LOOP: &str = "E-ALIAS-002";
const TOO_DEEP: &str = "E-ALIAS-003";
const BODY: &str = "E-ALIAS-004";
const ARGUMENTS: &str = "E-ALIAS-005";
const REDIRECT: &str = "E-ALIAS-006";
const NAME: &str = "E-ALIAS-007";

/// The longest name.
const LONGEST_NAME: usize = 64;

/// A pipeline without aliases.
#[derive(Debug)]
pub struct Expanded {
    /// What runs.
    pub pipeline: Pipeline,
    /// For each of its stages, where it comes from.
    pub origins: Vec<Origin>,
}

/// Where a stage of an expanded pipeline comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// Index of the stage that was typed.
    pub typed: usize,
    /// The alias that stands there; none: the stage itself.
    pub alias: Option<String>,
}

impl Expanded {
    /// Whether there was any alias.
    pub fn any(&self) -> bool {
        self.origins.iter().any(|origin| origin.alias.is_some())
    }
}

/// Expands every alias of a pipeline.
pub fn expand(catalogue: &Catalogue, typed: &Pipeline) -> Result<Expanded, Problem> {
    let mut pipeline = Pipeline {
        stages: Vec::new(),
        ..typed.clone()
    };
    let mut origins = Vec::new();
    let last = typed.stages.len().saturating_sub(1);
    for (index, stage) in typed.stages.iter().enumerate() {
        let (body, alias) = expand_stage(catalogue, stage, &mut Vec::new())?;
        if let Some(redirect) = body.redirect {
            if index < last {
                let name = alias.unwrap_or_default();
                let message = format!("{name} ends in a redirect, so nothing can follow it");
                return Err(Problem::new(REDIRECT, stage.span, message));
            }
            // What was typed behind the alias wins.
            pipeline.redirect.get_or_insert(redirect);
        }
        let origin = Origin { typed: index, alias };
        origins.extend(body.stages.iter().map(|_| origin.clone()));
        pipeline.stages.extend(body.stages);
        if pipeline.stages.len() > MOST_STAGES {
            let message = format!("with its aliases expanded this pipeline has more than {MOST_STAGES} stages");
            return Err(Problem::new(TOO_DEEP, stage.span, message));
        }
    }
    Ok(Expanded { pipeline, origins })
}

fn expand_stage(
    catalogue: &Catalogue,
    stage: &Stage,
    chain: &mut Vec<String>,
) -> Result<(Pipeline, Option<String>), Problem> {
    let Some((alias, words)) = find(catalogue, &stage.words)? else {
        return Ok((stage.clone().into(), None));
    };
    // Here, where it is still a word: the alias may put it into the middle of a text.
    if let Some(word) = stage.words.iter().skip(words).find(|word| is_mark(word)) {
        return Err(masked(word.span));
    }
    let name = alias.qualified();
    let place = stage
        .words
        .iter()
        .take(words)
        .map(|word| word.span)
        .reduce(Span::to)
        .unwrap_or_default();
    let looped = chain.contains(&name);
    chain.push(name.clone());
    if looped {
        let message = format!("this alias calls itself: {}", chain.join(" -> "));
        return Err(Problem::new(LOOP, place, message).hint(Some(format!("`alias info {name}` shows it"))));
    }
    if chain.len() > DEEPEST {
        let message = format!("aliases are more than {DEEPEST} deep: {}", chain.join(" -> "));
        return Err(Problem::new(TOO_DEEP, place, message));
    }
    let hint = Some(format!("{name} is: {}", alias.body));
    let body = body(&alias.body).map_err(|problem| Problem {
        span: place,
        message: format!("the alias {name} is not right: {}", problem.message),
        ..problem
    })?;
    let body = lang::splice(stage, words, &body)
        .map_err(|error| Problem::new(ARGUMENTS, place, format!("{name}: {error}")).hint(hint))?;
    let mut whole = Pipeline {
        stages: Vec::new(),
        ..body
    };
    let last = body.stages.len().saturating_sub(1);
    for (index, stage) in body.stages.iter().enumerate() {
        let (inner, _) = expand_stage(catalogue, stage, chain)?;
        if let Some(redirect) = inner.redirect {
            if index < last {
                let message = format!("in {name} something follows an alias that ends in a redirect");
                return Err(Problem::new(REDIRECT, place, message));
            }
            whole.redirect.get_or_insert(redirect);
        }
        whole.stages.extend(inner.stages);
        if whole.stages.len() > MOST_STAGES {
            let message = format!("{name} has more than {MOST_STAGES} stages");
            return Err(Problem::new(TOO_DEEP, place, message));
        }
    }
    chain.pop();
    Ok((whole, Some(name)))
}

/// A call of an alias.
pub struct AliasCall {
    /// How many of its words are the name.
    pub words: usize,
    /// What it stands for, with the arguments where they go; or why it stands for nothing.
    pub body: Result<Pipeline, Problem>,
}

/// The call that a stage is; none: it names no alias.
pub fn call(catalogue: &Catalogue, stage: &Stage) -> Result<Option<AliasCall>, Problem> {
    let found = find(catalogue, &stage.words)?;
    Ok(found.map(|(_, words)| AliasCall {
        words,
        body: expand_stage(catalogue, stage, &mut Vec::new()).map(|(body, _)| body),
    }))
}

/// An alias's text as what it has to be: one pipeline, without a name for its result.
pub fn body(text: &str) -> Result<Pipeline, Problem> {
    let mut line =
        lang::parse(text).map_err(|error| Problem::new(error.code, error.span, error.message).hint(error.hint))?;
    let whole = line.span;
    match (line.items.len(), line.items.pop()) {
        (1, Some(item)) if item.then.is_none() && item.pipeline.binding.is_none() => Ok(item.pipeline),
        _ => {
            let message = "an alias is one pipeline: `|` joins its commands, without `&&`, `||`, `;`, `&` or `let`";
            Err(Problem::new(BODY, whole, message))
        }
    }
}

/// The alias that a stage's words name, and how many of them are its name.
fn find<'a>(catalogue: &'a Catalogue, words: &[Word]) -> Result<Option<(&'a Alias, usize)>, Problem> {
    let Some(name) = words.first().and_then(Word::literal) else {
        return Ok(None);
    };
    let place = words.first().map(|word| word.span).unwrap_or_default();
    let rest = words.get(1..).unwrap_or_default();
    match name.split_once(':') {
        Some((bundle, name)) => match AliasScope::of_word(bundle) {
            None => Ok(None),
            Some(scope) => {
                let joins = joins(name, rest);
                let mut longest_first = joins.iter().enumerate().rev();
                let found = longest_first.find_map(|(at, name)| Some((catalogue.alias(Some(scope), name)?, at + 1)));
                found.map(Some).ok_or_else(|| unknown(catalogue, scope, name, place))
            }
        },
        None => {
            for (at, name) in joins(&name, rest).iter().enumerate().rev() {
                if catalogue.find(Some(BUILT_IN), name).is_ok() {
                    return Ok(None);
                }
                if let Some(alias) = catalogue.alias(None, name) {
                    return Ok(Some((alias, at + 1)));
                }
                if matches!(catalogue.find(None, name), Ok(_) | Err(NameError::Ambiguous(_))) {
                    return Ok(None);
                }
            }
            Ok(None)
        }
    }
}

fn unknown(catalogue: &Catalogue, scope: AliasScope, name: &str, place: Span) -> Problem {
    let known = catalogue.aliases().filter(|alias| alias.scope == scope);
    let near: Vec<String> = nearest(name, known.map(|alias| alias.name.clone()))
        .iter()
        .map(|name| format!("{}:{name}", scope.word()))
        .collect();
    let hint = did_you_mean(&near).unwrap_or_else(|| "`alias list` lists them".to_owned());
    Problem::new(UNKNOWN, place, format!("there is no alias {}:{name}", scope.word())).hint(Some(hint))
}

/// The catalogue as it is when an alias was made or replaced.
pub fn with(catalogue: &Catalogue, alias: &Alias) -> Catalogue {
    let others = catalogue
        .aliases()
        .filter(|other| (other.scope, &other.name) != (alias.scope, &alias.name));
    catalogue.clone().with_aliases(others.cloned().chain([alias.clone()]))
}

/// Whether an alias may be made: a proper name that no built-in command has, one pipeline, and no loop.
pub fn acceptable(catalogue: &Catalogue, alias: &Alias) -> Result<(), Report> {
    let name = &alias.name;
    let proper = name.len() <= LONGEST_NAME
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    if !proper {
        let message = format!("{name:?} can't be an alias's name");
        return Err(Report::refused(NAME, message).hint("a letter, then letters, digits, _ and -; at most 64"));
    }
    if catalogue.find(Some(BUILT_IN), name).is_ok() {
        let message = format!("{name} is a built-in command, which wins over an alias");
        return Err(Report::refused(NAME, message));
    }
    let call = Pipeline::from(Stage::new(&alias.qualified()));
    let with_it = with(catalogue, alias);
    body(&alias.body).map_err(|problem| problem.refused(&alias.body))?;
    match expand(&with_it, &call) {
        // What it needs from a call is known when it is called.
        Ok(_) => Ok(()),
        Err(problem) if problem.code == ARGUMENTS => Ok(()),
        Err(problem) => Err(problem.refused(&alias.qualified())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::test_support::catalogue_of;
    use crate::lang::{parse, print};

    fn catalogue(aliases: &[(&str, &str)]) -> Catalogue {
        let verbs = catalogue_of(&["cogdeck:echo", "kubectl:get", "kubectl:set-image", "a:dup", "b:dup"]);
        verbs.with_aliases(aliases.iter().map(|(name, body)| {
            let (scope, name) = name.split_once(':').unwrap();
            Alias {
                scope: AliasScope::of_word(scope).unwrap(),
                name: name.to_owned(),
                body: (*body).to_owned(),
            }
        }))
    }

    fn expanded(aliases: &[(&str, &str)], line: &str) -> Result<String, Problem> {
        let pipeline = parse(line).unwrap().items.remove(0).pipeline;
        expand(&catalogue(aliases), &pipeline).map(|expanded| print(&expanded.pipeline))
    }

    #[test]
    fn l25_names_are_found_in_order() {
        let aliases = [
            ("user:po", "kubectl:get po"),
            ("site:po", "kubectl:get pods"),
            ("site:deps", "kubectl:get deploy"),
            ("user:echo", "kubectl:get never"),
            ("user:get", "kubectl:get -o wide"),
            ("user:set", "kubectl:get never"),
            ("user:roll-out", "echo rolled"),
            ("user:dup", "echo dup"),
        ];
        let cases = [
            ("po", "kubectl:get po"),
            ("site:po x", "kubectl:get pods x"),
            ("user:po", "kubectl:get po"),
            ("deps | echo $x", "kubectl:get deploy | echo $x"),
            ("echo x", "echo x"),
            ("get po", "kubectl:get -o wide po"),
            ("kubectl:get po", "kubectl:get po"),
            ("set image x", "set image x"),
            ("roll out x", "echo rolled x"),
            ("dup", "echo dup"),
            ("let a = po > here", "let a = kubectl:get po > here"),
        ];
        for (line, wanted) in cases {
            assert_eq!(expanded(&aliases, line).as_deref(), Ok(wanted), "{line}");
        }
        let missing = expanded(&aliases, "site:dep").unwrap_err();
        assert_eq!(
            (missing.code, missing.hint.as_deref()),
            (UNKNOWN, Some("did you mean site:deps?"))
        );
    }

    #[test]
    fn l25_redirects_are_spliced() {
        let aliases = [
            ("user:out", "echo a > file:x"),
            ("user:via", "out"),
            ("user:mid", "out | echo b"),
        ];
        assert_eq!(expanded(&aliases, "out").as_deref(), Ok("echo a > file:x"));
        assert_eq!(expanded(&aliases, "via").as_deref(), Ok("echo a > file:x"));
        assert_eq!(expanded(&aliases, "via *> here me").as_deref(), Ok("echo a *> here me"));
        assert_eq!(expanded(&aliases, "out | echo b").unwrap_err().code, REDIRECT);
        assert_eq!(expanded(&aliases, "mid").unwrap_err().code, REDIRECT);
    }

    #[test]
    fn l25_loops_and_depth_are_guarded() {
        let aliases = [("user:a", "b x"), ("user:b", "echo | a"), ("user:self", "self")];
        let report = expanded(&aliases, "a").unwrap_err();
        assert_eq!(
            (report.code, report.message.as_str()),
            (LOOP, "this alias calls itself: user:a -> user:b -> user:a")
        );
        assert_eq!(expanded(&aliases, "self").unwrap_err().code, LOOP);
        let deep: Vec<(String, String)> = (1..=6).map(|n| (format!("user:d{n}"), format!("d{}", n + 1))).collect();
        let mut deep: Vec<(&str, &str)> = deep.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
        deep.push(("user:d7", "echo end"));
        assert_eq!(expanded(&deep, "d3").as_deref(), Ok("echo end"));
        assert_eq!(expanded(&deep, "d2").unwrap_err().code, TOO_DEEP);
        let ten = "w | w | w | w | w | w | w | w | w | w";
        let wide = [
            ("user:v", "v2 | v2 | v2 | v2 | v2 | v2"),
            ("user:v2", ten),
            ("user:w", "echo | echo"),
        ];
        assert_eq!(expanded(&wide, "v").unwrap_err().code, TOO_DEEP);
    }

    #[test]
    fn l25_a_body_is_one_pipeline() {
        for text in ["a && b", "a; b", "a &", "let x = a", "", "a | | b", "!!"] {
            assert!(body(text).is_err(), "{text:?}");
        }
        let broken = expanded(&[("user:x", "echo 'open")], "x").unwrap_err();
        assert!(
            broken.message.starts_with("the alias user:x is not right"),
            "{broken:?}"
        );
        assert_eq!(expanded(&[("user:x", "echo $1")], "x").unwrap_err().code, ARGUMENTS);
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig { cases: 500, failure_persistence: None, ..Default::default() })]

        #[test]
        fn l25_no_body_or_call_breaks_the_expansion(
            bodies in proptest::collection::vec(soup(), 3),
            call in soup(),
        ) {
            let names = ["user:x", "site:y", "user:z"];
            let aliases: Vec<(&str, &str)> = names.into_iter().zip(bodies.iter().map(String::as_str)).collect();
            let line = format!("x {call}");
            if let Ok(line) = parse(&line) {
                for item in &line.items {
                    if let Ok(expanded) = expand(&catalogue(&aliases), &item.pipeline) {
                        let text = print(&expanded.pipeline);
                        let again = parse(&text).map_err(|error| proptest::prelude::TestCaseError::fail(error.to_string()))?;
                        proptest::prop_assert!(again.items[0].pipeline.same(&expanded.pipeline), "{}", text);
                        proptest::prop_assert_eq!(expanded.origins.len(), expanded.pipeline.stages.len());
                    }
                }
            }
            for body in &bodies {
                let alias = Alias { scope: AliasScope::User, name: "x".into(), body: body.clone() };
                let _ = acceptable(&catalogue(&aliases), &alias);
            }
        }
    }

    fn soup() -> impl proptest::prelude::Strategy<Value = String> {
        use proptest::prelude::*;
        let piece = prop::sample::select(vec![
            "x",
            "y",
            "z",
            "echo",
            " ",
            " ",
            " | ",
            "$1",
            "$2",
            "$*",
            "${1:-d}",
            "\"${1}\"",
            "$1.k",
            "$x",
            "'q r'",
            "--o=",
            "-",
            "> here",
            "@p ",
            "parallel=2 ",
            "x'; y",
            "\n",
            "user:",
            "&&",
            "$0",
            "ü",
        ]);
        prop::collection::vec(piece, 0..10).prop_map(|pieces| pieces.concat())
    }
}
