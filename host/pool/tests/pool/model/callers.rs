//! What the callers do: ask, use what they get, give it back, or leave in the middle of any of it.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use poolhouse_pool::{Lease, Request, Tenant};
use tokio::time::Instant;

use super::rules::Rules;
use super::world::{NAMES, World};
use super::{Chain, Step};
use crate::stub::{Acquired, Refused, Stub};

pub(super) type Boxed<T> = Pin<Box<dyn Future<Output = T>>>;

/// A caller that asks.
pub(super) struct Asking {
    future: Boxed<Acquired>,
    pub(super) tenant: usize,
    pub(super) request: Request,
    pub(super) eager: bool,
    /// Its chain is known to hold a connection.
    pub(super) nested: bool,
    /// When it was first polled, and in which order.
    pub(super) began: Option<(Instant, u64)>,
    /// The last connection that had been retired by then.
    pub(super) retired: u64,
}

pub(super) struct Held {
    pub(super) lease: Lease<Stub>,
    pub(super) tenant: usize,
    pub(super) chain: u64,
}

impl Asking {
    pub(super) fn new(handle: Tenant<Stub>, tenant: usize, request: Request) -> Self {
        Self {
            future: Box::pin(async move { handle.acquire(&request).await }),
            tenant,
            request,
            eager: true,
            nested: false,
            began: None,
            retired: 0,
        }
    }
}

/// Polls once; what the script made panic is a `None`.
pub(super) fn poll_once<T>(future: &mut Boxed<T>, context: &mut Context<'_>) -> Poll<Option<T>> {
    match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context))) {
        Ok(Poll::Pending) => Poll::Pending,
        Ok(Poll::Ready(value)) => Poll::Ready(Some(value)),
        Err(cause) if cause.is::<&str>() => Poll::Ready(None),
        Err(cause) => resume_unwind(cause),
    }
}

impl World {
    pub(super) fn ask(&mut self, step: &Step) {
        let Step::Ask {
            tenant,
            chain,
            at_once,
            until,
            deadline,
            eager,
            polls,
        } = step
        else {
            return;
        };
        let tenant = tenant % 3;
        let chain = match chain {
            Chain::None => 0,
            Chain::Numbered(number) => *number,
            Chain::OfLease(at) => index(*at, &self.held).map_or(0, |at| self.held[at].chain),
        };
        let now = Instant::now();
        let request = Request {
            chain,
            at_once: *at_once,
            until: until.map(|wait| now + wait),
            deadline: deadline.map(|hold| now + hold),
            setting: chain % 3,
        };
        let Some(handle) = self.handle(tenant) else {
            return;
        };
        let nested = |held: &Held| held.chain == chain && !held.lease.is_revoked();
        let nested = chain != 0 && self.held.iter().any(nested);
        self.asking.push(Asking {
            eager: *eager,
            nested,
            ..Asking::new(handle, tenant, request)
        });
        let at = self.asking.len() - 1;
        for _ in 0..*polls {
            if self.poll_ask(at, &mut Context::from_waker(Waker::noop())) {
                break;
            }
        }
    }

    /// A handle for one caller: another to the tenant, or the first.
    pub(super) fn handle(&mut self, tenant: usize) -> Option<Tenant<Stub>> {
        if let Some(handle) = self.handles[tenant].first() {
            return Some(handle.clone());
        }
        let handle = self.pool.tenant(NAMES[tenant], self.quotas[tenant]).ok()?;
        self.handles[tenant].push(handle.clone());
        Some(handle)
    }

    /// Polls one who asks; answers whether that was the end of it.
    pub(super) fn poll_ask(&mut self, at: usize, context: &mut Context<'_>) -> bool {
        if self.asking[at].began.is_none() {
            self.begun += 1;
            self.asking[at].began = Some((Instant::now(), self.begun));
            self.asking[at].retired = self.retired;
            let refusal = Rules::must_refuse(self, &self.asking[at]);
            let outcome = poll_once(&mut self.asking[at].future, context);
            if refusal && !matches!(outcome, Poll::Ready(Some(Err(_)))) {
                self.wrong(|| "waits for what others hold".to_owned());
            }
            return self.polled(at, outcome, context);
        }
        let outcome = poll_once(&mut self.asking[at].future, context);
        self.polled(at, outcome, context)
    }

    fn polled(
        &mut self,
        at: usize,
        outcome: Poll<Option<Acquired>>,
        context: &mut Context<'_>,
    ) -> bool {
        let Poll::Ready(outcome) = outcome else {
            return false;
        };
        let asked = self.asking.remove(at);
        match outcome {
            Some(Ok(mut lease)) => {
                self.tally.served += 1;
                Rules::look_over(self, &asked, &mut lease);
                if let Some(earlier) = Rules::before_it(self, &asked)
                    && !self.poll_ask(earlier, context)
                {
                    self.wrong(|| "passed one who had asked earlier".to_owned());
                }
                if !self.ending {
                    let (tenant, chain) = (asked.tenant, asked.request.chain);
                    self.held.push(Held {
                        lease,
                        tenant,
                        chain,
                    });
                }
            }
            Some(Err(_)) => self.tally.refused += 1,
            None => {}
        }
        true
    }

    pub(super) fn use_it(&mut self, step: &Step) {
        let (Step::Use { lease: at, .. } | Step::LeaveUnfinished(at) | Step::BreakOff(at)) = step
        else {
            return;
        };
        let Some(at) = index(*at, &self.held) else {
            return;
        };
        let Held { lease, chain, .. } = &mut self.held[at];
        match step {
            Step::Use { dirty: true, .. } => {
                lease.touch();
                if let Ok(mut operation) = lease.operation(None) {
                    operation.dirty = true;
                    operation.complete();
                }
            }
            Step::Use { .. } => {
                if let Ok(operation) = lease.operation(None) {
                    operation.complete();
                }
                lease.set_for(*chain % 3);
            }
            Step::LeaveUnfinished(_) => {
                if let Ok(mut operation) = lease.operation(None) {
                    operation.busy = true;
                }
            }
            _ => lease.break_off(Refused),
        }
    }

    pub(super) fn release(&mut self, at: usize, eager: bool, polls: u8) {
        let lease = self.held.swap_remove(at).lease;
        let mut release: Boxed<()> = Box::pin(lease.release());
        for _ in 0..polls {
            if poll_once(&mut release, &mut Context::from_waker(Waker::noop())).is_ready() {
                return;
            }
        }
        self.releasing.push((release, eager));
    }
}

pub(super) async fn work(mut held: Held, duration: Duration) -> Held {
    if let Ok(mut operation) = held.lease.operation(None) {
        operation.work(duration).await;
        operation.complete();
    }
    held
}

pub(super) fn index<T>(wanted: usize, among: &[T]) -> Option<usize> {
    wanted.checked_rem(among.len())
}
