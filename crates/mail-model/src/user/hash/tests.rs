//! Hashes of `Correct-Horse-7` by `pwdhash` of 389-ds 2.3, `crypt(3)` and passlib, complete and truncated.

use super::*;
use proptest::prelude::*;

/// Hashes in which each octet matters.
const WHOLE: [&str; 20] = [
    "{crypt}Kf44cUS7YvTSo",
    "{crypt}$1$5A$e1MBKZShVKK17oav.eJ/R.",
    "{CRYPT}$5$rounds=2000$abcdefgh$hn8oEYunO053xoPdU3nECl.A85KocgeEoCXtJfoZw9A",
    "{CRYPT-SHA512}$6$6l$YcEBkOh0Nfouvpez7Pn1vryAppWxHD.Dagx1iyhpOr2hdyk25bTbmUMkBvyiOJRpIJpmTm7hbxLL6MPVI64Sr/",
    "{CRYPT}$2b$05$abcdefghijklmnopqrstuuprk/rqhgcPTYTHLq52sX1mIsVNYyi5u",
    "{CRYPT}$y$j9T$abcdefgh$UW91CA4iFUxEp5zvsysGsQFOGocmK82.ujmsMUFNLr3",
    "{GOST_YESCRYPT}$gy$j9T$xfhyd/9z51PzpEr8b8UnC.$2dO85l4IVfdnL6mYN1Ef.YLaR6R8J9Dldtl/bFaolqC",
    "{MD5}6/KrU3R6IkC+y1BO7NbXZw==",
    "{SMD5}TnvXNICaA43k5QkHlXNi+VOK6zA=",
    "{NS-MTA-MD5}0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    "{SHA}TLspgFVGAV7yl/kwgQgTK0CCpa0=",
    "{SHA256}FCRTjNDR/ryqIuPS5oLaDnWLia8av+d1lmzwalZ+FqY=",
    "{SHA384}biD5BD/olak6ULLJ99s6vqtSH+CbTtcc1ncrvNOGPyQd0bNOgxzxnvzojSM7F1u0",
    "{SHA512}2Ign6P1jke79Bt+JA5SmjoGxMWNROsMrWYST0G5vNKCC3r9KHNFb+daXVyinI376AVaIZ1EhXCWLUreOQXWJog==",
    "{PBKDF2-SHA1}10000$atSVwvHjG44dLOMo4qlyrW3u1/L6TrgF$6FMC8mlX7pb1DnY8PiVW0PBLHUk=",
    "{PBKDF2-SHA256}10000$kVCOnr6kgVjk7fDgz8+P2m0Tw1oB2VTs$e//Vpb+9hUQdEVCk1tg8qyDDbxWLzau+Yc4PBBLbQoE=",
    "{PBKDF2-SHA512}10000$7lAqdGRGlXxm7uSMENI7+fZEgfv0kmXP$W+oRRUSk6qvy+hvmlbMsLkG+heTRYQDSTF3WnOIMnVbuX4K5wr2xO4Cc3IpXftelTRZ6EEETGwR1U/1EyxC6EA==",
    "{PBKDF2}10000$IlfapjA351LuDSwYC0IQ8Q$saHqQTuYnjJN/tmAndT.8mJt.6w",
    "{PBKDF2-SHA512}10000$Je1Uw19Bfv5lArzZ6V3EPw$g4T/1sqBUYWl9o93MVnyQ/8zKGSkPbKaXXsT8WmysXQJhWy8MRP2JFudSL.N9RklQYgDPxPjnfum/F2f/TrppA",
    "{PBKDF2_SHA256}AAAgAF2mqHw4TH0vv3dqJGkkJDdiXKvrGHfpjzJk7pIN5G+uj0kaKYRtLQtwd6ZlPTWq4lTHMkQUmQPyyq5q+hKuVpVydm0S73nhyg3XfUYxZSFqNBCEl4cYzSg/vfD7FDqI0pu1OPlXj6p1Vn1bsHHs1bmdfHhnH8xJsgJIXES53H+T/4lIFmfRCYtnAVkYhlr4UN0XetpyuunSr5DKTd5ldsPzYah+wI1qXK6hUXkefM4nBpyj+TWzJkjIAdgc/YjZo5WZn7ENSe9nDWolN2mx29FuUXMls0NqhgyAcl9jQhOMpcyIzMaJ7mbCRCQCxXvIrlo5UKhQQRG0id24r4RZ40toIohNn+0A1UA5yPl/g/M0xa6VuUjtw14OQkrSQN84PdsHNv55NPXwZJx3A99ac0L8jwC9pgzNQVDlqsZ0Xmy0",
];

