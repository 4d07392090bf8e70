//! Bulk import of users: each row of a CSV table or of NDJSON becomes the command that the API would make of it
//! ([`crate::requests`]), and the command is executed. Owns reading in constant memory, the order of rows, and the
//! report of each row. It does not validate fields in its own way, and it does not undo: the report lists what was
//! done, and a second import of the same file completes it.

mod apply;
mod charset;
mod chunk;
mod columns;
mod csv;
mod decoder;
mod guess;
mod marks;
mod ndjson;
mod passwords;
mod place;
mod report;
mod rows;
mod run;
mod same;
#[cfg(test)]
mod tests;
mod text;
mod trial;
mod unpack;

pub use charset::Charset;
pub use passwords::Comparisons;
pub use place::Stop;
pub use report::{Outcome, Report, RowReport, Summary, lines};
pub use rows::{Format, Row, Rows};
pub use run::{Import, run};
pub use text::FileEncoding;

/// The longest row in bytes of UTF-8. The largest possible row has a description of 4,096 characters, 16 other texts of
/// up to 256 and 100 aliases of 254: 16 KiB and 16 KiB at 4 bytes a character, and 25 KiB. JSON escapes can triple this
/// to 171 KiB; the rest is room for blanks and names.
pub const MAX_RECORD: usize = 256 * 1024;

/// How rows are applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::EnumString, strum::VariantNames)]
pub enum Mode {
    /// Each row creates a user; an address that is taken is an error.
    #[strum(serialize = "create")]
    Create,
    /// Each row creates a user, or changes the one that has its address.
    #[strum(serialize = "upsert")]
    Upsert,
}
