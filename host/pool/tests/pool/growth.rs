//! How a pool grows and how it meets an outage: paced while connections come back, one prober while opening fails, no
//! stampede afterwards.

use std::time::Duration;

use poolhouse_pool::{AcquireError, Cause, Condition, Pool, Request};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use crate::stub::{
    Behaviour, Refused, Stub, acquire, ask, ms, options, pool, quiet, seconds, take, take_many,
};

/// Callers that each use a connection once, for `hold`.
fn rush(pool: &Pool<Stub>, count: usize, hold: Duration) -> Vec<JoinHandle<()>> {
    let call = |pool: Pool<Stub>| async move {
        let lease = take(&pool).await;
        sleep(hold).await;
        lease.release().await;
    };
    (0..count)
        .map(|_| tokio::spawn(call(pool.clone())))
        .collect()
}

async fn all(tasks: Vec<JoinHandle<()>>) {
    for task in tasks {
        task.await.unwrap();
    }
}

fn gaps(times: &[Instant]) -> Vec<Duration> {
    times.windows(2).map(|pair| pair[1] - pair[0]).collect()
}

#[tokio::test(start_paused = true)]
async fn with_nothing_lent_connections_are_opened_in_parallel() {
    let (pool, script) = pool(options(5, 10));
    script.connect.does(Behaviour::After(ms(150)));
    let started = Instant::now();
    let callers = rush(&pool, 50, ms(2));
    quiet().await;
    assert_eq!(pool.stats().connecting, 15);
    all(callers).await;
    assert!(started.elapsed() <= ms(165), "{:?}", started.elapsed());
    assert_eq!(script.connect.count(), 15);
}

#[tokio::test(start_paused = true)]
async fn a_spike_of_short_uses_opens_next_to_nothing() {
    let (pool, script) = pool(options(5, 10));
    drop(take_many(&pool, 5).await);
    sleep(seconds(1)).await;
    script.connect.does(Behaviour::After(ms(150)));
    let started = Instant::now();
    all(rush(&pool, 50, ms(2))).await;
    assert!(started.elapsed() <= ms(30), "{:?}", started.elapsed());
    sleep(seconds(1)).await;
    assert!(
        script.connect.count() <= 6,
        "{} opened",
        script.connect.count()
    );
}

#[tokio::test(start_paused = true)]
async fn connections_being_reset_count_as_coming_back() {
    let (pool, script) = pool(options(5, 10));
    drop(take_many(&pool, 5).await);
    sleep(seconds(1)).await;
    script.reset.does(Behaviour::After(ms(1)));
    let call = |pool: Pool<Stub>| async move {
        let mut lease = take(&pool).await;
        sleep(ms(2)).await;
        lease.touch();
        lease.release().await;
    };
    // All five are reset at the same time, again and again.
    let callers = (0..50).map(|_| tokio::spawn(call(pool.clone())));
    all(callers.collect()).await;
    assert!(
        script.connect.count() <= 6,
        "{} opened",
        script.connect.count()
    );
}

#[tokio::test(start_paused = true)]
async fn while_connections_come_back_one_is_opened_at_a_time_a_tenth_of_a_second_apart() {
    let (pool, script) = pool(options(2, 10));
    drop(take_many(&pool, 2).await);
    sleep(seconds(1)).await;
    // Forty callers of 50 ms with two connections: a second's work, and one comes back every 25 ms.
    let callers = rush(&pool, 400, ms(50));
    sleep(ms(950)).await;
    let opened = script.connect.times().split_off(2);
    assert!(
        (8..=10).contains(&opened.len()),
        "{} in 950 ms",
        opened.len()
    );
    assert!(
        gaps(&opened).iter().all(|gap| *gap >= ms(100)),
        "{:?}",
        gaps(&opened)
    );
    all(callers).await;
    assert_eq!(script.most_open(), 12);
}

#[tokio::test(start_paused = true)]
async fn once_nothing_comes_back_for_a_tenth_of_a_second_all_are_opened() {
    let (pool, script) = pool(options(1, 9));
    let _lease = take(&pool).await;
    script.connect.does(Behaviour::After(ms(10)));
    let started = Instant::now();
    let callers = rush(&pool, 9, seconds(5));
    sleep(ms(99)).await;
    assert_eq!(script.connect.count(), 2, "the first at once");
    sleep(ms(3)).await;
    assert_eq!(script.connect.count(), 10, "and then all the others");
    all(callers).await;
    assert!(
        started.elapsed() <= seconds(5) + ms(115),
        "{:?}",
        started.elapsed()
    );
}

