//! Text to rule. What is wrong is told with its place; nothing that a text holds can make it run long or deep.

use std::ops::Range;

use regex::{Regex, RegexBuilder};
use serde_json::Value;

use super::lexer::{Kind, Token, lex};
use super::rule::{Comparison, Condition, Literal, PermissionName, Quantifier, Rule, Subject, Verdict, Wanted};
use crate::core::report::Report;

/// The longest rule, in bytes.
const LONGEST: usize = 4096;
/// Parentheses and `not` inside each other.
const DEEPEST: usize = 32;
/// What a compiled pattern may take, in bytes.
const LARGEST_PATTERN: usize = 1 << 18;

const WRONG: &str = "E-RULE-001";
const OTHER_COMMAND: &str = "E-RULE-002";

/// Words that mean something and so need quotes to be values.
const KEYWORDS: [&str; 14] = [
    "when", "command", "is", "with", "must", "have", "allow", "and", "or", "not", "in", "any", "all", "option",
];

impl Rule {
    /// Reads a whole rule, `when command is …` included.
    pub fn parse(text: &str) -> Result<Rule, Report> {
        read(text, None)
    }

    /// Reads a rule of this command. The short form leaves `when command is …` away; the long one has to name the same.
    pub fn of_command(text: &str, bundle: &str, command: &str) -> Result<Rule, Report> {
        read(text, Some((bundle, command)))
    }
}

type Fault = (String, Range<usize>);

fn read(text: &str, own: Option<(&str, &str)>) -> Result<Rule, Report> {
    if text.len() > LONGEST {
        return Err(Report::refused(WRONG, format!("a rule has at most {LONGEST} bytes")));
    }
    let wrong = |(message, span): Fault| {
        Report::refused(WRONG, format!("the rule is not right: {message}"))
            .at(text, span)
            .hint("such as: when command is kubectl:delete with option[namespace] == prod must have site:prod")
    };
    let tokens = lex(text).map_err(wrong)?;
    let mut parser = Parser {
        tokens: tokens.into_iter().peekable(),
        end: text.len(),
    };
    let named = parser.command(own.is_none()).map_err(wrong)?;
    let (bundle, command) = match (&named, own) {
        (Some((bundle, command, span)), Some((own_bundle, own_command))) => {
            if (bundle.as_str(), command.as_str()) != (own_bundle, own_command) {
                let message = format!("a rule of {own_bundle}:{own_command} is about {bundle}:{command}");
                return Err(Report::refused(OTHER_COMMAND, message).at(text, span.clone()));
            }
            (bundle.clone(), command.clone())
        }
        (Some((bundle, command, _)), None) => (bundle.clone(), command.clone()),
        (None, Some((bundle, command))) => (bundle.to_owned(), command.to_owned()),
        (None, None) => {
            return Err(wrong((
                "`when command is BUNDLE:NAME` is missing".to_owned(),
                0..text.len(),
            )));
        }
    };
    let (condition, verdict) = parser.rest().map_err(wrong)?;
    let text = match named {
        Some(_) => text.trim().to_owned(),
        None => format!("when command is {bundle}:{command} {}", text.trim()),
    };
    Ok(Rule {
        text,
        bundle,
        command,
        condition,
        verdict,
    })
}

struct Parser {
    tokens: std::iter::Peekable<std::vec::IntoIter<Token>>,
    end: usize,
}

impl Parser {
    fn here(&mut self) -> Range<usize> {
        let end = self.end;
        self.tokens.peek().map_or(end..end, |token| token.span.clone())
    }

    fn fail<T>(&mut self, message: &str) -> Result<T, Fault> {
        Err((message.to_owned(), self.here()))
    }

    fn is(&mut self, keyword: &str) -> bool {
        matches!(self.tokens.peek(), Some(Token { kind: Kind::Word(word), .. }) if word == keyword)
    }

    fn take(&mut self, keyword: &str) -> bool {
        let found = self.is(keyword);
        if found {
            self.tokens.next();
        }
        found
    }

    fn want(&mut self, keyword: &str) -> Result<(), Fault> {
        match self.take(keyword) {
            true => Ok(()),
            false => self.fail(&format!("`{keyword}` is missing")),
        }
    }

    fn take_sign(&mut self, sign: &str) -> bool {
        let kind = self.tokens.peek().map(|token| &token.kind);
        let found = matches!(kind, Some(Kind::Sign(found)) if *found == sign);
        if found {
            self.tokens.next();
        }
        found
    }

    fn want_sign(&mut self, sign: &str) -> Result<(), Fault> {
        match self.take_sign(sign) {
            true => Ok(()),
            false => self.fail(&format!("`{sign}` is missing")),
        }
    }

