//! The framing of chunked bodies (RFC 9112 section 7.1), parsed to find their end. It accepts the same as the HTTP
//! library, or less: sizes of up to 16 digits, extensions and trailers up to a limit, lines that end in CRLF only. The
//! content of extensions and trailers is ignored.

/// The largest number of digits of a size: all of 64 bits.
const MAX_DIGITS: u32 = 16;
/// The largest number of bytes after a size, and of all trailers: much more than anybody sends, since hardly anybody
/// sends any.
const MAX_EXTENSION: usize = 1024;
const MAX_TRAILERS: usize = 8 * 1024;

/// The state of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ChunkedBody {
    place: Place,
    /// The number of digits of the current size, or of bytes of the current extension or of the trailers, so far.
    length: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Within the digits of a size.
    Size(u64),
    /// In the spaces after a size.
    Blank(u64),
    /// After a `;`.
    Extension(u64),
    /// The CR after a size was read.
    SizeEnd(u64),
    /// This number of bytes is left of a chunk.
    Data(u64),
    /// After the data of a chunk, before its CRLF.
    DataEnd,
    /// The CR after the data of a chunk was read.
    DataLineEnd,
    /// At the beginning of a trailer, or of the empty line that ends the body.
    Trailers,
    /// In a trailer.
    Trailer,
    /// The CR of a trailer was read.
    TrailerEnd,
    /// The CR of the empty line was read.
    LastLineEnd,
    /// The body has ended.
    End,
}

/// The framing is invalid, so the beginning of the next request is unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BadFraming {
    /// The number of bytes before the invalid one that belong to the body.
    pub(super) used: usize,
    /// The number of these bytes that are content.
    pub(super) content: usize,
}

/// A byte that is not allowed at its place.
struct WrongByte;

/// The result of parsing some bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Followed {
    /// The number of bytes that belong to the body.
    pub(super) used: usize,
    /// The number of these bytes that are content.
    pub(super) content: usize,
    /// Whether the body has ended.
    pub(super) ended: bool,
}

impl ChunkedBody {
    /// The state at the beginning of a body.
    pub(super) fn new() -> Self {
        Self { place: Place::Size(0), length: 0 }
    }

    /// Parses bytes up to the end of the body.
    ///
    /// # Errors
    /// [`BadFraming`], whatever follows.
    pub(super) fn follow(&mut self, bytes: &[u8]) -> Result<Followed, BadFraming> {
        let (mut rest, mut content) = (bytes, 0);
        while let (false, Some((byte, after))) = (self.place == Place::End, rest.split_first()) {
            if let Place::Data(left) = self.place {
                let taken = rest.len().min(usize::try_from(left).unwrap_or(usize::MAX));
                let left = left - taken as u64;
                self.place = if left == 0 { Place::DataEnd } else { Place::Data(left) };
                rest = rest.get(taken..).unwrap_or_default();
                content += taken;
            } else {
                let used = bytes.len() - rest.len();
                self.place = self.after(*byte).map_err(|WrongByte| BadFraming { used, content })?;
                rest = after;
            }
        }
        Ok(Followed { used: bytes.len() - rest.len(), content, ended: self.place == Place::End })
    }

    fn after(&mut self, byte: u8) -> Result<Place, WrongByte> {
        match (self.place, byte) {
            (Place::Size(size), _) => self.after_size(size, byte),
            (Place::Blank(size), b' ' | b'\t') => self.longer(MAX_EXTENSION, Place::Blank(size)),
            (Place::Blank(size), b';') => self.longer(MAX_EXTENSION, Place::Extension(size)),
            (Place::Blank(size) | Place::Extension(size), b'\r') => Ok(Place::SizeEnd(size)),
            (Place::Extension(size), byte) if is_text(byte) => {
                self.longer(MAX_EXTENSION, Place::Extension(size))
            }
            (Place::SizeEnd(0), b'\n') => {
                self.length = 0;
                Ok(Place::Trailers)
            }
            (Place::SizeEnd(size), b'\n') => Ok(Place::Data(size)),
            (Place::DataEnd, b'\r') => Ok(Place::DataLineEnd),
            (Place::DataLineEnd, b'\n') => {
                self.length = 0;
                Ok(Place::Size(0))
            }
            (Place::Trailers, b'\r') => Ok(Place::LastLineEnd),
            // A line that begins with a space would continue the previous line.
            (Place::Trailers, byte) if is_text(byte) && !matches!(byte, b' ' | b'\t') => {
                self.longer(MAX_TRAILERS, Place::Trailer)
            }
            (Place::Trailer, b'\r') => Ok(Place::TrailerEnd),
            (Place::Trailer, byte) if is_text(byte) => self.longer(MAX_TRAILERS, Place::Trailer),
            (Place::TrailerEnd, b'\n') => Ok(Place::Trailers),
            (Place::LastLineEnd, b'\n') => Ok(Place::End),
            _ => Err(WrongByte),
        }
    }

