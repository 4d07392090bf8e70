//! Rows of a file, read in pieces of any size and in constant memory.

use super::{
    Mode,
    charset::Charset,
    csv::CsvRows,
    decoder::TextError,
    ndjson::NdjsonRows,
    place::{Counts, Place, Stop},
    text::{DeclaredCharset, Decoding, FileEncoding},
    unpack::{UnpackError, Unpacking},
};
use crate::names::{MAIL, of_user};
use mail_model::{address::MailAddress, user::field::UserField};
use tokio::io::{AsyncRead, AsyncReadExt};
use web::{answer::Message, form::Parameters};

/// The number of bytes that are read at once.
const PIECE: usize = 16 * 1024;

/// The format of the rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A table with a header line.
    Csv {
        /// Its encoding; detected if it is not declared.
        charset: Option<Charset>,
    },
    /// A JSON object a line, in UTF-8, or in UTF-16 with a byte order mark.
    Ndjson,
}

/// A row: a user to create or to change, or the error of the row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The number of the row, from 1.
    pub(super) number: usize,
    /// The line in which the row begins, from 1.
    pub(super) line: usize,
    /// The length in bytes of UTF-8.
    pub(super) size: usize,
    /// Whether the row comes from an export of the address book, which contains displayed names.
    pub(super) is_exported: bool,
    /// Whether the row is about a user, and not about another contact of an export.
    pub(super) is_user: bool,
    /// The address, as given.
    pub(super) mail: Option<String>,
    /// The other parameters.
    pub(super) content: Result<Parameters, Message>,
}

impl Row {
    fn new(number: usize, found: Found) -> Self {
        let (mut mail, mut content) = (None, found.content);
        if let Ok(parameters) = &mut content {
            match parameters.take(MAIL) {
                Ok(given) => mail = given,
                Err(error) => content = Err(Message::of_parameter(MAIL, &error.to_string())),
            }
        }
        let Found { line, size, is_exported, is_user, .. } = found;
        Self { number, line, size, is_exported, is_user, mail, content }
    }

    /// The name of the user, as given; `None` without one.
    pub(super) fn name(&self) -> Option<String> {
        let parameters = self.content.as_ref().ok()?;
        let parts = [UserField::FirstName, UserField::LastName, UserField::DisplayName];
        let parts: Vec<_> = parts.iter().filter_map(|field| parameters.first(of_user(*field))).collect();
        (!parts.is_empty()).then(|| parts.join(" "))
    }

    /// The addresses of the row, normalized if they are valid.
    pub(super) fn addresses(&self) -> Vec<String> {
        let aliases = self.content.as_ref().ok().and_then(|parameters| {
            // A clone, because a list can only be taken.
            parameters.clone().take_list(of_user(UserField::Aliases))
        });
        let named = self.mail.iter().cloned().chain(aliases.unwrap_or_default());
        named.map(|text| MailAddress::parse(&text).map_or(text, |mail| mail.to_string())).collect()
    }
}

/// A row as read from its format.
pub(super) struct Found {
    pub(super) line: usize,
    pub(super) size: usize,
    pub(super) is_exported: bool,
    pub(super) is_user: bool,
    pub(super) content: Result<Parameters, Message>,
}

/// The result of parsing some text.
pub(super) struct Step {
    /// How much of the text was read; 0 if more is needed.
    pub(super) used: usize,
    /// The row that ended, if one did.
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

    /// Whether the next text belongs to rows.
    fn is_at_rows(&self) -> bool {
        match self {
            Self::Csv(rows) => rows.is_past_header(),
            Self::Ndjson(_) => true,
        }
    }
}

/// Why no more text follows.
enum End {
    Reached,
    NoText(TextError),
    Packed(UnpackError),
    Broken(std::io::Error),
}

impl End {
    /// Why no more of the file is read; `None` at its end.
    fn reason(&self) -> Option<String> {
        match self {
            Self::Reached => None,
            Self::NoText(error) => Some(error.to_string()),
            Self::Packed(error) => Some(error.to_string()),
            Self::Broken(error) => Some(format!("the file cannot be read to its end: {error}")),
        }
    }
}

/// The rows of a file.
pub struct Rows<R> {
    reader: R,
    piece: Box<[u8]>,
    unpacking: Unpacking,
    /// The file's bytes that came with the last piece.
    unpacked: Vec<u8>,
    decoding: Decoding,
    /// Decoded text, and how much of it the parser has read.
    text: String,
    used: usize,
    end: Option<End>,
    parser: Parser,
    number: usize,
    over: bool,
}

impl<R: AsyncRead + Unpin> Rows<R> {
    /// The rows of a reader, plain or compressed with gzip. The mode decides which columns a table must have.
    pub fn new(reader: R, format: Format, mode: Mode) -> Self {
        let (parser, declared) = match format {
            Format::Csv { charset } => (
                Parser::Csv(Box::new(CsvRows::new(mode))),
                charset.map_or(DeclaredCharset::Nothing, DeclaredCharset::As),
            ),
            Format::Ndjson => (Parser::Ndjson(NdjsonRows::new()), DeclaredCharset::Unicode),
        };
        Self {
            reader,
            piece: vec![0; PIECE].into_boxed_slice(),
            unpacking: Unpacking::Start(None),
            unpacked: Vec::new(),
            decoding: Decoding::new(declared),
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
    /// Why no more of the file is read: one error, or all errors of a header. No row follows.
    pub async fn next(&mut self) -> Result<Option<Row>, Vec<Stop>> {
        if self.over {
            return Ok(None);
        }
        let mut found = self.find().await;
        self.over = !matches!(found, Ok(Some(_)));
        if let Err(stops) = &mut found
            && self.parser.is_at_rows()
        {
            for stop in stops {
                stop.counts = Counts::AsRow;
            }
        }
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
                (Step { used: 0, .. }, Some(end)) => match end.reason() {
                    None => return self.parser.finish(),
                    Some(reason) => return Err(vec![self.parser.place().stop(reason)]),
                },
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
        self.unpacked.clear();
        let unpacked = self.unpacking.push(bytes, read == 0, &mut self.unpacked);
        let is_last = read == 0 && unpacked.is_ok();
        self.end = match (self.decoding.push(&self.unpacked, is_last, &mut self.text), unpacked) {
            (Err(error), _) => Some(End::NoText(error)),
            (Ok(()), Err(error)) => Some(End::Packed(error)),
            (Ok(()), Ok(())) => is_last.then_some(End::Reached),
        };
    }

    /// The encoding of the file, as far as it is known.
    pub(super) fn encoding(&self) -> FileEncoding {
        self.decoding.encoding()
    }
}