    fn word(&mut self, what: &str) -> Result<(String, Range<usize>), Fault> {
        match self.tokens.next_if(|token| matches!(token.kind, Kind::Word(_))) {
            Some(Token {
                kind: Kind::Word(word),
                span,
            }) => Ok((word, span)),
            _ => self.fail(&format!("{what} is missing")),
        }
    }

    fn command(&mut self, must: bool) -> Result<Option<(String, String, Range<usize>)>, Fault> {
        if !must && !self.is("when") {
            return Ok(None);
        }
        for keyword in ["when", "command", "is"] {
            self.want(keyword)?;
        }
        let (word, span) = self.word("the command, BUNDLE:NAME,")?;
        match word.split_once(':') {
            Some((bundle, name)) if is_name(bundle) && is_name(name) => {
                Ok(Some((bundle.to_owned(), name.to_owned(), span)))
            }
            _ => Err((format!("{word} is no command: it is written BUNDLE:NAME"), span)),
        }
    }

    fn rest(&mut self) -> Result<(Option<Condition>, Verdict), Fault> {
        let condition = match self.take("with") {
            true => Some(self.condition(0)?),
            false => None,
        };
        let verdict = if self.take("allow") {
            Verdict::Allow
        } else if self.take("must") {
            self.want("have")?;
            Verdict::MustHave(self.wanted(0)?)
        } else {
            return self.fail("`allow` or `must have PERMISSION` is missing");
        };
        match self.tokens.peek() {
            None => Ok((condition, verdict)),
            Some(_) => self.fail("nothing may follow here"),
        }
    }

    fn condition(&mut self, depth: usize) -> Result<Condition, Fault> {
        let mut all = vec![self.conjunction(depth)?];
        while self.take("or") {
            all.push(self.conjunction(depth)?);
        }
        Ok(single(all, Condition::Or))
    }

    fn conjunction(&mut self, depth: usize) -> Result<Condition, Fault> {
        let mut all = vec![self.negation(depth)?];
        while self.take("and") {
            all.push(self.negation(depth)?);
        }
        Ok(single(all, Condition::And))
    }

    fn negation(&mut self, depth: usize) -> Result<Condition, Fault> {
        if depth > DEEPEST {
            return self.fail("it is nested too deep");
        }
        if self.take("not") {
            return Ok(Condition::Not(Box::new(self.negation(depth + 1)?)));
        }
        if self.take_sign("(") {
            let inner = self.condition(depth + 1)?;
            self.want_sign(")")?;
            return Ok(inner);
        }
        self.test()
    }

    fn test(&mut self) -> Result<Condition, Fault> {
        let subject = self.subject()?;
        if self.take("in") {
            self.want_sign("[")?;
            let mut values = vec![self.literal()?];
            while self.take_sign(",") {
                values.push(self.literal()?);
            }
            self.want_sign("]")?;
            return Ok(Condition::In(subject, values));
        }
        let comparisons = [
            ("==", Comparison::Equal),
            ("!=", Comparison::NotEqual),
            ("<=", Comparison::LessOrEqual),
            ("<", Comparison::Less),
            (">=", Comparison::GreaterOrEqual),
            (">", Comparison::Greater),
        ];
        let found = comparisons.into_iter().find(|(sign, _)| self.take_sign(sign));
        let Some((sign, comparison)) = found else {
            return self.fail("a comparison such as == or `in [ … ]` is missing");
        };
        let place = self.here();
        let literal = self.literal()?;
        let equality = matches!(comparison, Comparison::Equal | Comparison::NotEqual);
        match literal {
            Literal::Pattern(_) if !equality => Err((format!("a pattern has no order: {sign} takes a value"), place)),
            literal => Ok(Condition::Compare(subject, comparison, literal)),
        }
    }

    fn subject(&mut self) -> Result<Subject, Fault> {
        let quantifier = if self.take("any") {
            Some(Quantifier::Any)
        } else if self.take("all") {
            Some(Quantifier::All)
        } else {
            None
        };
        let (word, span) = self.word("what to look at, arg[N] or option[NAME],")?;
        let arguments = matches!(word.as_str(), "arg" | "args");
        let options = matches!(word.as_str(), "option" | "options");
        let index = match self.take_sign("[") {
            false => None,
            true => {
                let (index, place) = self.name()?;
                self.want_sign("]")?;
                Some((index, place))
            }
        };
        match (quantifier, index) {
            (Some(quantifier), None) if arguments => Ok(Subject::Arguments(quantifier)),
            (Some(quantifier), None) if options => Ok(Subject::Options(quantifier)),
            (Some(quantifier), Some((name, _))) if options => Ok(Subject::Items(quantifier, name)),
            (None, Some((name, _))) if options => Ok(Subject::Option(name)),
            (None, Some((index, place))) if arguments => match index.parse() {
                Ok(index) => Ok(Subject::Argument(index)),
                Err(_) => Err((format!("arg[{index}]: arguments are counted from 0"), place)),
            },
            _ => Err((
                format!("{word} is nothing to look at: arg[N], option[NAME], any arg, all options …"),
                span,
            )),
        }
    }

