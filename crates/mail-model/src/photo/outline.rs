//! The outline of a JPEG (ITU-T T.81, annex B): its segments, and the header of its frame. Covers every coding process;
//! does not decode, and does not allocate.

/// The properties of a JPEG, read from its segments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outline {
    /// Columns.
    pub width: u16,
    /// Rows.
    pub height: u16,
    /// Bits per sample.
    pub precision: u8,
    /// Number of components: 1 grayscale, 3 colour, 4 print colours.
    pub components: u8,
    /// Samples of all components, rounded up to whole blocks of 8 × 8: the memory of a decoder for a progressive JPEG.
    pub samples: u64,
    /// The coding process.
    pub coding: Coding,
    /// The number of scans.
    pub scans: u32,
    /// Whether it has more segments than are needed to show it: other than one plain JFIF header, tables of the right
    /// length, the frame and consecutive scans.
    pub has_metadata: bool,
    /// Whether it ends at the end of the bytes.
    pub is_all: bool,
}

/// The coding process of a JPEG.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    /// One pass, Huffman.
    Sequential,
    /// Several passes, Huffman.
    Progressive,
    /// Lossless, hierarchical or arithmetic, which hardly any program reads.
    Other,
}

const SOI: u8 = 0xd8;
const EOI: u8 = 0xd9;
const SOS: u8 = 0xda;
const APP0: u8 = 0xe0;
/// Markers in the range of frame headers that are not frames: tables, and a reserved one.
const NO_FRAME: [u8; 3] = [0xc4, 0xc8, 0xcc];
const HUFFMAN: u8 = 0xc4;
const QUANTIZATION: u8 = 0xdb;
const RESTARTS: u8 = 0xdd;
/// The length of a JFIF header without a thumbnail: its name, version and density, and zero columns and rows.
const PLAIN_JFIF: usize = 14;

/// The header of a frame.
#[derive(Clone, Copy)]
struct Frame {
    coding: Coding,
    precision: u8,
    width: u16,
    height: u16,
    components: u8,
    samples: u64,
}

impl Outline {
    /// Reads the segments of a JPEG up to its end; `None` if there is no end or no image. The bytes after the end are
    /// ignored.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Option<Self> {
        let mut rest = bytes.strip_prefix(&[0xff, SOI])?;
        let (mut frame, mut scans, mut has_metadata, mut has_jfif) = (None, 0_u32, false, false);
        loop {
            let (marker, after) = marker(rest)?;
            // Fill bytes may precede any marker.
            has_metadata |= rest.len() - after.len() > 2;
            rest = after;
            match marker {
                EOI => break,
                // Markers without a segment.
                0x01 | 0xd0..=0xd7 => {
                    has_metadata = true;
                    continue;
                }
                SOI | 0x00 => return None,
                _ => {}
            }
            let (segment, after) = segment(rest)?;
            rest = after;
            if matches!(marker, 0xc0..=0xcf) && !NO_FRAME.contains(&marker) {
                if frame.replace(Frame::read(marker, segment)?).is_some() {
                    return None;
                }
            } else if marker == SOS {
                scans = scans.checked_add(1)?;
                rest = after_scan(rest)?;
            } else if marker == APP0 {
                let is_plain = segment.len() == PLAIN_JFIF && segment.starts_with(b"JFIF\0");
                has_metadata |= !is_plain || std::mem::replace(&mut has_jfif, true);
            } else {
                has_metadata |= !is_table(marker, segment);
            }
        }
        let Frame { coding, precision, width, height, components, samples } = frame.filter(|_| scans > 0)?;
        let is_all = rest.is_empty();
        Some(Self { width, height, precision, components, samples, coding, scans, has_metadata, is_all })
    }

    /// Whether every program can show it.
    #[must_use]
    pub fn is_usual(&self) -> bool {
        self.coding != Coding::Other && self.precision == 8 && matches!(self.components, 1 | 3)
    }
}

/// Whether a segment contains only tables (T.81, B.2.4).
fn is_table(marker: u8, segment: &[u8]) -> bool {
    match marker {
        QUANTIZATION => tables_fill(segment, |table| Some(if table.first()? >> 4 == 0 { 65 } else { 129 })),
        HUFFMAN => tables_fill(segment, |table| {
            let codes: usize = table.get(1..17)?.iter().map(|count| usize::from(*count)).sum();
            Some(17 + codes)
        }),
        RESTARTS => segment.len() == 2,
        _ => false,
    }
}

/// Whether tables with lengths of their own fill a segment exactly.
fn tables_fill(segment: &[u8], length: impl Fn(&[u8]) -> Option<usize>) -> bool {
    let mut rest = segment;
    while !rest.is_empty() {
        let Some(after) = length(rest).and_then(|length| rest.get(length..)) else { return false };
        rest = after;
    }
    !segment.is_empty()
}

/// The next marker, and the bytes after it. Any number of fill bytes may precede its code.
fn marker(bytes: &[u8]) -> Option<(u8, &[u8])> {
    let mut rest = bytes.strip_prefix(&[0xff])?;
    while let Some(after) = rest.strip_prefix(&[0xff]) {
        rest = after;
    }
    rest.split_first().map(|(code, rest)| (*code, rest))
}

