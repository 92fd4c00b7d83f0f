//! What must hold between any two steps, by what the pool tells, the stub server counts and the callers hold.

use std::collections::BTreeSet;

use poolhouse_pool::{Lease, TenantStats};
use tokio::time::Instant;

use super::Step;
use super::callers::Asking;
use super::world::{NAMES, World};
use crate::stub::{Stub, ms};

/// How it stood after the step before, for what may be exceeded for a while after a limit was lowered, but must not
/// grow then.
pub(super) struct Rules {
    total: u32,
    held: [u32; 3],
    excess: i64,
    /// The largest maximum there was; `None` if there was none at times.
    highest: Option<u32>,
    pub(super) was_full: bool,
}

fn tenant_of(tenants: &[TenantStats], number: usize) -> Option<&TenantStats> {
    tenants.iter().find(|tenant| &*tenant.name == NAMES[number])
}

/// Connections held and kept back, over the maximum.
fn excess(tenants: &[TenantStats], maximum: Option<u32>) -> i64 {
    let taken: u32 = tenants
        .iter()
        .map(|tenant| tenant.checked_out.max(tenant.reserved))
        .sum();
    maximum.map_or(i64::MIN, |maximum| i64::from(taken) - i64::from(maximum))
}

/// Whether a tenant may have one more.
fn may_take(tenant: &TenantStats, excess: i64) -> bool {
    tenant.max.is_none_or(|max| tenant.checked_out < max)
        && (tenant.checked_out < tenant.reserved || excess < 0)
}

impl Rules {
    pub(super) fn new(world: &World) -> Self {
        Self {
            total: 0,
            held: [0; 3],
            excess: i64::MIN,
            highest: world.options.maximum(),
            was_full: false,
        }
    }

    pub(super) fn check(&mut self, world: &mut World, step: &Step) {
        self.connections_add_up(world);
        self.quotas_are_kept(world, step);
        Self::holders_add_up(world);
        Self::nobody_waits_in_vain(world);
        let timely = matches!(step, Step::Pass(_) | Step::Jump(_));
        let now = Instant::now();
        for at in 0..world.asking.len() {
            let asking = &world.asking[at];
            let Some((began, _)) = asking.began.filter(|_| timely && asking.eager) else {
                continue;
            };
            let limit = began + world.options.pool_timeout;
            let until = asking.request.until.map_or(limit, |until| until.min(limit));
            // It may have asked a moment after its time was up.
            if now > until.max(began) + ms(2) {
                world.wrong(|| format!("waits for {:?} past its deadline", now - until));
            }
        }
        let misuse = world.script.misuse.lock().first().copied();
        if let Some(misuse) = misuse {
            world.wrong(|| format!("a connection was {misuse}"));
        }
    }

    fn connections_add_up(&mut self, world: &mut World) {
        let stats = world.pool.stats();
        let (total, open) = (stats.total(), world.script.open());
        let maximum = world.options.maximum();
        if maximum.is_some_and(|maximum| total > maximum && total > self.total) {
            world.wrong(|| format!("{total} of at most {maximum:?}"));
        }
        let lowered = maximum.is_some_and(|maximum| total - stats.closing > maximum);
        if lowered && stats.checked_in > 0 {
            world.wrong(|| "idle ones are kept over a lowered maximum".to_owned());
        }
        self.was_full |= maximum == Some(total);
        self.total = total;
        self.highest = self.highest.and_then(|highest| Some(highest.max(maximum?)));
        let most = world.script.most_open();
        if self.highest.is_some_and(|highest| most > highest) {
            world.wrong(|| format!("the server has seen {most} at once"));
        }
        let alive = total - stats.connecting - stats.closing;
        if open > total || open < alive {
            world.wrong(|| format!("the server counts {open}, the pool {total}"));
        }
        if stats.opened - stats.closed != u64::from(total - stats.connecting) {
            world.wrong(|| "opened less closed is not what is open".to_owned());
        }
        let size = world.options.pool_size;
        if size != 0 && stats.checked_in > size {
            world.wrong(|| "more are idle than pool_size".to_owned());
        }
        if i64::from(stats.overflow) != i64::from(total) - i64::from(size) {
            world.wrong(|| "overflow is not what is over pool_size".to_owned());
        }
    }

    fn quotas_are_kept(&mut self, world: &mut World, step: &Step) {
        let tenants = world.pool.tenants();
        let excess = excess(&tenants, world.options.maximum());
        let governed = matches!(
            step,
            Step::Resize { .. } | Step::Quota { .. } | Step::Ask { .. }
        );
        if excess > 0 && excess > self.excess && !governed {
            world.wrong(|| format!("{excess} held of what is reserved: {tenants:?}"));
        }
        self.excess = excess;
        for number in 0..3 {
            let Some(tenant) = tenant_of(&tenants, number) else {
                self.held[number] = 0;
                continue;
            };
            let held = tenant.checked_out;
            if tenant
                .max
                .is_some_and(|max| held > max && held > self.held[number])
            {
                world.wrong(|| format!("over its max: {tenant:?}"));
            }
            self.held[number] = held;
        }
    }

