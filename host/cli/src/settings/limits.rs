//! `[limits]`, and the same of one plugin: what it may use at most.

use std::time::Duration;

use poolhouse_runtime::Limits;
use serde::Deserialize;

use super::units::{Bytes, Time, at_least_one, must_end};

/// The defaults are the runtime's ([`Limits`]), where each is explained.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, expecting = "a table of settings")]
pub(super) struct LimitsSection {
    memory: Option<Bytes>,
    table_elements: Option<usize>,
    call_timeout: Option<Time>,
    connections: Option<u32>,
    reserved_connections: Option<u32>,
    rows: Option<u64>,
    bytes: Option<Bytes>,
    statement_timeout: Option<Time>,
    transaction_timeout: Option<Time>,
    handles: Option<u32>,
    call_depth: Option<u32>,
    call_bytes: Option<Bytes>,
    concurrent_calls: Option<usize>,
    /// 0 = a call that finds the plugin busy is refused at once.
    waiting_calls: Option<usize>,
    instances: Option<usize>,
    /// 0 = every call gets a new instance.
    warm_instances: Option<usize>,
    warm_idle: Option<Time>,
    drain_timeout: Option<Time>,
    log_lines: Option<u32>,
    log_line_bytes: Option<Bytes>,
}

impl LimitsSection {
    pub(super) fn check(&self) -> anyhow::Result<()> {
        for (name, time) in [
            ("call_timeout", self.call_timeout),
            ("statement_timeout", self.statement_timeout),
            ("transaction_timeout", self.transaction_timeout),
            ("warm_idle", self.warm_idle),
            ("drain_timeout", self.drain_timeout),
        ] {
            must_end(name, time)?;
        }
        let count = |number: Option<usize>| number.and_then(|number| u64::try_from(number).ok());
        for (name, number) in [
            ("memory", self.memory.map(|bytes| bytes.0)),
            ("table_elements", count(self.table_elements)),
            ("connections", self.connections.map(u64::from)),
            ("rows", self.rows),
            ("bytes", self.bytes.map(|bytes| bytes.0)),
            ("handles", self.handles.map(u64::from)),
            ("call_depth", self.call_depth.map(u64::from)),
            ("call_bytes", self.call_bytes.map(|bytes| bytes.0)),
            ("concurrent_calls", count(self.concurrent_calls)),
            ("instances", count(self.instances)),
            ("log_lines", self.log_lines.map(u64::from)),
            ("log_line_bytes", self.log_line_bytes.map(|bytes| bytes.0)),
        ] {
            at_least_one(name, number)?;
        }
        Ok(())
    }

    /// What is given here, and the rest of what is under it.
    pub(super) fn over(&self, under: &Limits) -> Limits {
        Limits {
            memory: bytes(self.memory, under.memory),
            table_elements: self.table_elements.unwrap_or(under.table_elements),
            call_timeout: time(self.call_timeout, under.call_timeout),
            connections: self.connections.unwrap_or(under.connections),
            reserved_connections: self
                .reserved_connections
                .unwrap_or(under.reserved_connections),
            rows: self.rows.unwrap_or(under.rows),
            bytes: self.bytes.map_or(under.bytes, |bytes| bytes.0),
            statement_timeout: time(self.statement_timeout, under.statement_timeout),
            transaction_timeout: time(self.transaction_timeout, under.transaction_timeout),
            handles: self.handles.unwrap_or(under.handles),
            call_depth: self.call_depth.unwrap_or(under.call_depth),
            call_bytes: bytes(self.call_bytes, under.call_bytes),
            concurrent_calls: self.concurrent_calls.unwrap_or(under.concurrent_calls),
            waiting_calls: self.waiting_calls.unwrap_or(under.waiting_calls),
            instances: self.instances.unwrap_or(under.instances),
            warm_instances: self.warm_instances.unwrap_or(under.warm_instances),
            warm_idle: time(self.warm_idle, under.warm_idle),
            drain_timeout: time(self.drain_timeout, under.drain_timeout),
            log_lines: self.log_lines.unwrap_or(under.log_lines),
            log_line_bytes: bytes(self.log_line_bytes, under.log_line_bytes),
        }
    }
}

fn bytes(given: Option<Bytes>, under: usize) -> usize {
    given.map_or(under, |bytes| {
        usize::try_from(bytes.0).unwrap_or(usize::MAX)
    })
}

fn time(given: Option<Time>, under: Duration) -> Duration {
    given.and_then(|time| time.0).unwrap_or(under)
}
