//! The values that the API would write.

use super::{NotAllowed, Rules, is_pair, password, place::Belonging, texts, values_of};
use crate::{
    address::MailAddress,
    field::{Kind, MAX_ALIASES},
    maillist::conditions::Conditions,
    names, photo,
    resource::group::GroupName,
    source::SourceId,
    user::quota::{MAX_QUOTA_MB, Quota},
};
use jiff::{SignedDuration, Timestamp};
use ldap_text::{
    dn::Dn,
    generalized_time,
    ldif::{Attribute, Value},
};

/// The largest assumed difference between the clocks of two machines.
const CLOCKS: SignedDuration = SignedDuration::from_hours(1);

/// The allowed values of an attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Values {
    /// A value of a field of the API.
    Field(Kind),
    /// An address of the tenant.
    Address,
    /// Further addresses of the tenant.
    Aliases,
    /// An address that no other tenant has.
    OutsideAddress,
    /// Further addresses that no other tenant has.
    OutsideAddresses,
    /// The name of a folder or a resource group.
    GroupName,
    /// A quota in bytes.
    Quota,
    /// A password, hashed or not.
    Password,
    /// Whether 389-ds refuses binds.
    Lock,
    /// A time.
    Time,
    /// A time that is not in the future.
    Past,
    /// A count of writes.
    Revision,
    /// `TRUE`.
    True,
    /// DNs of entries of the tenant.
    Members,
    /// Outside addresses.
    OutsideMembers,
    /// Conditions of a dynamic list.
    Conditions,
    /// The search of a dynamic list; see [`check_content`].
    Search,
    /// A photo: bytes, not text.
    Photo,
    /// Identifiers of sources.
    Sources,
    /// The digest of an image.
    Digest,
}

/// The entry with the values.
pub(super) struct Context<'a> {
    pub(super) rules: &'a Rules<'a>,
    pub(super) dn: &'a Dn,
}

impl Values {
    /// Whether the API writes at most one value.
    pub(super) const fn is_single(self) -> bool {
        !matches!(
            self,
            Self::Aliases
                | Self::OutsideAddresses
                | Self::Members
                | Self::OutsideMembers
                | Self::Conditions
                | Self::Sources
        )
    }

    /// Checks values that are not text; `None` if the values have to be text.
    ///
    /// # Errors
    /// The same as for [`Self::check`].
    pub(super) fn check_bytes(self, values: &[Value]) -> Option<Result<(), String>> {
        let check = |value: &Value| photo::check(value.as_bytes()).map_err(|error| error.to_string());
        (self == Self::Photo).then(|| values.iter().try_for_each(check))
    }

    /// Checks the values of an attribute.
    ///
    /// # Errors
    /// What is allowed, or what is wrong, as a text that follows the name of the attribute.
    pub(super) fn check(self, texts: &[&str], context: &Context<'_>) -> Result<(), String> {
        match self {
            Self::Aliases | Self::OutsideAddresses if texts.len() > MAX_ALIASES + 1 => {
                Err(format!("has too many addresses: at most {MAX_ALIASES}"))
            }
            Self::Conditions => check_conditions(texts),
            _ => texts.iter().try_for_each(|text| self.check_one(text, context)),
        }
    }

    fn check_one(self, text: &str, context: &Context<'_>) -> Result<(), String> {
        let rules = context.rules;
        match self {
            Self::Field(kind) => check_field(kind, text),
            Self::Address | Self::Aliases => own_address(text, rules),
            Self::OutsideAddress | Self::OutsideAddresses | Self::OutsideMembers => {
                outside_address(text, rules)
            }
            Self::GroupName => GroupName::parse(text).map(drop).map_err(|error| error.to_string()),
            Self::Quota => check_quota(text),
            Self::Password => password::check(text),
            Self::Lock if ["true", "false"].iter().any(|word| word.eq_ignore_ascii_case(text)) => Ok(()),
            Self::Lock => Err("must be true or false".to_owned()),
            Self::Time => time(text).map(drop),
            Self::Past => past(text, rules.now),
            Self::Revision => check_revision(text),
            Self::True if text == "TRUE" => Ok(()),
            Self::True => Err("must be TRUE".to_owned()),
            Self::Members => check_member(text, context),
            Self::Sources => SourceId::parse(text).map(drop).map_err(|error| error.to_string()),
            Self::Digest if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_hexdigit()) => Ok(()),
            Self::Digest => Err("must be hexadecimal digits".to_owned()),
            // Photos are not text; see `check_bytes`.
            Self::Conditions | Self::Search | Self::Photo => Ok(()),
        }
    }
}

/// Checks that a field has the spelling of the API.
fn check_field(kind: Kind, text: &str) -> Result<(), String> {
    let value = kind.parse(text).map_err(|error| error.to_string())?;
    if value.first() == Some(text) {
        Ok(())
    } else {
        Err(format!("must be spelled {}", value.values().join(", ")))
    }
}

