//! Divides folded texts into words, and finds the other spellings of the words.

pub(crate) mod index;
mod latin;
pub(crate) mod layout;
mod names;
pub(crate) mod set;
mod skeleton;
pub(crate) mod translit;

pub(crate) use mail_model::folding::fold;
pub(crate) use skeleton::Readings;
use std::borrow::Cow;

/// The greatest length of a word in characters; the rest of a longer word is ignored. No part of an address before `@`
/// is longer (RFC 5321 section 4.5.3.1.1), nor any label after it.
pub(crate) const MAX_WORD: usize = 64;

/// The words of a folded text: sequences of letters and digits; every other character separates them.
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

/// The index words of a folded text, sorted and without duplicates: its words, and their skeletons if these differ.
pub(crate) fn found_by(folded: &str) -> Vec<Cow<'_, str>> {
    let mut words: Vec<Cow<'_, str>> = Vec::new();
    for word in cut(folded) {
        spellings(word, |spelling| {
            let skeleton = skeleton::of(spelling);
            let skeleton = shortened(&skeleton);
            if !skeleton.is_empty() && skeleton != word {
                words.push(Cow::Owned(skeleton.to_owned()));
            }
        });
        words.push(Cow::Borrowed(word));
    }
    words.sort_unstable();
    words.dedup();
    words
}

/// The other spellings of a word in plain Latin letters by which it is found. A word with digits has no other
/// spellings, unless it contains letters of another alphabet.
fn spellings(word: &str, mut each: impl FnMut(&str)) {
    if word.is_ascii() {
        if !word.bytes().any(|byte| byte.is_ascii_digit()) {
            each(word);
        }
    } else if let Some(latin) = translit::to_latin(word) {
        each(&latin);
        for form in names::english(word) {
            each(form);
        }
    } else {
        latin::plain(word).for_each(|plain| each(&plain));
    }
}

/// The skeletons that a folded word of a query may mean; none if the word has no Latin letter.
pub(crate) fn readings(word: &str) -> Readings {
    if !latin::has_letters(word) {
        return Readings::default();
    }
    if word.is_ascii() {
        return skeleton::readings(word);
    }
    let mut all = Readings::default();
    for plain in latin::plain(word) {
        let Readings { likely, possible } = skeleton::readings(&plain);
        all.likely.extend(likely);
        all.possible.extend(possible);
    }
    all
}

/// A text without the apostrophes that stand for ь, ъ or э in some spellings: `Ol'ga`, `Il'ya`, ``E`duard``. `None` if
/// it has no apostrophe.
pub(crate) fn without_apostrophes(text: &str) -> Option<String> {
    let is_apostrophe =
        |c: char| matches!(c, '\'' | '`' | '´' | '’' | '‘' | 'ʹ' | 'ʺ' | 'ʼ' | '"' | '”' | '′' | '″');
    text.contains(is_apostrophe).then(|| text.replace(is_apostrophe, ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_letters_and_digits() {
        let words: Vec<_> = cut("anna.petrova-2@mail.example, о'нил").collect();
        assert_eq!(words, ["anna", "petrova", "2", "mail", "example", "о", "нил"]);
        assert_eq!(cut(" .,;—№@ ").count(), 0);
        let long = "я".repeat(100);
        assert_eq!(cut(&long).next().map(|word| word.chars().count()), Some(MAX_WORD));
    }

    #[test]
    fn words_are_found_by_their_skeletons_too() {
        assert_eq!(found_by("иван ivan шевченко"), ["ivan", "shevchenko", "иван", "шевченко"]);
        assert_eq!(found_by("сергей sergey2 tsoy"), ["sergei", "sergey2", "tsoi", "tsoy", "сергей"]);
        assert_eq!(found_by("петр"), ["peter", "petr", "петр"]);
        assert_eq!(found_by("müller"), ["mueler", "muler", "müller"]);
        assert_eq!(found_by("ь"), ["ь"]);
    }

    #[test]
    fn only_latin_letters_are_read_in_several_ways() {
        assert_eq!(readings("alexey").likely, ["aleksei", "alekse"]);
        assert_eq!(readings("müller").likely, ["muler", "mueler"]);
        assert!(readings("сергей").likely.is_empty() && readings("42").likely.is_empty());
    }

    #[test]
    fn apostrophes_that_stand_for_letters_are_left_out() {
        assert_eq!(without_apostrophes("Ol'ga E`duard").as_deref(), Some("Olga Eduard"));
        assert_eq!(without_apostrophes("Olga"), None);
    }
}
