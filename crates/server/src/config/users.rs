//! The section `users`: what new users get, and what is accepted of them.

use super::source::Source;
use administration::photos::MAX_IMAGE;
use mail_model::user::language::Language;

/// The smallest limit of an uploaded photo, in bytes: that of a small icon.
const MIN_IMAGE: usize = 1024;
/// Multiples of bytes, by the letter of their units.
const UNITS: [(char, u32); 3] = [('k', 10), ('m', 20), ('g', 30)];

/// Users.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UsersConfig {
    /// The language of new users whose tenant has none.
    pub default_language: Language,
    /// The largest photo that may be uploaded, in bytes.
    pub photo_limit: usize,
}

pub(super) fn users(source: &mut Source) -> UsersConfig {
    let language = source.parsed("users.default_language", |text| {
        Language::parse(text).ok_or_else(|| format!("must be one of {}", Language::ALL.join(", ")))
    });
    source.default_is("users.default_language", Language::DEFAULT.as_str());
    let limit = source.parsed("users.photo_limit", |text| {
        let size = size(text).filter(|size| (MIN_IMAGE..=MAX_IMAGE).contains(size));
        size.ok_or_else(|| format!("must be from 1K to {}M, such as 5M", MAX_IMAGE >> 20))
    });
    source.default_is("users.photo_limit", &format!("{}M", MAX_IMAGE >> 20));
    UsersConfig {
        default_language: language.unwrap_or(Language::DEFAULT),
        photo_limit: limit.unwrap_or(MAX_IMAGE),
    }
}

/// A number of bytes: `10485760`, `10240K`, `10M`, `10 MB` or `10MiB`, all powers of 1024. The units may be Cyrillic, as
/// the guide has them.
fn size(text: &str) -> Option<usize> {
    let text: String = text.trim().to_lowercase().chars().map(latin).collect();
    let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
    let unit = unit.trim_start().trim_end_matches('b').trim_end_matches('i');
    let shift = match unit {
        "" => 0,
        unit => UNITS.iter().find(|(letter, _)| unit.chars().eq([*letter])).map(|(_, shift)| *shift)?,
    };
    number.parse::<usize>().ok()?.checked_mul(1_usize.checked_shl(shift)?)
}

/// The Latin letter for a Cyrillic one of a unit: К, М, Г, Б.
fn latin(letter: char) -> char {
    match letter {
        'к' => 'k',
        'м' => 'm',
        'г' => 'g',
        'б' => 'b',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units_in_either_alphabet() {
        for text in ["10485760", "10240K", "10M", "10 m", "10МБ", "10М", "10 MiB", "10mb"] {
            assert_eq!(size(text), Some(10 << 20), "{text}");
        }
        for text in ["", "M", "10X", "10MM", "-1", "1.5M", "99999999999999999999", "99999999999999G"] {
            assert_eq!(size(text), None, "{text}");
        }
    }
}
