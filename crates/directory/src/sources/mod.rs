//! What a synchronization reads of this directory and writes to it.

mod cards;
mod lists;
mod own;
mod runs;

pub use lists::ListDifference;
pub use own::{OwnEntries, OwnEntry};
pub use runs::{LockOutcome, MOST_KEPT};
