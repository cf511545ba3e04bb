//! Names to verbs: `bundle:command`, `bundle command`, unqualified names, and git-style joins of leading plain words,
//! the longest first. Data never selects a command: words after the first option or `a=b` do not join, nor do quoted
//! ones.

use super::problem::Problem;
use crate::lang::Word;
use crate::verb::Verb;
use crate::verb::catalogue::{Catalogue, NameError, did_you_mean};

/// Words that a name may consist of.
const MOST_WORDS: usize = 4;

/// A name that led to a verb.
#[derive(Clone, Copy)]
pub struct Resolved<'a> {
    /// The verb.
    pub verb: &'a Verb,
    /// How many of the words are its name.
    pub words: usize,
}

impl std::fmt::Debug for Resolved<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({} words)", self.verb.declaration.qualified(), self.words)
    }
}

/// Finds the verb that a stage's words name.
pub fn resolve<'a>(catalogue: &'a Catalogue, words: &[Word]) -> Result<Resolved<'a>, Problem> {
    let head = words.first().map(|word| word.span).unwrap_or_default();
    let Some(name) = words.first().and_then(Word::literal).filter(|name| !name.is_empty()) else {
        let problem = Problem::new(
            "E-RESOLVE-001",
            head,
            "a command's name can't come from a variable or be empty",
        );
        return Err(problem);
    };
    let (bundle, command) = match name.split_once(':') {
        Some((bundle, command)) if !bundle.is_empty() && !command.is_empty() => (Some(bundle), command),
        _ => (None, name.as_str()),
    };
    let candidates = joins(command, words.get(1..).unwrap_or_default());
    for (at, candidate) in candidates.iter().enumerate().rev() {
        match catalogue.lookup(bundle, candidate) {
            Ok(Some(verb)) => return Ok(Resolved { verb, words: at + 1 }),
            Err(NameError::Ambiguous(names)) => return Err(ambiguous(words, at, candidate, &names)),
            Ok(None) | Err(_) => {}
        }
    }
    if let (None, Some(inner)) = (bundle, inner_name(catalogue, command, words)) {
        let candidates = joins(inner, words.get(2..).unwrap_or_default());
        for (at, candidate) in candidates.iter().enumerate().rev() {
            if let Ok(Some(verb)) = catalogue.lookup(Some(command), candidate) {
                return Ok(Resolved { verb, words: at + 2 });
            }
        }
        return Err(unknown(catalogue, Some(command), inner, &candidates, words));
    }
    Err(unknown(catalogue, bundle, command, &candidates, words))
}

/// What was meant where the word behind a found name is none of its arguments: `create deploy x` is found as `create`, and
/// there is `create-deployment`.
pub fn longer_names(catalogue: &Catalogue, resolved: Resolved<'_>, words: &[Word]) -> Vec<String> {
    let declaration = &resolved.verb.declaration;
    let next = words.get(resolved.words).filter(|word| !word.is_option());
    let Some(next) = next.and_then(Word::plain).filter(|next| is_name(next)) else {
        return Vec::new();
    };
    let begun = format!("{}-{next}", declaration.name);
    catalogue
        .commands(&declaration.bundle)
        .filter(|verb| verb.declaration.name.starts_with(&begun))
        .map(|verb| verb.declaration.qualified())
        .collect()
}

/// `kubectl get pods`, as fingers know it: the word behind a bundle's name.
fn inner_name<'w>(catalogue: &Catalogue, bundle: &str, words: &'w [Word]) -> Option<&'w str> {
    let second = words.get(1).filter(|word| !word.is_option())?.plain()?;
    (is_name(second) && catalogue.bundles().contains(&bundle)).then_some(second)
}

/// The first word alone, joined with the second, and so on.
pub(super) fn joins(command: &str, rest: &[Word]) -> Vec<String> {
    let mut candidates = vec![command.to_owned()];
    for word in rest.iter().take(MOST_WORDS - 1) {
        let plain = word.plain().filter(|text| !word.is_option() && is_name(text));
        match (plain, candidates.last()) {
            (Some(text), Some(longest)) => candidates.push(format!("{longest}-{text}")),
            _ => break,
        }
    }
    candidates
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
}