/// Hashes with a salt after the digest. 389-ds accepts a salt of any length, so a hash with a truncated salt looks
/// complete; it matches no password. The numbers are the characters of the digest.
const SALTED: [(&str, usize); 4] = [
    ("{SSHA}YktcjVOD5CMtmO097Ot8XF18faWq2i5UVCZOfg==", 28),
    ("{SSHA256}sLb7OWbjqDRotoVaj9uYiXAGbgKqprFfnW4LzRqsJTm24rAfd3NbIg==", 44),
    ("{SSHA384}WzqfRiUddAgNRp81tegCdyVEG6vSSr5x99EIbOxW84M9uuH3uC6bLEvRkD/Y2gtLNzPd77Dsq7Q=", 64),
    (
        "{SSHA512}WIeuIOJz1SFtDem0y1+BFVtlBgPqlGSuQtAKPU2sfVXAKc1jSfM9iW7oR0QFPr52tp+/1tlQf+XEe4Az+pY0/Mpi0itcYSjc",
        88,
    ),
];

fn is_hash(text: &str) -> bool {
    matches!(read(text.as_bytes()), Ok(Stored::Hash(_)))
}

fn whole() -> impl Iterator<Item = &'static str> {
    WHOLE.into_iter().chain(SALTED.map(|(hash, _)| hash))
}

#[test]
fn what_servers_make_is_whole_however_its_scheme_is_spelled() {
    for hash in whole().chain(["{CLEAR}Correct-Horse-7", "{SHA}TLspgFVGAV7yl/kwgQgTK0CCpa0=\n"]) {
        assert!(is_hash(hash), "{hash}");
        let (scheme, rest) = split(hash).unwrap();
        for scheme in [scheme.to_ascii_lowercase(), scheme.to_ascii_uppercase()] {
            assert!(is_hash(&format!("{{{scheme}}}{rest}")), "{scheme}");
        }
    }
}

#[test]
fn a_hash_that_is_cut_anywhere_is_refused() {
    for hash in WHOLE {
        // Padding, which passlib omits, is not part of the digest.
        let is_padded = !hash.contains("PBKDF2");
        let least = if is_padded { hash.len() } else { hash.trim_end_matches('=').len() };
        for length in 2..least {
            assert!(read(&hash.as_bytes()[..length]).is_err(), "{}", &hash[..length]);
        }
    }
    for (hash, digest) in SALTED {
        let least = hash.find('}').unwrap() + 1 + digest;
        for length in 2..least {
            assert!(read(&hash.as_bytes()[..length]).is_err(), "{}", &hash[..length]);
        }
    }
    assert_eq!(read(b"{PBKDF2-SH"), Err(Flaw::Unclosed));
    assert_eq!(read(b"{PBKDF2-SHA512}10000$c2FsdHNhbHQ=$"), Err(Flaw::NotWhole("PBKDF2-SHA512")));
}

#[test]
fn a_hash_with_anything_behind_it_or_in_it_is_refused() {
    for hash in whole() {
        for more in ["a", "===", "$", "\0", " ", "$aaaa"] {
            assert!(read(format!("{hash}{more}").as_bytes()).is_err(), "{hash}{more}");
        }
        for foreign in ["\0", " ", "-", "ж", "\n"] {
            let mut spoilt = hash.to_owned();
            spoilt.replace_range(hash.len() - 6..hash.len() - 5, foreign);
            assert!(read(spoilt.as_bytes()).is_err(), "{spoilt}");
        }
        let bytes = [hash.as_bytes(), b"\xff"].concat();
        assert_eq!(read(&bytes), Err(Flaw::NotText));
    }
}

