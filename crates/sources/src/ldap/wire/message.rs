//! Answers of a server (RFC 4511), checked as far as the library `ldap3` relies on their shape without checking it: it
//! panics at an answer that lacks what it expects. So every part that it takes apart is looked at here; the entries
//! themselves are read by `ldap::entry`.

use super::{
    ber::{self, Children, Element},
    fault::NotLdap,
};

const BOOLEAN: u8 = 0x01;
const INTEGER: u8 = 0x02;
const OCTET_STRING: u8 = 0x04;
const ENUMERATED: u8 = 0x0a;
const SEQUENCE: u8 = 0x30;
/// The tag of the controls of a message.
const CONTROLS: u8 = 0xa0;
/// The tag of the name of an extended response. Active Directory places it where controls belong, in its notices of
/// disconnection.
const RESPONSE_NAME: u8 = 0x8a;

/// What a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    BindResponse,
    SearchEntry,
    SearchDone,
    SearchReference,
    ExtendedResponse,
    Intermediate,
}

/// A message of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    /// The number of the request that it answers; 0 for none.
    pub(super) id: u32,
    /// What it is.
    pub(super) operation: Operation,
    /// How many elements it has.
    pub(super) elements: usize,
    parts: Element<'a>,
}

impl<'a> Message<'a> {
    /// Reads a whole message.
    ///
    /// # Errors
    /// [`NotLdap`].
    pub fn parse(bytes: &'a [u8]) -> Result<Self, NotLdap> {
        let (whole, elements) = ber::measured(bytes)?;
        if whole.tag != SEQUENCE {
            return Err(NotLdap("a message is not a SEQUENCE"));
        }
        let mut children = whole.children();
        let id = children.next().and_then(message_id).ok_or(NotLdap("a message has no number"))?;
        let parts = children.next().ok_or(NotLdap("a message has no operation"))?;
        let operation = operation(parts)?;
        let is_usable = match children.next() {
            None => true,
            Some(part) if part.tag == CONTROLS => part.children().all(is_control),
            Some(part) => part.tag == RESPONSE_NAME && operation == Operation::ExtendedResponse,
        };
        if !is_usable || children.next().is_some() {
            return Err(NotLdap("the controls of a message are malformed"));
        }
        Ok(Self { id, operation, elements, parts })
    }

    /// The code and the server's text of a response; 0 and nothing for other messages.
    pub(super) fn result(&self) -> (u32, String) {
        let mut members = self.parts.children();
        let code = members.next().and_then(|code| number(ENUMERATED, code)).unwrap_or_default();
        let text = members.nth(1).map(|text| String::from_utf8_lossy(text.content).into_owned());
        (code, text.unwrap_or_default())
    }
}

/// What a request is, as far as answers depend on it: its number, and the tag of the operation.
pub(super) fn request(bytes: &[u8]) -> Option<(u32, u8)> {
    let (whole, _) = Element::first(bytes).ok()?;
    let mut children = whole.children();
    Some((children.next().and_then(message_id)?, children.next()?.tag))
}

fn message_id(element: Element<'_>) -> Option<u32> {
    number(INTEGER, element).filter(|id| i32::try_from(*id).is_ok())
}

/// A number that is not negative.
fn number(tag: u8, element: Element<'_>) -> Option<u32> {
    let octets = element.content;
    let is_number = element.tag == tag && (1..=4).contains(&octets.len());
    let is_negative = octets.first().is_some_and(|first| *first >= 0x80);
    let number = || octets.iter().fold(0, |number, octet| number << 8 | u32::from(*octet));
    (is_number && !is_negative).then(number)
}

/// What a message is, if it has the parts that such a message must have.
fn operation(element: Element<'_>) -> Result<Operation, NotLdap> {
    let parts = element.children();
    let (operation, is_usable) = match element.tag {
        0x61 => (Operation::BindResponse, is_result(parts)),
        0x64 => (Operation::SearchEntry, is_entry(parts)),
        0x65 => (Operation::SearchDone, is_result(parts)),
        0x73 => (Operation::SearchReference, { parts }.all(is_text)),
        0x78 => (Operation::ExtendedResponse, is_result(parts)),
        0x79 => (Operation::Intermediate, true),
        _ => return Err(NotLdap("a message has an operation that is not an answer")),
    };
    if is_usable { Ok(operation) } else { Err(NotLdap("an answer lacks a part, or has a malformed one")) }
}

/// Whether these are the members of an `LDAPResult`, and those that responses have besides.
fn is_result(mut members: Children<'_>) -> bool {
    members.next().is_some_and(|code| number(ENUMERATED, code).is_some())
        && members.next().is_some_and(is_text)
        && members.next().is_some_and(is_text)
        && members.all(is_further_member)
}

/// Whether a member after the first three is usable. The library knows them by their numbers, whatever their class.
fn is_further_member(member: Element<'_>) -> bool {
    match member.number() {
        // Referrals.
        3 => member.is_constructed() && member.children().all(is_text),
        // Credentials of SASL, and the value of an extended response.
        7 | 11 => !member.is_constructed(),
        // The name of an extended response.
        10 => !member.is_constructed() && std::str::from_utf8(member.content).is_ok(),
        _ => true,
    }
}

