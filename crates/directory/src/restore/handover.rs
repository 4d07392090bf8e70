//! How the entries of a file come from the thread that reads it to the tasks that restore them.

use super::{
    RestoreError,
    reading::Reading,
    records::{Item, Records},
    rules::Rules,
    survey::{Stage, Survey},
};
use std::sync::Arc;
use tokio::{
    runtime::Handle,
    sync::{OwnedSemaphorePermit, Semaphore, mpsc},
};

/// Entries that are handed over together, and how many such lots may wait.
const LOT: usize = 64;
pub(super) const LOTS: usize = 4;

/// Hands entries over in lots, as far as there is room for them.
pub(super) struct Handover {
    lots: mpsc::Sender<Vec<Item>>,
    room: Arc<Semaphore>,
    /// All the room there is.
    most: u32,
    lot: Vec<Item>,
}

impl Handover {
    pub(super) fn new(lots: mpsc::Sender<Vec<Item>>, most: u32) -> Self {
        let room = Arc::new(Semaphore::new(most as usize));
        Self { lots, room, most, lot: Vec::with_capacity(LOT) }
    }

    /// Hands an entry of a size over; `false` where nobody takes it.
    fn push(&mut self, mut item: Item, size: usize) -> bool {
        let size = u32::try_from(size).unwrap_or(u32::MAX).clamp(1, self.most);
        item.room = self.room.clone().try_acquire_many_owned(size).ok();
        if item.room.is_none() {
            // What waits here holds room, too.
            if !self.flush() {
                return false;
            }
            item.room = self.wait_for_room(size);
        }
        self.lot.push(item);
        self.lot.len() < LOT || self.flush()
    }

    fn wait_for_room(&self, size: u32) -> Option<OwnedSemaphorePermit> {
        let room = self.room.clone();
        // Where the restore has ended nothing holds any room.
        Handle::current().block_on(room.acquire_many_owned(size)).ok()
    }

    fn flush(&mut self) -> bool {
        let lot = std::mem::replace(&mut self.lot, Vec::with_capacity(LOT));
        self.lots.blocking_send(lot).is_ok()
    }
}

/// Reads the entries of a stage and hands them over, until nobody takes them.
pub(super) fn read(
    file: &Reading,
    rules: &Rules,
    survey: &Survey,
    stage: &Stage,
    mut handover: Handover,
) -> Result<(), RestoreError> {
    let mut records = Records::open(file, |_| {})?;
    while let Some(item) = survey.next(&mut records, stage, rules)? {
        if !handover.push(item, records.size()) {
            return Ok(());
        }
    }
    // Nobody takes it where the restore has ended already.
    handover.flush();
    Ok(())
}
