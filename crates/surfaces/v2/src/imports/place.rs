//! Positions in a text, and the errors that end the reading of a file.

use serde::Serialize;
use utoipa::ToSchema;

/// A position in a text: both numbers begin at 1, columns are characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) line: usize,
    pub(super) column: usize,
}

impl Place {
    pub(super) const START: Self = Self { line: 1, column: 1 };

    /// Moves past one byte of UTF-8.
    pub(super) fn pass(&mut self, byte: u8) {
        if byte == b'\n' {
            *self = Self { line: self.line + 1, column: 1 };
        } else if byte & 0b1100_0000 != 0b1000_0000 {
            // Not a continuation byte, so it begins a character.
            self.column += 1;
        }
    }

    pub(super) fn stop(self, message: impl Into<String>) -> Stop {
        Stop::new(self.line, Some(self.column), message)
    }
}

/// Why no more of a file is read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = ImportStop)]
pub struct Stop {
    /// Always `error`.
    result: &'static str,
    /// The line of the error, from 1.
    pub line: usize,
    /// The column of the error, from 1, in characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub column: Option<usize>,
    /// The error.
    pub message: String,
    /// How it counts in the summary.
    #[serde(skip)]
    pub(super) counts: Counts,
}

/// How a stop counts in the summary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Counts {
    /// An error that is not a row: no row was read.
    AsError,
    /// An error of a header, which is not a row.
    OfHeader,
    /// A row with an error: the one in which reading stopped.
    AsRow,
    /// Not at all: the rows in question are reported themselves.
    Not,
}

impl Stop {
    pub(super) fn new(line: usize, column: Option<usize>, message: impl Into<String>) -> Self {
        Self { result: "error", line, column, message: message.into(), counts: Counts::AsError }
    }

    /// The error of a header. It names columns of the table, not positions in the line.
    pub(super) fn of_header(line: usize, message: impl Into<String>) -> Self {
        Self::new(line, None, message).counting(Counts::OfHeader)
    }

    /// Whether the error is in the header of a table.
    #[must_use]
    pub fn is_of_header(&self) -> bool {
        self.counts == Counts::OfHeader
    }

    pub(super) fn counting(self, counts: Counts) -> Self {
        Self { counts, ..self }
    }
}

impl std::fmt::Display for Stop {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.column {
            Some(column) => write!(f, "line {}, column {column}: {}", self.line, self.message),
            None => write!(f, "line {}: {}", self.line, self.message),
        }
    }
}
