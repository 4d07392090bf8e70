//! Rendered entries in a compact form. What many of them have in common, such as the names of fields, departments and
//! frequent names, is stored once for the whole book, and what an entry repeats is stored once in it. An entry is
//! rendered as two texts, the second of which mostly repeats the first.
//!
//! A packed pair is the lengths of both texts and a sequence of commands, which make both, one after the other.
//! A command begins with a number: twice a length, plus one if that many bytes are copied; otherwise the bytes themselves
//! follow. Numbers are in LEB128. A copy names its place in two bytes, little endian: places
//! below [`MOST_SHARED`] are in the shared texts, the others in the text itself. Unpacking is copying, so it takes a
//! fraction of the time that rendering takes, and no general compression is as fast for texts this short.

use std::ops::Range;

/// The greatest length of the shared texts. They get long enough to hold what is frequent, since they are taken from
/// the first entries.
const MOST_SHARED: usize = 48 << 10;
/// The number of places in a text that a copy can name.
const MOST_OWN: usize = (1 << 16) - MOST_SHARED;
/// A copy takes three or four bytes and interrupts the bytes around it, so a shorter one gains little.
const LEAST_COPY: usize = 6;
/// The number of places in a text that are found again; the most recent ones are.
const OWN_PLACES: usize = 512;
/// Short parts are copied as pieces of this length, which is faster than copying exactly what is needed.
const PIECE: usize = 64;
/// The number of places in the shared texts that are found again.
const SHARED_PLACES: usize = 1 << 15;

/// Packs texts, and unpacks what it has packed.
#[derive(Default)]
pub(super) struct Packing {
    /// Never changed, only extended: packed texts refer to it.
    shared: Vec<u8>,
    places: Places,
}

impl Packing {
    /// Packs a pair of texts.
    pub(super) fn pack(&mut self, first: &[u8], second: &[u8]) -> Box<[u8]> {
        let text = &[first, second].concat();
        let mut own = Places::new(OWN_PLACES);
        let mut packed = Vec::with_capacity(text.len());
        write_number(&mut packed, first.len());
        write_number(&mut packed, second.len());
        let mut literals = Vec::new();
        let (mut at, mut literal) = (0, 0);
        while let Some(key) = key_at(text, at) {
            let copy = self.longest_copy(text, at, own.get(key));
            let end = at + copy.as_ref().map_or(1, |(_, length)| *length);
            if let Some((place, length)) = copy {
                literals.push(literal..at);
                write_literal(&mut packed, part(text, &(literal..at)));
                write_number(&mut packed, length * 2 + 1);
                packed.extend(place.to_le_bytes());
                literal = end;
            }
            own.set_all(text, at..end.min(MOST_OWN));
            at = end;
        }
        literals.push(literal..text.len());
        write_literal(&mut packed, part(text, &(literal..text.len())));
        for literal in literals {
            self.share(part(text, &literal));
        }
        // A copy, because an allocator may leave a block that shrinks as it is.
        packed.as_slice().into()
    }

    /// Appends the first text of a packed pair.
    pub(super) fn unpack_first(&self, packed: &[u8], out: &mut Vec<u8>) {
        if let Some(([first, _], commands)) = lengths(packed) {
            self.unpack(commands, first, out);
        }
    }

    /// Appends the second text of a packed pair.
    pub(super) fn unpack_second(&self, packed: &[u8], out: &mut Vec<u8>) {
        if let Some(([first, second], commands)) = lengths(packed) {
            let start = out.len();
            self.unpack(commands, first + second, out);
            out.drain(start..out.len().min(start + first));
        }
    }

    /// Appends the first bytes of what commands make.
    fn unpack(&self, mut commands: &[u8], length: usize, out: &mut Vec<u8>) {
        let start = out.len();
        out.resize(start + length + PIECE, 0);
        let mut made = Made { bytes: out.get_mut(start..).unwrap_or_default(), end: 0 };
        while made.end < length && self.follow(&mut commands, length - made.end, &mut made).is_some() {}
        let end = start + made.end;
        out.truncate(end);
    }

    /// Follows the next command, as far as at most `most` bytes are made; `None` if there is none.
    fn follow(&self, commands: &mut &[u8], most: usize, made: &mut Made<'_>) -> Option<()> {
        let command = read_number(commands)?;
        let length = (command / 2).min(most);
        if command % 2 == 0 {
            made.append(commands, length)?;
            *commands = commands.get(command / 2..).unwrap_or_default();
            return Some(());
        }
        let (place, rest) = commands.split_first_chunk()?;
        *commands = rest;
        let place = usize::from(u16::from_le_bytes(*place));
        match place.checked_sub(MOST_SHARED) {
            None => made.append(self.shared.get(place..)?, length),
            Some(place) => made.repeat(place, length),
        }
    }

