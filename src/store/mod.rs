//! The database: the journal (changes and history), the shelf (aliases, kept records) and installed bundles, in SQLite.
//! No rules: who may change what is decided before anything arrives here.
//!
//! The file lies in the state folder (0700), is itself 0600, uses write-ahead logging so that two consoles may share
//! it, and is opened at the first use, which the console makes after its first frame.

pub mod bundles;
mod shelf;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteRow};
use sqlx::{Executor, Row};
use tokio::sync::OnceCell;

use crate::core::change::hex;
use crate::core::clock::Clock;
use crate::core::report::Report;
use crate::engine::ports::{AuditEntry, HistoryLine, Journal, NewEntry};

/// How long another program's lock on the file is waited for, and how often it is looked at where SQLite does not wait.
const PATIENCE: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(20);
/// Lines of history kept; the oldest go first.
const HISTORY_LINES: i64 = 20_000;

const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS change (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    at TEXT NOT NULL, user TEXT NOT NULL, context TEXT NOT NULL, pipeline TEXT NOT NULL,
    change TEXT NOT NULL, outcome TEXT NOT NULL, undoes INTEGER, hash TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS change_undoes ON change (undoes);
CREATE TABLE IF NOT EXISTS history (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at TEXT NOT NULL, line TEXT NOT NULL, context TEXT NOT NULL, exit INTEGER
) STRICT;
CREATE TABLE IF NOT EXISTS alias (
    owner TEXT NOT NULL, name TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (owner, name)
) STRICT;
CREATE TABLE IF NOT EXISTS kept (
    owner TEXT NOT NULL, name TEXT NOT NULL, at TEXT NOT NULL, count INTEGER NOT NULL, records TEXT NOT NULL,
    PRIMARY KEY (owner, name)
) STRICT;
";

/// The journal in SQLite.
pub struct Store {
    path: PathBuf,
    pool: OnceCell<SqlitePool>,
    clock: Clock,
    in_memory: bool,
}

impl Store {
    /// A store that opens its database at the first use.
    pub fn new(path: PathBuf, clock: Clock) -> Self {
        Store {
            path,
            pool: OnceCell::new(),
            clock,
            in_memory: false,
        }
    }

    /// A store that is gone with the process: for the sandbox, which must not touch what the operator keeps.
    pub fn in_memory(clock: Clock) -> Self {
        Store {
            in_memory: true,
            ..Store::new(PathBuf::from("in memory"), clock)
        }
    }

    /// Whether there is a database yet; asking makes none.
    pub fn exists(&self) -> bool {
        self.in_memory || self.path.exists()
    }

    async fn pool(&self) -> Result<&SqlitePool, Report> {
        self.pool.get_or_try_init(|| self.open()).await
    }

    async fn open(&self) -> Result<SqlitePool, Report> {
        let options = match self.in_memory {
            true => SqliteConnectOptions::new().in_memory(true),
            false => file_options(&self.path)?,
        };
        // In memory each connection would be a database of its own, gone when it is closed.
        let pool = match self.in_memory {
            true => SqlitePoolOptions::new()
                .max_connections(1)
                .idle_timeout(None)
                .max_lifetime(None),
            false => SqlitePoolOptions::new().max_connections(2),
        };
        let begun = Instant::now();
        loop {
            match begin(pool.clone(), options.clone()).await {
                // Two programs that make the file at once: SQLite refuses the second one's change of the journal's mode
                // without waiting, whatever the busy timeout.
                Err(error) if is_locked(&error) && begun.elapsed() < PATIENCE => tokio::time::sleep(PAUSE).await,
                result => return result.map_err(|error| self.broken(&error)),
            }
        }
    }

    fn broken(&self, error: &sqlx::Error) -> Report {
        Report::failed(
            "E-STORE-001",
            format!("the journal {} cannot be used", self.path.display()),
        )
        .because(error)
        .hint("check the folder's permissions and free space, or set XDG_STATE_HOME")
    }
}

async fn begin(pool: SqlitePoolOptions, options: SqliteConnectOptions) -> Result<SqlitePool, sqlx::Error> {
    let pool = pool.connect_with(options).await?;
    for schema in [SCHEMA, bundles::SCHEMA] {
        pool.execute(schema).await?;
    }
    Ok(pool)
}

/// SQLITE_BUSY in any of its extended forms: another program holds the lock.
fn is_locked(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|error| error.code());
    code.and_then(|code| code.parse::<u32>().ok())
        .is_some_and(|code| code & 0xff == 5)
}

/// Makes the folder (0700) and the file (0600) before SQLite would make them with the process's mask.
fn file_options(path: &Path) -> Result<SqliteConnectOptions, Report> {
    use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
    let refuse = |error: std::io::Error| {
        Report::failed("E-STORE-002", format!("cannot create the journal {}", path.display()))
            .because(&error)
            .hint("check the folder's permissions, or set XDG_STATE_HOME")
    };
    if let Some(folder) = path.parent() {
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .map_err(refuse)?;
    }
    std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(path)
        .map_err(refuse)?;
    Ok(SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        .busy_timeout(PATIENCE))
}

