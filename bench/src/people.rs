//! The users of a benchmark, with mailing lists and resources: the same ones on every run, in the form that pbm
//! creates.

use anyhow::Context;
use ldap_text::{
    dn::Dn,
    ldif::{Attribute, Change, ChangeRecord},
};
use mail_model::{
    address::{Domain, MailAddress},
    field::FieldErrors,
    maillist::{
        self,
        command::{Content, NewMailList},
        member::Member,
    },
    names,
    resource::{self, command::NewResource, field::ResourceField, group::GroupName},
    revision::FreshRevision,
    tenant::{Tenant, TenantId},
    tree::Tree,
    user::{
        command::{NewUser, Password, parse_fields},
        field::UserField,
        plan,
    },
};

pub(crate) const DOMAIN: &str = "example.com";
pub(crate) const ROOT: &str = "dc=example,dc=com";
/// The password of users that a benchmark creates.
pub(crate) const PASSWORD: &str = "Correct-Horse-7";
/// A hash in the format of 389-ds, of no known password: hashing 20,000 passwords would take minutes.
const HASH: &str = "{PBKDF2-SHA512}10000$c2FsdHNhbHRzYWx0c2FsdA==$b2YgYSBwYXNzd29yZCB0aGF0IG5vYm9keSBrbm93cywgbWFkZSBvZiA2NCBieXRlcyBleGFjdGx5ISEhISEhIQ==";

/// Three letters of one last name in twenty, in the display name and in no address; and the other way round.
pub(crate) const CYRILLIC_PART: &str = "шев";
pub(crate) const LATIN_PART: &str = "web";

/// First names, as displayed and as in addresses.
const FIRST: &[(&str, &str)] = &[
    ("Анна", "anna"),
    ("Иван", "ivan"),
    ("Мария", "maria"),
    ("Пётр", "petr"),
    ("Ольга", "olga"),
    ("Алексей", "alexey"),
    ("John", "john"),
    ("Елена", "elena"),
    ("Сергей", "sergey"),
    ("Emma", "emma"),
    ("Фёдор", "fedor"),
    ("Наталья", "natalia"),
    ("Дмитрий", "dmitry"),
];
/// Twenty last names, so each is that of one user in twenty.
const LAST: &[(&str, &str)] = &[
    ("Шевченко", "shevchenko"),
    ("Weber", "weber"),
    ("Черных", "chernykh"),
    ("Коваленко", "kovalenko"),
    ("Smith", "smith"),
    ("Долгих", "dolgikh"),
    ("O'Neil", "oneil"),
    ("Ткаченко", "tkachenko"),
    ("Седых", "sedykh"),
    ("Taylor", "taylor"),
    ("Бойко", "boyko"),
    ("Белых", "belykh"),
    ("Harris", "harris"),
    ("Лысенко", "lysenko"),
    ("Косых", "kosykh"),
    ("Martin", "martin"),
    ("Петренко", "petrenko"),
    ("Гурко", "gurko"),
    ("Clark", "clark"),
    ("Юрченко", "yurchenko"),
];
const DEPARTMENTS: &[&str] = &["Продажи", "Разработка", "Бухгалтерия", "Sales", "Поддержка"];
const TITLES: &[&str] = &["Инженер", "Менеджер", "Бухгалтер", "Engineer", "Руководитель отдела"];

/// Creates the users' entries.
pub(crate) struct People {
    tree: Tree,
    tenant: Tenant,
    password: Password,
}

/// A user's address, and the DN of the entry.
pub(crate) struct Name {
    pub(crate) mail: String,
    pub(crate) dn: String,
}

impl People {
    pub(crate) fn new() -> anyhow::Result<Self> {
        let tenant = Tenant {
            id: TenantId::default_tenant(),
            domains: vec![Domain::parse(DOMAIN)?],
            default_quota: None,
            default_language: None,
        };
        Ok(Self { tree: Tree::new(Dn::parse(ROOT)?), tenant, password: Password::parse(PASSWORD)? })
    }

    /// The folder of the users.
    pub(crate) fn folder(&self) -> String {
        self.tree.users(&self.tenant.id).to_string()
    }

    /// The account with which pbm binds.
    pub(crate) fn service_account(&self) -> String {
        self.tree.system().child(names::UID, "pbm").to_string()
    }

    /// The user with a number.
    pub(crate) fn name(&self, index: usize) -> anyhow::Result<Name> {
        let mail = address(index)?;
        Ok(Name { dn: self.tree.user(&self.tenant.id, &mail).to_string(), mail: mail.as_str().to_owned() })
    }

