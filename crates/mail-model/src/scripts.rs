//! Words in two scripts at once: a text that was read in the wrong encoding, such as "Josй", or a letter that looks
//! like another, such as the Latin o in "Сидoров". Nobody finds such a name by typing it.

/// A word with both Latin and Cyrillic letters, and the letters of the rarer script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MixedWord {
    /// The word.
    pub word: String,
    /// The script with fewer letters in it.
    pub script: &'static str,
    /// The letters of that script.
    pub letters: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Script {
    Latin,
    Cyrillic,
}

/// The first word that mixes the two scripts. A word is a run of letters and their accents: "IT-отдел" is two words.
pub(crate) fn mixed_word(text: &str) -> Option<MixedWord> {
    let is_part = |c: char| c.is_alphabetic() || matches!(c, '\u{300}'..='\u{36f}');
    text.split(|c| !is_part(c)).find_map(mixed)
}

fn mixed(word: &str) -> Option<MixedWord> {
    let of = |script| word.chars().filter(|c| script_of(*c) == Some(script)).collect::<String>();
    let (latin, cyrillic) = (of(Script::Latin), of(Script::Cyrillic));
    if latin.is_empty() || cyrillic.is_empty() {
        return None;
    }
    let latin_is_rare = latin.chars().count() < cyrillic.chars().count();
    let (script, letters) = if latin_is_rare { ("Latin", latin) } else { ("Cyrillic", cyrillic) };
    Some(MixedWord { word: word.to_owned(), script, letters })
}

fn script_of(c: char) -> Option<Script> {
    match c {
        'a'..='z'
        | 'A'..='Z'
        | 'ª'
        | 'º'
        | '\u{c0}'..='\u{24f}'
        | '\u{1e00}'..='\u{1eff}'
        | 'ａ'..='ｚ'
        | 'Ａ'..='Ｚ' => Some(Script::Latin),
        '\u{400}'..='\u{52f}'
        | '\u{1c80}'..='\u{1c8f}'
        | '\u{2de0}'..='\u{2dff}'
        | '\u{a640}'..='\u{a69f}' => Some(Script::Cyrillic),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_of_two_scripts_is_found_with_the_letters_that_do_not_belong() {
        for (text, word, script, letters) in [
            ("Josй Peсa", "Josй", "Cyrillic", "й"),
            ("Иван Сидoров", "Сидoров", "Latin", "o"),
            ("Мyхин", "Мyхин", "Latin", "y"),
            ("Zo\u{eb}и", "Zo\u{eb}и", "Cyrillic", "и"),
            ("x Йo\u{306}", "Йo\u{306}", "Cyrillic", "Й"),
        ] {
            let found = mixed_word(text).unwrap();
            assert_eq!((&*found.word, found.script, &*found.letters), (word, script, letters));
        }
    }

    #[test]
    fn words_of_one_script_each_are_fine() {
        let fine =
            "IT-отдел|O'Нил|Пётр I Великий|Anna Иванова|1С|Дмитрий (Dmitry)|И\u{306}ов|Ѓорѓи|Σωκράτης|李 明|";
        for text in fine.split('|') {
            assert_eq!(mixed_word(text), None, "{text}");
        }
    }
}
