//! Errors of the projection.

use super::text::Corrupt;
use redis::{ErrorKind, RedisError};

/// Why an operation on the projection failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    /// Redis does not respond, or refuses a command.
    #[error("Redis does not answer")]
    Redis(#[from] RedisError),
    /// The last attempt failed a moment ago, so none is made now.
    #[error("Redis did not answer a moment ago; the next attempt follows shortly")]
    Resting,
    /// The projection became complete in another Redis process than the one that responds.
    #[error("the projection belongs to another Redis process")]
    OtherHome,
    /// Another projection has replaced the one that a sequence number belongs to.
    #[error("the projection was rebuilt")]
    BegunAnew,
    /// The thread that built the copy has stopped.
    #[error("reading the copy was interrupted")]
    Stopped,
    /// The keys hold data that pbm did not write.
    #[error("Redis holds data that pbm did not write; the projection is rebuilt")]
    Corrupt,
}

impl From<Corrupt> for StoreError {
    fn from(_: Corrupt) -> Self {
        Self::Corrupt
    }
}

impl StoreError {
    /// Whether the data in Redis is at fault, not the connection.
    pub(crate) fn is_corrupt(&self) -> bool {
        match self {
            Self::Corrupt => true,
            Self::Redis(error) => {
                // Our scripts say CORRUPT; Redis reports a value of the wrong type in the middle of a message.
                let signs = ["WRONGTYPE", "CORRUPT", "not an integer", "not a valid float", "arithmetic"];
                matches!(error.kind(), ErrorKind::UnexpectedReturnType | ErrorKind::Parse)
                    || signs.iter().any(|sign| error.to_string().contains(sign))
            }
            Self::Resting | Self::OtherHome | Self::BegunAnew | Self::Stopped => false,
        }
    }
}