#[tokio::test(start_paused = true)]
async fn one_prober_backs_off_from_20_ms_to_10_s() {
    fastrand::seed(3);
    let (pool, script) = pool(options(5, 10));
    script.connect.does(Behaviour::Fail);
    assert!(acquire(&pool, Request::default()).await.is_err());
    sleep(seconds(120)).await;
    let gaps = gaps(&script.connect.times());
    let mut pause = ms(20);
    for (number, gap) in gaps.iter().enumerate() {
        let least = pause.mul_f64(0.75);
        assert!(
            (least..=pause + ms(2)).contains(gap),
            "{number}: {gap:?} for {pause:?}"
        );
        pause = (2 * pause).min(seconds(10));
    }
    assert!(gaps.len() >= 19, "{}", gaps.len());
    let full = gaps.iter().filter(|gap| **gap > seconds(9)).count();
    assert!(full < gaps.len() - 10, "jittered: {gaps:?}");
}

#[tokio::test(start_paused = true)]
async fn connects_that_fail_together_are_one_failure() {
    let (pool, script) = pool(options(5, 10));
    script.connect.does(Behaviour::FailAfter(ms(10)));
    let mut asking = Vec::new();
    for _ in 0..15 {
        asking.push(tokio::spawn({
            let pool = pool.clone();
            async move { acquire(&pool, Request::default()).await.map(drop) }
        }));
    }
    for task in asking {
        assert!(matches!(task.await.unwrap(), Err(AcquireError::Connect(_))));
    }
    assert_eq!(script.connect.count(), 15);
    // The prober begins with its shortest pause.
    sleep(ms(21)).await;
    assert_eq!(script.connect.count(), 16);
}

#[tokio::test(start_paused = true)]
async fn while_somebody_waits_the_prober_pauses_for_50_ms_at_most() {
    let (pool, script) = pool(options(1, 1));
    let _lease = take(&pool).await;
    script.connect.does(Behaviour::Fail);
    // Nothing comes back, so nobody waits for more than a second, but there is always somebody.
    for _ in 0..10 {
        let waiter = ask(&pool).await;
        sleep(seconds(1)).await;
        assert!(waiter.await.unwrap().is_err());
    }
    let gaps = gaps(&script.connect.times()[1..]);
    assert!(gaps.iter().all(|gap| *gap <= ms(120)), "{gaps:?}");
    assert!(gaps[3..].iter().all(|gap| *gap >= ms(37)), "{gaps:?}");
    // And once nobody does, it takes its time.
    let before = script.connect.count();
    sleep(seconds(30)).await;
    assert!(script.connect.count() - before <= 5);
    // But not where somebody asks.
    script.connect.does(Behaviour::Now);
    let asked = Instant::now();
    drop(take(&pool).await);
    assert!(asked.elapsed() <= ms(52), "{:?}", asked.elapsed());
}

#[tokio::test(start_paused = true)]
async fn health_tells_since_when_and_why() {
    let (pool, script) = pool(options(2, 0));
    let began = pool.health().since;
    assert_eq!(pool.health().condition, Condition::Up);
    let lease = take(&pool).await;
    assert_eq!(
        (pool.health().condition, pool.health().since),
        (Condition::Up, began)
    );

    // One can be used, and no other opened.
    script.connect.does(Behaviour::Fail);
    let at = Instant::now();
    let waiter = ask(&pool).await;
    let degraded = pool.health();
    assert_eq!(
        (degraded.condition, degraded.since),
        (Condition::Degraded, at)
    );
    assert!(matches!(degraded.cause, Some(Cause::Refused(_))));
    sleep(seconds(3)).await;
    assert_eq!(pool.health().since, at, "it has been so all the time");
    assert_eq!(
        (pool.stats().condition, pool.stats().since),
        (Condition::Degraded, at)
    );

    // That one breaks, too: everybody is told why.
    let mut lease = lease;
    let at = Instant::now();
    lease.break_off(Refused);
    assert!(matches!(pool.health().cause, Some(Cause::Refused(_))));
    assert_eq!(
        (pool.health().condition, pool.health().since),
        (Condition::Down, at)
    );
    assert!(matches!(
        waiter.await.unwrap(),
        Err(AcquireError::Connect(_))
    ));
    assert!(at.elapsed() <= ms(52));
    drop(lease);

    script.connect.does(Behaviour::Now);
    let at = Instant::now();
    drop(take(&pool).await);
    let up = pool.health();
    assert_eq!(up.condition, Condition::Up);
    assert!(up.cause.is_none() && up.since >= at && up.since <= at + ms(52));
}

