//! Rows of a file, read in pieces of any size and in constant memory.

use super::{
    Mode,
    csv::CsvRows,
    ndjson::NdjsonRows,
    place::{Place, Stop},
    text::{Charset, Decoding, TextError},
};
use crate::http::{form::Parameters, message::Message};
use mail_model::{
    address::MailAddress,
    user::{command::MAIL_PARAMETER, field::UserField},
};
use tokio::io::{AsyncRead, AsyncReadExt};

/// How much is read at once.
const PIECE: usize = 16 * 1024;

/// How rows are written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A table with a header line.
    Csv {
        /// Its encoding; found out where it is not declared.
        charset: Option<Charset>,
    },
    /// A JSON object a line, in UTF-8.
    Ndjson,
}

/// A row: a user to be made or changed, or why it is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Its number, from 1.
    pub(super) number: usize,
    /// The line that it begins in, from 1.
    pub(super) line: usize,
    /// Its length in bytes of UTF-8.
    pub(super) size: usize,
    /// The address, as it was given.
    pub(super) mail: Option<String>,
    /// Everything else.
    pub(super) content: Result<Parameters, Message>,
}

impl Row {
    fn new(number: usize, found: Found) -> Self {
        let (mut mail, mut content) = (None, found.content);
        if let Ok(parameters) = &mut content {
            match parameters.take(MAIL_PARAMETER) {
                Ok(given) => mail = given,
                Err(error) => content = Err(Message::of_parameter(MAIL_PARAMETER, &error.to_string())),
            }
        }
        Self { number, line: found.line, size: found.size, mail, content }
    }

    /// The addresses that it names, each in its one spelling.
    pub(super) fn addresses(&self) -> Vec<String> {
        let aliases = self.content.as_ref().ok().and_then(|parameters| {
            // A copy, since a list can only be taken.
            parameters.clone().take_list(UserField::Aliases.api_name())
        });
        let named = self.mail.iter().cloned().chain(aliases.unwrap_or_default());
        named.map(|text| MailAddress::parse(&text).map_or(text, |mail| mail.to_string())).collect()
    }
}

/// A row as its format has it.
pub(super) struct Found {
    pub(super) line: usize,
    pub(super) size: usize,
    pub(super) content: Result<Parameters, Message>,
}

/// What came of some text.
pub(super) struct Step {
    /// How much of it was read; nothing where more is needed.
    pub(super) used: usize,
    /// The row that ended, where one did.
    pub(super) found: Option<Found>,
}

impl Step {
    /// More text is needed.
    pub(super) const MORE: Self = Self { used: 0, found: None };
}

enum Parser {
    Csv(Box<CsvRows>),
    Ndjson(NdjsonRows),
}

impl Parser {
    fn push(&mut self, text: &str, last: bool) -> Result<Step, Vec<Stop>> {
        match self {
            Self::Csv(rows) => rows.push(text, last),
            Self::Ndjson(rows) => Ok(rows.push(text)),
        }
    }

    fn finish(&mut self) -> Result<Option<Found>, Vec<Stop>> {
        match self {
            Self::Csv(rows) => rows.finish(),
            Self::Ndjson(rows) => Ok(rows.finish()),
        }
    }

    fn place(&self) -> Place {
        match self {
            Self::Csv(rows) => rows.place(),
            Self::Ndjson(rows) => rows.place(),
        }
    }
}

/// Why no more text comes.
enum End {
    Reached,
    NoText(TextError),
    Broken(std::io::Error),
}

/// The rows of a file.
pub struct Rows<R> {
    reader: R,
    piece: Box<[u8]>,
    decoding: Decoding,
    /// Text, and how much of it the parser has read.
    text: String,
    used: usize,
    end: Option<End>,
    parser: Parser,
    number: usize,
    over: bool,
}

impl<R: AsyncRead + Unpin> Rows<R> {
    /// The rows that a reader has. The mode decides which columns a table must have.
    pub fn new(reader: R, format: Format, mode: Mode) -> Self {
        let (parser, charset) = match format {
            Format::Csv { charset } => (Parser::Csv(Box::new(CsvRows::new(mode))), charset),
            Format::Ndjson => (Parser::Ndjson(NdjsonRows::new()), Some(Charset::Utf8)),
        };
        Self {
            reader,
            piece: vec![0; PIECE].into_boxed_slice(),
            decoding: Decoding::new(charset),
            text: String::new(),
            used: 0,
            end: None,
            parser,
            number: 0,
            over: false,
        }
    }

    /// The next row; `None` after the last.
    ///
    /// # Errors
    /// Why the file is read no further: one reason, or all that is wrong with a header. Nothing comes after it.
    pub async fn next(&mut self) -> Result<Option<Row>, Vec<Stop>> {
        if self.over {
            return Ok(None);
        }
        let found = self.find().await;
        self.over = !matches!(found, Ok(Some(_)));
        Ok(found?.map(|found| {
            self.number += 1;
            Row::new(self.number, found)
        }))
    }

    async fn find(&mut self) -> Result<Option<Found>, Vec<Stop>> {
        loop {
            let rest = self.text.get(self.used..).unwrap_or_default();
            let step =
                if rest.is_empty() { Step::MORE } else { self.parser.push(rest, self.end.is_some())? };
            self.used += step.used;
            match (step, &self.end) {
                (Step { found: Some(found), .. }, _) => return Ok(Some(found)),
                (Step { used: 0, .. }, None) => self.read().await,
                (Step { used: 0, .. }, Some(End::Reached)) => return self.parser.finish(),
                (Step { used: 0, .. }, Some(End::NoText(error))) => {
                    return Err(vec![self.parser.place().stop(error.to_string())]);
                }
                (Step { used: 0, .. }, Some(End::Broken(error))) => {
                    let message = format!("the file cannot be read to its end: {error}");
                    return Err(vec![self.parser.place().stop(message)]);
                }
                _ => {}
            }
        }
    }

    async fn read(&mut self) {
        self.text.drain(..self.used);
        self.used = 0;
        let read = match self.reader.read(&mut self.piece).await {
            Ok(read) => read,
            Err(error) => {
                self.end = Some(End::Broken(error));
                return;
            }
        };
        let bytes = self.piece.get(..read).unwrap_or_default();
        match self.decoding.push(bytes, read == 0, &mut self.text) {
            Err(error) => self.end = Some(End::NoText(error)),
            Ok(()) if read == 0 => self.end = Some(End::Reached),
            Ok(()) => {}
        }
    }
}
