//! Toasts: one line that goes away by itself, and at once when what it says is untrue. The same word again is counted;
//! errors stay until the next key or click, a remark about the line being typed goes with it. The last ones are kept to be read
//! again.

use std::collections::VecDeque;
use std::time::Duration;

use jiff::Timestamp;

use crate::core::text::SafeText;
use crate::ui::panel::Tone;

/// How long a toast stays.
pub const SHOWN: Duration = Duration::from_secs(6);
/// Toasts waiting at most; the oldest goes first.
const WAITING: usize = 20;
/// Toasts kept to be read again at most; the oldest goes first.
pub const KEPT: usize = 100;

/// A toast.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Toast {
    /// Its line.
    pub text: SafeText,
    /// How it feels.
    pub tone: Tone,
    /// How often it came.
    pub count: u32,
    /// When it came last.
    pub at: Timestamp,
    /// What makes it untrue, beside time.
    until: Until,
}

/// What makes a toast untrue before its time is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Until {
    /// Time alone.
    Time,
    /// The next key: it is about the line being typed, or about what the next key does.
    Key,
    /// This pane, by its id, is looked at: it says how to get there.
    Shown(String),
    /// A line of the script was typed: it says which key types it.
    Typed,
    /// What runs has ended, and the line that waits for it was typed. It stays till then: a line that types itself is told
    /// of.
    Ended,
    /// The next line that goes somewhere: it answers the one before.
    Place,
    /// The sandbox has started, or could not.
    Started,
    /// What this line says of a source is over.
    Over(SafeText),
}

/// The toasts on the screen.
#[derive(Default)]
pub struct Toasts {
    list: Vec<Toast>,
    kept: VecDeque<Toast>,
}

impl Toasts {
    /// Adds one.
    pub fn add(&mut self, text: SafeText, tone: Tone, now: Timestamp) {
        self.add_until(text, tone, Until::Time, now);
    }

    /// Adds one that is untrue when something has come. What goes with the next key is worth no keeping.
    pub fn add_until(&mut self, text: SafeText, tone: Tone, until: Until, now: Timestamp) {
        if until != Until::Key {
            self.keep(&text, tone, now);
        }
        self.show(text, tone, now, until);
    }

    /// What some waited for has come: they are untrue by now.
    pub fn has_come(&mut self, what: &Until) {
        self.list.retain(|toast| toast.until != *what);
    }

    fn show(&mut self, text: SafeText, tone: Tone, now: Timestamp, until: Until) {
        let known = self.list.iter().position(|toast| toast.text == text);
        let count = known.map_or(0, |at| self.list.remove(at).count) + 1;
        // The newest is what is shown, whether it was there before or not.
        self.list.push(Toast {
            text,
            tone,
            count,
            at: now,
            until,
        });
        if self.list.len() > WAITING {
            self.list.remove(0);
        }
    }

    fn keep(&mut self, text: &SafeText, tone: Tone, now: Timestamp) {
        match self.kept.back_mut().filter(|last| last.text == *text) {
            Some(last) => (last.count, last.at) = (last.count + 1, now),
            None => self.kept.push_back(Toast {
                text: text.clone(),
                tone,
                count: 1,
                at: now,
                until: Until::Time,
            }),
        }
        if self.kept.len() > KEPT {
            self.kept.pop_front();
        }
    }

    /// The last ones, oldest first, whether they are still shown or not.
    pub fn kept(&self) -> impl Iterator<Item = &Toast> {
        self.kept.iter()
    }

    /// Takes those away that were shown long enough; true when any went.
    pub fn expire(&mut self, now: Timestamp) -> bool {
        let before = self.list.len();
        self.list.retain(|toast| {
            let shown = Duration::try_from(now.duration_since(toast.at)).unwrap_or_default();
            toast.tone == Tone::Bad || toast.until == Until::Ended || shown < SHOWN
        });
        before != self.list.len()
    }

    /// A key was pressed: errors were seen, and what was said about the line being typed is over.
    pub fn seen(&mut self, now: Timestamp) {
        self.has_come(&Until::Key);
        self.errors_seen(now);
    }

    /// Somebody who looks at the screen did something: errors stay no longer than other toasts from now on.
    pub fn errors_seen(&mut self, now: Timestamp) {
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
    fn the_last_ones_are_kept_and_what_is_about_the_line_typed_goes_with_the_next_key() {
        let start = Timestamp::UNIX_EPOCH;
        let mut toasts = Toasts::default();
        toasts.add_until("nothing fits here".into(), Tone::Neutral, Until::Key, start);
        assert!(toasts.shown().is_some());
        toasts.seen(start);
        assert_eq!((toasts.shown(), toasts.kept().count()), (None, 0));
        for n in 0..KEPT + 5 {
            toasts.add(format!("told {n}").into(), Tone::Ok, start);
            toasts.add(format!("told {n}").into(), Tone::Ok, start + SHOWN);
        }
        let kept: Vec<(&str, u32)> = toasts.kept().map(|toast| (toast.text.as_str(), toast.count)).collect();
        assert_eq!(
            (kept.len(), kept[0], kept[KEPT - 1]),
            (KEPT, ("told 5", 2), ("told 104", 2))
        );
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
