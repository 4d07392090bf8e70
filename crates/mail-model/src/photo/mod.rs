//! Photos of users: the JPEG in `jpegPhoto`. Photos that pbm writes are small and contain only the image; those of
//! other programs may be larger.

pub mod outline;

use outline::{Coding, Outline};
use std::fmt;

/// The longest side of a photo, in pixels: twice what a mail client shows, for screens with a doubled resolution.
pub const MAX_SIDE: u16 = 512;
/// The largest photo in bytes. 389-ds accepts messages of at most 2 MiB, and an address book with 100,000 photos has to
/// fit on a disk: at most 25 GiB, some 4 GiB with usual photos.
pub const MAX_BYTES: usize = 256 * 1024;
/// The largest photo of another program that is shown, in bytes: half of what 389-ds accepts in one message.
const MAX_FOREIGN_BYTES: usize = 1024 * 1024;

/// A photo: the bytes of a complete JPEG.
#[derive(Clone, PartialEq, Eq)]
pub struct Photo(Vec<u8>);

/// Why bytes cannot be stored as a photo. The message follows the name of the attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAPhoto {
    /// The bytes are not a JPEG, are truncated, or have something after it.
    #[error("must be one whole JPEG, with nothing before or after it")]
    NotWhole,
    /// Too many bytes.
    #[error("is too large: at most {MAX_BYTES} bytes")]
    TooManyBytes,
    /// Too many pixels.
    #[error("is too large: at most {MAX_SIDE} × {MAX_SIDE} pixels")]
    TooManyPixels,
    /// The image is neither grayscale nor RGB.
    #[error("must be a grayscale or RGB photo of 8 bits a sample, coded in one scan")]
    Unusual,
    /// The file contains more than the image, such as the place where it was taken.
    #[error("has metadata, which a photo must not have")]
    Metadata,
}

impl Photo {
    /// A photo within the API's rules: small, and without metadata.
    ///
    /// # Errors
    /// [`NotAPhoto`].
    pub fn parse(bytes: Vec<u8>) -> Result<Self, NotAPhoto> {
        check(&bytes)?;
        Ok(Self(bytes))
    }

    /// A photo from the directory. Another program may have written it, with other limits; `None` if it is not a JPEG.
    #[must_use]
    pub fn found(bytes: &[u8]) -> Option<Self> {
        let is_jpeg = bytes.len() <= MAX_FOREIGN_BYTES && Outline::of(bytes).is_some();
        is_jpeg.then(|| Self(bytes.to_vec()))
    }

    /// The JPEG.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// The JPEG, by value.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

/// Checks that bytes are a photo within the API's rules.
///
/// # Errors
/// [`NotAPhoto`].
pub fn check(bytes: &[u8]) -> Result<(), NotAPhoto> {
    if bytes.len() > MAX_BYTES {
        return Err(NotAPhoto::TooManyBytes);
    }
    let outline = Outline::of(bytes).filter(|outline| outline.is_all).ok_or(NotAPhoto::NotWhole)?;
    if outline.width.max(outline.height) > MAX_SIDE {
        Err(NotAPhoto::TooManyPixels)
    } else if !outline.is_usual() || outline.coding != Coding::Sequential || outline.scans != 1 {
        Err(NotAPhoto::Unusual)
    } else if outline.has_metadata {
        Err(NotAPhoto::Metadata)
    } else {
        Ok(())
    }
}

impl fmt::Debug for Photo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Photo({} bytes)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::{outline::tests::jpeg, *};

    const EXIF: &[u8] = b"\xff\xe1\0\x08Exif\0\0";

    #[test]
    fn a_photo_is_one_whole_small_jpeg() {
        let whole = jpeg(512, 1, &[]);
        assert_eq!(Photo::parse(whole.clone()).unwrap().bytes(), whole);
        for (bytes, error) in [
            (Vec::new(), NotAPhoto::NotWhole),
            (b"<svg/>".to_vec(), NotAPhoto::NotWhole),
            (whole[..whole.len() - 1].to_vec(), NotAPhoto::NotWhole),
            ([&whole, &b"<script>"[..]].concat(), NotAPhoto::NotWhole),
            (jpeg(513, 1, &[]), NotAPhoto::TooManyPixels),
            (jpeg(1, 513, &[]), NotAPhoto::TooManyPixels),
            (jpeg(8, 8, EXIF), NotAPhoto::Metadata),
            (jpeg(8, 8, b"\xff\xfe\0\x05hey"), NotAPhoto::Metadata),
            (vec![0; MAX_BYTES + 1], NotAPhoto::TooManyBytes),
        ] {
            assert_eq!(
                Photo::parse(bytes.clone()).unwrap_err(),
                error,
                "{:?}",
                bytes.escape_ascii().to_string()
            );
        }
    }

    #[test]
    fn what_another_program_wrote_may_be_larger_but_must_be_a_jpeg() {
        assert!(Photo::found(&jpeg(4000, 3000, EXIF)).is_some());
        assert!(Photo::found(b"GIF89a").is_none() && Photo::found(b"").is_none());
        let long = [&jpeg(8, 8, &[]), &vec![0; MAX_FOREIGN_BYTES][..]].concat();
        assert!(Photo::found(&long).is_none());
    }

    #[test]
    fn a_photo_prints_its_length_alone() {
        let photo = Photo::parse(jpeg(8, 8, &[])).unwrap();
        assert_eq!(format!("{photo:?}"), format!("Photo({} bytes)", photo.bytes().len()));
    }
}
