//! A name that reads must print to a text that reads to the same name, and prints alike.
#![no_main]

use ldap_text::Dn;
use ldap_text::dn::MAX_DN_LENGTH;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    // A byte prints as three characters at most; longer names may print over the limit.
    if text.len() > MAX_DN_LENGTH / 3 {
        return;
    }
    let Ok(name) = Dn::parse(text) else { return };
    let printed = name.to_string();
    assert!(!printed.chars().any(char::is_control));
    let again = Dn::parse(&printed).expect("what was printed must read");
    assert_eq!(again, name);
    assert_eq!(again.to_string(), printed);
    assert!(again.is_within(&name) && name.is_within(&again));
});
