//! A bundle in a git repository, through the system's `git`. Nothing is checked out: the objects of one commit are
//! fetched and read, so that no hook, filter, submodule or link of the repository can act.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::process::Command;

use super::tree::{self, Entry};
use super::user;
use super::{Fetched, Source, Surroundings};
use crate::bundle::manifest::LARGEST;
use crate::bundle::package::{Contents, Package};
use crate::core::address;
use crate::core::report::Report;
use crate::core::text::Secret;
use crate::render::greenbar;

/// For one call of git.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often what has been fetched is measured.
const MEASURE: Duration = Duration::from_millis(200);
/// What git says on stderr, at most.
const LONGEST_WORD: u64 = 16 << 10;
/// The list of a commit's files, at most.
const LONGEST_LIST: u64 = 4 << 20;

/// Settings over those of the machine: no hook, no helper, no protocol but the allowed.
const SETTINGS: [&str; 6] = [
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "submodule.recurse=false",
    "fetch.recurseSubmodules=false",
    "credential.helper=",
    "gc.auto=0",
];

/// A repository that git may be pointed at.
pub fn checked(url: String, reference: Option<String>, folder: &str) -> Result<Source, Report> {
    let refuse = |why: String| {
        Err(Report::refused("E-BUNDLE-032", why).hint("git+https://HOST/REPO, --ref BRANCH|TAG|COMMIT, --path FOLDER"))
    };
    let plain = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "._/-".contains(c));
    let allowed = ["https://", "ssh://", "file://"]
        .iter()
        .any(|scheme| url.starts_with(scheme));
    let shown = address::shown(&url);
    if !allowed && !url.starts_with("git@") {
        return refuse(format!("{shown:?} is not fetched: only https, ssh and file are"));
    }
    if url.chars().any(|c| c.is_control() || c == ' ') {
        return refuse(format!("{shown:?} is no address of a repository"));
    }
    if let Some(reference) = reference
        .as_deref()
        .filter(|name| !plain(name) || name.starts_with('-') || name.contains(".."))
    {
        return refuse(format!("{reference:?} is no branch, tag or commit"));
    }
    let folder = folder.trim_matches('/').to_owned();
    if !folder.is_empty() && (!plain(&folder) || folder.split('/').any(|part| matches!(part, "" | "." | ".."))) {
        return refuse(format!("{folder:?} is no folder of a repository"));
    }
    Ok(Source::Git { url, reference, folder })
}

/// Fetches one commit and reads the bundle in it.
pub async fn fetch(
    url: &str,
    reference: Option<&str>,
    folder: &str,
    surroundings: &Surroundings,
) -> Result<Fetched, Report> {
    // Over https, who asks is told in a header: an address among the arguments of a process is seen by everybody.
    let shown = address::shown(url);
    let (url, user) = match url.starts_with("https://") {
        true => (shown.as_str(), user::authorization(url)),
        false => (url, None),
    };
    let repository = Repository {
        folder: Scratch::new(&surroundings.scratch)?,
        surroundings,
        url,
        shown: &shown,
        user,
    };
    repository
        .git(&["init", "--quiet", "--bare", "--template=", "."], LONGEST_WORD)
        .await?;
    let wanted = reference.unwrap_or("HEAD");
    let fetch = [
        "fetch",
        "--quiet",
        "--depth=1",
        "--no-tags",
        "--no-recurse-submodules",
        "--",
        url,
        wanted,
    ];
    repository.git(&fetch, LONGEST_WORD).await?;
    let commit = repository
        .git(&["rev-parse", "--verify", "FETCH_HEAD^{commit}"], LONGEST_WORD)
        .await?;
    let commit = String::from_utf8_lossy(&commit).trim().to_owned();
    let top = format!("{commit}:{folder}");
    let listed = repository
        .git(&["ls-tree", "-r", "-l", "-z", "--full-tree", &top], LONGEST_LIST)
        .await?;
    let selection = tree::select(entries(&listed), &shown)?;
    let manifest = repository.blob(&selection.manifest, LARGEST).await?;
    let mut templates = std::collections::BTreeMap::new();
    for (name, entry) in &selection.templates {
        templates.insert(name.clone(), repository.blob(entry, greenbar::LONGEST as u64).await?);
    }
    let mut contents = Contents::default();
    for entry in tree::copied(&manifest, selection.rest)? {
        let bytes = repository.bytes(&entry, entry.size).await?;
        contents.insert(entry.path, (bytes, entry.executable));
    }
    let place = if folder.is_empty() {
        String::new()
    } else {
        format!("#{folder}")
    };
    Ok(Fetched {
        package: Package::of_parts(manifest, templates, &contents),
        contents,
        origin: format!("git+{shown}@{commit}{place}"),
    })
}

/// The regular files of a listing: mode, kind, object, size, path. Links and submodules are not among them.
fn entries(listing: &[u8]) -> Vec<Entry> {
    let text = String::from_utf8_lossy(listing);
    let entry = |line: &str| {
        let (facts, path) = line.split_once('\t')?;
        let [mode, "blob", object, size] = facts.split_whitespace().collect::<Vec<_>>()[..] else {
            return None;
        };
        mode.starts_with("100").then(|| Entry {
            path: path.to_owned(),
            size: size.parse().unwrap_or(u64::MAX),
            handle: object.to_owned(),
            executable: mode == "100755",
        })
    };
    text.split('\0').filter_map(entry).collect()
}

