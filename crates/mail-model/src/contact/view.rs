//! Views of an address book, and who is seen in which (guide, tables 1 and 3: `employeeType`).

use super::Kind;
use crate::{entry::EntryView, names};

/// A view of the address book.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum View {
    /// The list of colleagues.
    Colleagues,
    /// The suggestions during typing.
    Suggestions,
    /// The contacts of both views.
    All,
}

impl View {
    /// The values of the parameter `view`; the first is the default.
    pub const NAMES: &[&str] = &["colleagues", "suggestions", "all"];

    /// Reads the parameter `view`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "colleagues" => Some(Self::Colleagues),
            "suggestions" => Some(Self::Suggestions),
            "all" => Some(Self::All),
            _ => None,
        }
    }
}

/// The views that show a contact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Visibility {
    /// Shown in the list of colleagues.
    pub colleagues: bool,
    /// Shown among the suggestions.
    pub suggestions: bool,
}

impl Visibility {
    /// Shown in both views.
    pub const BOTH: Self = Self { colleagues: true, suggestions: true };
    /// Shown in no view.
    pub const NONE: Self = Self { colleagues: false, suggestions: false };
    const SUGGESTIONS: Self = Self { colleagues: false, suggestions: true };
    const COLLEAGUES: Self = Self { colleagues: true, suggestions: false };

    /// The visibility by `employeeType`. A value without a meaning for this kind counts as the default, both.
    #[must_use]
    pub fn of_entry(kind: Kind, entry: &impl EntryView) -> Self {
        match (kind, entry.first(&names::EMPLOYEE_TYPE)) {
            (Kind::User | Kind::Resource, Some("0")) => Self::SUGGESTIONS,
            (Kind::User, Some("2")) => Self::COLLEAGUES,
            (Kind::Resource, Some("2")) => Self::NONE,
            _ => Self::BOTH,
        }
    }

    /// Whether a view shows the contact.
    #[must_use]
    pub const fn is_in(self, view: View) -> bool {
        match view {
            View::Colleagues => self.colleagues,
            View::Suggestions => self.suggestions,
            View::All => self.colleagues || self.suggestions,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stored::Stored;

    #[test]
    fn employee_type_says_where_a_user_is_shown() {
        let seen = |kind, value: Option<&str>| {
            let pairs: Vec<_> = value.map(|value| (names::EMPLOYEE_TYPE, value)).into_iter().collect();
            let visibility = Visibility::of_entry(kind, &Stored::new(&[], &pairs));
            (visibility.colleagues, visibility.suggestions)
        };
        assert_eq!(seen(Kind::User, Some("0")), (false, true));
        assert_eq!(seen(Kind::User, Some("1")), (true, true));
        assert_eq!(seen(Kind::User, Some("2")), (true, false));
        assert_eq!(seen(Kind::User, Some("3")), (true, true));
        assert_eq!(seen(Kind::User, None), (true, true));
        assert_eq!(seen(Kind::Resource, Some("0")), (false, true));
        assert_eq!(seen(Kind::Resource, Some("1")), (true, true));
        assert_eq!(seen(Kind::Resource, Some("2")), (false, false));
        assert_eq!(seen(Kind::List, Some("2")), (true, true));
        assert_eq!(seen(Kind::Contact, Some("0")), (true, true));
    }

    #[test]
    fn every_name_is_a_view() {
        assert!(View::NAMES.iter().all(|name| View::parse(name).is_some()));
        assert_eq!(View::parse("everyone"), None);
    }
}
