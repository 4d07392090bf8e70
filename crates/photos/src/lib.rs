#![doc = include_str!("../README.md")]

mod apart;
mod decode;
mod encode;
mod refused;
#[cfg(test)]
mod tests;

pub use apart::{COMMAND, Unconverted, convert_apart, convert_standard_input};
pub use decode::MAX_MEGAPIXELS;
pub use refused::{Format, Refused};

use mail_model::photo::Photo;

/// The largest image that is accepted, in bytes: photos of cameras with 50 megapixels have 15 to 25 MB, those of
/// phones 3 to 8 MB.
pub const MAX_IMAGE: usize = 10 * 1024 * 1024;

/// Converts an image to a photo.
///
/// # Errors
/// [`Refused`].
pub fn convert(image: &[u8]) -> Result<Photo, Refused> {
    let (decoded, orientation) = decode::decode(image)?;
    let mut small = encode::fit(decoded);
    // After scaling, since a rotation takes as much memory again.
    small.apply_orientation(orientation);
    encode::encode(small).ok_or(Refused::Incompressible)
}
