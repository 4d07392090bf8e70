//! Messages, read whole from a connection.

use super::{
    ber,
    fault::{Fault, NotLdap},
};
use tokio::io::{AsyncRead, AsyncReadExt as _};

/// Largest message, in bytes. The largest honest one is a group without paging of values: 100,000 members of a hundred
/// bytes are 10 MB. A photo has at most 100 KB in Active Directory.
const MAX_MESSAGE: usize = 32 << 20;
/// Most octets of a tag and a length.
const MAX_HEADER: usize = 2 + size_of::<usize>();
const SEQUENCE: u8 = 0x30;

/// The next message, of which only the outermost tag and length are checked. Reads no byte further. Memory is taken for
/// what has arrived, not for what was announced.
///
/// # Errors
/// [`Fault::Ended`] at the end of the connection; [`Fault::TooLarge`]; [`Fault::NotLdap`].
pub(super) async fn read(from: &mut (impl AsyncRead + Unpin)) -> Result<Vec<u8>, Fault> {
    let mut message = Vec::with_capacity(MAX_HEADER);
    let tag = from.read_u8().await?;
    if tag != SEQUENCE {
        let reason = "it does not begin as a message does (is this a port for TLS, or of another service?)";
        return Err(NotLdap(reason).into());
    }
    message.push(tag);
    let length = length(from, &mut message).await?;
    if length > MAX_MESSAGE - MAX_HEADER {
        return Err(Fault::TooLarge(MAX_MESSAGE));
    }
    let whole = message.len() + length;
    from.take(u64::try_from(length).unwrap_or(u64::MAX)).read_to_end(&mut message).await?;
    if message.len() < whole { Err(Fault::Ended) } else { Ok(message) }
}

/// Reads the length, and appends its octets to the message.
async fn length(from: &mut (impl AsyncRead + Unpin), message: &mut Vec<u8>) -> Result<usize, Fault> {
    let first = from.read_u8().await?;
    let mut octets = vec![first];
    if first > 0x80 && usize::from(first & 0x7f) <= size_of::<usize>() {
        from.take(u64::from(first & 0x7f)).read_to_end(&mut octets).await?;
    }
    let (length, _) = ber::length(&octets)?;
    message.extend(octets);
    Ok(length)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ldap::wire::ber::tests::element;
    use proptest::prelude::*;

    #[tokio::test]
    async fn messages_are_read_one_after_the_other() {
        let messages = [element(0x30, b"one"), element(0x30, &[7; 300]), element(0x30, b"")];
        let bytes = messages.concat();
        let mut from = &bytes[..];
        for message in messages {
            assert_eq!(read(&mut from).await.unwrap(), message);
        }
        assert!(matches!(read(&mut from).await, Err(Fault::Ended)));
    }

    #[tokio::test]
    async fn an_announced_size_takes_no_memory() {
        let announced = [0x30, 0x84, 0x7f, 0xff, 0xff, 0xff, 1, 2, 3];
        assert!(matches!(read(&mut &announced[..]).await, Err(Fault::TooLarge(_))));
        let cut = [0x30, 0x84, 0x01, 0, 0, 0, 1, 2, 3];
        assert!(matches!(read(&mut &cut[..]).await, Err(Fault::Ended)));
    }

    #[tokio::test]
    async fn another_protocol_is_refused() {
        for bytes in [&b"HTTP/1.1 400 Bad Request\r\n"[..], &[0x15, 3, 3, 0, 2], &[0x30, 0x80], &[0x30, 0xff]]
        {
            assert!(matches!(read(&mut &bytes[..]).await, Err(Fault::NotLdap(_))), "{bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_are_invented(bytes in proptest::collection::vec(any::<u8>(), 0..64), as_message: bool) {
            let bytes = if as_message { element(0x30, &bytes) } else { bytes };
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            match runtime.block_on(read(&mut &bytes[..])) {
                Ok(message) => prop_assert!(bytes.starts_with(&message)),
                Err(_) => prop_assert!(!as_message),
            }
        }
    }
}
