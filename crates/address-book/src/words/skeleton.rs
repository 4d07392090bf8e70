//! The skeleton of a word in Latin letters: one form for all spellings of a name. *Yuryev*, *Iurev* and *Jurjev* are
//! `iurev`; *Homyakov* and *Khomiakov* are `homiakov`; *Tsoy*, *Tcoi* and *Coj* are `tsoi`.
//!
//! The spellings of the Russian letters are listed in `docs/SUGGESTIONS.md`. The letters й, ы and и become one letter
//! (`i`), and so do е, ё and э with or without a preceding y (`e`), and ш and щ (`sh`); ь and ъ disappear; a doubled
//! letter becomes a single one. Letters that mean different sounds in different spellings have a first reading and
//! others: x is кс and х, j is й and ж. A word in the book has only the first reading; a word of a query has all of
//! them. A skeleton is built from left to right, so the beginning of a spelling has the beginning of the skeleton. If a
//! text ends in the middle of a letter, as `sc` of `schukin`, there is a reading for that.

use std::collections::BTreeSet;

/// The maximum number of readings of a word: each is looked up in the index.
const MOST_READINGS: usize = 16;
/// The maximum number of letters with several readings in a word; further letters have only the first reading.
const MOST_DOUBTS: usize = 8;

/// The sound that the next letters of a word stand for.
struct Sound {
    /// The number of letters.
    length: usize,
    first: &'static str,
    others: &'static [&'static str],
    /// The sounds whose beginning the letters may be, if the word ends with them.
    begun: &'static [&'static str],
}

const fn sound(length: usize, first: &'static str) -> Sound {
    Sound { length, first, others: &[], begun: &[] }
}

impl Sound {
    const fn or(self, others: &'static [&'static str]) -> Self {
        Self { others, ..self }
    }

    const fn begins(self, begun: &'static [&'static str]) -> Self {
        Self { begun, ..self }
    }
}

/// The sound of letters that several spellings share; `None` if a letter stands for itself.
fn sound_of(rest: &[u8], before: Option<u8>) -> Option<Sound> {
    match rest {
        [b's' | b't' | b'c', ..] => sibilant(rest),
        [b'o' | b'u' | b'i' | b'y' | b'j', ..] => vowel(rest, before),
        _ => consonant(rest),
    }
}

/// ц, ч, ш and щ, and other letters whose spellings begin alike.
fn sibilant(rest: &[u8]) -> Option<Sound> {
    Some(match rest {
        // щ in German; French; Polish; passports; and informal spellings.
        [b's', b'c', b'h', b't', b's', b'c', b'h', ..] => sound(7, "sh"),
        [b's' | b'c', b'h', b't', b'c', b'h', ..] => sound(5, "sh"),
        [b's', b'z', b'c', b'z', ..] | [b's', b'h', b'c', b'h', ..] => sound(4, "sh"),
        [b's', b'h', b'c'] | [b's', b'c' | b'h', b'h', ..] => sound(3, "sh"),
        [b's', b'h' | b'z', ..] => sound(2, "sh"),
        [b's', b'c'] => sound(2, "s").or(&["sk", "sts"]),
        // ч in German and French; ц in passports of 2010 and in German.
        [b't', b's', b'c', b'h', ..] => sound(4, "ch"),
        [b't', b'c', b'h', ..] => sound(3, "ch"),
        [b't', b'c'] => sound(2, "ts").begins(&["ch"]),
        [b't', b'c' | b'z', ..] => sound(2, "ts"),
        [b't', b'h', ..] => sound(2, "t"),
        // ч; х in German and Polish; ш in French; к in Greek names.
        [b'c', b'h', ..] => sound(2, "ch").or(&["h", "sh", "k"]),
        // ц in GOST 7.79, ч in Polish.
        [b'c', b'z', ..] => sound(2, "ts").or(&["ch"]),
        [b'c', b'k', ..] => sound(2, "k").or(&["tsk"]),
        [b'c'] => sound(1, "k").or(&["ts"]).begins(&["ch"]),
        [b'c', b'e' | b'i' | b'y', ..] => sound(1, "ts").or(&["s", "k"]),
        [b'c', ..] => sound(1, "k").or(&["ts"]),
        _ => return None,
    })
}

