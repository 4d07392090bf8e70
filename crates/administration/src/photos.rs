//! Errors of photos of users.

use directory::changing::WriteError;
use photos::Unconverted;
pub use photos::{MAX_IMAGE, MAX_MEGAPIXELS, Refused};
use std::io;

/// Why a photo was not changed.
#[derive(Debug, thiserror::Error)]
pub enum PhotoError {
    /// The image was refused.
    #[error(transparent)]
    Image(#[from] Refused),
    /// The process that converts it could not be started.
    #[error("the process that converts images cannot be started")]
    Process(#[source] io::Error),
    /// The change was not made.
    #[error(transparent)]
    Write(#[from] WriteError),
}

impl From<Unconverted> for PhotoError {
    fn from(error: Unconverted) -> Self {
        match error {
            Unconverted::Refused(refused) => Self::Image(refused),
            Unconverted::Process(error) => Self::Process(error),
        }
    }
}
