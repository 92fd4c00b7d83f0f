//! How many calls may be in one plugin, how many may wait for one of those to end, and how many instances live; leaves what a
//! call does to `plugin`.

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
        take(count, most).then(|| Self(count))
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// How many instances are alive, of one plugin or of all.
pub(crate) struct InstanceCount {
    alive: AtomicUsize,
    most: usize,
}

/// One instance's place among them; given back when it is dropped.
pub(crate) struct InstancePlace(Arc<InstanceCount>);

impl InstanceCount {
    pub(crate) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self {
            alive: AtomicUsize::new(0),
            most,
        })
    }

    /// As many as this system can hold. Each instance takes some [`MAPS_OF_AN_INSTANCE`] of the memory maps that Linux lets a
    /// process have; without any left, the host itself could get no more memory.
    pub(crate) fn of_this_system() -> Arc<Self> {
        let most = std::fs::read_to_string("/proc/sys/vm/max_map_count")
            .ok()
            .and_then(|maps| maps.trim().parse::<usize>().ok())
            .map_or(usize::MAX, |maps| {
                (maps.saturating_sub(MAPS_OF_THE_HOST) / MAPS_OF_AN_INSTANCE).max(1)
            });
        Self::new(most)
    }

    pub(crate) fn most(&self) -> usize {
        self.most
    }

    /// A place for one more; none if there are as many as may be.
    pub(crate) fn one_more(self: &Arc<Self>) -> Option<InstancePlace> {
        take(&self.alive, self.most).then(|| InstancePlace(Arc::clone(self)))
    }
}

impl Drop for InstancePlace {
    fn drop(&mut self) {
        self.0.alive.fetch_sub(1, Ordering::AcqRel);
    }
}

/// Memory maps that one instance of one memory takes.
const MAPS_OF_AN_INSTANCE: usize = 7;
/// Memory maps that are kept for the host: its threads, its libraries, and its large allocations.
const MAPS_OF_THE_HOST: usize = 4096;

fn take(count: &AtomicUsize, most: usize) -> bool {
    count
        .fetch_update(Ordering::AcqRel, Ordering::Acquire, |count| {
            (count < most).then_some(count + 1)
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
    fn places_of_instances_come_back() {
        let count = InstanceCount::new(2);
        let places: Vec<_> = (0..2).map(|_| count.one_more().unwrap()).collect();
        assert!(count.one_more().is_none());
        drop(places);
        assert!(count.one_more().is_some());
        assert!(InstanceCount::of_this_system().most() > 0);
    }
}
