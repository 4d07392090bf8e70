//! Commands on mailing lists. Here the addresses of members are checked as addresses only; the directory finds the
//! entries that have them.

use super::conditions::Conditions;
use crate::{
    address::MailAddress,
    field::{Field, FieldError, FieldErrors, Kind, ListField},
    source::SourceId,
    tenant::Tenant,
};
use std::collections::HashSet;

/// The most members in one request. Each is a name of up to 350 bytes in one LDAP message, and 389-ds accepts messages
/// of up to 2 MB (`nsslapd-maxbersize`). A list can have more members, by several requests.
pub const MAX_MEMBERS: usize = 5000;

/// Members of a request, before their entries are looked up.
pub type Addresses = Vec<MailAddress>;

/// The content of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// Members.
    Members(Addresses),
    /// Conditions: the list is dynamic.
    Conditions(Conditions),
}

/// A mailing list to create.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewMailList {
    /// The address.
    pub mail: MailAddress,
    /// The displayed name.
    pub display_name: String,
    /// The content.
    pub content: Content,
    /// The group of a source that it is made from.
    pub source: Option<SourceId>,
}

/// The fields of a command on a list, as texts; `None` for a field that was not given.
#[derive(Clone, Debug, Default)]
pub struct ListTexts {
    /// [`ListField::Mail`]
    pub mail: Option<String>,
    /// [`ListField::NewMail`]
    pub new_mail: Option<String>,
    /// [`ListField::DisplayName`]
    pub display_name: Option<String>,
    /// [`ListField::Added`]
    pub add: Option<Vec<String>>,
    /// [`ListField::Removed`]
    pub remove: Option<Vec<String>>,
    /// [`ListField::Members`]
    pub members: Option<Vec<String>>,
    /// [`ListField::Conditions`]
    pub conditions: Option<Vec<String>>,
}

impl NewMailList {
    /// Parses the command to create a list of a tenant.
    ///
    /// # Errors
    /// All errors at once.
    pub fn parse(texts: &ListTexts, tenant: &Tenant) -> Result<Self, FieldErrors> {
        let mut errors = FieldErrors::default();
        let mail = required_address(texts.mail.as_deref(), &mut errors);
        if let Some(mail) = &mail {
            tenant.check_name(Field::List(ListField::Mail), mail, &mut errors);
        }
        let display_name = texts.display_name.as_deref().unwrap_or_default();
        let display_name = display_name_of(display_name, &mut errors);
        let content = match (&texts.conditions, &texts.add) {
            (Some(_), Some(add)) if !add.is_empty() => {
                errors.add(Field::List(ListField::Conditions), FieldError::ConditionsBesideMembers);
                None
            }
            (Some(texts), _) => conditions(texts, &mut errors).map(Content::Conditions),
            (None, add) => {
                let add = add.as_deref().unwrap_or_default();
                let members = addresses(ListField::Added, add, true, mail.as_ref(), &mut errors);
                members.map(Content::Members)
            }
        };
        errors.none()?;
        match (mail, display_name, content) {
            (Some(mail), Some(display_name), Some(content)) => {
                Ok(Self { mail, display_name, content, source: None })
            }
            _ => Err(FieldErrors::default()),
        }
    }
}

/// The change of a list's content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ContentChange {
    /// Members are added and removed.
    Edit {
        /// Members to add.
        add: Addresses,
        /// Members to remove.
        remove: Addresses,
    },
    /// The content is replaced.
    Replace(Content),
}

/// Changes to a mailing list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailListPatch {
    /// The new address.
    pub new_mail: Option<MailAddress>,
    /// The new displayed name.
    pub display_name: Option<String>,
    /// The change of the content.
    pub content: Option<ContentChange>,
}

