//! Whatever bytes come as an answer of an LDAP source, the check does not panic, and the library's parser reads all of
//! those that pass.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sources::ldap::wire::Message;

fuzz_target!(|bytes: &[u8]| {
    if Message::parse(bytes).is_ok() {
        let (rest, _) = lber::parse::parse_tag(bytes).expect("what passes can be parsed");
        assert!(rest.is_empty());
    }
});