struct Repository<'a> {
    folder: Scratch,
    surroundings: &'a Surroundings,
    /// As git gets it.
    url: &'a str,
    /// As messages show it.
    shown: &'a str,
    /// Who asks, over https.
    user: Option<Secret>,
}

impl Repository<'_> {
    async fn blob(&self, entry: &Entry, most: u64) -> Result<String, Report> {
        let bytes = self.bytes(entry, most).await?;
        String::from_utf8(bytes).map_err(|_| self.refuse(entry, "it is not UTF-8"))
    }

    async fn bytes(&self, entry: &Entry, most: u64) -> Result<Vec<u8>, Report> {
        match entry.size > most {
            true => Err(self.refuse(entry, &format!("it is larger than {most} bytes"))),
            false => self.git(&["cat-file", "blob", &entry.handle], most).await,
        }
    }

    fn refuse(&self, entry: &Entry, why: &str) -> Report {
        Report::refused("E-BUNDLE-001", format!("{} of {}: {why}", entry.path, self.shown))
    }

    /// Runs git; its stdout, of at most `most` bytes.
    async fn git(&self, arguments: &[&str], most: u64) -> Result<Vec<u8>, Report> {
        let mut command = Command::new("git");
        for setting in SETTINGS {
            command.args(["-c", setting]);
        }
        let file = self.url.starts_with("file://");
        command
            .args(arguments)
            .current_dir(&self.folder.0)
            .env_clear()
            .envs(&self.surroundings.environment)
            .env("GIT_ALLOW_PROTOCOL", if file { "file" } else { "https:ssh" })
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_ASKPASS", "true")
            .env("GIT_SSH_COMMAND", "ssh -oBatchMode=yes")
            .env("GIT_NO_LAZY_FETCH", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        if let Some(user) = &self.user {
            // The header would go wherever a redirect leads, and it is for this host alone.
            command
                .env("GIT_CONFIG_COUNT", "2")
                .env("GIT_CONFIG_KEY_1", "http.followRedirects")
                .env("GIT_CONFIG_VALUE_1", "false")
                .env("GIT_CONFIG_KEY_0", format!("http.{}.extraHeader", self.url))
                .env("GIT_CONFIG_VALUE_0", format!("Authorization: {}", user.reveal()));
        }
        let mut child = command.spawn().map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => {
                Report::failed("E-BUNDLE-035", "git is not there to fetch a repository with")
                    .hint("install git, or install the bundle from a folder or a URL")
            }
            _ => Report::failed("E-BUNDLE-035", "git cannot be started").because(&error),
        })?;
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let (mut answer, mut said) = (Vec::new(), Vec::new());
        let work = async {
            let read = async {
                if let Some(stdout) = stdout {
                    let _ = stdout.take(most + 1).read_to_end(&mut answer).await;
                }
            };
            let listen = async {
                if let Some(stderr) = stderr {
                    let _ = stderr.take(LONGEST_WORD).read_to_end(&mut said).await;
                }
            };
            tokio::join!(read, listen);
            child.wait().await
        };
        let failed = |why: &str| Report::failed("E-BUNDLE-035", format!("git could not read {}: {why}", self.shown));
        let ended = tokio::select! {
            ended = tokio::time::timeout(PATIENCE, work) => ended,
            () = self.folder.overflow() => return tree::bounded(0, 0, u64::MAX).map(|()| Vec::new()),
        };
        let status = match ended {
            Err(_) => return Err(failed(&format!("no end after {} s", PATIENCE.as_secs()))),
            Ok(status) => status.map_err(|error| failed(&error.to_string()))?,
        };
        if !status.success() {
            let said = String::from_utf8_lossy(&said);
            let why = said
                .lines()
                .rfind(|line| !line.trim().is_empty())
                .unwrap_or("it said nothing");
            return Err(failed(why.trim().replace(self.url, self.shown).as_str())
                .hint("see that the address, the branch and your access are right"));
        }
        if answer.len() as u64 > most {
            return Err(failed("its answer is too long"));
        }
        Ok(answer)
    }
}

/// A folder that goes with its owner.
struct Scratch(PathBuf);

impl Scratch {
    fn new(below: &Path) -> Result<Scratch, Report> {
        use std::os::unix::fs::DirBuilderExt;
        let refuse = |error: std::io::Error| {
            Report::failed(
                "E-BUNDLE-034",
                format!("no folder can be made below {}", below.display()),
            )
            .because(&error)
        };
        let mut builder = std::fs::DirBuilder::new();
        builder.mode(0o700).recursive(true).create(below).map_err(refuse)?;
        let nanos = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .map_or(0, |time| time.as_nanos());
        let folder = below.join(format!("fetch-{}-{nanos}", std::process::id()));
        std::fs::DirBuilder::new().mode(0o700).create(&folder).map_err(refuse)?;
        Ok(Scratch(folder))
    }

    /// Resolves when more has come in than a bundle may be.
    async fn overflow(&self) {
        loop {
            tokio::time::sleep(MEASURE).await;
            let folder = self.0.clone();
            let size = tokio::task::spawn_blocking(move || size(&folder)).await.unwrap_or(0);
            if size > tree::LARGEST_TREE {
                return;
            }
        }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn size(folder: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return 0;
    };
    let sizes = entries.flatten().map(|entry| match entry.metadata() {
        Ok(known) if known.is_dir() => size(&entry.path()),
        Ok(known) => known.len(),
        Err(_) => 0,
    });
    sizes.sum()
}
