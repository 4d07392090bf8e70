//! One JSON array with one object per line, in the form of the API's answers.

use mail_model::contact::Contact;

/// The state of a JSON array under construction.
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
        // Writing to a Vec does not fail, and a contact consists of texts.
        let _written = serde_json::to_writer(out, contact);
    }

    pub(super) fn end(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(if self.has_elements { b"\n]\n" } else { b"]\n" });
    }
}
