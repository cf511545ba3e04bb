//! vi's normal mode for the input line: a machine without IO. A character, the text and the cursor go in, what becomes
//! of them comes out; the input line does it. Counts, the operators `d c y`, the motions of one line, `f t ; ,`, `p`,
//! `r`, `~`, `u`. `v` is the editor's, as in a shell. Not for visual mode, marks, macros and registers: a line of commands needs none.

mod motion;

use std::ops::Range;

use self::motion::{after, before, first_word, line_end, line_start, motion};
use super::cut::Cut;

/// Counts beyond this mean nothing on one line.
const MOST: usize = 9_999;

/// What a character of normal mode does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// More has to come (`2`, `d`, `f`), or it means nothing.
    Nothing,
    /// The cursor goes to this byte.
    Go(usize),
    /// A range becomes another text, then the cursor goes to a byte of the new text.
    Change {
        /// What goes.
        range: Range<usize>,
        /// What comes.
        with: String,
        /// The cursor.
        cursor: usize,
    },
    /// Typing goes on behind the cursor, at this byte.
    Insert(usize),
    /// The last edit is taken back.
    Undo,
    /// The earlier line of the history.
    Older,
    /// The later one.
    Newer,
    /// The search of the scrollback.
    Find,
    /// The line in the operator's editor.
    Edit,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Delete,
    Change,
    Yank,
}

/// `f`, `t` and their backward forms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Seek {
    forward: bool,
    /// Stops one before.
    till: bool,
}

/// What waits for the next character.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wait {
    Seek(Seek),
    Replace,
}

/// The machine.
#[derive(Clone, Debug, Default)]
pub struct Vi {
    normal: bool,
    count: usize,
    operator: Option<(Operator, usize)>,
    wait: Option<Wait>,
    sought: Option<(Seek, char)>,
    /// What was deleted or yanked last.
    register: Cut,
}

impl Vi {
    /// Whether characters are commands.
    pub fn is_normal(&self) -> bool {
        self.normal
    }

    /// What was deleted goes if it holds a secret, as `Cut::holds_secret` tells; whether it did.
    pub fn forget_secrets(&mut self, secrets: impl Fn(&str) -> Vec<Range<usize>>) -> bool {
        let holds = self.register.holds_secret(secrets);
        if holds {
            self.register = Cut::default();
        }
        holds
    }

    /// Esc: normal mode; the cursor steps back onto the last character typed.
    pub fn escape(&mut self, text: &str, cursor: usize) -> usize {
        let typed = !self.normal;
        self.normal = true;
        self.reset();
        if typed {
            before(text, cursor).max(line_start(text, cursor))
        } else {
            cursor
        }
    }

    /// Typing again.
    pub fn insert(&mut self) {
        self.normal = false;
        self.reset();
    }

    /// Whether half of a command waits for its rest.
    pub fn is_pending(&self) -> bool {
        self.operator.is_some() || self.wait.is_some() || self.count > 0
    }

    fn reset(&mut self) {
        self.count = 0;
        self.operator = None;
        self.wait = None;
    }

    /// A character in normal mode.
    pub fn key(&mut self, symbol: char, text: &str, cursor: usize) -> Step {
        if let Some(wait) = self.wait.take() {
            return match wait {
                Wait::Seek(seek) => {
                    self.sought = Some((seek, symbol));
                    self.seek(seek, symbol, text, cursor)
                }
                Wait::Replace => self.replace(symbol, text, cursor),
            };
        }
        if let Some(digit) = symbol.to_digit(10).filter(|digit| *digit > 0 || self.count > 0) {
            self.count = (self.count * 10 + digit as usize).min(MOST);
            return Step::Nothing;
        }
        let seek = |forward, till| Some(Wait::Seek(Seek { forward, till }));
        self.wait = match symbol {
            'f' => seek(true, false),
            'F' => seek(false, false),
            't' => seek(true, true),
            'T' => seek(false, true),
            'r' if self.operator.is_none() => Some(Wait::Replace),
            _ => None,
        };
        if self.wait.is_some() {
            return Step::Nothing;
        }
        if let Some(operator) = operator(symbol) {
            return self.operate(operator, text, cursor);
        }
        match symbol {
            ';' | ',' => match self.sought {
                Some((seek, wanted)) => {
                    let forward = seek.forward == (symbol == ';');
                    self.seek(Seek { forward, ..seek }, wanted, text, cursor)
                }
                None => self.give_up(),
            },
            _ => match motion(symbol, text, cursor, self.times()) {
                Some((to, inclusive)) => {
                    // As in vi, `cw` leaves the blank behind the word.
                    let changes = matches!(self.operator, Some((Operator::Change, _))) && matches!(symbol, 'w' | 'W');
                    let word = text.get(cursor..to).unwrap_or_default().trim_end();
                    let to = if changes && !word.is_empty() {
                        cursor + word.len()
                    } else {
                        to
                    };
                    self.go(to, inclusive, text, cursor)
                }
                None if self.operator.is_some() => self.give_up(),
                None => self.command(symbol, text, cursor),
            },
        }
    }

    fn give_up(&mut self) -> Step {
        self.reset();
        Step::Nothing
    }

    /// The count of the operator and that of the motion, multiplied as in vi.
    fn times(&self) -> usize {
        let operator = self.operator.map_or(1, |(_, count)| count);
        (self.count.max(1) * operator).min(MOST)
    }

