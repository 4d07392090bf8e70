//! What a server's schema defines (RFC 4512 section 4.2): attributes and classes, which attributes the server
//! generates itself, and which ones hold DNs.

use crate::{
    Directory, Scope,
    error::DirectoryError,
    product::syntax::Syntax,
    setup::schema::{ATTRIBUTE_TYPES, OBJECT_CLASSES},
};
use ldap_text::{attribute::AttributeName, dn::Dn, filter::Filter};
use mail_model::{entry::EntryView, names};
use std::collections::{BTreeSet, HashMap};

/// Where 389-ds keeps its schema.
const PLACE: &str = "schema";
/// The attributes of the stock schema that hold DNs and that people write.
const NAMES_OF_ENTRIES: &[&str] =
    &["member", "memberOf", "owner", "manager", "secretary", "seeAlso", "roleOccupant", "nsRoleDN"];
/// The OID of `userPassword` (RFC 4519 section 2.41).
const USER_PASSWORD_NUMBER: &str = "2.5.4.35";
/// The class of entries that may have any attribute.
const EXTENSIBLE: &str = "extensibleobject";

/// Attributes that 389-ds adds to the entries of `db2ldif` and of searches that request everything.
const MADE_BY_SERVER: &[&str] = &[
    "createTimestamp",
    "creatorsName",
    "modifyTimestamp",
    "modifiersName",
    "internalCreatorsName",
    "internalModifiersName",
    "nsUniqueId",
    "entryUUID",
    "entryusn",
    "entryid",
    "entrydn",
    "parentid",
    "ancestorid",
    "dsEntryDN",
    "numSubordinates",
    "hasSubordinates",
    "tombstoneNumSubordinates",
    "subschemaSubentry",
    "nsParentUniqueId",
    "nscpEntryDN",
    "passwordExpirationTime",
    "passwordExpWarned",
    "passwordRetryCount",
    "retryCountResetTime",
    "accountUnlockTime",
    "passwordHistory",
    "passwordGraceUserTime",
    "passwordAllowChangeTime",
    "pwdUpdateTime",
    "lastLoginTime",
    "nstombstonecsn",
    "nsds50ruv",
    "nsruvReplicaLastModified",
];

/// Attributes that `OpenLDAP` adds to the entries of `slapcat` and of searches that request everything (slapd
/// 2.5 and its password policy), and that 389-ds does not know. `pwdAccountLockedTime` is not among them: it
/// locks an account.
const MADE_BY_OTHERS: &[&str] = &[
    "structuralObjectClass",
    "entryCSN",
    "contextCSN",
    "entryTtl",
    "dynamicSubtrees",
    "authTimestamp",
    "pwdChangedTime",
    "pwdFailureTime",
    "pwdHistory",
    "pwdGraceUseTime",
    "pwdLastSuccess",
];

/// An attribute, as the schema defines it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AttributeKind {
    /// Its name: the first one, if it has several.
    pub(crate) name: AttributeName,
    /// Whether it is operational or only the server writes it.
    pub(crate) is_operational: bool,
    /// The syntax of its values.
    pub(crate) syntax: Syntax,
}

/// The schema of a server.
#[derive(Clone, Debug, Default)]
pub(crate) struct Subschema {
    attributes: HashMap<String, AttributeKind>,
    /// Classes, each with its superclasses.
    classes: HashMap<String, Vec<String>>,
}

impl Subschema {
    /// Reads a server's schema.
    ///
    /// # Errors
    /// [`DirectoryError`]; also if the server does not show its schema.
    pub(crate) async fn read(directory: &Directory) -> Result<Self, DirectoryError> {
        let place = Dn::empty().child(names::CN, PLACE);
        let any = Filter::present(names::OBJECT_CLASS);
        let wanted = [ATTRIBUTE_TYPES, OBJECT_CLASSES];
        let entry =
            directory.find(&place, Scope::Base, &any, &wanted).await?.ok_or(DirectoryError::NotFound)?;
        Ok(Self::of(entry.values(&ATTRIBUTE_TYPES), entry.values(&OBJECT_CLASSES)))
    }

    /// The attributes that 389-ds generates itself, the password, and the attributes that hold DNs, for use
    /// without a server.
    pub(crate) fn well_known() -> Self {
        let kind = |name, is_operational| AttributeKind { name, is_operational, syntax: Syntax::Other };
        let of_names = NAMES_OF_ENTRIES.iter().map(|name| {
            let kind =
                AttributeKind { syntax: Syntax::Name, ..kind(AttributeName::from_static(name), false) };
            (name.to_ascii_lowercase(), kind)
        });
        let made = MADE_BY_SERVER.iter().map(|name| AttributeName::from_static(name));
        let made = made.map(|name| (name.as_str().to_ascii_lowercase(), kind(name, true)));
        let password = kind(names::USER_PASSWORD, false);
        let passwords =
            ["userpassword", USER_PASSWORD_NUMBER].map(|name| (name.to_owned(), password.clone()));
        Self { attributes: made.chain(passwords).chain(of_names).collect(), classes: HashMap::new() }
    }

