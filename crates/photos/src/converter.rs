//! Conversions, a few at a time.

use crate::{Format, Refused, convert};
use mail_model::photo::Photo;
use std::sync::Arc;
use tokio::{sync::Semaphore, task::spawn_blocking};

/// Conversions at a time in a process. Each takes a processor for up to a second, and up to 48 MiB.
const AT_A_TIME: usize = 2;

/// Converts images on threads for blocking work. Clones share the limit.
#[derive(Clone)]
pub struct Converter(Arc<Semaphore>);

impl Default for Converter {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(AT_A_TIME)))
    }
}

impl Converter {
    /// Makes a photo of an image, once it is its turn. A caller that goes away leaves its turn to others when the work is done.
    ///
    /// # Errors
    /// [`Refused`].
    pub async fn convert(&self, image: impl AsRef<[u8]> + Send + 'static) -> Result<Photo, Refused> {
        // Closed never, so the error of a closed one has no meaning.
        let permit = self.0.clone().acquire_owned().await.ok();
        let work = spawn_blocking(move || {
            let _permit = permit;
            convert(image.as_ref())
        });
        // A decoder that panics has met an image that it can't read.
        work.await.unwrap_or(Err(Refused::Unreadable(Format::Jpeg)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_conversion_waits_for_its_turn() {
        let converter = Converter::default();
        let all = converter.0.clone().acquire_many_owned(u32::try_from(AT_A_TIME).unwrap()).await.unwrap();
        let waiting = tokio::spawn({
            let converter = converter.clone();
            async move { converter.convert(b"GIF89a".to_vec()).await }
        });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        drop(all);
        assert_eq!(waiting.await.unwrap(), Err(Refused::UnknownFormat));
    }
}
