//! Bytes that may be compressed with gzip (RFC 1952), recognized by their first two bytes, which no text begins with.
//! They are decompressed as they arrive, with limits, because a small body that decompresses to a large one costs its
//! sender nothing.

use flate2::write::MultiGzDecoder;
use std::io::Write;

const GZIP: [u8; 2] = [0x1F, 0x8B];
/// The number of bytes that are decompressed at a time. Gzip makes at most 1,032 bytes of one, so this gives a
/// mebibyte.
const STEP: usize = 1024;
/// The most bytes that a compressed byte may stand for; tables of people have 3 to 15.
const MAX_RATIO: u64 = 128;
/// The ratio is checked from this decompressed size on.
const FREE: u64 = 1024 * 1024;
/// The longest file after decompression, in bytes: five million rows. A plain file has no such limit, because its
/// sender bears the cost of its length.
const MAX_UNPACKED: u64 = 1024 * 1024 * 1024;

/// Why no more compressed bytes are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum UnpackError {
    #[error("the file is compressed with gzip and is damaged or truncated")]
    Damaged,
    #[error("the file unpacks to more than {MAX_RATIO} times its size: send it unpacked")]
    Ratio,
    #[error("the file unpacks to more than {MAX_UNPACKED} bytes: send it in parts")]
    TooLarge,
}

/// Turns the bytes of a body into the bytes of a file.
pub(super) enum Unpacking {
    /// Not known yet; the first byte, if it has arrived.
    Start(Option<u8>),
    Plain,
    Gzip(Box<Gzip>),
}

pub(super) struct Gzip {
    decoder: MultiGzDecoder<Vec<u8>>,
    packed: u64,
    unpacked: u64,
}

impl Unpacking {
    /// Appends the file's bytes for some bytes of the body; before an error, those that come before it.
    pub(super) fn push(&mut self, bytes: &[u8], last: bool, out: &mut Vec<u8>) -> Result<(), UnpackError> {
        if let Self::Start(first) = self {
            let begin: Vec<u8> = first.iter().chain(bytes).copied().collect();
            if begin.len() < GZIP.len() && !last {
                *first = begin.first().copied();
                return Ok(());
            }
            *self = if begin.starts_with(&GZIP) { Self::gzip() } else { Self::Plain };
            return self.push(&begin, last, out);
        }
        if let Self::Gzip(gzip) = self {
            gzip.push(bytes, last, out)
        } else {
            out.extend_from_slice(bytes);
            Ok(())
        }
    }

    fn gzip() -> Self {
        Self::Gzip(Box::new(Gzip { decoder: MultiGzDecoder::new(Vec::new()), packed: 0, unpacked: 0 }))
    }
}

impl Gzip {
    fn push(&mut self, bytes: &[u8], last: bool, out: &mut Vec<u8>) -> Result<(), UnpackError> {
        for step in bytes.chunks(STEP) {
            let written = self.decoder.write_all(step).and_then(|()| self.decoder.flush());
            self.packed += step.len() as u64;
            self.take(out)?;
            written.map_err(|_| UnpackError::Damaged)?;
        }
        if last {
            let ended = self.decoder.try_finish();
            self.take(out)?;
            ended.map_err(|_| UnpackError::Damaged)?;
        }
        Ok(())
    }

    fn take(&mut self, out: &mut Vec<u8>) -> Result<(), UnpackError> {
        self.unpacked += self.decoder.get_ref().len() as u64;
        out.append(self.decoder.get_mut());
        if self.unpacked > MAX_UNPACKED {
            Err(UnpackError::TooLarge)
        } else if self.unpacked > FREE && self.unpacked > self.packed * MAX_RATIO {
            Err(UnpackError::Ratio)
        } else {
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression, write::GzEncoder};

    fn packed(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn unpack(bytes: &[u8], step: usize) -> (Vec<u8>, Result<(), UnpackError>) {
        let (mut unpacking, mut out) = (Unpacking::Start(None), Vec::new());
        for piece in bytes.chunks(step) {
            if let Err(error) = unpacking.push(piece, false, &mut out) {
                return (out, Err(error));
            }
        }
        let end = unpacking.push(&[], true, &mut out);
        (out, end)
    }

    #[test]
    fn packed_and_plain_bytes_read_the_same_in_pieces_of_any_size() {
        let text: Vec<u8> = (0..200).flat_map(|n| format!("u{n}@b.c;Иван {n}\r\n").into_bytes()).collect();
        let (once, twice) = (packed(&text), [packed(&text[..100]), packed(&text[100..])].concat());
        for bytes in [&text, &once, &twice] {
            for step in [1, 2, 3, 7, 1000, 100_000] {
                assert_eq!(unpack(bytes, step), (text.clone(), Ok(())), "{step}");
            }
        }
        for bytes in [&b""[..], b"a", b"\x1F", b"\x1Fa"] {
            assert_eq!(unpack(bytes, 1), (bytes.to_vec(), Ok(())));
        }
    }

    #[test]
    fn what_is_cut_or_altered_is_damaged() {
        let whole = packed(&[b'x'; 1000]);
        for bytes in [&whole[..whole.len() - 1], &whole[..12], &GZIP[..], &[&whole[..], b"more"].concat()[..]]
        {
            assert_eq!(unpack(bytes, 5).1, Err(UnpackError::Damaged), "{}", bytes.len());
        }
        let mut altered = whole.clone();
        let crc = altered.len() - 6;
        altered[crc] ^= 1;
        assert_eq!(unpack(&altered, 100).1, Err(UnpackError::Damaged));
    }

    #[test]
    fn a_bomb_is_not_unpacked() {
        let bomb = packed(&vec![b'\n'; 64 << 20]);
        assert!(bomb.len() < 70_000);
        for step in [16 * 1024, 1000] {
            let (out, end) = unpack(&bomb, step);
            assert_eq!(end, Err(UnpackError::Ratio));
            assert!(out.len() < 3 << 20, "{}", out.len());
        }
    }
}