    fn after_size(&mut self, size: u64, byte: u8) -> Result<Place, WrongByte> {
        if let Some(digit) = char::from(byte).to_digit(16) {
            return self.longer(MAX_DIGITS as usize, Place::Size(size << 4 | u64::from(digit)));
        }
        if std::mem::take(&mut self.length) == 0 {
            return Err(WrongByte);
        }
        match byte {
            b'\r' => Ok(Place::SizeEnd(size)),
            b' ' | b'\t' => Ok(Place::Blank(size)),
            b';' => Ok(Place::Extension(size)),
            _ => Err(WrongByte),
        }
    }

    fn longer(&mut self, most: usize, place: Place) -> Result<Place, WrongByte> {
        self.length += 1;
        if self.length > most { Err(WrongByte) } else { Ok(place) }
    }
}

/// The characters that a line may contain: no control characters except the tab.
fn is_text(byte: u8) -> bool {
    byte == b'\t' || !byte.is_ascii_control()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Parses bytes in pieces; returns how many belong to the body and are content, if the body has ended.
    fn follow(bytes: &[u8], piece: usize) -> Result<Option<(usize, usize)>, ()> {
        let (mut body, mut used, mut content) = (ChunkedBody::new(), 0, 0);
        for part in bytes.chunks(piece) {
            let followed = body.follow(part).map_err(|_| ())?;
            used += followed.used;
            content += followed.content;
            if followed.ended {
                return Ok(Some((used, content)));
            }
        }
        Ok(None)
    }

    #[test]
    fn bodies_end_where_they_say() {
        for (body, content) in [
            ("0\r\n\r\n", 0),
            ("5\r\nhello\r\n0\r\n\r\n", 5),
            ("5;a=b;c\r\nhello\r\n000\r\n\r\n", 5),
            ("A  \t;x=\"y\"\r\n0123456789\r\n1\r\n\n\r\n0\r\nX: y\r\nZ:\r\n\r\n", 11),
        ] {
            for piece in [1, 3, 100] {
                let text = format!("{body}GET / HTTP/1.1\r\n");
                assert_eq!(follow(text.as_bytes(), piece), Ok(Some((body.len(), content))), "{body:?}");
            }
        }
    }

    #[test]
    fn other_framing_is_refused() {
        let (long, trailers) = ("x".repeat(MAX_EXTENSION + 1), "X: y\r\n".repeat(MAX_TRAILERS / 4 + 1));
        for body in [
            "\r\n",
            "g\r\n",
            "-1\r\n",
            "+1\r\n",
            "0x1\r\n",
            " 1\r\n",
            "5\nhello\r\n",
            "5\rhello\r\n",
            "5;a\nhello\r\n",
            "5 5\r\n",
            "5;\x00\r\n",
            "5\r\nhello0\r\n\r\n",
            "5\r\nhello\n0\r\n\r\n",
            "0\r\n\n",
            "0\r\nX: y\n\r\n",
            "0\r\n X: y\r\n\r\n",
            "00000000000000001\r\n",
            &format!("1;{long}\r\n"),
            &format!("1{}\r\n", " ".repeat(MAX_EXTENSION + 2)),
            &format!("0\r\n{trailers}\r\n"),
        ] {
            for piece in [1, 100] {
                let shown = body.get(..30).unwrap_or(body);
                assert_eq!(follow(body.as_bytes(), piece), Err(()), "{shown:?}");
            }
        }
    }

    #[test]
    fn the_largest_size_does_not_overflow() {
        assert_eq!(follow(b"ffffffffffffffff\r\nabc", 2), Ok(None));
    }

    proptest! {
        #[test]
        fn what_is_sent_in_chunks_is_followed_to_its_end(
            chunks in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..50), 0..10),
            piece in 1_usize..64,
        ) {
            let mut body = Vec::new();
            for chunk in &chunks {
                body.extend(format!("{:x}\r\n", chunk.len()).as_bytes());
                body.extend(chunk);
                body.extend(b"\r\n");
            }
            body.extend(b"0\r\n\r\n");
            let length = body.len();
            body.extend(b"more");
            let content = chunks.iter().map(Vec::len).sum();
            prop_assert_eq!(follow(&body, piece), Ok(Some((length, content))));
        }
    }
}
