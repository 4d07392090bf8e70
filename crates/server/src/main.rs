//! The binary `pbm`.

use std::process::ExitCode;

/// Requests make many small allocations; this allocator spends half the time on them that glibc's does.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    server::cli::run()
}
