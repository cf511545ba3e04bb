//! vi's normal mode for the input line: a machine without IO. A character, the text and the cursor go in, what becomes
//! of them comes out; the input line does it. Counts, the operators `d c y`, the motions of one line, `f t ; ,`, `p`,
//! `r`, `~`, `u`. Not for visual mode, marks, macros and registers: a line of commands needs none.

use std::ops::Range;

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
    register: String,
}

impl Vi {
    /// Whether characters are commands.
    pub fn is_normal(&self) -> bool {
        self.normal
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
        self.register = text.get(range.clone()).unwrap_or_default().to_owned();
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
            _ => Step::Nothing,
        }
    }

    fn type_at(&mut self, at: usize) -> Step {
        self.insert();
        Step::Insert(at)
    }

    fn put(&mut self, at: usize, times: usize) -> Step {
        if self.register.is_empty() {
            return Step::Nothing;
        }
        let text = self.register.repeat(times);
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

/// Where a motion ends, and whether an operator takes the character there too.
fn motion(symbol: char, text: &str, cursor: usize, times: usize) -> Option<(usize, bool)> {
    let (start, end) = (line_start(text, cursor), line_end(text, cursor));
    let repeat = |step: &dyn Fn(usize) -> usize| (0..times).fold(cursor, |at, _| step(at));
    Some(match symbol {
        'h' => (repeat(&|at| before(text, at).max(start)), false),
        'l' | ' ' => (repeat(&|at| after(text, at).min(end)), false),
        '0' => (start, false),
        '^' => (first_word(text, cursor), false),
        '$' => (end, false),
        'w' => (repeat(&|at| next_word(text, at, class)), false),
        'W' => (repeat(&|at| next_word(text, at, wide_class)), false),
        'b' => (repeat(&|at| word_before(text, at, class)), false),
        'B' => (repeat(&|at| word_before(text, at, wide_class)), false),
        'e' => (repeat(&|at| word_end(text, at, class)), true),
        'E' => (repeat(&|at| word_end(text, at, wide_class)), true),
        _ => return None,
    })
}

/// Blanks, letters and signs are words of their own.
fn class(symbol: char) -> u8 {
    match symbol {
        symbol if symbol.is_whitespace() => 0,
        symbol if symbol.is_alphanumeric() || symbol == '_' => 1,
        _ => 2,
    }
}

/// Only blanks part words.
fn wide_class(symbol: char) -> u8 {
    u8::from(!symbol.is_whitespace())
}

fn next_word(text: &str, at: usize, class: fn(char) -> u8) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    let here = rest.chars().next().map(class);
    let behind = rest
        .char_indices()
        .skip_while(|(_, symbol)| Some(class(*symbol)) == here && here != Some(0));
    let mut behind = behind.skip_while(|(_, symbol)| class(*symbol) == 0);
    behind.next().map_or(text.len(), |(offset, _)| at + offset)
}

fn word_before(text: &str, at: usize, class: fn(char) -> u8) -> usize {
    let word = text.get(..at).unwrap_or_default().trim_end();
    let last = word.chars().next_back().map(class);
    let start = word
        .char_indices()
        .rev()
        .take_while(|(_, symbol)| Some(class(*symbol)) == last)
        .last();
    start.map_or(0, |(start, _)| start)
}

fn word_end(text: &str, at: usize, class: fn(char) -> u8) -> usize {
    let from = after(text, at);
    let rest = text.get(from..).unwrap_or_default();
    let Some((start, first)) = rest.char_indices().find(|(_, symbol)| class(*symbol) != 0) else {
        return at;
    };
    let word = rest.get(start..).unwrap_or_default().char_indices();
    let last = word.take_while(|(_, symbol)| class(*symbol) == class(first)).last();
    from + start + last.map_or(0, |(offset, _)| offset)
}

fn first_word(text: &str, cursor: usize) -> usize {
    let (start, end) = (line_start(text, cursor), line_end(text, cursor));
    let line = text.get(start..end).unwrap_or_default();
    start + (line.len() - line.trim_start().len())
}

fn line_start(text: &str, cursor: usize) -> usize {
    text.get(..cursor)
        .and_then(|before| before.rfind('\n'))
        .map_or(0, |at| at + 1)
}

fn line_end(text: &str, cursor: usize) -> usize {
    let rest = text.get(cursor..).unwrap_or_default();
    rest.find('\n').map_or(text.len(), |at| cursor + at)
}

fn after(text: &str, at: usize) -> usize {
    let next = text.get(at..).and_then(|rest| rest.chars().next());
    at + next.map_or(0, char::len_utf8)
}

