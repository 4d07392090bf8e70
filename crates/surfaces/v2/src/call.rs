//! A request as handlers see it: the caller and their rights, the names in the path, and the parameters.

use super::{
    answer::Failure,
    services::{LiveSettings, Services},
};
use actix_web::{http::StatusCode, web::Bytes};
use address_book::reader::BookReader;
use administration::{
    Administration,
    caller::Actor,
    long_work::{LongWork, WorkInProgress},
    policy::Reach,
};
use bytes::BytesMut;
use directory::Lookup;
use futures_util::StreamExt;
use jiff::Timestamp;
use mail_model::{address::MailAddress, revision::Precondition, tenant::TenantId, user::LiveUser};
use std::{rc::Rc, sync::Arc};
use web::{client::Client, form::Parameters, precondition::Known, routes::PathNames, transport::RequestBody};

/// An authorized request: the input of a handler.
pub struct Call<'a> {
    /// The directory, through this thread's connections. Changes go through [`Call::administration`].
    pub directory: &'a Lookup,
    /// The use cases.
    pub administration: &'a Administration,
    /// Opens address books, on this thread.
    pub books: &'a Rc<BookReader>,
    /// The state that all threads share.
    pub services: &'a Services,
    /// The live settings at the beginning of the request.
    pub live: Arc<LiveSettings>,
    /// The caller; `None` if no token is needed and none was sent.
    pub actor: Option<Actor>,
    /// The extent of the caller's rights for this action.
    pub reach: Reach,
    /// The client's address.
    pub client: Client,
    /// The time of the request.
    pub now: Timestamp,
    /// The versions of the named entry that may be changed (`If-Match`).
    pub precondition: Precondition,
    /// The versions of the requested entry that the client has (`If-None-Match`).
    pub known: Known<'a>,
    /// The parameters. Those that the handler does not take are reported as ignored.
    pub parameters: Parameters,
    /// The body, if it is a stream and not parameters.
    pub streamed: Option<StreamedBody>,
    /// Names in the path, decoded.
    pub(super) names: Names<'a>,
}

/// A body that is read as it arrives.
pub struct StreamedBody {
    /// Its media type without parameters, in lower case.
    pub media_type: String,
    /// Its charset, if the media type names one.
    pub charset: Option<String>,
    /// Its length, if the client sends `Content-Length`.
    pub announced: Option<u64>,
    /// Its compression, as `Content-Encoding` says.
    pub content_encoding: Option<String>,
    /// The bytes.
    pub payload: RequestBody,
}

/// Reads a whole body of at most `most` bytes. `too_large` is the message for a larger one.
///
/// # Errors
/// 413, or 400 if the body ends early.
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
    /// The caller, for a request that needs one.
    ///
    /// # Errors
    /// 401 if the request has no caller.
    pub fn caller(&self) -> Result<&Actor, Failure> {
        self.actor.as_ref().ok_or_else(Failure::unauthorized)
    }

    /// Checks again that the caller still has their rights, after a body that may have arrived slowly.
    ///
    /// # Errors
    /// 401 if the caller has been blocked or deleted, or has another password or role.
    pub async fn recheck(&self) -> Result<(), Failure> {
        let Some(actor) = &self.actor else { return Ok(()) };
        if self.services.log_ins.still_stands(self.directory, actor).await? {
            Ok(())
        } else {
            Err(Failure::unauthorized())
        }
    }

    /// Begins work that lasts as long as the client reads or sends, if the limits allow it.
    ///
    /// # Errors
    /// 429 or 503.
    pub fn begin(&self, work: LongWork) -> Result<WorkInProgress, Failure> {
        Ok(self.services.long_works.begin(work, self.actor.as_ref())?)
    }

    /// The tenant in the path. An invalid id is answered as a tenant that does not exist.
    ///
    /// # Errors
    /// 404.
    pub fn tenant(&self) -> Result<&TenantId, Failure> {
        self.names.tenant.as_ref().ok_or_else(|| Failure::not_found("tenant"))
    }

    /// The address in the path, of an entry of the kind `what`. An invalid address is answered as one that does not
    /// exist.
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

    /// Whether the entry with an identifier is within the caller's reach, whatever its role.
    #[must_use]
    pub fn reaches_entry(&self, id: &str) -> bool {
        self.actor.as_ref().is_some_and(|actor| self.reach.has_entry(actor, id))
    }

    /// A variable part of the path, as it was sent.
    #[must_use]
    pub fn text(&self, name: &str) -> &str {
        self.names.texts.get(name)
    }
}

/// The names in the path. A parameter may name the tenant instead.
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
