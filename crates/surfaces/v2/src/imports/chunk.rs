//! Chunks of rows that can be applied concurrently. No two rows of a chunk name the same address, so the order of the
//! file is kept where it matters.

use super::{
    place::Stop,
    rows::{Row, Rows},
    text::FileEncoding,
};
use std::collections::HashSet;
use tokio::io::AsyncRead;

/// The most rows of a chunk: enough that the wait for its slowest row is negligible.
const MAX_ROWS: usize = 256;
/// A chunk whose rows have this size, in bytes of UTF-8, takes no more rows. This limits the memory of an import to
/// this size and a row ([`super::MAX_RECORD`]), multiplied a few times by the parameters and commands made of them. A
/// usual row has 200 bytes.
const MAX_SIZE: usize = 1024 * 1024;

/// Rows to apply, and the errors that end the file after them.
pub(super) struct Chunk {
    pub(super) rows: Vec<Row>,
    pub(super) stops: Vec<Stop>,
    /// The encoding of the file, as far as it is known.
    pub(super) encoding: FileEncoding,
}

/// Groups rows into chunks.
pub(super) struct Chunks<R> {
    rows: Rows<R>,
    /// The first row of the next chunk.
    waiting: Option<Row>,
    over: bool,
}

impl<R: AsyncRead + Unpin> Chunks<R> {
    pub(super) fn new(rows: Rows<R>) -> Self {
        Self { rows, waiting: None, over: false }
    }

    /// The next chunk; `None` after the last.
    pub(super) async fn next(&mut self) -> Option<Chunk> {
        if self.over {
            return None;
        }
        let (mut rows, mut stops, mut size) = (Vec::new(), Vec::new(), 0);
        let mut named = HashSet::new();
        while let Some(row) = self.next_row(&mut stops).await {
            let addresses = row.addresses();
            let is_full = rows.len() >= MAX_ROWS || size >= MAX_SIZE;
            if is_full || addresses.iter().any(|address| named.contains(address)) {
                self.waiting = Some(row);
                break;
            }
            size += row.size;
            named.extend(addresses);
            rows.push(row);
        }
        Some(Chunk { rows, stops, encoding: self.rows.encoding() })
    }

    async fn next_row(&mut self, stops: &mut Vec<Stop>) -> Option<Row> {
        if let Some(row) = self.waiting.take() {
            return Some(row);
        }
        let row = self.rows.next().await.unwrap_or_else(|reasons| {
            *stops = reasons;
            None
        });
        self.over = row.is_none();
        row
    }
}
