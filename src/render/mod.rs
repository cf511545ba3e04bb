//! Records to text: tables, JSON, templates, plain and verbatim lines, all safe to show. Knows no terminal library and no verbs.

mod context;
pub mod document;
mod fitted;
pub mod greenbar;
pub mod json;
pub mod prose;
pub mod table;
pub mod verbatim;
pub mod view;

pub use context::ContextMark;
pub use document::{Document, Line, Role, Span};
pub use view::{Header, View};
