//! How texts are compared when people search, sort and set conditions: without letter case, with ё as е, and however
//! their accents are composed. Every list, the address book, its suggestions and the dynamic lists use this one form.

use crate::address::in_own_letters;
use unicode_normalization::UnicodeNormalization;

/// A text in the compared form: normalised (NFKC), in lower case, with ё as е, and without accents that are not part of
/// a letter, such as a stress mark.
#[must_use]
pub fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for letter in text.chars() {
        let Some(lower) = plain(letter) else { return fold_any(text) };
        folded.push(lower);
    }
    folded
}

/// Most letters are ASCII or Russian, and need no composition.
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
    text.nfkc().flat_map(char::to_lowercase).filter(|c| !is_accent(*c)).map(without_form).collect()
}

/// One letter for all forms of a letter: ё is sorted and found as е, and a final sigma as a sigma within a word.
const fn without_form(c: char) -> char {
    match c {
        'ё' => 'е',
        'ς' => 'σ',
        c => c,
    }
}

/// Combining diacritical marks that NFKC could not compose with a letter.
const fn is_accent(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}')
}

/// An address with its domain in its own script, or a domain alone, folded: the second form that searches match. `None`
/// if the domain has no A-labels.
#[must_use]
pub fn fold_in_own_letters(address: &str) -> Option<String> {
    in_own_letters(address).map(|shown| fold(&shown))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn letter_case_and_the_dots_of_yo_do_not_count() {
        assert_eq!(fold("Семён ПЁТР"), "семен петр");
        assert_eq!(fold("Anna@EXAMPLE.com"), "anna@example.com");
        assert_eq!(fold("ΓΙΏΡΓΟΣ"), fold("γιώργος"));
    }

    #[test]
    fn combining_characters_compose() {
        assert_eq!(fold("Сергеи\u{306}"), "сергей");
        assert_eq!(fold("Се\u{308}мин"), "семин");
        assert_eq!(fold("Ива\u{301}нов"), "иванов");
        assert_eq!(fold("ﬁ Ａ"), "fi a");
    }

    #[test]
    fn an_international_domain_has_a_second_form() {
        let folded = fold_in_own_letters("ivan@xn--e1afmkfd.xn--p1ai");
        assert_eq!(folded.as_deref(), Some("ivan@пример.рф"));
        assert_eq!(fold_in_own_letters("ivan@example.com"), None);
    }

    proptest! {
        #[test]
        fn composed_and_decomposed_texts_fold_alike(text in ".{0,20}") {
            let decomposed: String = text.nfd().collect();
            let composed: String = text.nfc().collect();
            prop_assert_eq!(fold(&decomposed), fold(&composed));
        }
    }
}
