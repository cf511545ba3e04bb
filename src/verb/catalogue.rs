//! The catalogue: an immutable snapshot of every verb and alias. A running plan keeps its own. Not for what an alias
//! means: the engine expands it.

use std::collections::{BTreeMap, BTreeSet};

use super::{Alias, AliasScope, BundleInfo, Verb};

/// All verbs, by bundle and name.
#[derive(Clone, Default)]
pub struct Catalogue {
    verbs: BTreeMap<(String, String), Verb>,
    infos: BTreeMap<String, BundleInfo>,
    aliases: BTreeMap<(AliasScope, String), Alias>,
    installed: Installed,
}

/// What installed bundles changed, so that it can be taken back.
#[derive(Clone, Default)]
struct Installed {
    names: Vec<String>,
    /// Those of which no version is in use.
    off: BTreeSet<String>,
    replaced: BTreeMap<(String, String), Verb>,
    replaced_infos: BTreeMap<String, BundleInfo>,
}

/// What is installed beside the built-in.
#[derive(Default)]
pub struct Bundles {
    /// In use: each with its page and its verbs.
    pub enabled: Vec<(BundleInfo, Vec<Verb>)>,
    /// The names of those of which no version is in use.
    pub off: BTreeSet<String>,
}

/// Why a name did not lead to one verb.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NameError {
    /// No such bundle; the nearest names.
    UnknownBundle(Vec<String>),
    /// The bundle has no such command; the nearest names.
    UnknownCommand(Vec<String>),
    /// Several bundles have it; their qualified names.
    Ambiguous(Vec<String>),
}

/// The bundle whose commands win over those of any other when named without a bundle.
pub const BUILT_IN: &str = "cogdeck";

/// The version of what is compiled in.
pub const NATIVE: &str = "native";

impl Catalogue {
    /// A snapshot of these verbs; of two with the same name the later wins.
    pub fn new(verbs: impl IntoIterator<Item = Verb>) -> Self {
        let verbs = verbs
            .into_iter()
            .map(|v| ((v.declaration.bundle.clone(), v.declaration.name.clone()), v))
            .collect();
        Catalogue {
            verbs,
            infos: BTreeMap::new(),
            aliases: BTreeMap::new(),
            installed: Installed::default(),
        }
    }

    /// The same with these installed bundles, each in place of whatever had its name, and without those of an earlier
    /// call, whose names go back to what they replaced. Of those that are off only the name is known.
    #[must_use]
    pub fn with_bundles(mut self, bundles: Bundles) -> Self {
        let before = std::mem::take(&mut self.installed);
        self.remove(&before.names);
        self.verbs.extend(before.replaced);
        self.infos.extend(before.replaced_infos);
        let Bundles { enabled, off } = bundles;
        let names: Vec<String> = enabled.iter().map(|(info, _)| info.name.clone()).collect();
        let (replaced, replaced_infos) = self.remove(&names);
        self.installed = Installed {
            names,
            off,
            replaced,
            replaced_infos,
        };
        for (info, verbs) in enabled {
            self.infos.insert(info.name.clone(), info);
            let named = verbs
                .into_iter()
                .map(|v| ((v.declaration.bundle.clone(), v.declaration.name.clone()), v));
            self.verbs.extend(named);
        }
        self
    }

    /// The names of what is compiled in, also of what is replaced now.
    pub fn built_in(&self) -> Vec<String> {
        let verbs = self.verbs.values().chain(self.installed.replaced.values());
        let native = verbs.filter(|verb| verb.declaration.version == NATIVE);
        let mut names: Vec<String> = native.map(|verb| verb.declaration.bundle.clone()).collect();
        names.sort();
        names.dedup();
        names
    }

    /// Whether the name of a bundle begins so.
    pub fn begins_bundle(&self, text: &str) -> bool {
        self.verbs.keys().any(|(bundle, _)| bundle.starts_with(text))
    }

