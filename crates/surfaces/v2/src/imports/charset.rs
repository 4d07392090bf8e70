//! Encodings of tables, by their names in the Encoding Standard.

use encoding_rs::{Encoding, IBM866, UTF_8, UTF_16BE, UTF_16LE, X_USER_DEFINED};

/// The encoding of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Charset(Kind);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// UTF-16, in the byte order that the file has.
    Utf16,
    Of(&'static Encoding),
}

impl Charset {
    /// The allowed names, for the message about an unknown one.
    pub const EXPECTED: &str = "utf-8, utf-16, windows-1251, windows-1252, iso-8859-1, cp866, koi8-r, or another name of the \
                                Encoding Standard";
    /// UTF-8.
    pub const UTF_8: Self = Self(Kind::Of(UTF_8));

    /// The encoding of a label of the Encoding Standard, such as `utf-8`, `cp1251` or `iso-8859-1`. For the last the
    /// standard uses windows-1252, which has letters in the place of control characters.
    #[must_use]
    pub fn of_label(label: &str) -> Option<Self> {
        if label.trim().eq_ignore_ascii_case("utf-16") {
            return Some(Self(Kind::Utf16));
        }
        let encoding = Encoding::for_label_no_replacement(label.as_bytes())?;
        (encoding != X_USER_DEFINED).then_some(Self(Kind::Of(encoding)))
    }

    /// Whether it is a Unicode encoding.
    #[must_use]
    pub fn is_unicode(self) -> bool {
        match self.0 {
            Kind::Utf16 => true,
            Kind::Of(encoding) => [UTF_8, UTF_16LE, UTF_16BE].contains(&encoding),
        }
    }

    /// The encoding; `None` if it depends on the file.
    pub(super) fn encoding(self) -> Option<&'static Encoding> {
        match self.0 {
            Kind::Utf16 => None,
            Kind::Of(encoding) => Some(encoding),
        }
    }

    /// Its name.
    pub(super) fn name(self) -> String {
        match self.0 {
            Kind::Utf16 => "utf-16".to_owned(),
            Kind::Of(encoding) => name_of(encoding),
        }
    }
}

/// The usual name of an encoding, in lower case.
pub(super) fn name_of(encoding: &'static Encoding) -> String {
    if encoding == IBM866 { "cp866".to_owned() } else { encoding.name().to_ascii_lowercase() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_those_of_the_encoding_standard() {
        for (label, name) in [
            ("UTF-8", "utf-8"),
            ("cp1251", "windows-1251"),
            ("windows-1252", "windows-1252"),
            ("iso-8859-1", "windows-1252"),
            ("cp866", "cp866"),
            ("IBM866", "cp866"),
            ("koi8-r", "koi8-r"),
            ("UTF-16", "utf-16"),
            ("utf-16be", "utf-16be"),
            ("macintosh", "macintosh"),
        ] {
            assert_eq!(Charset::of_label(label).map(Charset::name).as_deref(), Some(name), "{label}");
        }
        for label in ["", "cp850", "utf-7", "utf-32", "x-user-defined", "iso-2022-kr"] {
            assert_eq!(Charset::of_label(label), None, "{label}");
        }
    }
}
