//! Indexes: define them, start the server's task that fills them, and wait for it.

use super::{
    Setup, SetupError, SetupEvent,
    desired::{INDEX_CLASS, MEMBER_OF, entries},
    failed,
};
use crate::product::tasks::task;
use mail_model::names;

pub(super) const INDEXES: &str = include_str!("../../../../schema/indexes.ldif");

impl<F: FnMut(SetupEvent<'_>)> Setup<'_, F> {
    pub(super) async fn indexes(&mut self, backend: &str, with_member_of: bool) -> Result<(), SetupError> {
        let step = "setting up the indexes";
        let mut changed = Vec::new();
        let files = [INDEXES].into_iter().chain(with_member_of.then_some(MEMBER_OF));
        let wanted = files.flat_map(|file| entries(file, &[("backend", backend.to_owned())]));
        for index in wanted.filter(|entry| entry.is_of_class(INDEX_CLASS)) {
            let attribute =
                index.dn.rdn().and_then(|rdn| rdn.value_of(&names::CN)).unwrap_or_default().to_owned();
            if self.ensure(index).await.map_err(failed(step))? {
                changed.push(attribute);
            }
        }
        if changed.is_empty() || self.dry_run {
            return Ok(());
        }
        let attributes = changed.iter().map(|attribute| attribute.as_str().into()).collect();
        let task =
            task("index", vec![("nsInstance", vec![backend.into()]), ("nsIndexAttribute", attributes)]);
        self.apply(&task).await.map_err(failed(step))?;
        let on_step = |_: &str| (self.on_event)(SetupEvent::Indexing);
        let ended = self.directory.await_task(&task.dn, on_step).await;
        let ended = ended.map_err(failed("waiting for the index task"))?;
        if ended.is_success() { Ok(()) } else { Err(SetupError::IndexTask(ended.code.unwrap_or_default())) }
    }
}
