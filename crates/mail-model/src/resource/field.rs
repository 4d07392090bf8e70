//! The fields of a resource (guide, 3.12.2): their attributes in the directory, and their kinds of values.

use crate::{field::Kind, names};
use ldap_text::attribute::AttributeName;

/// A field of a resource besides its address and group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ResourceField {
    /// The name in address books.
    DisplayName,
    /// A text about the resource.
    Description,
    /// The city.
    City,
    /// Which views of the address book show the resource.
    Visibility,
}

impl ResourceField {
    /// Every field, in the order in which answers show them.
    pub const ALL: [Self; 4] = [Self::DisplayName, Self::Description, Self::City, Self::Visibility];

    fn row(self) -> (AttributeName, Kind) {
        match self {
            Self::DisplayName => (names::DISPLAY_NAME, Kind::Line),
            Self::Description => (names::DESCRIPTION, Kind::Lines),
            Self::City => (names::L, Kind::Line),
            Self::Visibility => (names::EMPLOYEE_TYPE, Kind::Number(&["0", "1", "2"])),
        }
    }

    /// Its attribute.
    #[must_use]
    pub fn attribute(self) -> AttributeName {
        self.row().0
    }

    /// The kind of its values.
    #[must_use]
    pub fn kind(self) -> Kind {
        self.row().1
    }

    /// Whether every resource has it.
    #[must_use]
    pub const fn is_required(self) -> bool {
        matches!(self, Self::DisplayName)
    }
}
