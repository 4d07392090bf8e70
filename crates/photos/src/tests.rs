use super::*;
use image::{DynamicImage, ImageFormat, Rgb, RgbImage, Rgba, RgbaImage, codecs::jpeg::JpegEncoder};
use mail_model::photo::{MAX_BYTES, outline::Outline};
use std::io::Cursor;

/// Red on the left, blue on the right.
fn halves(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, _| if x < width / 2 { Rgb([250, 0, 0]) } else { Rgb([0, 0, 250]) })
}

fn written(image: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
    let mut out = Cursor::new(Vec::new());
    image.into().write_to(&mut out, format).unwrap();
    out.into_inner()
}

fn shown(photo: &Photo) -> RgbImage {
    image::load_from_memory_with_format(photo.bytes(), ImageFormat::Jpeg).unwrap().into_rgb8()
}

fn is_near(found: Rgb<u8>, wanted: [u8; 3]) -> bool {
    found.0.iter().zip(wanted).all(|(found, wanted)| found.abs_diff(wanted) < 40)
}

/// A JPEG with an application segment after its first bytes.
fn with_segment(jpeg: &[u8], marker: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len() + 2).unwrap().to_be_bytes();
    [&jpeg[..2], &[0xff, marker], &length, content, &jpeg[2..]].concat()
}

/// EXIF with an orientation and a text in which a position may be.
fn exif(orientation: u8) -> Vec<u8> {
    let mut content = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0".to_vec();
    content.extend([orientation, 0, 0, 0, 0, 0, 0, 0]);
    [&content[..], b"59.93N 30.31E"].concat()
}

#[test]
fn each_format_is_read_and_scaled_down_to_fit() {
    for format in [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP] {
        for ((width, height), expected) in [
            ((1500, 900), (512, 307)),
            ((300, 600), (256, 512)),
            ((100, 40), (100, 40)),
            ((1, 1), (1, 1)),
            ((4000, 2), (512, 1)),
        ] {
            let photo = convert(&written(halves(width, height), format)).unwrap();
            let image = shown(&photo);
            assert_eq!(image.dimensions(), expected, "{format:?} {width} × {height}");
            if expected.1 > 1 {
                assert!(is_near(*image.get_pixel(4, 4), [250, 0, 0]), "{format:?}");
                assert!(is_near(*image.get_pixel(expected.0 - 4, 4), [0, 0, 250]), "{format:?}");
            }
        }
    }
}

#[test]
fn samples_of_one_and_of_sixteen_bits_and_gray_are_read() {
    let image = DynamicImage::from(halves(64, 64));
    let gray = convert(&written(image.to_luma8(), ImageFormat::Png)).unwrap();
    assert_eq!(Outline::of(gray.bytes()).unwrap().components, 1);
    for deep in
        [DynamicImage::from(image.to_rgb16()), image.to_rgba16().into(), image.to_luma_alpha16().into()]
    {
        let photo = convert(&written(deep, ImageFormat::Png)).unwrap();
        assert_eq!(shown(&photo).dimensions(), (64, 64));
    }
}

#[test]
fn a_turned_image_stands_upright_and_loses_its_metadata() {
    let jpeg = written(halves(1200, 600), ImageFormat::Jpeg);
    let turned = with_segment(&with_segment(&jpeg, 0xe1, &exif(6)), 0xfe, b"59.93N 30.31E");
    let photo = convert(&turned).unwrap();
    let image = shown(&photo);
    assert_eq!(image.dimensions(), (256, 512));
    assert!(is_near(*image.get_pixel(128, 10), [250, 0, 0]));
    assert!(is_near(*image.get_pixel(128, 500), [0, 0, 250]));
    for photo in [photo, convert(&with_segment(&jpeg, 0xe1, &exif(1))).unwrap()] {
        let outline = Outline::of(photo.bytes()).unwrap();
        assert!(!outline.has_metadata && outline.is_all);
        assert!(!photo.bytes().windows(6).any(|part| part == b"59.93N"));
    }
}

