//! However the bytes of a connection are cut, the same of them is passed on to the HTTP library, and none make it panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use web::transport::framing::Framing;

/// What is passed on of pieces, where each request is answered at once.
fn passed_on<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> Vec<u8> {
    let (mut framing, mut out) = (Framing::default(), Vec::new());
    for piece in pieces {
        framing.raw().extend_from_slice(piece);
        loop {
            framing.advance(true, false);
            if framing.ready().is_empty() {
                break;
            }
            out.extend_from_slice(&framing.ready().split());
        }
    }
    out
}

fuzz_target!(|input: (&[u8], u8)| {
    let (bytes, size) = input;
    let whole = passed_on(std::iter::once(bytes));
    let cut = passed_on(bytes.chunks(usize::from(size).max(1)));
    assert_eq!(whole, cut);
});
