//! One caller's way to a connection: asking, waiting, and asking again where what it was handed proved stale.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::time::Instant;

use crate::connector::Connector;
use crate::error::AcquireError;
use crate::lease::Lease;
use crate::loan::Loan;
use crate::shared::{Shared, SlotOf, after};
use crate::state::{Answer, Claim, Delivery, Outcome};
use crate::tenant::Request;

pub(crate) async fn acquire<C: Connector>(
    shared: &Arc<Shared<C>>,
    tenant: usize,
    request: &Request,
) -> Result<Lease<C>, AcquireError<C::Error>> {
    let since = Instant::now();
    let limit = after(since, shared.options.pool_timeout);
    let mut claim = Claim {
        tenant,
        chain: request.chain,
        since,
        until: request.until.map_or(limit, |until| until.min(limit)),
        deadline: request.deadline,
        setting: request.setting,
        at_once: request.at_once,
        urgent: false,
        promised: false,
        ticket: None,
        attempts: 0,
    };
    loop {
        let outcome = Waiting {
            shared,
            claim: &mut claim,
            place: None,
        }
        .await;
        let handed = match outcome {
            Outcome::Handed(handed) => handed,
            Outcome::Refused(error) => return Err(error),
        };
        let ping = handed.ping;
        let loan = Loan::new(Arc::clone(shared), handed);
        let loan = if ping {
            loan.pinged(&claim).await?
        } else {
            Some(loan)
        };
        if let Some(loan) = loan {
            return Ok(Lease::new(loan, since));
        }
        // A connection was promised and proved stale: its place will be free in a moment, and is this caller's.
        claim.promised = true;
        claim.at_once = false;
    }
}

/// Asks when it is first polled, and then waits. A place in the queue is given up when this is dropped; a connection
/// already on its way then goes to the next.
struct Waiting<'a, C: Connector> {
    shared: &'a Arc<Shared<C>>,
    claim: &'a mut Claim,
    /// The place in the queue, once it has one and until it is told.
    place: Option<Place<C>>,
}

type Place<C> = (usize, Arc<Delivery<SlotOf<C>, <C as Connector>::Error>>);

impl<C: Connector> Future for Waiting<'_, C> {
    type Output = Outcome<SlotOf<C>, C::Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Waiting {
            shared,
            claim,
            place,
        } = &mut *self;
        let Some((_, delivery)) = place else {
            let now = match claim.ticket {
                None => claim.since,
                Some(_) => Instant::now(),
            };
            let waker = context.waker();
            return match shared.change(now, |state, work| state.ask(claim, waker, now, work)) {
                Answer::Told(outcome) => Poll::Ready(outcome),
                Answer::Queued(key, delivery) => {
                    *place = Some((key, delivery));
                    Poll::Pending
                }
            };
        };
        let mut waker = Some(context.waker().clone());
        let outcome = delivery.poll(&mut waker);
        match outcome {
            Some(outcome) => {
                *place = None;
                Poll::Ready(outcome)
            }
            None => Poll::Pending,
        }
    }
}

impl<C: Connector> Drop for Waiting<'_, C> {
    fn drop(&mut self) {
        if let Some((key, delivery)) = &self.place {
            let now = Instant::now();
            self.shared
                .change(now, |state, work| state.leave(*key, delivery, now, work));
        }
    }
}
