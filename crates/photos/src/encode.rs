//! Makes photos from images: scaled down, on a white background, as a JPEG of limited size.

use image::{
    DynamicImage, ExtendedColorType, GrayImage, ImageResult, RgbImage, codecs::jpeg::JpegEncoder,
    imageops::FilterType,
};
use mail_model::photo::{MAX_SIDE, Photo};

/// The JPEG qualities that are tried in this order. At 90 a loss is hard to see, and nearly every photo of 512 × 512
/// pixels fits.
const QUALITIES: [u8; 6] = [90, 80, 70, 55, 40, 20];

/// Scales an image down to the size of a photo, but never up. Transparent pixels become white.
pub(crate) fn fit(mut image: DynamicImage) -> DynamicImage {
    put_on_white(&mut image);
    let side = u32::from(MAX_SIDE);
    if image.width().max(image.height()) > 2 * side {
        // Averages first: the better filter below takes 16 bytes for each column of the image in each row of the
        // photo.
        image = image.thumbnail(2 * side, 2 * side);
    }
    if image.width().max(image.height()) > side {
        image = image.resize(side, side, FilterType::CatmullRom);
    }
    image
}

/// Blends an image with white, in place.
fn put_on_white(image: &mut DynamicImage) {
    match image {
        DynamicImage::ImageLumaA8(image) => image.pixels_mut().for_each(|pixel| blend(&mut pixel.0)),
        DynamicImage::ImageRgba8(image) => image.pixels_mut().for_each(|pixel| blend(&mut pixel.0)),
        DynamicImage::ImageLumaA16(image) => image.pixels_mut().for_each(|pixel| blend(&mut pixel.0)),
        DynamicImage::ImageRgba16(image) => image.pixels_mut().for_each(|pixel| blend(&mut pixel.0)),
        _ => {}
    }
}

/// A sample of 8 or 16 bits.
trait Sample: Copy {
    const WHITE: u64;
    fn widened(self) -> u64;
    fn narrowed(value: u64) -> Self;
}

impl Sample for u8 {
    const WHITE: u64 = 0xff;

    fn widened(self) -> u64 {
        self.into()
    }

    fn narrowed(value: u64) -> Self {
        Self::try_from(value).unwrap_or(Self::MAX)
    }
}

impl Sample for u16 {
    const WHITE: u64 = 0xffff;

    fn widened(self) -> u64 {
        self.into()
    }

    fn narrowed(value: u64) -> Self {
        Self::try_from(value).unwrap_or(Self::MAX)
    }
}

/// Blends a pixel with white; its last sample is the opacity.
fn blend<S: Sample>(pixel: &mut [S]) {
    let Some((alpha, colors)) = pixel.split_last_mut() else { return };
    let part = alpha.widened();
    for color in colors {
        let sum = color.widened() * part + S::WHITE * (S::WHITE - part);
        *color = S::narrowed((sum + S::WHITE / 2) / S::WHITE);
    }
    *alpha = S::narrowed(S::WHITE);
}

/// Encodes an image of the right size as a photo; `None` if it is too large in every quality.
pub(crate) fn encode(image: DynamicImage) -> Option<Photo> {
    let pixels = if image.color().has_color() {
        Pixels::Color(image.into_rgb8())
    } else {
        Pixels::Gray(image.into_luma8())
    };
    QUALITIES.iter().find_map(|quality| Photo::parse(pixels.encode(*quality).ok()?).ok())
}

enum Pixels {
    Color(RgbImage),
    Gray(GrayImage),
}

impl Pixels {
    fn encode(&self, quality: u8) -> ImageResult<Vec<u8>> {
        let mut jpeg = Vec::new();
        let mut encoder = JpegEncoder::new_with_quality(&mut jpeg, quality);
        match self {
            Self::Color(image) => {
                encoder.encode(image.as_raw(), image.width(), image.height(), ExtendedColorType::Rgb8)
            }
            Self::Gray(image) => {
                encoder.encode(image.as_raw(), image.width(), image.height(), ExtendedColorType::L8)
            }
        }?;
        Ok(jpeg)
    }
}