    fn operate(&mut self, operator: Operator, text: &str, cursor: usize) -> Step {
        match self.operator {
            // `dd`: the whole line.
            Some((known, _)) if known == operator => {
                let range = line_start(text, cursor)..line_end(text, cursor);
                self.apply(operator, range, text, cursor)
            }
            Some(_) => self.give_up(),
            None => {
                self.operator = Some((operator, self.count.max(1)));
                self.count = 0;
                Step::Nothing
            }
        }
    }

    /// A motion found its end: the cursor goes there, or the operator takes what lies between.
    fn go(&mut self, to: usize, inclusive: bool, text: &str, cursor: usize) -> Step {
        let Some((operator, _)) = self.operator else {
            self.reset();
            return Step::Go(to);
        };
        let (start, end) = if to < cursor { (to, cursor) } else { (cursor, to) };
        let end = if inclusive && to >= cursor {
            after(text, end)
        } else {
            end
        };
        self.apply(operator, start..end, text, cursor)
    }

    fn apply(&mut self, operator: Operator, range: Range<usize>, text: &str, cursor: usize) -> Step {
        self.reset();
        self.register = Cut::of(text, range.clone()).unwrap_or_default();
        match operator {
            Operator::Yank => Step::Go(range.start.min(cursor)),
            Operator::Delete => change(range.clone(), String::new(), range.start),
            Operator::Change => {
                self.normal = false;
                change(range.clone(), String::new(), range.start)
            }
        }
    }

    fn seek(&mut self, seek: Seek, wanted: char, text: &str, cursor: usize) -> Step {
        let times = self.times();
        let (start, end) = (line_start(text, cursor), line_end(text, cursor));
        let hit = if seek.forward {
            let from = after(text, cursor).min(end);
            let places = text.get(from..end).unwrap_or_default().char_indices();
            let hit = places.filter(|(_, symbol)| *symbol == wanted).nth(times - 1);
            hit.map(|(at, _)| if seek.till { before(text, from + at) } else { from + at })
        } else {
            let places = text.get(start..cursor).unwrap_or_default().char_indices().rev();
            let hit = places.filter(|(_, symbol)| *symbol == wanted).nth(times - 1);
            hit.map(|(at, symbol)| start + at + if seek.till { symbol.len_utf8() } else { 0 })
        };
        match hit {
            Some(to) => self.go(to, seek.forward, text, cursor),
            None => self.give_up(),
        }
    }

    fn replace(&mut self, symbol: char, text: &str, cursor: usize) -> Step {
        let times = self.times();
        self.reset();
        let end = (0..times).fold(cursor, |at, _| after(text, at));
        let there = text.get(cursor..end).unwrap_or_default().chars().count();
        if there < times || text.get(cursor..end).is_none_or(|part| part.contains('\n')) {
            return Step::Nothing;
        }
        let with = symbol.to_string().repeat(times);
        let last = cursor + with.len() - symbol.len_utf8();
        change(cursor..end, with, last)
    }

    /// What is neither motion nor operator.
    fn command(&mut self, symbol: char, text: &str, cursor: usize) -> Step {
        let times = self.times();
        let (start, end) = (line_start(text, cursor), line_end(text, cursor));
        let right = (0..times).fold(cursor, |at, _| after(text, at)).min(end);
        let left = (0..times).fold(cursor, |at, _| before(text, at)).max(start);
        self.count = 0;
        match symbol {
            'i' => self.type_at(cursor),
            'a' => self.type_at(after(text, cursor).min(end)),
            'I' => self.type_at(first_word(text, cursor)),
            'A' => self.type_at(end),
            'x' => self.apply(Operator::Delete, cursor..right, text, cursor),
            'X' => self.apply(Operator::Delete, left..cursor, text, cursor),
            's' => self.apply(Operator::Change, cursor..right, text, cursor),
            'S' => self.apply(Operator::Change, start..end, text, cursor),
            'D' => self.apply(Operator::Delete, cursor..end, text, cursor),
            'C' => self.apply(Operator::Change, cursor..end, text, cursor),
            'Y' => self.apply(Operator::Yank, cursor..end, text, cursor),
            'p' => self.put(after(text, cursor).min(end), times),
            'P' => self.put(cursor, times),
            '~' => {
                let part = text.get(cursor..right).unwrap_or_default();
                let turned: String = part.chars().flat_map(turn).collect();
                let to = (cursor + turned.len()).min(end + turned.len() - part.len());
                change(cursor..right, turned, to)
            }
            'u' => Step::Undo,
            'k' => Step::Older,
            'j' => Step::Newer,
            '/' => Step::Find,
            'v' => Step::Edit,
            _ => Step::Nothing,
        }
    }

    fn type_at(&mut self, at: usize) -> Step {
        self.insert();
        Step::Insert(at)
    }

    fn put(&mut self, at: usize, times: usize) -> Step {
        if self.register.text().is_empty() {
            return Step::Nothing;
        }
        let text = self.register.text().repeat(times);
        let last = at + before(&text, text.len());
        change(at..at, text, last)
    }
}

fn change(range: Range<usize>, with: String, cursor: usize) -> Step {
    Step::Change { range, with, cursor }
}

fn operator(symbol: char) -> Option<Operator> {
    Some(match symbol {
        'd' => Operator::Delete,
        'c' => Operator::Change,
        'y' => Operator::Yank,
        _ => return None,
    })
}

/// Upper case becomes lower case and the other way round.
fn turn(symbol: char) -> Vec<char> {
    match symbol.is_uppercase() {
        true => symbol.to_lowercase().collect(),
        false => symbol.to_uppercase().collect(),
    }
}

#[cfg(test)]
mod tests;
