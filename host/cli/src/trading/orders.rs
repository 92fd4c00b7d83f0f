//! What an order of a signal is: its client order id and its price.

use poolhouse_runtime::trading::{Bar, Order, Signal, Subscriber};

/// The orders that a row's signals on one bar ask for: one for each signal and subscriber, in that order.
pub(crate) fn of_signals(
    strategy: &str,
    bar: &Bar,
    signals: &[Signal],
    subscribers: &[Subscriber],
) -> impl Iterator<Item = Order> {
    let price = price(bar.close);
    signals.iter().enumerate().flat_map(move |(index, signal)| {
        let price = price.clone();
        subscribers.iter().map(move |subscriber| Order {
            client_order_id: client_order_id(
                strategy,
                &subscriber.user_id,
                &bar.symbol,
                bar.time,
                index,
            ),
            user_id: subscriber.user_id.clone(),
            strategy_id: strategy.to_owned(),
            symbol: bar.symbol.clone(),
            side: signal.side,
            quantity: subscriber.quantity.clone(),
            price: price.clone(),
            max_order_value: subscriber.max_order_value.clone(),
            bar_time: bar.time,
        })
    })
}

/// The same signal has the same id for ever, and no other signal has it. `time` is in microseconds since the
/// Unix epoch.
pub(crate) fn client_order_id(
    strategy: &str,
    user: &str,
    symbol: &str,
    time: i64,
    index: usize,
) -> String {
    format!(
        "{}:{}:{}:{time}:{index}",
        escape(strategy),
        escape(user),
        escape(symbol)
    )
}

/// Keeps two different triples of names from giving one id.
fn escape(name: &str) -> String {
    name.replace('%', "%25").replace(':', "%3A")
}

/// The shortest decimal that reads back as `close`, without an exponent.
fn price(close: f64) -> String {
    // -0 and 0 are one price.
    if close == 0.0 {
        "0".to_owned()
    } else {
        close.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_are_the_shortest_that_read_back() {
        for (close, text) in [
            (4.1867, "4.1867"),
            (100.0, "100"),
            (0.1 + 0.2, "0.30000000000000004"),
            (1e21, "1000000000000000000000"),
            (1e-7, "0.0000001"),
            (-0.0, "0"),
            (-37.63, "-37.63"),
        ] {
            assert_eq!(price(close), text);
        }
    }

    #[test]
    fn names_with_the_separator_stay_apart() {
        assert_ne!(
            client_order_id("a:b", "c", "X", 1, 0),
            client_order_id("a", "b:c", "X", 1, 0)
        );
        assert_ne!(
            client_order_id("a%3A", "c", "X", 1, 0),
            client_order_id("a:", "c", "X", 1, 0)
        );
        assert_eq!(
            client_order_id("ma-aapl", "alice", "AAPL", 5, 1),
            "ma-aapl:alice:AAPL:5:1"
        );
    }
}
