//! What a rule says of its command and of permissions, as far as a manifest must agree with itself: a rule stands with
//! the command it names, and asks only for permissions that the bundle declares. Deciding by rules is `access`'.

/// Words of the rule language that stand among permissions.
const WORDS: [&str; 5] = ["and", "or", "any", "all", "in"];

/// Why a rule cannot stand with `bundle:command` in a bundle of these permissions; none: it can.
pub fn objection(rule: &str, bundle: &str, command: &str, declared: &[String]) -> Option<String> {
    let own = format!("{bundle}:{command}");
    let words: Vec<&str> = rule.split_whitespace().collect();
    match words.as_slice() {
        ["allow"] | ["must", "have", _, ..] => {}
        ["when", "command", "is", name, ..] if *name != own => {
            return Some(format!("the rule is about {name} and stands with {own}"));
        }
        ["when", "command", "is", _, .., last] if *last == "allow" || must_have(rule).is_some() => {}
        _ => return Some("a rule is `allow`, `must have PERMISSION` or `when command is … must have …`".to_owned()),
    }
    permissions(rule).into_iter().find_map(|name| match name.split_once(':') {
        None => Some(format!("the permission {name} needs its bundle: {bundle}:{name}")),
        Some(_) if !declared.contains(&name) => Some(format!("{name} is not among the bundle's permissions")),
        Some(_) => None,
    })
}

/// The permissions a rule asks for, in its order; regular expressions are left out.
pub fn permissions(rule: &str) -> Vec<String> {
    let asked = must_have(rule).unwrap_or_default();
    let names = asked.split(|c: char| c.is_whitespace() || "()[],".contains(c));
    names
        .filter(|word| !word.is_empty() && !word.starts_with('/') && !WORDS.contains(word))
        .map(str::to_owned)
        .collect()
}

/// What stands behind the last `must have`.
fn must_have(rule: &str) -> Option<&str> {
    rule.rmatch_indices("must").find_map(|(at, word)| {
        let rest = rule[at + word.len()..].trim_start();
        rest.strip_prefix("have").filter(|rest| rest.starts_with([' ', '\t', '\n']))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_names_its_own_command_and_declared_permissions() {
        let declared = ["r53:read".to_owned(), "r53:write".to_owned()];
        let objection = |rule: &str| objection(rule, "r53", "zone", &declared);
        for right in [
            "allow",
            "must have r53:read",
            "must have all in [r53:read, r53:write]",
            "when command is r53:zone allow",
            "when command is r53:zone with arg[0] == 'must have' must have (r53:read or r53:write)",
        ] {
            assert_eq!(objection(right), None, "{right}");
        }
        for (wrong, why) in [
            ("", "a rule is"),
            ("must have", "a rule is"),
            ("deny", "a rule is"),
            ("when command is r53:zone", "a rule is"),
            ("when command is ec2:zone allow", "about ec2:zone"),
            ("must have read", "r53:read"),
            ("must have site:admin", "not among"),
            ("must have r53:read and r53:admin", "r53:admin is not among"),
        ] {
            assert!(objection(wrong).is_some_and(|found| found.contains(why)), "{wrong}");
        }
    }
}
