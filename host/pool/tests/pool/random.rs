//! Thousands of random steps, and after each the one sum that must always come out: idle, lent, pinging, resetting,
//! connecting and closing connections together, within the maximum and no fewer than the server sees.

use std::time::Duration;

use poolhouse_pool::{Lease, Options, Pool};
use tokio::task::JoinHandle;
use tokio::time::advance;

use crate::stub::{Acquired, Behaviour, Script, Stub, holder, pool, seconds};

/// Knuth's linear congruential generator: the same steps for the same seed.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % bound
    }

    fn take<T>(&mut self, from: &mut Vec<T>) -> Option<T> {
        if from.is_empty() {
            return None;
        }
        let index = self.below(from.len());
        Some(from.swap_remove(index))
    }

    fn behaviour(&mut self) -> Behaviour {
        match self.below(10) {
            0 => Behaviour::Fail,
            1 => Behaviour::Hang,
            2 => Behaviour::Panic,
            3..6 => Behaviour::After(Duration::from_millis(self.below(3000) as u64)),
            _ => Behaviour::Now,
        }
    }
}

/// Everything under way at once, and what each kind of event came to.
struct World {
    random: Random,
    pool: Pool<Stub>,
    asking: Vec<JoinHandle<Acquired>>,
    leases: Vec<Lease<Stub>>,
    releasing: Vec<JoinHandle<()>>,
    served: u64,
    refused: u64,
}

impl World {
    async fn step(&mut self, script: &Script) {
        match self.random.below(17) {
            0..4 => self.ask(),
            4 => {
                if let Some(task) = self.random.take(&mut self.asking) {
                    task.abort();
                }
            }
            5..8 => {
                if let Some(mut lease) = self.random.take(&mut self.leases) {
                    self.use_it(&mut lease);
                    self.releasing.push(tokio::spawn(lease.release()));
                }
            }
            8 | 9 => {
                if let Some(mut lease) = self.random.take(&mut self.leases) {
                    self.use_it(&mut lease);
                    drop(lease);
                }
            }
            10 => {
                if let Some(task) = self.random.take(&mut self.releasing) {
                    task.abort();
                }
            }
            11 => {
                if let Some(lease) = self.leases.last_mut()
                    && self.random.below(10) == 0
                {
                    lease.break_off();
                }
            }
            12 => {
                let behaviour = self.random.behaviour();
                let calls = [&script.connect, &script.ping, &script.reset, &script.close];
                *calls[self.random.below(4)].lock() = behaviour;
            }
            13 if self.random.below(20) == 0 => self.pool.retire_generation(),
            14 => advance(Duration::from_millis(self.random.below(2000) as u64)).await,
            _ => tokio::task::yield_now().await,
        }
        self.collect().await;
    }

    fn ask(&mut self) {
        let pool = self.pool.clone();
        let at_once = self.random.below(4) == 0;
        self.asking.push(tokio::spawn(async move {
            match at_once {
                true => pool.acquire_at_once(&holder()).await,
                false => pool.acquire(&holder(), None).await,
            }
        }));
    }

    fn use_it(&mut self, lease: &mut Lease<Stub>) {
        if self.random.below(3) == 0 {
            lease.touch();
            let mut operation = lease.operation();
            operation.dirty = true;
            operation.complete();
        }
        if self.random.below(6) == 0 {
            let mut operation = lease.operation();
            operation.busy = true;
            drop(operation);
        }
    }

    /// Gathers what has been lent, and looks for another's state on it.
    async fn collect(&mut self) {
        let (finished, asking): (Vec<_>, Vec<_>) =
            self.asking.drain(..).partition(|task| task.is_finished());
        self.asking = asking;
        for task in finished {
            match task.await {
                Ok(Ok(mut lease)) => {
                    let operation = lease.operation();
                    assert!(!operation.dirty && !operation.busy);
                    operation.complete();
                    self.leases.push(lease);
                    self.served += 1;
                }
                Ok(Err(_)) => self.refused += 1,
                // Aborted, or the script made the ping panic.
                Err(_) => {}
            }
        }
        self.releasing.retain(|task| !task.is_finished());
    }

    fn check(&self, script: &Script, maximum: u32) {
        let stats = self.pool.stats();
        assert!(stats.total() <= maximum, "{stats:?}");
        assert!(
            script.open() <= stats.total(),
            "{} {stats:?}",
            script.open()
        );
        let open = stats.total() - stats.connecting;
        assert_eq!(stats.opened - stats.closed, u64::from(open), "{stats:?}");
        assert!(stats.waiting == 0 || stats.checked_in == 0, "{stats:?}");
        assert!(stats.checked_out as usize >= self.leases.len(), "{stats:?}");
        assert_eq!(stats.overflow, stats.total() as i32 - stats.size as i32);
    }
}

#[tokio::test(start_paused = true)]
async fn the_sum_always_comes_out() {
    let (mut served, mut refused, mut full) = (0, 0, 0);
    for seed in 1..=24 {
        let mut random = Random(seed);
        let (pool_size, max_overflow) = (1 + random.below(4) as u32, random.below(4) as i32);
        let options = Options {
            pool_size,
            max_overflow,
            pool_recycle: Some(seconds(60)),
            ..Options::default()
        };
        let maximum = options.maximum().unwrap();
        let (pool, script) = pool(options);
        let mut world = World {
            random,
            pool: pool.clone(),
            asking: Vec::new(),
            leases: Vec::new(),
            releasing: Vec::new(),
            served: 0,
            refused: 0,
        };
        for _ in 0..4000 {
            world.step(&script).await;
            world.check(&script, maximum);
        }
        served += world.served;
        refused += world.refused;
        full += u32::from(script.most_open() == maximum);

        // Once everything works again, whoever still asks is served, and nothing was lost on the way.
        for call in [&script.connect, &script.ping, &script.reset, &script.close] {
            *call.lock() = Behaviour::Now;
        }
        world.leases.clear();
        tokio::time::sleep(seconds(20)).await;
        while !world.asking.is_empty() {
            world.collect().await;
            world.check(&script, maximum);
            world.leases.clear();
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        tokio::time::sleep(seconds(20)).await;
        let stats = pool.stats();
        assert_eq!(
            (stats.checked_in, stats.waiting),
            (stats.total(), 0),
            "seed {seed}: {stats:?}"
        );
        assert_eq!(script.open(), stats.total(), "seed {seed}: {stats:?}");
        assert_eq!(pool.close(seconds(20)).await, 0, "seed {seed}");
        assert_eq!(script.open(), 0, "seed {seed}");
    }
    assert!(served > 5_000, "{served} served");
    assert!(refused > 500, "{refused} refused");
    assert!(full > 20, "{full} pools were ever full");
}
