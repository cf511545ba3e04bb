//! Whether a rule can stand where a manifest has it: it can be read, it is about its own command, and it asks only for
//! permissions that the bundle declares. Deciding by rules is `access`'.

use crate::access::{PermissionName, Rule, Verdict, Wanted};

/// Why a rule cannot stand with `bundle:command` in a bundle of these permissions; none: it can.
pub fn objection(rule: &str, bundle: &str, command: &str, declared: &[String]) -> Option<String> {
    let rule = match Rule::of_command(rule, bundle, command) {
        Ok(rule) => rule,
        Err(report) => return Some(report.message),
    };
    let mut names = Vec::new();
    if let Verdict::MustHave(wanted) = &rule.verdict {
        collect(wanted, &mut names);
    }
    let undeclared = names
        .into_iter()
        .find(|name| !declared.iter().any(|known| known == name));
    undeclared.map(|name| format!("{name} is not among the bundle's permissions"))
}

/// The permissions that are named; what only a pattern describes is left out.
fn collect<'a>(wanted: &'a Wanted, names: &mut Vec<&'a str>) {
    match wanted {
        Wanted::Permission(name) => names.push(name),
        Wanted::AnyIn(list) | Wanted::AllIn(list) => names.extend(list.iter().filter_map(|entry| match entry {
            PermissionName::Name(name) => Some(name.as_str()),
            PermissionName::Pattern(_) => None,
        })),
        Wanted::And(parts) | Wanted::Or(parts) => parts.iter().for_each(|part| collect(part, names)),
    }
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
        for wrong in [
            "",
            "must have",
            "deny",
            "when command is r53:zone",
            "when command is ec2:zone allow",
        ] {
            assert!(objection(wrong).is_some(), "{wrong}");
        }
        for (wrong, name) in [
            ("must have site:admin", "site:admin"),
            ("must have r53:read and r53:admin", "r53:admin"),
        ] {
            assert_eq!(
                objection(wrong),
                Some(format!("{name} is not among the bundle's permissions"))
            );
        }
    }
}
