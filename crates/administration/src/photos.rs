//! What photos of users are made of, and why one is not.

use directory::changing::WriteError;
use photos::Unconverted;
pub use photos::{MAX_IMAGE, MAX_MEGAPIXELS, Refused};
use std::io;

/// Why a user has no new photo.
#[derive(Debug, thiserror::Error)]
pub enum PhotoError {
    /// The image can't be taken.
    #[error(transparent)]
    Image(#[from] Refused),
    /// No process could be started for it.
    #[error("no process to convert an image")]
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
