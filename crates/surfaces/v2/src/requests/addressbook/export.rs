//! Contacts as files: all of them, written while they are read, some hundred at a time; and one.

use super::{
    EXPORT_VIEWS,
    files::{FileFormat, Writer},
    form, may_be_nobodys, open,
};
use crate::{
    answer::Failure,
    call::Call,
    contact_json,
    document::{Answer, Declared, PathName, kinds, list_of},
    endpoint::{Access, Document, Endpoint, Particulars, Verb},
    errors::ParameterErrors,
    requests::find_tenant,
};
use actix_web::{
    http::header::{CONTENT_DISPOSITION, HeaderValue},
    rt,
};
use address_book::{book::Book, export::Besides, reader::Opened};
use administration::{
    caller::Actor,
    long_work::{LongWork, WorkInProgress},
    policy::Action,
};
use bytes::Bytes;
use directory::{Lookup, error::DirectoryError};
use futures_util::{Stream, stream};
use mail_model::{
    address::MailAddress,
    contact::{Contact, Kind, id::ContactId, view::View},
    maillist::MailList,
    photo::Photo,
    tenant::TenantId,
    user::role::Role,
};
use std::{collections::HashMap, rc::Rc, slice};
use tokio::sync::mpsc;
use web::answer::{Cut, JSON, Reply};

/// Contacts that are read at a time, some 200 kB of them: other requests of the thread wait so long.
const CHUNK: usize = 250;
/// Photos that are read at a time, by two searches of ten. With all of them as large as they may be, a part of the file has
/// 7 MB.
const CARDS: usize = 20;
/// A part of the file that is longer ends, however few contacts it has: lists may have any number of members.
const LARGE: usize = 8 << 20;
/// What the names of vCards end with.
const VCARD: &str = ".vcf";
const CONTACT: &str = "contact";
/// A UUID, and what vCards end with.
const VCARD_NAME: &str = r"^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\.vcf$";

pub(crate) const READ: Endpoint = Endpoint {
    name: "readContact",
    method: Verb::Get,
    path: "/v2/addressbook/{tenant}/{file}",
    access: Access::For(Action::ReadAddressBook),
    handler: |call| Box::pin(read(call)),
    particulars: Particulars::NONE,
    document: Document {
        summary: "One contact as a vCard",
        about: "In whichever view it is. Mailing lists name their members.",
        path_names: &[PathName {
            name: "file",
            about: "The `id` of a contact, and `.vcf`.",
            shape: || kinds::text().pattern(Some(VCARD_NAME)).into(),
        }],
        answer: || Answer::file("The contact.", "text/vcard", kinds::text()),
        ..Document::BASE
    },
};

async fn read(call: &mut Call<'_>) -> Result<Reply, Failure> {
    let not_found = || Failure::not_found(CONTACT);
    let id = call.text("file").strip_suffix(VCARD).and_then(ContactId::parse);
    let (id, tenant) = (id.ok_or_else(not_found)?, call.tenant()?.clone());
    let book = open(call).await?;
    let json = book.read(|book| book.contact(id));
    let contact = contact_json::read(&json.ok_or_else(not_found)?);
    let contact = contact.map_err(|error| Failure::internal(error.into()))?;
    let format = FileFormat::Vcard;
    let reader = Reader { directory: call.directory.clone(), tenant, seen: Seen::by(call, View::All) };
    let members = reader.members(&book, format, &contact).await?;
    let photos =
        reader.photos(if contact.kind == Kind::User { slice::from_ref(&contact.id) } else { &[] }).await?;
    let (mut writer, mut out) = (Writer::new(format), Vec::new());
    writer.begin(&mut out);
    let besides = Besides { members: &members, photo: photos.get(&contact.id) };
    writer.contact(&mut out, &contact, besides).map_err(|error| Failure::internal(error.into()))?;
    writer.end(&mut out);
    Ok(Reply::bytes(format.content_type(), out))
}

