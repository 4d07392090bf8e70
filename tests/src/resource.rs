//! Resource groups and resources as the trials use them.

use crate::{
    answer::Answer,
    client::Client,
    probe::Entry,
    text::{encoded, form},
    world::World,
};
use serde_json::Value;

/// A group of resources, existing or not.
#[derive(Clone)]
pub struct Group<'w> {
    world: &'w World,
    admin: Client,
    tenant: String,
    domain: String,
    /// Its name.
    pub name: String,
    path: String,
}

impl<'w> Group<'w> {
    pub(crate) fn new(world: &'w World, admin: &Client, [tenant, domain]: [&str; 2], name: &str) -> Self {
        Self {
            world,
            path: format!("/v2/resourcegroups/{tenant}/{}", encoded(name)),
            admin: admin.clone(),
            tenant: tenant.to_owned(),
            domain: domain.to_owned(),
            name: name.to_owned(),
        }
    }

    /// Creates it.
    #[track_caller]
    pub fn create(self) -> Self {
        self.admin.put(&self.path, "").expect_success();
        self
    }

    /// Requests another name.
    #[track_caller]
    pub fn rename(&self, name: &str) -> Answer {
        self.admin.patch(&self.path, &form(&[("name", name)]))
    }

    /// The same group after a rename.
    pub fn renamed(&self, name: &str) -> Self {
        Self::new(self.world, &self.admin, [&self.tenant, &self.domain], name)
    }

    /// The path of its resources.
    pub fn resources(&self) -> String {
        format!("/v2/resources/{}/{}", self.tenant, encoded(&self.name))
    }

    /// A page of its resources.
    #[track_caller]
    pub fn page(&self, query: &str) -> Value {
        self.admin.get(format!("{}?{query}", self.resources())).expect(200).json()
    }

    /// The addresses on a page of its resources, before the `@`.
    #[track_caller]
    pub fn listed(&self, query: &str) -> Vec<String> {
        self.page(query)["resources"].as_array().unwrap().iter().map(local_part).collect()
    }

    /// The resource with a name, existing or not.
    pub fn named(&self, name: &str) -> Resource<'w> {
        let mail = format!("{name}@{}", self.domain);
        let path = format!("{}/{}", self.resources(), encoded(&mail));
        Resource { world: self.world, group: self.dn(), mail, path }
    }

    /// A resource to create, with a display name.
    pub fn resource(&self, name: &str) -> NewResource<'w> {
        let fields = vec![("displayName".to_owned(), name.to_owned())];
        NewResource { resource: self.named(name), by: self.admin.clone(), fields }
    }

    /// Its DN, for a plain name.
    pub fn dn(&self) -> String {
        format!("ou={},ou={},ou=Resources,{}", self.name, self.tenant, self.world.probe().root)
    }

    /// Its entries in the directory: the group and all its resources.
    pub fn entries(&self) -> Vec<Entry> {
        self.world.probe().search(&self.dn(), "sub", "(objectClass=*)")
    }
}

fn local_part(shown: &Value) -> String {
    shown["mail"].as_str().unwrap().rsplit_once('@').unwrap().0.to_owned()
}

impl AsRef<str> for Group<'_> {
    fn as_ref(&self) -> &str {
        &self.path
    }
}

/// A resource to create.
#[derive(Clone)]
pub struct NewResource<'w> {
    resource: Resource<'w>,
    by: Client,
    fields: Vec<(String, String)>,
}

impl<'w> NewResource<'w> {
    /// Sets a field, or replaces its value.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self = self.without(name);
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Leaves a field out.
    pub fn without(mut self, name: &str) -> Self {
        self.fields.retain(|(known, _)| known != name);
        self
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
    pub fn put(&self) -> Answer {
        self.by.put(&self.resource, &self.form())
    }

    /// Creates it.
    #[track_caller]
    pub fn create(self) -> Resource<'w> {
        self.put().expect_success();
        self.resource
    }
}

/// A resource.
#[derive(Clone)]
pub struct Resource<'w> {
    world: &'w World,
    group: String,
    /// Its address.
    pub mail: String,
    path: String,
}

impl Resource<'_> {
    /// Its DN, for a plain address in a group with a plain name.
    pub fn dn(&self) -> String {
        format!("mail={},{}", self.mail, self.group)
    }

    /// Its entry in the directory.
    #[track_caller]
    pub fn entry(&self) -> Entry {
        self.world.probe().find_one(&format!("(&(objectClass=pbmResource)(mail={}))", self.mail))
    }
}

impl AsRef<str> for Resource<'_> {
    fn as_ref(&self) -> &str {
        &self.path
    }
}
