//! Guesses the 8-bit encoding of a text from its first letters outside ASCII, so that a handful of names is enough.
//!
//! The bytes are decoded in each encoding, and each reading is rated as a text: by the frequency of the letters, by
//! what cannot be part of a word (a capital after a small letter, Latin beside Cyrillic, a sign between letters) or of
//! a Russian word (ь at the beginning, four consonants). The likeliest reading is taken if it is likely enough, and
//! clearly likelier than any other that gives a different text. Otherwise there is no guess, and the person who imports
//! has to name the encoding. [Decision 23](../../../../../docs/decisions/0023-tables-from-elsewhere.md) explains why no
//! library does this, and how often the guess is right.

use encoding_rs::{Encoding, IBM866, KOI8_R, KOI8_U, MACINTOSH, WINDOWS_1251, WINDOWS_1252, X_MAC_CYRILLIC};

/// The required margin of the best reading over the next, as a natural logarithm: a factor of twenty.
const MARGIN: f64 = 3.0;
/// The lowest average rating of a character outside ASCII in real text.
const LEAST_AVERAGE: f64 = -5.2;
/// A character with this rating or a lower one does not occur in real text.
const ABSURD: f64 = -9.0;
/// At most one character in so many outside ASCII may be absurd.
const ABSURD_ONE_IN: usize = 12;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Script {
    Cyrillic,
    Latin,
}

/// The encodings, each with its script and its prior rating.
static CANDIDATES: [(&Encoding, Script, f64); 7] = [
    (WINDOWS_1251, Script::Cyrillic, 0.0),
    (WINDOWS_1252, Script::Latin, -1.0),
    (IBM866, Script::Cyrillic, -1.0),
    (KOI8_R, Script::Cyrillic, -1.0),
    // Reads like KOI8-R, which wins if no letter differs.
    (KOI8_U, Script::Cyrillic, -1.5),
    // Has the capitals in the places of cp866.
    (X_MAC_CYRILLIC, Script::Cyrillic, -6.0),
    (MACINTOSH, Script::Latin, -3.0),
];

/// Russian letters in groups of similar frequency, and the frequency of each letter in a thousand.
const RUSSIAN: [(&str, f64); 15] = [
    ("о", 110.0),
    ("еа", 82.0),
    ("ин", 70.0),
    ("т", 63.0),
    ("с", 55.0),
    ("рвл", 45.0),
    ("кмд", 32.0),
    ("пу", 27.0),
    ("яыьгзб", 17.0),
    ("ч", 14.0),
    // ё is rare in text and frequent in names.
    ("йхжё", 10.0),
    ("шюц", 6.0),
    ("щэф", 3.5),
    ("іїєґў", 1.0),
    ("ъ", 0.4),
];
/// The same for letters outside ASCII in Spanish, French, Italian, Portuguese, German and the northern languages.
const WESTERN: [(&str, f64); 3] = [("áéíóúñüöäçèàãêõôâìòùßåæîïëûœ", 40.0), ("ø", 10.0), ("šžÿªº", 1.0)];
/// The same for signs.
const SIGNS: [(&str, f64); 2] = [("«»№–—’“”„…°\u{a0}", 10.0), ("©®™§€•‘·¿¡±", 1.0)];
/// All other letters, and all other signs.
const RARE: f64 = 0.03;
const ODD: f64 = 0.01;

const VOWELS: &str = "аеёиоуыэюяіїє";

/// Whether a letter is a vowel. Letters of other alphabets than the Russian count as vowels.
fn is_vowel(c: char) -> bool {
    VOWELS.contains(lower(c)) || !matches!(lower(c), 'а'..='я')
}

/// The encoding of some bytes, which begin with the word that has the first byte outside ASCII; `None` if the guess is
/// not certain enough.
pub(super) fn guess(bytes: &[u8]) -> Option<&'static Encoding> {
    let mut readings: Vec<_> = CANDIDATES
        .iter()
        .map(|(encoding, script, prior)| Reading::new(bytes, encoding, *script, *prior))
        .collect();
    readings.sort_by(|a, b| b.likelihood.total_cmp(&a.likelihood));
    let (best, others) = readings.split_first()?;
    let rival = others.iter().find(|other| other.text != best.text);
    let is_clear = rival.is_none_or(|rival| best.likelihood - rival.likelihood >= MARGIN);
    (is_clear && best.is_text()).then_some(best.encoding)
}

/// Bytes decoded as text, and the rating of that text.
struct Reading {
    encoding: &'static Encoding,
    text: Vec<char>,
    /// The natural logarithm of the likelihood, without the part that all readings have in common.
    likelihood: f64,
    /// Characters outside ASCII, and how many of them are absurd.
    counted: usize,
    absurd: usize,
}

