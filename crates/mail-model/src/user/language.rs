//! Languages of the user's interface.

/// One of the languages of the guide's table 2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Language(&'static str);

impl Language {
    /// Every tag.
    pub const ALL: &[&str] = &["en-US", "ru-RU", "es-PA", "fr-FR", "it-IT", "pt-BR", "ba-RU", "tt-RU"];

    /// Language of users whose tenant has none (table 2).
    pub const DEFAULT: Self = Self("en-US");

    /// Parses a language in any letter case.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|tag| tag.eq_ignore_ascii_case(text)).map(Self)
    }

    /// Its tag.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.0
    }
}
