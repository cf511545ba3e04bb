//! Earlier lines: recall by prefix, suggestion, incremental search. In memory and bounded; the session keeps them over
//! restarts.

/// Lines kept in memory at most; the oldest goes first.
pub const LINES: usize = 5_000;

/// Earlier lines, oldest first, each once (its latest place).
#[derive(Default)]
pub struct History {
    lines: Vec<String>,
    /// While lines are recalled: the place, and what was typed before.
    recall: Option<(usize, String)>,
}

impl History {
    /// Puts earlier sessions' lines before those of this one.
    pub fn load(&mut self, earlier: Vec<String>) {
        let own = std::mem::take(&mut self.lines);
        for line in earlier.iter().chain(&own) {
            self.add(line);
        }
    }

    /// Adds a line, unless it starts with a blank or says nothing.
    pub fn add(&mut self, line: &str) {
        self.recall = None;
        if line.trim().is_empty() || line.starts_with([' ', '\t']) {
            return;
        }
        self.lines.retain(|known| known != line);
        self.lines.push(line.to_owned());
        if self.lines.len() > LINES {
            self.lines.remove(0);
        }
    }

    /// The newest line.
    pub fn last(&self) -> Option<&str> {
        self.lines.last().map(String::as_str)
    }

    /// Recalling is over: the text was edited.
    pub fn leave(&mut self) {
        self.recall = None;
    }

    /// The line before that begins with what was typed; none: there is none.
    pub fn older(&mut self, typed: &str) -> Option<String> {
        let (from, prefix) = self.recall.clone().unwrap_or((self.lines.len(), typed.to_owned()));
        let at = self
            .lines
            .iter()
            .take(from)
            .rposition(|line| line.starts_with(&prefix) && *line != prefix)?;
        self.recall = Some((at, prefix));
        self.lines.get(at).cloned()
    }

    /// The line after; behind the last what was typed.
    pub fn newer(&mut self) -> Option<String> {
        let (from, prefix) = self.recall.clone()?;
        let after = self
            .lines
            .iter()
            .enumerate()
            .skip(from + 1)
            .find(|(_, line)| line.starts_with(&prefix));
        match after {
            Some((at, line)) => {
                let line = line.clone();
                self.recall = Some((at, prefix));
                Some(line)
            }
            None => {
                self.recall = None;
                Some(prefix)
            }
        }
    }

    /// What the newest line with this beginning goes on with.
    pub fn suggest(&self, typed: &str) -> Option<&str> {
        self.lines
            .iter()
            .rev()
            .filter(|line| !line.contains('\n'))
            .find_map(|line| line.strip_prefix(typed).filter(|rest| !rest.is_empty()))
    }

    fn find(&self, text: &str, before: usize) -> Option<usize> {
        self.lines.iter().take(before).rposition(|line| line.contains(text))
    }
}

/// An incremental search, newest first.
#[derive(Clone, Debug, Default)]
pub struct Search {
    /// What is looked for.
    pub text: String,
    at: Option<usize>,
}

impl Search {
    /// A search that has found the newest line.
    pub fn new(history: &History) -> Self {
        Search {
            text: String::new(),
            at: history.lines.len().checked_sub(1),
        }
    }

    /// One more character: goes on from what is found.
    pub fn push(&mut self, symbol: char, history: &History) {
        self.text.push(symbol);
        self.at = history.find(&self.text, self.at.map_or(0, |at| at + 1));
    }

    /// One character less: starts again from the newest.
    pub fn pop(&mut self, history: &History) {
        self.text.pop();
        self.at = history.find(&self.text, history.lines.len());
    }

    /// The next older one; stays when there is none.
    pub fn older(&mut self, history: &History) {
        if let Some(at) = self.at.and_then(|at| history.find(&self.text, at)) {
            self.at = Some(at);
        }
    }

    /// The next newer one; stays when there is none.
    pub fn newer(&mut self, history: &History) {
        let Some(at) = self.at else { return };
        let newer = history
            .lines
            .iter()
            .enumerate()
            .skip(at + 1)
            .find(|(_, line)| line.contains(&self.text));
        if let Some((at, _)) = newer {
            self.at = Some(at);
        }
    }

    /// What is found.
    pub fn found<'a>(&self, history: &'a History) -> Option<&'a str> {
        self.at.and_then(|at| history.lines.get(at)).map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_are_not_kept_and_a_line_is_kept_once() {
        let mut history = History::default();
        for line in ["a", " secret", "b", "a", "", "  "] {
            history.add(line);
        }
        assert_eq!(history.lines, ["b", "a"]);
        history.load(vec!["z".into(), "b".into()]);
        assert_eq!(history.lines, ["z", "b", "a"]);
    }

    #[test]
    fn it_is_bounded() {
        let mut history = History::default();
        (0..LINES + 10).for_each(|n| history.add(&n.to_string()));
        assert_eq!((history.lines.len(), history.lines[0].as_str()), (LINES, "10"));
    }

    #[test]
    fn a_search_that_finds_nothing_says_so_and_recovers() {
        let mut history = History::default();
        history.add("dig");
        let mut search = Search::new(&history);
        search.push('x', &history);
        assert_eq!(search.found(&history), None);
        search.pop(&history);
        assert_eq!(search.found(&history), Some("dig"));
    }
}