    /// The entry of the user with a number, with a password hash.
    pub(crate) fn hashed_entry(&self, index: usize) -> anyhow::Result<ChangeRecord> {
        let phone = format!("+7 495 {:03}-{:02}-{:02}", 100 + index % 900, index % 100, (index * 7) % 100);
        let mobile = format!("+7 916 {:03}-{:02}-{:02}", index % 1000, (index * 3) % 100, index % 100);
        let fields = [
            (UserField::FirstName, first_name(index).0),
            (UserField::LastName, last_name(index).0),
            (UserField::Role, "2"),
            (UserField::Department, pick(DEPARTMENTS, index)),
            (UserField::Title, pick(TITLES, index / 3)),
            (UserField::WorkPhone, &phone),
            (UserField::HomePhone, &mobile),
        ];
        let mut record = self.creation(address(index)?, &fields)?;
        if let Change::Add(attributes) = &mut record.change {
            attributes.retain(|attribute| attribute.name != names::USER_PASSWORD);
            attributes.push(Attribute::new(names::USER_PASSWORD, [HASH]));
        }
        Ok(record)
    }

    /// The entry that pbm writes for the request of [`creation_form`].
    pub(crate) fn new_entry(&self, mail: &str) -> anyhow::Result<ChangeRecord> {
        let fields =
            [(UserField::FirstName, "Vera"), (UserField::LastName, "Novikova"), (UserField::Role, "2")];
        self.creation(MailAddress::parse(mail)?, &fields)
    }

    /// A mailing list.
    pub(crate) fn list(
        &self,
        mail: &str,
        display_name: &str,
        members: &[Member],
    ) -> anyhow::Result<ChangeRecord> {
        let new = NewMailList {
            mail: MailAddress::parse(mail)?,
            display_name: display_name.to_owned(),
            content: Content::Members(Vec::new()),
            source: None,
        };
        let content = maillist::plan::FoundContent::Members(members);
        Ok(maillist::plan::creation(
            &self.tree,
            &self.tenant.id,
            &new,
            &content,
            FreshRevision::from_random(1),
        ))
    }

    /// A group of resources.
    pub(crate) fn resource_group(&self, group: &GroupName) -> ChangeRecord {
        resource::plan::group_creation(&self.tree, &self.tenant.id, group, FreshRevision::from_random(1))
    }

    /// A meeting room.
    pub(crate) fn room(
        &self,
        group: &GroupName,
        mail: &str,
        display_name: &str,
    ) -> anyhow::Result<ChangeRecord> {
        let mut errors = FieldErrors::default();
        let fields = [(ResourceField::DisplayName, display_name), (ResourceField::City, "Москва")];
        let fields = resource::command::parse_fields(fields, &mut errors);
        let new = NewResource::new(MailAddress::parse(mail), fields, &self.tenant, errors)
            .context("a resource that cannot be made")?;
        Ok(resource::plan::creation(&self.tree, &self.tenant.id, group, &new, FreshRevision::from_random(1)))
    }

    fn creation(&self, mail: MailAddress, fields: &[(UserField, &str)]) -> anyhow::Result<ChangeRecord> {
        let mut errors = FieldErrors::default();
        let fields = parse_fields(fields.iter().copied(), &mut errors);
        let new = NewUser::new(Some(mail), Some(self.password.clone()), fields, &self.tenant, errors)
            .context("a user that cannot be made")?;
        let revision = FreshRevision::from_random(rand::random());
        Ok(plan::creation(&self.tree, &self.tenant.id, &new, revision))
    }
}

/// The CSV table that creates the users of [`People::new_entry`].
pub(crate) fn creation_table(mails: impl Iterator<Item = String>) -> String {
    let rows = mails.map(|mail| format!("{mail},{PASSWORD},Vera,Novikova,2\n"));
    "mail,userPassword,cn,sn,employeeNumber\n".to_owned() + &rows.collect::<String>()
}

/// The form that creates the user of [`People::new_entry`].
pub(crate) fn creation_form() -> String {
    format!("userPassword={PASSWORD}&cn=Vera&sn=Novikova&employeeNumber=2")
}

/// First and last name of the user with a number: as displayed, and as in the address.
pub(crate) fn full_names(index: usize) -> [String; 2] {
    let (first, last) = (first_name(index), last_name(index));
    [format!("{} {}", first.0, last.0), format!("{} {}", first.1, last.1)]
}

fn first_name(index: usize) -> (&'static str, &'static str) {
    FIRST.get(index % FIRST.len()).copied().unwrap_or_default()
}

fn last_name(index: usize) -> (&'static str, &'static str) {
    LAST.get(index % LAST.len()).copied().unwrap_or_default()
}

fn pick(list: &'static [&'static str], index: usize) -> &'static str {
    list.get(index % list.len()).copied().unwrap_or_default()
}

fn address(index: usize) -> anyhow::Result<MailAddress> {
    let (first, last) = (first_name(index).1, last_name(index).1);
    Ok(MailAddress::parse(&format!("{first}.{last}{index}@{DOMAIN}"))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_searched_letters_stand_in_one_name_of_twenty() {
        let people = People::new().unwrap();
        let hits = |part: &str| {
            let text = |index| people.hashed_entry(index).unwrap().to_string().to_lowercase();
            let named = |index: usize| full_names(index).concat().to_lowercase().contains(part);
            assert!(text(0).contains("mail="));
            (0..2000).filter(|index| named(*index)).count()
        };
        assert_eq!((hits(CYRILLIC_PART), hits(LATIN_PART)), (100, 100));
    }
}
