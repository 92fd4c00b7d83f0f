//! Trades when the average of the last few closes crosses the average of more of them; sizes and prices of orders
//! are not its business.

use poolhouse::strategy::{Bar, Description, Parameters, PerSymbol, Signal, Strategy, Window};

/// Most bars of the slow average; what is remembered of a symbol is at most twice as many numbers.
const MAX_BARS: usize = 10_000;

/// Buys when the fast average rises above the slow one, sells when it falls below.
#[derive(Debug)]
pub struct MovingAverage {
    fast: usize,
    slow: usize,
    seen: PerSymbol<Seen>,
}

/// What is remembered of one symbol.
#[derive(Debug)]
struct Seen {
    closes: Window,
    /// Fast average minus slow average at the bar before; none until there is a slow average.
    difference: Option<f64>,
}

impl Strategy for MovingAverage {
    fn describe() -> Description {
        Description::new(
            "Buys when the fast moving average of closes crosses above the slow one, sells when it crosses below.",
        )
        .integer("fast", "Bars of the fast average; fewer than slow")
        .range(1, MAX_BARS - 1)
        .integer("slow", "Bars of the slow average")
        .range(2, MAX_BARS)
    }

    fn new(parameters: &Parameters) -> Result<Self, String> {
        let fast: usize = parameters.integer("fast")?;
        let slow: usize = parameters.integer("slow")?;
        if fast < 1 {
            return Err("parameter `fast` is 0; it must be 1 or more".to_owned());
        }
        if slow <= fast {
            return Err(format!(
                "parameter `fast` is {fast} and `slow` is {slow}; fast must be less than slow"
            ));
        }
        if slow > MAX_BARS {
            return Err(format!(
                "parameter `slow` is {slow}; it must be {MAX_BARS} or less"
            ));
        }
        Ok(Self {
            fast,
            slow,
            seen: PerSymbol::default(),
        })
    }

    fn warm_up_bars(&self) -> u32 {
        // `slow` closes give the window and with it the newest difference; one bar more repeats the newest signal too.
        self.slow as u32 + 1
    }

    fn on_bar(&mut self, bar: &Bar) -> Result<Vec<Signal>, String> {
        let seen = self.seen.of(&bar.symbol, || Seen {
            closes: Window::new(self.slow),
            difference: None,
        });
        seen.closes.push(bar.close);
        let averages = seen
            .closes
            .mean_of_newest(self.fast)
            .zip(seen.closes.mean_of_newest(self.slow));
        let Some((fast, slow)) = averages else {
            return Ok(Vec::new());
        };
        let difference = fast - slow;
        Ok(match seen.difference.replace(difference) {
            Some(before) if before <= 0.0 && difference > 0.0 => vec![Signal::buy()],
            Some(before) if before >= 0.0 && difference < 0.0 => vec![Signal::sell()],
            _ => Vec::new(),
        })
    }
}

poolhouse::export_strategy!(MovingAverage);

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that finds no value has failed")]
mod tests {
    use super::*;
    use poolhouse::strategy::Side;

    fn bar(symbol: &str, time: usize, close: f64) -> Bar {
        Bar {
            symbol: symbol.to_owned(),
            time: time as i64,
            open: close,
            high: close,
            low: close,
            close,
            volume: 1.0,
        }
    }

    fn strategy(fast: usize, slow: usize) -> MovingAverage {
        let parameters = [("fast", fast.to_string()), ("slow", slow.to_string())];
        MovingAverage::new(&Parameters::from_iter(parameters)).unwrap()
    }

    fn signals(strategy: &mut MovingAverage, symbol: &str, closes: &[f64]) -> Vec<Option<Side>> {
        let one = |(time, close): (usize, &f64)| {
            let signals = strategy.on_bar(&bar(symbol, time, *close)).unwrap();
            assert!(signals.len() <= 1);
            signals.first().map(|signal| signal.side)
        };
        closes.iter().enumerate().map(one).collect()
    }

