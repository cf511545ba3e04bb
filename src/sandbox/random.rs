//! Seeded randomness: the same `--seed` gives the same names, addresses and choices. Not for secrets: tokens and
//! keys come from the operating system.

/// The letters of generated object names: no vowels and no look-alikes, so that no words appear by chance.
pub const NAME_ALPHABET: &[u8; 27] = b"bcdfghjklmnpqrstvwxz2456789";

/// A small generator (SplitMix64): fast, deterministic, one word of state.
#[derive(Debug, Clone)]
pub struct Random {
    state: u64,
}

impl Random {
    /// A generator that always yields the same sequence for the same seed.
    pub fn new(seed: u64) -> Self {
        Self {
            state: seed ^ 0x9e37_79b9_7f4a_7c15,
        }
    }

    /// A separate generator for one part of the world, so that one part's draws do not shift another's.
    pub fn fork(&self, part: &str) -> Self {
        let mixed = part.bytes().fold(self.state ^ 0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        Self::new(mixed)
    }

    /// The next 64 random bits.
    pub fn next_u64(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number in `0..bound`; 0 when `bound` is 0. The bias is below 2⁻³² for the bounds used here.
    pub fn below(&mut self, bound: u64) -> u64 {
        if bound == 0 { 0 } else { self.next_u64() % bound }
    }

    /// One element of `items`, or `None` when there is none.
    pub fn choose<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        let index = usize::try_from(self.below(items.len() as u64)).ok()?;
        items.get(index)
    }

    /// `length` letters of [`NAME_ALPHABET`], as in generated pod names.
    pub fn name_suffix(&mut self, length: usize) -> String {
        (0..length)
            .filter_map(|_| self.choose(NAME_ALPHABET).map(|letter| char::from(*letter)))
            .collect()
    }

    /// A version 4 UUID in its text form.
    pub fn uuid(&mut self) -> String {
        let (high, low) = (self.next_u64(), self.next_u64());
        format!(
            "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
            high >> 32,
            (high >> 16) & 0xffff,
            high & 0xfff,
            ((low >> 48) & 0x3fff) | 0x8000,
            low & 0xffff_ffff_ffff
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_and_another_differs() {
        let (mut a, mut b, mut c) = (Random::new(7), Random::new(7), Random::new(8));
        let (x, y, z) = (a.uuid(), b.uuid(), c.uuid());
        assert_eq!(x, y);
        assert_ne!(x, z);
        assert_ne!(
            Random::new(7).fork("dns").next_u64(),
            Random::new(7).fork("aws").next_u64()
        );
    }

    #[test]
    fn uuids_are_version_4() {
        let text = Random::new(1).uuid();
        let parts: Vec<&str> = text.split('-').collect();
        assert_eq!(parts.iter().map(|p| p.len()).collect::<Vec<_>>(), [8, 4, 4, 4, 12]);
        assert!(parts[2].starts_with('4'));
        assert!("89ab".contains(&parts[3][..1]));
    }

    #[test]
    fn name_suffixes_use_the_alphabet() {
        let suffix = Random::new(3).name_suffix(500);
        assert_eq!(suffix.len(), 500);
        assert!(suffix.bytes().all(|b| NAME_ALPHABET.contains(&b)));
        assert_eq!(Random::new(3).choose::<u8>(&[]), None);
    }
}
