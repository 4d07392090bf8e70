//! The binary `pbm`.

use std::process::ExitCode;

fn main() -> ExitCode {
    server::cli::run()
}
