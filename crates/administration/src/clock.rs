//! The only module that reads the clock; everywhere else the time is a parameter.

use jiff::Timestamp;

/// The current time.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "the one place that asks")]
pub fn now() -> Timestamp {
    Timestamp::now()
}