    /// The longest copy for the text at an offset, as place and length. `own` is a place in the text that has perhaps
    /// the same beginning.
    fn longest_copy(&self, text: &[u8], at: usize, own: Option<usize>) -> Option<(u16, usize)> {
        let (before, rest) = text.split_at_checked(at)?;
        let shared = self.places.get(key_at(text, at)?);
        let length = |among: &[u8], place| common_length(among.get(place..).unwrap_or_default(), rest);
        let own = own.map(|place| (MOST_SHARED + place, length(before, place)));
        let shared = shared.map(|place| (place, length(&self.shared, place)));
        let (place, length) = own.into_iter().chain(shared).max_by_key(|(_, length)| *length)?;
        Some((u16::try_from(place).ok()?, length)).filter(|_| length >= LEAST_COPY)
    }

    /// Adds a text to the shared texts if there is room and it is long enough to be copied.
    fn share(&mut self, text: &[u8]) {
        let start = self.shared.len();
        if text.len() < LEAST_COPY || start + text.len() > MOST_SHARED {
            return;
        }
        self.shared.extend_from_slice(text);
        if self.places.count() < self.shared.len().min(SHARED_PLACES) {
            self.places = Places::new(self.shared.len().next_power_of_two().min(SHARED_PLACES));
            self.places.set_all(&self.shared, 0..self.shared.len());
        } else {
            self.places.set_all(&self.shared, start..self.shared.len());
        }
    }
}

/// A text that is being made, at the beginning of bytes that are long enough for it and a piece more.
struct Made<'a> {
    bytes: &'a mut [u8],
    end: usize,
}

impl Made<'_> {
    /// Appends the beginning of some bytes.
    fn append(&mut self, from: &[u8], length: usize) -> Option<()> {
        let to = self.bytes.get_mut(self.end..)?;
        match (from.first_chunk::<PIECE>(), to.first_chunk_mut()) {
            (Some(piece), Some(place)) if length <= PIECE => *place = *piece,
            _ => to.get_mut(..length)?.copy_from_slice(from.get(..length)?),
        }
        self.end += length;
        Some(())
    }

    /// Appends a part of what is there.
    fn repeat(&mut self, from: usize, length: usize) -> Option<()> {
        if length <= PIECE {
            let piece: [u8; PIECE] = *self.bytes.get(from..)?.first_chunk()?;
            return self.append(&piece, length);
        }
        let (before, rest) = self.bytes.split_at_mut_checked(self.end)?;
        rest.get_mut(..length)?.copy_from_slice(before.get(from..from + length)?);
        self.end += length;
        Some(())
    }
}

/// The lengths of the two texts of a packed pair, and the commands.
fn lengths(mut packed: &[u8]) -> Option<([usize; 2], &[u8])> {
    let lengths = [read_number(&mut packed)?, read_number(&mut packed)?];
    Some((lengths, packed))
}

/// Places in a text by the bytes that are there; of those with the same hash, the last.
#[derive(Default)]
struct Places(Vec<u16>);

impl Places {
    /// `count` must be a power of two.
    fn new(count: usize) -> Self {
        Self(vec![u16::MAX; count])
    }

    fn count(&self) -> usize {
        self.0.len()
    }

    fn get(&self, key: u64) -> Option<usize> {
        let place = *self.0.get(self.index(key)?)?;
        (place != u16::MAX).then_some(usize::from(place))
    }

    /// Sets the places of a range of a text, as far as two bytes suffice.
    fn set_all(&mut self, text: &[u8], range: Range<usize>) {
        for place in range {
            let (Some(key), Ok(short)) = (key_at(text, place), u16::try_from(place)) else { return };
            if let Some(entry) = self.index(key).and_then(|index| self.0.get_mut(index)) {
                *entry = short;
            }
        }
    }

    fn index(&self, key: u64) -> Option<usize> {
        let bits = self.0.len().checked_ilog2()?;
        // Fibonacci hashing: the upper bits of the product depend on all bits of the key.
        let hash = key.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        usize::try_from(hash.checked_shr(u64::BITS - bits).unwrap_or_default()).ok()
    }
}

