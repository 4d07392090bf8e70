//! Actions: synchronization with sources, and its runs (guide, section 3.16).

pub(super) mod runs;
pub(super) mod sync;
