//! Generated schedules of everything that callers, the server and time can do, with the rules of the pool checked after
//! every step. The same schedules each time; `POOLHOUSE_MODEL_CASES=10000 cargo test --release -p poolhouse-pool
//! --test pool model` runs as many as that instead of 800, and `POOLHOUSE_MODEL_SEED=7` others.

mod callers;
mod rules;
mod world;

use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed, TestCaseError, TestError, TestRunner};

use crate::stub::{Behaviour, ms};

/// Which of several a step is about: taken modulo how many there are when it comes to it.
type Index = usize;

#[derive(Debug, Clone)]
enum Chain {
    None,
    Numbered(u64),
    /// The chain of a lease that is held.
    OfLease(Index),
}

#[derive(Debug, Clone)]
enum Step {
    Ask {
        tenant: Index,
        chain: Chain,
        at_once: bool,
        until: Option<Duration>,
        deadline: Option<Duration>,
        /// Polled as soon as it can go on, instead of so often and then by steps of its own.
        eager: bool,
        polls: u8,
    },
    PollAsk(Index),
    CancelAsk(Index),
    /// A complete operation that leaves state behind or not.
    Use {
        lease: Index,
        dirty: bool,
    },
    LeaveUnfinished(Index),
    /// An operation that takes a while, and is cancelled if the lease is revoked meanwhile.
    Work {
        lease: Index,
        duration: Duration,
    },
    CancelWork(Index),
    BreakOff(Index),
    Release {
        lease: Index,
        eager: bool,
        polls: u8,
    },
    CancelRelease(Index),
    Drop(Index),
    /// Lets tasks run, with the clock standing still.
    Yield(u8),
    Pass(Duration),
    /// The clock moves on before anything can run.
    Jump(Duration),
    Behave {
        call: Index,
        behaviour: Behaviour,
    },
    Resize {
        pool_size: u32,
        max_overflow: i32,
    },
    Pause(bool),
    Retire,
    Quota {
        tenant: Index,
        max: Option<u32>,
        reserved: u32,
    },
    DropTenant(Index),
    /// Closes the pool, polled so often before that is dropped.
    Close {
        deadline: Duration,
        polls: u8,
    },
}

#[derive(Debug, Clone)]
struct Case {
    seed: u64,
    pool_size: u32,
    max_overflow: i32,
    pre_ping: bool,
    pre_ping_idle: Duration,
    recycle: Option<Duration>,
    idle_timeout: Option<Duration>,
    lease_timeout: Option<Duration>,
    steps: Vec<Step>,
    /// How often the close at the end is polled before it is dropped and done again.
    close_polls: u8,
}

fn any_behaviour() -> impl Strategy<Value = Behaviour> {
    prop_oneof![
        6 => Just(Behaviour::Now),
        3 => (0..3000u64).prop_map(|delay| Behaviour::After(ms(delay))),
        1 => (0..3000u64).prop_map(|delay| Behaviour::FailAfter(ms(delay))),
        2 => Just(Behaviour::Fail),
        1 => Just(Behaviour::Hang),
        1 => Just(Behaviour::Panic),
    ]
}

fn any_chain() -> impl Strategy<Value = Chain> {
    prop_oneof![
        4 => Just(Chain::None),
        2 => (1..4u64).prop_map(Chain::Numbered),
        1 => any::<Index>().prop_map(Chain::OfLease),
    ]
}

fn some(range: std::ops::Range<u64>) -> impl Strategy<Value = Option<Duration>> {
    proptest::option::weighted(0.3, range.prop_map(ms))
}

fn any_ask() -> impl Strategy<Value = Step> {
    let of_whom = (any::<Index>(), any_chain(), any::<bool>());
    let how = (some(0..20_000), some(0..20_000), any::<u8>());
    (of_whom, how).prop_map(
        |((tenant, chain, often), (until, deadline, luck))| Step::Ask {
            tenant,
            chain,
            at_once: often && luck.is_multiple_of(3),
            until,
            deadline,
            eager: luck < 160,
            polls: luck % 4,
        },
    )
}

