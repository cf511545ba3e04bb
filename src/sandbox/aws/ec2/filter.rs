//! DescribeInstances' filters: values of one filter are alternatives, filters all have to match, `*` and `?` are
//! wildcards, a backslash takes a wildcard literally.

use super::super::fault::Fault;
use super::super::sts::ACCOUNT;
use super::params::Params;
use super::world::Instance;

/// The API's limit of values in one request.
const MAX_VALUES: usize = 200;

/// One filter of a request.
pub(super) struct Filter {
    pub name: String,
    patterns: Vec<Vec<Piece>>,
}

enum Piece {
    Any,
    One,
    Char(char),
}

impl Filter {
    /// The request's `Filter.N`.
    pub fn all(params: &Params) -> Result<Vec<Self>, Fault> {
        let mut filters = Vec::new();
        let mut count = 0;
        for number in params.numbers("Filter") {
            let name = params
                .get(&format!("Filter.{number}.Name"))
                .ok_or_else(|| Fault::bad("InvalidParameterValue", "The filter 'null' is invalid"))?;
            let values = params.list(&format!("Filter.{number}.Value"));
            count += values.len();
            if count > MAX_VALUES {
                return Err(Fault::bad(
                    "FilterLimitExceeded",
                    format!("The maximum number of filter values specified on a single call is {MAX_VALUES}"),
                ));
            }
            filters.push(Self {
                name: name.to_owned(),
                patterns: values.into_iter().map(pattern).collect(),
            });
        }
        Ok(filters)
    }

    /// Whether one of the values matches one of the patterns.
    pub fn matches<S: AsRef<str>>(&self, values: &[S]) -> bool {
        values.iter().any(|value| {
            let value: Vec<char> = value.as_ref().chars().collect();
            self.patterns.iter().any(|pattern| matches(pattern, &value))
        })
    }

    /// The refusal of a name that the operation does not know.
    pub fn invalid(&self) -> Fault {
        Fault::bad(
            "InvalidParameterValue",
            format!("The filter '{}' is invalid", self.name),
        )
    }
}

fn pattern(text: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        pieces.push(match c {
            '*' => Piece::Any,
            '?' => Piece::One,
            '\\' => Piece::Char(chars.next().unwrap_or('\\')),
            c => Piece::Char(c),
        });
    }
    pieces
}

/// Greedy with one point to return to: linear in memory, never exponential in time.
fn matches(pattern: &[Piece], value: &[char]) -> bool {
    let (mut p, mut v) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while v < value.len() {
        match pattern.get(p) {
            Some(Piece::Any) => {
                retry = Some((p, v));
                p += 1;
            }
            Some(Piece::One) => {
                p += 1;
                v += 1;
            }
            Some(Piece::Char(c)) if *c == value[v] => {
                p += 1;
                v += 1;
            }
            _ => match retry {
                Some((star, at)) => {
                    retry = Some((star, at + 1));
                    p = star + 1;
                    v = at + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|piece| matches!(piece, Piece::Any))
}

/// The values that an instance has under a filter's name; `None` when the API knows no such filter.
pub(super) fn values(instance: &Instance, name: &str) -> Option<Vec<String>> {
    let seed = &instance.seed;
    let profile = || {
        seed.profile
            .as_ref()
            .map(|profile| format!("arn:aws:iam::{ACCOUNT}:instance-profile/{profile}"))
    };
    let one = |value: &str| Some(vec![value.to_owned()]);
    if let Some(key) = name.strip_prefix("tag:") {
        return Some(seed.tags.get(key).cloned().into_iter().collect());
    }
    match name {
        "tag-key" => Some(seed.tags.keys().cloned().collect()),
        "tag-value" => Some(seed.tags.values().cloned().collect()),
        "instance-state-name" => one(instance.state.name()),
        "instance-state-code" => Some(vec![instance.state.code().to_string()]),
        "instance-type" => one(&seed.instance_type),
        "instance-id" => one(&instance.id),
        "reservation-id" => one(&instance.reservation),
        "vpc-id" | "network-interface.vpc-id" => one(&instance.vpc),
        "subnet-id" | "network-interface.subnet-id" => one(&instance.subnet),
        "availability-zone" => one(&seed.zone),
        "private-ip-address" => Some(vec![seed.private_ip.to_string()]),
        "ip-address" => Some(seed.public_ip.iter().map(ToString::to_string).collect()),
        "private-dns-name" => Some(vec![instance.private_dns()]),
        "dns-name" => Some(instance.public_dns().into_iter().collect()),
        "key-name" => one(instance.key_name),
        "image-id" => one(instance.image),
        "iam-instance-profile.arn" => Some(profile().into_iter().collect()),
        "instance.group-id" | "group-id" | "network-interface.group-id" => one(&instance.group_id),
        "instance.group-name" | "group-name" => one(&seed.group),
        "owner-id" => one(ACCOUNT),
        "launch-time" => Some(vec![super::render::time(instance.launched)]),
        "architecture" => one("x86_64"),
        "hypervisor" => one("xen"),
        "virtualization-type" => one("hvm"),
        "root-device-type" => one("ebs"),
        "root-device-name" => one("/dev/xvda"),
        "block-device-mapping.volume-id" => one(&instance.volume),
        "monitoring-state" => one("disabled"),
        "source-dest-check" => one("true"),
        "tenancy" => one("default"),
        "platform" | "instance-lifecycle" | "spot-instance-request-id" => Some(Vec::new()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn like(text: &str, value: &str) -> bool {
        matches(&pattern(text), &value.chars().collect::<Vec<_>>())
    }

    #[test]
    fn wildcards() {
        assert!(like("nodes.*.com", "nodes.staging.spawnhub.com"));
        assert!(like("*", ""));
        assert!(like("t?.*", "t2.medium"));
        assert!(like("a\\*b", "a*b"));
        assert!(!like("a\\*b", "axb"));
        assert!(!like("Running", "running"));
        assert!(!like("run", "running"));
        assert!(!like("", "x"));
    }

    #[test]
    fn a_hostile_pattern_ends_soon() {
        let started = std::time::Instant::now();
        assert!(!like(&"*a".repeat(500), &"a".repeat(499)));
        assert!(started.elapsed() < std::time::Duration::from_secs(2));
    }
}
