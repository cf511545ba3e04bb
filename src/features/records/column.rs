//! `PATH` or `NAME=PATH`, as `table` and `map` take them.

use super::path::Path;
use crate::core::report::Report;
use crate::verb::Call;

/// A name and where its value is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Given, or the last step of the path.
    pub name: String,
    /// Where.
    pub path: Path,
    /// The path as it was written.
    pub text: String,
}

/// The positionals from `first` on.
pub fn columns(call: &Call, first: usize) -> Result<Vec<Column>, Report> {
    call.arguments
        .texts()
        .iter()
        .skip(first)
        .map(|text| column(text))
        .collect()
}

fn column(text: &str) -> Result<Column, Report> {
    let named = text
        .split_once('=')
        .filter(|(name, _)| !name.is_empty() && !name.contains(['"', '\'', '[']));
    let (name, written) = named.map_or((None, text), |(name, path)| (Some(name), path));
    let path = Path::parse(written)?;
    let name = name.map(str::to_owned).or_else(|| path.last().map(str::to_owned));
    let name = name.ok_or_else(|| {
        Report::refused("E-PATH-002", format!("{text:?} has no name"))
            .hint("write NAME=PATH; NAME= is the record itself")
    })?;
    Ok(Column {
        name,
        path,
        text: written.to_owned(),
    })
}
