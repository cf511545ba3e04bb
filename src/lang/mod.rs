//! The command language: text → tokens → ast, and back to text.
//!
//! Everything here is a pure function of its input. The room knows no command, option or context: which name means
//! what, which option has which type and whether a variable exists are the engine's questions.
//!
//! # The dialect
//!
//! ```text
//! line      = [ pipeline { connector pipeline } [ ";" | "&" ] ]
//! connector = "&&" | "||" | ";" | "&" | line break
//! pipeline  = [ "let" NAME "=" ] stage { "|" stage } [ (">" | "*>") word { word } ]
//! stage     = { "!" | "@cog" | modifier } word { word }
//! modifier  = "@" word { "," word } | "@*" | ("on=" | "parallel=" | "on-error=" | "timeout=") word
//! word      = { text | "\" character | "'…'" | "\"…\"" | variable }       nothing between the pieces
//! variable  = "$" root { step } | "${" root { step } [ ":-" default ] "}"
//! root      = "_" | NUMBER | NAME | (in braces only) quoted name
//! step      = "." KEY | "." quoted | "[" INTEGER "]" | "[" KEY "]" | "[" quoted "]"
//! ```
//!
//! * Operators (`| || & && ; > *>`) need no blanks around them; quote them to mean the characters.
//! * A line break ends a pipeline like `;`, but not after `|`, `&&` or `||`, and not inside quotes. A backslash before
//!   a line break outside quotes is a blank.
//! * `#` at the start of a line starts a comment; anywhere else it is text (`> #room`).
//! * `'…'` is wholly literal. In `"…"` only `${…}` and the escapes `\"`, `\\`, `\$`, `` \` `` mean something; any other
//!   backslash stays, so that regular expressions and jq's `\(…)` survive. A backslash-line break is removed.
//! * **`$name` inside double quotes is text**, as in Cog (an alias body keeps its `$body[0]`); write `${name}`.
//! * A `$` that no name, digit, `_` or `{` follows is text. `$(…)` and backticks outside single quotes are errors:
//!   a shell would run them, we do not, and passing them on silently would lie.
//! * Names and keys may hold `-` between name characters (`$group-name`); `${host}-1` keeps a dash out of the name.
//! * A default outside double quotes is one word (`${x:-"two words"}`), inside them it is text up to `}` (`\}` escapes).
//! * `@NAME` and the four modifiers count only before the command; there an unknown `name=value` is an error. `@A,B`
//!   names several contexts, `@*` all there are; a comma or a star in quotes belongs to a name.
//! * The heads `let`, `for`, `while`, `until`, `if` and `case` are reserved; quote them to run a command of that name.

pub mod ast;
mod completion;
mod error;
mod highlight;
mod lenient;
mod lexer;
mod normal;
mod parser;
mod paste;
mod prelude;
mod printer;
mod quotes;
mod roles;
mod script;
pub mod shell_loop;
mod splice;
mod variable;
mod word;

pub use ast::*;
pub use completion::{CompletionPosition, complete_at, complete_variable};
pub use error::{CODES, SyntaxError};
pub use highlight::{Highlight, highlight};
pub use lenient::commands;
pub use lexer::{MAX_DEPTH, MAX_LINE, MAX_PIECES, Token, TokenKind, lex_lenient};
pub use parser::parse;
pub use paste::clean_paste;
pub use printer::{Print, print};
pub use script::{ScriptLine, script_lines};
pub use splice::{SpliceError, splice};
pub use word::OptionWord;

/// What a typed line says, after the translation of a shell's loop.
#[derive(Clone, PartialEq, Debug)]
pub struct Reading {
    /// The tree.
    pub line: Line,
    /// The text that the tree's spans refer to, if the typed one was a shell's loop: to be shown before it runs.
    pub translation: Option<String>,
}

/// Parses a line as [`parse`] does, or translates the shell's polling loop (see [`shell_loop`]).
///
/// # Errors
/// Those of [`parse`]; their spans refer to `source`.
pub fn read(source: &str) -> Result<Reading, SyntaxError> {
    let Some(found) = shell_loop::recognise(source) else {
        let line = parse(source)?;
        return Ok(Reading {
            line,
            translation: None,
        });
    };
    let text = print(&found.pipeline());
    let line = parse(&text)?;
    Ok(Reading {
        line,
        translation: Some(text),
    })
}

/// Whether the line is `!!`: the front end puts the line before in its place, [`parse`] refuses it.
#[must_use]
pub fn is_repeat(source: &str) -> bool {
    source.trim() == "!!"
}

#[cfg(test)]
mod tests;
