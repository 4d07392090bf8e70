//! Indexes: define them, start the server's task that fills them, and wait for it.

use super::{
    Setup, SetupError, SetupEvent, config,
    desired::{INDEX_CLASS, MEMBER_OF, entries},
    failed,
};
use ldap_text::{
    attribute::AttributeName,
    dn::Dn,
    ldif::{Attribute, Change, ChangeRecord, Value},
};
use mail_model::{entry::EntryView, names};
use std::time::Duration;

pub(super) const INDEXES: &str = include_str!("../../../../schema/indexes.ldif");

const TASK_EXIT_CODE: AttributeName = AttributeName::from_static("nsTaskExitCode");
/// How often the state of the task is read.
const STEP: Duration = Duration::from_millis(100);

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
        let task = index_task(backend, &changed);
        self.apply(&task).await.map_err(failed(step))?;
        self.await_task(&task.dn).await
    }

    async fn await_task(&mut self, task: &Dn) -> Result<(), SetupError> {
        let step = "waiting for the index task";
        loop {
            let entry = self.read(task, &[TASK_EXIT_CODE]).await.map_err(failed(step))?;
            // The server removes a task some time after its end.
            let Some(entry) = entry else { return Ok(()) };
            match entry.first(&TASK_EXIT_CODE) {
                Some("0") => return Ok(()),
                Some(code) => return Err(SetupError::IndexTask(code.to_owned())),
                None => (self.on_event)(SetupEvent::Indexing),
            }
            tokio::time::sleep(STEP).await;
        }
    }
}

fn index_task(backend: &str, attributes: &[String]) -> ChangeRecord {
    // A different name for each run: the server keeps finished tasks for a while.
    let name = format!("pbm-{:016x}", rand::random::<u64>());
    let attribute =
        |name: &'static str, values: Vec<Value>| Attribute { name: AttributeName::from_static(name), values };
    let change = Change::Add(vec![
        attribute("objectClass", vec!["top".into(), "extensibleObject".into()]),
        attribute("cn", vec![name.as_str().into()]),
        attribute("nsInstance", vec![backend.into()]),
        attribute("nsIndexAttribute", attributes.iter().map(|a| a.as_str().into()).collect()),
    ]);
    ChangeRecord { dn: config(&[&name, "index", "tasks"]), change }
}