/// The chain: each entry's hash covers the one before, so that a removed or edited entry shows.
fn chain(previous: &str, at: &str, entry: &NewEntry, change: &str) -> String {
    let undoes = entry.undoes.map_or_else(String::new, |n| n.to_string());
    let mut hash = Sha256::new();
    for part in [
        previous,
        at,
        &entry.user,
        &entry.context,
        &entry.pipeline,
        change,
        &entry.outcome,
        &undoes,
    ] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hex(&hash.finalize())
}

fn audit_entry(row: &SqliteRow) -> Result<AuditEntry, sqlx::Error> {
    let decode = |error: Box<dyn std::error::Error + Send + Sync>| sqlx::Error::Decode(error);
    let at: String = row.try_get("at")?;
    let change: String = row.try_get("change")?;
    let number: i64 = row.try_get("number")?;
    let undoes: Option<i64> = row.try_get("undoes")?;
    Ok(AuditEntry {
        number: number.unsigned_abs(),
        at: at.parse::<Timestamp>().map_err(|e| decode(e.into()))?,
        user: row.try_get("user")?,
        context: row.try_get("context")?,
        pipeline: row.try_get("pipeline")?,
        change: serde_json::from_str(&change).map_err(|e| decode(e.into()))?,
        outcome: row.try_get("outcome")?,
        undoes: undoes.map(i64::unsigned_abs),
        hash: row.try_get("hash")?,
    })
}

