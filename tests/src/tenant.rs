//! Tenants and users as the trials use them.

use crate::{
    answer::Answer,
    book::{Book, difference},
    client::Client,
    maillist::{MailList, NewMailList},
    probe::Entry,
    process::{SOON, within},
    resource::Group,
    text::{encoded, form},
    world::World,
};

/// The default password of new users.
pub const PASSWORD: &str = "Correct-Horse-7";

/// The views of an address book.
const VIEWS: [&str; 3] = ["colleagues", "suggestions", "all"];

/// A tenant for one trial.
pub struct Tenant<'w> {
    world: &'w World,
    /// Its id.
    pub id: String,
    /// Its domain.
    pub domain: String,
    admin: Client,
}

impl<'w> Tenant<'w> {
    pub(crate) fn create(world: &'w World, number: u32) -> Self {
        let (id, domain) = (format!("t{number}"), format!("t{number}.test"));
        world.installation().create_tenant(&id, &domain);
        let mut tenant = Self { world, id, domain, admin: world.root().clone() };
        tenant.admin = tenant.user("administrator").role(1).create().log_in();
        tenant
    }

    pub(crate) fn default_of(world: &'w World) -> Self {
        Self { world, id: "default".into(), domain: "example.com".into(), admin: world.root().clone() }
    }

    /// Its administrator; for the tenant `default` a super administrator.
    pub fn admin(&self) -> &Client {
        &self.admin
    }

    /// Its own path.
    pub fn path(&self) -> String {
        format!("/v2/tenants/{}", self.id)
    }

    /// The path of its users.
    pub fn users(&self) -> String {
        format!("/v2/users/{}", self.id)
    }

    /// An address in its domain.
    pub fn address(&self, name: &str) -> String {
        format!("{name}@{}", self.domain)
    }

    /// The user with a name, existing or not.
    pub fn named(&self, name: &str) -> User<'w> {
        User::new(self.world, &self.id, &self.address(name), PASSWORD)
    }

    /// A user to create: with role 2, a password, a first and a last name.
    pub fn user(&self, name: &str) -> NewUser<'w> {
        let fields = [("userPassword", PASSWORD), ("employeeNumber", "2"), ("cn", name), ("sn", "Tester")];
        let fields = fields.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        NewUser { user: self.named(name), by: self.admin.clone(), fields }
    }

    /// The path of its mailing lists.
    pub fn maillists(&self) -> String {
        format!("/v2/maillists?tenant-id={}", self.id)
    }

    /// The path of its resource groups.
    pub fn groups(&self) -> String {
        format!("/v2/resourcegroups/{}", self.id)
    }

    /// The mailing list with a name, existing or not.
    pub fn list_named(&self, name: &str) -> MailList<'w> {
        MailList::new(self.world, &self.admin, &self.id, &self.address(name))
    }

    /// A mailing list to create: with a display name, and without members.
    pub fn mail_list(&self, name: &str) -> NewMailList<'w> {
        NewMailList::new(self.list_named(name))
    }

    /// The resource group with a name, existing or not.
    pub fn group(&self, name: &str) -> Group<'w> {
        Group::new(self.world, &self.admin, [&self.id, &self.domain], name)
    }

    /// Its address book, read by its administrator.
    pub fn book(&self) -> Book {
        Book::new(&self.admin, &self.id)
    }

    /// A difference between the directory and the tenant's address book or list of users, as this client reads them.
    #[track_caller]
    pub fn book_difference(&self, client: &Client) -> Option<String> {
        let book = self.book().by(client);
        // Read first: the answers must be right at once.
        let found = VIEWS.map(|view| book.all(view));
        let users = client.get(format!("{}?limit=1000", self.users())).column("users", "mail");
        let expected_book = self.world.expected_book(&self.id);
        let views = VIEWS.iter().zip(&found).find_map(|(view, found)| {
            difference(found, &expected_book.view(view)).map(|difference| format!("{view}: {difference}"))
        });
        let expected: Vec<_> = expected_book.users().into_iter().take(1000).collect();
        views.or_else(|| (users != expected).then(|| format!("users: {users:?}, expected {expected:?}")))
    }

    /// Requires that its address book equals the directory now.
    #[track_caller]
    pub fn assert_book_is_right(&self, what: &str) {
        if let Some(difference) = self.book_difference(&self.admin) {
            panic!("{what}: {difference}");
        }
    }

    /// Requires that its address book equals the directory within a second.
    #[track_caller]
    pub fn assert_book_is_right_soon(&self, what: &str) {
        let mut last = None;
        let is_right = within(SOON, || {
            last = self.book_difference(&self.admin);
            last.is_none()
        });
        assert!(is_right, "{what}: {}", last.unwrap_or_default());
    }

    /// The DN of its folder of outside contacts.
    pub fn outside(&self) -> String {
        format!("ou={},ou=CAB,{}", self.id, self.world.probe().root)
    }

    /// Adds an outside contact directly to the directory, as a synchronisation does, with more attributes as LDIF.
    /// Returns its DN.
    #[track_caller]
    pub fn add_outside(&self, name: &str, mail: &str, more: &str) -> String {
        let dn = format!("cn={name},{}", self.outside());
        let attributes = format!("objectClass: inetOrgPerson\ncn: {name}\nsn: Outside\nmail: {mail}\n{more}");
        self.world.probe().modify(&format!("dn: {dn}\nchangetype: add\n{attributes}"));
        dn
    }

    /// All its entries in the directory, including its own entry, sorted by DN.
    pub fn entries(&self) -> Vec<Entry> {
        let probe = self.world.probe();
        let folders = ["Domains", "People", "Groups", "Resources", "CAB"];
        let bases = folders.map(|folder| format!("ou={},ou={folder},{}", self.id, probe.root));
        let mut entries: Vec<_> =
            bases.iter().flat_map(|base| probe.search(base, "sub", "(objectClass=*)")).collect();
        entries.sort_by(|a, b| a.dn.cmp(&b.dn));
        entries
    }

    /// The users on a page of its list.
    #[track_caller]
    pub fn list(&self, query: &str) -> serde_json::Value {
        self.admin.get(format!("{}?{query}", self.users())).expect(200).json()
    }

    /// The addresses on a page of its list, before the `@`.
    #[track_caller]
    pub fn listed(&self, query: &str) -> Vec<String> {
        let page = self.list(query);
        let mails = page["users"].as_array().unwrap().iter().map(|user| user["mail"].as_str().unwrap());
        mails.map(|mail| mail.rsplit_once('@').unwrap().0.to_owned()).collect()
    }
}