/// The next [`LEAST_COPY`] bytes of a text as a number; `None` if there are fewer.
fn key_at(text: &[u8], at: usize) -> Option<u64> {
    let bytes: &[u8; LEAST_COPY] = text.get(at..)?.first_chunk()?;
    let mut key = [0; 8];
    key.first_chunk_mut().map(|first| *first = *bytes)?;
    Some(u64::from_le_bytes(key))
}

fn common_length(one: &[u8], other: &[u8]) -> usize {
    one.iter().zip(other).take_while(|(one, other)| one == other).count()
}

fn part<'a>(text: &'a [u8], range: &Range<usize>) -> &'a [u8] {
    text.get(range.clone()).unwrap_or_default()
}

fn write_literal(packed: &mut Vec<u8>, literal: &[u8]) {
    if !literal.is_empty() {
        write_number(packed, literal.len() * 2);
        packed.extend_from_slice(literal);
    }
}

/// Writes a number in LEB128.
fn write_number(packed: &mut Vec<u8>, mut number: usize) {
    while let [low, _, ..] = number.to_le_bytes()
        && number >= 1 << 7
    {
        packed.push(low | 1 << 7);
        number >>= 7;
    }
    packed.extend(u8::try_from(number));
}

fn read_number(rest: &mut &[u8]) -> Option<usize> {
    // Most are short.
    if let [byte @ 0..0x80, others @ ..] = *rest {
        *rest = others;
        return Some(usize::from(*byte));
    }
    let mut number = 0;
    for shift in (0..usize::BITS).step_by(7) {
        let (byte, others) = rest.split_first()?;
        *rest = others;
        number |= usize::from(byte & 0x7F) << shift;
        if *byte < 1 << 7 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn unpacked(packing: &Packing, packed: &[u8]) -> [Vec<u8>; 2] {
        [Packing::unpack_first, Packing::unpack_second].map(|unpack| {
            let mut out = b"before".to_vec();
            unpack(packing, packed, &mut out);
            out.split_off("before".len())
        })
    }

    fn user(number: usize) -> [Vec<u8>; 2] {
        let id = number * 7919;
        let fields = format!(r#""mail":"anna.belykh{number}@example.com","cn":"Анна""#);
        [format!(r#"{{"id":"{id:032x}",{fields}}}"#), format!("{{{fields}}}")].map(String::into_bytes)
    }

    #[test]
    fn what_entries_have_in_common_is_stored_once() {
        let mut packing = Packing::default();
        let users: Vec<_> = (0..2000).map(user).collect();
        let packed: Vec<_> = users.iter().map(|[first, second]| packing.pack(first, second)).collect();
        let (user, last) = (users.last().unwrap().concat(), packed.last().unwrap());
        assert!(last.len() * 2 < user.len(), "{} of {}", last.len(), user.len());
        for (user, packed) in users.iter().zip(&packed) {
            assert_eq!(&unpacked(&packing, packed), user);
        }
        assert!(packing.shared.len() <= MOST_SHARED && packing.places.count() <= SHARED_PLACES);
    }

    #[test]
    fn long_texts_are_packed_too() {
        let mut packing = Packing::default();
        let text: Vec<u8> = (0..100_000_u32).flat_map(|n| (n % 1000 * 77).to_le_bytes()).collect();
        let packed = packing.pack(&text, &text);
        assert!(packed.len() * 10 < text.len(), "{}", packed.len());
        assert_eq!(unpacked(&packing, &packed), [text.clone(), text]);
    }

    #[test]
    fn what_is_not_a_packed_pair_is_not_unpacked() {
        for packed in
            [&[0xFF; 20][..], &[9], &[9, 9], &[9, 9, 9], &[9, 9, 9, 0], &[9, 9, 9, 0, 0xFF], &[9, 9, 8, 1]]
        {
            assert!(unpacked(&Packing::default(), packed).concat().is_empty(), "{packed:?}");
        }
    }

    proptest! {
        #[test]
        fn pairs_are_unpacked_as_they_were(
            pairs in prop::collection::vec(
                prop::array::uniform2("([ab]|abcabcabd|é|\"cn\":\"Анна\"){0,40}").prop_map(|pair| pair.map(String::into_bytes)),
                0..40,
            ),
        ) {
            let mut packing = Packing::default();
            let packed: Vec<_> = pairs.iter().map(|[first, second]| packing.pack(first, second)).collect();
            for (pair, packed) in pairs.iter().zip(&packed) {
                prop_assert_eq!(&unpacked(&packing, packed), pair);
            }
        }
    }
}
