//! Conversions, a few at a time in the process.

use crate::{Format, Refused, convert};
use mail_model::photo::Photo;
use tokio::{sync::Semaphore, task::spawn_blocking};

/// Conversions at a time. Each takes a processor for up to a second, and up to 48 MiB.
const AT_A_TIME: usize = 2;

static TURNS: Semaphore = Semaphore::const_new(AT_A_TIME);

/// Makes a photo of an image on a thread for blocking work, once it is its turn. Where the caller goes away meanwhile, the turn
/// ends with the work.
///
/// # Errors
/// [`Refused`].
pub async fn convert_in_turn(image: impl AsRef<[u8]> + Send + 'static) -> Result<Photo, Refused> {
    // Closed never, so the error of a closed one has no meaning.
    let permit = TURNS.acquire().await.ok();
    let work = spawn_blocking(move || {
        let _permit = permit;
        convert(image.as_ref())
    });
    // A decoder that panics has met an image that it can't read.
    work.await.unwrap_or(Err(Refused::Unreadable(Format::Unknown)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_conversion_waits_for_its_turn() {
        let all = TURNS.acquire_many(u32::try_from(AT_A_TIME).unwrap()).await.unwrap();
        let waiting = tokio::spawn(convert_in_turn(b"GIF89a"));
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        drop(all);
        assert_eq!(waiting.await.unwrap(), Err(Refused::UnknownFormat));
    }
}
