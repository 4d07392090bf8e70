//! Users in bulk: rows of a CSV table or of NDJSON, each made into the command that the API would make of it
//! ([`crate::requests`]), and done. Owns reading in constant memory, the order of rows, and the report of each. Refuses
//! a second opinion on fields, and to undo: what is done is reported, and the same file again finishes it.

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

/// Longest row in bytes of UTF-8. The fullest one has a description of 4,096 characters, 16 other texts of up to 256
/// and 100 aliases of 254: 16 KiB and 16 KiB at 4 bytes a character, and 25 KiB. Escapes of JSON make three times as
/// much of that, 171 KiB; the rest is room for blanks and names.
pub const MAX_RECORD: usize = 256 * 1024;

/// What is done with rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::EnumString, strum::VariantNames)]
pub enum Mode {
    /// Each makes a user; an address that is taken is an error.
    #[strum(serialize = "create")]
    Create,
    /// Each makes a user, or changes the one that has its address.
    #[strum(serialize = "upsert")]
    Upsert,
}