#[test]
fn what_follows_an_image_is_gone() {
    let jpeg = written(halves(100, 100), ImageFormat::Jpeg);
    let polyglot = [&jpeg, &b"<script>alert(1)</script>"[..]].concat();
    assert_eq!(convert(&polyglot), convert(&jpeg));
}

#[test]
fn what_is_transparent_becomes_white() {
    let mut image = RgbaImage::from_pixel(64, 64, Rgba([0, 0, 0, 0]));
    image.put_pixel(0, 0, Rgba([10, 10, 10, 255]));
    for format in [ImageFormat::Png, ImageFormat::WebP] {
        let photo = convert(&written(image.clone(), format)).unwrap();
        assert!(is_near(*shown(&photo).get_pixel(40, 40), [255; 3]), "{format:?}");
    }
    let half = RgbaImage::from_pixel(2000, 8, Rgba([0, 0, 0, 128]));
    let photo = convert(&written(half, ImageFormat::Png)).unwrap();
    assert!(is_near(*shown(&photo).get_pixel(100, 1), [127; 3]));
}

#[test]
fn noise_is_kept_in_a_lower_quality() {
    let mut state = 1_u32;
    let noise = RgbImage::from_fn(700, 700, |_, _| {
        Rgb([0; 3].map(|_: u8| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state.to_be_bytes()[0]
        }))
    });
    let mut best = Vec::new();
    JpegEncoder::new_with_quality(&mut best, 100).encode_image(&noise).unwrap();
    let photo = convert(&best).unwrap();
    assert!(photo.bytes().len() <= MAX_BYTES);
    assert_eq!(shown(&photo).dimensions(), (512, 512));
}

#[test]
fn what_is_no_image_is_refused_by_how_it_begins() {
    for bytes in [
        &b""[..],
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"GIF89a\x01\0\x01\0",
        b"\0\0\0\x18ftypheic",
        b"RIFF\0\0\0\0AVI ",
        b"BM",
        b"%PDF-1.7",
    ] {
        assert_eq!(convert(bytes), Err(Refused::UnknownFormat), "{}", bytes.escape_ascii());
    }
}

#[test]
fn cut_and_damaged_images_are_refused() {
    for (format, name) in [
        (ImageFormat::Jpeg, Format::Jpeg),
        (ImageFormat::Png, Format::Png),
        (ImageFormat::WebP, Format::Webp),
    ] {
        let whole = written(halves(300, 300), format);
        for end in [12, 30, whole.len() / 2, whole.len() - 12] {
            assert_eq!(convert(&whole[..end]), Err(Refused::Unreadable(name)), "{format:?} {end}");
        }
        let mut other = whole.clone();
        other[..12].copy_from_slice(b"\x89PNG\r\n\x1a\n\0\0\0\x0d");
        assert!(format == ImageFormat::Png || convert(&other) == Err(Refused::Unreadable(Format::Png)));
    }
}

/// The header of a PNG that claims a size, without any data.
fn png_bomb(width: u32, height: u32) -> Vec<u8> {
    let mut header = b"IHDR".to_vec();
    header.extend([width.to_be_bytes(), height.to_be_bytes()].concat());
    header.extend([8, 6, 0, 0, 0]);
    chunks(&[&header, b"IDAT\x78\x9c\x03\0\0\0\0\x01", b"IEND"])
}

/// A PNG of chunks: their types and contents.
fn chunks(all: &[&[u8]]) -> Vec<u8> {
    let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
    for chunk in all {
        png.extend(u32::try_from(chunk.len() - 4).unwrap().to_be_bytes());
        png.extend_from_slice(chunk);
        png.extend(crc(chunk).to_be_bytes());
    }
    png
}

fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(
            crc ^ u32::from(*byte),
            |crc, _| {
                if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 }
            },
        )
    })
}

