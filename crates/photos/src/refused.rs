//! Why an image is refused.

use serde::{Deserialize, Serialize};
use std::fmt;

/// An image format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Format {
    /// JPEG that is decoded in one pass.
    Jpeg,
    /// JPEG that is decoded in several passes, and held in memory during them.
    ProgressiveJpeg,
    /// PNG.
    Png,
    /// WebP.
    Webp,
    /// Any of these formats.
    Unknown,
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Jpeg => "JPEG",
            Self::ProgressiveJpeg => "progressive JPEG",
            Self::Png => "PNG",
            Self::Webp => "WebP",
            Self::Unknown => "image",
        })
    }
}

/// Why an image is refused. The message says what is allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum Refused {
    /// The first bytes match none of the supported formats.
    #[error("The body must be an image: JPEG, PNG or WebP.")]
    UnknownFormat,
    /// Several images in one file.
    #[error("The image is animated. Send a still JPEG, PNG or WebP.")]
    Animated,
    /// It has a fourth component.
    #[error("The JPEG has the colors of print (CMYK). Save it in RGB.")]
    Cmyk,
    /// It has more pixels than can be decoded of such an image.
    #[error(
        "The image is too large: of a {format} of this kind at most {} megapixels can be read. Scale it down; photos are \
         kept in 512 × 512 pixels.", megapixels(*most_pixels)
    )]
    TooManyPixels {
        /// The format of the image.
        format: Format,
        /// The largest number of pixels that such an image may have.
        most_pixels: u64,
    },
    /// The image is truncated or damaged, or uses unsupported features.
    #[error(
        "The {0} is cut, damaged or of a rare kind, and can't be read. Save it as JPEG, PNG or WebP again."
    )]
    Unreadable(Format),
    /// A decoder exceeded the limits of memory or time.
    #[error(
        "The image takes too much memory or time to read. Save it as JPEG or PNG again, with fewer pixels."
    )]
    TooCostly,
    /// It is too large even in the lowest quality.
    #[error("The image has too much detail for a photo of 256 KiB. Send one with fewer pixels.")]
    Incompressible,
}

/// Megapixels with one decimal, rounded down.
fn megapixels(pixels: u64) -> String {
    let tenths = pixels / 100_000;
    format!("{}.{}", tenths / 10, tenths % 10)
}
