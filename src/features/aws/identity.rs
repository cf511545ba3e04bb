//! Whose account the keys of a context belong to, as STS tells it (GetCallerIdentity, which needs no permission): asked
//! once in a while for each set of keys, and not before a poll has shown that they are keys at all. Not for what they
//! allow.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::OnceCell;

use crate::core::context::AwsTarget;

/// Accounts have twelve digits; servers that only speak the protocol may have names of their own.
const LONGEST: usize = 32;

/// How long an account is taken for that of its keys: a profile or an environment may come to give others, and another
/// account's number beside a prompt is worse than none.
const KEPT: Duration = Duration::from_secs(5 * 60);

/// The accounts by whose keys they are; a region does not count.
#[derive(Default)]
pub(super) struct Identities {
    known: Mutex<HashMap<AwsTarget, Known>>,
}

/// Since when it is asked for, and the account once it is known.
type Known = (Instant, Arc<OnceCell<String>>);

impl Identities {
    /// The account, where it is known.
    pub fn get(&self, target: &AwsTarget) -> Option<String> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let (_, cell) = known.get(&key(target))?;
        cell.get().cloned()
    }

    /// Asks unless it is known for now; of several that would ask at once one does. What failed is asked again by the next.
    pub async fn learn<E>(&self, target: &AwsTarget, ask: impl AsyncFnOnce() -> Result<Option<String>, E>) {
        let asked = async || match ask().await {
            Ok(Some(account)) if is_sound(&account) => Ok(account),
            _ => Err(()),
        };
        // That it is not known is all there is to say.
        let _ = self.cell(target).get_or_try_init(asked).await;
    }

    fn cell(&self, target: &AwsTarget) -> Arc<OnceCell<String>> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || (Instant::now(), Arc::default());
        let entry = known.entry(key(target)).or_insert_with(new);
        if entry.0.elapsed() > KEPT {
            *entry = new();
        }
        entry.1.clone()
    }
}

fn key(target: &AwsTarget) -> AwsTarget {
    AwsTarget {
        region: None,
        ..target.clone()
    }
}

/// Nothing else that a server answers comes into the status line.
fn is_sound(account: &str) -> bool {
    !account.is_empty() && account.len() <= LONGEST && account.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::core::text::Secret;

    fn target(key: &str, region: &str) -> AwsTarget {
        AwsTarget {
            region: Some(region.into()),
            keys: Some((key.into(), Secret::new("s3cret"))),
            ..AwsTarget::default()
        }
    }

    #[tokio::test]
    async fn what_the_keys_of_a_profile_are_is_asked_again_after_a_while() {
        let identities = Identities::default();
        let profile = AwsTarget::default();
        let learn = async |account: &str| {
            let answer = async || Ok::<_, ()>(Some(account.to_owned()));
            identities.learn(&profile, answer).await;
            identities.get(&profile).unwrap_or_default()
        };
        assert_eq!(identities.get(&profile), None);
        assert_eq!(learn("111111111111").await, "111111111111");
        assert_eq!(learn("222222222222").await, "111111111111");
        for (since, _) in identities.known.lock().unwrap().values_mut() {
            *since = since.checked_sub(KEPT * 2).unwrap();
        }
        assert_eq!(learn("222222222222").await, "222222222222");
    }

    #[tokio::test]
    async fn it_is_asked_once_for_each_set_of_keys_and_again_after_a_failure() {
        let (identities, asked) = (Identities::default(), AtomicUsize::new(0));
        let answer = async |text: Result<Option<&str>, ()>| {
            asked.fetch_add(1, Ordering::Relaxed);
            text.map(|text| text.map(str::to_owned))
        };
        let (here, there) = (target("AKIA", "eu-west-1"), target("AKIA", "us-east-1"));
        for wrong in [Err(()), Ok(None), Ok(Some("")), Ok(Some("\u{1b}[2J")), Ok(Some(" 5 "))] {
            identities.learn(&here, async || answer(wrong).await).await;
            assert_eq!(identities.get(&here), None, "{wrong:?}");
        }
        identities
            .learn(&here, async || answer(Ok(Some("555555555555"))).await)
            .await;
        identities
            .learn(&there, async || answer(Ok(Some("666666666666"))).await)
            .await;
        assert_eq!(
            identities.get(&there).as_deref(),
            Some("555555555555"),
            "of the other region too"
        );
        assert_eq!(asked.load(Ordering::Relaxed), 6, "not once it is known");
        assert_eq!(identities.get(&target("AKIB", "eu-west-1")), None, "other keys");
    }
}
