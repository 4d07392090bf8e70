//! The path from the socket to the HTTP library: which connections are admitted, how fast their input must arrive, and
//! in which form the library gets it.

mod admission;
mod checked_heads;
mod chunked;
mod connection;
pub mod framing;
mod listener;
mod pace;
mod request_head;

pub use admission::ConnectionBounds;
pub use connection::{Answering, Connection, Departure, RequestBody};
pub use listener::{ListenerSettings, Listeners, RunningServer};
pub use pace::Patience;
pub use request_head::{MAX_HEAD, MAX_HEADERS, UnreadHead};
