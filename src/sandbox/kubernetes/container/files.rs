//! The file system of a container: folders and files in memory, bounded. Not for owners, links and devices.

use std::collections::BTreeMap;

/// Bytes that all files of a container may hold.
pub const CAPACITY: usize = 32 * 1024 * 1024;
/// Files and folders that a container may hold.
const MOST: usize = 10_000;

/// A file or a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Node {
    /// A folder.
    Folder,
    /// A file's content.
    File(Vec<u8>),
}

/// Why something cannot be done with a path; displayed as the C library words it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    /// ENOENT.
    #[error("No such file or directory")]
    Missing,
    /// EISDIR.
    #[error("Is a directory")]
    IsFolder,
    /// ENOTDIR.
    #[error("Not a directory")]
    NoFolder,
    /// EEXIST.
    #[error("File exists")]
    Exists,
    /// ENOSPC.
    #[error("No space left on device")]
    Full,
}

/// The tree, by absolute path without a trailing slash; the root is the empty path.
#[derive(Debug, Clone)]
pub struct Files {
    nodes: BTreeMap<String, Node>,
    used: usize,
}

impl Files {
    /// What every container of a cluster finds.
    pub fn new(hostname: &str, ip: &str, namespace: &str) -> Self {
        let mut files = Files {
            nodes: BTreeMap::from([(String::new(), Node::Folder)]),
            used: 0,
        };
        for folder in ["/bin", "/dev", "/etc", "/proc", "/root", "/tmp", "/usr/bin", "/var/log"] {
            let _ = files.make(folder, true);
        }
        let resolver = format!(
            "nameserver 100.64.0.10\nsearch {namespace}.svc.cluster.local svc.cluster.local cluster.local \
             ap-southeast-2.compute.internal\noptions ndots:5\n"
        );
        for (path, text) in [
            ("/etc/hostname", format!("{hostname}\n")),
            ("/etc/hosts", format!("127.0.0.1\tlocalhost\n{ip}\t{hostname}\n")),
            (
                "/etc/os-release",
                "NAME=\"Alpine Linux\"\nID=alpine\nPRETTY_NAME=\"Alpine Linux\"\n".to_owned(),
            ),
            ("/etc/passwd", "root:x:0:0:root:/root:/bin/sh\n".to_owned()),
            ("/etc/resolv.conf", resolver),
        ] {
            let _ = files.write(path, text.as_bytes(), false);
        }
        for program in super::programs::NAMES {
            let _ = files.write(&format!("/bin/{program}"), b"", false);
        }
        files
    }

    /// An absolute path of a path as typed; `..` never leaves the root.
    pub fn resolve(cwd: &str, path: &str) -> String {
        let whole = if path.starts_with('/') {
            path.to_owned()
        } else {
            format!("{cwd}/{path}")
        };
        let mut steps: Vec<&str> = Vec::new();
        for step in whole.split('/') {
            match step {
                "" | "." => {}
                ".." => drop(steps.pop()),
                other => steps.push(other),
            }
        }
        steps.iter().map(|step| format!("/{step}")).collect()
    }

    /// What is at a path.
    pub fn get(&self, path: &str) -> Option<&Node> {
        self.nodes.get(path)
    }

    /// Whether it is a folder.
    pub fn is_folder(&self, path: &str) -> bool {
        self.get(path) == Some(&Node::Folder)
    }

    /// A file's content.
    pub fn read(&self, path: &str) -> Result<&[u8], Trouble> {
        match self.get(path) {
            Some(Node::File(bytes)) => Ok(bytes),
            Some(Node::Folder) => Err(Trouble::IsFolder),
            None => Err(Trouble::Missing),
        }
    }

    /// Writes a file, or writes on at its end.
    pub fn write(&mut self, path: &str, bytes: &[u8], append: bool) -> Result<(), Trouble> {
        let before = match self.get(path) {
            Some(Node::Folder) => return Err(Trouble::IsFolder),
            Some(Node::File(old)) => Some(old.len()),
            None => None,
        };
        if !self.is_folder(parent(path)) {
            return Err(Trouble::Missing);
        }
        let kept = before.filter(|_| append).unwrap_or(0);
        let used = self.used.saturating_sub(before.unwrap_or(0)) + kept + bytes.len();
        if used > CAPACITY || (before.is_none() && self.nodes.len() >= MOST) {
            return Err(Trouble::Full);
        }
        self.used = used;
        match self.nodes.get_mut(path) {
            Some(Node::File(old)) => {
                old.truncate(kept);
                old.extend_from_slice(bytes);
            }
            _ => drop(self.nodes.insert(path.to_owned(), Node::File(bytes.to_vec()))),
        }
        Ok(())
    }

    /// Makes a folder; with `parents` those above it too, and one that is there is fine.
    pub fn make(&mut self, path: &str, parents: bool) -> Result<(), Trouble> {
        match self.get(path) {
            Some(Node::Folder) if parents => return Ok(()),
            Some(_) => return Err(Trouble::Exists),
            None => {}
        }
        if !self.is_folder(parent(path)) {
            match self.get(parent(path)) {
                None if parents => self.make(parent(path), true)?,
                None => return Err(Trouble::Missing),
                Some(_) => return Err(Trouble::NoFolder),
            }
        }
        if self.nodes.len() >= MOST {
            return Err(Trouble::Full);
        }
        self.nodes.insert(path.to_owned(), Node::Folder);
        Ok(())
    }

    /// Removes a file, or with `all` a folder and what is in it.
    pub fn remove(&mut self, path: &str, all: bool) -> Result<(), Trouble> {
        match self.get(path) {
            None => return Err(Trouble::Missing),
            Some(Node::Folder) if !all || path.is_empty() => return Err(Trouble::IsFolder),
            Some(_) => {}
        }
        let below: Vec<String> = self.below(path).map(|(path, _)| path.to_owned()).collect();
        for path in below {
            if let Some(Node::File(bytes)) = self.nodes.remove(&path) {
                self.used = self.used.saturating_sub(bytes.len());
            }
        }
        Ok(())
    }

    /// What is at a path and everything below it, in order.
    pub fn below<'a>(&'a self, path: &'a str) -> impl Iterator<Item = (&'a str, &'a Node)> {
        let inside = format!("{path}/");
        self.nodes
            .iter()
            .filter(move |(known, _)| *known == path || known.starts_with(&inside))
            .map(|(path, node)| (path.as_str(), node))
    }

    /// The names in a folder.
    pub fn list<'a>(&'a self, path: &'a str) -> Vec<&'a str> {
        self.below(path)
            .filter_map(|(known, _)| known.strip_prefix(path)?.strip_prefix('/'))
            .filter(|name| !name.is_empty() && !name.contains('/'))
            .collect()
    }
}

/// The path of the folder that holds a path.
fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(parent, _)| parent)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn paths_stay_inside_the_root() {
        assert_eq!(Files::resolve("/etc", "../../../x/./y/"), "/x/y");
        assert_eq!(Files::resolve("/etc", "/"), "");
    }

    #[test]
    fn what_is_removed_is_free_again() {
        let mut files = Files::new("h", "1.2.3.4", "d");
        let before = files.used;
        files.make("/a/b", true).unwrap();
        files.write("/a/b/c", &[0; 100], false).unwrap();
        assert_eq!(files.list("/a"), ["b"]);
        assert_eq!(files.remove("/a", false), Err(Trouble::IsFolder));
        files.remove("/a", true).unwrap();
        assert_eq!(files.used, before);
        assert_eq!(files.write("/a/x", b"", false), Err(Trouble::Missing));
    }
}
