//! What a stage and its filter's process say to each other over pipes: JSON lines. In: the [`Setup`], then the records.
//! Out: lines of one tag byte and its JSON.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The hidden mode's name.
pub const MODE: &str = "__jq";
/// Bytes that are gathered before they are written, in both directions: a pipe of Linux holds this much.
pub const BATCH: usize = 64 << 10;
/// The longest text of one output.
pub const LARGEST_OUTPUT: usize = 32 << 20;

/// The filter is compiled.
pub const READY: u8 = b'r';
/// The filter can't be compiled: a [`Fault`].
pub const REFUSED: u8 = b'x';
/// An output.
pub const OUTPUT: u8 = b'o';
/// An input that failed: a [`Failed`].
pub const FAILED: u8 = b'f';
/// The last line of a run that came to its end.
pub const DONE: u8 = b'.';

/// Options of a run.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Options {
    /// One run without an input; the records come from `input` and `inputs`.
    pub null_input: bool,
    /// One run over the list of all records.
    pub slurp: bool,
    /// Named values, `$name`.
    pub variables: Vec<(String, Value)>,
    /// What `env` and `$ENV` show.
    pub environment: Vec<(String, String)>,
}

/// The first line.
#[derive(Debug, Serialize, Deserialize)]
pub struct Setup {
    /// The filter's text.
    pub filter: String,
    /// How it runs.
    pub options: Options,
}

/// Why a filter can't run, or what went wrong with one input.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Fault {
    /// The filter is not in the language; one sentence.
    Syntax(String),
    /// It failed on an input.
    Failed(String),
    /// A value is nested too deep.
    TooDeep,
    /// An output is longer than [`LARGEST_OUTPUT`].
    TooLong,
    /// Its process ended: out of stack or memory, or killed. Never said by the process itself.
    Ended(String),
}

/// An input that failed.
#[derive(Debug, Serialize, Deserialize)]
pub struct Failed {
    /// The record; none: the one run over all.
    pub record: Option<Value>,
    /// Why.
    pub fault: Fault,
}
