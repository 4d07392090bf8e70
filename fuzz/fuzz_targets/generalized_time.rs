//! A time that reads must print to a text that reads to the same time, to the millisecond.
#![no_main]

use jiff::{RoundMode, TimestampRound, Unit};
use ldap_text::generalized_time::{parse, print};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let Ok(time) = parse(text) else { return };
    let printed = print(time);
    let again = parse(&printed).expect("what was printed must read");
    let rounding = TimestampRound::new().smallest(Unit::Millisecond).mode(RoundMode::Floor);
    assert_eq!(again, time.round(rounding).expect("a time in the years that can be printed"));
    assert_eq!(print(again), printed);
});
