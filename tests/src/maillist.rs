//! Mailing lists as the trials use them.

use crate::{
    answer::Answer,
    client::Client,
    probe::Entry,
    text::{encoded, form},
    world::World,
};
use serde_json::Value;

/// Members of a list whose members do not matter.
pub const MEMBERS: &[&str] = &["somebody@outside.example"];

/// A mailing list.
#[derive(Clone)]
pub struct MailList<'w> {
    world: &'w World,
    admin: Client,
    tenant: String,
    /// Its address.
    pub mail: String,
    path: String,
}

impl<'w> MailList<'w> {
    pub(crate) fn new(world: &'w World, admin: &Client, tenant: &str, mail: &str) -> Self {
        let path = format!("/v2/maillists/{tenant}/{}", encoded(mail));
        Self { world, admin: admin.clone(), tenant: tenant.to_owned(), mail: mail.to_owned(), path }
    }

    /// Its DN, for a plain address.
    pub fn dn(&self) -> String {
        format!("mail={},ou={},ou=Groups,{}", self.mail, self.tenant, self.world.probe().root)
    }

    /// The path to change and delete it, as in the guide.
    pub fn request(&self) -> String {
        format!("/v2/maillists?tenant-id={}&mail={}", self.tenant, encoded(&self.mail))
    }

    /// Requests a change as its tenant's administrator.
    #[track_caller]
    pub fn put<V: AsRef<str>>(&self, pairs: &[(&str, V)]) -> Answer {
        self.admin.put(self.request(), &form(pairs))
    }

    /// Adds members.
    #[track_caller]
    pub fn add(&self, members: &[&str]) -> Answer {
        self.put(&[("alias", members.join(","))])
    }

    /// Removes members.
    #[track_caller]
    pub fn remove(&self, members: &[&str]) -> Answer {
        self.put(&[("remove", members.join(","))])
    }

    /// Deletes it.
    #[track_caller]
    pub fn delete(&self) -> Answer {
        self.admin.delete(self.request())
    }

    /// Its displayed data.
    #[track_caller]
    pub fn show(&self) -> Value {
        self.admin.get(&self.path).expect(200).json()
    }

    /// The addresses of its members; checks their number against the list's own.
    #[track_caller]
    pub fn members(&self) -> Vec<String> {
        let shown = self.show();
        let members = texts(&shown["alias"]);
        assert_eq!(shown["members"], members.len(), "{shown}");
        members
    }

    /// The addresses of all recipients.
    #[track_caller]
    pub fn expanded(&self) -> Vec<String> {
        texts(&self.admin.get(format!("{}?expand=1", self.path)).expect(200).json()["expanded"])
    }

    /// Its entry in the directory.
    #[track_caller]
    pub fn entry(&self) -> Entry {
        let filter = format!("(&(objectClass=pbmMailList)(mail={}))", self.mail);
        self.world.probe().find_one(&filter)
    }

    /// The DNs of its members in the directory, sorted, in lower case.
    #[track_caller]
    pub fn member_dns(&self) -> Vec<String> {
        let mut members: Vec<_> = self.entry().all("member").into_iter().map(str::to_lowercase).collect();
        members.sort_unstable();
        members
    }
}

impl AsRef<str> for MailList<'_> {
    fn as_ref(&self) -> &str {
        &self.path
    }
}

#[track_caller]
fn texts(array: &Value) -> Vec<String> {
    let texts = array.as_array().unwrap_or_else(|| panic!("no array: {array}")).iter();
    texts.map(|text| text.as_str().unwrap().to_owned()).collect()
}

/// A mailing list to create.
#[derive(Clone)]
pub struct NewMailList<'w> {
    list: MailList<'w>,
    by: Client,
    fields: Vec<(String, String)>,
}

impl<'w> NewMailList<'w> {
    pub(crate) fn new(list: MailList<'w>) -> Self {
        let name = list.mail.split('@').next().unwrap_or_default();
        let fields = [("tenant-id", &*list.tenant), ("mail", &list.mail), ("displayName", name)];
        let fields = fields.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        Self { by: list.admin.clone(), list, fields }
    }

    /// Adds one more value of a parameter.
    pub fn and(mut self, name: &str, value: &str) -> Self {
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sets a parameter, or replaces its value.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        if name == "mail" {
            let MailList { world, admin, tenant, .. } = &self.list;
            self.list = MailList::new(world, admin, tenant, value);
        }
        self.without(name).and(name, value)
    }

    /// Leaves a parameter out.
    pub fn without(mut self, name: &str) -> Self {
        self.fields.retain(|(known, _)| known != name);
        self
    }

    /// Sets its members.
    pub fn members(self, members: &[&str]) -> Self {
        self.with("alias", &members.join(","))
    }

    /// Adds a condition.
    pub fn filter(self, condition: &str) -> Self {
        self.and("filter", condition)
    }

    /// Creates it as another client than the tenant's administrator.
    pub fn by(mut self, client: &Client) -> Self {
        self.by = client.clone();
        self
    }

    /// The form body.
    pub fn form(&self) -> String {
        form(&self.fields)
    }

    /// Requests its creation.
    #[track_caller]
    pub fn post(&self) -> Answer {
        self.by.post("/v2/maillists", &self.form())
    }

    /// Creates it.
    #[track_caller]
    pub fn create(self) -> MailList<'w> {
        self.post().expect_success();
        self.list
    }
}
