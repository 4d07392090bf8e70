//! The forms of values in etcd. They are more liberal than the configuration file: the panel of PSN, scripts and people
//! have written them for years.

use super::super::source::value::{Effective, Raw};
use std::time::Duration;

/// The languages of users, by their names.
const LANGUAGES: [(&str, &str); 8] = [
    ("English", "en-US"),
    ("Russian", "ru-RU"),
    ("Spanish", "es-PA"),
    ("French", "fr-FR"),
    ("Italian", "it-IT"),
    ("Portuguese", "pt-BR"),
    ("Bashkir", "ba-RU"),
    ("Tatar", "tt-RU"),
];

/// The form of a key's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::config) enum Form {
    /// Any text. Spaces around it do not count.
    Text,
    /// A secret, of which nothing but a line break at its end is removed.
    Secret,
    /// `true` or `false`.
    Flag,
    /// A list: a JSON array as text, or words separated by commas.
    List,
    /// A number of seconds, or a span such as `15 minutes`, for a setting that counts seconds.
    Seconds,
    /// The same for a setting that is a span of time.
    Span,
    /// The English name of a language, for a setting that is its tag.
    Language,
}

impl Form {
    /// Converts a value to what the setting expects.
    pub(in crate::config) fn read(self, text: &str) -> Result<Raw, String> {
        let one = |text: String| Ok(Raw::One(text));
        match self {
            Self::Text => one(plain(text)),
            Self::Secret => one(text.trim_end_matches(['\n', '\r']).to_owned()),
            Self::Flag => one(flag(text)?.to_string()),
            Self::List => list(text).map(Raw::Many),
            Self::Seconds => one(span(text)?.as_secs().to_string()),
            Self::Span => span(text).map(|_| Raw::One(span_text(text))),
            Self::Language => one(language_tag(plain(text))),
        }
    }

    /// The opposite: a value as the guide writes it; `None` if the form cannot express it.
    pub(super) fn write(self, value: &Effective) -> Option<String> {
        let Effective::Text(text) = value else {
            let Effective::List(texts) = value else { return None };
            return (self == Self::List).then(|| serde_json::to_string(texts).ok()).flatten();
        };
        match self {
            Self::Span => {
                let time = humantime::parse_duration(text).ok()?;
                (time.subsec_nanos() == 0).then(|| time.as_secs().to_string())
            }
            Self::List => None,
            Self::Language => {
                LANGUAGES.iter().find(|(_, tag)| tag == text).map(|(name, _)| (*name).to_owned())
            }
            Self::Text | Self::Secret | Self::Flag | Self::Seconds => Some(text.clone()),
        }
    }
}

/// Without spaces around it, and without the quotes of a JSON string.
pub(super) fn plain(text: &str) -> String {
    let text = text.trim();
    let quoted = Some(text).filter(|text| text.starts_with('"'));
    quoted.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_else(|| text.to_owned())
}

/// `true` and `false` in any case, `1` and `0`, `yes` and `no`, `on` and `off`.
pub(super) fn flag(text: &str) -> Result<bool, String> {
    match plain(text).to_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Ok(true),
        "false" | "0" | "no" | "off" => Ok(false),
        _ => Err(format!("{text:?} must be true or false")),
    }
}

/// A JSON array as text (`["127.0.0.1", "10.0.0.1/32"]`), or words separated by commas. An array that cannot be parsed is
/// not taken for words: half of a list of subnets must not come into force.
pub(super) fn list(text: &str) -> Result<Vec<String>, String> {
    let text = text.trim();
    if text.starts_with('[') {
        return serde_json::from_str(text)
            .map_err(|_| format!("{text:?} must be a JSON array of texts such as [\"10.0.0.1\"]"));
    }
    let words = text.split(',').map(plain).filter(|word| !word.is_empty());
    Ok(words.collect())
}

