//! A pool, its stub server and its callers, moved on one step at a time; what must hold is in the rules.

use std::future::Future;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use poolhouse_pool::{Options, Pool, Quota, Request, Tenant};
use tokio::time::sleep;

use super::callers::{Asking, Boxed, Held, index, poll_once, work};
use super::rules::Rules;
use super::{Case, Step};
use crate::stub::{Behaviour, Script, Stub, jump, ms, options, pool, seconds};

pub(super) const NAMES: [&str; 3] = ["one", "two", "three"];

/// What the cases came to.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Tally {
    pub(super) steps: u64,
    pub(super) served: u64,
    pub(super) refused: u64,
    pub(super) cancelled: u64,
    pub(super) revoked: u64,
    /// Cases in which the pool was full at times.
    pub(super) full: u64,
}

impl Tally {
    pub(super) fn and(self, other: Self) -> Self {
        Self {
            steps: self.steps + other.steps,
            served: self.served + other.served,
            refused: self.refused + other.refused,
            cancelled: self.cancelled + other.cancelled,
            revoked: self.revoked + other.revoked,
            full: self.full + other.full,
        }
    }
}

pub(super) struct World {
    pub(super) pool: Pool<Stub>,
    pub(super) script: Arc<Script>,
    pub(super) options: Options,
    pub(super) quotas: [Quota; 3],
    pub(super) handles: [Vec<Tenant<Stub>>; 3],
    pub(super) asking: Vec<Asking>,
    pub(super) held: Vec<Held>,
    pub(super) working: Vec<Boxed<Held>>,
    pub(super) releasing: Vec<(Boxed<()>, bool)>,
    pub(super) begun: u64,
    /// The last connection that was retired.
    pub(super) retired: u64,
    pub(super) closed: bool,
    /// Since when everybody lets go of what it gets.
    pub(super) ending: bool,
    pub(super) tally: Tally,
    /// The first thing that was wrong.
    pub(super) wrong: Option<String>,
}

/// One case, from an empty pool to a closed one.
pub(super) fn run(case: &Case) -> Result<Tally, String> {
    fastrand::seed(case.seed);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(async {
        let mut world = World::new(case);
        let mut rules = Rules::new(&world);
        for (number, step) in case.steps.iter().enumerate() {
            world.step(step).await;
            world.tally.steps += 1;
            rules.check(&mut world, step);
            world.is_well(&format!("step {number}, {step:?}"))?;
        }
        world.end().await;
        rules.at_rest(&mut world);
        world.is_well("at rest")?;
        world.fill_up(&mut rules).await;
        world.is_well("filled up")?;
        world.close(case.close_polls).await;
        world.is_well("closed")?;
        let stats = world.pool.stats();
        world.tally.revoked += stats.revoked;
        world.tally.full += u64::from(rules.was_full);
        Ok(world.tally)
    })
}

impl World {
    fn new(case: &Case) -> Self {
        let options = Options {
            pool_pre_ping: case.pre_ping,
            pool_pre_ping_idle: case.pre_ping_idle,
            pool_recycle: case.recycle,
            pool_idle_timeout: case.idle_timeout,
            lease_timeout: case.lease_timeout,
            ..options(case.pool_size, case.max_overflow)
        };
        let (pool, script) = pool(options.clone());
        Self {
            pool,
            script,
            options,
            quotas: [Quota::default(); 3],
            handles: [const { Vec::new() }; 3],
            asking: Vec::new(),
            held: Vec::new(),
            working: Vec::new(),
            releasing: Vec::new(),
            begun: 0,
            retired: 0,
            closed: false,
            ending: false,
            tally: Tally::default(),
            wrong: None,
        }
    }

    fn is_well(&mut self, when: &str) -> Result<(), String> {
        match self.wrong.take() {
            None => Ok(()),
            Some(wrong) => Err(format!("{when}: {wrong}: {:?}", self.pool.stats())),
        }
    }

    pub(super) fn wrong(&mut self, what: impl FnOnce() -> String) {
        self.wrong.get_or_insert_with(what);
    }

    async fn step(&mut self, step: &Step) {
        match step {
            Step::Ask { .. } => self.ask(step),
            Step::PollAsk(at) => {
                if let Some(at) = index(*at, &self.asking) {
                    self.poll_ask(at, &mut Context::from_waker(Waker::noop()));
                }
            }
            Step::CancelAsk(at) => {
                if let Some(at) = index(*at, &self.asking) {
                    drop(self.asking.remove(at));
                    self.tally.cancelled += 1;
                }
            }
            Step::Use { .. } | Step::LeaveUnfinished(_) | Step::BreakOff(_) => self.use_it(step),
            Step::Work { lease, duration } => {
                if let Some(at) = index(*lease, &self.held) {
                    self.working
                        .push(Box::pin(work(self.held.swap_remove(at), *duration)));
                }
            }
            Step::CancelWork(at) => {
                if let Some(at) = index(*at, &self.working) {
                    drop(self.working.swap_remove(at));
                }
            }
            Step::Release {
                lease,
                eager,
                polls,
            } => {
                if let Some(at) = index(*lease, &self.held) {
                    self.release(at, *eager, *polls);
                }
            }
            Step::CancelRelease(at) => {
                if let Some(at) = index(*at, &self.releasing) {
                    drop(self.releasing.swap_remove(at));
                }
            }
            Step::Drop(at) => {
                if let Some(at) = index(*at, &self.held) {
                    drop(self.held.swap_remove(at));
                }
            }
            Step::Yield(times) => self.let_run(*times).await,
            Step::Pass(time) => self.pass(*time).await,
            Step::Jump(time) => {
                jump(*time).await;
                self.pass(ms(1)).await;
            }
            Step::Behave { call, behaviour } => self.script.calls()[call % 5].does(*behaviour),
            Step::Pause(true) => self.pool.pause(),
            Step::Pause(false) => self.pool.resume(),
            Step::Retire => {
                self.pool.retire_generation();
                self.retired = self.pool.stats().opened;
            }
            Step::Close { deadline, polls } => {
                let pool = self.pool.clone();
                let deadline = *deadline;
                let mut closing: Boxed<u32> = Box::pin(async move { pool.close(deadline).await });
                self.closed |= *polls > 0;
                for _ in 0..*polls {
                    if poll_once(&mut closing, &mut Context::from_waker(Waker::noop())).is_ready() {
                        break;
                    }
                    self.pass(deadline).await;
                }
            }
            Step::Resize { .. } | Step::Quota { .. } | Step::DropTenant(_) => self.govern(step),
        }
    }

