//! What one plugin may use, with the defaults; enforced by the parts that own each resource.

use std::time::Duration;

/// The limits of one plugin. Names are those of `[limits]` in host.toml.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of linear memory one instance may have. Past it the guest's allocation fails.
    pub memory: usize,
    /// Elements of all tables of one instance; a pointer's size each. Past it the guest's growth fails.
    pub table_elements: usize,
    /// Wall time of one call, the time inside host functions included.
    pub call_timeout: Duration,
    /// Connections that the plugin's call chains may hold at once.
    pub connections: u32,
    /// As many of them as are kept from other plugins while this one holds fewer.
    pub reserved_connections: u32,
    /// Rows in one answer.
    pub rows: u64,
    /// Bytes in one answer.
    pub bytes: u64,
    /// What one statement may take.
    pub statement_timeout: Duration,
    /// What one transaction may take from its beginning to its end.
    pub transaction_timeout: Duration,
    /// Live session, transaction and cursor handles of one instance; and as many of WASI's.
    pub handles: u32,
    /// How many calls deep in a chain the plugin may be called by another.
    pub call_depth: u32,
    /// Bytes that one call may hand over, to the host or another plugin or back to its caller, as the host holds them; half
    /// for each further call of the chain.
    pub call_bytes: usize,
    /// Calls into the plugin at once.
    pub concurrent_calls: usize,
    /// Calls that may wait for one of those to end; calls from other plugins never wait.
    pub waiting_calls: usize,
    /// Instances alive at once: of calls, of strategy rows, and those kept warm.
    pub instances: usize,
    /// Warm instances kept for the next calls.
    pub warm_instances: usize,
    /// How long a warm instance may be idle before it is dropped.
    pub warm_idle: Duration,
    /// How long calls under way may go on once the plugin is replaced or taken away.
    pub drain_timeout: Duration,
    /// Lines that it may log in a second; what is more is counted, and the count logged.
    pub log_lines: u32,
    /// Bytes of one line that it logs; a longer one is logged in pieces.
    pub log_line_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory: 64 << 20,
            table_elements: 100_000,
            call_timeout: Duration::from_secs(10),
            connections: 5,
            reserved_connections: 0,
            rows: 100_000,
            bytes: 64 << 20,
            statement_timeout: Duration::from_secs(30),
            transaction_timeout: Duration::from_secs(30),
            handles: 1024,
            call_depth: 16,
            call_bytes: 64 << 20,
            concurrent_calls: 32,
            waiting_calls: 1024,
            instances: 10_000,
            warm_instances: 16,
            warm_idle: Duration::from_secs(60),
            drain_timeout: Duration::from_secs(30),
            log_lines: 1_000,
            log_line_bytes: 8 << 10,
        }
    }
}
