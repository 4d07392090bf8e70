//! Invisible characters. Tables and web pages leave them around text that people copy: spaces other than U+0020,
//! zero-width characters, marks of the writing direction. At the ends of a value they mean nothing and are trimmed; a
//! value that contains nothing else is blank; in a message they are escaped.

pub mod spelling;

use std::fmt::{self, Display, Formatter, Write};

/// The largest number of characters of a text that a message repeats: enough to recognise the text.
const MAX_SHOWN: usize = 80;

/// An address, a number or another word without invisible characters at its ends. Control characters stay: no field
/// accepts one at an end either, and each field reports it.
#[must_use]
pub fn trimmed(text: &str) -> &str {
    text.trim_matches(is_cut)
}

/// Like [`trimmed`], for text that people read: U+0020 stays.
#[must_use]
pub fn trimmed_text(text: &str) -> &str {
    text.trim_matches(|c| c != ' ' && is_cut(c))
}

/// Whether a text is invisible as a whole.
#[must_use]
pub fn is_blank(text: &str) -> bool {
    text.chars().all(is_hidden)
}

/// Unicode spaces (`White_Space`), and characters that have no width and no meaning at the end of a value.
fn is_cut(c: char) -> bool {
    (c.is_whitespace() && !c.is_control())
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// Everything that is trimmed, control characters, `Default_Ignorable_Code_Point` (which may end a value: a variation
/// selector ends an emoji), and letters that are displayed as a space.
fn is_hidden(c: char) -> bool {
    is_cut(c)
        || c.is_control()
        || matches!(c,
            '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{2800}'
            | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{ffa0}' | '\u{fff0}'..='\u{fff8}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// A text as messages repeat it: invisible characters are written like `\u{200b}`, and a long text is truncated.
#[derive(Clone, Copy, Debug)]
pub struct Visible<'a>(pub &'a str);

impl Visible<'_> {
    /// Whether the text contains a character that is not displayed as itself.
    #[must_use]
    pub fn hides_something(self) -> bool {
        self.0.chars().any(|c| c != ' ' && is_hidden(c))
    }
}

impl Display for Visible<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Some((end, _)) = self.0.char_indices().nth(MAX_SHOWN) else { return VisibleWhole(self.0).fmt(f) };
        let shown = self.0.get(..end).unwrap_or_default();
        write!(f, "{}…", VisibleWhole(shown))
    }
}

/// A text whose length is known to be bounded: invisible characters are written like `\u{200b}`.
#[derive(Clone, Copy, Debug)]
pub struct VisibleWhole<'a>(pub &'a str);

impl Display for VisibleWhole<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            if c != ' ' && is_hidden(c) {
                write!(f, "{}", c.escape_unicode())?;
            } else {
                f.write_char(c)?;
            }
        }
        Ok(())
    }
}

/// An error and its causes, in one line.
#[must_use]
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let said = cause.to_string();
        // The errors of some libraries already include their cause in the message.
        if !text.ends_with(&said) {
            text.push_str(": ");
            text.push_str(&said);
        }
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_does_not_show_is_cut_at_the_ends_only() {
        for (text, left) in [
            ("\u{feff}\u{200b} a\u{200b}b \u{a0}", "a\u{200b}b"),
            ("\u{202a}+7 495\u{202c}", "+7 495"),
            ("\u{2068}Иван\u{2069}\u{3000}", "Иван"),
            ("a\u{ad}", "a"),
            ("❤\u{fe0f}", "❤\u{fe0f}"),
            ("a\n", "a\n"),
            ("\t", "\t"),
            ("\u{a0}\u{2003}\u{200d}", ""),
        ] {
            assert_eq!(trimmed(text), left, "{text:?}");
        }
        assert_eq!(trimmed_text("\u{a0} Иван \u{200b}"), " Иван ");
    }

    #[test]
    fn a_text_of_invisible_characters_is_blank() {
        let blank =
            "\u{200b}|\u{feff}|\u{a0}|\u{2060}|\u{ad}|\u{3164}|\u{2800}|\u{e0020}|\t\r\n|\u{200e}\u{202f} ";
        for text in blank.split('|').chain([""]) {
            assert!(is_blank(text), "{text:?}");
        }
        for text in ["a", "\u{200b}.", "٣", "\u{301}"] {
            assert!(!is_blank(text), "{text:?}");
        }
    }

    #[test]
    fn messages_show_what_does_not_show() {
        assert_eq!(Visible("\u{200b}mail\u{a0}x y\0").to_string(), r"\u{200b}mail\u{a0}x y\u{0}");
        assert_eq!(Visible("Иван ❤").to_string(), "Иван ❤");
        assert_eq!(Visible(&"я".repeat(100)).to_string(), format!("{}…", "я".repeat(80)));
        assert!(Visible("a\u{feff}").hides_something() && !Visible("a b").hides_something());
    }

    proptest! {
        #[test]
        fn nothing_hidden_is_left_in_a_message(text in "\\PC{0,20}[\u{200b}\u{a0}\0-\u{20}]{0,5}\\PC{0,20}") {
            let shown = Visible(&text).to_string();
            prop_assert!(!Visible(&shown).hides_something(), "{:?}", shown);
            prop_assert_eq!(trimmed(trimmed(&text)), trimmed(&text));
        }
    }
}