fn ambiguous(words: &[Word], at: usize, name: &str, names: &[String]) -> Problem {
    let span = words
        .iter()
        .take(at + 1)
        .map(|word| word.span)
        .reduce(crate::lang::Span::to);
    Problem::new(
        "E-RESOLVE-002",
        span.unwrap_or_default(),
        format!("{name} is a command of several bundles"),
    )
    .hint(Some(format!("write {}", names.join(" or "))))
}

fn unknown(catalogue: &Catalogue, bundle: Option<&str>, command: &str, joins: &[String], words: &[Word]) -> Problem {
    let span = words.first().map(|word| word.span).unwrap_or_default();
    if let Err(NameError::UnknownBundle(near)) = catalogue.find(bundle, command) {
        let bundle = bundle.unwrap_or_default();
        if catalogue.is_off(bundle) {
            let hint = format!("`bundle enable {bundle}` puts a version of it in use");
            return Problem::new("E-RESOLVE-003", span, format!("the bundle {bundle:?} is not in use"))
                .hint(Some(hint));
        }
        return Problem::new("E-RESOLVE-003", span, format!("there is no bundle {bundle:?}")).hint(did_you_mean(&near));
    }
    let near: Vec<String> = joins
        .iter()
        .rev()
        .map(|name| near(catalogue, bundle, name))
        .find(|n| !n.is_empty())
        .unwrap_or_default();
    match bundle {
        Some(bundle) => {
            let hint = did_you_mean(&near).or_else(|| Some(format!("`help {bundle}` lists its commands")));
            Problem::new("E-RESOLVE-004", span, format!("{bundle} has no command {command:?}")).hint(hint)
        }
        None if catalogue.iter().any(|verb| verb.declaration.bundle == command) => {
            let hint = format!("`help {command}` lists them; options stand behind one: {command} COMMAND --option");
            let message = format!("{command} alone is a bundle: one of its commands must follow");
            Problem::new("E-RESOLVE-004", span, message).hint(Some(hint))
        }
        None => {
            let hint = of_a_shell(command).map(str::to_owned).or_else(|| did_you_mean(&near));
            let hint = hint.or_else(|| Some("`help` lists the bundles".to_owned()));
            Problem::new("E-RESOLVE-004", span, format!("there is no command {command:?}")).hint(hint)
        }
    }
}

/// What does here what a shell's word does there, for those that fingers know best.
fn of_a_shell(word: &str) -> Option<&'static str> {
    Some(match word {
        "exit" | "quit" | "logout" => ":quit or ^D leaves the console",
        "clear" | "cls" | "reset" => "^L draws the console anew; what was answered stays above",
        "ls" | "dir" => "`help` lists the bundles, `kubectl:get deploy` deployments; sh 'ls' runs a line of the shell",
        "grep" | "egrep" | "rg" | "awk" | "sed" => {
            "filter chooses records (filter --path NAME --matches TEXT), jq takes them apart; / behind Alt-1 searches the chat"
        }
        "curl" | "wget" => "traffic:watch URL asks it again and again; sh 'curl URL' runs a line of the shell",
        "man" => "help COMMAND explains a command",
        _ => return None,
    })
}

