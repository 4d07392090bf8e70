//! Decodes images in limited memory. The first bytes determine the format, and the memory for decoding is computed
//! from the header before anything is decoded.

use crate::refused::{Format, Refused};
use image::{
    DynamicImage, GrayImage, ImageDecoder, Limits, RgbImage,
    codecs::{png::PngDecoder, webp::WebPDecoder},
    metadata::Orientation,
};
use jpeg_decoder::{Decoder, PixelFormat};
use mail_model::photo::{
    MAX_SIDE,
    outline::{Coding, Outline},
};
use std::io::Cursor;

/// The largest image in megapixels, in any format: what cameras produce. It limits the time for decoding.
pub const MAX_MEGAPIXELS: u64 = 50;
/// Memory for decoding an image, in bytes, as far as the header determines it. The limits of the process cover
/// anything else.
const MEMORY: u64 = 48 * 1024 * 1024;
/// The largest number of scans of a JPEG. Programs write about ten; each costs a pass over the whole image, however
/// short its data is.
const MAX_SCANS: u32 = 64;

/// An image, and the rotation that makes it upright.
pub(crate) type Decoded = (DynamicImage, Orientation);

/// Decodes an image. A large JPEG is decoded at an eighth to a half of its size.
pub(crate) fn decode(bytes: &[u8]) -> Result<Decoded, Refused> {
    let is_webp = bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP");
    if bytes.starts_with(&[0xff, 0xd8, 0xff]) {
        jpeg(bytes)
    } else if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        png(bytes)
    } else if is_webp {
        webp(bytes)
    } else {
        Err(Refused::UnknownFormat)
    }
}

/// Refuses an image that has too many pixels or needs too much memory.
fn check_size(pixels: u64, bytes: u64, format: Format) -> Result<(), Refused> {
    let (most_pixels, bytes) = (MAX_MEGAPIXELS * 1_000_000, u128::from(bytes.max(1)));
    // The number of pixels of such an image that would fit.
    let that_fit = u128::from(pixels) * u128::from(MEMORY) / bytes;
    let most_pixels = most_pixels.min(u64::try_from(that_fit).unwrap_or(u64::MAX));
    if pixels > most_pixels { Err(Refused::TooManyPixels { format, most_pixels }) } else { Ok(()) }
}

fn area((width, height): (u32, u32)) -> u64 {
    u64::from(width) * u64::from(height)
}

fn jpeg(bytes: &[u8]) -> Result<Decoded, Refused> {
    let outline = Outline::of(bytes).ok_or(Refused::Unreadable(Format::Jpeg))?;
    let (format, memory) = match outline.coding {
        Coding::Sequential => (Format::Jpeg, 0),
        // All samples are kept until the last scan, two bytes each.
        Coding::Progressive => (Format::ProgressiveJpeg, 2 * outline.samples),
        Coding::Other => return Err(Refused::Unreadable(Format::Jpeg)),
    };
    if outline.components == 4 {
        return Err(Refused::Cmyk);
    }
    // In a sequential JPEG each scan has at least one component.
    let most_scans = if outline.coding == Coding::Sequential { outline.components.into() } else { MAX_SCANS };
    if !outline.is_usual() || outline.scans > most_scans {
        return Err(Refused::Unreadable(format));
    }
    check_size(area((outline.width.into(), outline.height.into())), memory, format)?;
    let unreadable = |_| Refused::Unreadable(format);
    let mut decoder = Decoder::new(bytes);
    // At an eighth, a quarter or half of the size, so that at least one side stays as long as that of a photo.
    decoder.scale(MAX_SIDE, MAX_SIDE).map_err(unreadable)?;
    let pixels = decoder.decode().map_err(unreadable)?;
    let info = decoder.info().ok_or(Refused::Unreadable(format))?;
    let (width, height) = (info.width.into(), info.height.into());
    let image = match info.pixel_format {
        PixelFormat::L8 => GrayImage::from_raw(width, height, pixels).map(DynamicImage::from),
        PixelFormat::RGB24 => RgbImage::from_raw(width, height, pixels).map(DynamicImage::from),
        PixelFormat::L16 | PixelFormat::CMYK32 => None,
    };
    let orientation = decoder.exif_data().and_then(Orientation::from_exif_chunk);
    Ok((image.ok_or(Refused::Unreadable(format))?, orientation.unwrap_or(Orientation::NoTransforms)))
}

fn png(bytes: &[u8]) -> Result<Decoded, Refused> {
    let unreadable = |_| Refused::Unreadable(Format::Png);
    let decoder = PngDecoder::with_limits(Cursor::new(bytes), limits()).map_err(unreadable)?;
    check_size(area(decoder.dimensions()), decoder.total_bytes(), Format::Png)?;
    if decoder.is_apng().map_err(unreadable)? {
        return Err(Refused::Animated);
    }
    still(decoder, Format::Png)
}

fn webp(bytes: &[u8]) -> Result<Decoded, Refused> {
    let decoder = WebPDecoder::new(Cursor::new(bytes)).map_err(|_| Refused::Unreadable(Format::Webp))?;
    // Lossless: 4 bytes for each pixel, and the same again for the result. A lossy image with transparency needs
    // another 4 for the transparency, and 1.5 for the image.
    let bytes_a_pixel = if decoder.color_type().has_alpha() { 12 } else { 8 };
    let pixels = area(decoder.dimensions());
    check_size(pixels, bytes_a_pixel * pixels, Format::Webp)?;
    if decoder.has_animation() {
        return Err(Refused::Animated);
    }
    still(decoder, Format::Webp)
}

fn still(mut decoder: impl ImageDecoder, format: Format) -> Result<Decoded, Refused> {
    let unreadable = |_| Refused::Unreadable(format);
    let orientation = decoder.orientation().map_err(unreadable)?;
    Ok((DynamicImage::from_decoder(decoder).map_err(unreadable)?, orientation))
}

fn limits() -> Limits {
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(MEMORY);
    limits
}
