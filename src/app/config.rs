//! The configuration file: every key optional. Reads and checks it; what it means for a context is `contexts`'.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::environment::Environment;
use super::looks;
use crate::access::{Permissions, Policy};
use crate::core::report::Report;
use crate::verb::catalogue::{did_you_mean, nearest};

/// `config.toml`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The context to start in (`COGDECK_CONTEXT`).
    pub context: Option<String>,
    /// Theme (`COGDECK_THEME`). A file's path starts at the folder of the configuration.
    pub theme: Option<String>,
    /// Keymap (`COGDECK_KEYMAP`), likewise.
    pub keymap: Option<String>,
    /// Manifests of bundles whose commands are loaded.
    pub bundles: Vec<PathBuf>,
    /// Users by name, with what they may do; none: the local user may do everything.
    pub users: BTreeMap<String, UserEntry>,
    /// The site's own rules about who may run what, in the access language.
    pub rules: Vec<String>,
    /// Rules of commands that do not count here, in their long form.
    pub disabled_rules: Vec<String>,
    /// Contexts by name.
    pub contexts: BTreeMap<String, ContextEntry>,
}

/// `[users.NAME]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct UserEntry {
    /// `NAMESPACE:NAME`, `NAMESPACE:*` or `*`.
    pub permissions: Vec<String>,
}

/// `[contexts.NAME]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ContextEntry {
    /// Kubeconfig file(s), separated as in `KUBECONFIG`.
    pub kubeconfig: Option<String>,
    /// Kube context; none: the name of the entry if the kubeconfig has it, else its current one.
    pub kube_context: Option<String>,
    /// Namespace.
    pub namespace: Option<String>,
    /// AWS profile.
    pub aws_profile: Option<String>,
    /// AWS region.
    pub region: Option<String>,
    /// AWS endpoint for every service.
    pub aws_endpoint: Option<String>,
    /// DNS server, `IP:PORT`.
    pub resolver: Option<SocketAddr>,
    /// HTTP proxy of the traffic verbs.
    pub http_proxy: Option<String>,
    /// Docker engine.
    pub docker_host: Option<String>,
    /// Room layer.
    pub room: Option<String>,
    /// Raises every risk class.
    pub production: bool,
    /// Opens read-only.
    pub read_only: bool,
}

impl Config {
    /// Reads `file`, or else the file in the configuration folder if there is one; then what `COGDECK_…` overrides.
    pub fn load(file: Option<&Path>, environment: &Environment) -> Result<Config, Report> {
        let named = file
            .map(Path::to_path_buf)
            .or_else(|| environment.get("COGDECK_CONFIG").map(PathBuf::from));
        let mut config = match &named {
            Some(path) => Config::read(path)?,
            None => {
                let path = environment.xdg("XDG_CONFIG_HOME", ".config").join("config.toml");
                if path.is_file() {
                    Config::read(&path)?
                } else {
                    Config::default()
                }
            }
        };
        let own = |value: &mut Option<String>, name: &str| {
            if let Some(text) = environment.get(name) {
                *value = Some(text.to_owned());
            }
        };
        own(&mut config.context, "COGDECK_CONTEXT");
        own(&mut config.theme, "COGDECK_THEME");
        own(&mut config.keymap, "COGDECK_KEYMAP");
        Ok(config)
    }

    /// Who may run what, as it is configured.
    pub fn policy(&self) -> Result<Policy, Report> {
        let users = self.users.iter().map(|(name, entry)| {
            let permissions = Permissions::new(entry.permissions.iter().cloned());
            permissions
                .map(|permissions| (name.clone(), permissions))
                .map_err(|report| Report {
                    message: format!("the configuration's [users.{name}]: {}", report.message),
                    ..report
                })
        });
        let users = users.collect::<Result<_, _>>()?;
        Policy::new(users, self.rules.iter().cloned(), self.disabled_rules.iter().cloned())
    }

