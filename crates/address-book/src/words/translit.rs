//! Cyrillic in Latin letters: the BGN/PCGN systems of 1947 for Russian and of 1965 for Ukrainian, without the
//! characters that a mail address cannot contain. So ь, ъ and the apostrophe are left out, ё is e (the texts are
//! already folded), and е is always e, even if the systems write ye. If the two systems differ, the Russian one
//! applies. Ў of Belarusian is u. Letters of other alphabets are unchanged.

/// A folded word in Latin letters; `None` if it has no Cyrillic letter.
pub(crate) fn to_latin(word: &str) -> Option<String> {
    if word.is_ascii() {
        return None;
    }
    let mut latin = String::with_capacity(word.len());
    let mut has_cyrillic = false;
    for letter in word.chars() {
        match letter_in_latin(letter) {
            Some(letters) => {
                has_cyrillic = true;
                latin.push_str(letters);
            }
            None => latin.push(letter),
        }
    }
    (has_cyrillic && !latin.is_empty()).then_some(latin)
}

const fn letter_in_latin(letter: char) -> Option<&'static str> {
    Some(match letter {
        'а' => "a",
        'б' => "b",
        'в' => "v",
        'г' | 'ґ' => "g",
        'д' => "d",
        'е' | 'э' => "e",
        'ж' => "zh",
        'з' => "z",
        'и' | 'і' => "i",
        'й' | 'ы' => "y",
        'к' => "k",
        'л' => "l",
        'м' => "m",
        'н' => "n",
        'о' => "o",
        'п' => "p",
        'р' => "r",
        'с' => "s",
        'т' => "t",
        'у' | 'ў' => "u",
        'ф' => "f",
        'х' => "kh",
        'ц' => "ts",
        'ч' => "ch",
        'ш' => "sh",
        'щ' => "shch",
        'ъ' | 'ь' => "",
        'ю' => "yu",
        'я' => "ya",
        'є' => "ye",
        'ї' => "yi",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_spelt_as_the_table_says() {
        for (name, latin) in [
            ("иван", "ivan"),
            ("шевченко", "shevchenko"),
            ("щукин", "shchukin"),
            ("сергей", "sergey"),
            ("игорь", "igor"),
            ("подъячев", "podyachev"),
            ("хрущев2", "khrushchev2"),
            ("київ", "kiyiv"),
        ] {
            assert_eq!(to_latin(name).as_deref(), Some(latin), "{name}");
        }
    }

    #[test]
    fn what_is_not_cyrillic_has_no_other_spelling() {
        for word in ["ivan", "42", "josé", "ь"] {
            assert_eq!(to_latin(word), None, "{word}");
        }
    }
}
