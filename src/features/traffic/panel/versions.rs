//! The versions that answered, in the order they were first seen: each keeps its letter for as long as the same question
//! is asked, also when those before it are out of sight. Not for how they are drawn.

use std::collections::{BTreeMap, BTreeSet};

use super::super::model::Sample;

/// Letters of the versions, oldest version first.
const LETTERS: [char; 26] = [
    'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o', 'p', 'q', 'r', 's', 't', 'u', 'v', 'w',
    'x', 'y', 'z',
];

/// What is known of the versions so far.
#[derive(Default)]
pub(super) struct Versions {
    /// The question that was asked: another one begins anew.
    asked: String,
    ranks: BTreeMap<String, usize>,
    /// The rank of the next one.
    next: usize,
}

impl Versions {
    /// Learns the versions of these samples, which come newest first. Of those that none of them tells, as many are
    /// remembered as there are letters.
    pub fn meet(&mut self, samples: &[Sample]) {
        let asked = samples.first().map_or("", |sample| sample.url.as_str());
        if self.asked != asked {
            *self = Versions {
                asked: asked.to_owned(),
                ..Versions::default()
            };
        }
        let told: BTreeSet<&String> = samples.iter().filter_map(|sample| sample.version.as_ref()).collect();
        for version in samples.iter().rev().filter_map(|sample| sample.version.as_ref()) {
            if !self.ranks.contains_key(version) {
                self.ranks.insert(version.clone(), self.next);
                self.next += 1;
            }
        }
        let oldest = self.next.saturating_sub(LETTERS.len());
        self.ranks
            .retain(|version, rank| *rank >= oldest || told.contains(version));
    }

    /// How many were seen before it.
    pub fn rank(&self, version: &str) -> Option<usize> {
        self.ranks.get(version).copied()
    }
}

/// The letter of a rank; with more versions than letters they begin again.
pub(super) fn letter(rank: usize) -> char {
    LETTERS.get(rank % LETTERS.len()).copied().unwrap_or('?')
}

#[cfg(test)]
mod tests {
    use super::super::super::model::tests::sample;
    use super::*;

    #[test]
    fn a_version_keeps_its_letter_when_older_ones_are_out_of_sight() {
        let told = |version: &str| sample(Some("web"), Some(version), None);
        let letter_of = |versions: &Versions, version| versions.rank(version).map(letter);
        let mut versions = Versions::default();
        versions.meet(&[told("2"), told("1")]);
        versions.meet(&[told("2"), told("2")]);
        assert_eq!(letter_of(&versions, "2"), Some('b'));
        versions.meet(&[told("1")]);
        assert_eq!(letter_of(&versions, "1"), Some('a'), "back again");
        // As many as one likes: they are bounded, and those in sight are known.
        for version in 3..=100 {
            versions.meet(&[told(&version.to_string()), told("1")]);
        }
        assert_eq!(letter_of(&versions, "1"), Some('a'));
        assert_eq!(letter_of(&versions, "100"), Some('v'));
        assert!(versions.ranks.len() <= 27, "{}", versions.ranks.len());
        let other = Sample {
            url: "http://other/".to_owned(),
            ..told("100")
        };
        versions.meet(&[other]);
        assert_eq!(letter_of(&versions, "100"), Some('a'), "another question");
    }
}
