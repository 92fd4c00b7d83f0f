//! The last bars of every symbol, from which strategies' memories are rebuilt.

use std::collections::{HashMap, VecDeque};

use poolhouse_runtime::trading::Bar;

/// Bars of each symbol that are kept for rows that come later, whatever those there are need.
const FEWEST: usize = 256;
/// Symbols that no row watches, of which bars are kept.
const MOST_UNWATCHED: usize = 10_000;

/// Bars in the order of the feed, by symbol.
#[derive(Default)]
pub(crate) struct History {
    bars: HashMap<String, VecDeque<(u64, Bar)>>,
    /// The number of the last bar.
    fed: u64,
    keep: usize,
}

impl History {
    /// Keeps so many of each symbol from now on, if that is more than before.
    pub(super) fn keep(&mut self, bars: usize) {
        self.keep = self.keep.max(bars);
    }

    /// The number of the bar that comes next.
    pub(super) fn next(&self) -> u64 {
        self.fed + 1
    }

    /// Remembers the bar that came.
    pub(super) fn add(&mut self, bar: Bar, is_watched: bool) {
        self.fed += 1;
        let symbols = self.bars.len();
        if !self.bars.contains_key(&bar.symbol) {
            if !is_watched && symbols >= MOST_UNWATCHED {
                return;
            }
            self.bars.insert(bar.symbol.clone(), VecDeque::new());
        }
        let Some(bars) = self.bars.get_mut(&bar.symbol) else {
            return;
        };
        while bars.len() >= self.keep.max(FEWEST) {
            bars.pop_front();
        }
        bars.push_back((self.fed, bar));
    }

    /// The last `most` bars of each of the symbols with their numbers, in the order of the feed, without those that `skips` names.
    pub(super) fn last(
        &self,
        symbols: &[String],
        most: usize,
        skips: impl Fn(u64) -> bool,
    ) -> Vec<(u64, Bar)> {
        let mut last: Vec<_> = symbols
            .iter()
            .enumerate()
            // One that is named twice is fed once.
            .filter(|(at, symbol)| !symbols.iter().take(*at).any(|before| before == *symbol))
            .filter_map(|(_, symbol)| self.bars.get(symbol))
            .flat_map(|bars| {
                let wanted = bars.iter().rev().filter(|(number, _)| !skips(*number));
                wanted.take(most)
            })
            .collect();
        last.sort_by_key(|(number, _)| *number);
        last.into_iter().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bar(symbol: &str, time: i64) -> Bar {
        Bar {
            symbol: symbol.to_owned(),
            time,
            open: 1.0,
            high: 1.0,
            low: 1.0,
            close: 1.0,
            volume: 1.0,
        }
    }

    #[test]
    fn the_last_bars_come_in_the_order_of_the_feed() {
        let mut history = History::default();
        for time in 1..=1000 {
            let symbol = if time % 2 == 0 { "A" } else { "B" };
            history.add(bar(symbol, time), true);
        }
        let both = ["A".to_owned(), "B".to_owned(), "A".to_owned()];
        let times = |most, skips: fn(u64) -> bool| -> Vec<_> {
            let last = history.last(&both, most, skips);
            last.iter().map(|(_, bar)| bar.time).collect()
        };
        assert_eq!(times(2, |_| false), [997, 998, 999, 1000]);
        assert_eq!(times(2, |number| number == 999), [995, 997, 998, 1000]);
        assert!(times(0, |_| false).is_empty());
        assert_eq!(times(10_000, |_| false).len(), 2 * FEWEST);
    }

    #[test]
    fn more_is_kept_for_a_row_that_needs_it_and_symbols_nobody_watches_are_bounded() {
        let mut history = History::default();
        history.keep(FEWEST + 44);
        for time in 0..1000 {
            history.add(bar("A", time), true);
        }
        assert_eq!(
            history.last(&["A".to_owned()], 10_000, |_| false).len(),
            FEWEST + 44
        );
        for symbol in 0..MOST_UNWATCHED + 10 {
            history.add(bar(&symbol.to_string(), 1000), false);
        }
        assert_eq!(history.bars.len(), MOST_UNWATCHED);
        assert_eq!(history.next(), 1000 + MOST_UNWATCHED as u64 + 11);
    }
}
