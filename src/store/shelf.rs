//! Aliases and kept records in the database. The site's aliases belong to no user.

use async_trait::async_trait;
use sqlx::Row;

use super::Store;
use crate::core::record::Record;
use crate::core::report::Report;
use crate::engine::ports::Shelf;
use crate::verb::{Alias, AliasScope};

/// The owner of what is everyone's: no user's name is empty.
const SITE: &str = "";

fn owner(user: &str, scope: AliasScope) -> &str {
    match scope {
        AliasScope::User => user,
        AliasScope::Site => SITE,
    }
}

#[async_trait]
impl Shelf for Store {
    async fn aliases(&self, user: &str) -> Result<Vec<Alias>, Report> {
        // Asked at every start: that alone makes no database.
        if !self.path.exists() {
            return Ok(Vec::new());
        }
        let rows = sqlx::query("SELECT owner, name, body FROM alias WHERE owner IN (?, ?) ORDER BY owner, name")
            .bind(user)
            .bind(SITE)
            .fetch_all(self.pool().await?)
            .await
            .map_err(|e| self.broken(&e))?;
        let alias = |row: &sqlx::sqlite::SqliteRow| {
            let owner: String = row.try_get("owner")?;
            Ok(Alias {
                scope: if owner == SITE {
                    AliasScope::Site
                } else {
                    AliasScope::User
                },
                name: row.try_get("name")?,
                body: row.try_get("body")?,
            })
        };
        rows.iter()
            .map(alias)
            .collect::<Result<_, sqlx::Error>>()
            .map_err(|e| self.broken(&e))
    }

    async fn put_alias(&self, user: &str, alias: Alias) -> Result<(), Report> {
        sqlx::query("INSERT OR REPLACE INTO alias (owner, name, body) VALUES (?,?,?)")
            .bind(owner(user, alias.scope))
            .bind(&alias.name)
            .bind(&alias.body)
            .execute(self.pool().await?)
            .await
            .map_err(|e| self.broken(&e))?;
        Ok(())
    }

    async fn remove_alias(&self, user: &str, scope: AliasScope, name: &str) -> Result<bool, Report> {
        let done = sqlx::query("DELETE FROM alias WHERE owner = ? AND name = ?")
            .bind(owner(user, scope))
            .bind(name)
            .execute(self.pool().await?)
            .await
            .map_err(|e| self.broken(&e))?;
        Ok(done.rows_affected() > 0)
    }

    async fn keep(&self, user: &str, name: &str, records: Vec<Record>) -> Result<(), Report> {
        let text = serde_json::to_string(&records)
            .map_err(|e| Report::failed("E-STORE-004", "the records cannot be written down").because(&e))?;
        sqlx::query("INSERT OR REPLACE INTO kept (owner, name, at, count, records) VALUES (?,?,?,?,?)")
            .bind(user)
            .bind(name)
            .bind(self.clock.now().to_string())
            .bind(i64::try_from(records.len()).unwrap_or(i64::MAX))
            .bind(text)
            .execute(self.pool().await?)
            .await
            .map_err(|e| self.broken(&e))?;
        Ok(())
    }

    async fn kept(&self, user: &str, name: &str) -> Result<Option<Vec<Record>>, Report> {
        let text: Option<String> = sqlx::query_scalar("SELECT records FROM kept WHERE owner = ? AND name = ?")
            .bind(user)
            .bind(name)
            .fetch_optional(self.pool().await?)
            .await
            .map_err(|e| self.broken(&e))?;
        text.map(|text| {
            serde_json::from_str(&text).map_err(|e| {
                Report::failed("E-STORE-005", format!("what is kept as {name:?} cannot be read")).because(&e)
            })
        })
        .transpose()
    }

    async fn kept_names(&self, user: &str) -> Result<Vec<(String, u64)>, Report> {
        let rows: Vec<(String, i64)> = sqlx::query_as("SELECT name, count FROM kept WHERE owner = ? ORDER BY name")
            .bind(user)
            .fetch_all(self.pool().await?)
            .await
            .map_err(|e| self.broken(&e))?;
        Ok(rows
            .into_iter()
            .map(|(name, count)| (name, count.unsigned_abs()))
            .collect())
    }

    async fn forget(&self, user: &str, name: &str) -> Result<bool, Report> {
        let done = sqlx::query("DELETE FROM kept WHERE owner = ? AND name = ?")
            .bind(user)
            .bind(name)
            .execute(self.pool().await?)
            .await
            .map_err(|e| self.broken(&e))?;
        Ok(done.rows_affected() > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::clock::Clock;
    use serde_json::json;

    fn alias(scope: AliasScope, name: &str, body: &str) -> Alias {
        Alias {
            scope,
            name: name.to_owned(),
            body: body.to_owned(),
        }
    }

    #[tokio::test]
    async fn l25_aliases_are_one_users_or_the_sites() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path().join("journal.db"), Clock::real());
        store
            .put_alias("ana", alias(AliasScope::User, "po", "old"))
            .await
            .unwrap();
        store
            .put_alias("ana", alias(AliasScope::User, "po", "kubectl:get po"))
            .await
            .unwrap();
        store
            .put_alias("ana", alias(AliasScope::Site, "po", "site's"))
            .await
            .unwrap();
        let seen = |user: &'static str| {
            let store = &store;
            async move {
                let aliases = store.aliases(user).await.unwrap();
                aliases.iter().map(Alias::to_string).collect::<Vec<_>>()
            }
        };
        assert_eq!(seen("ana").await, ["site:po = site's", "user:po = kubectl:get po"]);
        assert_eq!(seen("bo").await, ["site:po = site's"]);
        assert!(!store.remove_alias("bo", AliasScope::User, "po").await.unwrap());
        assert!(store.remove_alias("bo", AliasScope::Site, "po").await.unwrap());
        assert_eq!(seen("ana").await, ["user:po = kubectl:get po"]);
    }

    #[tokio::test]
    async fn d1_kept_records_come_back_as_they_were() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path().join("journal.db"), Clock::real());
        let records = vec![json!({"a": null}), json!(12345678901234567890u64), json!("x")];
        store.keep("ana", "n", records.clone()).await.unwrap();
        store.keep("ana", "n", records.clone()).await.unwrap();
        assert_eq!(store.kept("ana", "n").await.unwrap(), Some(records));
        assert_eq!(store.kept("bo", "n").await.unwrap(), None);
        assert_eq!(store.kept_names("ana").await.unwrap(), [("n".to_owned(), 3)]);
        assert!(store.forget("ana", "n").await.unwrap() && !store.forget("ana", "n").await.unwrap());
    }
}