impl MailListPatch {
    /// Parses changes to the list `mail` of a tenant.
    ///
    /// # Errors
    /// All errors at once.
    pub fn parse(mail: &MailAddress, texts: &ListTexts, tenant: &Tenant) -> Result<Self, FieldErrors> {
        let mut errors = FieldErrors::default();
        let new_mail = texts.new_mail.as_deref().filter(|text| !text.is_empty());
        let new_mail = new_mail.and_then(|text| errors.address(Field::List(ListField::NewMail), text));
        if let Some(new_mail) = &new_mail {
            tenant.check_name(Field::List(ListField::NewMail), new_mail, &mut errors);
        }
        let display_name = texts.display_name.as_deref().and_then(|text| display_name_of(text, &mut errors));
        let content = content_change(mail, texts, &mut errors);
        errors.none()?;
        Ok(Self { new_mail: new_mail.filter(|new| new != mail), display_name, content })
    }
}

fn content_change(mail: &MailAddress, texts: &ListTexts, errors: &mut FieldErrors) -> Option<ContentChange> {
    let edits = texts.add.is_some() || texts.remove.is_some();
    match (&texts.members, &texts.conditions) {
        (Some(_), None) if edits => {
            errors.add(Field::List(ListField::Members), FieldError::WholeListBesideChanges);
            None
        }
        (members, Some(_)) if edits || members.is_some() => {
            errors.add(Field::List(ListField::Conditions), FieldError::ConditionsBesideChanges);
            None
        }
        (Some(all), _) => addresses(ListField::Members, all, true, Some(mail), errors)
            .map(|members| ContentChange::Replace(Content::Members(members))),
        (None, Some(texts)) => conditions(texts, errors)
            .map(|conditions| ContentChange::Replace(Content::Conditions(conditions))),
        (None, None) => {
            let add = texts.add.as_deref().unwrap_or_default();
            let remove = texts.remove.as_deref().unwrap_or_default();
            let add = addresses(ListField::Added, add, false, Some(mail), errors);
            let remove = addresses(ListField::Removed, remove, false, None, errors);
            let (add, remove) = add.zip(remove)?;
            let removed: HashSet<_> = remove.iter().collect();
            if let Some(both) = add.iter().find(|address| removed.contains(address)) {
                errors.add(Field::List(ListField::Removed), FieldError::AddedAndRemoved(both.clone()));
            }
            edits.then_some(ContentChange::Edit { add, remove })
        }
    }
}

fn required_address(text: Option<&str>, errors: &mut FieldErrors) -> Option<MailAddress> {
    let field = Field::List(ListField::Mail);
    match text.filter(|text| !text.is_empty()) {
        None => errors.keep(field, Err(FieldError::Required)),
        Some(text) => errors.address(field, text),
    }
}

fn display_name_of(text: &str, errors: &mut FieldErrors) -> Option<String> {
    let value = if text.is_empty() { Kind::Line.parse_empty(true) } else { Kind::Line.parse(text) };
    errors.keep(Field::List(ListField::DisplayName), value)?.first().map(str::to_owned)
}

fn conditions(texts: &[String], errors: &mut FieldErrors) -> Option<Conditions> {
    errors.keep(Field::List(ListField::Conditions), Conditions::parse(texts))
}