    fn name(&mut self) -> Result<(String, Range<usize>), Fault> {
        match self.tokens.next_if(|token| matches!(token.kind, Kind::Text(_))) {
            Some(Token {
                kind: Kind::Text(text),
                span,
            }) => Ok((text, span)),
            _ => self.word("a number or name"),
        }
    }

    fn literal(&mut self) -> Result<Literal, Fault> {
        let place = self.here();
        let token = self.tokens.next_if(|token| !matches!(token.kind, Kind::Sign(_)));
        match token.map(|token| token.kind) {
            Some(Kind::Text(text)) => Ok(Literal::Value(Value::String(text))),
            Some(Kind::Pattern(pattern)) => compiled(&pattern, place).map(Literal::Pattern),
            Some(Kind::Word(word)) if KEYWORDS.contains(&word.as_str()) => Err((
                format!("`{word}` means something in rules: quote it to be a value"),
                place,
            )),
            Some(Kind::Word(word)) => Ok(Literal::Value(spelled(word))),
            _ => Err(("a value is missing".to_owned(), place)),
        }
    }

    fn wanted(&mut self, depth: usize) -> Result<Wanted, Fault> {
        let mut all = vec![self.wanted_all(depth)?];
        while self.take("or") {
            all.push(self.wanted_all(depth)?);
        }
        Ok(single(all, Wanted::Or))
    }

    fn wanted_all(&mut self, depth: usize) -> Result<Wanted, Fault> {
        let mut all = vec![self.wanted_one(depth)?];
        while self.take("and") {
            all.push(self.wanted_one(depth)?);
        }
        Ok(single(all, Wanted::And))
    }

    fn wanted_one(&mut self, depth: usize) -> Result<Wanted, Fault> {
        if depth > DEEPEST {
            return self.fail("it is nested too deep");
        }
        if self.take_sign("(") {
            let inner = self.wanted(depth + 1)?;
            self.want_sign(")")?;
            return Ok(inner);
        }
        let list = if self.take("any") {
            Some(Wanted::AnyIn as fn(Vec<PermissionName>) -> Wanted)
        } else if self.take("all") {
            Some(Wanted::AllIn as fn(Vec<PermissionName>) -> Wanted)
        } else {
            None
        };
        let Some(list) = list else {
            return self.permission().map(Wanted::Permission);
        };
        self.want("in")?;
        self.want_sign("[")?;
        let mut names = vec![self.permission_name()?];
        while self.take_sign(",") {
            names.push(self.permission_name()?);
        }
        self.want_sign("]")?;
        Ok(list(names))
    }

    fn permission_name(&mut self) -> Result<PermissionName, Fault> {
        let place = self.here();
        match self.tokens.next_if(|token| matches!(token.kind, Kind::Pattern(_))) {
            Some(Token {
                kind: Kind::Pattern(pattern),
                ..
            }) => compiled(&pattern, place).map(PermissionName::Pattern),
            _ => self.permission().map(PermissionName::Name),
        }
    }

    fn permission(&mut self) -> Result<String, Fault> {
        let (word, span) = self.word("a permission, NAMESPACE:NAME,")?;
        match word.split_once(':') {
            Some((namespace, name)) if is_name(namespace) && is_name(name) => Ok(word),
            _ => Err((format!("{word} is no permission: it is written NAMESPACE:NAME"), span)),
        }
    }
}

fn single<T>(mut all: Vec<T>, several: fn(Vec<T>) -> T) -> T {
    match (all.len(), all.pop()) {
        (1, Some(one)) => one,
        (_, last) => several(all.into_iter().chain(last).collect()),
    }
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || "_-.".contains(c))
}

/// A bare word is a number or a boolean if it is spelled like one.
fn spelled(word: String) -> Value {
    match word.as_str() {
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        other => super::evaluate::number(other).map_or(Value::String(word), Value::Number),
    }
}

fn compiled(pattern: &str, place: Range<usize>) -> Result<Regex, Fault> {
    RegexBuilder::new(pattern)
        .size_limit(LARGEST_PATTERN)
        .nest_limit(64)
        .build()
        .map_err(|error| {
            let reason = error.to_string();
            let last = reason.lines().last().unwrap_or_default().to_owned();
            (format!("/{pattern}/ is no pattern: {last}"), place)
        })
}