/// An address as the API writes it: in lower case, with its domain in ASCII, and without surrounding characters.
fn address(text: &str) -> Result<MailAddress, String> {
    let address = MailAddress::parse(text).map_err(|error| error.to_string())?;
    if address.as_str() == text { Ok(address) } else { Err(format!("must be spelled {address}")) }
}

fn own_address(text: &str, rules: &Rules<'_>) -> Result<(), String> {
    let address = address(text)?;
    let is_own = rules.tenant.serves(address.domain());
    if is_own { Ok(()) } else { Err(format!("has {address}, which is in no domain of the tenant")) }
}

fn outside_address(text: &str, rules: &Rules<'_>) -> Result<(), String> {
    let address = address(text)?;
    let is_foreign = rules.foreign_domains.contains(address.domain());
    if is_foreign { Err(format!("has {address}, which is in a domain of another tenant")) } else { Ok(()) }
}

fn check_quota(text: &str) -> Result<(), String> {
    let is_spelled = |quota: &Quota| quota.bytes_text() == text && quota.megabytes() <= MAX_QUOTA_MB;
    let quota = Quota::from_bytes_text(text).filter(is_spelled);
    quota
        .map(drop)
        .ok_or_else(|| format!("must be a whole number of bytes, at most {MAX_QUOTA_MB} megabytes"))
}

fn time(text: &str) -> Result<Timestamp, String> {
    generalized_time::parse(text).map_err(|_| "is not a valid time".to_owned())
}

fn past(text: &str, now: Timestamp) -> Result<(), String> {
    let latest = now.saturating_add(CLOCKS).unwrap_or(Timestamp::MAX);
    if time(text)? <= latest { Ok(()) } else { Err("is in the future".to_owned()) }
}

/// A revision is a positive number that 389-ds compares correctly as an LDAP integer.
fn check_revision(text: &str) -> Result<(), String> {
    let number = text.parse::<i64>().ok().filter(|number| *number >= 0 && number.to_string() == text);
    number.map(drop).ok_or_else(|| "must be a whole number".to_owned())
}

/// Checks that a member is an entry of the tenant with an address.
fn check_member(text: &str, context: &Context<'_>) -> Result<(), String> {
    let (rules, wrong) =
        (context.rules, || "has a member that is not a name of an entry of the tenant".to_owned());
    let dn = Dn::parse(text).map_err(|_| wrong())?;
    if dn == *context.dn {
        return Err("names the list itself".to_owned());
    }
    let kind = rules.place_of(&dn).filter(|kind| !matches!(kind, Belonging::Folder | Belonging::Group));
    let is_named = |kind: Belonging| {
        let rdn = dn.rdn()?;
        let naming = kind.naming().iter().find(|naming| rdn.value_of(naming).is_some())?;
        let value = rdn.value_of(naming)?;
        let is_address =
            || MailAddress::parse(value).is_ok_and(|mail| mail.as_str().eq_ignore_ascii_case(value));
        Some(is_pair(rdn, naming, value) && (*naming != names::MAIL || is_address()))
    };
    if kind.and_then(is_named) == Some(true) { Ok(()) } else { Err(wrong()) }
}

fn check_conditions(texts: &[&str]) -> Result<(), String> {
    let owned: Vec<_> = texts.iter().map(|text| (*text).to_owned()).collect();
    let conditions = Conditions::parse(&owned).map_err(|error| error.to_string())?;
    if conditions.texts() == texts { Ok(()) } else { Err("is not spelled as pbm writes it".to_owned()) }
}

/// Checks the content of a list: members, or conditions with the search that they stand for.
pub(super) fn check_content(rules: &Rules<'_>, attributes: &[&Attribute]) -> Result<(), NotAllowed> {
    let texts = |name| attributes.iter().find(|a| a.name == name).map_or(Ok(Vec::new()), |a| texts(a));
    let (conditions, urls) = (texts(names::LIST_FILTER)?, texts(names::MEMBER_URL)?);
    let search = |reason: &str| NotAllowed::Value(names::MEMBER_URL, reason.to_owned());
    if conditions.is_empty() {
        let is_static = urls.is_empty();
        return if is_static {
            Ok(())
        } else {
            Err(search("is only for dynamic lists, which have pbmListFilter"))
        };
    }
    let members = [names::MEMBER, names::OUTSIDE_MEMBER];
    if let Some(name) = members.into_iter().find(|name| !values_of(attributes, name).is_empty()) {
        return Err(NotAllowed::Value(name, "is not allowed for a dynamic list".to_owned()));
    }
    let conditions: Vec<_> = conditions.into_iter().map(str::to_owned).collect();
    let users = rules.tree.users(&rules.tenant.id);
    let is_same = |url: &str| Conditions::parse(&conditions).is_ok_and(|c| c.is_url(&users, url));
    match urls.as_slice() {
        [url] if is_same(url) => Ok(()),
        _ => Err(search("must be the search of the conditions, as pbm writes it")),
    }
}
