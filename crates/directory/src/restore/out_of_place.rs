//! Records of a file that the second pass skips: they are in a wrong place, occur twice, or can't be read.

use super::{
    bounds::{MOST_LISTED, MOST_NAMES},
    refusal::Refusal,
};
use ldap_text::dn::Dn;

/// Such records. The first ones are kept until they are reported; the others are only counted.
#[derive(Default)]
pub(super) struct OutOfPlace {
    pub(super) listed: Vec<(u64, Dn, Refusal)>,
    pub(super) unlisted: u64,
    /// Bytes of the names among the first ones.
    names: usize,
}

impl OutOfPlace {
    pub(super) fn push(&mut self, line: u64, dn: Dn, refusal: Refusal) {
        if self.listed.len() < MOST_LISTED && self.names < MOST_NAMES {
            let length = dn.to_string().len();
            if self.names + length <= MOST_NAMES {
                self.names += length;
                self.listed.push((line, dn, refusal));
                return;
            }
        }
        self.unlisted += 1;
    }

    pub(super) fn len(&self) -> u64 {
        self.listed.len() as u64 + self.unlisted
    }
}
