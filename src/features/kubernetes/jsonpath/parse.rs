//! Templates from text. Not for what they find.

use serde_json::{Value, json};

use super::{Filter, Operator, PathError, Piece, Slice, Step};

/// Filters inside filters, and ranges inside ranges, at most.
const DEEPEST: usize = 16;

fn wrong(message: impl Into<String>) -> PathError {
    PathError(message.into())
}

/// Texts and actions; ranges closed.
pub fn template(text: &str) -> Result<Vec<Piece>, PathError> {
    // The innermost open range comes last; the template itself is the first.
    let mut open: Vec<(Vec<Step>, Vec<Piece>)> = vec![(Vec::new(), Vec::new())];
    let mut rest = text;
    while let Some(start) = rest.find('{') {
        let (before, after) = rest.split_at(start);
        let end = closing(after).ok_or_else(|| wrong("unclosed action"))?;
        let (action, next) = after.split_at(end + 1);
        let inner = action.get(1..action.len() - 1).map_or("", str::trim);
        push(&mut open, Piece::Text(before.to_owned()));
        if inner == "end" {
            let (path, body) = open.pop().unwrap_or_default();
            if open.is_empty() {
                return Err(wrong("not in range, nothing to end"));
            }
            push(&mut open, Piece::Range(path, body));
        } else if let Some(path) = inner
            .strip_prefix("range")
            .filter(|path| path.starts_with([' ', '.', '[', '@', '$']))
        {
            if open.len() > DEEPEST {
                return Err(wrong("ranges are nested too deeply"));
            }
            open.push((steps(path, 0)?, Vec::new()));
        } else {
            push(&mut open, Piece::Action(steps(inner, 0)?));
        }
        rest = next;
    }
    push(&mut open, Piece::Text(rest.to_owned()));
    match (open.pop(), open.is_empty()) {
        (Some((_, pieces)), true) => Ok(pieces),
        _ => Err(wrong("unclosed range")),
    }
}

fn push(open: &mut [(Vec<Step>, Vec<Piece>)], piece: Piece) {
    if piece != Piece::Text(String::new())
        && let Some((_, pieces)) = open.last_mut()
    {
        pieces.push(piece);
    }
}

/// Where the brace that opens a text is closed; braces in quotes do not count.
fn closing(text: &str) -> Option<usize> {
    let mut quote = None;
    let mut escaped = false;
    for (at, symbol) in text.char_indices() {
        match (quote, symbol) {
            _ if escaped => escaped = false,
            (_, '\\') => escaped = true,
            (Some(open), symbol) if symbol == open => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(symbol),
            (None, '}') => return Some(at),
            (None, _) => {}
        }
    }
    None
}

/// The steps inside an action or a filter's side.
fn steps(text: &str, depth: usize) -> Result<Vec<Step>, PathError> {
    if depth > DEEPEST {
        return Err(wrong("filters are nested too deeply"));
    }
    let mut found = Vec::new();
    let mut rest = text.trim();
    while let Some(first) = rest.chars().next() {
        let after = rest.get(first.len_utf8()..).unwrap_or_default();
        rest = match first {
            '@' | '$' | ' ' | '\t' | '\n' => after,
            '"' | '\'' => {
                let (literal, next) = quoted(after, first)?;
                found.push(Step::Literal(Value::String(literal)));
                next
            }
            '.' => field(after, &mut found)?,
            '[' => bracket(after, &mut found, depth)?,
            _ => {
                let end = rest.find([' ', '\t', '[', '}', ')', '@']).unwrap_or(rest.len());
                let (word, next) = rest.split_at(end);
                found.push(Step::Literal(literal(word)?));
                next
            }
        };
    }
    Ok(found)
}

fn literal(word: &str) -> Result<Value, PathError> {
    match word {
        "true" => Ok(json!(true)),
        "false" => Ok(json!(false)),
        _ => match (word.parse::<i64>(), word.parse::<f64>()) {
            (Ok(whole), _) => Ok(json!(whole)),
            (_, Ok(number)) if word.starts_with(|c: char| c.is_ascii_digit() || c == '-' || c == '+') => {
                Ok(json!(number))
            }
            _ => Err(wrong(format!("unrecognized identifier {word}"))),
        },
    }
}

/// The text up to the closing quote, escapes read as Go does.
fn quoted(text: &str, quote: char) -> Result<(String, &str), PathError> {
    let mut found = String::new();
    let mut symbols = text.char_indices();
    while let Some((at, symbol)) = symbols.next() {
        match symbol {
            symbol if symbol == quote => return Ok((found, text.get(at + 1..).unwrap_or_default())),
            '\\' => match symbols.next().map(|(_, next)| next) {
                Some('n') => found.push('\n'),
                Some('t') => found.push('\t'),
                Some('r') => found.push('\r'),
                Some(other) => found.push(other),
                None => break,
            },
            other => found.push(other),
        }
    }
    Err(wrong("unterminated quoted string"))
}

