//! Whether an entry matches a filter. Every attribute is compared without regard to case, and as a number where both
//! sides are numbers.

use super::entry::Entry;
use ldap3_proto::proto::{LdapFilter, LdapMatchingRuleAssertion, LdapSubstringFilter};

const BIT_AND: &str = "1.2.840.113556.1.4.803";
const BIT_OR: &str = "1.2.840.113556.1.4.804";

pub(crate) fn matches(filter: &LdapFilter, entry: &Entry) -> bool {
    match filter {
        LdapFilter::And(parts) => parts.iter().all(|part| matches(part, entry)),
        LdapFilter::Or(parts) => parts.iter().any(|part| matches(part, entry)),
        LdapFilter::Not(part) => !matches(part, entry),
        LdapFilter::Present(name) => {
            name.eq_ignore_ascii_case("objectClass") || !entry.values(name).is_empty()
        }
        LdapFilter::Equality(name, value) | LdapFilter::Approx(name, value) => {
            any(entry, name, |own| own.to_lowercase() == value.to_lowercase())
        }
        LdapFilter::Substring(name, parts) => any(entry, name, |own| contains(own, parts)),
        LdapFilter::GreaterOrEqual(name, value) => any(entry, name, |own| compare(own, value).is_ge()),
        LdapFilter::LessOrEqual(name, value) => any(entry, name, |own| compare(own, value).is_le()),
        LdapFilter::Extensible(rule) => extensible(rule, entry),
    }
}

fn any(entry: &Entry, name: &str, is_match: impl Fn(&str) -> bool) -> bool {
    entry.values(name).iter().any(|value| is_match(&String::from_utf8_lossy(value)))
}

fn compare(own: &str, other: &str) -> std::cmp::Ordering {
    match (own.parse::<i64>(), other.parse::<i64>()) {
        (Ok(own), Ok(other)) => own.cmp(&other),
        _ => own.to_lowercase().cmp(&other.to_lowercase()),
    }
}

fn contains(own: &str, parts: &LdapSubstringFilter) -> bool {
    let own = own.to_lowercase();
    let lower = |part: &Option<String>| part.as_deref().unwrap_or_default().to_lowercase();
    let Some(mut rest) = own.strip_prefix(&lower(&parts.initial)) else { return false };
    for part in &parts.any {
        let part = part.to_lowercase();
        let Some((_, after)) = rest.split_once(&part) else { return false };
        rest = after;
    }
    rest.ends_with(&lower(&parts.final_))
}

fn extensible(rule: &LdapMatchingRuleAssertion, entry: &Entry) -> bool {
    let (Some(name), Ok(bits)) = (&rule.type_, rule.match_value.parse::<i64>()) else { return false };
    any(entry, name, |own| {
        let own = own.parse::<i64>().unwrap_or_default();
        match rule.matching_rule.as_deref() {
            Some(BIT_AND) => own & bits == bits,
            Some(BIT_OR) => own & bits != 0,
            _ => false,
        }
    })
}
