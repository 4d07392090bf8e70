//! The attributes of an entry, put together of lines.

use std::collections::HashMap;

use super::record::Attribute;
use super::value::Value;
use crate::attribute::AttributeName;

/// So many attributes are looked through one by one, which for the usual entry is faster than an index. A
/// record may have 250,000, so with more there is one.
const FEW: usize = 32;

/// Gathers values by name. Lines of one attribute needn't stand together.
pub(super) struct Gathering {
    attributes: Vec<Attribute>,
    /// Where each attribute stands; empty while there are few.
    places: HashMap<AttributeName, usize>,
}

impl Gathering {
    /// Nothing yet, with room for so many attributes.
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

    /// Puts a new name with its first value after the others.
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
