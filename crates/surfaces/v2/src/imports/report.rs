//! What is told of an import: a line of JSON for each row, in the order of the file, and a summary.

use super::place::{Counts, Stop};
use crate::message::MessageBody;
use actix_web::web::Bytes;
use futures_util::{Stream, StreamExt};
use serde::{Serialize, Serializer};
use utoipa::ToSchema;
use web::answer::Message;

/// One line of the report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(untagged)]
#[schema(as = ImportReport)]
pub enum Report {
    /// Of a row.
    Row(RowReport),
    /// Why no more rows are read or done.
    Stop(Stop),
    /// The end; always there, and always last.
    End {
        /// What was done.
        summary: Summary,
        /// Whether it was only tried.
        #[serde(rename = "dry-run")]
        dry_run: bool,
        /// The encoding that the file was read in, by its name in the Encoding Standard, or cp866.
        encoding: String,
        /// Whether that was guessed from the letters; a `charset` says it.
        #[serde(rename = "encoding-guessed")]
        encoding_guessed: bool,
    },
}

/// What became of a row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = ImportReportRow)]
pub struct RowReport {
    /// Its number, from 1.
    pub row: usize,
    /// The line that it begins in, from 1.
    pub line: usize,
    /// The address, as it was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub mail: Option<String>,
    /// What was done.
    #[serde(rename = "result")]
    pub outcome: Outcome,
    /// Why it is an error.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "as_body")]
    #[schema(nullable = false, value_type = Option<MessageBody<'static>>)]
    pub message: Option<Message>,
    /// The name in one of the first rows, as it was read: a wrong encoding is seen by it.
    #[serde(skip)]
    pub name: Option<String>,
    /// The identifier of an entry that was changed: what is remembered about its account is out of date.
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
    /// A user was made.
    Created,
    /// A user was changed.
    Updated,
    /// The user was as the row says already.
    Unchanged,
    /// Nothing: the row of an export is about another contact than a user.
    Skipped,
    /// Nothing, or not known.
    Error,
}

/// How many of what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = ImportSummary)]
pub struct Summary {
    /// All rows, the one in which a file breaks off among them; each is one of the following.
    pub rows: usize,
    /// Users made.
    pub created: usize,
    /// Users changed.
    pub updated: usize,
    /// Users that were so already.
    pub unchanged: usize,
    /// Rows of an export that are about other contacts than users.
    pub skipped: usize,
    /// Rows that are errors. Of a wrong header, what is wrong with it.
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
        // No part of a report has a reason to be no JSON.
        let mut line = serde_json::to_vec(&report).unwrap_or_default();
        line.push(b'\n');
        line.into()
    })
}
