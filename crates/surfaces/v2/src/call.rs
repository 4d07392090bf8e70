//! A request as handlers see it: who may do what, what it names, its parameters.

use super::{answer::Failure, services::Services};
use actix_web::{http::StatusCode, web::Bytes};
use address_book::reader::BookReader;
use administration::{
    Administration,
    caller::Actor,
    long_work::{LongWork, Turn},
    policy::Reach,
};
use bytes::BytesMut;
use directory::Directory;
use futures_util::StreamExt;
use jiff::Timestamp;
use mail_model::{address::MailAddress, revision::Precondition, tenant::TenantId, user::LiveUser};
use std::rc::Rc;
use web::{client::Client, form::Parameters, precondition::Known, routes::PathNames, transport::RequestBody};

/// A request that may be done: what a handler works with.
pub struct Call<'a> {
    /// The directory, through this thread's connections.
    pub directory: &'a Directory,
    /// What can be done to it.
    pub administration: &'a Administration,
    /// The same, as the account that backs up and restores; `None` where there is none.
    pub backup_directory: Option<&'a Directory>,
    /// Where address books are opened, on this thread.
    pub books: &'a Rc<BookReader>,
    /// What all threads share.
    pub services: &'a Services,
    /// Who asks; `None` where no token is needed and none was sent.
    pub actor: Option<Actor>,
    /// How far the caller may do it.
    pub reach: Reach,
    /// Where the caller asks from.
    pub client: Client,
    /// When.
    pub now: Timestamp,
    /// Which versions of what it names a change may be made to.
    pub precondition: Precondition,
    /// Which versions of what it reads the client has.
    pub known: Known<'a>,
    /// The parameters; what is left of them is reported as ignored.
    pub parameters: Parameters,
    /// The body, where it is rows and not parameters.
    pub rows: Option<Rows>,
    /// Names in the path, decoded.
    pub(super) names: Names<'a>,
}

/// A body of rows, read while it comes.
pub struct Rows {
    /// Its media type without parameters, in lower case.
    pub media_type: String,
    /// Its charset, where one is given.
    pub charset: Option<String>,
    /// How long it is, where the client says so.
    pub announced: Option<u64>,
    /// How the body is packed, as the header says.
    pub content_encoding: Option<String>,
    /// The bytes.
    pub payload: RequestBody,
}

/// Reads a body as a whole, where it has at most so many bytes; else the failure is what `too_large` says.
///
/// # Errors
/// 413, or 400 where it breaks off.
pub(crate) async fn read_whole(
    mut payload: RequestBody,
    announced: Option<u64>,
    most: usize,
    too_large: impl Fn() -> String,
) -> Result<Bytes, Failure> {
    let too_large = || Failure::new(StatusCode::PAYLOAD_TOO_LARGE, &too_large());
    if announced.is_some_and(|length| length > most as u64) {
        return Err(too_large());
    }
    let mut body = BytesMut::new();
    while let Some(piece) = payload.next().await {
        let unreadable = "The body could not be read to its end.";
        let piece = piece.map_err(|_| Failure::new(StatusCode::BAD_REQUEST, unreadable))?;
        if body.len() + piece.len() > most {
            return Err(too_large());
        }
        body.extend_from_slice(&piece);
    }
    Ok(body.freeze())
}

impl Call<'_> {
    /// Who asks, for a request that not everybody may make.
    ///
    /// # Errors
    /// 401 where nobody has said who that is.
    pub fn caller(&self) -> Result<&Actor, Failure> {
        self.actor.as_ref().ok_or_else(Failure::unauthorized)
    }

    /// Requires that the caller still has its rights: after a body that may have come slowly.
    ///
    /// # Errors
    /// 401 where it was blocked, deleted, or given another password or role meanwhile.
    pub async fn recheck(&self) -> Result<(), Failure> {
        let Some(actor) = &self.actor else { return Ok(()) };
        if self.services.log_ins.still_stands(self.directory, actor).await? {
            Ok(())
        } else {
            Err(Failure::unauthorized())
        }
    }

    /// Begins work that lasts as long as the client wants, where there is not too much of it.
    ///
    /// # Errors
    /// 429 or 503.
    pub fn begin(&self, work: LongWork) -> Result<Turn, Failure> {
        Ok(self.services.long_works.begin(work, self.actor.as_ref())?)
    }

    /// The tenant in the path; an impossible one does not exist.
    ///
    /// # Errors
    /// 404.
    pub fn tenant(&self) -> Result<&TenantId, Failure> {
        self.names.tenant.as_ref().ok_or_else(|| Failure::not_found("tenant"))
    }

    /// The address in the path, of a thing of some kind; an impossible one does not exist.
    ///
    /// # Errors
    /// 404.
    pub fn mail_of(&self, what: &str) -> Result<MailAddress, Failure> {
        self.names.mail().ok_or_else(|| Failure::not_found(what))
    }

    /// Whether a user is within the caller's reach.
    #[must_use]
    pub fn reaches(&self, user: &LiveUser) -> bool {
        self.actor.as_ref().is_some_and(|actor| self.reach.has_of(actor, user))
    }

    /// What stands in the path in the place of a name, as it was sent.
    #[must_use]
    pub fn text(&self, name: &str) -> &str {
        self.names.texts.get(name)
    }
}

/// What the path names; the tenant may also be named by a parameter.
#[derive(Default)]
pub(super) struct Names<'a> {
    pub(super) tenant: Option<TenantId>,
    texts: PathNames<'a>,
}

impl<'a> Names<'a> {
    pub(super) fn of(texts: PathNames<'a>) -> Self {
        Self { tenant: TenantId::parse(texts.get("tenant")).ok(), texts }
    }

    pub(super) fn mail(&self) -> Option<MailAddress> {
        MailAddress::parse(self.texts.get("mail")).ok()
    }
}
