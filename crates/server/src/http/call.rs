//! A request as handlers see it: who may do what, what it names, its parameters.

use super::{
    answer::Failure,
    application::Services,
    endpoint::{Endpoint, Part, Right},
    form::Parameters,
    precondition::Known,
};
use actix_web::web::Payload;
use address_book::desk::Desk;
use directory::Directory;
use jiff::Timestamp;
use mail_model::{address::MailAddress, revision::Precondition, tenant::TenantId};
use std::{borrow::Cow, net::IpAddr, rc::Rc};

/// A request that may be done: what a handler works with.
pub struct Call<'a> {
    /// The directory, through this thread's connections.
    pub directory: &'a Directory,
    /// The same, as the account that backs up and restores; `None` where there is none.
    pub keeper: Option<&'a Directory>,
    /// Where address books are opened, on this thread.
    pub desk: &'a Rc<Desk>,
    /// What all threads share.
    pub services: &'a Services,
    /// What who asks may do.
    pub right: Right,
    /// Where it asks from.
    pub client: IpAddr,
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
    /// The bytes.
    pub payload: Payload,
}

impl Call<'_> {
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

    /// A part of the path as it was sent, for a request that makes what it names.
    #[must_use]
    pub fn text(&self, part: PathPart) -> &str {
        self.names.text(part)
    }
}

/// A part of a path that varies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathPart {
    /// `{tenant}`
    Tenant,
    /// `{mail}`
    Mail,
    /// `{group}`
    Group,
    /// `{domain}`
    Domain,
    /// `{file}`
    File,
}

impl PathPart {
    /// Reads a part of a path's pattern; `None` of one that is written out.
    pub(super) fn of_pattern(pattern: &str) -> Option<Self> {
        match pattern {
            "{tenant}" => Some(Self::Tenant),
            "{mail}" => Some(Self::Mail),
            "{group}" => Some(Self::Group),
            "{domain}" => Some(Self::Domain),
            "{file}" => Some(Self::File),
            _ => None,
        }
    }
}

/// What the path names; the tenant may also be named by a parameter.
#[derive(Default)]
pub(super) struct Names<'a> {
    pub(super) tenant: Option<TenantId>,
    texts: [Cow<'a, str>; 5],
}

impl<'a> Names<'a> {
    pub(super) fn of(endpoint: Endpoint, segments: Vec<Cow<'a, str>>) -> Self {
        let mut names = Self::default();
        for (part, segment) in endpoint.parts().iter().zip(segments) {
            if let Part::Name(part) = part
                && let Some(place) = names.texts.get_mut(*part as usize)
            {
                *place = segment;
            }
        }
        names.tenant = TenantId::parse(names.text(PathPart::Tenant)).ok();
        names
    }

    fn text(&self, part: PathPart) -> &str {
        self.texts.get(part as usize).map_or("", Cow::as_ref)
    }

    pub(super) fn mail(&self) -> Option<MailAddress> {
        MailAddress::parse(self.text(PathPart::Mail)).ok()
    }
}