/// Whether these are the name and the attributes of an entry.
fn is_entry(mut parts: Children<'_>) -> bool {
    parts.next().is_some_and(|name| name.tag == OCTET_STRING)
        && parts.next().is_some_and(|attributes| attributes.tag == SEQUENCE)
}

/// Whether it is a control: a type, whether it is critical, and a value.
fn is_control(control: Element<'_>) -> bool {
    let mut parts = control.children().peekable();
    let has_type = control.tag == SEQUENCE && parts.next().is_some_and(is_text);
    parts.next_if(|part| part.tag == BOOLEAN && part.content.len() == 1);
    parts.next_if(|part| part.tag == OCTET_STRING);
    has_type && parts.next().is_none()
}

fn is_text(element: Element<'_>) -> bool {
    element.tag == OCTET_STRING && std::str::from_utf8(element.content).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ldap::wire::{ber::tests::element, frame};
    use ldap3::{LdapConnAsync, LdapConnSettings, Scope, StdStream};
    use proptest::{collection::vec, option, prelude::*, sample::Index};
    use tokio::io::AsyncWriteExt as _;

    const EMPTY_RESULT: &[u8] = &[ENUMERATED, 1, 0, OCTET_STRING, 0, OCTET_STRING, 0];

    /// Message 1 with an operation, and what follows it.
    fn message(tag: u8, content: &[u8], rest: &[u8]) -> Vec<u8> {
        element(SEQUENCE, &[&[INTEGER, 1, 1], &element(tag, content)[..], rest].concat())
    }

    fn elements(parts: &[(u8, Vec<u8>)]) -> Vec<u8> {
        parts.iter().flat_map(|(tag, content)| element(*tag, content)).collect()
    }

    fn small() -> impl Strategy<Value = Vec<u8>> {
        vec(prop_oneof![Just(0), Just(1), Just(4), Just(0x30), any::<u8>()], 0..6)
    }

    prop_compose! {
        fn result()(
            code in 0..100_u8,
            texts in ("[a-я]{0,9}", "[a-я]{0,200}"),
            referrals in option::of(vec("[a-z]{0,9}", 0..3)),
            others in vec((prop_oneof![Just(0x87), Just(0x8b)], small()), 0..2),
        ) -> Vec<u8> {
            let text = |text: String| element(OCTET_STRING, text.as_bytes());
            let referrals = referrals.map(|all| element(0xa3, &all.into_iter().flat_map(text).collect::<Vec<_>>()));
            let first = [element(ENUMERATED, &[code]), text(texts.0), text(texts.1)].concat();
            [first, referrals.unwrap_or_default(), elements(&others)].concat()
        }
    }

    fn entry() -> impl Strategy<Value = Vec<u8>> {
        let attribute = ("[a-z]{1,9}", vec(vec(any::<u8>(), 0..300), 0..4)).prop_map(|(name, values)| {
            let values: Vec<_> = values.iter().flat_map(|value| element(OCTET_STRING, value)).collect();
            element(SEQUENCE, &[element(OCTET_STRING, name.as_bytes()), element(0x31, &values)].concat())
        });
        ("[a-z=,]{0,200}", vec(attribute, 0..4)).prop_map(|(name, attributes)| {
            [element(OCTET_STRING, name.as_bytes()), element(SEQUENCE, &attributes.concat())].concat()
        })
    }

    fn operation() -> impl Strategy<Value = (u8, Vec<u8>)> {
        let references = vec("[a-z]{0,9}", 0..3)
            .prop_map(|all| all.iter().flat_map(|uri| element(OCTET_STRING, uri.as_bytes())).collect());
        prop_oneof![
            (Just(0x61), result()),
            (Just(0x64), entry()),
            (Just(0x65), result()),
            (Just(0x73), references),
            (Just(0x78), result()),
            (Just(0x79), small().prop_map(|value| element(0x81, &value))),
        ]
    }

    fn controls() -> impl Strategy<Value = Vec<u8>> {
        let control = ("[0-9.]{0,9}", option::of(any::<bool>()), option::of(small()));
        let control = control.prop_map(|(kind, critical, value)| {
            let critical = critical.map(|critical| element(BOOLEAN, &[u8::from(critical)]));
            let value = value.map(|value| element(OCTET_STRING, &value));
            let kind = element(OCTET_STRING, kind.as_bytes());
            element(SEQUENCE, &[kind, critical.unwrap_or_default(), value.unwrap_or_default()].concat())
        });
        option::of(vec(control, 0..3))
            .prop_map(|all| all.map(|all| element(CONTROLS, &all.concat())).unwrap_or_default())
    }

    fn valid() -> impl Strategy<Value = Vec<u8>> {
        (operation(), controls()).prop_map(|((tag, content), controls)| message(tag, &content, &controls))
    }

    /// Lets the library ask for something that a message answers, and answers.
    async fn library_reads(bytes: Vec<u8>, operation: Operation) {
        let (ours, theirs) = std::os::unix::net::UnixStream::pair().unwrap();
        ours.set_nonblocking(true).unwrap();
        let mut ours = tokio::net::UnixStream::from_std(ours).unwrap();
        let settings = LdapConnSettings::new().set_std_stream(StdStream::Unix(theirs));
        let (connection, mut ldap) = LdapConnAsync::with_settings(settings, "ldapi:///").await.unwrap();
        let driven = tokio::spawn(connection.drive());
        let asked = tokio::spawn(async move {
            if operation == Operation::BindResponse {
                let _ = ldap.simple_bind("cn=a", "b").await;
            } else {
                let mut found = ldap.streaming_search("", Scope::Base, "(a=b)", vec!["c"]).await.unwrap();
                while let Ok(Some(_)) = found.next().await {}
                found.finish().await;
            }
        });
        frame::read(&mut ours).await.unwrap();
        ours.write_all(&bytes).await.unwrap();
        drop(ours);
        assert!(asked.await.is_ok() && driven.await.is_ok(), "{bytes:x?}");
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

        #[test]
        fn valid_messages_pass(bytes in valid()) {
            let read = Message::parse(&bytes);
            prop_assert!(read.is_ok_and(|message| message.id == 1), "{bytes:x?}");
        }

        #[test]
        fn no_bytes_panic(bytes in vec(any::<u8>(), 0..64)) {
            let _ = Message::parse(&bytes);
            let _ = request(&bytes);
        }

        #[test]
        fn the_library_does_not_panic_at_what_passes(
            bytes in valid(),
            changes in vec((any::<Index>(), prop_oneof![0..0x10_u8, 0x80..0x90_u8, 0xa0..0xb0_u8, any::<u8>()]), 0..4),
        ) {
            let mut bytes = bytes;
            for (place, byte) in changes {
                *place.get_mut(&mut bytes) = byte;
            }
            if let Ok(message) = Message::parse(&bytes)
                && message.id == 1
                && message.operation != Operation::ExtendedResponse
            {
                let operation = message.operation;
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                runtime.block_on(library_reads(bytes.clone(), operation));
            }
        }
    }

    #[test]
    fn the_result_of_a_response_is_read() {
        let result =
            [&[ENUMERATED, 1, 52][..], &element(OCTET_STRING, b""), &element(OCTET_STRING, b"no TLS")];
        let bytes = message(0x78, &result.concat(), &[]);
        assert_eq!(Message::parse(&bytes).unwrap().result(), (52, "no TLS".to_owned()));
        assert_eq!(request(&message(0x63, b"", b"")), Some((1, 0x63)));
    }

    #[test]
    fn notices_of_active_directory_are_read() {
        let notice = message(0x78, EMPTY_RESULT, &element(RESPONSE_NAME, b"1.3.6.1.4.1.1466.20036"));
        assert_eq!(Message::parse(&notice).unwrap().operation, Operation::ExtendedResponse);
        assert!(Message::parse(&message(0x65, EMPTY_RESULT, &element(RESPONSE_NAME, b"1"))).is_err());
    }

    #[test]
    fn messages_that_lack_a_part_are_refused() {
        let control = |parts: &[u8]| element(CONTROLS, &element(SEQUENCE, parts));
        for bytes in [
            vec![SEQUENCE, 0],
            vec![SEQUENCE, 3, INTEGER, 1, 1],
            element(SEQUENCE, &[&[INTEGER, 1, 0xff], &element(0x65, EMPTY_RESULT)[..]].concat()),
            element(SEQUENCE, &[&[INTEGER, 0], &element(0x65, EMPTY_RESULT)[..]].concat()),
            message(0x61, b"", b""),
            message(0x65, &EMPTY_RESULT[..5], b""),
            message(0x65, &[ENUMERATED, 1, 0, OCTET_STRING, 0, OCTET_STRING, 1, 0xff], b""),
            message(0x65, &[EMPTY_RESULT, &[0x83, 0]].concat(), b""),
            message(0x65, &[EMPTY_RESULT, &[0xab, 0]].concat(), b""),
            message(0x64, b"", b""),
            message(0x73, &[OCTET_STRING, 1, 0xff], b""),
            message(0x63, b"", b""),
            message(0x25, EMPTY_RESULT, b""),
            message(0x65, EMPTY_RESULT, &control(&[])),
            message(0x65, EMPTY_RESULT, &control(&[OCTET_STRING, 0, BOOLEAN, 0])),
            message(0x65, EMPTY_RESULT, &control(&[OCTET_STRING, 0, INTEGER, 1, 0])),
            message(0x65, EMPTY_RESULT, &element(CONTROLS, &[OCTET_STRING, 0])),
            message(0x65, EMPTY_RESULT, &[OCTET_STRING, 0]),
        ] {
            assert!(Message::parse(&bytes).is_err(), "{bytes:x?}");
        }
    }
}
