//! The texts that people type to find a person, letter by letter: the display name, the name in the address, and both
//! of them on the wrong keyboard layout.

use crate::people::full_names;

/// The letter keys of a keyboard in English and in Russian.
const LATIN: &str = "`qwertyuiop[]asdfghjkl;'zxcvbnm,.";
const CYRILLIC: &str = "ёйцукенгшщзхъфывапролджэячсмитьбю";
/// The number of typed names.
const NAMES: usize = 1024;
/// The distance between two of them; coprime to the numbers of first and last names.
const STRIDE: usize = 7919;

/// The text after each keystroke, name after name.
pub(super) fn keystrokes(users: usize) -> Vec<String> {
    let names = (0..NAMES).flat_map(|index| {
        let [shown, latin] = full_names(index * STRIDE % users.max(1));
        match index % 4 {
            0 => begun(&shown),
            1 => begun(&latin),
            2 => begun(&on_wrong_layout(&shown)),
            _ => begun(&on_wrong_layout(&latin)),
        }
    });
    names.collect()
}

/// The prefixes of a text.
fn begun(text: &str) -> Vec<String> {
    let ends = text.char_indices().map(|(at, letter)| at + letter.len_utf8());
    ends.filter_map(|end| text.get(..end)).map(str::to_owned).collect()
}

/// The result of typing a text while the keyboard is set to the other language.
fn on_wrong_layout(text: &str) -> String {
    let other = |letter: char| {
        let key = |from: &str, to: &str| to.chars().nth(from.chars().position(|found| found == letter)?);
        key(LATIN, CYRILLIC).or_else(|| key(CYRILLIC, LATIN)).unwrap_or(letter)
    };
    text.to_lowercase().chars().map(other).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_other_layout_is_that_of_a_russian_keyboard() {
        assert_eq!(on_wrong_layout("Иванов"), "bdfyjd");
        assert_eq!(on_wrong_layout("ivan"), "шмфт");
        assert_eq!(LATIN.chars().count(), CYRILLIC.chars().count());
    }

    #[test]
    fn every_letter_is_a_request() {
        assert_eq!(begun("Ян B"), ["Я", "Ян", "Ян ", "Ян B"]);
    }
}
