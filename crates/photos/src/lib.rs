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

/// Largest image that is taken, in bytes: photos of cameras with 50 megapixels have 15 to 25 MB, those of telephones 3 to 8 MB.
pub const MAX_IMAGE: usize = 10 * 1024 * 1024;

/// Makes a photo of an image.
///
/// # Errors
/// [`Refused`].
pub fn convert(image: &[u8]) -> Result<Photo, Refused> {
    let (decoded, orientation) = decode::decode(image)?;
    let mut small = encode::fit(decoded);
    // Only now: to turn an image takes as much memory again.
    small.apply_orientation(orientation);
    encode::encode(small).ok_or(Refused::Incompressible)
}