fn near(catalogue: &Catalogue, bundle: Option<&str>, name: &str) -> Vec<String> {
    match catalogue.find(bundle, name) {
        Err(NameError::UnknownCommand(near)) => near,
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::test_support::catalogue_of;
    use crate::lang::parse;

    fn found(line: &str) -> Result<String, Problem> {
        let catalogue = catalogue_of(&[
            "kubectl:get",
            "kubectl:set-image",
            "kubectl:rollout-status",
            "kubectl:describe",
            "ec2:describe",
            "cogdeck:help",
            "other:help",
            "net:dig",
            "ec2:instance-search",
        ]);
        let words = parse(line).unwrap().items[0].pipeline.stages[0].words.clone();
        resolve(&catalogue, &words).map(|resolved| format!("{resolved:?}"))
    }

    #[test]
    fn l03_names_and_l04_git_style_joins() {
        let cases = [
            ("kubectl:set image deploy x a=b", Ok("kubectl:set-image (2 words)")),
            ("kubectl:set-image deploy x", Ok("kubectl:set-image (1 words)")),
            (
                "kubectl:rollout status deploy/x",
                Ok("kubectl:rollout-status (2 words)"),
            ),
            ("kubectl:get deploy inspector", Ok("kubectl:get (1 words)")),
            ("instance-search x", Ok("ec2:instance-search (1 words)")),
            ("instance search x", Ok("ec2:instance-search (2 words)")),
            ("help kubectl:run", Ok("cogdeck:help (1 words)")),
            ("kubectl:set 'image' x", Err("E-RESOLVE-004")),
            ("kubectl:set --x image", Err("E-RESOLVE-004")),
            ("describe x", Err("E-RESOLVE-002")),
            ("kubectk:get x", Err("E-RESOLVE-003")),
            ("$x y", Err("E-RESOLVE-001")),
            ("'' y", Err("E-RESOLVE-001")),
            ("kubectl:", Err("E-RESOLVE-004")),
        ];
        for (line, wanted) in cases {
            let answer = found(line).map_err(|problem| problem.code);
            assert_eq!(answer.as_deref(), wanted.as_ref().copied(), "{line}");
        }
    }

    #[test]
    fn a_bundle_s_name_may_stand_before_its_command_as_a_word() {
        assert_eq!(found("kubectl get pods").unwrap(), "kubectl:get (2 words)");
        assert_eq!(
            found("kubectl rollout status deploy/web").unwrap(),
            "kubectl:rollout-status (3 words)"
        );
        assert_eq!(found("ec2 instance search x").unwrap(), "ec2:instance-search (3 words)");
        let wrong = found("kubectl gett pods").unwrap_err();
        assert!(wrong.message.contains("kubectl has no command"), "{wrong:?}");
        let alone = found("kubectl -n web get pods").unwrap_err();
        assert!(alone.message.contains("one of its commands must follow"), "{alone:?}");
        assert!(alone.hint.unwrap().contains("`help kubectl`"));
        // Neither a quoted word nor a value selects a command.
        for line in ["kubectl 'get' pods", "kubectl $verb pods", "kubectl --all", "kubectl"] {
            assert!(found(line).is_err(), "{line}");
        }
    }

    #[test]
    fn a_name_that_goes_on_is_found_by_its_beginning() {
        let catalogue = catalogue_of(&["kubectl:create", "kubectl:create-deployment", "kubectl:get"]);
        let longer = |line: &str| {
            let words = parse(line).unwrap().items[0].pipeline.stages[0].words.clone();
            longer_names(&catalogue, resolve(&catalogue, &words).unwrap(), &words)
        };
        for line in ["kubectl:create deploy web", "kubectl create deploy web --image=x"] {
            assert_eq!(longer(line), ["kubectl:create-deployment"], "{line}");
        }
        for line in [
            "kubectl:create -f deploy",
            "kubectl:create 'deploy' x",
            "kubectl:create role x",
            "kubectl:get deploy",
        ] {
            assert!(longer(line).is_empty(), "{line}");
        }
    }

    #[test]
    fn e2_suggestions_see_through_joins() {
        let cases = [
            ("kubectl:gett po", "did you mean kubectl:get?"),
            ("kubectl:set imag x", "did you mean kubectl:set-image?"),
            ("kubect:get po", "did you mean kubectl?"),
            ("hlep", "did you mean help?"),
            // The name of a bundle, though a command is near.
            ("net", "`help net` lists them?"),
            // The words of a name in another order, and one of them.
            ("ec2:search-instance x", "did you mean ec2:instance-search?"),
            ("rollout x", "did you mean kubectl:rollout-status?"),
            ("kubectl:rollout", "did you mean kubectl:rollout-status?"),
            // Words of a shell.
            ("exit", ":quit or ^D leaves the console?"),
            ("grep x", "filter chooses records?"),
            ("curl http://x", "traffic:watch URL asks it again and again?"),
        ];
        for (line, hint) in cases {
            assert!(
                found(line)
                    .unwrap_err()
                    .hint
                    .unwrap()
                    .starts_with(&hint[..hint.len() - 1]),
                "{line}"
            );
        }
    }
}