    fn read(path: &Path) -> Result<Config, Report> {
        let text = std::fs::read_to_string(path).map_err(|error| {
            Report::refused(
                "E-CONFIG-001",
                format!("cannot read the configuration {}", path.display()),
            )
            .because(&error)
        })?;
        let mut config = Config::parse(&text).map_err(|report| Report {
            message: format!("{}: {}", path.display(), report.message),
            ..report
        })?;
        let folder = path.parent().unwrap_or(Path::new(""));
        for name in [&mut config.theme, &mut config.keymap].into_iter().flatten() {
            if looks::is_file(name) {
                *name = folder.join(&*name).to_string_lossy().into_owned();
            }
        }
        Ok(config)
    }

    fn parse(text: &str) -> Result<Config, Report> {
        toml::from_str(text).map_err(|error| {
            let message = error.message().to_owned();
            // The key that is unknown, then those of the table it stands in: `a`, expected one of `b`, `c`.
            let mut named = message.split('`').skip(1).step_by(2).map(str::to_owned);
            let unknown = named.next().filter(|_| message.starts_with("unknown field"));
            let near = unknown.map(|key| nearest(&key, named)).unwrap_or_default();
            let mut report = Report::refused("E-CONFIG-002", format!("the configuration is not right: {message}"));
            if let Some(span) = error.span() {
                report = report.at(text, span);
            }
            match did_you_mean(&near) {
                Some(hint) => report.hint(hint),
                None => report,
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r4_users_and_rules_are_read_and_wrong_ones_refused() {
        let config = Config::parse(
            "rules = [\"when command is kubectl:delete must have site:ops\"]\n[users.ana]\npermissions = [\"kubectl:*\"]\n",
        )
        .unwrap();
        assert!(!config.policy().unwrap().is_open());
        assert!(Config::parse("").unwrap().policy().unwrap().is_open());
        let wrong = Config::parse("[users.ana]\npermissions = [\"kubectl\"]\n")
            .unwrap()
            .policy()
            .unwrap_err();
        assert!(wrong.message.contains("[users.ana]"), "{wrong}");
        let wrong = Config::parse("rules = [\"must have a:b\"]\n")
            .unwrap()
            .policy()
            .unwrap_err();
        assert_eq!(wrong.code, "E-RULE-001");
    }

    #[test]
    fn an_unknown_key_is_refused_with_the_nearest_one() {
        let report = Config::parse("[contexts.prod]\nkube_contxt = \"x\"\n").unwrap_err();
        assert_eq!(report.hint.as_deref(), Some("did you mean kube_context?"));
        assert!(
            report.lines().iter().any(|line| line.contains("^^^")),
            "{:?}",
            report.lines()
        );
        let elsewhere = Config::parse("kubeconfig = \"x\"\n").unwrap_err();
        assert_eq!(elsewhere.hint, None, "{elsewhere}: it is a key of another table");
        let only_one = Config::parse("[users.ana]\npermission = []\n").unwrap_err();
        assert_eq!(only_one.hint.as_deref(), Some("did you mean permissions?"));
    }

    #[test]
    fn files_of_looks_are_found_beside_the_configuration() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("c.toml");
        std::fs::write(&path, "theme = 'mine.toml'\nkeymap = 'vim'\n").unwrap();
        let none = Environment::from_pairs([]);
        let config = Config::load(Some(&path), &none).unwrap();
        let beside = folder.path().join("mine.toml").to_string_lossy().into_owned();
        assert_eq!((config.theme, config.keymap.as_deref()), (Some(beside), Some("vim")));
        let flag = Environment::from_pairs([("COGDECK_THEME", "other.toml")]);
        let config = Config::load(Some(&path), &flag).unwrap();
        assert_eq!(config.theme.as_deref(), Some("other.toml"), "from where it is typed");
    }

    #[test]
    fn the_environment_wins_over_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("c.toml");
        std::fs::write(
            &path,
            "theme = 'dark'\ncontext = 'a'\n[contexts.a]\nproduction = true\n",
        )
        .unwrap();
        let environment = Environment::from_pairs([("COGDECK_THEME", "mono")]);
        let config = Config::load(Some(&path), &environment).unwrap();
        assert_eq!(
            (config.theme.as_deref(), config.context.as_deref()),
            (Some("mono"), Some("a"))
        );
        assert!(config.contexts["a"].production);
    }
}
