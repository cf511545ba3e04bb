//! A rule as a tree. Not for reading one from text (`parser`) nor for asking it (`evaluate`).

use regex::Regex;
use serde_json::Value;

/// One rule of one command.
#[derive(Clone, Debug)]
pub struct Rule {
    /// As it was written, with the command it is about in front.
    pub text: String,
    /// Bundle of the command.
    pub bundle: String,
    /// Name of the command in its bundle.
    pub command: String,
    /// When it applies; none: always.
    pub condition: Option<Condition>,
    /// What it says.
    pub verdict: Verdict,
}

/// What a rule says when it applies.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// Everyone may.
    Allow,
    /// Who has these permissions may.
    MustHave(Wanted),
}

/// When a rule applies.
#[derive(Clone, Debug)]
pub enum Condition {
    /// A comparison with one value.
    Compare(Subject, Comparison, Literal),
    /// Equal to one of several values.
    In(Subject, Vec<Literal>),
    /// The opposite.
    Not(Box<Condition>),
    /// All of them.
    And(Vec<Condition>),
    /// At least one of them.
    Or(Vec<Condition>),
}

/// What a condition looks at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// `arg[N]`, from 0.
    Argument(usize),
    /// `option[NAME]`.
    Option(String),
    /// `any arg`, `all args`.
    Arguments(Quantifier),
    /// `any option`, `all options`.
    Options(Quantifier),
    /// `any option[NAME]`: the items of a list.
    Items(Quantifier, String),
}

/// How many of several have to fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantifier {
    /// One is enough; of none, none fits.
    Any,
    /// Every one; of none, every one fits (but none is in a list of values).
    All,
}

/// How two values are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// `==`; with a pattern: matches.
    Equal,
    /// `!=`; with a pattern: does not match.
    NotEqual,
    /// `<`
    Less,
    /// `<=`, `=<`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

/// A value in a rule.
#[derive(Clone, Debug)]
pub enum Literal {
    /// A number, a boolean or a text.
    Value(Value),
    /// `/…/`: found anywhere in a text; `^` and `$` anchor it.
    Pattern(Regex),
}

/// Permissions that a rule asks for.
#[derive(Clone, Debug)]
pub enum Wanted {
    /// `ns:name`.
    Permission(String),
    /// `any in […]`.
    AnyIn(Vec<PermissionName>),
    /// `all in […]`.
    AllIn(Vec<PermissionName>),
    /// All of them.
    And(Vec<Wanted>),
    /// At least one of them.
    Or(Vec<Wanted>),
}

/// A permission in a list.
#[derive(Clone, Debug)]
pub enum PermissionName {
    /// This one.
    Name(String),
    /// Any that matches.
    Pattern(Regex),
}
