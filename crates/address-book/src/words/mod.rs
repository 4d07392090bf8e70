//! How texts are compared: without letter case, with ё as е, however their accents are composed; and how they are cut
//! into words.

pub(crate) mod index;
pub(crate) mod layout;
mod set;
mod translit;

use std::borrow::Cow;
use unicode_normalization::UnicodeNormalization;

/// Longest word in characters; the rest of a longer one counts for nothing. No part of an address is longer before its
/// `@` (RFC 5321 section 4.5.3.1.1), nor any label after it.
pub(crate) const MAX_WORD: usize = 64;

/// A text in the form that is compared: normalised (NFKC), in lower case, ё as е, and without the accents that are no
/// part of a letter, such as a stress mark.
pub(crate) fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for letter in text.chars() {
        let Some(lower) = plain(letter) else { return fold_any(text) };
        folded.push(lower);
    }
    folded
}

/// Most letters there are: ASCII and Russian ones. Nothing is to be composed among them.
fn plain(letter: char) -> Option<char> {
    match letter {
        '\0'..='\x7f' => Some(letter.to_ascii_lowercase()),
        'а'..='я' => Some(letter),
        'А'..='Я' => char::from_u32(u32::from(letter) + 0x20),
        'Ё' | 'ё' => Some('е'),
        _ => None,
    }
}

fn fold_any(text: &str) -> String {
    text.nfkc().flat_map(char::to_lowercase).filter(|c| !is_accent(*c)).map(without_dots).collect()
}

const fn without_dots(c: char) -> char {
    if c == 'ё' { 'е' } else { c }
}

/// Combining diacritical marks: those that NFKC found no letter to compose with.
const fn is_accent(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}')
}

/// The words of a folded text: letters and digits; everything else separates.
pub(crate) fn cut(folded: &str) -> impl Iterator<Item = &str> {
    folded.split(|c: char| !is_of_word(c)).filter(|word| !word.is_empty()).map(shortened)
}

/// Whether a character is a letter or a digit.
pub(crate) fn is_of_word(c: char) -> bool {
    matches!(c, 'a'..='z' | '0'..='9' | 'а'..='я')
        || (!c.is_ascii() && c.is_alphanumeric())
        || c.is_ascii_uppercase()
}

fn shortened(word: &str) -> &str {
    let end = if word.len() > MAX_WORD { word.char_indices().nth(MAX_WORD) } else { None };
    end.and_then(|(end, _)| word.get(..end)).unwrap_or(word)
}

/// The words that a folded text is found by, each once, in order: its own, and the Cyrillic ones in Latin letters too.
pub(crate) fn found_by(folded: &str) -> Vec<Cow<'_, str>> {
    let mut words: Vec<Cow<'_, str>> = Vec::new();
    for word in cut(folded) {
        if let Some(latin) = translit::to_latin(word) {
            words.push(Cow::Owned(shortened(&latin).to_owned()));
        }
        words.push(Cow::Borrowed(word));
    }
    words.sort_unstable();
    words.dedup();
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letter_case_and_the_dots_of_yo_do_not_count() {
        assert_eq!(fold("Семён ПЁТР"), "семен петр");
        assert_eq!(fold("Anna@EXAMPLE.com"), "anna@example.com");
    }

    #[test]
    fn combining_characters_compose() {
        assert_eq!(fold("Сергеи\u{306}"), "сергей");
        assert_eq!(fold("Се\u{308}мин"), "семин");
        assert_eq!(fold("Ива\u{301}нов"), "иванов");
        assert_eq!(fold("ﬁ Ａ"), "fi a");
    }

    #[test]
    fn words_are_letters_and_digits() {
        let words: Vec<_> = cut("anna.petrova-2@mail.example, о'нил").collect();
        assert_eq!(words, ["anna", "petrova", "2", "mail", "example", "о", "нил"]);
        assert_eq!(cut(" .,;—№@ ").count(), 0);
        let long = "я".repeat(100);
        assert_eq!(cut(&long).next().map(|word| word.chars().count()), Some(MAX_WORD));
    }

    #[test]
    fn cyrillic_words_are_found_in_latin_letters_too() {
        assert_eq!(found_by("иван ivan шевченко"), ["ivan", "shevchenko", "иван", "шевченко"]);
    }
}
