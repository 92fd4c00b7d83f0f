//! Keeps what a strategy remembers apart by symbol; what that is, the strategy says.

/// One `T` for each symbol seen so far.
///
/// A sorted list, for a row watches few symbols and a hash map would make the component import a source of random
/// numbers.
#[derive(Debug, Clone)]
pub struct PerSymbol<T>(Vec<(Box<str>, T)>);

impl<T> PerSymbol<T> {
    /// The symbol's own `T`, made by `new` when the symbol is seen for the first time.
    pub fn of(&mut self, symbol: &str, new: impl FnOnce() -> T) -> &mut T {
        let index = match self.0.binary_search_by(|(name, _)| (**name).cmp(symbol)) {
            Ok(index) => index,
            Err(index) => {
                self.0.insert(index, (symbol.into(), new()));
                index
            }
        };
        &mut self.0[index].1
    }
}

impl<T> Default for PerSymbol<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symbols_do_not_share() {
        let mut counts = PerSymbol::default();
        for symbol in ["MSFT", "AAPL", "MSFT", "IBM", "MSFT", "AAPL"] {
            *counts.of(symbol, || 0) += 1;
        }
        let count = |counts: &mut PerSymbol<i32>, symbol| *counts.of(symbol, || 0);
        assert_eq!(
            ["AAPL", "FB", "IBM", "MSFT"].map(|symbol| count(&mut counts, symbol)),
            [2, 0, 1, 3]
        );
    }
}
