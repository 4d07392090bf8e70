//! The attribute names that a text contains, so that each is checked and allocated only once.

use crate::attribute::{AttributeName, AttributeNameError};

/// How many names are remembered: a few more than the attributes of one entry of every kind in a directory. If there
/// are more, the list starts again.
const MOST: usize = 256;

/// Remembers names in the order in which they occur. The records of one text nearly always have the same order, so the
/// next name is nearly always the last one again, or the one after it.
#[derive(Debug, Default)]
pub(super) struct Names {
    known: Vec<AttributeName>,
    last: usize,
}

impl Names {
    /// The name with this text, in the same spelling.
    pub(super) fn get(&mut self, text: &[u8]) -> Result<AttributeName, AttributeNameError> {
        let same = |name: &AttributeName| name.as_str().as_bytes() == text;
        let (before, after) = self.known.split_at_checked(self.last).unwrap_or_default();
        let place = match after.iter().position(same) {
            Some(place) => Some(place + before.len()),
            None => before.iter().position(same),
        };
        if let Some((place, name)) = place.and_then(|place| Some((place, self.known.get(place)?))) {
            self.last = place;
            return Ok(name.clone());
        }
        let name = AttributeName::parse(str::from_utf8(text).map_err(|_| AttributeNameError)?)?;
        if self.known.len() == MOST {
            self.known.clear();
        }
        self.last = self.known.len();
        self.known.push(name.clone());
        Ok(name)
    }

    /// The name that was requested last.
    pub(super) fn last(&self) -> Option<&AttributeName> {
        self.known.get(self.last)
    }
}
