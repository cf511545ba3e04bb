//! Toasts: one line that goes away by itself. The same word again is counted; errors stay until the next key.

use std::time::Duration;

use jiff::Timestamp;

use crate::core::text::SafeText;
use crate::ui::panel::Tone;

/// How long a toast stays.
pub const SHOWN: Duration = Duration::from_secs(6);
/// Toasts waiting at most; the oldest goes first.
const WAITING: usize = 20;

/// A toast.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Toast {
    /// Its line.
    pub text: SafeText,
    /// How it feels.
    pub tone: Tone,
    /// How often it came.
    pub count: u32,
    at: Timestamp,
}

/// The toasts on the screen.
#[derive(Default)]
pub struct Toasts {
    list: Vec<Toast>,
}

impl Toasts {
    /// Adds one.
    pub fn add(&mut self, text: SafeText, tone: Tone, now: Timestamp) {
        let known = self.list.iter().position(|toast| toast.text == text);
        let count = known.map_or(0, |at| self.list.remove(at).count) + 1;
        // The newest is what is shown, whether it was there before or not.
        self.list.push(Toast {
            text,
            tone,
            count,
            at: now,
        });
        if self.list.len() > WAITING {
            self.list.remove(0);
        }
    }

    /// What it says is over.
    pub fn withdraw(&mut self, text: &str) {
        self.list.retain(|toast| toast.text.as_str() != text);
    }

    /// Takes those away that were shown long enough; true when any went.
    pub fn expire(&mut self, now: Timestamp) -> bool {
        let before = self.list.len();
        self.list.retain(|toast| {
            let shown = Duration::try_from(now.duration_since(toast.at)).unwrap_or_default();
            toast.tone == Tone::Bad || shown < SHOWN
        });
        before != self.list.len()
    }

    /// A key was pressed: errors were seen.
    pub fn seen(&mut self, now: Timestamp) {
        for toast in self.list.iter_mut().filter(|toast| toast.tone == Tone::Bad) {
            toast.tone = Tone::Warn;
            toast.at = now;
        }
    }

    /// What is shown: the newest, and how many there are.
    pub fn shown(&self) -> Option<(&Toast, usize)> {
        self.list.last().map(|toast| (toast, self.list.len()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_again_is_shown_again() {
        let mut toasts = Toasts::default();
        for text in ["copied: alpha", "copied: beta", "copied: alpha"] {
            toasts.add(text.into(), Tone::Ok, Timestamp::UNIX_EPOCH);
        }
        let shown = toasts
            .shown()
            .map(|(toast, all)| (toast.text.as_str(), toast.count, all));
        assert_eq!(shown, Some(("copied: alpha", 2, 2)));
    }

    #[test]
    fn toasts_merge_expire_and_errors_wait_for_a_key() {
        let start = Timestamp::UNIX_EPOCH;
        let mut toasts = Toasts::default();
        toasts.add("copied".into(), Tone::Ok, start);
        toasts.add("link lost".into(), Tone::Bad, start);
        toasts.add("link lost".into(), Tone::Bad, start);
        assert_eq!(toasts.shown().map(|(toast, all)| (toast.count, all)), Some((2, 2)));
        assert!(toasts.expire(start + SHOWN * 10));
        assert_eq!(toasts.shown().map(|(toast, _)| toast.text.as_str()), Some("link lost"));
        toasts.seen(start + SHOWN * 10);
        assert!(!toasts.expire(start + SHOWN * 10));
        assert!(toasts.expire(start + SHOWN * 11));
        assert_eq!(toasts.shown(), None);
    }
}
