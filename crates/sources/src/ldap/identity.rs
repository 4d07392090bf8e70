//! The identifiers of entries, which stay when an entry is renamed or moved.

use super::{entry::Entry, names};
use ldap_text::AttributeName;
use mail_model::source::{SourceId, SourceKind};
use uuid::Uuid;

/// The attributes in which an identifier is looked for.
pub(super) const IDENTIFIERS: [AttributeName; 4] =
    [names::OBJECT_GUID, names::IPA_UNIQUE_ID, names::ENTRY_UUID, names::NS_UNIQUE_ID];

/// The identifier of an entry.
pub(super) fn id(entry: &Entry) -> Option<SourceId> {
    let [guid, others @ ..] = &IDENTIFIERS;
    let of_ad = entry.first(guid).and_then(guid_text);
    if let Some(text) = of_ad {
        return SourceId::new(SourceKind::ActiveDirectory, &text).ok();
    }
    others.iter().find_map(|name| SourceId::new(SourceKind::Ldap, entry.text(name)?).ok())
}

/// The text of an `objectGUID`, as Windows shows it: the first three parts have their lowest byte first (MS-DTYP 2.3.4.2).
fn guid_text(bytes: &[u8]) -> Option<String> {
    let bytes: [u8; 16] = bytes.try_into().ok()?;
    Some(Uuid::from_bytes_le(bytes).hyphenated().to_string())
}

/// The last part of an entry's SID (MS-DTYP 2.4.2.2): a byte of version, one with the number of parts, six of the
/// authority, and the parts, of four bytes each.
pub(super) fn relative_id(entry: &Entry) -> Option<u32> {
    let sid = entry.first(&names::OBJECT_SID)?;
    let (head, parts) = sid.split_at_checked(8)?;
    let [1, count, ..] = head else { return None };
    let last = parts.last_chunk::<4>().filter(|_| parts.len() == usize::from(*count) * 4)?;
    Some(u32::from_le_bytes(*last))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id_text(entry: &Entry) -> Option<String> {
        id(entry).map(|id| id.to_string())
    }

    #[test]
    fn a_guid_is_shown_as_windows_shows_it() {
        let bytes: Vec<u8> = (0..16).collect();
        let entry = Entry::new("", &[("entryUUID", &["7d4bb1a0-0000-103f-8000-0123456789ab"])])
            .with_bytes("objectGUID", &bytes);
        assert_eq!(id_text(&entry).as_deref(), Some("ad:03020100-0504-0706-0809-0a0b0c0d0e0f"));
        let short = Entry::default().with_bytes("objectGUID", &[1, 2, 3]);
        assert_eq!(id(&short), None);
    }

    #[test]
    fn other_directories_have_other_identifiers() {
        let entry = Entry::new("", &[("nsUniqueId", &["a0-b1"]), ("ipauniqueid", &["C0FFEE-1"])]);
        assert_eq!(id_text(&entry).as_deref(), Some("ldap:c0ffee-1"));
        let entry = Entry::new("", &[("nsUniqueId", &["a0-b1"]), ("entryUUID", &["*"])]);
        assert_eq!(id_text(&entry).as_deref(), Some("ldap:a0-b1"));
    }

    #[test]
    fn the_relative_identifier_is_the_last_part_of_the_sid() {
        let sid = [1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 1, 2, 0, 0];
        let of = |bytes: &[u8]| relative_id(&Entry::default().with_bytes("objectSid", bytes));
        assert_eq!(of(&sid), Some(513));
        for wrong in [&sid[..15], &sid[..8], &sid[..3], &[2; 16][..]] {
            assert_eq!(of(wrong), None, "{wrong:?}");
        }
    }
}
