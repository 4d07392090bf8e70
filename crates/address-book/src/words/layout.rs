//! Texts typed on the wrong one of two keyboard layouts, ЙЦУКЕН and QWERTY: the intended text.

use unicode_normalization::UnicodeNormalization;

/// The keys that have a Cyrillic letter: their characters on QWERTY without and with shift, and that letter.
const KEYS: [(char, char, char); 33] = [
    ('`', '~', 'ё'),
    ('q', 'Q', 'й'),
    ('w', 'W', 'ц'),
    ('e', 'E', 'у'),
    ('r', 'R', 'к'),
    ('t', 'T', 'е'),
    ('y', 'Y', 'н'),
    ('u', 'U', 'г'),
    ('i', 'I', 'ш'),
    ('o', 'O', 'щ'),
    ('p', 'P', 'з'),
    ('[', '{', 'х'),
    (']', '}', 'ъ'),
    ('a', 'A', 'ф'),
    ('s', 'S', 'ы'),
    ('d', 'D', 'в'),
    ('f', 'F', 'а'),
    ('g', 'G', 'п'),
    ('h', 'H', 'р'),
    ('j', 'J', 'о'),
    ('k', 'K', 'л'),
    ('l', 'L', 'д'),
    (';', ':', 'ж'),
    ('\'', '"', 'э'),
    ('z', 'Z', 'я'),
    ('x', 'X', 'ч'),
    ('c', 'C', 'с'),
    ('v', 'V', 'м'),
    ('b', 'B', 'и'),
    ('n', 'N', 'т'),
    ('m', 'M', 'ь'),
    (',', '<', 'б'),
    ('.', '>', 'ю'),
];

/// The texts that may have been intended, in lower case: if the text has Latin letters, all of it on the Cyrillic
/// layout; if it has Cyrillic letters, all of it on the Latin layout.
pub(crate) fn other_readings(text: &str) -> impl Iterator<Item = String> {
    let text: String = text.nfc().collect();
    let cyrillic = text.contains(|c: char| c.is_ascii_alphabetic()).then(|| mapped(&text, to_cyrillic));
    let latin = text.contains(|c| to_latin(c).is_some()).then(|| mapped(&text, to_latin));
    cyrillic.into_iter().chain(latin)
}

fn mapped(text: &str, key: impl Fn(char) -> Option<char>) -> String {
    text.chars().map(|c| key(c).unwrap_or(c)).collect()
}

fn to_cyrillic(typed: char) -> Option<char> {
    KEYS.iter().find(|(plain, shifted, _)| typed == *plain || typed == *shifted).map(|key| key.2)
}

fn to_latin(typed: char) -> Option<char> {
    let typed = typed.to_lowercase().next()?;
    KEYS.iter().find(|(.., letter)| typed == *letter).map(|key| key.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn readings(text: &str) -> Vec<String> {
        other_readings(text).collect()
    }

    #[test]
    fn keys_are_read_on_the_other_layout() {
        assert_eq!(readings("Bdfyjd"), ["иванов"]);
        assert_eq!(readings("ШМФТЩМ"), ["ivanov"]);
        assert_eq!(readings(";erjd {h.if"), ["жуков хрюша"]);
        assert_eq!(readings("`kz"), ["ёля"]);
    }

    #[test]
    fn a_decomposed_letter_is_one_key() {
        assert_eq!(readings("и\u{306}"), ["q"]);
    }

    #[test]
    fn a_mixed_text_is_read_in_both_directions() {
        assert_eq!(readings("иван bdfyjd"), ["иван иванов", "bdfy bdfyjd"]);
    }

    #[test]
    fn a_text_without_letters_has_no_other_reading() {
        assert!(readings("12 ., []").is_empty());
    }
}
