//! The spellings of Russian names in Latin letters, as the documents of each scheme define them. Names are in lower
//! case.

/// A way to spell a name.
pub(super) struct Spelling {
    pub(super) title: &'static str,
    pub(super) spelt: fn(&str) -> String,
}

pub(super) const SCHEMES: [Spelling; 15] = [
    Spelling { title: "BGN/PCGN 1947, e for every е", spelt: |name| spelt(name, &bgn, &[]) },
    Spelling {
        title: "BGN/PCGN 1947",
        spelt: |name| spelt(name, &|at| with_ye(at).unwrap_or_else(|| bgn(at)), &[]),
    },
    Spelling {
        title: "BGN/PCGN 1947, ё as yo",
        spelt: |name| spelt(name, &|at| with_yo(at).unwrap_or_else(|| bgn(at)), &[]),
    },
    Spelling { title: "passports 1997 to 2010", spelt: |name| spelt(name, &passport_1997, &[]) },
    Spelling {
        title: "passports 2010 (GOST R 52535.1)",
        spelt: |name| spelt(name, &|at| if at.letter == 'ц' { "tc" } else { icao(at, "") }, &[]),
    },
    Spelling {
        title: "passports since 2014 (ICAO 9303)",
        spelt: |name| spelt(name, &|at| icao(at, "ie"), &[]),
    },
    Spelling { title: "passports until 1997 (French)", spelt: french },
    Spelling { title: "Ukrainian passports (CMU 55)", spelt: |name| spelt(name, &ukrainian, &[]) },
    Spelling { title: "ISO 9:1995", spelt: |name| spelt(name, &iso, &[]) },
    Spelling { title: "ISO/R 9:1968 (scientific)", spelt: |name| spelt(name, &scientific, &[]) },
    Spelling { title: "GOST 7.79 B", spelt: |name| spelt(name, &gost, &[]) },
    Spelling {
        title: "GOST 7.79 B, without signs",
        spelt: |name| spelt(name, &gost, &[]).replace(['`', '\''], ""),
    },
    Spelling {
        title: "as people write it: h, sch, x, -y",
        spelt: |name| spelt(name, &informal, &[("ий", "y"), ("ый", "y")]).replace("ks", "x"),
    },
    Spelling { title: "as people write it: j for й, ю, я", spelt: |name| spelt(name, &with_j, &[]) },
    Spelling { title: "German (Duden)", spelt: |name| spelt(name, &german, &[("ий", "i"), ("ый", "y")]) },
];

/// A letter and its neighbours.
#[derive(Clone, Copy)]
struct At {
    letter: char,
    before: Option<char>,
    after: Option<char>,
}

impl At {
    /// Whether an е in this position is read with a preceding й.
    fn is_after_vowel_or_sign(self) -> bool {
        self.before.is_none_or(|before| "аеёиоуыэюяйъь".contains(before))
    }
}

fn spelt(name: &str, letter: &dyn Fn(At) -> &'static str, endings: &[(&str, &str)]) -> String {
    let ending = endings.iter().find(|(ending, _)| name.ends_with(ending));
    let stem = ending.and_then(|(ending, _)| name.strip_suffix(ending)).unwrap_or(name);
    let letters: Vec<_> = stem.chars().collect();
    let at = |place: usize| At {
        letter: letters[place],
        before: place.checked_sub(1).map(|before| letters[before]),
        after: letters.get(place + 1).copied(),
    };
    let spelt: String = (0..letters.len()).map(|place| letter(at(place))).collect();
    spelt + ending.map_or("", |(_, latin)| latin)
}

/// The transliteration that most schemes share.
fn common(letter: char) -> &'static str {
    match letter {
        'а' => "a",
        'б' => "b",
        'в' => "v",
        'г' => "g",
        'д' => "d",
        'е' | 'ё' | 'э' => "e",
        'ж' => "zh",
        'з' => "z",
        'и' => "i",
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
        'у' => "u",
        'ф' => "f",
        'х' => "kh",
        'ц' => "ts",
        'ч' => "ch",
        'ш' => "sh",
        'щ' => "shch",
        'ъ' | 'ь' => "",
        'ю' => "yu",
        'я' => "ya",
        other => panic!("{other} is in no Russian name"),
    }
}

