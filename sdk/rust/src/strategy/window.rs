//! The last few numbers of a series; what they mean is the strategy's.

/// The last `length` numbers pushed, oldest first, in one slice.
#[derive(Debug, Clone)]
pub struct Window {
    /// Up to twice `length` numbers, so that most pushes move nothing.
    numbers: Vec<f64>,
    length: usize,
}

impl Window {
    /// An empty window over `length` numbers; a length of 0 is taken as 1.
    pub fn new(length: usize) -> Self {
        Self {
            numbers: Vec::new(),
            length: length.max(1),
        }
    }

    /// Adds the newest number; the oldest goes when the window is full.
    pub fn push(&mut self, number: f64) {
        if self.numbers.len() == 2 * self.length {
            self.numbers.copy_within(self.length + 1.., 0);
            self.numbers.truncate(self.length - 1);
        }
        self.numbers.push(number);
    }

    /// Whether `length` numbers are there.
    pub fn is_full(&self) -> bool {
        self.numbers.len() >= self.length
    }

    /// The numbers, oldest first; fewer than `length` until the window is full.
    pub fn as_slice(&self) -> &[f64] {
        self.newest(self.length)
    }

    /// The newest `count` numbers, oldest first; fewer while fewer are there.
    pub fn newest(&self, count: usize) -> &[f64] {
        let count = count.min(self.length);
        &self.numbers[self.numbers.len().saturating_sub(count)..]
    }

    /// The sum, taken afresh and oldest first, so that it depends on nothing that has left the window.
    pub fn sum(&self) -> f64 {
        sum(self.as_slice())
    }

    /// The largest number; negative infinity of an empty window.
    pub fn maximum(&self) -> f64 {
        self.as_slice()
            .iter()
            .copied()
            .fold(f64::NEG_INFINITY, f64::max)
    }

    /// The smallest number; infinity of an empty window.
    pub fn minimum(&self) -> f64 {
        self.as_slice()
            .iter()
            .copied()
            .fold(f64::INFINITY, f64::min)
    }

    /// The mean of the newest `count` numbers, summed afresh and oldest first; none while fewer are there.
    pub fn mean_of_newest(&self, count: usize) -> Option<f64> {
        let newest = self.newest(count);
        (count > 0 && newest.len() == count).then(|| sum(newest) / count as f64)
    }
}

fn sum(numbers: &[f64]) -> f64 {
    numbers.iter().fold(0.0, |sum, number| sum + number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_is_the_end_of_the_series() {
        let series: Vec<f64> = (0..50)
            .map(|i| f64::from((i * 7919) % 101) - 50.0)
            .collect();
        for length in 1..8 {
            let mut window = Window::new(length);
            assert!(!window.is_full() && window.as_slice().is_empty());
            for (i, number) in series.iter().enumerate() {
                window.push(*number);
                let end = &series[(i + 1).saturating_sub(length)..=i];
                assert_eq!(window.as_slice(), end);
                assert_eq!(window.is_full(), end.len() == length);
                assert_eq!(window.sum(), end.iter().sum::<f64>());
                assert_eq!(
                    window.maximum(),
                    end.iter().copied().fold(f64::MIN, f64::max)
                );
                assert_eq!(
                    window.minimum(),
                    end.iter().copied().fold(f64::MAX, f64::min)
                );
                assert_eq!(window.newest(2), &end[end.len().saturating_sub(2)..]);
                assert_eq!(window.mean_of_newest(length).is_some(), end.len() == length);
                assert_eq!(window.mean_of_newest(length + 1), None);
            }
        }
    }

    #[test]
    fn memory_does_not_grow_with_the_series() {
        let mut window = Window::new(30);
        (0..10_000).for_each(|i| window.push(f64::from(i)));
        assert!(
            window.numbers.capacity() <= 128,
            "{}",
            window.numbers.capacity()
        );
    }
}
