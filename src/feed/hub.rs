//! The hub: one feed per context and kind, however many panels, joins and completers look at it. A feed is kept for a
//! while after its last subscriber left, so that switching panels back and forth does not list a cluster anew.

use std::any::Any;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::source::Source;
use crate::core::clock::Clock;
use crate::core::context::Context;

/// How long a feed goes on without subscribers.
pub const LINGER: Duration = Duration::from_secs(30);

/// Names a feed: the whole context (so that a switched namespace is another feed) and a kind such as `kubernetes/pods`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FeedKey {
    /// The context.
    pub context: Arc<Context>,
    /// The kind, unique over all features; parameters belong into it.
    pub kind: String,
}

struct Running {
    source: Arc<dyn Any + Send + Sync>,
    /// Held by every subscription; the feed ends some time after the last one is gone.
    interest: Weak<()>,
    generation: u64,
    stop: CancellationToken,
}

struct Inner {
    feeds: Mutex<HashMap<FeedKey, Running>>,
    any_change: watch::Sender<u64>,
    clock: Clock,
    linger: Duration,
}

/// Shared by all panels and verbs. Cheap to clone.
#[derive(Clone)]
pub struct Hub {
    inner: Arc<Inner>,
}

/// Interest in a feed; dropping it may end the feed after [`LINGER`].
pub struct Subscription<R> {
    source: Arc<Source<R>>,
    hold: Hold,
}

/// What keeps a feed going.
enum Hold {
    /// Interest in one that others may look at too.
    Shared {
        interest: Option<Arc<()>>,
        key: FeedKey,
        inner: Weak<Inner>,
    },
    /// It is nobody else's.
    Alone { _guard: DropGuard },
}

impl Hub {
    /// A hub without feeds.
    pub fn new(clock: Clock) -> Self {
        Self::lingering(clock, LINGER)
    }

    /// A hub whose feeds go on for `linger` after their last subscriber.
    pub fn lingering(clock: Clock, linger: Duration) -> Self {
        Hub {
            inner: Arc::new(Inner {
                feeds: Mutex::default(),
                any_change: watch::Sender::new(0),
                clock,
                linger,
            }),
        }
    }

    /// Subscribes to the feed of this key. The first subscriber starts it: `start` gets the empty source and a token
    /// that ends the feed, and must spawn its own task (inside a Tokio runtime).
    pub fn subscribe<R: Send + Sync + 'static>(
        &self,
        key: FeedKey,
        start: impl FnOnce(Arc<Source<R>>, CancellationToken),
    ) -> Subscription<R> {
        let mut feeds = self.inner.feeds.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(running) = feeds.get_mut(&key)
            && let Ok(source) = running.source.clone().downcast::<Source<R>>()
        {
            let interest = running.interest.upgrade().unwrap_or_default();
            running.interest = Arc::downgrade(&interest);
            running.generation += 1;
            return self.shared(source, interest, key);
        }
        let source = Arc::new(Source::<R>::new(self.inner.clock.clone()));
        let interest = Arc::new(());
        let stop = CancellationToken::new();
        let any: Arc<dyn Any + Send + Sync> = source.clone();
        let running = Running {
            source: any,
            interest: Arc::downgrade(&interest),
            generation: 0,
            stop: stop.clone(),
        };
        if let Some(replaced) = feeds.insert(key.clone(), running) {
            replaced.stop.cancel();
        }
        drop(feeds);
        self.forward_changes(source.changes(), stop.clone());
        start(source.clone(), stop);
        self.shared(source, interest, key)
    }

    fn shared<R>(&self, source: Arc<Source<R>>, interest: Arc<()>, key: FeedKey) -> Subscription<R> {
        let hold = Hold::Shared {
            interest: Some(interest),
            key,
            inner: Arc::downgrade(&self.inner),
        };
        Subscription { source, hold }
    }

    /// A feed for one subscriber, which ends with its subscription: for what gains nothing from going on unseen.
    pub fn subscribe_alone<R: Send + Sync + 'static>(
        &self,
        start: impl FnOnce(Arc<Source<R>>, CancellationToken),
    ) -> Subscription<R> {
        let source = Arc::new(Source::<R>::new(self.inner.clock.clone()));
        let stop = CancellationToken::new();
        self.forward_changes(source.changes(), stop.clone());
        start(source.clone(), stop.clone());
        Subscription {
            source,
            hold: Hold::Alone {
                _guard: stop.drop_guard(),
            },
        }
    }

    /// Wakes when any feed changed: the console's one dirty signal.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.inner.any_change.subscribe()
    }

    /// The clock that feeds stamp their data with.
    pub fn clock(&self) -> &Clock {
        &self.inner.clock
    }

    /// Feeds that run, lingering ones included.
    pub fn running(&self) -> usize {
        self.inner.feeds.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    fn forward_changes(&self, mut changes: watch::Receiver<u64>, stop: CancellationToken) {
        let inner = Arc::downgrade(&self.inner);
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    () = stop.cancelled() => return,
                    changed = changes.changed() => if changed.is_err() { return },
                }
                match inner.upgrade() {
                    Some(inner) => inner.any_change.send_modify(|version| *version += 1),
                    None => return,
                }
            }
        });
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        for running in self.feeds.get_mut().unwrap_or_else(PoisonError::into_inner).values() {
            running.stop.cancel();
        }
    }
}