fn bgn(at: At) -> &'static str {
    common(at.letter)
}

fn with_ye(at: At) -> Option<&'static str> {
    (matches!(at.letter, 'е' | 'ё') && at.is_after_vowel_or_sign()).then_some("ye")
}

fn with_yo(at: At) -> Option<&'static str> {
    let is_hushing = at.before.is_some_and(|before| "жчшщ".contains(before));
    (at.letter == 'ё').then_some(if is_hushing { "o" } else { "yo" }).or_else(|| with_ye(at))
}

fn passport_1997(at: At) -> &'static str {
    match at.letter {
        'е' | 'ё' if at.before == Some('ь') => "ye",
        letter => common(letter),
    }
}

fn icao(at: At, hard_sign: &'static str) -> &'static str {
    match at.letter {
        'й' => "i",
        'ю' => "iu",
        'я' => "ia",
        'ъ' => hard_sign,
        letter => common(letter),
    }
}

fn french(name: &str) -> String {
    let letter = |at: At| match at.letter {
        'г' if matches!(at.after, Some('е' | 'ё' | 'и' | 'ы')) => "gu",
        'ж' => "j",
        'й' => "i",
        'у' => "ou",
        'ч' => "tch",
        'ш' => "ch",
        'щ' => "chtch",
        'с' if is_vowel(at.before) && is_vowel(at.after) => "ss",
        'ю' => "iou",
        'я' => "ia",
        letter => common(letter),
    };
    spelt(name, &letter, &[("ин", "ine")]).replace("ks", "x")
}

fn is_vowel(letter: Option<char>) -> bool {
    letter.is_some_and(|letter| "аеёиоуыэюя".contains(letter))
}

fn ukrainian(at: At) -> &'static str {
    match at.letter {
        'г' => "h",
        'и' => "y",
        'й' if at.before.is_some() => "i",
        'ю' if at.before.is_some() => "iu",
        'я' if at.before.is_some() => "ia",
        letter => common(letter),
    }
}

fn iso(at: At) -> &'static str {
    match at.letter {
        'ё' => "ë",
        'ж' => "ž",
        'й' => "j",
        'х' => "h",
        'ц' => "c",
        'ч' => "č",
        'ш' => "š",
        'щ' => "ŝ",
        'ъ' => "ʺ",
        'ь' => "ʹ",
        'э' => "è",
        'ю' => "û",
        'я' => "â",
        letter => common(letter),
    }
}

fn scientific(at: At) -> &'static str {
    match at.letter {
        'х' => "ch",
        'щ' => "šč",
        'ю' => "ju",
        'я' => "ja",
        _ => iso(at),
    }
}

fn gost(at: At) -> &'static str {
    match at.letter {
        'ё' => "yo",
        'й' => "j",
        'х' => "x",
        'ц' if matches!(at.after, Some('е' | 'ё' | 'и' | 'й' | 'ы')) => "c",
        'ц' => "cz",
        'щ' => "shh",
        'ъ' => "``",
        'ы' => "y'",
        'ь' => "`",
        'э' => "e`",
        letter => common(letter),
    }
}

fn informal(at: At) -> &'static str {
    match at.letter {
        'х' => "h",
        'щ' => "sch",
        letter => common(letter),
    }
}

fn with_j(at: At) -> &'static str {
    match at.letter {
        'х' => "h",
        'ц' => "c",
        'й' => "j",
        'ю' => "ju",
        'я' => "ja",
        letter => common(letter),
    }
}

fn german(at: At) -> &'static str {
    match at.letter {
        'в' => "w",
        'е' | 'ё' if at.is_after_vowel_or_sign() => "je",
        'ж' | 'ш' => "sch",
        'з' => "s",
        'й' => "i",
        'х' => "ch",
        'ц' => "z",
        'ч' => "tsch",
        'щ' => "schtsch",
        'ю' => "ju",
        'я' => "ja",
        letter => common(letter),
    }
}