fn key(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

#[async_trait]
impl Journal for Store {
    async fn append(&self, entry: NewEntry) -> Result<u64, Report> {
        let change = serde_json::to_string(&entry.change)
            .map_err(|e| Report::failed("E-STORE-003", "a change cannot be written down").because(&e))?;
        let at = self.clock.now().to_string();
        let write = async {
            // Immediate: the last hash must not change between reading it and appending to it.
            let mut transaction = self
                .pool()
                .await?
                .begin_with("BEGIN IMMEDIATE")
                .await
                .map_err(|e| self.broken(&e))?;
            let previous: Option<String> = sqlx::query_scalar("SELECT hash FROM change ORDER BY number DESC LIMIT 1")
                .fetch_optional(&mut *transaction)
                .await
                .map_err(|e| self.broken(&e))?;
            let hash = chain(&previous.unwrap_or_default(), &at, &entry, &change);
            let done = sqlx::query(
                "INSERT INTO change (at, user, context, pipeline, change, outcome, undoes, hash) VALUES (?,?,?,?,?,?,?,?)",
            )
            .bind(&at)
            .bind(&entry.user)
            .bind(&entry.context)
            .bind(&entry.pipeline)
            .bind(&change)
            .bind(&entry.outcome)
            .bind(entry.undoes.map(key))
            .bind(&hash)
            .execute(&mut *transaction)
            .await
            .map_err(|e| self.broken(&e))?;
            transaction.commit().await.map_err(|e| self.broken(&e))?;
            Ok(done.last_insert_rowid().unsigned_abs())
        };
        write.await
    }

    async fn entries(&self, limit: usize) -> Result<Vec<AuditEntry>, Report> {
        let rows = sqlx::query("SELECT * FROM change ORDER BY number DESC LIMIT ?")
            .bind(i64::try_from(limit).unwrap_or(i64::MAX))
            .fetch_all(self.pool().await?)
            .await
            .map_err(|e| self.broken(&e))?;
        rows.iter()
            .map(audit_entry)
            .collect::<Result<_, _>>()
            .map_err(|e| self.broken(&e))
    }

    async fn entry(&self, number: u64) -> Result<Option<AuditEntry>, Report> {
        let row = sqlx::query("SELECT * FROM change WHERE number = ?")
            .bind(key(number))
            .fetch_optional(self.pool().await?)
            .await
            .map_err(|e| self.broken(&e))?;
        row.as_ref().map(audit_entry).transpose().map_err(|e| self.broken(&e))
    }

    async fn undone_by(&self, number: u64) -> Result<Option<u64>, Report> {
        let found: Option<i64> =
            sqlx::query_scalar("SELECT number FROM change WHERE undoes = ? AND outcome = 'applied' LIMIT 1")
                .bind(key(number))
                .fetch_optional(self.pool().await?)
                .await
                .map_err(|e| self.broken(&e))?;
        Ok(found.map(i64::unsigned_abs))
    }

    async fn remember(&self, entry: HistoryLine) -> Result<(), Report> {
        let pool = self.pool().await?;
        let done = sqlx::query("INSERT INTO history (at, line, context, exit) VALUES (?,?,?,?)")
            .bind(self.clock.now().to_string())
            .bind(&entry.line)
            .bind(&entry.context)
            .bind(entry.exit.map(i64::from))
            .execute(pool)
            .await
            .map_err(|e| self.broken(&e))?;
        sqlx::query("DELETE FROM history WHERE id <= ?")
            .bind(done.last_insert_rowid() - HISTORY_LINES)
            .execute(pool)
            .await
            .map_err(|e| self.broken(&e))?;
        Ok(())
    }

    async fn history(&self, limit: usize) -> Result<Vec<HistoryLine>, Report> {
        let rows = sqlx::query("SELECT id, line, context, exit FROM history ORDER BY id DESC LIMIT ?")
            .bind(i64::try_from(limit).unwrap_or(i64::MAX))
            .fetch_all(self.pool().await?)
            .await
            .map_err(|e| self.broken(&e))?;
        let mut entries = rows
            .iter()
            .map(|row| {
                let exit: Option<i64> = row.try_get("exit")?;
                let number: i64 = row.try_get("id")?;
                Ok(HistoryLine {
                    number: number.unsigned_abs(),
                    line: row.try_get("line")?,
                    context: row.try_get("context")?,
                    exit: exit.and_then(|code| u8::try_from(code).ok()),
                })
            })
            .collect::<Result<Vec<_>, sqlx::Error>>()
            .map_err(|e| self.broken(&e))?;
        entries.reverse();
        Ok(entries)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::change::{Change, Inverse, Risk, Target};
    use serde_json::{Value, json};

    fn entry(name: &str, undoes: Option<u64>) -> NewEntry {
        NewEntry {
            user: "ana".into(),
            context: "sandbox".into(),
            pipeline: "kubectl:scale deploy web --replicas=3".into(),
            change: Change {
                verb: "kubectl:scale".into(),
                summary: format!("scale {name}"),
                target: Target {
                    kind: "Deployment".into(),
                    scope: "default".into(),
                    name: name.into(),
                },
                before: json!({"replicas": 1}),
                after: json!({"replicas": 3}),
                precondition: Value::Null,
                request: json!({"token": "hunter2"}),
                risk: Risk::Change,
                inverse: Some(Inverse {
                    pipeline: "x".into(),
                    expects: json!(3),
                }),
                recovery: false,
            },
            outcome: "applied".into(),
            undoes,
        }
    }

    #[tokio::test]
    async fn entries_are_chained_numbered_and_hold_no_request() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state/journal.db");
        let store = Store::new(path.clone(), Clock::real());
        let first = store.append(entry("web", None)).await.unwrap();
        let second = store.append(entry("db", Some(first))).await.unwrap();
        assert_eq!((first, second), (1, 2));
        let entries = store.entries(10).await.unwrap();
        assert_eq!(entries.iter().map(|e| e.number).collect::<Vec<_>>(), [2, 1]);
        assert_ne!(entries[0].hash, entries[1].hash);
        assert_eq!(entries[1].change.request, Value::Null);
        assert_eq!(store.undone_by(first).await.unwrap(), Some(second));
        assert_eq!(store.undone_by(second).await.unwrap(), None);

        use std::os::unix::fs::PermissionsExt;
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
        assert!(!String::from_utf8_lossy(&std::fs::read(&path).unwrap()).contains("hunter2"));
    }

    #[tokio::test]
    async fn two_stores_share_one_file_and_keep_one_chain() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.db");
        let stores = [1, 2].map(|_| Store::new(path.clone(), Clock::real()));
        for _ in 0..5 {
            // The first round makes the file: both at once, too.
            let (a, b) = tokio::join!(stores[0].append(entry("a", None)), stores[1].append(entry("b", None)));
            a.unwrap();
            b.unwrap();
        }
        let mut entries = stores[0].entries(100).await.unwrap();
        entries.reverse();
        let mut previous = String::new();
        for found in &entries {
            let new = NewEntry {
                user: found.user.clone(),
                context: found.context.clone(),
                pipeline: found.pipeline.clone(),
                change: found.change.clone(),
                outcome: found.outcome.clone(),
                undoes: found.undoes,
            };
            let change = serde_json::to_string(&found.change).unwrap();
            previous = chain(&previous, &found.at.to_string(), &new, &change);
            assert_eq!(previous, found.hash);
        }
        assert_eq!(entries.len(), 10);
    }

    #[tokio::test]
    async fn history_comes_back_in_order_and_an_unusable_folder_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path().join("journal.db"), Clock::real());
        for line in ["echo 1", "echo 2"] {
            let entry = HistoryLine {
                number: 0,
                line: line.into(),
                context: "sandbox".into(),
                exit: Some(0),
            };
            store.remember(entry).await.unwrap();
        }
        let lines = store.history(10).await.unwrap();
        let lines: Vec<(u64, &str)> = lines.iter().map(|e| (e.number, e.line.as_str())).collect();
        assert_eq!(lines, [(1, "echo 1"), (2, "echo 2")]);
        let broken = Store::new("/proc/nowhere/journal.db".into(), Clock::real());
        let report = broken.history(1).await.unwrap_err();
        assert!(report.sentence().contains("/proc/nowhere/journal.db"), "{report}");
    }
}