pub(crate) const EXPORT: Endpoint = Endpoint {
    name: "exportContacts",
    method: Verb::Get,
    path: "/v2/addressbook/{tenant}/export",
    access: Access::For(Action::ReadAddressBook),
    handler: |call| Box::pin(export(call)),
    particulars: Particulars::NONE,
    document: Document {
        summary: "All contacts as a file",
        about: "In the order of the addresses, sent while it is written.",
        parameters: || {
            let formats = kinds::choice(FileFormat::NAMES, FileFormat::NAMES.first().copied());
            let about = "vCard 4.0 (RFC 6350), CSV (RFC 4180), LDIF (RFC 2849), or a JSON array of contacts.";
            vec![Declared::optional("format", about, formats), super::view(EXPORT_VIEWS), super::kinds()]
        },
        answer: || {
            let shape_of =
                |media_type| if media_type == JSON { list_of("Contact") } else { kinds::text().into() };
            let files = ["text/vcard", "text/csv", "text/plain", JSON].map(|kind| (kind, shape_of(kind)));
            Answer::files("The file.", files.into()).with_headers(&["Content-Disposition"])
        },
        ..Document::BASE
    },
};

async fn export(call: &mut Call<'_>) -> Result<Reply, Failure> {
    let mut errors = ParameterErrors::default();
    let request = form::export(&mut call.parameters, &mut errors);
    errors.none()?;
    let tenant = call.tenant()?.clone();
    let book = open(call).await?;
    if book.read(may_be_nobodys) {
        find_tenant(call).await?;
    }
    let turn = call.begin(LongWork::Export)?;
    let name = format!("attachment; filename=\"addressbook-{tenant}.{}\"", request.format.extension());
    let name = HeaderValue::try_from(name).map_err(|error| Failure::internal(error.into()))?;
    let format = request.format;
    let export = Export {
        book,
        reader: Reader { directory: call.directory.clone(), tenant, seen: Seen::by(call, request.view) },
        format,
        view: request.view,
        kinds: request.kinds,
        writer: Writer::new(format),
        with_photo: Vec::new(),
        last: None,
    };
    Ok(Reply::stream(format.content_type(), parts(export, turn)).with_header(CONTENT_DISPOSITION, name))
}

/// An export under way.
struct Export {
    book: Opened,
    reader: Reader,
    format: FileFormat,
    view: View,
    kinds: Vec<Kind>,
    writer: Writer,
    /// The users who have a photo, in order, if the format has photos.
    with_photo: Vec<ContactId>,
    /// The address of the last contact that was written.
    last: Option<String>,
}

/// The parts of a file. A task of its own makes them, one ahead of what the client has taken, so that nothing that belongs
/// to the directory waits for the client.
fn parts(mut export: Export, turn: WorkInProgress) -> impl Stream<Item = Result<Bytes, Cut>> {
    let turn = Rc::new(turn);
    let (out, parts) = mpsc::channel(1);
    let of_task = turn.clone();
    let work = rt::spawn(async move {
        let _turn = of_task;
        export.write(out).await
    });
    stream::unfold(Some((parts, work, turn)), async |under_way| {
        let (mut parts, work, turn) = under_way?;
        if let Some(part) = parts.recv().await {
            return Some((Ok(part), Some((parts, work, turn))));
        }
        let error = work.await.map_err(Cut::from).flatten().err()?;
        tracing::error!(error = error.as_ref() as &dyn std::error::Error, "addressbook.export.cut");
        Some((Err(error), None))
    })
}

impl Export {
    /// Writes all parts, as long as anybody takes them.
    async fn write(&mut self, out: mpsc::Sender<Bytes>) -> Result<(), Cut> {
        let has_users = self.kinds.is_empty() || self.kinds.contains(&Kind::User);
        if self.format == FileFormat::Vcard && has_users {
            self.with_photo = self.reader.directory.users_with_photos(&self.reader.tenant).await?;
        }
        loop {
            // Others have their turn, also where the client takes everything at once.
            tokio::task::yield_now().await;
            let (part, is_last) = self.next().await?;
            if out.send(part.into()).await.is_err() || is_last {
                return Ok(());
            }
        }
    }

