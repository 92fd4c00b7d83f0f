//! `[database]`: where the database is, and how its one pool behaves.

use std::time::Duration;

use anyhow::{Context, bail};
use poolhouse_database::DatabaseUrl;
use serde::Deserialize;

use super::units::{Time, must_end};

const DEFAULT_URL: &str = "sqlite://poolhouse.db";

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, expecting = "a table of settings")]
pub(super) struct DatabaseSection {
    pub(super) url: Option<String>,
    pub(super) pool_size: Option<u32>,
    pub(super) max_overflow: Option<i32>,
    pub(super) pool_timeout: Option<Time>,
    pub(super) pool_pre_ping: Option<bool>,
    pub(super) pool_pre_ping_idle: Option<Time>,
    /// -1 = never, as in SQLAlchemy; so with the next three.
    pub(super) pool_recycle: Option<Time>,
    pub(super) pool_idle_timeout: Option<Time>,
    pub(super) long_lease_warning: Option<Time>,
    pub(super) lease_timeout: Option<Time>,
    pub(super) connect_timeout: Option<Time>,
    pub(super) busy_timeout: Option<Time>,
    pub(super) echo: Option<bool>,
}

impl DatabaseSection {
    pub(super) fn over(self, under: Self) -> Self {
        Self {
            url: self.url.or(under.url),
            pool_size: self.pool_size.or(under.pool_size),
            max_overflow: self.max_overflow.or(under.max_overflow),
            pool_timeout: self.pool_timeout.or(under.pool_timeout),
            pool_pre_ping: self.pool_pre_ping.or(under.pool_pre_ping),
            pool_pre_ping_idle: self.pool_pre_ping_idle.or(under.pool_pre_ping_idle),
            pool_recycle: self.pool_recycle.or(under.pool_recycle),
            pool_idle_timeout: self.pool_idle_timeout.or(under.pool_idle_timeout),
            long_lease_warning: self.long_lease_warning.or(under.long_lease_warning),
            lease_timeout: self.lease_timeout.or(under.lease_timeout),
            connect_timeout: self.connect_timeout.or(under.connect_timeout),
            busy_timeout: self.busy_timeout.or(under.busy_timeout),
            echo: self.echo.or(under.echo),
        }
    }

    /// Whether every value makes sense.
    ///
    /// # Errors
    /// One sentence with section and key.
    pub(super) fn check(&self) -> anyhow::Result<()> {
        let checked = || {
            if let Some(overflow) = self.max_overflow.filter(|overflow| *overflow < -1) {
                bail!(
                    "max_overflow is {overflow}: give the connections beyond pool_size, or -1 for no limit"
                );
            }
            must_end("pool_timeout", self.pool_timeout)?;
            must_end("connect_timeout", self.connect_timeout)?;
            for (name, time) in [
                ("busy_timeout", self.busy_timeout),
                ("pool_pre_ping_idle", self.pool_pre_ping_idle),
            ] {
                // 0 means something here: not at all, and every time.
                if time == Some(Time(None)) {
                    must_end(name, time)?;
                }
            }
            for (name, time) in [
                ("pool_idle_timeout", self.pool_idle_timeout),
                ("long_lease_warning", self.long_lease_warning),
                ("lease_timeout", self.lease_timeout),
            ] {
                if time == Some(Time(Some(Duration::ZERO))) {
                    bail!(
                        "{name} is 0, which leaves no time at all: give a time such as \"30s\", or -1 for never"
                    );
                }
            }
            Ok(())
        };
        checked().context("[database]")
    }

    /// What was checked, over the defaults.
    pub(super) fn settings(self) -> anyhow::Result<poolhouse_database::Settings> {
        let url = self.url.as_deref().unwrap_or(DEFAULT_URL);
        let url = DatabaseUrl::parse(url).context(
            "the database `url` ([database] in host.toml, DATABASE_URL or --database-url)",
        )?;
        let mut pool = poolhouse_database::PoolOptions::default();
        if let Some(size) = self.pool_size {
            pool.pool_size = size;
        }
        if let Some(overflow) = self.max_overflow {
            pool.max_overflow = overflow;
        }
        set(&mut pool.pool_timeout, self.pool_timeout);
        set(&mut pool.pool_pre_ping_idle, self.pool_pre_ping_idle);
        // A setting of one's own goes before libpq's parameter of the same name.
        let connect_timeout = self
            .connect_timeout
            .or(url.connect_timeout().map(|time| Time(Some(time))));
        set(&mut pool.connect_timeout, connect_timeout);
        if let Some(ping) = self.pool_pre_ping {
            pool.pool_pre_ping = ping;
        }
        for (target, value) in [
            (&mut pool.pool_recycle, self.pool_recycle),
            (&mut pool.pool_idle_timeout, self.pool_idle_timeout),
            (&mut pool.long_lease_warning, self.long_lease_warning),
            (&mut pool.lease_timeout, self.lease_timeout),
        ] {
            if let Some(value) = value {
                *target = value.0;
            }
        }
        let mut busy_timeout = Duration::from_secs(5);
        set(&mut busy_timeout, self.busy_timeout);
        Ok(poolhouse_database::Settings {
            url,
            pool,
            busy_timeout,
            echo: self.echo.unwrap_or(false),
        })
    }
}

/// Takes a time that is given and ends.
fn set(target: &mut Duration, value: Option<Time>) {
    if let Some(Time(Some(value))) = value {
        *target = value;
    }
}
