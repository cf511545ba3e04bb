//! Earlier lines: recall by prefix, suggestion, incremental search. In memory and bounded; the session keeps them over
//! restarts.

use crate::lang::{TokenKind, lex_lenient};

/// Lines kept in memory at most; the oldest goes first.
pub const LINES: usize = 5_000;

/// An earlier line and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Earlier {
    /// The line.
    pub line: String,
    /// The name of the context it ran in last.
    pub context: String,
    /// Whether it went well; none: it runs, or nobody knows.
    pub ok: Option<bool>,
}

/// Earlier lines, oldest first, each once (its latest place).
#[derive(Default)]
pub struct History {
    lines: Vec<Earlier>,
    /// While lines are recalled: the place, the beginning that all have, and what was typed before.
    recall: Option<(usize, String, String)>,
}

impl History {
    /// Puts earlier sessions' lines before those of this one.
    pub fn load(&mut self, earlier: Vec<Earlier>) {
        let own = std::mem::take(&mut self.lines);
        for entry in earlier.into_iter().chain(own) {
            self.put(entry);
        }
    }

    /// Adds a line that runs now, unless it starts with a blank or says nothing.
    pub fn add(&mut self, line: &str, context: &str) {
        self.recall = None;
        self.put(Earlier {
            line: line.to_owned(),
            context: context.to_owned(),
            ok: None,
        });
    }

    fn put(&mut self, entry: Earlier) {
        if entry.line.trim().is_empty() || entry.line.starts_with([' ', '\t']) {
            return;
        }
        self.lines.retain(|known| known.line != entry.line);
        self.lines.push(entry);
        if self.lines.len() > LINES {
            self.lines.remove(0);
        }
    }

    /// A line is kept as another: with its secrets masked.
    pub fn replace(&mut self, line: &str, by: &str) {
        let found = self.lines.iter().rposition(|known| known.line == line && line != by);
        if let Some(at) = found {
            self.recall = None;
            let known = self.lines.remove(at);
            self.put(Earlier {
                line: by.to_owned(),
                ..known
            });
        }
    }

    /// A line has ended.
    pub fn ended(&mut self, line: &str, ok: bool) {
        if let Some(known) = self.lines.iter_mut().rev().find(|known| known.line == line) {
            known.ok = Some(ok);
        }
    }

    /// The newest line.
    pub fn last(&self) -> Option<&str> {
        self.lines.last().map(|known| known.line.as_str())
    }

    /// Recalling is over: the text was edited.
    pub fn leave(&mut self) {
        self.recall = None;
    }

    /// The line before that has this beginning; none: there is none. `typed` comes back behind the newest. Both count
    /// only where recalling begins.
    pub fn older(&mut self, beginning: &str, typed: &str) -> Option<String> {
        let start = || (self.lines.len(), beginning.to_owned(), typed.to_owned());
        let (from, prefix, typed) = self.recall.clone().unwrap_or_else(start);
        let at = self
            .lines
            .iter()
            .take(from)
            .rposition(|known| known.line.starts_with(&prefix) && known.line != prefix)?;
        self.recall = Some((at, prefix, typed));
        self.lines.get(at).map(|known| known.line.clone())
    }

    /// The line after; behind the last what was typed.
    pub fn newer(&mut self) -> Option<String> {
        let (from, prefix, typed) = self.recall.clone()?;
        let after = self
            .lines
            .iter()
            .enumerate()
            .skip(from + 1)
            .find(|(_, known)| known.line.starts_with(&prefix));
        match after {
            Some((at, known)) => {
                let line = known.line.clone();
                self.recall = Some((at, prefix, typed));
                Some(line)
            }
            None => {
                self.recall = None;
                Some(typed)
            }
        }
    }

    /// The last word of a line, so many lines back from the newest; quotes belong to it.
    pub fn last_word(&self, back: usize) -> Option<String> {
        let line = &self.lines.iter().rev().nth(back)?.line;
        let tokens = lex_lenient(line).into_iter().rev();
        let mut words = tokens.filter(|token| matches!(token.kind, TokenKind::Word(_)));
        Some(words.next()?.span.of(line).to_owned())
    }

    /// What the newest line with this beginning goes on with.
    pub fn suggest(&self, typed: &str) -> Option<&str> {
        self.lines
            .iter()
            .rev()
            .map(|known| known.line.as_str())
            .filter(|line| !line.contains('\n'))
            .find_map(|line| line.strip_prefix(typed).filter(|rest| !rest.is_empty()))
    }
}

/// Which lines a search looks at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Among {
    /// All of them.
    #[default]
    All,
    /// Those that ran in the context of now.
    Here,
    /// Those that went well.
    Ok,
    /// Both.
    OkHere,
}

impl Among {
    fn next(self) -> Self {
        match self {
            Among::All => Among::Here,
            Among::Here => Among::Ok,
            Among::Ok => Among::OkHere,
            Among::OkHere => Among::All,
        }
    }

