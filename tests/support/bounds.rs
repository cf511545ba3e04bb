//! The bounds of a bench: each figure is printed with what it may be at most, and a bench that passed one ends with a
//! failure. Not for tests, which assert.
#![allow(clippy::print_stdout, reason = "a bench prints what it measured")]

use std::process::ExitCode;

/// What was measured so far.
#[derive(Default)]
pub struct Bounds {
    over: Vec<String>,
}

impl Bounds {
    /// A figure that may be this much at most; what is no number passes no bound.
    pub fn at_most(&mut self, what: &str, value: f64, limit: f64, unit: &str) {
        let held = value <= limit;
        self.judge(&format!("{what}: {value:.2}{unit} (at most {limit}{unit})"), held);
    }

    /// A figure that must be this much at least.
    pub fn at_least(&mut self, what: &str, value: f64, limit: f64, unit: &str) {
        let held = value >= limit;
        self.judge(&format!("{what}: {value:.2}{unit} (at least {limit}{unit})"), held);
    }

    /// What must be so.
    pub fn judge(&mut self, told: &str, held: bool) {
        println!("  {} {told}", if held { "ok  " } else { "OVER" });
        if !held {
            self.over.push(told.to_owned());
        }
    }

    /// The end of the bench: a failure when a bound was passed.
    pub fn end(self) -> ExitCode {
        if self.over.is_empty() {
            println!("every bound is kept");
            return ExitCode::SUCCESS;
        }
        println!("{} passed:", self.over.len());
        self.over.iter().for_each(|told| println!("  {told}"));
        ExitCode::FAILURE
    }
}