/// A user to create.
#[derive(Clone)]
pub struct NewUser<'w> {
    user: User<'w>,
    by: Client,
    fields: Vec<(String, String)>,
}

impl<'w> NewUser<'w> {
    /// Sets a field, or replaces its value.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self = self.without(name);
        self.fields.push((name.to_owned(), value.to_owned()));
        if name == "userPassword" {
            value.clone_into(&mut self.user.password);
        }
        self
    }

    /// Leaves a field out.
    pub fn without(mut self, name: &str) -> Self {
        self.fields.retain(|(known, _)| known != name);
        self
    }

    /// Sets the role.
    pub fn role(self, role: u8) -> Self {
        self.with("employeeNumber", &role.to_string())
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
        self.by.put(&self.user, &self.form())
    }

    /// Creates it.
    #[track_caller]
    pub fn create(self) -> User<'w> {
        self.put().expect_success();
        self.user
    }
}

/// A user.
#[derive(Clone)]
pub struct User<'w> {
    world: &'w World,
    /// Its address.
    pub mail: String,
    /// Its password.
    pub password: String,
    tenant: String,
    path: String,
}

impl<'w> User<'w> {
    /// A user of any tenant, existing or not.
    pub fn new(world: &'w World, tenant: &str, mail: &str, password: &str) -> Self {
        Self {
            world,
            path: format!("/v2/users/{tenant}/{}", encoded(mail)),
            mail: mail.to_owned(),
            password: password.to_owned(),
            tenant: tenant.to_owned(),
        }
    }

    /// Its DN, for a plain address.
    pub fn dn(&self) -> String {
        format!("mail={},ou={},ou=People,{}", self.mail, self.tenant, self.world.probe().root)
    }

    /// Tries to log in from an address without failed log-ins.
    pub fn try_log_in(&self) -> Answer {
        let client = self.world.nobody().behind(&self.world.fresh_address());
        client.log_in(&self.mail, &self.password)
    }

    /// A client with its token.
    #[track_caller]
    pub fn log_in(&self) -> Client {
        let answer = self.try_log_in().expect(200);
        self.world.nobody().with_token(answer.json()["access_token"].as_str().unwrap())
    }

    /// Whether the directory itself accepts its bind.
    pub fn can_bind(&self) -> bool {
        self.world.probe().accepts_bind(&self.dn(), &self.password)
    }
}

impl AsRef<str> for User<'_> {
    fn as_ref(&self) -> &str {
        &self.path
    }
}
