//! How long a client may keep its connection waiting: the limits, how time is counted, and the timer of a connection.
//!
//! Time counts only while the server waits for the client. So a request that takes the directory minutes, or an export
//! that takes hours, uses up none of it, and no number here limits the duration of such work.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};
use tokio::time::{Instant, Sleep, sleep_until};

/// The configurable limits of a connection (`http.head_timeout`, `http.idle_timeout`, `http.stall_timeout`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// For a TLS handshake, for a request head, for the beginning of a body, and for the rest of an unread body.
    pub head: Duration,
    /// For the next request on a connection.
    pub idle: Duration,
    /// For a client that sends nothing of a body, or reads nothing of an answer.
    pub stall: Duration,
}

impl Default for Patience {
    /// A head has at most 64 KiB, which a modem of 56 kbit/s sends in 10 s. 75 s is more than the 60 s for which nginx
    /// keeps an idle connection to its upstream, so the proxy closes first. 60 s is the limit of most servers and
    /// proxies.
    fn default() -> Self {
        Self { head: Duration::from_secs(10), idle: Duration::from_secs(75), stall: Duration::from_secs(60) }
    }
}

/// The lowest average rate of a body, in bytes a second. A body of 1 MiB, the largest of a usual request, then ends
/// within 1,024 s; a form of 1 KiB within the first second.
pub(super) const BODY_RATE: u32 = 1024;
/// The lowest average rate at which a client reads an answer, in bytes a second: half of what a modem of 56 kbit/s
/// receives. Usual answers fit into the socket's buffer and are not measured at all.
pub(super) const ANSWER_RATE: u32 = 4 * 1024;
/// How much of an answer the system may buffer for a client, in bytes; Linux uses twice as much, for its bookkeeping.
/// The server is notified when a third of the buffer is free, so it notices a client at [`ANSWER_RATE`] after 21 s,
/// well within `stall`. On a link with a round trip of 100 ms this allows 2.5 MB a second.
pub(super) const SEND_BUFFER: usize = 256 * 1024;
/// The age from which a connection ends with its current request. This spreads clients over the replicas behind a load
/// balancer, and limits how long an address can hold a connection by sending a request now and then.
pub(super) const MAX_AGE: Duration = Duration::from_secs(3600);

/// The time that a client may keep the server waiting. Waiting uses it up, and bytes add to it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Allowance {
    left: Duration,
    most: Duration,
    /// The number of bytes that add a second; if `None`, nothing adds time.
    rate: Option<u32>,
    waiting_since: Option<Instant>,
}

impl Allowance {
    /// A fixed time.
    pub(super) fn fixed(time: Duration) -> Self {
        Self { left: time, most: time, rate: None, waiting_since: None }
    }

    /// A time that bytes extend, up to a maximum.
    pub(super) fn earned(first: Duration, most: Duration, rate: u32) -> Self {
        Self { left: first, most: most.max(first), rate: Some(rate), waiting_since: None }
    }

    /// The server begins to wait; returns the deadline if no byte arrives.
    pub(super) fn wait(&mut self, now: Instant) -> Instant {
        *self.waiting_since.get_or_insert(now) + self.left
    }

    /// The client did something, so the server does not wait any more.
    pub(super) fn resume(&mut self, now: Instant) {
        if let Some(since) = self.waiting_since.take() {
            self.left = self.left.saturating_sub(now.saturating_duration_since(since));
        }
    }

    /// Whether the server is waiting.
    pub(super) fn is_waiting(&self) -> bool {
        self.waiting_since.is_some()
    }

    /// Adds time for a number of bytes that the client sent or read.
    pub(super) fn earn(&mut self, bytes: usize) {
        if let Some(rate) = self.rate
            && self.left < self.most
        {
            let earned = Duration::from_secs(bytes as u64) / rate;
            self.left = self.left.saturating_add(earned).min(self.most);
        }
    }
}

/// The timer of a connection. It is set only if something waits, and only if the new deadline is before the current
/// one; a deadline that has become obsolete costs one wake-up.
#[derive(Default)]
pub(super) struct Alarm(Option<Pin<Box<Sleep>>>);

impl Alarm {
    /// Whether a deadline has passed; if not, the task is woken at the deadline.
    pub(super) fn has_passed(&mut self, deadline: Instant, now: Instant, cx: &mut Context<'_>) -> bool {
        if now >= deadline {
            return true;
        }
        let sleep = self.0.get_or_insert_with(|| Box::pin(sleep_until(deadline)));
        if sleep.deadline() > deadline {
            sleep.as_mut().reset(deadline);
        }
        if sleep.as_mut().poll(cx).is_pending() {
            return false;
        }
        // It was set to an earlier deadline that is obsolete.
        sleep.as_mut().reset(deadline);
        matches!(sleep.as_mut().poll(cx), Poll::Ready(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::poll_fn;

    const SECOND: Duration = Duration::from_secs(1);

    /// Waits for some time, and returns the time that is left.
    fn left_after(allowance: &mut Allowance, waited: Duration, now: &mut Instant) -> Duration {
        allowance.wait(*now);
        *now += waited;
        allowance.resume(*now);
        allowance.left
    }

    #[test]
    fn waiting_uses_it_up_and_bytes_earn_it_back() {
        let (mut allowance, mut now) = (Allowance::earned(10 * SECOND, 60 * SECOND, 1000), Instant::now());
        assert_eq!(left_after(&mut allowance, 4 * SECOND, &mut now), 6 * SECOND);
        allowance.earn(3000);
        assert_eq!(allowance.wait(now) - now, 9 * SECOND);
        allowance.earn(1_000_000);
        assert_eq!(allowance.wait(now) - now, 60 * SECOND);
    }

    #[test]
    fn time_in_which_the_server_does_not_wait_is_free() {
        let (mut allowance, mut now) = (Allowance::fixed(10 * SECOND), Instant::now());
        now += 100 * SECOND;
        allowance.resume(now);
        allowance.earn(1_000_000);
        assert_eq!(left_after(&mut allowance, SECOND, &mut now), 9 * SECOND);
    }

    #[test]
    fn a_byte_now_and_then_is_soon_too_little_and_the_least_rate_is_enough() {
        let (mut drops, mut now) = (Allowance::earned(10 * SECOND, 60 * SECOND, BODY_RATE), Instant::now());
        for _ in 0..10 {
            left_after(&mut drops, SECOND, &mut now);
            drops.earn(1);
        }
        assert!(drops.left < SECOND / 50);
        let mut steady = Allowance::earned(10 * SECOND, 60 * SECOND, BODY_RATE);
        for _ in 0..3600 {
            left_after(&mut steady, 5 * SECOND, &mut now);
            steady.earn(5 * BODY_RATE as usize);
        }
        assert_eq!(steady.left, 10 * SECOND);
    }

    #[tokio::test]
    async fn the_alarm_wakes_at_the_earliest_deadline_and_serves_later_ones() {
        let (mut alarm, began) = (Alarm::default(), Instant::now());
        for milliseconds in [30, 10, 20, 40] {
            let deadline = began + Duration::from_millis(milliseconds);
            poll_fn(|cx| {
                if alarm.has_passed(deadline, Instant::now(), cx) { Poll::Ready(()) } else { Poll::Pending }
            })
            .await;
            assert!(Instant::now() >= deadline);
        }
    }
}