fn any_step() -> impl Strategy<Value = Step> {
    let index = any::<Index>;
    prop_oneof![
        24 => any_ask(),
        6 => index().prop_map(Step::PollAsk),
        4 => index().prop_map(Step::CancelAsk),
        8 => (index(), any::<bool>()).prop_map(|(lease, dirty)| Step::Use { lease, dirty }),
        2 => index().prop_map(Step::LeaveUnfinished),
        3 => (index(), 0..8000u64)
            .prop_map(|(lease, duration)| Step::Work { lease, duration: ms(duration) }),
        1 => index().prop_map(Step::CancelWork),
        1 => index().prop_map(Step::BreakOff),
        9 => (index(), any::<bool>(), 0..4u8)
            .prop_map(|(lease, eager, polls)| Step::Release { lease, eager, polls }),
        2 => index().prop_map(Step::CancelRelease),
        7 => index().prop_map(Step::Drop),
        16 => (1..6u8).prop_map(Step::Yield),
        10 => prop_oneof![0..20u64, 0..400u64, 0..6000u64].prop_map(|time| Step::Pass(ms(time))),
        2 => (0..6000u64).prop_map(|time| Step::Jump(ms(time))),
        5 => (index(), any_behaviour())
            .prop_map(|(call, behaviour)| Step::Behave { call, behaviour }),
        1 => (0..5u32, -1..5i32).prop_map(|(pool_size, max_overflow)| Step::Resize {
            pool_size: pool_size.max(1),
            max_overflow,
        }),
        2 => (0..4u8).prop_map(|luck| Step::Pause(luck == 0)),
        1 => Just(Step::Retire),
        2 => (index(), proptest::option::of(0..5u32), 0..4u32)
            .prop_map(|(tenant, max, reserved)| Step::Quota { tenant, max, reserved }),
        2 => index().prop_map(Step::DropTenant),
        1 => (0..60u8, 0..6000u64, 0..4u8).prop_map(|(luck, deadline, polls)| match luck {
            0 => Step::Close { deadline: ms(deadline), polls },
            _ => Step::Yield(1),
        }),
    ]
}

fn any_case() -> impl Strategy<Value = Case> {
    let size = (0..5u32, -1..4i32);
    let ping = (any::<bool>(), any::<bool>());
    let ages = (
        some(5_000..60_000),
        some(1_000..30_000),
        some(1_000..30_000),
    );
    let steps = proptest::collection::vec(any_step(), 50..450);
    (any::<u64>(), size, ping, ages, steps, 0..4u8).prop_map(
        |(seed, size, ping, ages, steps, close_polls)| Case {
            seed,
            pool_size: size.0,
            max_overflow: size.1,
            pre_ping: ping.0,
            pre_ping_idle: if ping.1 { Duration::ZERO } else { ms(500) },
            recycle: ages.0,
            idle_timeout: ages.1,
            lease_timeout: ages.2,
            steps,
            close_polls,
        },
    )
}

fn number_from(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

#[test]
fn the_rules_hold_after_every_step_of_any_schedule() {
    let config = Config {
        cases: number_from("POOLHOUSE_MODEL_CASES").map_or(800, |cases| cases as u32),
        failure_persistence: None,
        max_shrink_iters: 20_000,
        rng_seed: RngSeed::Fixed(number_from("POOLHOUSE_MODEL_SEED").unwrap_or(1)),
        ..Config::default()
    };
    let total = std::cell::Cell::new(world::Tally::default());
    let outcome = TestRunner::new(config.clone()).run(&any_case(), |case| {
        let tally = world::run(&case).map_err(TestCaseError::fail)?;
        total.set(total.get().and(tally));
        Ok(())
    });
    match outcome {
        Err(TestError::Fail(reason, case)) => {
            panic!("{reason}\nin the least of such cases, {case:?}")
        }
        Err(error) => panic!("{error}"),
        Ok(()) => {}
    }
    // It would be easy to keep the rules by doing nothing.
    let total = total.get();
    let cases = u64::from(config.cases);
    assert!(total.steps > 200 * cases, "{total:?}");
    assert!(total.served > 15 * cases, "{total:?}");
    assert!(
        total.refused > 5 * cases && total.cancelled > 5 * cases,
        "{total:?}"
    );
    assert!(total.full > cases / 4 && total.revoked > cases, "{total:?}");
}