/// A JPEG of 8 × 8 gray pixels whose header claims something else.
fn jpeg_bomb(marker: u8, width: u16, height: u16, components: u8, scans: usize) -> Vec<u8> {
    let [x, y] = [width, height].map(u16::to_be_bytes);
    let mut frame = vec![0xff, marker, 0, 8 + 3 * components, 8, y[0], y[1], x[0], x[1], components];
    let mut scan = vec![0xff, 0xda, 0, 6 + 2 * components, components];
    for number in 1..=components {
        frame.extend([number, 0x11, 0]);
        scan.extend([number, 0]);
    }
    scan.extend([0, 63, 0, 0]);
    [&[0xff, 0xd8][..], &frame, &scan.repeat(scans), &[0xff, 0xd9]].concat()
}

#[test]
fn images_that_claim_too_many_pixels_are_refused_before_they_are_decoded() {
    for (bytes, format) in [
        (png_bomb(100_000, 100_000), Format::Png),
        (png_bomb(4000, 4000), Format::Png),
        (jpeg_bomb(0xc0, 65_500, 65_500, 1, 1), Format::Jpeg),
        (jpeg_bomb(0xc2, 5000, 5000, 3, 1), Format::ProgressiveJpeg),
        (written(halves(3200, 2200), ImageFormat::WebP), Format::Webp),
    ] {
        let refused = convert(&bytes).unwrap_err();
        assert!(matches!(refused, Refused::TooManyPixels { format: of, .. } if of == format), "{refused:?}");
    }
    let refused = convert(&jpeg_bomb(0xc2, 5000, 5000, 3, 1)).unwrap_err();
    assert!(
        refused.to_string().contains("a progressive JPEG of this kind at most 8.3 megapixels"),
        "{refused}"
    );
    let refused = convert(&jpeg_bomb(0xc0, 65_500, 65_500, 1, 1)).unwrap_err();
    assert!(refused.to_string().contains("at most 50.0 megapixels"), "{refused}");
}

#[test]
fn jpegs_of_print_of_rare_kinds_and_of_many_scans_are_refused() {
    assert_eq!(convert(&jpeg_bomb(0xc0, 8, 8, 4, 1)), Err(Refused::Cmyk));
    for rare in [0xc3, 0xc9] {
        assert_eq!(convert(&jpeg_bomb(rare, 8, 8, 1, 1)), Err(Refused::Unreadable(Format::Jpeg)));
    }
    let walks = jpeg_bomb(0xc2, 2000, 2000, 1, 65);
    assert_eq!(convert(&walks), Err(Refused::Unreadable(Format::ProgressiveJpeg)));
}

#[test]
fn animated_images_are_refused() {
    let still = written(halves(8, 8), ImageFormat::Png);
    // After the header: two frames, played endlessly.
    let control = chunks(&[b"acTL\0\0\0\x02\0\0\0\0"]);
    let animated = [&still[..33], &control[8..], &still[33..]].concat();
    assert_eq!(convert(&animated), Err(Refused::Animated));
    let lossless = written(halves(8, 8), ImageFormat::WebP);
    let frame = [&[0; 6][..], &[7, 0, 0, 7, 0, 0, 100, 0, 0, 0], &lossless[12..]].concat();
    let part = |name: &[u8], content: &[u8]| {
        let length = u32::try_from(content.len()).unwrap().to_le_bytes();
        [name, &length, content, if content.len() % 2 == 1 { &[0][..] } else { &[] }].concat()
    };
    let body =
        [part(b"VP8X", &[2, 0, 0, 0, 7, 0, 0, 7, 0, 0]), part(b"ANIM", &[0; 6]), part(b"ANMF", &frame)]
            .concat();
    let webp = part(b"RIFF", &[&b"WEBP"[..], &body].concat());
    assert_eq!(convert(&webp), Err(Refused::Animated));
}
