//! XML, as little as the AWS protocols need: a writer that always escapes and a reader that refuses everything which
//! could surprise (entities of its own, DTDs, deep or huge trees). Not a general XML library.

mod reader;
mod writer;

pub(super) use reader::{Element, parse};
pub(super) use writer::Xml;
