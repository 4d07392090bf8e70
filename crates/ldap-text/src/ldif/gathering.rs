//! Collects the attributes of an entry from its lines.

use std::collections::HashMap;

use super::record::Attribute;
use super::value::Value;
use crate::attribute::AttributeName;

/// Up to this number of attributes, a linear search is faster than an index for the usual entry. A record may have
/// 250,000, so with more attributes there is an index.
const FEW: usize = 32;

/// Collects values by name. The lines of one attribute need not be adjacent.
pub(super) struct Gathering {
    attributes: Vec<Attribute>,
    /// The position of each attribute; empty while there are few.
    places: HashMap<AttributeName, usize>,
}

impl Gathering {
    /// Creates it empty, with room for `count` attributes.
    pub(super) fn with_room(count: usize) -> Self {
        Self { attributes: Vec::with_capacity(count.min(FEW)), places: HashMap::new() }
    }

    /// The values that the name has so far; `None` if it is new.
    pub(super) fn values_mut(&mut self, name: &AttributeName) -> Option<&mut Vec<Value>> {
        let last = self.attributes.len().checked_sub(1)?;
        let place = match self.attributes.last() {
            Some(attribute) if attribute.name == *name => Some(last),
            _ if self.places.is_empty() => {
                self.attributes.iter().position(|attribute| attribute.name == *name)
            }
            _ => self.places.get(name).copied(),
        };
        Some(&mut self.attributes.get_mut(place?)?.values)
    }

    /// Appends a new name with its first value.
    pub(super) fn push(&mut self, name: AttributeName, value: Value) {
        self.attributes.push(Attribute { name, values: vec![value] });
        if self.attributes.len() > FEW {
            let names = self.attributes.iter().map(|attribute| &attribute.name).enumerate();
            let new = names.skip(self.places.len());
            self.places.extend(new.map(|(place, name)| (name.clone(), place)));
        }
    }

    pub(super) fn into_attributes(self) -> Vec<Attribute> {
        self.attributes
    }
}
