//! The thin binary: flags to mode to exit code.

fn main() {}