    /// Changes the size, a quota, or a tenant.
    fn govern(&mut self, step: &Step) {
        match step {
            Step::Resize {
                pool_size,
                max_overflow,
            } => {
                let _refused = self.pool.resize(*pool_size, *max_overflow);
                self.options = self.pool.options();
            }
            Step::Quota {
                tenant,
                max,
                reserved,
            } => {
                let (tenant, max, reserved) = (tenant % 3, *max, *reserved);
                let quota = Quota { max, reserved };
                if let Ok(handle) = self.pool.tenant(NAMES[tenant], quota) {
                    self.quotas[tenant] = quota;
                    self.handles[tenant].push(handle);
                }
            }
            Step::DropTenant(tenant) => drop(self.handles[tenant % 3].pop()),
            _ => {}
        }
    }

    fn poll_eager(&mut self, context: &mut Context<'_>) {
        let mut at = 0;
        while at < self.asking.len() {
            if !(self.asking[at].eager && self.poll_ask(at, context)) {
                at += 1;
            }
        }
        for mut working in std::mem::take(&mut self.working) {
            match poll_once(&mut working, context) {
                Poll::Pending => self.working.push(working),
                Poll::Ready(Some(held)) if !self.ending => self.held.push(held),
                Poll::Ready(_) => {}
            }
        }
        self.releasing
            .retain_mut(|(release, eager)| !*eager || poll_once(release, context).is_pending());
    }

    async fn let_run(&mut self, times: u8) {
        for _ in 0..times {
            std::future::poll_fn(|context| {
                self.poll_eager(context);
                Poll::Ready(())
            })
            .await;
            tokio::task::yield_now().await;
        }
    }

    async fn pass(&mut self, time: Duration) {
        let mut timer = Box::pin(sleep(time));
        std::future::poll_fn(|context| {
            self.poll_eager(context);
            timer.as_mut().poll(context)
        })
        .await;
        self.let_run(3).await;
    }

    /// Mends the server, and lets everybody finish.
    async fn end(&mut self) {
        for call in self.script.calls() {
            call.does(Behaviour::Now);
        }
        self.pool.resume();
        self.ending = true;
        self.held.clear();
        for asking in &mut self.asking {
            asking.eager = true;
        }
        for (_, eager) in &mut self.releasing {
            *eager = true;
        }
        // Longer than pool_timeout, and than whatever hangs since before.
        self.pass(seconds(60)).await;
        if !(self.asking.is_empty() && self.working.is_empty() && self.releasing.is_empty()) {
            self.wrong(|| "somebody waits for ever".to_owned());
        }
        self.handles = [const { Vec::new() }; 3];
        self.pass(ms(1)).await;
    }

    /// Takes every connection there may be, at the same time.
    async fn fill_up(&mut self, rules: &mut Rules) {
        let Some(maximum) = self.options.maximum().filter(|_| !self.closed) else {
            return;
        };
        self.ending = false;
        self.quotas[0] = Quota::default();
        for _ in 0..maximum {
            let Some(handle) = self.handle(0) else {
                return;
            };
            self.asking.push(Asking::new(handle, 0, Request::default()));
        }
        self.pass(ms(900)).await;
        rules.check(self, &Step::Retire);
        if self.held.len() != maximum as usize {
            let (found, waiting) = (self.held.len(), self.asking.len());
            self.wrong(|| format!("{found} of {maximum} could be had, {waiting} wait"));
        }
        self.held.clear();
        self.handles = [const { Vec::new() }; 3];
    }

    async fn close(&mut self, polls: u8) {
        self.closed |= polls > 0;
        let pool = self.pool.clone();
        let mut closing: Boxed<u32> = Box::pin(async move { pool.close(seconds(20)).await });
        for _ in 0..polls {
            if poll_once(&mut closing, &mut Context::from_waker(Waker::noop())).is_ready() {
                break;
            }
            self.let_run(1).await;
        }
        drop(closing);
        let left = self.pool.close(seconds(20)).await;
        let (total, open) = (self.pool.stats().total(), self.script.open());
        if (left, total, open) != (0, 0, 0) {
            self.wrong(|| format!("{left} left, {open} open"));
        }
    }
}
