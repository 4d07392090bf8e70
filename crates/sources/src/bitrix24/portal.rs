//! Calls of methods, each repeated as long as the portal asks for it.

use super::{
    address::Address,
    answer::Answer,
    client::{Client, NoReply, Reply},
    patience::Waits,
    refusal::{Limit, Verdict, verdict},
    settings::Bitrix24Settings,
    settings::Patience,
};
use crate::{
    Passed, Read, SourceError,
    shown::{reason, shown},
};
use mail_model::source::SourceId;
use std::{
    thread,
    time::{Duration, Instant},
};
use tokio::sync::mpsc;
use url::Url;

/// How often a wait looks whether the run has ended.
const LOOK: Duration = Duration::from_millis(200);

/// A portal, and the channel of the run that reads it.
pub(super) struct Portal<'a> {
    client: Client,
    patience: Patience,
    out: &'a mpsc::Sender<Read>,
    /// How far apart requests are sent: not at all until the portal has a limit.
    apart: Duration,
    last: Option<Instant>,
    /// When the portal releases a part of its limit, as its last answer told.
    reset_at: Option<i64>,
}

impl<'a> Portal<'a> {
    /// The portal that settings name.
    ///
    /// # Errors
    /// [`SourceError::Refused`] if a setting is not usable.
    pub(super) fn new(settings: &Bitrix24Settings, out: &'a mpsc::Sender<Read>) -> Result<Self, SourceError> {
        let client = Client::new(settings)?;
        Ok(Self {
            client,
            patience: settings.patience,
            out,
            apart: Duration::ZERO,
            last: None,
            reset_at: None,
        })
    }

    /// Its address.
    pub(super) fn address(&self) -> &Address {
        self.client.address()
    }

    /// Calls a method.
    ///
    /// # Errors
    /// [`SourceError`].
    pub(super) fn call(
        &mut self,
        method: &str,
        parameters: &serde_json::Value,
    ) -> Result<Answer, SourceError> {
        self.call_if_granted(method, parameters)?
    }

    /// Calls a method for which the webhook may lack a right; the inner result then holds the refusal.
    ///
    /// # Errors
    /// [`SourceError`].
    pub(super) fn call_if_granted(
        &mut self,
        method: &str,
        parameters: &serde_json::Value,
    ) -> Result<Result<Answer, SourceError>, SourceError> {
        let parameters = parameters.to_string().into_bytes();
        let mut waits = Waits::new(self.patience);
        loop {
            self.pace()?;
            let reply = self.client.post(method, &parameters);
            match verdict(reply, self.client.address()) {
                Verdict::Answer(answer) => return Ok(Ok(self.noted(answer))),
                Verdict::Missing(error) => return Ok(Err(error)),
                Verdict::Lasting(error) => return Err(error),
                Verdict::Limited(limit) => self.wait_for_limit(&limit, &mut waits)?,
                Verdict::Passing(fault) => self.wait(waits.after_fault(fault)?)?,
            }
        }
    }

    /// Gets a file of the portal, of at most `max_body` bytes, within a time limit. A file that fails is not asked for
    /// again.
    ///
    /// # Errors
    /// [`SourceError::Ended`]; the inner result says why there is no file.
    pub(super) fn get(
        &mut self,
        url: &Url,
        max_body: u64,
        limit: Duration,
    ) -> Result<Result<Reply, NoReply>, SourceError> {
        self.wait(Duration::ZERO)?;
        Ok(self.client.get(url, max_body, limit))
    }

    /// Sends what was read to the run.
    ///
    /// # Errors
    /// [`SourceError::Ended`].
    pub(super) fn send(&self, read: Read) -> Result<(), SourceError> {
        self.out.blocking_send(read).map_err(|_| SourceError::Ended)
    }

    /// Reports what was left out. Both texts are cut, because they may hold texts of the portal of any length.
    ///
    /// # Errors
    /// [`SourceError::Ended`].
    pub(super) fn pass(&self, what: &str, why: &str, keeps: Option<SourceId>) -> Result<(), SourceError> {
        self.send(Read::Passed(Passed { what: shown(what), why: reason(why), keeps }))
    }

    fn noted(&mut self, answer: Answer) -> Answer {
        self.reset_at = answer.time.operating_reset_at.or(self.reset_at);
        answer
    }

    fn wait_for_limit(&mut self, limit: &Limit, waits: &mut Waits) -> Result<(), SourceError> {
        self.apart = self.patience.first_wait / 2;
        let is_of_time = limit.code == "OPERATION_TIME_LIMIT";
        let reset_at = limit.reset_at.or(self.reset_at.filter(|_| is_of_time));
        let limit = Limit { reset_at, ..*limit };
        let wait = waits.for_limit(&limit, self.client.address().host())?;
        tracing::info!(code = limit.code, seconds = wait.as_secs(), "source.limit.waiting");
        self.wait(wait)
    }

    /// Keeps requests apart.
    fn pace(&mut self) -> Result<(), SourceError> {
        let since = self.last.map_or(self.apart, |last| last.elapsed());
        self.wait(self.apart.saturating_sub(since))?;
        self.last = Some(Instant::now());
        Ok(())
    }

    /// Waits, unless the run ends.
    fn wait(&self, wait: Duration) -> Result<(), SourceError> {
        let start = Instant::now();
        loop {
            if self.out.is_closed() {
                return Err(SourceError::Ended);
            }
            let left = wait.saturating_sub(start.elapsed());
            if left.is_zero() {
                return Ok(());
            }
            thread::sleep(left.min(LOOK));
        }
    }
}
