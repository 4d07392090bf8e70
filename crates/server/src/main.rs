//! The binary `pbm`.

use libmimalloc_sys::{mi_option_set, mi_option_t};
use std::process::ExitCode;

/// Requests make many small allocations; this allocator needs half the time for them that glibc needs.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// `mi_option_purge_delay` in `mimalloc.h`: the time in milliseconds before freed memory is returned to the system.
const PURGE_DELAY: mi_option_t = 15;
/// The default is one second, in which building a large address book leaves 50 MB unused.
const SOON: std::ffi::c_long = 10;

fn main() -> ExitCode {
    give_memory_back_soon();
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next().is_some_and(|argument| argument == photos::COMMAND) {
        return photos::convert_standard_input(arguments);
    }
    server::cli::run()
}

#[expect(unsafe_code, reason = "the allocator takes its options by a C function, which stores a number")]
fn give_memory_back_soon() {
    // SAFETY: it may be called at any time, and passes over options that it does not know.
    unsafe { mi_option_set(PURGE_DELAY, SOON) }
}
