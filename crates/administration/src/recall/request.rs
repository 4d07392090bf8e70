//! What a caller requests.

use mail_model::address::MailAddress;
use mail_store::message_id::MessageId;

/// The most addresses of a recall. With a hundredth of a second for each box, and eight boxes at a time, these take a
/// second or two.
pub const MAX_BOXES: usize = 1000;

/// An address as a request names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Addressed {
    /// As it was sent.
    pub(super) text: String,
    /// `None` if it cannot be an address, and so nobody has it.
    pub(super) mail: Option<MailAddress>,
}

impl Addressed {
    /// Parses any text.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        Self { text: text.to_owned(), mail: MailAddress::parse(text).ok() }
    }

    /// What two spellings of an address have in common.
    pub(super) fn key(&self) -> &str {
        self.mail.as_ref().map_or(&self.text, MailAddress::as_str)
    }
}

/// A recall to execute.
#[derive(Clone, Debug)]
pub struct Recall {
    /// The message.
    pub id: MessageId,
    /// The addresses whose boxes are searched.
    pub addressed: Vec<Addressed>,
    /// Whether read messages are removed too.
    pub force: bool,
    /// Whether mailing lists stand for everyone whom they reach.
    pub expand: bool,
}
