//! How much of what was received waits to be read. The library queues answers without a limit, so a server that sends
//! faster than entries are stored would fill the memory; the relay stops reading from the server instead.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};
use tokio::sync::{Semaphore, SemaphorePermit};

/// How much may wait: two messages of the largest size, or a page of 500 entries with photos of 100 KB.
const SIZE: u32 = 64 << 20;
/// What an element takes in memory besides its contents.
const PER_ELEMENT: usize = 64;

/// How much of what was received waits to be read.
#[derive(Debug)]
pub(super) struct Window {
    free: Semaphore,
    /// What each message takes that was passed on and not read yet.
    waiting: Mutex<VecDeque<usize>>,
}

impl Window {
    /// A window in which nothing waits.
    pub(super) fn new() -> Self {
        Self { free: Semaphore::new(SIZE as usize), waiting: Mutex::default() }
    }

    /// Waits until there is room for a message; `None` never happens, as the window is never closed.
    pub(super) async fn room(&self, bytes: usize, elements: usize) -> Option<SemaphorePermit<'_>> {
        let size = u32::try_from(bytes + PER_ELEMENT * elements).unwrap_or(SIZE).min(SIZE);
        self.free.acquire_many(size).await.ok()
    }

    /// Keeps the room until the message is read.
    pub(super) fn keep(&self, room: SemaphorePermit<'_>) {
        self.waiting().push_back(room.num_permits());
        room.forget();
    }

    /// Frees the room of the message that waited longest.
    pub(super) fn read_one(&self) {
        let size = self.waiting().pop_front().unwrap_or_default();
        self.free.add_permits(size);
    }

    /// Frees all room, when what waited is not wanted any more.
    pub(super) fn clear(&self) {
        let size = self.waiting().drain(..).sum();
        self.free.add_permits(size);
    }

    fn waiting(&self) -> MutexGuard<'_, VecDeque<usize>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use tokio::time::timeout;

    async fn has_room(window: &Window, bytes: usize) -> bool {
        match timeout(Duration::from_millis(10), window.room(bytes, 0)).await {
            Ok(room) => {
                window.keep(room.unwrap());
                true
            }
            Err(_) => false,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_message_waits_until_others_are_read() {
        let window = Window::new();
        let half = (SIZE / 2) as usize;
        assert!(has_room(&window, half).await && has_room(&window, half).await);
        assert!(!has_room(&window, 1).await);
        window.read_one();
        assert!(has_room(&window, 1).await && !has_room(&window, half).await);
        window.clear();
        assert!(has_room(&window, usize::MAX >> 1).await);
        window.read_one();
        assert!(has_room(&window, 1).await);
    }
}
