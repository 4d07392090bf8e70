//! Mailbox quotas.

use crate::field::FieldError;

/// Largest quota in MB: its bytes fit a signed 64-bit number.
pub const MAX_QUOTA_MB: u64 = i64::MAX as u64 / BYTES_PER_MB;

const BYTES_PER_MB: u64 = 1024 * 1024;

/// A mailbox quota. The API counts megabytes of 1024 × 1024 bytes (the guide: 1024 is 1 GB), the
/// directory bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    bytes: u64,
}

impl Quota {
    /// Parses the API's form.
    ///
    /// # Errors
    /// [`FieldError::Quota`] if it is not digits or too large.
    pub fn from_mb_text(text: &str) -> Result<Self, FieldError> {
        if !text.bytes().all(|b| b.is_ascii_digit()) {
            return Err(FieldError::Quota);
        }
        let megabytes = text.parse::<u64>().ok().filter(|mb| *mb <= MAX_QUOTA_MB).ok_or(FieldError::Quota)?;
        Ok(Self { bytes: megabytes * BYTES_PER_MB })
    }

    /// Parses the directory's form.
    #[must_use]
    pub fn from_bytes_text(text: &str) -> Option<Self> {
        text.parse().ok().map(|bytes| Self { bytes })
    }

    /// The directory's form.
    #[must_use]
    pub fn bytes_text(self) -> String {
        self.bytes.to_string()
    }

    /// Whole megabytes.
    #[must_use]
    pub const fn megabytes(self) -> u64 {
        self.bytes / BYTES_PER_MB
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{field::FieldShown, user::field::UserField};

    #[test]
    fn a_quota_is_megabytes_outside_and_bytes_inside() {
        assert_eq!(UserField::Quota.parse("1024").unwrap().first(), Some("1073741824"));
        assert_eq!(UserField::Quota.shown(&["1073741824".into()]), Some(FieldShown::Number(1024)));
        assert!(UserField::Quota.parse(&MAX_QUOTA_MB.to_string()).is_ok());
        for wrong in ["-1", "+1", "1.5", "1 0", "x", "99999999999999999999", &(MAX_QUOTA_MB + 1).to_string()]
        {
            assert_eq!(UserField::Quota.parse(wrong), Err(FieldError::Quota), "{wrong}");
        }
    }
}