/// The tag of a language; a text that is no name may be a tag already.
fn language_tag(text: String) -> String {
    let known = LANGUAGES.iter().find(|(name, _)| name.eq_ignore_ascii_case(&text));
    known.map_or(text, |(_, tag)| (*tag).to_owned())
}

/// A port number.
pub(super) fn port(text: &str) -> Result<u16, String> {
    let port = plain(text).parse().ok().filter(|port| *port != 0);
    port.ok_or_else(|| format!("{text:?} must be a port from 1 to 65535"))
}

/// A number of seconds, or a number with the word of a unit.
fn span(text: &str) -> Result<Duration, String> {
    let wrong = |_| format!("{text:?} must be seconds such as 3600, or a span of time such as 15 minutes");
    humantime::parse_duration(&span_text(text)).map_err(wrong)
}

fn span_text(text: &str) -> String {
    let text = plain(text);
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return format!("{text}s");
    }
    // A single letter keeps its case: `M` is a month, `m` a minute.
    let words = text.split(' ').filter(|word| !word.is_empty());
    let words = words.map(|word| if word.len() > 1 { word.to_lowercase() } else { word.to_owned() });
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn assert_one(form: Form, text: &str, expected: &str) {
        assert_eq!(form.read(text), Ok(Raw::One(expected.to_owned())), "{text:?}");
    }

    #[test]
    fn odd_forms_are_understood() {
        for text in ["true", " True\n", "\"true\"", "1", "on", "YES"] {
            assert_one(Form::Flag, text, "true");
        }
        assert_one(Form::Flag, "off", "false");
        for text in ["15 minutes", "900", "15 Minutes", "15m", "\"15 minutes\"", " 15  min "] {
            assert_one(Form::Seconds, text, "900");
        }
        assert_one(Form::Span, "900", "900s");
        assert_one(Form::Language, "Russian", "ru-RU");
        assert_one(Form::Language, "tt-RU", "tt-RU");
        assert_one(Form::Text, " \"Europe/Moscow\" ", "Europe/Moscow");
        assert_one(Form::Secret, " \"a b\" \n", " \"a b\" ");
    }

    #[test]
    fn lists_are_json_or_words() {
        let both = Ok(Raw::Many(vec!["127.0.0.1".into(), "10.160.115.127/32".into()]));
        for text in [
            "[\"127.0.0.1\", \"10.160.115.127/32\"]",
            " [\"127.0.0.1\",\n\"10.160.115.127/32\"]\n",
            "127.0.0.1, 10.160.115.127/32",
            "\"127.0.0.1\",\"10.160.115.127/32\",",
        ] {
            assert_eq!(Form::List.read(text), both, "{text}");
        }
        assert_eq!(Form::List.read("[]"), Ok(Raw::Many(Vec::new())));
        for text in ["[\"127.0.0.1\", \"10.0.0.1", "[127.0.0.1]", "[1]"] {
            assert!(Form::List.read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_cannot_be_understood_is_refused_in_words() {
        for (form, text, words) in [
            (Form::Flag, "maybe", "true or false"),
            (Form::Seconds, "soon", "15 minutes"),
            (Form::Span, "-1", "15 minutes"),
        ] {
            assert!(form.read(text).unwrap_err().contains(words), "{text}");
        }
        assert!(port("0").is_err() && port("70000").is_err() && port(" 389 ") == Ok(389));
    }

    #[test]
    fn values_are_written_as_the_guide_writes_them() {
        let text = |text: &str| Effective::Text(text.to_owned());
        assert_eq!(Form::Span.write(&text("15m")).as_deref(), Some("900"));
        assert_eq!(Form::Span.write(&text("500ms")), None);
        let list = Effective::List(vec!["127.0.0.1".into()]);
        assert_eq!(Form::List.write(&list).as_deref(), Some("[\"127.0.0.1\"]"));
        assert_eq!(Form::Flag.write(&Effective::Unset), None);
    }
}
