//! When connections are opened: in parallel or one at a time, and by a single prober while that fails; knows nothing of
//! who waits.

use std::time::Duration;

use tokio::time::Instant;

use crate::error::Cause;
use crate::stats::Condition;

/// While connections are being returned, one that is opened is given this long before the next.
pub(super) const PACE: Duration = Duration::from_millis(100);

/// The first pause after an attempt that failed; each later one is twice as long, up to `LONGEST_PAUSE`.
const FIRST_PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// The longest pause while somebody waits: one attempt at a time, twenty a second, is no storm.
const WAITED_FOR_PAUSE: Duration = Duration::from_millis(50);

/// The trouble with opening connections, until one is opened.
struct Trouble<E> {
    cause: Cause<E>,
    /// How many attempts have failed in a row, those made in parallel counted as one.
    failures: u32,
    /// The number of the last attempt that had begun when the last one that counts failed.
    counted: u64,
    /// When the next begins.
    next: Instant,
    /// When the next begins at the latest if somebody waits.
    next_waited_for: Instant,
}

pub(super) struct Growth<E> {
    trouble: Option<Trouble<E>>,
    condition: Condition,
    since: Instant,
    /// Attempts that may run at once; doubled by each success after a trouble.
    ramp: u32,
    /// When the next connection may be opened while connections are being returned.
    paced: Option<Instant>,
    /// When a connection was last returned.
    returned: Option<Instant>,
    /// Attempts begun since the pool began.
    pub(super) attempts: u64,
}

/// What there is to know when it is asked how many connections to open.
pub(super) struct Need {
    pub(super) now: Instant,
    /// Connections that those who wait could use, less those being opened.
    pub(super) wanted: u32,
    /// Some of those who wait must not wait for what others hold.
    pub(super) urgent: bool,
    /// When the one who has waited longest asked.
    pub(super) oldest: Option<Instant>,
    /// Connections being opened.
    pub(super) connecting: u32,
    /// Connections that callers hold, or that are on their way back.
    pub(super) held: u32,
}

/// How many connections to open now, and when to ask again if fewer than wanted.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Plan {
    pub(super) connects: u32,
    pub(super) again: Option<Instant>,
}

impl<E> Growth<E> {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            trouble: None,
            condition: Condition::Up,
            since: now,
            ramp: u32::MAX,
            paced: None,
            returned: None,
            attempts: 0,
        }
    }

    pub(super) fn returned(&mut self, now: Instant) {
        self.returned = Some(now);
    }

    /// Whether a connection was returned within this time.
    pub(super) fn returned_within(&self, time: Duration, now: Instant) -> bool {
        self.returned
            .is_some_and(|at| now.saturating_duration_since(at) < time)
    }

    /// How many connections to open, of as many as there is room for (at least one).
    pub(super) fn plan(&mut self, need: &Need, room: u32) -> Plan {
        let nothing = Plan {
            connects: 0,
            again: None,
        };
        if let Some(trouble) = &self.trouble {
            if need.connecting > 0 {
                return nothing;
            }
            let at = match need.wanted {
                0 => trouble.next,
                _ => trouble.next.min(trouble.next_waited_for),
            };
            return if at <= need.now {
                Plan {
                    connects: 1,
                    again: None,
                }
            } else {
                Plan {
                    connects: 0,
                    again: Some(at),
                }
            };
        }
        let wanted = need
            .wanted
            .min(room)
            .min(self.ramp.saturating_sub(need.connecting));
        if wanted == 0 {
            return nothing;
        }
        if need.held == 0 || self.is_stalled(need) {
            return Plan {
                connects: wanted,
                again: None,
            };
        }
        match self.paced {
            Some(at) if at > need.now && !(need.urgent && need.connecting == 0) => Plan {
                connects: 0,
                again: Some(at),
            },
            _ => {
                let at = need.now + PACE;
                self.paced = Some(at);
                Plan {
                    connects: 1,
                    again: (wanted > 1).then_some(at),
                }
            }
        }
    }

    /// Somebody has been waiting, and nothing came back, for as long as one connection is given.
    fn is_stalled(&self, need: &Need) -> bool {
        let long = |since: Instant| need.now.saturating_duration_since(since) >= PACE;
        need.oldest.is_some_and(long) && self.returned.is_none_or(long)
    }

    pub(super) fn succeeded(&mut self) {
        self.ramp = match self.trouble.take() {
            Some(_) => 2,
            None => self.ramp.saturating_mul(2),
        };
    }

    /// An attempt failed.
    pub(super) fn failed(&mut self, cause: Cause<E>, attempt: u64, now: Instant) {
        let before = self.trouble.as_ref();
        if before.is_some_and(|trouble| trouble.failures > 0 && attempt <= trouble.counted) {
            return;
        }
        let failures = before.map_or(0, |trouble| trouble.failures);
        let doubled = FIRST_PAUSE.saturating_mul(1 << failures.min(16));
        self.trouble = Some(Trouble {
            cause,
            failures: failures + 1,
            counted: self.attempts,
            next: now + jittered(doubled.min(LONGEST_PAUSE)),
            next_waited_for: now + jittered(WAITED_FOR_PAUSE),
        });
    }

    /// An open connection broke: the next attempt will tell whether more can be opened.
    pub(super) fn suspect(&mut self, cause: Cause<E>, now: Instant) {
        match &mut self.trouble {
            Some(trouble) if trouble.failures > 0 => {}
            trouble => {
                *trouble = Some(Trouble {
                    cause,
                    failures: 0,
                    counted: 0,
                    next: now,
                    next_waited_for: now,
                });
            }
        }
    }

    pub(super) fn has_trouble(&self) -> bool {
        self.trouble.is_some()
    }

    pub(super) fn cause(&self) -> Option<&Cause<E>> {
        self.trouble.as_ref().map(|trouble| &trouble.cause)
    }

    /// Notes whether a sound connection is open. Answers the condition if that has changed it.
    pub(super) fn observe(&mut self, sound: bool, now: Instant) -> Option<Condition> {
        let condition = match (&self.trouble, sound) {
            (None, _) => Condition::Up,
            (Some(_), true) => Condition::Degraded,
            (Some(_), false) => Condition::Down,
        };
        if condition == self.condition {
            return None;
        }
        self.condition = condition;
        self.since = now;
        Some(condition)
    }

    pub(super) fn condition(&self) -> (Condition, Instant) {
        (self.condition, self.since)
    }
}

/// Between three quarters and all of a pause, so that many hosts do not try in step.
fn jittered(pause: Duration) -> Duration {
    pause.mul_f64(1.0 - 0.25 * fastrand::f64())
}
