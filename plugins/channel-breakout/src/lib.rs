//! Trades when the close leaves the channel between the highest high and the lowest low of the bars before it; sizes
//! and prices of orders are not its business.

use poolhouse::strategy::{Bar, Description, Parameters, PerSymbol, Signal, Strategy, Window};

/// Most bars of the channel; what is remembered of a symbol is at most four times as many numbers.
const MAX_BARS: usize = 10_000;

/// Buys at the first close above the channel, sells at the first close below it.
#[derive(Debug)]
pub struct ChannelBreakout {
    lookback: usize,
    seen: PerSymbol<Seen>,
}

/// What is remembered of one symbol.
#[derive(Debug)]
struct Seen {
    highs: Window,
    lows: Window,
    /// Whether the bar before closed above its own channel.
    above: bool,
    /// Whether the bar before closed below its own channel.
    below: bool,
}

impl Strategy for ChannelBreakout {
    fn describe() -> Description {
        Description::new(
            "Buys when the close breaks above the highest high of the bars before it, sells when it breaks below the lowest low.",
        )
        .integer("lookback", "Bars of the channel, the newest bar not among them")
        .range(1, MAX_BARS)
    }

    fn new(parameters: &Parameters) -> Result<Self, String> {
        let lookback: usize = parameters.integer("lookback")?;
        if !(1..=MAX_BARS).contains(&lookback) {
            return Err(format!(
                "parameter `lookback` is {lookback}; it must be from 1 to {MAX_BARS}"
            ));
        }
        Ok(Self {
            lookback,
            seen: PerSymbol::default(),
        })
    }

    fn warm_up_bars(&self) -> u32 {
        // The channel, and one bar that tells whether the newest one was outside its own.
        self.lookback as u32 + 1
    }

    fn on_bar(&mut self, bar: &Bar) -> Result<Vec<Signal>, String> {
        let seen = self.seen.of(&bar.symbol, || Seen {
            highs: Window::new(self.lookback),
            lows: Window::new(self.lookback),
            above: false,
            below: false,
        });
        let complete = seen.highs.is_full();
        let above = complete && bar.close > seen.highs.maximum();
        let below = complete && bar.close < seen.lows.minimum();
        let mut signals = Vec::new();
        if above && !seen.above {
            signals.push(Signal::buy());
        }
        if below && !seen.below {
            signals.push(Signal::sell());
        }
        seen.highs.push(bar.high);
        seen.lows.push(bar.low);
        seen.above = above;
        seen.below = below;
        Ok(signals)
    }
}

poolhouse::export_strategy!(ChannelBreakout);

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that finds no value has failed")]
mod tests {
    use super::*;
    use poolhouse::strategy::Side;

    /// High, low, close.
    type Prices = (f64, f64, f64);

    fn bar(symbol: &str, time: usize, (high, low, close): Prices) -> Bar {
        Bar {
            symbol: symbol.to_owned(),
            time: time as i64,
            open: close,
            high,
            low,
            close,
            volume: 1.0,
        }
    }

    fn strategy(lookback: usize) -> ChannelBreakout {
        ChannelBreakout::new(&Parameters::from_iter([("lookback", lookback.to_string())])).unwrap()
    }

    fn sides(strategy: &mut ChannelBreakout, symbol: &str, series: &[Prices]) -> Vec<Vec<Side>> {
        let one = |(time, prices): (usize, &Prices)| {
            let signals = strategy.on_bar(&bar(symbol, time, *prices)).unwrap();
            signals.iter().map(|signal| signal.side).collect()
        };
        series.iter().enumerate().map(one).collect()
    }

    /// The definition, bar by bar over the whole series, with nothing remembered.
    fn naive(lookback: usize, series: &[Prices]) -> Vec<Vec<Side>> {
        let above = |i: usize| {
            i >= lookback
                && series[i - lookback..i]
                    .iter()
                    .all(|(high, ..)| series[i].2 > *high)
        };
        let below = |i: usize| {
            i >= lookback
                && series[i - lookback..i]
                    .iter()
                    .all(|(_, low, _)| series[i].2 < *low)
        };
        let mut all = Vec::new();
        for i in 0..series.len() {
            let mut sides = Vec::new();
            if above(i) && !(i > 0 && above(i - 1)) {
                sides.push(Side::Buy);
            }
            if below(i) && !(i > 0 && below(i - 1)) {
                sides.push(Side::Sell);
            }
            all.push(sides);
        }
        all
    }

    /// A walk in steps of 0.5, so that closes are often equal to the channel's edge.
    fn walk(seed: u64, bars: usize) -> Vec<Prices> {
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let mut random = move |below: u64| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            ((state >> 33) % below) as f64 * 0.5
        };
        let mut close = 100.0;
        let mut next = || {
            close += random(9) - 2.0;
            (close + random(3), close - random(3), close)
        };
        (0..bars).map(|_| next()).collect()
    }

    #[test]
    fn only_the_first_close_outside_trades() {
        let flat = |price: f64| (price, price, price);
        let series = [10.0, 10.0, 11.0, 12.0, 12.0, 13.0, 9.0, 8.0].map(flat);
        let (buy, sell) = (vec![Side::Buy], vec![Side::Sell]);
        assert_eq!(
            sides(&mut strategy(2), "A", &series),
            [
                vec![],
                vec![],
                buy.clone(),
                vec![],
                vec![],
                buy,
                sell,
                vec![]
            ]
        );
    }

    #[test]
    fn it_agrees_with_the_definition_on_random_series() {
        let mut trades = 0;
        for seed in 0..40 {
            for lookback in [1, 2, 3, 7, 20, 55] {
                let series = walk(seed, 400);
                let expected = naive(lookback, &series);
                trades += expected.iter().flatten().count();
                assert_eq!(sides(&mut strategy(lookback), "A", &series), expected);
            }
        }
        assert!(trades > 1_000, "{trades}");
    }

    #[test]
    fn symbols_are_kept_apart() {
        let (a, b) = (walk(1, 300), walk(2, 300));
        let mut both = strategy(5);
        let mut mixed = (Vec::new(), Vec::new());
        for (a, b) in a.iter().zip(&b) {
            mixed.0.extend(sides(&mut both, "A", &[*a]));
            mixed.1.extend(sides(&mut both, "B", &[*b]));
        }
        assert_eq!(mixed, (naive(5, &a), naive(5, &b)));
    }

    #[test]
    fn the_warm_up_rebuilds_everything() {
        let series = walk(3, 600);
        for lookback in [1, 4, 20] {
            let all = naive(lookback, &series);
            for end in (lookback + 1..series.len()).step_by(13) {
                let mut late = strategy(lookback);
                let start = end - late.warm_up_bars() as usize;
                sides(&mut late, "A", &series[start..end]);
                assert_eq!(sides(&mut late, "A", &series[end..]), all[end..]);
            }
        }
    }

    #[test]
    fn wrong_parameters_are_sentences() {
        let error = |lookback: &str| {
            ChannelBreakout::new(&Parameters::from_iter([("lookback", lookback)])).unwrap_err()
        };
        assert!(error("0").contains("from 1 to 10000"));
        assert!(error("10001").contains("from 1 to 10000"));
        assert!(error("-1").contains("`lookback` is -1"));
    }
}