    /// The next part, and whether it is the last.
    async fn next(&mut self) -> Result<(Vec<u8>, bool), Cut> {
        let mut contacts = self.take()?;
        let end = self.end_of_part(&contacts);
        let mut is_last = contacts.len() < CHUNK && end == contacts.len();
        contacts.truncate(end);
        let mut out = Vec::new();
        if self.last.is_none() {
            self.writer.begin(&mut out);
        }
        let with_photo = contacts.iter().filter(|contact| self.has_photo(contact));
        let ids: Vec<_> = with_photo.map(|contact| contact.id).collect();
        let mut photos = self.reader.photos(&ids).await?;
        for contact in contacts {
            // Those with the same address are not separated, since the next part begins after the address.
            if out.len() > LARGE && self.last.as_ref() != Some(&contact.mail) {
                is_last = false;
                break;
            }
            let members = self.reader.members(&self.book, self.format, &contact).await?;
            let photo = photos.remove(&contact.id);
            self.writer.contact(&mut out, &contact, Besides { members: &members, photo: photo.as_ref() })?;
            self.last = Some(contact.mail);
        }
        if is_last {
            self.writer.end(&mut out);
        }
        Ok((out, is_last))
    }

    /// The next contacts after the last one that was written.
    fn take(&self) -> Result<Vec<Contact>, Cut> {
        let after = self.last.as_deref().unwrap_or_default();
        let contacts = self.book.read(|book| book.after(after, self.view, &self.kinds, CHUNK));
        Ok(contacts.iter().map(contact_json::read).collect::<Result<_, _>>()?)
    }

    /// The number of contacts up to the last whose photo is read for this part. Those with the same address are not
    /// separated.
    fn end_of_part(&self, contacts: &[Contact]) -> usize {
        let mut with_photo = contacts.iter().enumerate().filter(|(_, contact)| self.has_photo(contact));
        let Some((end, _)) = with_photo.nth(CARDS) else { return contacts.len() };
        let last = contacts.get(end - 1).map(|contact| &contact.mail);
        end + contacts.iter().skip(end).take_while(|contact| Some(&contact.mail) == last).count()
    }

    fn has_photo(&self, contact: &Contact) -> bool {
        self.with_photo.binary_search(&contact.id).is_ok()
    }
}

/// Which members of a list a caller is shown.
#[derive(Clone, Copy)]
enum Seen {
    /// All but users who are no contacts: administrators may read the list itself.
    Administrator,
    /// Those who are contacts of a view.
    ContactsOf(View),
}

impl Seen {
    fn by(call: &Call<'_>, view: View) -> Self {
        match call.actor.as_ref().map(Actor::role) {
            Some(Role::Administrator | Role::SuperAdministrator) => Self::Administrator,
            Some(Role::User) | None => Self::ContactsOf(view),
        }
    }

    fn has(self, book: &Book, mail: &str, is_inside: bool) -> bool {
        match self {
            Self::Administrator => !is_inside || book.has_contact(mail, View::All),
            Self::ContactsOf(view) => book.has_contact(mail, view),
        }
    }
}

/// Reads what a contact is written with besides: members, photos.
struct Reader {
    directory: Lookup,
    tenant: TenantId,
    seen: Seen,
}

impl Reader {
    /// Photos of users.
    async fn photos(&self, ids: &[ContactId]) -> Result<HashMap<ContactId, Photo>, DirectoryError> {
        if ids.is_empty() { Ok(HashMap::new()) } else { self.directory.photos(&self.tenant, ids).await }
    }

    /// Those of a list, in vCards.
    async fn members(
        &self,
        book: &Opened,
        format: FileFormat,
        contact: &Contact,
    ) -> Result<Vec<String>, DirectoryError> {
        if format != FileFormat::Vcard || contact.kind != Kind::List {
            return Ok(Vec::new());
        }
        let Ok(mail) = MailAddress::parse(&contact.mail) else { return Ok(Vec::new()) };
        // None that was removed a moment ago.
        let list = self.directory.mail_list(&self.tenant, &mail).await?;
        let seen = |list: MailList| {
            book.read(|book| list.members.seen(|mail, is_inside| self.seen.has(book, mail, is_inside)))
        };
        Ok(list.map(seen).unwrap_or_default())
    }
}
