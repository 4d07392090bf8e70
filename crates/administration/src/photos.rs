//! What photos of users are made of, and why one is not.

use directory::changing::WriteError;
pub use photos::{MAX_IMAGE, MAX_MEGAPIXELS, Refused};

/// Why a user has no new photo.
#[derive(Debug, thiserror::Error)]
pub enum PhotoError {
    /// The image can't be taken.
    #[error(transparent)]
    Image(#[from] Refused),
    /// The change was not made.
    #[error(transparent)]
    Write(#[from] WriteError),
}