impl Reading {
    fn new(bytes: &[u8], encoding: &'static Encoding, script: Script, prior: f64) -> Self {
        // Bytes without a character become U+FFFD or a control character, which counts as an odd sign.
        let text: Vec<char> = encoding.decode_without_bom_handling(bytes).0.chars().collect();
        let mut reading = Self { encoding, text: Vec::new(), likelihood: prior, counted: 0, absurd: 0 };
        let mut before = ' ';
        let mut rest = text.as_slice();
        while let Some((&first, after)) = rest.split_first() {
            let length = rest.iter().take_while(|c| c.is_alphabetic()).count();
            if let Some((word, after)) = rest.split_at_checked(length).filter(|_| length > 0) {
                reading.rate_word(word, script);
                (before, rest) = ('a', after);
            } else {
                reading.rate_sign(
                    first,
                    before.is_alphabetic(),
                    after.first().is_some_and(|c| c.is_alphabetic()),
                );
                (before, rest) = (first, after);
            }
        }
        reading.text = text;
        reading
    }

    fn is_text(&self) -> bool {
        // A window has a few hundred of them at most.
        let counted = u32::try_from(self.counted).map_or(f64::MAX, f64::from);
        self.absurd * ABSURD_ONE_IN <= self.counted && self.likelihood >= LEAST_AVERAGE * counted
    }

    fn count(&mut self, cost: f64) {
        self.likelihood += cost;
        self.counted += 1;
        self.absurd += usize::from(cost < ABSURD);
    }

    fn rate_sign(&mut self, sign: char, after_letter: bool, before_letter: bool) {
        if sign.is_ascii() {
            return;
        }
        let cost = frequency(&SIGNS, sign, ODD);
        let is_inside = after_letter && before_letter && !matches!(sign, '’' | '–' | '—' | '\u{a0}');
        let is_odd_beside = cost < -5.0 && (after_letter || before_letter);
        self.count(if is_inside || is_odd_beside { cost - 5.0 } else { cost });
    }

    fn rate_word(&mut self, word: &[char], script: Script) {
        let outside = word.iter().filter(|c| !c.is_ascii()).count();
        if outside > 1 && word.iter().all(|c| c.is_lowercase()) {
            self.likelihood -= 0.7;
        } else if outside > 1 && word.iter().all(|c| c.is_uppercase()) {
            self.likelihood -= 1.0;
        }
        if outside == 0 {
            return;
        }
        if word.len() == 1 {
            self.likelihood -= 2.0;
        }
        if outside > 1 && !word.iter().any(|c| is_vowel(*c)) && word.iter().skip(1).all(|c| c.is_lowercase())
        {
            self.likelihood -= 3.0;
        }
        let mut run = Run::default();
        for (at, &c) in word.iter().enumerate() {
            let before = at.checked_sub(1).and_then(|at| word.get(at)).copied();
            let capitals = capitals(c, before, at);
            if c.is_ascii() {
                self.likelihood -= capitals;
                continue;
            }
            let cost = match script {
                Script::Latin if outside == word.len() && at > 0 => frequency(&WESTERN, c, RARE) - 4.0,
                Script::Latin => frequency(&WESTERN, c, RARE),
                Script::Cyrillic if outside < word.len() => frequency(&RUSSIAN, c, RARE) - 7.0,
                Script::Cyrillic => frequency(&RUSSIAN, c, RARE) - run.unlikely(c, before),
            };
            self.count(cost - capitals);
        }
    }
}

/// The natural logarithm of a character's frequency.
fn frequency(of: &[(&str, f64)], c: char, otherwise: f64) -> f64 {
    let small = lower(c);
    let known = of.iter().find(|(characters, _)| characters.contains(small));
    (known.map_or(otherwise, |(_, frequency)| *frequency) / 1000.0).ln()
}

fn lower(c: char) -> char {
    c.to_lowercase().next().unwrap_or(c)
}

/// The rating of capitals in the wrong place: "иВан", "`ИВан`".
fn capitals(c: char, before: Option<char>, at: usize) -> f64 {
    let is_wrong = before.is_some_and(|before| {
        (before.is_lowercase() && c.is_uppercase()) || (at > 1 && before.is_uppercase() && c.is_lowercase())
    });
    if is_wrong { 5.0 } else { 0.0 }
}

/// Consecutive vowels and consonants.
#[derive(Default)]
struct Run {
    vowels: usize,
    consonants: usize,
    had_vowel: bool,
}

