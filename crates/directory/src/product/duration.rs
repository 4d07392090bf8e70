//! How long 389-ds may take for a change. A time limit that is too short leaves it unknown whether the change was made,
//! so a change that is known to take long has more time than `ldap.operation_timeout`. A server that answers nothing at
//! all is detected by [`crate::liveness`], however long the limit is.

use ldap_text::ldif::{Attribute, Change, ChangeRecord};
use std::time::Duration;

/// The time for each thousand values that a change writes. Without the plug-in memberOf, 389-ds 2.3 needs 0.02 to 0.1 s for a
/// thousand members of a list; with the plug-in 4.2 s, since it writes to the entry of each member.
const PER_THOUSAND: Duration = Duration::from_secs(6);
/// The time for a rename or a removal, whose cost is not known beforehand: the plug-in for referential integrity writes to
/// each list with the entry as a member, and the plug-in memberOf to each member of a removed list.
const OF_UNKNOWN_SIZE: Duration = Duration::from_secs(60);
/// The longest of these times.
const LONGEST: Duration = Duration::from_secs(300);

/// How much longer than `ldap.operation_timeout` a change may take, by the number of its values.
pub(crate) fn allowance(record: &ChangeRecord) -> Duration {
    let values = match &record.change {
        Change::Add(attributes) => count(attributes.iter()),
        Change::Modify(modifications) => count(modifications.iter().map(|change| &change.attribute)),
        Change::Rename { .. } | Change::Delete => return OF_UNKNOWN_SIZE,
    };
    let thousands = u32::try_from(values / 1000).unwrap_or(u32::MAX);
    PER_THOUSAND.saturating_mul(thousands).min(LONGEST)
}

fn count<'a>(attributes: impl Iterator<Item = &'a Attribute>) -> usize {
    attributes.map(|attribute| attribute.values.len()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ldap_text::{
        dn::Dn,
        ldif::{Modification, ModifyKind, Value},
    };
    use mail_model::names;

    fn of(change: Change) -> Duration {
        allowance(&ChangeRecord { dn: Dn::empty(), change })
    }

    fn members(count: usize) -> Attribute {
        Attribute { name: names::MEMBER, values: vec![Value::from("mail=a,dc=x"); count] }
    }

    fn modify(counts: &[usize]) -> Duration {
        let modification = |count: &usize| Modification { kind: ModifyKind::Add, attribute: members(*count) };
        of(Change::Modify(counts.iter().map(modification).collect()))
    }

    #[test]
    fn the_time_grows_with_the_number_of_values_up_to_a_bound() {
        assert_eq!(modify(&[999]), Duration::ZERO);
        assert_eq!(modify(&[600, 400]), PER_THOUSAND);
        assert_eq!(of(Change::Add(vec![members(5000)])), 5 * PER_THOUSAND);
        assert_eq!(modify(&[200_000]), LONGEST);
        assert_eq!(of(Change::Delete), OF_UNKNOWN_SIZE);
    }
}
