//! Tasks of 389-ds: work that the server does by itself, begun by adding an entry below `cn=tasks,cn=config`. Only the
//! Directory Manager may add one.

use crate::{Directory, Lookup, Scope, error::DirectoryError};
use ldap_text::{
    attribute::AttributeName,
    dn::Dn,
    filter::Filter,
    ldif::{Attribute, Change, ChangeRecord, Value},
};
use mail_model::{entry::EntryView, names};
use std::{
    path::Path,
    time::{Duration, Instant},
};

const EXIT_CODE: AttributeName = AttributeName::from_static("nsTaskExitCode");
const STATUS: AttributeName = AttributeName::from_static("nsTaskStatus");
const LOG: AttributeName = AttributeName::from_static("nsTaskLog");
/// How often the state of a task is read.
const STEP: Duration = Duration::from_millis(100);
/// How long requests are repeated that the server declines with `operationsError`: on a busy machine it does so for a
/// moment when a task begins or has just ended.
const DECLINES: Duration = Duration::from_secs(30);

/// How a task ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct TaskEnd {
    /// Its exit code; `None` if the server has removed the task already, as it does some time after the end.
    pub(crate) code: Option<String>,
    /// What it has logged.
    pub(crate) log: Vec<String>,
}

impl TaskEnd {
    /// Whether it did its work, as far as is known.
    pub(crate) fn is_success(&self) -> bool {
        self.code.as_deref().is_none_or(|code| code == "0")
    }
}

/// A task, with a different name for each run: the server keeps finished tasks for a while.
pub(crate) fn task(kind: &str, attributes: Vec<(&'static str, Vec<Value>)>) -> ChangeRecord {
    let name = format!("pbm-{:016x}", rand::random::<u64>());
    let always: [(&'static str, Vec<Value>); 2] =
        [("objectClass", vec!["top".into(), "extensibleObject".into()]), ("cn", vec![name.as_str().into()])];
    let attributes = always.into_iter().chain(attributes);
    let attributes = attributes
        .map(|(name, values)| Attribute { name: AttributeName::from_static(name), values })
        .collect();
    ChangeRecord { dn: folder(kind).child(names::CN, &name), change: Change::Add(attributes) }
}

/// The folder of the tasks of one kind.
fn folder(kind: &str) -> Dn {
    ["config", "tasks", kind].into_iter().fold(Dn::empty(), |dn, name| dn.child(names::CN, name))
}

/// Makes a request again while the server declines it with `operationsError`.
///
/// # Errors
/// [`DirectoryError`]; that of the last request.
pub(crate) async fn while_declined<T>(
    mut request: impl AsyncFnMut() -> Result<T, DirectoryError>,
) -> Result<T, DirectoryError> {
    let began = Instant::now();
    loop {
        match request().await {
            Err(error) if error.is_of_back_end() && began.elapsed() < DECLINES => {
                tracing::debug!(error = &error as &dyn std::error::Error, "directory.task.declined");
                tokio::time::sleep(STEP).await;
            }
            outcome => return outcome,
        }
    }
}

impl Lookup {
    /// Waits for the end of a task; `on_step` gets its status from time to time.
    ///
    /// # Errors
    /// [`DirectoryError`] when the directory does not answer.
    pub(crate) async fn await_task(
        &self,
        task: &Dn,
        mut on_step: impl FnMut(&str),
    ) -> Result<TaskEnd, DirectoryError> {
        let everything = Filter::present(names::OBJECT_CLASS);
        loop {
            let attributes = [EXIT_CODE, STATUS, LOG];
            let read = async || self.find(task, Scope::Base, &everything, &attributes).await;
            let found = while_declined(read).await?;
            let Some(entry) = found else { return Ok(TaskEnd::default()) };
            if let Some(code) = entry.first(&EXIT_CODE) {
                let log = entry.values(&LOG).iter().flat_map(|log| log.lines()).map(str::to_owned).collect();
                return Ok(TaskEnd { code: Some(code.to_owned()), log });
            }
            on_step(entry.first(&STATUS).unwrap_or_default());
            tokio::time::sleep(STEP).await;
        }
    }

    /// Waits until no import is under way that another run has begun.
    ///
    /// # Errors
    /// [`DirectoryError`] when the directory does not answer.
    pub(crate) async fn await_imports(&self) -> Result<(), DirectoryError> {
        let is_under_way = Filter::all([Filter::present(names::CN), Filter::not(Filter::present(EXIT_CODE))]);
        let tasks = self.scan(&folder("import"), Scope::Children, &is_under_way, &[names::CN]).await?;
        for task in tasks.gather(crate::Entry::dn).await? {
            self.await_task(&task, |_| {}).await?;
        }
        Ok(())
    }
}

impl Directory {
    /// Empties a back end, and imports a file that the server can read.
    ///
    /// # Errors
    /// [`DirectoryError`] when the directory does not answer.
    pub(crate) async fn import(
        &self,
        back_end: &str,
        file: &Path,
        on_step: impl FnMut(&str),
    ) -> Result<TaskEnd, DirectoryError> {
        self.run("import", back_end, file, Vec::new(), on_step).await
    }

    /// Has the server export nothing into a file, which shows where it writes files.
    ///
    /// # Errors
    /// [`DirectoryError`] when the directory does not answer.
    pub(crate) async fn export_nothing(
        &self,
        back_end: &str,
        file: &Path,
    ) -> Result<TaskEnd, DirectoryError> {
        let nothing = self.tree().root().child(names::CN, "no such entry").to_string();
        self.run("export", back_end, file, vec![("nsIncludeSuffix", vec![nothing.into()])], |_| {}).await
    }

    async fn run(
        &self,
        kind: &str,
        back_end: &str,
        file: &Path,
        more: Vec<(&'static str, Vec<Value>)>,
        on_step: impl FnMut(&str),
    ) -> Result<TaskEnd, DirectoryError> {
        let file = file.display().to_string();
        let attributes = vec![("nsInstance", vec![back_end.into()]), ("nsFilename", vec![file.into()])];
        let task = task(kind, attributes.into_iter().chain(more).collect());
        while_declined(async || self.apply(&task).await).await?;
        self.await_task(&task.dn, on_step).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_has_a_name_of_its_own() {
        let [one, other] = [(); 2].map(|()| task("index", vec![("nsInstance", vec!["b".into()])]));
        assert!(one.dn.to_string().ends_with(",cn=index,cn=tasks,cn=config"), "{}", one.dn);
        assert_ne!(one.dn, other.dn);
        assert!(one.to_string().contains("nsInstance: b\n"), "{one}");
    }

    #[test]
    fn a_task_that_is_gone_counts_as_done() {
        let ended = |code: &str| TaskEnd { code: Some(code.to_owned()), log: Vec::new() };
        assert!(ended("0").is_success() && !ended("-1").is_success() && TaskEnd::default().is_success());
    }
}
