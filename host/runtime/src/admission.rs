//! How many calls may be in one plugin, how many may wait for one of those to end, and what instances take while they live;
//! leaves what a call does to `plugin`.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::Instant;

use crate::error::Wait;

/// The calls that are in one plugin, and those that wait to be.
pub(crate) struct Admission {
    calls: Semaphore,
    waiting: AtomicUsize,
    most_waiting: usize,
}

impl Admission {
    pub(crate) fn new(concurrent: usize, most_waiting: usize) -> Self {
        Self {
            calls: Semaphore::new(concurrent.min(Semaphore::MAX_PERMITS)),
            waiting: AtomicUsize::new(0),
            most_waiting,
        }
    }

    /// A place for a call that must not wait.
    pub(crate) fn at_once(&self) -> Result<SemaphorePermit<'_>, Wait> {
        self.calls.try_acquire().map_err(|_| Wait::Never)
    }

    /// A place for a call that may wait its turn, until then at the latest.
    ///
    /// Cancel safety: dropped midway, it has waited for nothing and takes nobody's place.
    pub(crate) async fn in_turn(&self, until: Instant) -> Result<SemaphorePermit<'_>, Wait> {
        match self.calls.try_acquire() {
            Ok(place) => Ok(place),
            // In a box of its own, so that calls that need not wait, which are most, stay small.
            Err(_) => Box::pin(self.wait(until)).await,
        }
    }

    async fn wait(&self, until: Instant) -> Result<SemaphorePermit<'_>, Wait> {
        let Some(_waiting) = Counted::one_more(&self.waiting, self.most_waiting) else {
            return Err(Wait::Full(self.most_waiting));
        };
        let began = Instant::now();
        match tokio::time::timeout_at(until, self.calls.acquire()).await {
            Ok(Ok(place)) => Ok(place),
            // It is never closed, so this is the time that was up.
            _ => Err(Wait::InVain(began.elapsed())),
        }
    }
}

/// One of a number that has a maximum; given back when it is dropped.
struct Counted<'a>(&'a AtomicUsize);

impl<'a> Counted<'a> {
    fn one_more(count: &'a AtomicUsize, most: usize) -> Option<Self> {
        take(count, 1, most).then(|| Self(count))
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// Something that instances take while they are alive, of which there is so much: places of one plugin's, or this system's memory
/// maps.
pub(crate) struct Supply {
    taken: AtomicUsize,
    most: usize,
}

/// What one instance has of it; given back when it is dropped.
pub(crate) struct Share {
    of: Arc<Supply>,
    amount: usize,
}

impl Supply {
    pub(crate) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self {
            taken: AtomicUsize::new(0),
            most,
        })
    }

    /// The memory maps that Linux lets this process have for instances: without any left, the host itself could get no more
    /// memory.
    pub(crate) fn memory_maps() -> Arc<Self> {
        let most = std::fs::read_to_string("/proc/sys/vm/max_map_count")
            .ok()
            .and_then(|maps| maps.trim().parse::<usize>().ok())
            .map_or(usize::MAX, |maps| maps.saturating_sub(MAPS_OF_THE_HOST));
        Self::new(most)
    }

    /// How many instances of a guest with one memory this system's limit lets this process have.
    pub(crate) fn instances(&self) -> usize {
        self.most / crate::declared::MAPS_OF_A_SMALL_INSTANCE
    }

    pub(crate) fn most(&self) -> usize {
        self.most
    }

    /// So much of it; none if there is less left.
    pub(crate) fn share(self: &Arc<Self>, amount: usize) -> Option<Share> {
        take(&self.taken, amount, self.most).then(|| Share {
            of: Arc::clone(self),
            amount,
        })
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.of.taken.fetch_sub(self.amount, Ordering::AcqRel);
    }
}

/// Memory maps that are kept for the host: its threads, its libraries, and its large allocations.
const MAPS_OF_THE_HOST: usize = 4096;

fn take(taken: &AtomicUsize, amount: usize, most: usize) -> bool {
    taken
        .fetch_update(Ordering::AcqRel, Ordering::Acquire, |taken| {
            taken.checked_add(amount).filter(|taken| *taken <= most)
        })
        .is_ok()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that finds no value has failed")]
mod tests {
    use std::time::Duration;

    use super::*;

    fn soon() -> Instant {
        Instant::now() + Duration::from_millis(50)
    }

    #[tokio::test]
    async fn calls_wait_in_turn_as_many_as_may() {
        let admission = Arc::new(Admission::new(1, 2));
        let first = admission.in_turn(soon()).await.ok().unwrap();
        assert_eq!(admission.at_once().err(), Some(Wait::Never));
        let far = Instant::now() + Duration::from_secs(60);
        let mut waiting = Vec::new();
        let (said, mut order) = tokio::sync::mpsc::unbounded_channel();
        for number in 0..2 {
            let (calls, said) = (Arc::clone(&admission), said.clone());
            waiting.push(tokio::spawn(async move {
                let place = calls.in_turn(far).await.ok();
                said.send(number).unwrap();
                place.is_some()
            }));
            // In the order of asking.
            while admission.waiting.load(Ordering::Acquire) <= number {
                tokio::task::yield_now().await;
            }
        }
        assert_eq!(admission.in_turn(far).await.err(), Some(Wait::Full(2)));
        drop(first);
        for one in waiting {
            assert!(one.await.unwrap());
        }
        assert_eq!(order.recv().await, Some(0));
        assert_eq!(order.recv().await, Some(1));
        assert_eq!(admission.waiting.load(Ordering::Acquire), 0);
        assert!(admission.at_once().is_ok());
    }

    #[tokio::test]
    async fn who_waits_in_vain_or_gives_up_takes_nobody_s_place() {
        let admission = Admission::new(1, 1);
        let first = admission.at_once().ok();
        let vain = admission.in_turn(soon()).await.err();
        assert!(matches!(vain, Some(Wait::InVain(_))), "{vain:?}");
        let given_up = tokio::time::timeout(
            Duration::from_millis(10),
            admission.in_turn(Instant::now() + Duration::from_secs(60)),
        );
        assert!(given_up.await.is_err());
        assert_eq!(admission.waiting.load(Ordering::Acquire), 0);
        drop(first);
        assert!(admission.at_once().is_ok());
    }

    #[test]
    fn what_was_shared_comes_back() {
        let supply = Supply::new(10);
        let shares: Vec<_> = (0..2).map(|_| supply.share(4).unwrap()).collect();
        assert!(supply.share(4).is_none());
        assert!(supply.share(usize::MAX).is_none());
        let rest = supply.share(2).unwrap();
        drop(shares);
        assert!(supply.share(9).is_none());
        drop(rest);
        assert!(supply.share(10).is_some());
        assert!(Supply::memory_maps().most() > 0);
    }
}
