//! Whose a container is: a label that names the process which made it, so that a later process on the same machine can
//! tell what a killed one left behind. An engine may be shared by several machines and by processes that see different
//! process ids: those of others are never judged.

use std::fmt;
use std::path::Path;

/// A process, told apart from one that had or gets the same id on this machine or on another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// The boot of a machine and the process id namespace.
    place: String,
    pid: u32,
    /// When it began, in clock ticks after the boot.
    began: u64,
}

impl Owner {
    /// This process; none where the kernel does not tell (no `/proc`).
    pub fn of_this_process() -> Option<Owner> {
        let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
        let namespace = std::fs::read_link("/proc/self/ns/pid").ok()?;
        let digits: String = namespace.to_str()?.chars().filter(char::is_ascii_digit).collect();
        let pid = std::process::id();
        Some(Owner {
            place: format!("{}-{digits}", boot.trim()),
            pid,
            began: began(pid)?,
        })
    }

    /// Reads the label.
    pub fn parse(label: &str) -> Option<Owner> {
        let mut parts = label.split('/');
        let (place, pid, began) = (parts.next()?, parts.next()?, parts.next()?);
        Some(Owner {
            place: place.to_owned(),
            pid: pid.parse().ok()?,
            began: began.parse().ok()?,
        })
    }

    /// Whether it has ended, as far as a process at the same place can tell.
    pub fn is_gone(&self, judge: &Owner) -> bool {
        self.place == judge.place && began(self.pid) != Some(self.began)
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.place, self.pid, self.began)
    }
}

/// When a living process began: field 22 of its `stat`, counted behind the name, which may hold anything.
fn began(pid: u32) -> Option<u64> {
    let stat = std::fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("stat")).ok()?;
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    match fields.next()? {
        "Z" | "X" => None,
        _ => fields.nth(18)?.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_label_names_the_process_and_survives_the_way_through_the_engine() {
        let own = Owner::of_this_process().unwrap();
        assert_eq!(Owner::parse(&own.to_string()), Some(own.clone()));
        assert!(!own.is_gone(&own));
    }

    #[test]
    fn an_ended_process_and_a_reused_id_are_told_apart_from_a_living_one() {
        let own = Owner::of_this_process().unwrap();
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let ended = Owner {
            pid: child.id(),
            began: began(child.id()).unwrap_or(1),
            ..own.clone()
        };
        child.wait().unwrap();
        assert!(ended.is_gone(&own));
        let earlier = Owner {
            began: own.began - 1,
            ..own.clone()
        };
        assert!(earlier.is_gone(&own));
    }

    #[test]
    fn processes_of_other_machines_are_not_judged() {
        let own = Owner::of_this_process().unwrap();
        let other = Owner {
            place: "elsewhere".to_owned(),
            began: 1,
            ..own.clone()
        };
        assert!(!other.is_gone(&own));
        for label in ["", "1", "a/b/c", "../../etc/passwd", "x/1"] {
            assert_eq!(Owner::parse(label), None, "{label}");
        }
    }
}
