//! Latin letters with accents, and Latin letters outside ASCII, in plain letters: without the accent (`muller`,
//! `simek`), and as people write them without such a key (`mueller`, `shimek`).

use unicode_normalization::char::decompose_canonical;

/// Letters with a two-letter form, or without a decomposition: the letter, the plain one, and the longer form.
const LETTERS: [(char, &str, &str); 33] = [
    ('ä', "a", "ae"),
    ('ö', "o", "oe"),
    ('ü', "u", "ue"),
    ('å', "a", "aa"),
    ('æ', "ae", "a"),
    ('ø', "o", "oe"),
    ('œ', "oe", "o"),
    ('ß', "ss", "sz"),
    ('đ', "d", "dj"),
    ('ð', "d", "dh"),
    ('þ', "th", "t"),
    ('ħ', "h", "h"),
    ('ı', "i", "i"),
    ('ł', "l", "l"),
    ('ŋ', "n", "ng"),
    // Slavic languages in Latin letters, and ISO 9.
    ('č', "c", "ch"),
    ('ć', "c", "ch"),
    ('š', "s", "sh"),
    ('ś', "s", "sh"),
    ('ŝ', "s", "sh"),
    ('ž', "z", "zh"),
    ('ż', "z", "zh"),
    ('ź', "z", "zh"),
    ('ě', "e", "ye"),
    ('ň', "n", "ni"),
    ('ŭ', "u", "v"),
    ('û', "u", "yu"),
    ('â', "a", "ya"),
    // Turkish.
    ('ç', "c", "ch"),
    ('ş', "s", "sh"),
    ('ğ', "g", "gh"),
    ('ș', "s", "sh"),
    ('ț', "t", "ts"),
];

/// A word in plain letters, in both forms, without duplicates; nothing if no letter has to be replaced.
pub(super) fn plain(word: &str) -> impl Iterator<Item = String> {
    let short = replaced(word, |(_, short, _)| short);
    let long = replaced(word, |(.., long)| long).filter(|long| Some(long) != short.as_ref());
    short.into_iter().chain(long)
}

fn replaced(word: &str, form: impl Fn((char, &'static str, &'static str)) -> &'static str) -> Option<String> {
    if word.is_ascii() {
        return None;
    }
    let mut plain = String::with_capacity(word.len() + 4);
    for letter in word.chars() {
        match LETTERS.iter().find(|entry| entry.0 == letter) {
            Some(entry) => plain.push_str(form(*entry)),
            None => plain.push(without_accents(letter)),
        }
    }
    (plain != word).then_some(plain)
}

/// A Latin letter without its accents; other letters are unchanged.
fn without_accents(letter: char) -> char {
    if letter.is_ascii() {
        return letter;
    }
    let mut base = None;
    decompose_canonical(letter, |part| base = base.or(Some(part)));
    base.filter(char::is_ascii_alphabetic).unwrap_or(letter)
}

/// Whether a word has a Latin letter, so that its spelling can vary.
pub(super) fn has_letters(word: &str) -> bool {
    word.bytes().any(|byte| byte.is_ascii_lowercase()) || word.chars().any(is_accented)
}

fn is_accented(letter: char) -> bool {
    !letter.is_ascii() && (LETTERS.iter().any(|entry| entry.0 == letter) || without_accents(letter) != letter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accents_are_left_out_or_written_out() {
        for (word, expected) in [
            ("josé", &["jose"][..]),
            ("müller", &["muller", "mueller"]),
            ("søren", &["soren", "soeren"]),
            ("łukasz", &["lukasz"]),
            ("strauß", &["strauss", "strausz"]),
            ("dvořák", &["dvorak"]),
            ("šimek", &["simek", "shimek"]),
            ("nguyễn", &["nguyen"]),
            ("ûliâ", &["ulia", "yuliya"]),
            ("jose", &[]),
            ("иванов", &[]),
            ("сергей", &[]),
        ] {
            assert_eq!(plain(word).collect::<Vec<_>>(), expected, "{word}");
        }
    }

    #[test]
    fn letters_are_latin_with_and_without_accents() {
        for word in ["ivan", "ø", "é", "иван x"] {
            assert!(has_letters(word), "{word}");
        }
        for word in ["иван", "й", "42", "γιώργος"] {
            assert!(!has_letters(word), "{word}");
        }
    }
}