#[test]
fn digests_and_salts_of_other_lengths_are_refused() {
    let sha = |scheme: &str, octets: usize| format!("{{{scheme}}}{}", "AAAA".repeat(octets / 3));
    for hash in [
        // Ten octets of a digest and a salt, as Directory Server 4.0 wrote them; 389-ds still accepts them.
        sha("SHA", 18),
        sha("SSHA512", 63),
        sha("SSHA", 21),
        sha("SSHA", 20 + 67),
        sha("SMD5", 15),
        sha("MD5", 18),
        sha("PBKDF2_SHA256", 327),
        "{SMD5}AAAAAAAAAAAAAAAAAAAAAA==".to_owned(),
        "{SSHA}TLspgFVGAV7yl/kwgQgTK0CCpa0=".to_owned(),
        "{PBKDF2}10000$c2FsdA$saHqQTuYnjJN/tmAndT.8mJt.6w".to_owned(),
        "{PBKDF2}10000$$saHqQTuYnjJN/tmAndT.8mJt.6w".to_owned(),
        "{PBKDF2-SHA256}10000$IlfapjA351LuDSwYC0IQ8Q$saHqQTuYnjJN/tmAndT.8mJt.6w".to_owned(),
        "{CRYPT}$1$$e1MBKZShVKK17oav.eJ/R.".to_owned(),
        "{CRYPT}$1$123456789$e1MBKZShVKK17oav.eJ/R.".to_owned(),
        "{CRYPT}_J9..saltabcdefghijk".to_owned(),
        "{CRYPT}$7$CU..../....salt$hash".to_owned(),
        "{CLEAR}".to_owned(),
        "{CLEAR}\0a".to_owned(),
    ] {
        assert!(matches!(read(hash.as_bytes()), Err(Flaw::NotWhole(_))), "{hash}");
    }
}

#[test]
fn rounds_are_numbers_within_bounds() {
    let pbkdf2 =
        |rounds: &str| format!("{{PBKDF2}}{rounds}$IlfapjA351LuDSwYC0IQ8Q$saHqQTuYnjJN/tmAndT.8mJt.6w");
    for rounds in ["1000", "10000000"] {
        assert!(is_hash(&pbkdf2(rounds)), "{rounds}");
    }
    for rounds in ["", "0", "999", "+10000", "-1", "1e4", " 10000"] {
        assert_eq!(read(pbkdf2(rounds).as_bytes()), Err(Flaw::NotWhole("PBKDF2")), "{rounds}");
    }
    let sha2 = |rounds: &str| format!("{{CRYPT}}$6$rounds={rounds}$salt${}", "a".repeat(86));
    let bcrypt = |cost: &str| format!("{{CRYPT}}$2b${cost}${}", "a".repeat(53));
    for hash in [
        pbkdf2("10000001"),
        pbkdf2("99999999999999999999"),
        sha2("999999999"),
        bcrypt("17"),
        bcrypt("31"),
        format!("{{PBKDF2_SHA256}}//////{}", "A".repeat(426)),
    ] {
        assert_eq!(read(hash.as_bytes()), Err(Flaw::TooCostly), "{hash}");
    }
    for hash in [sha2(""), sha2("+5000"), bcrypt("5"), bcrypt("03"), bcrypt("+5")] {
        assert_eq!(read(hash.as_bytes()), Err(Flaw::NotWhole("CRYPT")), "{hash}");
    }
}

#[test]
fn what_begins_like_no_scheme_is_a_password() {
    for password in ["Correct-Horse-7", "", "{", "{1}", "{ a", " {SSHA}x", "x{SSHA}y"] {
        let is_unknown = password == "{1}";
        assert_eq!(read(password.as_bytes()).is_err(), is_unknown, "{password}");
    }
    assert_eq!(read(b"\xff\xfe"), Ok(Stored::Clear(b"\xff\xfe")));
    assert_eq!(read(b"{ROT13}grfg"), Err(Flaw::UnknownScheme("ROT13".to_owned())));
    assert_eq!(read(b"{SSHA\xff"), Err(Flaw::NotText));
}

proptest! {
    #[test]
    fn whatever_stands_behind_a_scheme_is_read_without_a_panic(place in 0..OF_389_DS.len(), rest in ".{0,120}") {
        let _read = read(format!("{{{}}}{rest}", OF_389_DS[place]).as_bytes());
    }
}
