//! The library: what the store keeps of bundles, read as manifests and layers. All verbs of this folder go through it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use crate::bundle::depot::Depot;
use crate::bundle::layers::{Held, Layer};
use crate::bundle::secret::Keyring;
use crate::bundle::verbs::Files;
use crate::bundle::{Layers, Manifest, Package, verbs};
use crate::core::clock::Clock;
use crate::core::report::Report;
use crate::core::text::Secret;
use crate::store::Store;
use crate::store::bundles::{Installed, Setting};
use crate::verb::catalogue::{did_you_mean, nearest};
use crate::verb::{Bundles, Call};

/// How the variables of the environment layer begin: `COGDECK_BUNDLE_NAME__VARIABLE`.
const PREFIX: &str = "COGDECK_BUNDLE_";

/// Bundles at rest.
pub struct Library {
    /// Where they are kept.
    pub store: Arc<Store>,
    /// What opens their secrets.
    pub keyring: Keyring,
    /// Whose layer counts.
    pub user: String,
    /// Variables of the process for the environment layer.
    pub environment: BTreeMap<String, String>,
    /// Variables that fetching may see beside a context's: the agent of ssh's keys, proxies.
    pub fetching: BTreeMap<String, String>,
    /// Where relative paths start.
    pub directory: PathBuf,
    /// A folder for what is fetched meanwhile.
    pub scratch: PathBuf,
    /// The files of installed bundles.
    pub depot: Depot,
}

/// The enabled bundles as pages and verbs, those that are off by their names, and what kept others from being so.
#[derive(Default)]
pub struct Loaded {
    /// Ready to be put into a catalogue.
    pub bundles: Bundles,
    /// One for each bundle that could not be read.
    pub problems: Vec<Report>,
}

impl Library {
    /// One in which nothing is installed, gone with the process, and without a key.
    pub fn empty() -> Library {
        Library {
            store: Arc::new(Store::in_memory(Clock::real())),
            keyring: Keyring::File(PathBuf::new()),
            user: String::new(),
            environment: BTreeMap::new(),
            fetching: BTreeMap::new(),
            directory: PathBuf::new(),
            scratch: PathBuf::new(),
            depot: Depot::default(),
        }
    }

    /// What is installed. A broken one is told and does not keep the others away; no database: none.
    pub async fn load(&self) -> Result<Loaded, Report> {
        let mut loaded = Loaded::default();
        if !self.store.exists() {
            return Ok(loaded);
        }
        let settings = self.store.settings().await?;
        let bundles = self.store.bundles().await?;
        for installed in bundles.iter().filter(|bundle| bundle.enabled) {
            match opened(installed) {
                Ok(Opened { package, manifest }) => {
                    let layers = self.layers(&installed.name, &settings);
                    let files = Files {
                        folder: self.depot.of(&installed.digest),
                        marks: Arc::new(package.files),
                    };
                    loaded.bundles.enabled.push(verbs::verbs(&manifest, &layers, &files));
                }
                Err(report) => loaded.problems.push(Report {
                    message: format!(
                        "{} {} is left out: {}",
                        installed.name, installed.version, report.message
                    ),
                    ..report
                }),
            }
        }
        let in_use = |name: &str| bundles.iter().any(|bundle| bundle.enabled && bundle.name == name);
        let off = bundles.iter().filter(|bundle| !in_use(&bundle.name));
        loaded.bundles.off = off.map(|bundle| bundle.name.clone()).collect();
        Ok(loaded)
    }

    /// Makes the lines that start from now on see what is enabled and set.
    pub async fn refresh(&self, call: &Call) -> Result<(), Report> {
        let loaded = self.load().await?;
        for problem in &loaded.problems {
            call.operator.note(problem.to_string().into());
        }
        call.session.set_bundles(loaded.bundles);
        Ok(())
    }

    /// The layers of one bundle, secrets opened as far as there is a key.
    pub fn layers(&self, bundle: &str, settings: &[Setting]) -> Layers {
        let mut layers = Layers::default();
        for setting in settings.iter().filter(|setting| setting.bundle == bundle) {
            // What is no layer any more counts for nobody.
            let Ok(layer) = setting.layer.parse::<Layer>() else {
                continue;
            };
            let held = match setting.encrypted {
                false => Held::Plain(setting.value.clone()),
                true => match self
                    .keyring
                    .open(&setting.value, &place(bundle, &setting.layer, &setting.variable))
                {
                    Ok(secret) => Held::Secret(secret),
                    Err(report) => Held::Locked(report.message),
                },
            };
            layers.set(layer, &setting.variable, held);
        }
        let prefix = format!("{PREFIX}{}__", shouted(bundle));
        for (name, value) in &self.environment {
            if let Some(variable) = name.strip_prefix(&prefix).filter(|variable| !variable.is_empty()) {
                layers.set(Layer::Environment, variable, Held::Secret(Secret::new(value.as_str())));
            }
        }
        layers
    }

    /// What the layers of a bundle set for a room, secrets opened; it need not be installed. No database: what the
    /// environment sets.
    pub async fn variables(&self, bundle: &str, room: Option<&str>) -> Result<BTreeMap<String, Secret>, Report> {
        let settings = match self.store.exists() {
            true => self.store.settings().await?,
            false => Vec::new(),
        };
        let values = self.layers(bundle, &settings).values(room, &self.user)?;
        Ok(values
            .into_iter()
            .map(|(name, value)| (name, Secret::new(value.reveal())))
            .collect())
    }

    /// Whether a bundle of this name is installed.
    pub async fn has(&self, name: &str) -> Result<bool, Report> {
        Ok(self.store.exists() && self.store.bundles().await?.iter().any(|bundle| bundle.name == name))
    }

