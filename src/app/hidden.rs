//! Modes in which this program is started by itself alone: no clap, no runtime, no configuration. Nobody types them, so
//! no help shows them.

use crate::exec::supervisor;
use crate::features::records::jq;

/// Runs the hidden mode that the first argument names, if it does; the exit code.
pub fn run() -> Option<u8> {
    let mode = std::env::args_os().nth(1)?;
    match mode.to_str()? {
        supervisor::MODE => Some(supervisor::serve()),
        jq::MODE => Some(jq::serve()),
        _ => None,
    }
}