    /// What the pool says is lent is what the callers hold, or are about to.
    fn holders_add_up(world: &mut World) {
        let (stats, tenants) = (world.pool.stats(), world.pool.tenants());
        let held: u32 = tenants.iter().map(|tenant| tenant.checked_out).sum();
        if held != stats.checked_out + stats.pinging {
            world.wrong(|| format!("tenants hold {held}"));
        }
        let waiting: u32 = tenants.iter().map(|tenant| tenant.waiting).sum();
        let asking = world
            .asking
            .iter()
            .filter(|asking| asking.began.is_some())
            .count();
        if waiting != stats.waiting || waiting as usize > asking {
            world.wrong(|| format!("{waiting} of {asking} callers wait"));
        }
        let holding = |number: usize| {
            let of_it = world.held.iter().filter(|held| held.tenant == number);
            of_it.filter(|held| !held.lease.is_revoked()).count()
        };
        for (number, name) in NAMES.iter().enumerate() {
            let least = holding(number);
            let told = tenant_of(&tenants, number).map_or(0, |tenant| tenant.checked_out);
            if least > told as usize {
                world.wrong(|| format!("{name} holds {least}, not {told}"));
                return;
            }
        }
        let surely: usize = (0..3).map(holding).sum();
        let busy = world.working.len() + world.releasing.len();
        let perhaps = surely + busy + asking - waiting as usize;
        if held as usize > perhaps {
            world.wrong(|| format!("{held} are lent, and at most {perhaps} callers hold one"));
        }
    }

    fn nobody_waits_in_vain(world: &mut World) {
        let (stats, tenants) = (world.pool.stats(), world.pool.tenants());
        if stats.paused || stats.checked_in == 0 {
            return;
        }
        // What is on its way out, or being reset, is nobody's to have.
        let dead = stats.closing + stats.resetting;
        let maximum = world.options.maximum();
        let excess = excess(
            &tenants,
            maximum.map(|maximum| maximum.saturating_sub(dead)),
        );
        let could = |tenant: &&TenantStats| tenant.waiting > 0 && may_take(tenant, excess);
        if let Some(tenant) = tenants.iter().find(could) {
            world.wrong(|| format!("waits beside an idle connection: {tenant:?}"));
        }
    }

    /// Whether a caller that is about to ask must be refused at once, as all it could get is what others hold.
    pub(super) fn must_refuse(world: &World, asking: &Asking) -> bool {
        let stats = world.pool.stats();
        let full = world
            .options
            .maximum()
            .is_some_and(|maximum| stats.total() >= maximum);
        let nothing = stats.checked_in == 0 && stats.connecting == 0 && full;
        let never_waits =
            asking.request.at_once || asking.nested && Self::still_nested(world, asking);
        world.closed || (never_waits && (nothing || stats.paused))
    }

    fn still_nested(world: &World, asking: &Asking) -> bool {
        let chain = asking.request.chain;
        let mut held = world.held.iter();
        held.any(|held| held.chain == chain && !held.lease.is_revoked())
    }

    /// A connection just handed over.
    pub(super) fn look_over(world: &mut World, asked: &Asking, lease: &mut Lease<Stub>) {
        let Some((began, _)) = asked.began else {
            return;
        };
        let now = Instant::now();
        match lease.operation(None) {
            Ok(operation) => {
                if operation.dirty || operation.busy {
                    world.wrong(|| "handed over with another's state on it".to_owned());
                }
                operation.complete();
            }
            Err(_) => {
                let most = world.options.lease_timeout;
                let over = asked
                    .request
                    .deadline
                    .is_some_and(|deadline| now >= deadline)
                    || most.is_some_and(|limit| now >= began + limit);
                if !(over || world.closed) {
                    world.wrong(|| "handed over without a connection".to_owned());
                }
            }
        }
        if lease.id() <= asked.retired {
            world.wrong(|| "retired, and lent all the same".to_owned());
        }
        let mut ids = BTreeSet::from([lease.id()]);
        let sound = world.held.iter().filter(|held| !held.lease.is_revoked());
        if !lease.is_revoked() && !sound.map(|held| held.lease.id()).all(|id| ids.insert(id)) {
            world.wrong(|| "lent to two callers".to_owned());
        }
    }

    /// One who must have been served before this one was: where nothing is pinged, a tenant's callers are served in the
    /// order of asking.
    pub(super) fn before_it(world: &World, asked: &Asking) -> Option<usize> {
        let (_, order) = asked.began?;
        let exempt = asked.request.chain != 0 || !asked.eager || world.options.pool_pre_ping;
        world.asking.iter().position(|other| {
            let earlier = other.began.is_some_and(|(_, before)| before < order);
            !exempt && earlier && other.eager && other.tenant == asked.tenant
        })
    }

    /// After all trouble has ended and everybody has let go.
    pub(super) fn at_rest(&mut self, world: &mut World) {
        self.check(world, &Step::Retire);
        let stats = world.pool.stats();
        if (stats.checked_in, stats.waiting) != (stats.total(), 0) {
            world.wrong(|| "not all is idle at rest".to_owned());
        }
        if world.script.open() != stats.total() {
            world.wrong(|| "the server sees others at rest".to_owned());
        }
        let tenants = world.pool.tenants();
        if !tenants.is_empty() {
            world.wrong(|| format!("not forgotten: {tenants:?}"));
        }
    }
}
