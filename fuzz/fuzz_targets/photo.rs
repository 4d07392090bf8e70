//! Any bytes make a photo or are refused, and the photo of a photo is taken, too.
#![no_main]

use libfuzzer_sys::fuzz_target;
use photos::convert;

fuzz_target!(|image: &[u8]| {
    let Ok(photo) = convert(image) else { return };
    convert(photo.bytes()).expect("a photo must be taken as an image");
});