impl Run {
    /// The rating of the next letter, if Russian would not have it there.
    fn unlikely(&mut self, c: char, before: Option<char>) -> f64 {
        let (c, before) = (lower(c), before.map(lower));
        let follows = |letters: &str| before.is_some_and(|before| letters.contains(before));
        let (is_vowel, is_sign) = (VOWELS.contains(c), matches!(c, 'ь' | 'ъ'));
        let is_misplaced = match c {
            'ь' | 'ъ' => before.is_none() || follows(VOWELS) || follows("ьъй"),
            'ы' => before.is_none(),
            'й' => before.is_some() && !follows(VOWELS),
            _ => false,
        };
        // Endings of names.
        let is_usual = c == 'й' && follows("аеиоуы");
        if is_vowel {
            (self.vowels, self.consonants, self.had_vowel) = (self.vowels + 1, 0, true);
        } else if !is_sign {
            (self.vowels, self.consonants) = (0, self.consonants + 1);
        }
        let is_crowded = !is_vowel && self.consonants == 3 && !self.had_vowel;
        let is_long = (is_vowel && self.vowels > 2) || (!is_vowel && self.consonants > 3);
        let one_if = |holds: bool| f64::from(u8::from(holds));
        4.0 * one_if(is_misplaced) + 2.0 * one_if(is_long) + one_if(is_crowded) - 2.0 * one_if(is_usual)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: &str = "Александр Алексей Анна Артём Борис Вера Глеб Дмитрий Жанна Зоя Игорь Илья Лев Любовь Марк Нина Ольга \
                         Пётр Семён Сергей Татьяна Ульяна Фёдор Филипп Эмма Юлия Юрий Яков Майя";
    const LAST: &str = "Иванов Фёдоров Соловьёв Щербаков Цветков Жуков Юдин Эрнст Чернышёв Хохлов Ёлкин Шишкин Беляев \
                        Румянцев Ефремов Крюков Белых Подъячев Гай Цой Шмидт Мстиславский";
    const WESTERN_NAMES: &str = "José Peña|María Núñez|Álvaro Ibáñez|François Lefèvre|Zoë Brontë|Jürgen Müller|Björn Ångström|\
                                 João Conceição|Nicolò Forlì|Íñigo Gómez|Günther Weiß|Élodie Noël|Übel Schäfer|Niccolò Così";

    fn guess_of(text: &str, encoding: &'static Encoding) -> Option<&'static str> {
        let (bytes, _, lossy) = encoding.encode(text);
        assert!(!lossy, "{text} in {}", encoding.name());
        guess(&bytes).map(Encoding::name)
    }

    fn russian_names() -> impl Iterator<Item = String> {
        let last: Vec<_> = LAST.split(' ').collect();
        FIRST.split(' ').enumerate().map(move |(n, first)| format!("{first};{}", last[n % last.len()]))
    }

    #[test]
    fn one_russian_name_is_enough_however_it_is_written() {
        for encoding in [WINDOWS_1251, IBM866, KOI8_R] {
            for name in russian_names() {
                for text in [format!("{name};Отдел продаж"), name.clone()] {
                    assert_eq!(guess_of(&text, encoding), Some(encoding.name()), "{text}");
                }
                for text in [name.to_lowercase(), name.to_uppercase()] {
                    let guess = guess_of(&text, encoding);
                    assert!(guess.is_none_or(|guess| guess == encoding.name()), "{text}: {guess:?}");
                }
            }
        }
    }

    #[test]
    fn three_names_in_small_or_large_letters_are_enough() {
        let names: Vec<_> = russian_names().collect();
        for three in names.chunks_exact(3) {
            for text in [three.join("\n").to_lowercase(), three.join("\n").to_uppercase()] {
                for encoding in [WINDOWS_1251, IBM866, KOI8_R] {
                    assert_eq!(guess_of(&text, encoding), Some(encoding.name()), "{text}");
                }
            }
        }
    }

    #[test]
    fn a_western_name_is_enough() {
        for name in WESTERN_NAMES.split('|') {
            assert_eq!(guess_of(name, WINDOWS_1252), Some("windows-1252"), "{name}");
            let in_macintosh = guess_of(&format!("{name};{name}"), MACINTOSH);
            assert!(in_macintosh.is_none_or(|guess| guess == "macintosh"), "{name}: {in_macintosh:?}");
        }
        assert_eq!(guess_of(WESTERN_NAMES, MACINTOSH), Some("macintosh"));
    }

    #[test]
    fn other_texts_are_told_as_well() {
        for (text, encoding) in [
            ("Ірина Шевченко, Їжак", KOI8_U),
            ("Ірина Шевченко, Їжак", WINDOWS_1251),
            ("Отдел продаж", X_MAC_CYRILLIC),
            ("№ 5", WINDOWS_1251),
            ("«A»", WINDOWS_1251),
            ("A – B", WINDOWS_1251),
            ("ООО «Рога и копыта» – Анна-Мария d’Artagnan", WINDOWS_1251),
        ] {
            assert_eq!(guess_of(text, encoding), Some(encoding.name()), "{text}");
        }
    }

    #[test]
    fn what_cannot_be_told_is_not_guessed() {
        use encoding_rs::{ISO_8859_5, WINDOWS_1250, WINDOWS_1254};
        for (text, encoding) in [
            ("ж", WINDOWS_1251),
            ("Иван Петров", ISO_8859_5),
            ("Łukasz Żółty", WINDOWS_1250),
            ("Şükrü İpekçi", WINDOWS_1254),
        ] {
            assert_eq!(guess_of(text, encoding), None, "{text}");
        }
        assert_eq!(guess(b"Jos\x82 Pe\xA4a"), None, "code page 850");
        assert_eq!(guess(b"\xFF\xFE\xFD"), None);
        assert_eq!(guess(b""), Some(WINDOWS_1251), "nothing to tell");
    }
}