    /// Whether an installed bundle stands in the place of a built-in one.
    pub fn is_replaced(&self, bundle: &str) -> bool {
        self.installed.replaced.keys().any(|(name, _)| name == bundle)
    }

    /// Whether a bundle is installed, but no version of it in use.
    pub fn is_off(&self, bundle: &str) -> bool {
        self.installed.off.contains(bundle)
    }

    /// Takes the bundles of these names out.
    fn remove(&mut self, names: &[String]) -> (BTreeMap<(String, String), Verb>, BTreeMap<String, BundleInfo>) {
        let verbs = std::mem::take(&mut self.verbs);
        let (gone, kept) = verbs.into_iter().partition(|((bundle, _), _)| names.contains(bundle));
        self.verbs = kept;
        let infos = std::mem::take(&mut self.infos);
        let (gone_infos, kept_infos) = infos.into_iter().partition(|(bundle, _)| names.contains(bundle));
        self.infos = kept_infos;
        (gone, gone_infos)
    }

    /// Adds what is known of the bundles.
    #[must_use]
    pub fn describe(mut self, infos: impl IntoIterator<Item = BundleInfo>) -> Self {
        self.infos
            .extend(infos.into_iter().map(|info| (info.name.clone(), info)));
        self
    }

    /// The same verbs with these aliases instead of those it had.
    #[must_use]
    pub fn with_aliases(mut self, aliases: impl IntoIterator<Item = Alias>) -> Self {
        let aliases = aliases.into_iter();
        self.aliases = aliases
            .map(|alias| ((alias.scope, alias.name.clone()), alias))
            .collect();
        self
    }

    /// The aliases, the user's before the site's, by name.
    pub fn aliases(&self) -> impl Iterator<Item = &Alias> {
        self.aliases.values()
    }

    /// An alias of this scope; of any, the user's before the site's.
    pub fn alias(&self, scope: Option<AliasScope>, name: &str) -> Option<&Alias> {
        let scopes = AliasScope::ALL
            .into_iter()
            .filter(|each| scope.is_none_or(|scope| scope == *each));
        scopes
            .into_iter()
            .find_map(|each| self.aliases.get(&(each, name.to_owned())))
    }

    /// What is known of a bundle beside its commands.
    pub fn info(&self, bundle: &str) -> Option<&BundleInfo> {
        self.infos.get(bundle)
    }

    /// A bundle's commands, by name.
    pub fn commands<'a>(&'a self, bundle: &'a str) -> impl Iterator<Item = &'a Verb> {
        self.verbs
            .values()
            .filter(move |verb| verb.declaration.bundle == bundle)
    }

    /// Every verb, by bundle and name.
    pub fn iter(&self) -> impl Iterator<Item = &Verb> {
        self.verbs.values()
    }

    /// The bundles' names.
    pub fn bundles(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.verbs.keys().map(|(bundle, _)| bundle.as_str()).collect();
        names.dedup();
        names
    }

    /// Finds `bundle:name`, or `name` in whichever bundle has it.
    pub fn find(&self, bundle: Option<&str>, name: &str) -> Result<&Verb, NameError> {
        match (self.lookup(bundle, name)?, bundle) {
            (Some(verb), _) => Ok(verb),
            (None, Some(bundle)) => Err(self.unknown_in(bundle, name)),
            (None, None) => Err(NameError::UnknownCommand(self.near(name))),
        }
    }

    /// As [`Catalogue::find`], for whoever tries several names: looks for no near ones. `Err`: several bundles have it.
    pub fn lookup(&self, bundle: Option<&str>, name: &str) -> Result<Option<&Verb>, NameError> {
        if let Some(bundle) = bundle {
            return Ok(self.verbs.get(&(bundle.to_owned(), name.to_owned())));
        }
        let found: Vec<&Verb> = self.verbs.values().filter(|v| v.declaration.name == name).collect();
        match found.as_slice() {
            [] => Ok(None),
            [one] => Ok(Some(one)),
            many => match many.iter().find(|v| v.declaration.bundle == BUILT_IN) {
                Some(own) => Ok(Some(own)),
                None => Err(NameError::Ambiguous(
                    many.iter().map(|v| v.declaration.qualified()).collect(),
                )),
            },
        }
    }

