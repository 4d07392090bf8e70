//! The structure of BER (ITU-T X.690) as far as LDAP allows it (RFC 4511 section 5.1): lengths are definite, and tag
//! numbers fit in one octet. What the contents mean is not looked at.
//!
//! The library's own parser, `lber::parse::parse_tag`, calls itself for each level, so whatever it reads is measured here
//! first. Nothing here is recursive.

use super::fault::NotLdap;

/// Most levels. The deepest answer has six: message, operation, attributes, attribute, values, value.
const MAX_DEPTH: usize = 16;
/// Most elements of one message. The shortest DN of a member that is worth reading has some 64 bytes, so the largest
/// message (32 MiB) holds half a million. Parsed, an element takes about a hundred bytes, however short it is.
const MAX_ELEMENTS: usize = 500_000;
/// The bit of a tag that says that the contents are elements.
const CONSTRUCTED: u8 = 0x20;
/// The bits of a tag that are its number. All of them set would mean that the number follows.
const NUMBER: u8 = 0x1f;

/// A tag with its contents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Element<'a> {
    /// The octet with the class and the number.
    pub(super) tag: u8,
    /// The contents.
    pub(super) content: &'a [u8],
}

impl<'a> Element<'a> {
    /// The first element, and what follows it.
    pub(super) fn first(bytes: &'a [u8]) -> Result<(Self, &'a [u8]), NotLdap> {
        let (tag, rest) = bytes.split_first().ok_or(NotLdap("an element is missing"))?;
        let (length, rest) = length(rest)?;
        if tag & NUMBER == NUMBER {
            return Err(NotLdap("a tag has more than one octet"));
        }
        let outside = NotLdap("an element is longer than the one that it is in");
        let (content, rest) = rest.split_at_checked(length).ok_or(outside)?;
        Ok((Self { tag: *tag, content }, rest))
    }

    /// The number of the tag, without its class.
    pub(super) const fn number(&self) -> u8 {
        self.tag & NUMBER
    }

    /// Whether the contents are elements.
    pub(super) const fn is_constructed(&self) -> bool {
        self.tag & CONSTRUCTED != 0
    }

    /// The elements in it.
    pub(super) const fn children(&self) -> Children<'a> {
        Children(self.content)
    }
}

/// The elements in one that was measured.
#[derive(Clone, Debug)]
pub(super) struct Children<'a>(&'a [u8]);

impl<'a> Iterator for Children<'a> {
    type Item = Element<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        let (element, rest) = Element::first(self.0).ok()?;
        self.0 = rest;
        Some(element)
    }
}

/// The length at the beginning, and what follows it.
pub(super) fn length(bytes: &[u8]) -> Result<(usize, &[u8]), NotLdap> {
    let (first, rest) = bytes.split_first().ok_or(NotLdap("a length is missing"))?;
    let octets = usize::from(first & 0x7f);
    match first {
        0..0x80 => Ok((octets, rest)),
        0x80 => Err(NotLdap("a length is indefinite")),
        _ if octets > size_of::<usize>() => Err(NotLdap("a length has more than eight octets")),
        _ => {
            let (octets, rest) = rest.split_at_checked(octets).ok_or(NotLdap("a length is cut off"))?;
            let length = octets.iter().fold(0, |length, octet| length << 8 | usize::from(*octet));
            Ok((length, rest))
        }
    }
}

/// The element that the bytes are, and how many elements are within it, itself included.
///
/// # Errors
/// [`NotLdap`] if an element is longer than the one that it is in, or something follows it; or there are too many, or too
/// many levels.
pub(super) fn measured(bytes: &[u8]) -> Result<(Element<'_>, usize), NotLdap> {
    let (whole, rest) = Element::first(bytes)?;
    if !rest.is_empty() {
        return Err(NotLdap("something follows the last element"));
    }
    let (mut open, mut elements) = (vec![bytes], 0);
    while let Some(rest) = open.pop() {
        if rest.is_empty() {
            continue;
        }
        let (element, rest) = Element::first(rest)?;
        elements += 1;
        open.push(rest);
        if element.is_constructed() {
            open.push(element.content);
        }
        if open.len() > MAX_DEPTH {
            return Err(NotLdap("its elements are nested too deeply"));
        }
        if elements > MAX_ELEMENTS {
            return Err(NotLdap(
                "it has more than 500000 elements: leave very large groups out by the filter",
            ));
        }
    }
    Ok((whole, elements))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use proptest::prelude::*;

    /// An element, with a length of as few octets as are needed.
    pub(in crate::ldap::wire) fn element(tag: u8, content: &[u8]) -> Vec<u8> {
        let mut bytes = vec![tag];
        if content.len() < 0x80 {
            bytes.push(u8::try_from(content.len()).unwrap());
        } else {
            bytes.push(0x84);
            bytes.extend(u32::try_from(content.len()).unwrap().to_be_bytes());
        }
        bytes.extend(content);
        bytes
    }

    fn nested(levels: usize) -> Vec<u8> {
        (1..levels).fold(element(0x30, &[]), |inner, _| element(0x30, &inner))
    }

    #[test]
    fn the_elements_of_an_element_are_counted() {
        let bytes = element(0x30, &[element(4, b"a"), element(0x31, &element(4, b""))].concat());
        let (whole, elements) = measured(&bytes).unwrap();
        assert_eq!((whole.tag, elements), (0x30, 4));
        let children: Vec<_> = whole.children().map(|child| child.tag).collect();
        assert_eq!(children, [4, 0x31]);
    }

    #[test]
    fn levels_are_limited() {
        assert!(measured(&nested(8)).is_ok());
        for levels in [17, 1_000, 30_000] {
            assert_eq!(measured(&nested(levels)), Err(NotLdap("its elements are nested too deeply")));
        }
    }

    #[test]
    fn elements_are_limited() {
        let many = element(0x30, &[4, 0].repeat(MAX_ELEMENTS));
        assert!(measured(&many).is_err());
        assert!(measured(&element(0x30, &[4, 0].repeat(MAX_ELEMENTS - 1))).is_ok());
    }

    #[test]
    fn what_ldap_does_not_allow_is_refused() {
        for bytes in [
            &[][..],
            &[0x30],
            &[0x30, 1],
            &[0x30, 0x80, 0, 0],
            &[0x30, 0x81],
            &[0x30, 0x89, 0, 0, 0, 0, 0, 0, 0, 0, 0],
            &[0x30, 0x88, 255, 255, 255, 255, 255, 255, 255, 255],
            &[0x3f, 0x81, 0],
            &[0x30, 2, 4, 1],
            &[0x30, 0, 0],
        ] {
            assert!(measured(bytes).is_err(), "{bytes:?}");
        }
        assert!(measured(&[0x30, 0x88, 0, 0, 0, 0, 0, 0, 0, 2, 4, 0]).is_ok());
    }

    proptest! {
        #[test]
        fn the_library_reads_what_was_measured(bytes in proptest::collection::vec(prop_oneof![
            Just(0x30), Just(0x04), 0..8u8, any::<u8>()
        ], 0..64)) {
            let measured = measured(&bytes);
            // The levels of so few bytes are few.
            let read = lber::parse::parse_tag(&bytes);
            if measured.is_ok() {
                prop_assert!(read.is_ok_and(|(rest, _)| rest.is_empty()));
            }
        }
    }
}
