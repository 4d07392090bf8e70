//! Owns the three LDAP requests of the set-up (RFC 4511): check that the server responds, bind, add.
//!
//! Encodes only these requests, and reads only the result code of a response. Anything more belongs to a real LDAP
//! client.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const OCTETS: u8 = 0x04;
const ENUMERATED: u8 = 0x0a;
const SET: u8 = 0x31;
const BIND: u8 = 0x60;
const ADD: u8 = 0x68;
const SIMPLE_PASSWORD: u8 = 0x80;

/// Searches the root DSE, base scope, `(objectClass=*)`, and requests no attribute.
const READ_ROOT_DSE: &[u8] =
    b"\x30\x2a\x02\x01\x01\x63\x25\x04\x00\x0a\x01\x00\x0a\x01\x00\x02\x01\x00\x02\x01\x00\x01\x01\x00\
      \x87\x0bobjectClass\x30\x05\x04\x031.1";

const UNBIND: &[u8] = b"\x30\x05\x02\x01\x02\x42\x00";

const PATIENCE: Duration = Duration::from_secs(1);
/// The responses to the requests above are far smaller; a larger one is not LDAP.
const ANSWER_LIMIT: u64 = 64 * 1024;

/// Whether an LDAP server responds on the socket, with any result.
pub(crate) fn answers(socket: &Path) -> bool {
    let answer = Connection::open(socket).and_then(|mut connection| {
        connection.ask(READ_ROOT_DSE)?;
        connection.close()
    });
    answer.is_ok()
}

/// A connection to the server's local socket, on which only that server can listen.
pub(crate) struct Connection(UnixStream);

impl Connection {
    pub(crate) fn open(socket: &Path) -> io::Result<Self> {
        let stream = UnixStream::connect(socket)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        Ok(Self(stream))
    }

    pub(crate) fn bind(&mut self, dn: &str, password: &str) -> io::Result<u8> {
        self.operation(
            BIND,
            &[
                &tlv(INTEGER, &[&[3]]),
                &tlv(OCTETS, &[dn.as_bytes()]),
                &tlv(SIMPLE_PASSWORD, &[password.as_bytes()]),
            ],
        )
    }

    pub(crate) fn add(&mut self, dn: &str, attributes: &[(&str, &[&str])]) -> io::Result<u8> {
        let attributes: Vec<u8> =
            attributes.iter().flat_map(|(name, values)| attribute(name, values)).collect();
        self.operation(ADD, &[&tlv(OCTETS, &[dn.as_bytes()]), &tlv(SEQUENCE, &[&attributes])])
    }

    /// Sends an unbind and waits until the server has closed the connection. 389-ds 2.3, stopped soon after a client
    /// had disappeared, was observed to hang for ever.
    pub(crate) fn close(mut self) -> io::Result<()> {
        self.0.write_all(UNBIND)?;
        self.0.read_to_end(&mut Vec::new()).map(drop)
    }

    fn operation(&mut self, tag: u8, parts: &[&[u8]]) -> io::Result<u8> {
        let message = tlv(SEQUENCE, &[&tlv(INTEGER, &[&[1]]), &tlv(tag, parts)]);
        let answer = self.ask(&message)?;
        result_code(&answer).ok_or_else(|| io::Error::other("not an LDAP result"))
    }

    /// Sends one message and returns the content of the first response.
    fn ask(&mut self, message: &[u8]) -> io::Result<Vec<u8>> {
        self.0.write_all(message)?;
        let [tag, first] = self.read_array()?;
        if tag != SEQUENCE {
            return Err(io::Error::other("not an LDAP message"));
        }
        let length = match first {
            0x81 => u64::from(u8::from_be_bytes(self.read_array()?)),
            0x82 => u64::from(u16::from_be_bytes(self.read_array()?)),
            0x84 => u64::from(u32::from_be_bytes(self.read_array()?)),
            short if short < 0x80 => u64::from(short),
            _ => ANSWER_LIMIT + 1,
        };
        if length > ANSWER_LIMIT {
            return Err(io::Error::other("too long an answer"));
        }
        let mut content = vec![0; usize::try_from(length).map_err(io::Error::other)?];
        self.0.read_exact(&mut content)?;
        Ok(content)
    }

    fn read_array<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let mut bytes = [0; N];
        self.0.read_exact(&mut bytes)?;
        Ok(bytes)
    }
}

fn attribute(name: &str, values: &[&str]) -> Vec<u8> {
    let values: Vec<u8> = values.iter().flat_map(|value| tlv(OCTETS, &[value.as_bytes()])).collect();
    tlv(SEQUENCE, &[&tlv(OCTETS, &[name.as_bytes()]), &tlv(SET, &[&values])])
}

/// Tag, length, content; the length takes four bytes, which BER allows for any length.
fn tlv(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let length = u32::try_from(content.len()).unwrap_or(u32::MAX);
    [&[tag, 0x84], length.to_be_bytes().as_slice(), &content].concat()
}

/// The result code of `messageID, [APPLICATION n] { resultCode, … }`.
fn result_code(message: &[u8]) -> Option<u8> {
    let (_, _, operation) = split(message)?;
    let (_, result, _) = split(operation)?;
    let (tag, code, _) = split(result)?;
    (tag == ENUMERATED).then(|| code.first().copied())?
}

/// The first element's tag and content, and the rest.
fn split(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (tag, rest) = bytes.split_first()?;
    let (first, rest) = rest.split_first()?;
    let (length, rest) = if *first < 0x80 {
        (usize::from(*first), rest)
    } else {
        let (length, rest) = rest.split_at_checked(usize::from(*first & 0x7f))?;
        (length.iter().fold(0_usize, |sum, byte| (sum << 8) | usize::from(*byte)), rest)
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((*tag, content, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_result_code_is_found_in_short_and_long_form() {
        assert_eq!(result_code(b"\x02\x01\x01\x61\x07\x0a\x01\x31\x04\x00\x04\x00"), Some(49));
        assert_eq!(result_code(b"\x02\x01\x01\x61\x84\0\0\0\x07\x0a\x01\x00\x04\x00\x04\x00"), Some(0));
    }

    #[test]
    fn a_broken_message_has_no_result_code() {
        assert_eq!(result_code(b""), None);
        assert_eq!(result_code(b"\x02\x01\x01\x61\x07\x0a\x01"), None);
        assert_eq!(result_code(b"\x02\x01\x01\x61\x88\xff\xff\xff\xff\xff\xff\xff\xff"), None);
    }

    #[test]
    fn an_element_has_its_length_in_four_bytes() {
        assert_eq!(tlv(OCTETS, &[b"ab", b"c"]), b"\x04\x84\0\0\0\x03abc");
    }

    #[test]
    fn the_constant_request_is_as_long_as_it_says() {
        let (tag, _, rest) = split(READ_ROOT_DSE).unwrap();
        assert_eq!((tag, rest.len()), (SEQUENCE, 0));
    }
}
