//! What one plugin may use, with the defaults; enforced by the parts that own each resource.

use std::time::Duration;

/// The limits of one plugin. Names are those of `[limits]` in host.toml.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of linear memory one instance may have. Past it the guest's allocation fails.
    pub memory: usize,
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
    /// Live session, transaction and cursor handles of one instance.
    pub handles: u32,
    /// How many calls deep in a chain the plugin may be called by another.
    pub call_depth: u32,
    /// Warm instances kept for the next calls.
    pub instances: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory: 64 << 20,
            call_timeout: Duration::from_secs(10),
            connections: 5,
            reserved_connections: 0,
            rows: 100_000,
            bytes: 64 << 20,
            handles: 1024,
            call_depth: 16,
            instances: 16,
        }
    }
}
