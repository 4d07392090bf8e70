//! One JSON array, an object a line, each as answers of the API show it.

use mail_model::contact::Contact;

/// An array that is being written.
#[derive(Debug, Default)]
pub(super) struct Array {
    has_elements: bool,
}

pub(super) fn begin(out: &mut Vec<u8>) {
    out.push(b'[');
}

impl Array {
    pub(super) fn element(&mut self, out: &mut Vec<u8>, contact: &Contact) {
        out.extend_from_slice(if self.has_elements { b",\n" } else { b"\n" });
        self.has_elements = true;
        // A Vec takes whatever is written to it, and a contact is made of texts.
        let _written = serde_json::to_writer(out, contact);
    }

    pub(super) fn end(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(if self.has_elements { b"\n]\n" } else { b"]\n" });
    }
}