/// Parses the addresses of members, without repeats. `own` is the list's own address, which cannot be a member.
fn addresses(
    field: ListField,
    texts: &[String],
    at_least_one: bool,
    own: Option<&MailAddress>,
    errors: &mut FieldErrors,
) -> Option<Addresses> {
    let field = Field::List(field);
    let mut seen = HashSet::new();
    let mut addresses = Vec::new();
    for text in texts {
        let address = MailAddress::parse(text).map_err(|source| FieldError::address(text, source));
        let address = errors.keep(field, address)?;
        if Some(&address) == own {
            errors.add(field, FieldError::OwnMember(address.clone()));
        }
        if seen.insert(address.clone()) {
            addresses.push(address);
        }
        if addresses.len() > MAX_MEMBERS {
            errors.add(field, FieldError::TooManyMembers);
            return None;
        }
    }
    if addresses.is_empty() && at_least_one {
        errors.add(field, FieldError::Required);
    }
    Some(addresses)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{address::Domain, tenant::TenantId};

    fn tenant() -> Tenant {
        Tenant {
            id: TenantId::default_tenant(),
            domains: vec![Domain::parse("x.ru").unwrap()],
            default_quota: None,
            default_language: None,
        }
    }

    fn all(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    fn wrong(texts: &ListTexts) -> Vec<ListField> {
        let errors = NewMailList::parse(texts, &tenant()).unwrap_err();
        errors
            .iter()
            .filter_map(|(field, _)| if let Field::List(field) = field { Some(field) } else { None })
            .collect()
    }

    fn patch(texts: &ListTexts) -> Result<MailListPatch, FieldErrors> {
        let mail = MailAddress::parse("list@x.ru").unwrap();
        MailListPatch::parse(&mail, texts, &tenant())
    }

    #[test]
    fn a_new_list_needs_an_address_a_name_and_members() {
        assert_eq!(wrong(&ListTexts::default()), [ListField::Mail, ListField::DisplayName, ListField::Added]);
        let mail = Some("list@x.ru".to_owned());
        let display_name = Some("Все".to_owned());
        let texts = |add| ListTexts {
            mail: mail.clone(),
            display_name: display_name.clone(),
            add,
            ..ListTexts::default()
        };
        assert_eq!(wrong(&texts(Some(all(&[])))), [ListField::Added]);
        assert_eq!(wrong(&texts(Some(all(&["List@x.ru"])))), [ListField::Added]);
        assert_eq!(wrong(&texts(Some(all(&["nobody"])))), [ListField::Added]);
        let list = NewMailList::parse(&texts(Some(all(&["a@x.ru", "A@x.ru", "b@y.ru"]))), &tenant());
        let Content::Members(members) = list.unwrap().content else { panic!("no members") };
        assert_eq!(members.iter().map(MailAddress::as_str).collect::<Vec<_>>(), ["a@x.ru", "b@y.ru"]);
        let foreign = ListTexts { mail: Some("list@y.ru".into()), ..texts(Some(all(&["a@x.ru"]))) };
        assert_eq!(wrong(&foreign), [ListField::Mail]);
    }

    #[test]
    fn a_list_has_members_or_a_filter() {
        let both = ListTexts {
            mail: Some("list@x.ru".into()),
            display_name: Some("n".into()),
            add: Some(all(&["a@x.ru"])),
            conditions: Some(all(&["ou=Sales"])),
            ..ListTexts::default()
        };
        assert_eq!(wrong(&both), [ListField::Conditions]);
        let dynamic = ListTexts { add: None, ..both };
        let list = NewMailList::parse(&dynamic, &tenant()).unwrap();
        assert!(matches!(list.content, Content::Conditions(_)));
    }

    #[test]
    fn changes_of_the_content_do_not_mix() {
        let with_members = ListTexts { members: Some(all(&["a@x.ru"])), ..ListTexts::default() };
        assert!(patch(&with_members).is_ok());
        assert!(patch(&ListTexts { add: Some(all(&["b@x.ru"])), ..with_members.clone() }).is_err());
        assert!(patch(&ListTexts { conditions: Some(all(&["ou=x"])), ..with_members }).is_err());
        assert!(patch(&ListTexts { members: Some(all(&[])), ..ListTexts::default() }).is_err());
        let edit =
            ListTexts { add: Some(all(&["b@x.ru"])), remove: Some(all(&["c@x.ru"])), ..ListTexts::default() };
        assert!(matches!(patch(&edit).unwrap().content, Some(ContentChange::Edit { .. })));
        assert!(patch(&ListTexts { remove: Some(all(&["b@x.ru"])), ..edit }).is_err());
        assert_eq!(patch(&ListTexts::default()).unwrap().content, None);
    }
}
