//! Passes the entries of a file from the thread that reads it to the tasks that restore them.

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

/// Entries that are sent in one batch, and how many batches may wait.
const LOT: usize = 64;
pub(super) const LOTS: usize = 4;

/// Sends entries in batches, within a limit on their total size.
pub(super) struct Handover {
    lots: mpsc::Sender<Vec<Item>>,
    room: Arc<Semaphore>,
    /// The limit on the total size.
    most: u32,
    lot: Vec<Item>,
}

impl Handover {
    pub(super) fn new(lots: mpsc::Sender<Vec<Item>>, most: u32) -> Self {
        let room = Arc::new(Semaphore::new(most as usize));
        Self { lots, room, most, lot: Vec::with_capacity(LOT) }
    }

    /// Sends an entry of a given size; `false` if the receiver has stopped.
    fn push(&mut self, mut item: Item, size: usize) -> bool {
        let size = u32::try_from(size).unwrap_or(u32::MAX).clamp(1, self.most);
        item.room = self.room.clone().try_acquire_many_owned(size).ok();
        if item.room.is_none() {
            // The entries in the unsent batch hold permits, too.
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
        // If the restore has ended, all permits have been returned.
        Handle::current().block_on(room.acquire_many_owned(size)).ok()
    }

    fn flush(&mut self) -> bool {
        let lot = std::mem::replace(&mut self.lot, Vec::with_capacity(LOT));
        self.lots.blocking_send(lot).is_ok()
    }
}

/// Reads the entries of a stage and sends them, until the receiver stops.
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
    // This fails if the restore has ended already.
    handover.flush();
    Ok(())
}
