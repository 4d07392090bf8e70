//! Contacts as files: all of them, written while they are read, some hundred at a time; and one.

use super::{form, may_be_nobodys, open};
use crate::{
    api::find_tenant,
    http::{
        answer::{Cut, Failure, Reply},
        call::{Call, PathPart},
    },
};
use actix_web::http::header::{CONTENT_DISPOSITION, HeaderValue};
use address_book::{
    desk::Opened,
    export::{Format, Writer},
};
use bytes::Bytes;
use directory::{Directory, error::DirectoryError};
use futures_util::{Stream, stream};
use mail_model::{
    address::MailAddress,
    contact::{Contact, Kind, id::ContactId, view::View},
    field::FieldErrors,
    maillist::MailList,
    tenant::TenantId,
};

/// Contacts that are read at a time, some 200 kB of them: other requests of the thread wait so long.
const CHUNK: usize = 250;
/// What the names of vCards end with.
const VCARD: &str = ".vcf";
const CONTACT: &str = "contact";

pub(crate) async fn read(call: &mut Call<'_>) -> Result<Reply, Failure> {
    let not_found = || Failure::not_found(CONTACT);
    let id = call.text(PathPart::File).strip_suffix(VCARD).and_then(ContactId::parse);
    let (id, tenant) = (id.ok_or_else(not_found)?, call.tenant()?.clone());
    let book = open(call).await?;
    let json = book.read(|book| book.contact(id).map(<[u8]>::to_vec));
    let contact = serde_json::from_slice(&json.ok_or_else(not_found)?);
    let contact: Contact = contact.map_err(|error| Failure::internal(error.into()))?;
    let format = Format::Vcard;
    let members = members(call.directory, &book, &tenant, format, &contact).await?;
    let (mut writer, mut out) = (Writer::new(format), Vec::new());
    writer.begin(&mut out);
    writer.contact(&mut out, &contact, &members);
    writer.end(&mut out);
    Ok(Reply::bytes(format.content_type(), out))
}

pub(crate) async fn export(call: &mut Call<'_>) -> Result<Reply, Failure> {
    let mut errors = FieldErrors::default();
    let request = form::export(&mut call.parameters, &mut errors);
    errors.none()?;
    let tenant = call.tenant()?.clone();
    let book = open(call).await?;
    if book.read(may_be_nobodys) {
        find_tenant(call).await?;
    }
    let name = format!("attachment; filename=\"addressbook-{tenant}.{}\"", request.format.extension());
    let name = HeaderValue::try_from(name).map_err(|error| Failure::internal(error.into()))?;
    let format = request.format;
    let export = Export {
        book,
        directory: call.directory.clone(),
        tenant,
        format,
        view: request.view,
        kinds: request.kinds,
        writer: Writer::new(format),
        last: None,
    };
    Ok(Reply::stream(format.content_type(), parts(export)).with_header(CONTENT_DISPOSITION, name))
}

/// An export under way.
struct Export {
    book: Opened,
    directory: Directory,
    tenant: TenantId,
    format: Format,
    view: View,
    kinds: Vec<Kind>,
    writer: Writer,
    /// The address of the last contact that was written.
    last: Option<String>,
}

/// The parts of a file.
fn parts(export: Export) -> impl Stream<Item = Result<Bytes, Cut>> {
    stream::unfold(Some(export), async |export| {
        let mut export = export?;
        // Others have their turn, also where the client takes everything at once.
        tokio::task::yield_now().await;
        match export.next().await {
            Ok((part, is_last)) => Some((Ok(part.into()), (!is_last).then_some(export))),
            Err(error) => {
                tracing::error!(error = error.as_ref() as &dyn std::error::Error, "addressbook.export.cut");
                Some((Err(error), None))
            }
        }
    })
}

impl Export {
    /// The next part, and whether it is the last.
    async fn next(&mut self) -> Result<(Vec<u8>, bool), Cut> {
        let after = self.last.as_deref();
        // Copied, so that nobody waits with a change while they are written.
        let contacts: Vec<Vec<u8>> = self.book.read(|book| {
            let contacts = book.after(after.unwrap_or_default(), self.view, &self.kinds, CHUNK);
            contacts.into_iter().map(<[u8]>::to_vec).collect()
        });
        let mut out = Vec::with_capacity(2 * contacts.iter().map(Vec::len).sum::<usize>());
        if after.is_none() {
            self.writer.begin(&mut out);
        }
        let is_last = contacts.len() < CHUNK;
        for json in contacts {
            let contact: Contact = serde_json::from_slice(&json)?;
            let members = members(&self.directory, &self.book, &self.tenant, self.format, &contact).await?;
            self.writer.contact(&mut out, &contact, &members);
            self.last = Some(contact.mail);
        }
        if is_last {
            self.writer.end(&mut out);
        }
        Ok((out, is_last))
    }
}

/// The members that a contact is written with: those of a list, in vCards, as far as they are contacts themselves.
async fn members(
    directory: &Directory,
    book: &Opened,
    tenant: &TenantId,
    format: Format,
    contact: &Contact,
) -> Result<Vec<String>, DirectoryError> {
    if format != Format::Vcard || contact.kind != Kind::List {
        return Ok(Vec::new());
    }
    let Ok(mail) = MailAddress::parse(&contact.mail) else { return Ok(Vec::new()) };
    // None that was removed a moment ago.
    let list = directory.mail_list(tenant, &mail).await?;
    let seen = |list: MailList| book.read(|book| list.members.seen(|mail| book.contact_of(mail).is_some()));
    Ok(list.map(seen).unwrap_or_default())
}
