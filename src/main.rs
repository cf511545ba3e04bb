//! The thin binary: flags to mode to exit code.

fn main() -> std::process::ExitCode {
    cogdeck::app::main().into()
}
