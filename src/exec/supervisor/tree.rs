//! All processes below one, as `/proc` tells, and how to end them. Since the supervisor is their reaper, whatever loses
//! its parent stays below it.

use std::collections::HashSet;
use std::path::Path;

use rustix::process::{Pid, Signal, kill_process};

/// Looking again finds what was started meanwhile; a process that was stopped starts nothing.
const ROUNDS: usize = 64;

/// Everything below `root`, itself left out.
pub fn below(root: Pid) -> Vec<Pid> {
    let Ok(entries) = std::fs::read_dir("/proc") else {
        return Vec::new();
    };
    let ids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<i32>().ok());
    let parents: Vec<(i32, i32)> = ids.filter_map(|id| Some((id, parent(id)?))).collect();
    let mut family = HashSet::from([root.as_raw_nonzero().get()]);
    // Ids are not in the order of descent: again until nothing is added.
    loop {
        let before = family.len();
        for (id, parent) in &parents {
            if family.contains(parent) {
                family.insert(*id);
            }
        }
        if family.len() == before {
            break;
        }
    }
    family.remove(&root.as_raw_nonzero().get());
    family.into_iter().filter_map(Pid::from_raw).collect()
}

/// The parent: field 4 of `stat`, counted behind the name, which may hold anything.
fn parent(id: i32) -> Option<i32> {
    let stat = std::fs::read_to_string(Path::new("/proc").join(id.to_string()).join("stat")).ok()?;
    stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}

/// Asks everything below `root` to end; one that is stopped is woken to hear it.
pub fn ask(root: Pid) {
    for id in below(root) {
        let _ = kill_process(id, Signal::TERM);
        let _ = kill_process(id, Signal::CONT);
    }
}

/// Kills everything below `root`: first all are stopped, so that none starts another while the rest is killed.
pub fn kill(root: Pid) {
    let mut stopped: HashSet<Pid> = HashSet::new();
    for _ in 0..ROUNDS {
        let new: Vec<Pid> = below(root).into_iter().filter(|id| stopped.insert(*id)).collect();
        if new.is_empty() {
            break;
        }
        for id in new {
            let _ = kill_process(id, Signal::STOP);
        }
    }
    for id in stopped {
        let _ = kill_process(id, Signal::KILL);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_is_below_a_process_is_found_and_killed() {
        let mut shell = std::process::Command::new("/bin/sh")
            .args(["-c", "trap '' TERM; sleep 600 & sleep 600 & wait; wait"])
            .spawn()
            .unwrap();
        let root = Pid::from_child(&shell);
        for _ in 0..500 {
            if below(root).len() == 2 {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        assert_eq!(below(root).len(), 2);
        let own = Pid::from_raw(i32::try_from(std::process::id()).unwrap()).unwrap();
        assert!(below(own).contains(&root));
        kill(root);
        assert!(shell.wait().unwrap().success(), "both children ended");
        assert!(below(root).is_empty());
    }
}
