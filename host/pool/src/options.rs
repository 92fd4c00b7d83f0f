//! The pool's settings with their units and defaults; reading them from anywhere belongs to the caller.

use std::time::Duration;

/// How many connections a pool keeps, opens and waits for, under SQLAlchemy's names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Connections kept open. Default 5; 0 is unlimited, and every connection is kept.
    pub pool_size: u32,
    /// Connections opened beyond `pool_size` under load, closed when returned. Default 10; -1 is unlimited.
    pub max_overflow: i32,
    /// How long a caller waits for a connection, connecting and pinging included. Default 30 s.
    pub pool_timeout: Duration,
    /// Whether connections are pinged before they are lent. Default true.
    pub pool_pre_ping: bool,
    /// Connections idle longer than this are pinged before they are lent. Default 500 ms; 0 is every time.
    pub pool_pre_ping_idle: Duration,
    /// Connections older than this are replaced instead of lent or kept, idle ones in the background. Each has up to
    /// 2.5 % less, at random, so that those opened together do not end together. Default 1 h; `None` is never.
    pub pool_recycle: Option<Duration>,
    /// Connections idle for longer than this are closed. Default `None`: never.
    pub pool_idle_timeout: Option<Duration>,
    /// A lease held for longer than this is logged with its holder, call chain and statement. Default 5 s; `None` is
    /// never.
    pub long_lease_warning: Option<Duration>,
    /// A lease held for longer than this is revoked: its statement is cancelled and its connection closed. A
    /// request can ask for less. Default 10 min; `None` is never.
    pub lease_timeout: Option<Duration>,
    /// How long opening one connection may take. Default 10 s.
    pub connect_timeout: Duration,
    /// How long one ping may take before the connection counts as dead. Default 5 s.
    pub ping_timeout: Duration,
    /// How long one reset may take before the connection is closed instead. Default 5 s.
    pub reset_timeout: Duration,
    /// How long cancelling or closing one connection may take before it is dropped instead. Default 5 s.
    pub close_timeout: Duration,
}

impl Options {
    /// The most connections ever open at once: `pool_size` and `max_overflow` together, or `None` if either is
    /// unlimited.
    pub fn maximum(&self) -> Option<u32> {
        if self.pool_size == 0 {
            return None;
        }
        let overflow = u32::try_from(self.max_overflow).ok()?;
        Some(self.pool_size.saturating_add(overflow))
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            pool_size: 5,
            max_overflow: 10,
            pool_timeout: Duration::from_secs(30),
            pool_pre_ping: true,
            pool_pre_ping_idle: Duration::from_millis(500),
            pool_recycle: Some(Duration::from_secs(3600)),
            pool_idle_timeout: None,
            long_lease_warning: Some(Duration::from_secs(5)),
            lease_timeout: Some(Duration::from_secs(600)),
            connect_timeout: Duration::from_secs(10),
            ping_timeout: Duration::from_secs(5),
            reset_timeout: Duration::from_secs(5),
            close_timeout: Duration::from_secs(5),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maximum_is_the_sum_unless_either_is_unlimited() {
        for (pool_size, max_overflow, expected) in [
            (5, 10, Some(15)),
            (5, 0, Some(5)),
            (5, -1, None),
            (0, 10, None),
            (0, -1, None),
            (u32::MAX, 1, Some(u32::MAX)),
        ] {
            let options = Options {
                pool_size,
                max_overflow,
                ..Options::default()
            };
            assert_eq!(options.maximum(), expected, "{pool_size} + {max_overflow}");
        }
    }
}
