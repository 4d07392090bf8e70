//! Users and resources as answers show them.

use crate::{contact_json, names};
use address_book::book::Rendered;
use mail_model::{
    contact::record::Record,
    deletion::Retention,
    field::FieldShown,
    resource::Resource,
    user::{DeletedUser, User},
};
use serde::ser::{Serialize, SerializeMap, Serializer};

/// A value of a field as JSON.
struct Value<'a>(FieldShown<'a>);

impl Serialize for Value<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            FieldShown::Text(text) => text.serialize(serializer),
            FieldShown::Number(number) => number.serialize(serializer),
            FieldShown::List(list) => list.serialize(serializer),
        }
    }
}

/// A user.
pub(crate) struct UserJson<'a>(pub(crate) &'a User);

impl UserJson<'_> {
    fn write<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        map.serialize_entry("mail", self.0.mail().as_str())?;
        map.serialize_entry("tenant-id", self.0.tenant().as_str())?;
        for (field, values) in self.0.fields() {
            if let Some(shown) = field.shown(values) {
                map.serialize_entry(names::of_user(field), &Value(shown))?;
            }
        }
        Ok(())
    }
}

impl Serialize for UserJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        self.write(&mut map)?;
        map.end()
    }
}

/// A deleted user, and until when it is kept.
pub(crate) struct DeletedUserJson<'a> {
    pub(crate) deleted: &'a DeletedUser,
    pub(crate) retention: Retention,
}

impl Serialize for DeletedUserJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        UserJson(&self.deleted.user).write(&mut map)?;
        let since = self.deleted.since.time();
        map.serialize_entry("deleted-since", &since.to_string())?;
        map.serialize_entry("kept-until", &self.retention.kept_until(since).to_string())?;
        map.end()
    }
}

/// A resource.
pub(crate) struct ResourceJson<'a>(pub(crate) &'a Resource);

impl Serialize for ResourceJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("mail", self.0.mail.as_str())?;
        for (field, values) in self.0.fields() {
            if let Some(shown) = field.kind().shown(values) {
                map.serialize_entry(names::of_resource(field), &Value(shown))?;
            }
        }
        map.serialize_entry("group", self.0.group.as_str())?;
        map.end()
    }
}

/// A user as JSON.
pub(crate) fn written_user(user: &User) -> Vec<u8> {
    // Texts and numbers are written to memory, which does not fail.
    serde_json::to_vec(&UserJson(user)).unwrap_or_default()
}

/// What books keep of an entry, so that answers are put together from what is there.
#[must_use]
pub fn render(record: &Record) -> Rendered {
    Rendered {
        contact: contact_json::write(&record.contact).unwrap_or_default(),
        user: record.user.as_ref().map(|live| written_user(&live.user)),
    }
}
