//! Actions beyond the entries of the directory: synchronization with sources, and its runs (guide, section 3.16); the
//! recall of messages (section 3.17).

pub(super) mod recall;
pub(super) mod runs;
pub(super) mod sync;