/// The content of a segment, and the bytes after it.
fn segment(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, _) = bytes.split_first_chunk()?;
    let (segment, rest) = bytes.split_at_checked(u16::from_be_bytes(*length).into())?;
    Some((segment.get(2..)?, rest))
}

/// The bytes after the data of a scan, from the next marker that is neither a stuffed byte nor a restart.
fn after_scan(bytes: &[u8]) -> Option<&[u8]> {
    let mut rest = bytes;
    loop {
        let at = rest.iter().position(|byte| *byte == 0xff)?;
        rest = rest.get(at..)?;
        match rest.get(1)? {
            0x00 | 0xd0..=0xd7 => rest = rest.get(2..)?,
            0xff => rest = rest.get(1..)?,
            _ => return Some(rest),
        }
    }
}

impl Frame {
    fn read(marker: u8, segment: &[u8]) -> Option<Self> {
        let [precision, y1, y2, x1, x2, components, ref rest @ ..] = *segment else { return None };
        let (height, width) = (u16::from_be_bytes([y1, y2]), u16::from_be_bytes([x1, x2]));
        let coding = match marker {
            0xc0 | 0xc1 => Coding::Sequential,
            0xc2 => Coding::Progressive,
            _ => Coding::Other,
        };
        let (parameters, odd) = rest.as_chunks::<3>();
        if height == 0
            || width == 0
            || components == 0
            || !odd.is_empty()
            || parameters.len() != usize::from(components)
        {
            return None;
        }
        let factors = parameters.iter().map(|[_, factors, _]| (factors >> 4, factors & 15));
        if factors.clone().any(|(h, v)| !(1..=4).contains(&h) || !(1..=4).contains(&v)) {
            return None;
        }
        let (h, v) = factors.clone().fold((1, 1), |(h, v), (of_h, of_v)| (h.max(of_h), v.max(of_v)));
        let units = |side: u16, factor: u8| u64::from(side).div_ceil(8 * u64::from(factor));
        let in_unit: u64 = factors.map(|(h, v)| 64 * u64::from(h) * u64::from(v)).sum();
        let samples = units(width, h) * units(height, v) * in_unit;
        Some(Self { coding, precision, width, height, components, samples })
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A grayscale JPEG without a real image, with further segments.
    pub(in crate::photo) fn jpeg(width: u16, height: u16, segments: &[u8]) -> Vec<u8> {
        let [x, y] = [width, height].map(u16::to_be_bytes);
        let frame = [0xff, 0xc0, 0, 11, 8, y[0], y[1], x[0], x[1], 1, 1, 0x11, 0];
        let scan = [0xff, SOS, 0, 8, 1, 1, 0, 0, 63, 0, 0x12, 0xff, 0, 0x34];
        let jfif = *b"\xff\xe0\0\x10JFIF\0\x01\x02\0\0\x01\0\x01\0\0";
        [&[0xff, SOI][..], &jfif, segments, &frame, &scan, &[0xff, EOI]].concat()
    }

    #[test]
    fn the_frame_and_the_end_are_found() {
        let outline = Outline::of(&jpeg(640, 480, &[])).unwrap();
        assert_eq!((outline.width, outline.height, outline.scans), (640, 480, 1));
        assert_eq!((outline.coding, outline.has_metadata, outline.is_all), (Coding::Sequential, false, true));
        assert_eq!(outline.samples, 640 * 480);
        let followed = [&jpeg(9, 8, b"\xff\xff\xff\xe1\0\x03x")[..], b"more"].concat();
        let outline = Outline::of(&followed).unwrap();
        assert_eq!((outline.has_metadata, outline.is_all, outline.samples), (true, false, 128));
    }

    #[test]
    fn a_thumbnail_in_the_header_is_metadata() {
        let thumbnail = b"\xff\xe0\0\x13JFIF\0\x01\x02\0\0\x01\0\x01\x01\x01rgb";
        assert!(Outline::of(&jpeg(8, 8, thumbnail)).unwrap().has_metadata);
    }

    #[test]
    fn what_has_no_picture_or_no_end_has_no_outline() {
        let whole = jpeg(8, 8, &[]);
        for end in 0..whole.len() {
            assert_eq!(Outline::of(&whole[..end]), None, "{end}");
        }
        for odd in [&b"\xff\xd8\xff\xd9"[..], b"\xff\xd8\xff\xd8\xff\xd9", b"\x89PNG\r\n\x1a\n"] {
            assert_eq!(Outline::of(odd), None);
        }
        assert_eq!(Outline::of(&jpeg(0, 8, &[])), None);
        let two = [&jpeg(8, 8, &[])[2..15], &[]].concat();
        assert!(Outline::of(&jpeg(8, 8, &two)).is_none_or(|outline| outline.has_metadata));
    }

    proptest! {
        #[test]
        fn any_bytes_are_looked_at_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..80), at in 0_usize..60) {
            let mut spoilt = jpeg(8, 8, &[]);
            let at = at.min(spoilt.len());
            spoilt.splice(at..at, bytes.iter().copied());
            let _outline = (Outline::of(&bytes), Outline::of(&spoilt));
        }
    }
}
