//! The root DN and the folders below it. The guide names folders by full DNs (`psn/ldap/…_ou`) or by their last part
//! (`psn/cab/…_ou`); a setting names a folder by the value of `ou` alone, and all folders are directly below the root.

use super::{Found, Keys, Reading, forms::plain};
use crate::config::source::value::{Raw, Value};
use ldap_text::dn::Dn;
use mail_model::names;

/// The keys of the folders. If two give the same setting, the first wins.
pub(super) const FOLDERS: [(&str, &str); 6] = [
    ("psn/ldap/people_ou", "tree.people"),
    ("psn/ldap/groups_ou", "tree.groups"),
    ("psn/cab/mail_list_ou", "tree.groups"),
    ("psn/ldap/domains_ou", "tree.domains"),
    ("psn/cab/resources_ou", "tree.resources"),
    ("psn/cab/cab_ou", "tree.contacts"),
];

/// The key of the root DN.
pub(super) const ROOT: &str = "psn/cab/root_dn";

/// `root` is the root DN that the file or the environment gives. Without any, it is the entry above the first folder
/// that is named by its full DN.
pub(super) fn read(keys: &mut Keys<'_>, reading: &mut Reading, root: Option<&str>) {
    if let Some(found) = keys.take(ROOT) {
        let raw = found.read(|text| Ok(Raw::One(plain(text))));
        reading.add("tree.root", &[found], raw);
    }
    let mut root = root.map(str::to_owned).or_else(|| match reading.values.get("tree.root") {
        Some(Value { raw: Raw::One(root), .. }) => Some(root.clone()),
        _ => None,
    });
    for (key, setting) in FOLDERS {
        let Some(found) = keys.take(key) else { continue };
        if root.is_none() {
            root = root_above(&found);
            if let Some(root) = &root {
                let only = Found { key: found.key.clone(), text: found.text.clone() };
                reading.add("tree.root", &[only], Ok(Raw::One(root.clone())));
            }
        }
        let name = found.read(|text| folder(&plain(text), root.as_deref()));
        reading.add(setting, &[found], name.map(Raw::One));
    }
}

fn root_above(folder: &Found) -> Option<String> {
    let above = Dn::parse(&plain(folder.text.as_deref().ok()?)).ok()?.parent()?;
    (!above.rdns().is_empty()).then(|| above.to_string())
}

/// The name of a folder: of `ou=NAME`, or of `ou=NAME,` and the root.
fn folder(text: &str, root: Option<&str>) -> Result<String, String> {
    let wrong = || match root {
        Some(root) => {
            format!("{text:?} must be ou=NAME or ou=NAME,{root}: folders are directly below tree.root")
        }
        None => format!("{text:?} must be ou=NAME, or that and the root DN"),
    };
    let dn = Dn::parse(text).map_err(|_| wrong())?;
    let name = dn.rdn().and_then(|rdn| rdn.value_of(&names::OU)).ok_or_else(wrong)?;
    let above = dn.parent().filter(|above| !above.rdns().is_empty());
    let is_below_root = match (above, root.map(Dn::parse)) {
        (None, _) => true,
        (Some(above), Some(Ok(root))) => above == root,
        (Some(_), _) => false,
    };
    if is_below_root { Ok(name.to_owned()) } else { Err(wrong()) }
}