    fn unknown_in(&self, bundle: &str, name: &str) -> NameError {
        let bundles = self.bundles();
        if !bundles.contains(&bundle) {
            return NameError::UnknownBundle(nearest(bundle, bundles.into_iter().map(str::to_owned)));
        }
        let names = || self.verbs.keys().filter(|(b, _)| b == bundle).map(|(_, n)| n.as_str());
        let near = match nearest(name, names().map(str::to_owned)) {
            near if near.is_empty() => of_parts(name, names().map(|known| (known, known.to_owned()))),
            near => near,
        };
        NameError::UnknownCommand(near.iter().map(|n| format!("{bundle}:{n}")).collect())
    }

    fn near(&self, name: &str) -> Vec<String> {
        let all = self.verbs.keys().map(|(bundle, n)| {
            if bundle == BUILT_IN {
                n.clone()
            } else {
                format!("{bundle}:{n}")
            }
        });
        let all = all.chain(self.aliases.values().map(|alias| alias.name.clone()));
        let mut scored: Vec<(usize, String)> = all
            .map(|full| {
                let short = full.rsplit(':').next().unwrap_or(&full).to_owned();
                (
                    strsim::damerau_levenshtein(name, &short).min(strsim::damerau_levenshtein(name, &full)),
                    full,
                )
            })
            .filter(|(distance, _)| *distance <= tolerance(name))
            .collect();
        if scored.is_empty() {
            let all = self.verbs.keys();
            return of_parts(name, all.map(|(bundle, n)| (n.as_str(), format!("{bundle}:{n}"))));
        }
        scored.sort();
        scored.into_iter().take(3).map(|(_, full)| full).collect()
    }
}

/// Most names told of those that a word is a part of.
const OF_PARTS: usize = 6;

/// Names, each with how it is told, that have all parts of a word among theirs, in whatever order: `rollout` is a part of
/// `rollout-undo`, and `create-record` is `record-create`.
fn of_parts<'n>(word: &str, known: impl Iterator<Item = (&'n str, String)>) -> Vec<String> {
    let wanted: Vec<&str> = word.split('-').filter(|part| part.len() > 2).collect();
    let has = |name: &str| !wanted.is_empty() && wanted.iter().all(|part| name.split('-').any(|own| own == *part));
    let fits = known.filter(|(name, _)| has(name));
    fits.map(|(_, told)| told).take(OF_PARTS).collect()
}

fn tolerance(name: &str) -> usize {
    (name.chars().count() / 3).clamp(1, 3)
}

/// The names nearest to a misspelt one, best first, at most three; empty when none is near.
pub fn nearest(name: &str, known: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut scored: Vec<(usize, String)> = known
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(name, &candidate), candidate))
        .filter(|(distance, _)| *distance <= tolerance(name))
        .collect();
    scored.sort();
    scored.into_iter().take(3).map(|(_, candidate)| candidate).collect()
}

/// For a name among few: what was meant, and all that there are.
pub fn did_you_mean_one_of(name: &str, known: &[&str]) -> String {
    let all = format!("there are {}", known.join(", "));
    match did_you_mean(&nearest(name, known.iter().map(|known| (*known).to_owned()))) {
        Some(near) => format!("{near} {all}"),
        None => all,
    }
}

/// `did you mean a, b or c?`, if there is anything to mean.
pub fn did_you_mean(names: &[String]) -> Option<String> {
    match names {
        [] => None,
        [one] => Some(format!("did you mean {one}?")),
        [rest @ .., last] => Some(format!("did you mean {} or {last}?", rest.join(", "))),
    }
}