#[tokio::test(start_paused = true)]
async fn a_ping_that_is_not_answered_is_the_cause_until_one_is_opened() {
    let (pool, script) = pool(options(1, 0));
    drop(take(&pool).await);
    sleep(seconds(60)).await;
    script.ping.does(Behaviour::Hang);
    script.connect.does(Behaviour::Hang);
    let waiter = ask(&pool).await;
    sleep(seconds(6)).await;
    let health = pool.health();
    assert_eq!(health.condition, Condition::Down);
    assert!(matches!(health.cause, Some(Cause::Silent(limit)) if limit == seconds(5)));
    sleep(seconds(10)).await;
    let error = waiter.await.unwrap().unwrap_err();
    assert!(
        matches!(error, AcquireError::Connect(Cause::TimedOut(_))),
        "{error}"
    );
}

#[tokio::test(start_paused = true)]
async fn those_who_cannot_wait_are_told_why_while_the_pool_is_down() {
    let (pool, script) = pool(options(1, 0));
    script.connect.does(Behaviour::FailAfter(seconds(2)));
    let first = ask(&pool).await;
    sleep(seconds(3)).await;
    assert!(first.await.unwrap().is_err());
    let asked = Instant::now();
    let error = crate::stub::acquire_at_once(&pool).await.unwrap_err();
    assert!(
        matches!(error, AcquireError::Connect(Cause::Refused(_))),
        "{error}"
    );
    // Whoever waits has at most the attempt under way and one more before it is told.
    let error = acquire(&pool, Request::default()).await.unwrap_err();
    assert!(
        matches!(error, AcquireError::Connect(Cause::Refused(_))),
        "{error}"
    );
    assert!(asked.elapsed() <= seconds(5), "{:?}", asked.elapsed());
}

#[tokio::test(start_paused = true)]
async fn an_outage_with_a_thousand_waiters_ends_without_a_stampede() {
    fastrand::seed(5);
    let (pool, script) = pool(options(5, 10));
    let lease = take(&pool).await;
    script.connect.does(Behaviour::FailAfter(ms(5)));
    let callers = rush(&pool, 1000, ms(2));
    sleep(ms(900)).await;
    let outage = script.connect.count() - 1;
    assert!(outage <= 30, "{outage} attempts in a second");
    assert_eq!(
        pool.stats().waiting,
        1000,
        "something may come back: nobody is turned away"
    );

    script.connect.does(Behaviour::After(ms(30)));
    let recovered = Instant::now();
    all(callers).await;
    drop(lease);
    let opened = script.connect.times().split_off(1 + outage);
    assert!(opened.len() <= 15, "{} opened", opened.len());
    assert!(
        opened.len() >= 3 && opened[1] >= opened[0] + ms(30),
        "the first alone"
    );
    let second = opened.iter().filter(|at| **at < opened[0] + ms(60)).count();
    assert!(second <= 3, "then two, not all: {second}");
    assert!(
        recovered.elapsed() <= seconds(2),
        "{:?}",
        recovered.elapsed()
    );
}

#[tokio::test(start_paused = true)]
async fn a_thousand_waiters_of_a_dead_server_are_told_within_a_moment() {
    let (pool, script) = pool(options(5, 10));
    script.connect.does(Behaviour::FailAfter(ms(5)));
    let mut asking = Vec::new();
    for _ in 0..1000 {
        asking.push(tokio::spawn({
            let pool = pool.clone();
            async move { acquire(&pool, Request::default()).await.map(drop) }
        }));
    }
    let asked = Instant::now();
    for task in asking {
        assert!(matches!(
            task.await.unwrap(),
            Err(AcquireError::Connect(Cause::Refused(_)))
        ));
    }
    assert!(asked.elapsed() <= ms(100), "{:?}", asked.elapsed());
    assert!(script.connect.count() <= 17, "{}", script.connect.count());
    assert_eq!((pool.stats().failed, pool.stats().timed_out), (1000, 0));
}