fn before(text: &str, at: usize) -> usize {
    let last = text.get(..at).and_then(|rest| rest.chars().next_back());
    at - last.map_or(0, char::len_utf8)
}

/// Upper case becomes lower case and the other way round.
fn turn(symbol: char) -> Vec<char> {
    match symbol.is_uppercase() {
        true => symbol.to_lowercase().collect(),
        false => symbol.to_uppercase().collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The text with `|` where the cursor is, after these characters; `true`: typing goes on.
    fn after_keys(line: &str, keys: &str) -> (String, bool) {
        let mut cursor = line.find('|').unwrap();
        let mut text = line.replacen('|', "", 1);
        let mut vi = Vi::default();
        vi.escape(&text, cursor);
        for symbol in keys.chars() {
            match vi.key(symbol, &text, cursor) {
                Step::Go(to) | Step::Insert(to) => cursor = to,
                Step::Change {
                    range,
                    with,
                    cursor: to,
                } => {
                    text.replace_range(range, &with);
                    cursor = to;
                }
                _ => {}
            }
            assert!(text.is_char_boundary(cursor), "{keys} on {line}: {cursor} in {text}");
        }
        text.insert(cursor, '|');
        (text, !vi.is_normal())
    }

    #[test]
    fn the_table_of_commands() {
        let cases = [
            ("|one two three", "w", "one |two three"),
            ("|one two three", "2w", "one two |three"),
            ("one two |three", "b", "one |two three"),
            ("|kubectl:get pods", "w", "kubectl|:get pods"),
            ("|kubectl:get pods", "W", "kubectl:get |pods"),
            ("|one two", "e", "on|e two"),
            ("one two| three", "0", "|one two three"),
            ("  one t|wo", "^", "  |one two"),
            ("|one two", "$", "one two|"),
            ("|one two three", "dw", "|two three"),
            ("|one two three", "d2w", "|three"),
            ("|one two three", "2dw", "|three"),
            ("one |two three", "de", "one | three"),
            ("one |two three", "db", "|two three"),
            ("one |two three", "D", "one |"),
            ("one |two", "dd", "|"),
            ("|one two", "x", "|ne two"),
            ("|one two", "3x", "| two"),
            ("on|e", "X", "o|e"),
            ("|one two", "ft", "one |two"),
            ("|one two", "tt", "one| two"),
            ("|a.b.c.d", "f.;", "a.b|.c.d"),
            ("|a.b.c.d", "2f.,", "a|.b.c.d"),
            ("|a.b.c.d", "dt.", "|.b.c.d"),
            ("|a.b.c.d", "df.", "|b.c.d"),
            ("|one two", "dwP", "one| two"),
            ("|one two", "ywP", "one| one two"),
            ("|abc", "xp", "b|ac"),
            ("|one", "rX", "|Xne"),
            ("|one", "9rX", "|one"),
            ("|one", "~~", "ON|e"),
            ("|one two", "dfz", "|one two"),
            ("|one two", "d5", "|one two"),
            ("世|界 one", "x", "世| one"),
            ("|世界 one", "dw", "|one"),
            ("one\ntw|o", "dd", "one\n|"),
            ("|one two", "dzw", "one |two"),
        ];
        for (line, keys, wanted) in cases {
            assert_eq!(after_keys(line, keys), (wanted.to_owned(), false), "{keys} on {line}");
        }
    }

    #[test]
    fn what_begins_typing() {
        let cases = [
            ("one| two", "i", "one| two"),
            ("one| two", "a", "one |two"),
            ("one |two", "I", "|one two"),
            ("|one two", "A", "one two|"),
            ("one |two three", "cw", "one | three"),
            ("|a two", "cw", "| two"),
            ("one |two", "C", "one |"),
            ("one |two", "cc", "|"),
            ("one |two", "S", "|"),
            ("|one", "s", "|ne"),
        ];
        for (line, keys, wanted) in cases {
            assert_eq!(after_keys(line, keys), (wanted.to_owned(), true), "{keys} on {line}");
        }
    }

    #[test]
    fn any_keys_on_any_text_stay_inside_it() {
        let symbols: Vec<char> = "hlwbeWBE0^$dcyfFtT;,xXsSDCYpPr~uia123/kjé\u{301}".chars().collect();
        let mut seed: usize = 7;
        let mut next = move || {
            seed = seed
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            seed >> 33
        };
        for _ in 0..500 {
            let keys: String = (0..20).map(|_| symbols[next() % symbols.len()]).collect();
            for line in ["|", "|a", "e\u{301}|\u{1f468}\u{200d}\u{1f469} x\n\n|y", "\n|\n"] {
                after_keys(line, &keys);
            }
        }
    }
}