    /// Reads the definitions of attributes and classes.
    pub(crate) fn of(attributes: &[String], classes: &[String]) -> Self {
        let attributes: Vec<_> = attributes.iter().map(|text| Definition::of(text)).collect();
        let by_name: HashMap<_, _> = attributes
            .iter()
            .flat_map(|d| d.spellings().map(move |name| (name.to_ascii_lowercase(), d)))
            .collect();
        let kinds = by_name.iter().filter_map(|(name, definition)| {
            let usage = definition.word("USAGE").unwrap_or("userApplications");
            let is_operational = usage != "userApplications" || definition.has("NO-USER-MODIFICATION");
            let syntax = syntax(definition, &by_name).map(Syntax::of).unwrap_or_default();
            let own = AttributeName::parse(definition.names().next().unwrap_or(name)).ok()?;
            let kind = AttributeKind { name: own.clone(), is_operational, syntax };
            Some([(name.clone(), kind.clone()), (own.to_string(), kind)])
        });
        let attributes = kinds.flatten().collect();
        let classes = classes.iter().map(|text| Definition::of(text)).flat_map(|definition| {
            let above: Vec<_> = definition.words("SUP").map(str::to_ascii_lowercase).collect();
            let names: Vec<_> = definition.names().map(str::to_ascii_lowercase).collect();
            names.into_iter().map(move |name| (name, above.clone()))
        });
        Self { attributes, classes: classes.collect() }
    }

    /// The definition of an attribute, whatever its options.
    pub(crate) fn attribute(&self, name: &AttributeName) -> Option<&AttributeKind> {
        let name = name.as_str().split(';').next().unwrap_or_default();
        // The name is nearly always spelled as in the schema, or in lower case.
        self.attributes.get(name).or_else(|| self.attributes.get(&name.to_ascii_lowercase()))
    }

    /// Whether only other servers generate an attribute, and this one does not know it.
    pub(crate) fn is_of_others(&self, name: &AttributeName) -> bool {
        let is_one = MADE_BY_OTHERS.iter().any(|made| name.as_str().eq_ignore_ascii_case(made));
        is_one && self.attribute(name).is_none()
    }

    /// The schema's name of an attribute that is written with an alias or its OID, with its options; `None` if
    /// it has that name already.
    pub(crate) fn own_name(&self, name: &AttributeName) -> Option<AttributeName> {
        let kind = self.attribute(name)?;
        let (given, options) =
            name.as_str().split_once(';').map_or((name.as_str(), None), |(n, o)| (n, Some(o)));
        if kind.name.as_str().eq_ignore_ascii_case(given) {
            return None;
        }
        match options {
            None => Some(kind.name.clone()),
            Some(options) => AttributeName::parse(&format!("{};{options}", kind.name)).ok(),
        }
    }

    /// Whether the schema has a class.
    pub(crate) fn knows_class(&self, class: &str) -> bool {
        self.classes.contains_key(&class.to_ascii_lowercase())
    }

    /// Whether an entry of these classes may have attributes that the schema does not know.
    pub(crate) fn is_extensible<'a>(mut classes: impl Iterator<Item = &'a str>) -> bool {
        classes.any(|class| class.eq_ignore_ascii_case(EXTENSIBLE))
    }

    /// Classes in lower case, with all their superclasses, as the server completes them.
    pub(crate) fn with_those_above<'a>(&self, classes: impl Iterator<Item = &'a str>) -> BTreeSet<String> {
        let mut all = BTreeSet::new();
        let mut next: Vec<String> = classes.map(str::to_ascii_lowercase).collect();
        while let Some(class) = next.pop() {
            if !all.contains(&class) {
                next.extend(self.classes.get(&class).into_iter().flatten().cloned());
                all.insert(class);
            }
        }
        all
    }
}

/// The syntax of an attribute: its own, or that of its supertype.
fn syntax<'a>(definition: &'a Definition, all: &HashMap<String, &'a Definition>) -> Option<&'a str> {
    let mut definition = definition;
    // Deeper than the hierarchy of any schema.
    for _ in 0..16 {
        if let Some(syntax) = definition.word("SYNTAX") {
            return syntax.split('{').next();
        }
        definition = all.get(&definition.word("SUP")?.to_ascii_lowercase())?;
    }
    None
}

/// The words of a definition (RFC 4512 section 4.1), without quotes.
struct Definition(Vec<String>);