    /// The definition, bar by bar over the whole series, with nothing remembered.
    fn naive(fast: usize, slow: usize, closes: &[f64]) -> Vec<Option<Side>> {
        let difference = |end: usize| {
            let mean = |bars: usize| {
                let mut sum = 0.0;
                for close in &closes[end - bars..end] {
                    sum += close;
                }
                sum / bars as f64
            };
            (end >= slow).then(|| mean(fast) - mean(slow))
        };
        (1..=closes.len())
            .map(|end| match (difference(end - 1), difference(end)) {
                (Some(before), Some(now)) if before <= 0.0 && now > 0.0 => Some(Side::Buy),
                (Some(before), Some(now)) if before >= 0.0 && now < 0.0 => Some(Side::Sell),
                _ => None,
            })
            .collect()
    }

    /// A walk whose steps are multiples of 0.01, or of 0.5 so that averages are often equal.
    fn walk(seed: u64, step: f64, bars: usize) -> Vec<f64> {
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let mut close = 100.0;
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            close += ((state >> 33) % 9) as f64 * step - 4.0 * step;
            close
        };
        (0..bars).map(|_| next()).collect()
    }

    #[test]
    fn it_trades_at_crossings_only() {
        let closes = [3.0, 2.0, 1.0, 4.0, 4.0, 4.0, 1.0, 1.0];
        let (buy, sell) = (Some(Side::Buy), Some(Side::Sell));
        assert_eq!(
            signals(&mut strategy(1, 3), "A", &closes),
            [None, None, None, buy, None, None, sell, None]
        );
    }

    #[test]
    fn it_agrees_with_the_definition_on_random_series() {
        let mut trades = 0;
        for seed in 0..40 {
            for (fast, slow) in [(1, 2), (1, 3), (2, 5), (3, 4), (5, 20), (10, 30), (7, 64)] {
                let closes = walk(seed, if seed % 2 == 0 { 0.01 } else { 0.5 }, 400);
                let expected = naive(fast, slow, &closes);
                trades += expected.iter().flatten().count();
                assert_eq!(signals(&mut strategy(fast, slow), "A", &closes), expected);
            }
        }
        assert!(trades > 1_000, "{trades}");
    }

    #[test]
    fn symbols_are_kept_apart() {
        let (a, b) = (walk(1, 0.01, 300), walk(2, 0.01, 300));
        let mut both = strategy(3, 8);
        let mut mixed = (Vec::new(), Vec::new());
        for (time, (a, b)) in a.iter().zip(&b).enumerate() {
            mixed.0.extend(both.on_bar(&bar("A", time, *a)).unwrap());
            mixed.1.extend(both.on_bar(&bar("B", time, *b)).unwrap());
        }
        let alone = |closes| {
            naive(3, 8, closes)
                .into_iter()
                .flatten()
                .collect::<Vec<_>>()
        };
        let sides = |signals: Vec<Signal>| signals.iter().map(|s| s.side).collect::<Vec<_>>();
        assert_eq!((sides(mixed.0), sides(mixed.1)), (alone(&a), alone(&b)));
    }

    #[test]
    fn the_warm_up_rebuilds_everything() {
        let closes = walk(3, 0.01, 600);
        for (fast, slow) in [(1, 2), (4, 9), (10, 30)] {
            let all = naive(fast, slow, &closes);
            for end in (slow + 1..closes.len()).step_by(17) {
                let mut late = strategy(fast, slow);
                let start = end - late.warm_up_bars() as usize;
                signals(&mut late, "A", &closes[start..end]);
                assert_eq!(signals(&mut late, "A", &closes[end..]), all[end..]);
            }
        }
    }

    #[test]
    fn wrong_parameters_are_sentences() {
        let error = |fast: &str, slow: &str| {
            MovingAverage::new(&Parameters::from_iter([("fast", fast), ("slow", slow)]))
                .unwrap_err()
        };
        assert!(error("30", "10").contains("fast must be less than slow"));
        assert!(error("10", "10").contains("fast must be less than slow"));
        assert!(error("0", "10").contains("1 or more"));
        assert!(error("1", "10001").contains("10000 or less"));
        assert!(error("ten", "30").contains("`fast` is `ten`"));
    }
}