fn consonant(rest: &[u8]) -> Option<Sound> {
    Some(match rest {
        [b'k', b'h', ..] => sound(2, "h"),
        [b'k'] => sound(1, "k").begins(&["h"]),
        // г in Ukrainian names.
        [b'h', ..] => sound(1, "h").or(&["g"]),
        // The second form is French: Serguei.
        [b'g', b'h', ..] | [b'g', b'u', b'e' | b'i' | b'y', ..] => sound(2, "g"),
        [b'p', b'h', ..] => sound(2, "f"),
        [b'q', b'u', ..] => sound(2, "kv"),
        [b'q', ..] => sound(1, "k"),
        // Smirnoff.
        [b'f', b'f'] => sound(2, "v"),
        [b'f'] => sound(1, "f").begins(&["v"]),
        [b'w', ..] => sound(1, "v"),
        // х in GOST 7.79.
        [b'x', ..] => sound(1, "ks").or(&["h"]),
        _ => return None,
    })
}

/// Vowels, and й.
fn vowel(rest: &[u8], before: Option<u8>) -> Option<Sound> {
    Some(match rest {
        // French.
        [b'o', b'u', ..] => sound(2, "u"),
        [b'i', b'n', b'e'] => sound(3, "in"),
        [b'o'] => sound(1, "o").begins(&["u"]),
        // ё after ж, ч, ш, щ.
        [b'o', ..] if before == Some(b'h') => sound(1, "o").or(&["e"]),
        // Людмила, Юля.
        [b'u', ..] if matches!(before, None | Some(b'l')) => sound(1, "u").or(&["iu"]),
        // й in most of Europe, ж in French and where no better letter is available, дж in English.
        [b'j'] => sound(1, "i").or(&["zh", "dzh"]).begins(&["e"]),
        [b'j', ..] => sound(1, "i").or(&["zh", "dzh"]),
        [b'i' | b'y'] => sound(1, "i").begins(&["e"]),
        [b'y', ..] => sound(1, "i"),
        _ => return None,
    })
}

/// The skeleton of a word in lower case by the first reading of its letters.
pub(super) fn of(word: &str) -> String {
    let mut skeleton = Skeleton { text: String::with_capacity(word.len()), is_doubled: false };
    for_each_sound(word, |sound| skeleton.push(sound.first()));
    skeleton.text
}

/// The skeletons that a word of a query may mean.
#[derive(Default)]
pub(crate) struct Readings {
    /// By the first reading of each letter, and the possible continuations of an incomplete letter.
    pub(crate) likely: Vec<String>,
    /// By all other readings.
    pub(crate) possible: Vec<String>,
}

/// The possible readings of a word in lower case.
pub(super) fn readings(word: &str) -> Readings {
    let mut sounds = Vec::new();
    for_each_sound(word, |sound| sounds.push(sound));
    let doubts = doubts(&sounds);
    let mut readings = Readings { likely: vec![written(&sounds, &[])], possible: Vec::new() };
    if let Some((last, Heard::Sound(Sound { begun, .. }))) = sounds.iter().enumerate().next_back() {
        readings.likely.extend(begun.iter().map(|begun| written(&sounds, &[(last, begun)])));
    }
    let mut seen: BTreeSet<_> = readings.likely.iter().cloned().collect();
    let pairs = (0..doubts.len()).flat_map(|one| (one + 1..doubts.len()).map(move |other| (one, other)));
    let pairs = pairs.filter_map(|(one, other)| Some([*doubts.get(one)?, *doubts.get(other)?]));
    // A second change of the same letter replaces the first.
    let changes = doubts.iter().map(|doubt| vec![*doubt]).chain(pairs.map(|pair| pair.to_vec()));
    for changes in changes {
        if seen.len() >= MOST_READINGS {
            break;
        }
        let reading = written(&sounds, &changes);
        if seen.insert(reading.clone()) {
            readings.possible.push(reading);
        }
    }
    readings
}

/// Letters of a word and their reading.
enum Heard<'a> {
    Sound(Sound),
    Letter(&'a str),
}

impl Heard<'_> {
    const fn first(&self) -> &str {
        match self {
            Self::Sound(sound) => sound.first,
            Self::Letter(letter) => letter,
        }
    }
}

