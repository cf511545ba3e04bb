//! The tables of installed bundles: versions, which one of them is enabled, and the layers of their configuration.
//! Texts go in and out as they are: what a manifest says and what is encrypted is not known here.

use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::Store;
use crate::core::report::Report;

/// At most one version of a name is enabled: the key of the table says so.
pub(super) const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS bundle (
    name TEXT NOT NULL, version TEXT NOT NULL, digest TEXT NOT NULL, source TEXT NOT NULL, manifest TEXT NOT NULL,
    installed TEXT NOT NULL, PRIMARY KEY (name, version)
) STRICT;
CREATE TABLE IF NOT EXISTS bundle_enabled (
    name TEXT PRIMARY KEY, version TEXT NOT NULL,
    FOREIGN KEY (name, version) REFERENCES bundle (name, version) ON DELETE RESTRICT
) STRICT;
CREATE TABLE IF NOT EXISTS bundle_setting (
    bundle TEXT NOT NULL, layer TEXT NOT NULL, variable TEXT NOT NULL, value TEXT NOT NULL, encrypted INTEGER NOT NULL,
    PRIMARY KEY (bundle, layer, variable)
) STRICT;
";

/// An installed version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installed {
    /// The bundle's name.
    pub name: String,
    /// `N.N` or `N.N.N`.
    pub version: String,
    /// `sha256:…` over the manifest's text.
    pub digest: String,
    /// Where it came from.
    pub source: String,
    /// The manifest's text.
    pub manifest: String,
    /// When it was installed, RFC 3339.
    pub installed: String,
    /// Whether it is the one in use.
    pub enabled: bool,
}

/// A variable of a layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// The bundle's name.
    pub bundle: String,
    /// `base`, `room/NAME`, `user/NAME`.
    pub layer: String,
    /// The variable.
    pub variable: String,
    /// The value, or its ciphertext.
    pub value: String,
    /// Whether it is ciphertext.
    pub encrypted: bool,
}

impl Store {
    /// Every installed version, by name, the newest installation last.
    pub async fn bundles(&self) -> Result<Vec<Installed>, Report> {
        let rows = sqlx::query(
            "SELECT b.*, e.version IS NOT NULL AS enabled FROM bundle b \
             LEFT JOIN bundle_enabled e ON e.name = b.name AND e.version = b.version ORDER BY b.name, b.installed",
        )
        .fetch_all(self.pool().await?)
        .await
        .map_err(|e| self.broken(&e))?;
        let read = |row: &SqliteRow| {
            Ok(Installed {
                name: row.try_get("name")?,
                version: row.try_get("version")?,
                digest: row.try_get("digest")?,
                source: row.try_get("source")?,
                manifest: row.try_get("manifest")?,
                installed: row.try_get("installed")?,
                enabled: row.try_get::<i64, _>("enabled")? != 0,
            })
        };
        let found = rows.iter().map(read).collect::<Result<_, sqlx::Error>>();
        found.map_err(|e| self.broken(&e))
    }

    /// Adds a version, or replaces the one of the same name and number.
    pub async fn put_bundle(&self, bundle: &Installed) -> Result<(), Report> {
        sqlx::query(
            "INSERT INTO bundle (name, version, digest, source, manifest, installed) VALUES (?,?,?,?,?,?) \
             ON CONFLICT (name, version) DO UPDATE SET digest = excluded.digest, source = excluded.source, \
             manifest = excluded.manifest, installed = excluded.installed",
        )
        .bind(&bundle.name)
        .bind(&bundle.version)
        .bind(&bundle.digest)
        .bind(&bundle.source)
        .bind(&bundle.manifest)
        .bind(self.clock.now().to_string())
        .execute(self.pool().await?)
        .await
        .map_err(|e| self.broken(&e))?;
        Ok(())
    }

    /// Removes a version. The enabled one stays: that is an error.
    pub async fn remove_bundle(&self, name: &str, version: &str) -> Result<(), Report> {
        sqlx::query("DELETE FROM bundle WHERE name = ? AND version = ?")
            .bind(name)
            .bind(version)
            .execute(self.pool().await?)
            .await
            .map_err(|e| self.broken(&e))?;
        Ok(())
    }

