//! Runs pipelines: resolve, check, authorise, place, run; jobs, cancellation, redirects. Knows no command and no API:
//! what it needs from outside are the ports.

pub mod ports;