/// The position of a sound in a word, and another reading of it.
type Doubt = (usize, &'static str);

fn doubts(sounds: &[Heard<'_>]) -> Vec<Doubt> {
    let others = |(place, heard): (usize, &Heard<'_>)| match heard {
        Heard::Sound(sound) => sound.others.iter().map(|other| (place, *other)).collect(),
        Heard::Letter(_) => Vec::new(),
    };
    sounds.iter().enumerate().flat_map(others).take(MOST_DOUBTS).collect()
}

fn written(sounds: &[Heard<'_>], changes: &[Doubt]) -> String {
    let mut skeleton = Skeleton::default();
    for (place, heard) in sounds.iter().enumerate() {
        let change = changes.iter().rev().find(|(changed, _)| *changed == place);
        skeleton.push(change.map_or(heard.first(), |(_, reading)| reading));
    }
    skeleton.text
}

fn for_each_sound<'a>(word: &'a str, mut each: impl FnMut(Heard<'a>)) {
    let (mut rest, mut before) = (word, None);
    while let Some(letter) = rest.chars().next() {
        let (heard, length) = match sound_of(rest.as_bytes(), before) {
            Some(sound) => {
                let length = sound.length;
                (Heard::Sound(sound), length)
            }
            None => (Heard::Letter(rest.get(..letter.len_utf8()).unwrap_or_default()), letter.len_utf8()),
        };
        let (read, unread) = rest.split_at_checked(length).unwrap_or((rest, ""));
        (rest, before) = (unread, read.bytes().next_back());
        each(heard);
    }
}

/// A skeleton under construction.
#[derive(Default)]
struct Skeleton {
    text: String,
    /// Whether the last letter was written twice.
    is_doubled: bool,
}

impl Skeleton {
    fn push(&mut self, letters: &str) {
        for letter in letters.chars() {
            // ie and io are е and ё: ye, je; yo, jo.
            let letter = match letter {
                'e' | 'o' if self.text.ends_with('i') => {
                    self.text.pop();
                    'e'
                }
                letter => letter,
            };
            self.push_once(letter);
        }
    }

    /// Writes a letter that may repeat the previous one. No spelling has more than two in a row, except й, ы and и in a
    /// row.
    fn push_once(&mut self, letter: char) {
        let is_repeated = self.text.ends_with(letter) && !letter.is_ascii_digit();
        if is_repeated && (letter == 'i' || !self.is_doubled) {
            self.is_doubled = true;
        } else {
            self.text.push(letter);
            self.is_doubled = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn spellings_of_a_name_have_one_skeleton() {
        for (skeleton, spellings) in [
            ("dmitri", &["dmitry", "dmitri", "dmitriy", "dmitrii", "dmitrij"][..]),
            ("sergei", &["sergey", "sergei", "sergej", "serguei"]),
            ("sergev", &["sergeev", "sergeyev", "sergejev", "sergueiev"]),
            ("iulia", &["yuliya", "yulia", "iuliia", "julija", "julia", "yuliia", "ioulia"]),
            ("aleksei", &["aleksey", "alexey", "alexei", "aleksej"]),
            ("homiakov", &["khomyakov", "homyakov", "khomiakov"]),
            ("tsoi", &["tsoy", "tsoi", "tcoi", "tsoj"]),
            ("shukin", &["shchukin", "schukin", "shukin", "shhukin", "chtchoukine", "szczukin"]),
            ("iurev", &["yuryev", "yurev", "iurev", "yuriev", "jurjev"]),
            ("petr", &["petr", "pyotr", "piotr", "pjotr"]),
            ("visotski", &["vysotskiy", "vysotsky", "visotskii", "wysotzki"]),
            ("smirnov", &["smirnov", "smirnoff", "smirnow"]),
            ("chaikovski", &["chaykovskiy", "tchaikovsky", "tschaikowski"]),
        ] {
            for spelling in spellings {
                assert_eq!(of(spelling), skeleton, "{spelling}");
            }
        }
    }

    #[test]
    fn letters_with_several_readings_are_read_in_each() {
        let reads = |word: &str, expected: &str| {
            let readings = readings(word);
            readings.likely.iter().chain(&readings.possible).any(|reading| reading == expected)
        };
        for (word, expected) in [
            ("xomyakov", "homiakov"),
            ("maxim", "maksim"),
            ("jukov", "zhukov"),
            ("jirinovsky", "zhirinovski"),
            ("jamal", "dzhamal"),
            ("ludmila", "liudmila"),
            ("chomjakow", "homiakov"),
            ("czajkowski", "chaikovski"),
            ("coj", "tsoi"),
            ("gorbachov", "gorbachev"),
            ("ihor", "igor"),
            ("mik", "mih"),
            ("sc", "s"),
            ("shc", "sh"),
            ("ivanc", "ivanch"),
            ("sergey", "serge"),
            ("y", "e"),
        ] {
            assert!(reads(word, expected), "{word} as {expected}");
        }
    }

    proptest! {
        #[test]
        fn readings_are_few_and_the_first_is_the_skeleton(word in "[a-zжé0-9]{0,70}") {
            let readings = readings(&word);
            prop_assert_eq!(readings.likely.first(), Some(&of(&word)));
            prop_assert!(readings.likely.len() + readings.possible.len() <= MOST_READINGS);
        }

        #[test]
        fn a_skeleton_is_not_much_longer_than_its_word(word in "[a-z]{0,70}") {
            prop_assert!(of(&word).len() <= word.len() * 2);
        }
    }
}