    /// The versions of a bundle, the highest last. Refused when there is none, with the nearest names.
    pub async fn versions(&self, name: &str) -> Result<Vec<Installed>, Report> {
        let all = self.store.bundles().await?;
        let mut versions: Vec<Installed> = all.iter().filter(|bundle| bundle.name == name).cloned().collect();
        versions.sort_by_key(|bundle| order(&bundle.version));
        if versions.is_empty() {
            let near = nearest(name, all.into_iter().map(|bundle| bundle.name));
            let hint = did_you_mean(&near).unwrap_or_else(|| "`bundle list` shows what is installed".to_owned());
            return Err(Report::refused("E-BUNDLE-040", format!("no bundle {name:?} is installed")).hint(hint));
        }
        Ok(versions)
    }

    /// One version of a bundle; none named: the highest.
    pub async fn version(&self, name: &str, version: Option<&str>) -> Result<Installed, Report> {
        let versions = self.versions(name).await?;
        let known: Vec<String> = versions.iter().map(|bundle| bundle.version.clone()).collect();
        let found = match version {
            None => versions.into_iter().next_back(),
            Some(number) => find(versions, number),
        };
        found.ok_or_else(|| {
            let message = format!("{name} {} is not installed", version.unwrap_or_default());
            Report::refused("E-BUNDLE-041", message).hint(format!("installed: {}", known.join(", ")))
        })
    }

    /// What is installed of a bundle under this number, however it is written.
    pub async fn same(&self, name: &str, version: &str) -> Result<Option<Installed>, Report> {
        let mut versions = self.store.bundles().await?;
        versions.retain(|bundle| bundle.name == name);
        Ok(find(versions, version))
    }

    /// The version of a bundle that is in use.
    pub async fn enabled(&self, name: &str) -> Result<Option<Installed>, Report> {
        let all = self.store.bundles().await?;
        Ok(all.into_iter().find(|bundle| bundle.enabled && bundle.name == name))
    }

    /// A layer's variable as it is stored.
    pub async fn setting(&self, bundle: &str, layer: &Layer, variable: &str) -> Result<Option<Setting>, Report> {
        let layer = layer.to_string();
        let all = self.store.settings().await?;
        Ok(all
            .into_iter()
            .find(|known| known.bundle == bundle && known.layer == layer && known.variable == variable))
    }
}

/// What is installed, read.
pub struct Opened {
    /// All that was pinned.
    pub package: Package,
    /// Its manifest, checked.
    pub manifest: Manifest,
}

/// Reads what is installed, if it is still what was pinned.
pub fn opened(installed: &Installed) -> Result<Opened, Report> {
    let package = Package::of_text(&installed.manifest, &installed.digest)?;
    let manifest = package.load()?;
    Ok(Opened { package, manifest })
}

/// Its manifest alone.
pub fn manifest(installed: &Installed) -> Result<Manifest, Report> {
    opened(installed).map(|opened| opened.manifest)
}

/// What a secret is bound to.
pub fn place(bundle: &str, layer: &str, variable: &str) -> String {
    format!("{bundle}\n{layer}\n{variable}")
}

/// The version that is written so, or else the one of the same number.
fn find(mut versions: Vec<Installed>, number: &str) -> Option<Installed> {
    let written = versions.iter().position(|bundle| bundle.version == number);
    let same = || {
        let number = order(number)?;
        versions
            .iter()
            .position(|bundle| order(&bundle.version) == Some(number))
    };
    let found = written.or_else(same)?;
    Some(versions.swap_remove(found))
}

/// `0.10` comes after `0.9.5`, and is the same as `0.10.0`; none: this is no version.
fn order(version: &str) -> Option<[u32; 3]> {
    let numbers = version.split('.').map(|number| number.parse().ok());
    match numbers.collect::<Option<Vec<u32>>>()?[..] {
        [major, minor] => Some([major, minor, 0]),
        [major, minor, patch] => Some([major, minor, patch]),
        _ => None,
    }
}

fn shouted(name: &str) -> String {
    name.chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() {
                c.to_ascii_uppercase()
            } else {
                '_'
            }
        })
        .collect()
}

#[cfg(test)]
pub(crate) mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn b3_versions_are_ordered_by_their_numbers() {
        assert!(order("0.10") > order("0.9.5") && order("0.10") == order("0.10.0") && order("2.0") > order("1.99.99"));
        for none in ["", "1", "0.x", "1.2.3.4", "1..2", "-1.0"] {
            assert_eq!(order(none), None, "{none}");
        }
        let installed = |version: &str| Installed {
            name: "demo".into(),
            version: version.into(),
            digest: String::new(),
            source: String::new(),
            manifest: String::new(),
            installed: String::new(),
            enabled: false,
        };
        let known = || ["0.0", "0.10.0", "0.10"].map(installed).to_vec();
        for (number, found) in [
            ("0.10", Some("0.10")),
            ("0.10.0", Some("0.10.0")),
            ("0.0.0", Some("0.0")),
            ("0.x", None),
            ("0.10.0.0", None),
        ] {
            let version = find(known(), number).map(|bundle| bundle.version);
            assert_eq!(version.as_deref(), found, "{number}");
        }
    }

    #[test]
    fn b8_the_environment_is_a_layer_of_its_own() {
        let library = Library {
            environment: [
                ("COGDECK_BUNDLE_MY_DEMO__TOKEN", "t"),
                ("COGDECK_BUNDLE_MY__DEMO", "no"),
                ("TOKEN", "no"),
            ]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
            ..Library::empty()
        };
        let layers = library.layers("my.demo", &[]);
        let found: Vec<_> = layers
            .iter()
            .map(|(layer, name, held)| format!("{layer} {name} {held}"))
            .collect();
        assert_eq!(found, ["environment TOKEN •••"]);
    }
}