    /// What stands before the search.
    pub fn word(self) -> &'static str {
        match self {
            Among::All => "history",
            Among::Here => "history here",
            Among::Ok => "history that went well",
            Among::OkHere => "history here that went well",
        }
    }
}

/// An incremental search, newest first.
#[derive(Clone, Debug, Default)]
pub struct Search {
    /// What is looked for.
    pub text: String,
    /// Among which lines.
    pub among: Among,
    /// The context of now.
    here: String,
    at: Option<usize>,
}

impl Search {
    /// A search that has found the newest line.
    pub fn new(history: &History, here: &str) -> Self {
        Search {
            text: String::new(),
            among: Among::All,
            here: here.to_owned(),
            at: history.lines.len().checked_sub(1),
        }
    }

    fn fits(&self, known: &Earlier) -> bool {
        let here = !matches!(self.among, Among::Here | Among::OkHere) || known.context == self.here;
        let ok = !matches!(self.among, Among::Ok | Among::OkHere) || known.ok == Some(true);
        here && ok && known.line.contains(&self.text)
    }

    fn find(&self, history: &History, before: usize) -> Option<usize> {
        history.lines.iter().take(before).rposition(|known| self.fits(known))
    }

    /// Looks among other lines, from the newest on.
    pub fn turn(&mut self, history: &History) {
        self.among = self.among.next();
        self.at = self.find(history, history.lines.len());
    }

    /// One more character: goes on from what is found.
    pub fn push(&mut self, symbol: char, history: &History) {
        self.look_for(symbol.encode_utf8(&mut [0; 4]), history);
    }

    /// More text at once: goes on from what is found.
    pub fn look_for(&mut self, text: &str, history: &History) {
        self.text.push_str(text);
        self.at = self.find(history, self.at.map_or(0, |at| at + 1));
    }

    /// One character less: starts again from the newest.
    pub fn pop(&mut self, history: &History) {
        self.text.pop();
        self.at = self.find(history, history.lines.len());
    }

    /// The next older one; stays when there is none.
    pub fn older(&mut self, history: &History) {
        if let Some(at) = self.at.and_then(|at| self.find(history, at)) {
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
            .find(|(_, known)| self.fits(known));
        if let Some((at, _)) = newer {
            self.at = Some(at);
        }
    }

    /// What is found.
    pub fn found<'a>(&self, history: &'a History) -> Option<&'a str> {
        self.at
            .and_then(|at| history.lines.get(at))
            .map(|known| known.line.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn earlier(line: &str, context: &str, ok: Option<bool>) -> Earlier {
        Earlier {
            line: line.into(),
            context: context.into(),
            ok,
        }
    }

    fn texts(history: &History) -> Vec<&str> {
        history.lines.iter().map(|known| known.line.as_str()).collect()
    }

    #[test]
    fn blanks_are_not_kept_and_a_line_is_kept_once() {
        let mut history = History::default();
        for line in ["a", " secret", "b", "a", "", "  "] {
            history.add(line, "x");
        }
        assert_eq!(texts(&history), ["b", "a"]);
        history.load(vec![earlier("z", "x", None), earlier("b", "x", None)]);
        assert_eq!(texts(&history), ["z", "b", "a"]);
    }

    #[test]
    fn it_is_bounded() {
        let mut history = History::default();
        (0..LINES + 10).for_each(|n| history.add(&n.to_string(), "x"));
        assert_eq!((history.lines.len(), texts(&history)[0]), (LINES, "10"));
    }

    #[test]
    fn a_search_that_finds_nothing_says_so_and_recovers() {
        let mut history = History::default();
        history.add("dig", "x");
        let mut search = Search::new(&history, "x");
        search.push('x', &history);
        assert_eq!(search.found(&history), None);
        search.pop(&history);
        assert_eq!(search.found(&history), Some("dig"));
    }

    #[test]
    fn a_search_looks_here_or_at_what_went_well_or_at_both() {
        let mut history = History::default();
        history.load(vec![
            earlier("dig a", "prod", Some(true)),
            earlier("dig b", "prod", Some(false)),
            earlier("dig c", "staging", Some(true)),
        ]);
        history.add("dig d", "staging");
        let mut search = Search::new(&history, "prod");
        "dig".chars().for_each(|symbol| search.push(symbol, &history));
        let mut found = vec![search.found(&history).map(str::to_owned)];
        for _ in 0..4 {
            search.turn(&history);
            found.push(search.found(&history).map(str::to_owned));
        }
        let found: Vec<&str> = found.iter().flatten().map(String::as_str).collect();
        assert_eq!(found, ["dig d", "dig b", "dig c", "dig a", "dig d"]);
        history.ended("dig d", true);
        search.turn(&history);
        search.turn(&history);
        assert_eq!((search.among, search.found(&history)), (Among::Ok, Some("dig d")));
    }
}