impl Definition {
    fn of(text: &str) -> Self {
        let mut words = Vec::new();
        let mut rest = text.trim_start();
        while let Some(first) = rest.chars().next() {
            let (word, after) = match first {
                '\'' => {
                    let inside = rest.get(1..).unwrap_or_default();
                    inside.split_once('\'').unwrap_or((inside, ""))
                }
                '(' | ')' => rest.split_at(1),
                _ => {
                    let end = rest.find(|c: char| c.is_whitespace() || matches!(c, '(' | ')' | '\''));
                    rest.split_at(end.unwrap_or(rest.len()))
                }
            };
            // So a quoted word is never taken for a keyword or a parenthesis.
            words.push(if first == '\'' { format!("'{word}") } else { word.to_owned() });
            rest = after.trim_start();
        }
        Self(words)
    }

    fn has(&self, keyword: &str) -> bool {
        self.0.iter().any(|word| word == keyword)
    }

    fn word(&self, keyword: &str) -> Option<&str> {
        self.words(keyword).next()
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.words("NAME")
    }

    /// Its names and its OID.
    fn spellings(&self) -> impl Iterator<Item = &str> {
        let number = self.0.iter().find(|word| word.starts_with(|c: char| c.is_ascii_digit()));
        self.names().chain(number.map(String::as_str))
    }

    /// What follows a keyword: one word, or several in parentheses.
    fn words(&self, keyword: &str) -> impl Iterator<Item = &str> {
        let start = self.0.iter().position(|word| word == keyword).map_or(self.0.len(), |at| at + 1);
        let after = self.0.get(start..).unwrap_or_default();
        let several = after.first().is_some_and(|word| word == "(");
        let end =
            if several { after.iter().position(|word| word == ")").unwrap_or(0) } else { after.len().min(1) };
        let words = after.get(usize::from(several)..end).unwrap_or_default();
        words.iter().filter(|word| *word != "$").map(|word| word.strip_prefix('\'').unwrap_or(word))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema() -> Subschema {
        let attributes = [
            "( 2.5.4.49 NAME ( 'distinguishedName' 'dnName' ) DESC 'a SUP (b) of it' SYNTAX 1.3.6.1.4.1.1466.115.121.1.12 X-ORIGIN 'RFC' )",
            "( 2.5.4.31 NAME 'member' SUP distinguishedName )",
            "(2.5.4.3 NAME 'cn' SYNTAX 1.3.6.1.4.1.1466.115.121.1.15{64})",
            "( 2.5.18.1 NAME 'createTimestamp' SYNTAX 1.2 SINGLE-VALUE NO-USER-MODIFICATION USAGE directoryOperation )",
            "( 2.16 NAME 'aci' SYNTAX 1.5 USAGE directoryOperation )",
        ];
        let classes = [
            "( 2.5.6.0 NAME 'top' ABSTRACT MUST objectClass )",
            "( 2.5.6.6 NAME 'person' SUP top STRUCTURAL MUST ( sn $ cn ) )",
            "( 2.16.1 NAME 'inetOrgPerson' SUP ( person $ top ) )",
        ];
        Subschema::of(&attributes.map(str::to_owned), &classes.map(str::to_owned))
    }

    #[test]
    fn attributes_are_known_by_each_of_their_names() {
        let schema = schema();
        let kind = |name: &str| schema.attribute(&AttributeName::parse(name).unwrap());
        for text in ["dnname", "distinguishedName", "MEMBER", "2.5.4.49"] {
            assert!(
                kind(text).is_some_and(|kind| kind.syntax == Syntax::Name && !kind.is_operational),
                "{text}"
            );
        }
        assert!(kind("cn;lang-ru").is_some_and(|kind| kind.syntax == Syntax::Text && !kind.is_operational));
        let own =
            |name: &str| schema.own_name(&AttributeName::parse(name).unwrap()).map(|name| name.to_string());
        assert_eq!(own("DNName;x-a").as_deref(), Some("distinguishedName;x-a"));
        assert_eq!((own("2.5.4.3").as_deref(), own("CN;x")), (Some("cn"), None));
        assert_eq!(kind("createTimestamp").map(|kind| kind.is_operational), Some(true));
        assert_eq!(kind("aci").map(|kind| kind.is_operational), Some(true));
        assert_eq!(kind("SUP"), None);
        assert_eq!(kind("unknown"), None);
    }

    #[test]
    fn classes_bring_those_above_them() {
        let schema = schema();
        assert!(schema.knows_class("INETORGPERSON") && !schema.knows_class("x"));
        let all = schema.with_those_above(["inetOrgPerson", "x"].into_iter());
        assert_eq!(all.into_iter().collect::<Vec<_>>(), ["inetorgperson", "person", "top", "x"]);
    }
}
