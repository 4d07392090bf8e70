//! Places in a text, and what ends the reading of a file.

use serde::Serialize;
use utoipa::ToSchema;

/// A place in a text: both numbers begin at 1, columns are characters.
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
            // Not a continuation byte, so a character of its own.
            self.column += 1;
        }
    }

    pub(super) fn stop(self, message: impl Into<String>) -> Stop {
        Stop::new(self.line, Some(self.column), message)
    }
}

/// Why a file is read no further.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = ImportStop)]
pub struct Stop {
    /// Always `error`.
    result: &'static str,
    /// The line that it is about, from 1.
    pub line: usize,
    /// The column that it is about, from 1: a character of the line.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub column: Option<usize>,
    /// What is wrong, in words.
    pub message: String,
    /// What it counts as in the summary.
    #[serde(skip)]
    pub(super) counts: Counts,
}

/// What a stop counts as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Counts {
    /// An error, but no row: the rows are not reached.
    AsError,
    /// The same, of a header.
    OfHeader,
    /// A row that is an error: the one in which the file breaks off.
    AsRow,
    /// Nothing: the rows that it is about are reported.
    Not,
}

impl Stop {
    pub(super) fn new(line: usize, column: Option<usize>, message: impl Into<String>) -> Self {
        Self { result: "error", line, column, message: message.into(), counts: Counts::AsError }
    }

    /// Of a header. It names columns of the table, which are no places in the line.
    pub(super) fn of_header(line: usize, message: impl Into<String>) -> Self {
        Self::new(line, None, message).counting(Counts::OfHeader)
    }

    /// Whether it is about the header of a table.
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
