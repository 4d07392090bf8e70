//! The time. A stand-in tells its own, so this is the edge where time comes in.

use jiff::Timestamp;

/// Now.
pub(crate) fn now() -> Timestamp {
    #[expect(
        clippy::disallowed_methods,
        reason = "a stand-in has its own clock, as the system it stands for"
    )]
    Timestamp::now()
}

/// A time for the header `Date` (RFC 9110, section 5.6.7).
pub(crate) fn http_date(time: Timestamp) -> String {
    time.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// A time with the offset of UTC, as in `2026-01-31T08:00:00+00:00`.
pub(crate) fn with_offset(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S+00:00").to_string()
}
