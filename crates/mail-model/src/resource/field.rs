//! The fields of a resource (guide, 3.12.2): their names in the API and in the directory, and what each may hold.

use crate::{field::Kind, names};
use ldap_text::attribute::AttributeName;

/// A field of a resource besides its address and group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ResourceField {
    /// `displayName`
    DisplayName,
    /// `description`
    Description,
    /// `l`
    City,
    /// `employeeType`
    Visibility,
}

impl ResourceField {
    /// Every field, in the order in which answers show them.
    pub const ALL: [Self; 4] = [Self::DisplayName, Self::Description, Self::City, Self::Visibility];

    fn row(self) -> (&'static str, AttributeName, Kind) {
        match self {
            Self::DisplayName => ("displayName", names::DISPLAY_NAME, Kind::Line),
            Self::Description => ("description", names::DESCRIPTION, Kind::Lines),
            Self::City => ("l", names::L, Kind::Line),
            Self::Visibility => ("employeeType", names::EMPLOYEE_TYPE, Kind::Number(&["0", "1", "2"])),
        }
    }

    /// Its name in requests and answers.
    #[must_use]
    pub fn api_name(self) -> &'static str {
        self.row().0
    }

    /// Its attribute.
    #[must_use]
    pub fn attribute(self) -> AttributeName {
        self.row().1
    }

    /// What it may hold.
    #[must_use]
    pub fn kind(self) -> Kind {
        self.row().2
    }

    /// Whether every resource has it.
    #[must_use]
    pub const fn is_required(self) -> bool {
        matches!(self, Self::DisplayName)
    }
}