impl<R> Subscription<R> {
    /// The feed's rows and health.
    pub fn source(&self) -> &Arc<Source<R>> {
        &self.source
    }
}

impl<R> Drop for Subscription<R> {
    fn drop(&mut self) {
        let Hold::Shared { interest, key, inner } = &mut self.hold else {
            return;
        };
        *interest = None;
        let (Some(inner), Ok(runtime)) = (inner.upgrade(), tokio::runtime::Handle::try_current()) else {
            return;
        };
        let feeds = inner.feeds.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(running) = feeds.get(key) else { return };
        if running.interest.strong_count() > 0 {
            return;
        }
        let (key, generation, weak) = (key.clone(), running.generation, Arc::downgrade(&inner));
        let linger = inner.linger;
        runtime.spawn(async move {
            tokio::time::sleep(linger).await;
            let Some(inner) = weak.upgrade() else { return };
            let mut feeds = inner.feeds.lock().unwrap_or_else(PoisonError::into_inner);
            let idle = feeds
                .get(&key)
                .is_some_and(|r| r.generation == generation && r.interest.strong_count() == 0);
            if idle && let Some(running) = feeds.remove(&key) {
                running.stop.cancel();
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    fn key() -> FeedKey {
        FeedKey {
            context: Arc::new(Context::empty("test")),
            kind: "numbers".into(),
        }
    }

    #[tokio::test]
    async fn one_feed_serves_all_and_ends_some_time_after_the_last() {
        let linger = Duration::from_millis(200);
        let hub = Hub::lingering(Clock::real(), linger);
        let started = AtomicUsize::new(0);
        let mut token = None;
        let first = hub.subscribe::<u32>(key(), |source, stop| {
            started.fetch_add(1, Ordering::Relaxed);
            source.write(|table| table.upsert("a", 1));
            token = Some(stop);
        });
        let second = hub.subscribe::<u32>(key(), |_, _| {
            started.fetch_add(1, Ordering::Relaxed);
        });
        assert_eq!(
            (
                started.load(Ordering::Relaxed),
                second.source().read(|rows, _| rows.len())
            ),
            (1, 1)
        );
        drop(first);
        tokio::time::sleep(linger * 2).await;
        assert!(!token.as_ref().unwrap().is_cancelled(), "the second still looks");
        drop(second);
        tokio::time::sleep(linger / 4).await;
        let third = hub.subscribe::<u32>(key(), |_, _| unreachable!("the feed lingers"));
        tokio::time::sleep(linger * 2).await;
        assert!(!token.as_ref().unwrap().is_cancelled(), "taken up again in time");
        drop(third);
        tokio::time::sleep(linger * 2).await;
        assert!(token.unwrap().is_cancelled());
        assert_eq!(hub.running(), 0);
    }

    #[tokio::test]
    async fn a_feed_of_one_s_own_ends_with_its_subscription_and_wakes_the_hub() {
        let hub = Hub::new(Clock::real());
        let mut changes = hub.changes();
        let mut token = None;
        let own = hub.subscribe_alone::<u32>(|source, stop| {
            token = Some(stop);
            tokio::spawn(async move { source.replace([("a".to_owned(), 1)]) });
        });
        let woken = tokio::time::timeout(Duration::from_secs(30), changes.changed());
        assert!(woken.await.is_ok_and(|changed| changed.is_ok()));
        let token = token.unwrap();
        assert!(!token.is_cancelled() && own.source().read(|rows, _| rows.len()) == 1);
        drop(own);
        assert!(token.is_cancelled());
    }
}
