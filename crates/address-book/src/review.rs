//! The review: the feeder reads the whole directory, and records what differs from the projection. The next entries are
//! read and converted while the last ones are recorded.

use crate::{
    feeder::{FeedError, recorded},
    recording::{Batch, record},
    store::{Condition, Link, Stored},
};
use directory::{Entry, Lookup, Scope, error::DirectoryError};
use futures_util::{Stream, StreamExt, TryStreamExt, stream};
use ldap_text::dn::Dn;
use mail_model::{
    contact::{
        id::ContactId,
        record::{anything, read_attributes},
    },
    tree::Tree,
};
use std::{collections::HashSet, pin::pin};
use tokio::{sync::mpsc, task::JoinHandle};

/// The number of entries that are converted together.
const TOGETHER: usize = 200;
/// The number of batches that are read and converted ahead of the one that is recorded.
const AHEAD: usize = 2;
/// The number of folders that are read concurrently: 389-ds uses a thread for each.
const FOLDERS_TOGETHER: usize = 2;

/// Reads the whole directory, folder by folder, and records what differs. The persistent search reports the entries that
/// are created during the review, or moved into a folder that was read before.
pub(crate) async fn review(directory: &Lookup, link: &mut Link, server: &str) -> Result<(), FeedError> {
    let condition = Condition::Since(link.newest().await?);
    let mut unmet = known(link).await?;
    // The next entries are read while the last ones are recorded.
    let (found, read) = mpsc::channel(AHEAD);
    let reading = async { Ok(read_folders(directory, found).await?) };
    let recording = async {
        let mut batch = Batch::new(link, directory, server);
        let mut converted = pin!(converted(read, directory.tree(), condition).buffered(AHEAD));
        while let Some(entries) = converted.next().await {
            for stored in entries.map_err(|_| FeedError::Stopped)? {
                let is_known = ContactId::from_unique_id(&stored.id).is_some_and(|id| unmet.remove(&id));
                if is_known || stored.is_there() {
                    recorded(batch.push(stored).await?)?;
                }
            }
        }
        recorded(batch.send().await?)
    };
    tokio::try_join!(reading, recording)?;
    // The entries that were not met are gone, or were moved past the searches by a rename.
    let unmet = unmet.into_iter().map(ContactId::unique_id).collect();
    recorded(record(link, directory, server, &[], unmet).await?)
}

/// Sends the entries of all folders, some at a time.
async fn read_folders(directory: &Lookup, found: mpsc::Sender<Vec<Entry>>) -> Result<(), DirectoryError> {
    let folders = directory.folders_of_tenants().await?;
    let read = folders.iter().map(|folder| read_folder(directory, folder, found.clone()));
    stream::iter(read).buffer_unordered(FOLDERS_TOGETHER).try_collect().await
}

async fn read_folder(
    directory: &Lookup,
    folder: &Dn,
    found: mpsc::Sender<Vec<Entry>>,
) -> Result<(), DirectoryError> {
    let mut scan = directory.scan(folder, Scope::Subtree, &anything(), read_attributes()).await?;
    let mut entries = Vec::with_capacity(TOGETHER);
    while let Some(entry) = scan.next().await? {
        entries.push(entry);
        if entries.len() == TOGETHER {
            let full = std::mem::replace(&mut entries, Vec::with_capacity(TOGETHER));
            if found.send(full).await.is_err() {
                // The receiver has failed, and reports why.
                return Ok(());
            }
        }
    }
    // As above.
    let _sent = found.send(entries).await;
    Ok(())
}

/// The entries in the form in which they are recorded. They are converted on other threads, because this one has to read
/// and to write.
fn converted(
    read: mpsc::Receiver<Vec<Entry>>,
    tree: &Tree,
    condition: Condition,
) -> impl Stream<Item = JoinHandle<Vec<Stored>>> {
    let received = stream::unfold(read, async |mut read| Some((read.recv().await?, read)));
    received.map(move |entries| {
        let tree = tree.clone();
        tokio::task::spawn_blocking(move || {
            entries.iter().filter_map(|entry| Stored::of_entry(&tree, entry, condition)).collect()
        })
    })
}

/// The entries that are recorded as present.
async fn known(link: &mut Link) -> Result<HashSet<ContactId>, FeedError> {
    let mut known = HashSet::new();
    let mut after = link.origin().await?;
    loop {
        let (last, names) = link.known(after).await?;
        known.extend(names.iter().filter_map(|name| ContactId::from_unique_id(name)));
        match last {
            Some(last) => after = last,
            None => return Ok(known),
        }
    }
}