    /// Puts one version of a bundle in use; none: no version.
    pub async fn use_bundle(&self, name: &str, version: Option<&str>) -> Result<(), Report> {
        let query = match version {
            None => sqlx::query("DELETE FROM bundle_enabled WHERE name = ?").bind(name),
            Some(version) => sqlx::query(
                "INSERT INTO bundle_enabled (name, version) VALUES (?, ?) \
                 ON CONFLICT (name) DO UPDATE SET version = excluded.version",
            )
            .bind(name)
            .bind(version),
        };
        query.execute(self.pool().await?).await.map_err(|e| self.broken(&e))?;
        Ok(())
    }

    /// The settings of all bundles.
    pub async fn settings(&self) -> Result<Vec<Setting>, Report> {
        let rows = sqlx::query("SELECT * FROM bundle_setting ORDER BY bundle, layer, variable")
            .fetch_all(self.pool().await?)
            .await
            .map_err(|e| self.broken(&e))?;
        let read = |row: &SqliteRow| {
            Ok(Setting {
                bundle: row.try_get("bundle")?,
                layer: row.try_get("layer")?,
                variable: row.try_get("variable")?,
                value: row.try_get("value")?,
                encrypted: row.try_get::<i64, _>("encrypted")? != 0,
            })
        };
        let found = rows.iter().map(read).collect::<Result<_, sqlx::Error>>();
        found.map_err(|e| self.broken(&e))
    }

    /// Sets a variable of a layer.
    pub async fn put_setting(&self, setting: &Setting) -> Result<(), Report> {
        sqlx::query(
            "INSERT INTO bundle_setting (bundle, layer, variable, value, encrypted) VALUES (?,?,?,?,?) \
             ON CONFLICT (bundle, layer, variable) DO UPDATE SET value = excluded.value, encrypted = excluded.encrypted",
        )
        .bind(&setting.bundle)
        .bind(&setting.layer)
        .bind(&setting.variable)
        .bind(&setting.value)
        .bind(i64::from(setting.encrypted))
        .execute(self.pool().await?)
        .await
        .map_err(|e| self.broken(&e))?;
        Ok(())
    }

    /// Removes a variable from a layer.
    pub async fn remove_setting(&self, bundle: &str, layer: &str, variable: &str) -> Result<(), Report> {
        sqlx::query("DELETE FROM bundle_setting WHERE bundle = ? AND layer = ? AND variable = ?")
            .bind(bundle)
            .bind(layer)
            .bind(variable)
            .execute(self.pool().await?)
            .await
            .map_err(|e| self.broken(&e))?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::core::clock::Clock;

    fn version(version: &str) -> Installed {
        Installed {
            name: "demo".into(),
            version: version.into(),
            digest: format!("sha256:{version}"),
            source: "demo.yaml".into(),
            manifest: "{}".into(),
            installed: String::new(),
            enabled: false,
        }
    }

    #[tokio::test]
    async fn b3_of_several_versions_one_is_enabled_and_that_one_cannot_be_removed() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path().join("journal.db"), Clock::real());
        assert!(!store.exists());
        for number in ["0.9.0", "0.10.0"] {
            store.put_bundle(&version(number)).await.unwrap();
        }
        let enabled = async || -> Vec<String> {
            let bundles = store.bundles().await.unwrap();
            bundles.into_iter().filter(|b| b.enabled).map(|b| b.version).collect()
        };
        assert_eq!(enabled().await, Vec::<String>::new());
        for number in ["0.9.0", "0.10.0", "0.9.0"] {
            store.use_bundle("demo", Some(number)).await.unwrap();
            assert_eq!(enabled().await, [number]);
        }
        assert!(store.remove_bundle("demo", "0.9.0").await.is_err());
        assert!(
            store.use_bundle("demo", Some("7.0.0")).await.is_err(),
            "only what is installed"
        );
        store.use_bundle("demo", None).await.unwrap();
        store.remove_bundle("demo", "0.9.0").await.unwrap();
        assert_eq!(store.bundles().await.unwrap().len(), 1);
    }

    #[tokio::test]
    async fn settings_are_replaced_and_removed_by_their_layer() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path().join("journal.db"), Clock::real());
        let setting = |layer: &str, value: &str| Setting {
            bundle: "demo".into(),
            layer: layer.into(),
            variable: "X".into(),
            value: value.into(),
            encrypted: false,
        };
        for (layer, value) in [("base", "1"), ("room/ops", "2"), ("base", "3")] {
            store.put_setting(&setting(layer, value)).await.unwrap();
        }
        store.remove_setting("demo", "room/ops", "X").await.unwrap();
        assert_eq!(store.settings().await.unwrap(), [setting("base", "3")]);
    }
}
