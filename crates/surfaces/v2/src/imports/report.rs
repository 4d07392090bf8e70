//! The report of an import: a line of JSON for each row, in the order of the file, and a summary.

use super::place::{Counts, Stop};
use crate::message::MessageBody;
use actix_web::web::Bytes;
use futures_util::{Stream, StreamExt};
use serde::{Serialize, Serializer};
use utoipa::ToSchema;
use web::answer::Message;

/// A line of the report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(untagged)]
#[schema(as = ImportReport)]
pub enum Report {
    /// A row.
    Row(RowReport),
    /// Why no more rows are read or applied.
    Stop(Stop),
    /// The last line of every report.
    End {
        /// The number of rows by outcome.
        summary: Summary,
        /// Whether the import was a dry run.
        #[serde(rename = "dry-run")]
        dry_run: bool,
        /// The encoding of the file, by its name in the Encoding Standard, or cp866.
        encoding: String,
        /// Whether the encoding was guessed from the letters; a `charset` names it.
        #[serde(rename = "encoding-guessed")]
        encoding_guessed: bool,
    },
}

/// The outcome of a row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = ImportReportRow)]
pub struct RowReport {
    /// The number of the row, from 1.
    pub row: usize,
    /// The line in which the row begins, from 1.
    pub line: usize,
    /// The address, as given.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub mail: Option<String>,
    /// What was done.
    #[serde(rename = "result")]
    pub outcome: Outcome,
    /// The reason, if the row is an error.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "as_body")]
    #[schema(nullable = false, value_type = Option<MessageBody<'static>>)]
    pub message: Option<Message>,
    /// The name in one of the first rows, as decoded: a reader recognizes a wrong encoding by it.
    #[serde(skip)]
    pub name: Option<String>,
    /// The identifier of a changed entry: cached data about its account is out of date.
    #[serde(skip)]
    pub changed: Option<String>,
}

#[expect(clippy::ref_option, reason = "serde gives it so")]
fn as_body<S: Serializer>(message: &Option<Message>, serializer: S) -> Result<S::Ok, S::Error> {
    message.as_ref().map(MessageBody::new).serialize(serializer)
}

/// What was done with a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = ImportOutcome)]
pub enum Outcome {
    /// A user was created.
    Created,
    /// A user was changed.
    Updated,
    /// The user already had the values of the row.
    Unchanged,
    /// Nothing: the row of an export is about a contact that is not a user.
    Skipped,
    /// An error: nothing was done, or the outcome is unknown.
    Error,
}

/// The number of rows by outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = ImportSummary)]
pub struct Summary {
    /// All rows, including one in which reading stopped; each row is counted once below.
    pub rows: usize,
    /// Users created.
    pub created: usize,
    /// Users changed.
    pub updated: usize,
    /// Users that already had the values.
    pub unchanged: usize,
    /// Rows of an export about contacts that are not users.
    pub skipped: usize,
    /// Rows with errors, or the errors of the header.
    pub errors: usize,
}

impl Summary {
    pub(super) fn count(&mut self, outcome: Outcome) {
        self.rows += 1;
        *match outcome {
            Outcome::Created => &mut self.created,
            Outcome::Updated => &mut self.updated,
            Outcome::Unchanged => &mut self.unchanged,
            Outcome::Skipped => &mut self.skipped,
            Outcome::Error => &mut self.errors,
        } += 1;
    }

    pub(super) fn count_stop(&mut self, stop: &Stop) {
        match stop.counts {
            Counts::AsRow => self.count(Outcome::Error),
            Counts::AsError | Counts::OfHeader => self.errors += 1,
            Counts::Not => {}
        }
    }
}

/// A report as NDJSON.
pub fn lines(reports: impl Stream<Item = Report>) -> impl Stream<Item = Bytes> {
    reports.map(|report| {
        // Serializing a report cannot fail.
        let mut line = serde_json::to_vec(&report).unwrap_or_default();
        line.push(b'\n');
        line.into()
    })
}