/// `.name`, `.*`, `..name`, or `.` alone; `\` keeps the next symbol.
fn field<'a>(text: &'a str, found: &mut Vec<Step>) -> Result<&'a str, PathError> {
    if let Some(rest) = text.strip_prefix('.') {
        found.push(Step::Below);
        return if rest.starts_with('[') {
            Ok(rest)
        } else {
            field(rest, found)
        };
    }
    let mut name = String::new();
    let mut symbols = text.char_indices();
    let mut end = text.len();
    while let Some((at, symbol)) = symbols.next() {
        match symbol {
            '\\' => name.extend(symbols.next().map(|(_, next)| next)),
            '.' | ',' | '[' | ']' | '$' | '@' | '{' | '}' | '(' | ')' | ' ' | '\t' | '\n' | '=' | '!' | '<' | '>' => {
                end = at;
                break;
            }
            other => name.push(other),
        }
    }
    match name.as_str() {
        "" => {}
        "*" => found.push(Step::Any),
        _ => found.push(Step::Field(name)),
    }
    Ok(text.get(end..).unwrap_or_default())
}

/// What stands in brackets: a filter, a key, a slice, or several of them.
fn bracket<'a>(text: &'a str, found: &mut Vec<Step>, depth: usize) -> Result<&'a str, PathError> {
    if let Some(filter) = text.strip_prefix("?(") {
        let end = balanced(filter).ok_or_else(|| wrong("unterminated filter"))?;
        let (condition, rest) = filter.split_at(end);
        let rest = rest
            .strip_prefix(")]")
            .ok_or_else(|| wrong("unclosed array expect ]"))?;
        found.push(Step::Filter(filter_of(condition, depth)?));
        return Ok(rest);
    }
    let mut quote = None;
    let end = text.char_indices().find_map(|(at, symbol)| match (quote, symbol) {
        (Some(open), symbol) if symbol == open => {
            quote = None;
            None
        }
        (None, '\'' | '"') => {
            quote = Some(symbol);
            None
        }
        (None, ']') => Some(at),
        _ => None,
    });
    let end = end.ok_or_else(|| wrong("unterminated array"))?;
    let (inside, rest) = text.split_at(end);
    let mut parts: Vec<Vec<Step>> = Vec::new();
    for part in split_list(inside) {
        parts.push(vec![element(part.trim())?]);
    }
    match (parts.len(), parts.pop()) {
        (1, Some(one)) => found.extend(one),
        (_, last) => {
            parts.extend(last);
            found.push(Step::Union(parts));
        }
    }
    Ok(rest.strip_prefix(']').unwrap_or_default())
}

/// Where the parenthesis that opened before is closed.
fn balanced(text: &str) -> Option<usize> {
    let (mut open, mut quote) = (1usize, None);
    for (at, symbol) in text.char_indices() {
        match (quote, symbol) {
            (Some(mark), symbol) if symbol == mark => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(symbol),
            (None, '(') => open += 1,
            (None, ')') => {
                open -= 1;
                if open == 0 {
                    return Some(at);
                }
            }
            (None, _) => {}
        }
    }
    None
}

/// Parts between commas that stand in no quotes.
fn split_list(text: &str) -> Vec<&str> {
    let mut quote = None;
    text.split(move |symbol| {
        match (quote, symbol) {
            (Some(open), symbol) if symbol == open => quote = None,
            (None, '\'' | '"') => quote = Some(symbol),
            _ => {}
        }
        symbol == ',' && quote.is_none()
    })
    .collect()
}

fn element(text: &str) -> Result<Step, PathError> {
    if let Some(key) = text.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')) {
        return Ok(Step::Field(key.replace("\\.", ".")));
    }
    if text == "*" {
        return Ok(Step::Slice(Slice {
            start: None,
            end: None,
            step: 1,
            index: false,
        }));
    }
    let number = |part: Option<&&str>| -> Result<Option<i64>, PathError> {
        match part {
            None | Some(&"") => Ok(None),
            Some(digits) => digits
                .parse()
                .map(Some)
                .map_err(|_| wrong(format!("invalid array index {text}"))),
        }
    };
    let parts: Vec<&str> = text.split(':').collect();
    if text.is_empty() || parts.len() > 3 {
        return Err(wrong(format!("invalid array index {text}")));
    }
    let start = number(parts.first())?;
    let index = parts.len() == 1;
    let step = number(parts.get(2))?.unwrap_or(1);
    if step < 1 {
        return Err(wrong("step must be > 0"));
    }
    let end = if index {
        start.and_then(|at| at.checked_add(1))
    } else {
        number(parts.get(1))?
    };
    Ok(Step::Slice(Slice {
        start,
        end,
        step,
        index,
    }))
}

fn filter_of(condition: &str, depth: usize) -> Result<Filter, PathError> {
    let signs = [
        ("==", Operator::Equal),
        ("!=", Operator::NotEqual),
        ("<=", Operator::LessOrEqual),
        (">=", Operator::GreaterOrEqual),
        ("<", Operator::Less),
        (">", Operator::Greater),
    ];
    let mut quote = None;
    for (at, symbol) in condition.char_indices() {
        match (quote, symbol) {
            (Some(open), symbol) if symbol == open => quote = None,
            (Some(_), _) => continue,
            (None, '"' | '\'') => quote = Some(symbol),
            (None, _) => {}
        }
        let here = condition.get(at..).unwrap_or_default();
        if let Some((sign, operator)) = signs.iter().find(|(sign, _)| here.starts_with(sign)) {
            let left = steps(condition.get(..at).unwrap_or_default(), depth + 1)?;
            let right = steps(here.get(sign.len()..).unwrap_or_default(), depth + 1)?;
            return Ok(Filter {
                left,
                operator: *operator,
                right,
            });
        }
    }
    Ok(Filter {
        left: steps(condition, depth + 1)?,
        operator: Operator::Exists,
        right: Vec::new(),
    })
}
