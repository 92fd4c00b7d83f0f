//! The orders that a feed must lead to, worked out from the definitions with nothing of the host's.

use std::collections::HashMap;

/// One bar of a feed.
#[derive(Debug, Clone)]
pub struct Bar {
    /// The symbol.
    pub symbol: String,
    /// As the feed has it.
    pub time: String,
    /// The close as the feed has it.
    pub close_text: String,
    /// Open, high, low, close.
    pub prices: [f64; 4],
}

/// The bars of CSV text whose header is `symbol,time,open,high,low,close,volume`.
pub fn bars(csv: &str) -> Vec<Bar> {
    csv.lines()
        .skip(1)
        .map(|line| {
            let fields: Vec<_> = line.split(',').collect();
            let price = |at: usize| fields[at].parse().unwrap_or(f64::NAN);
            Bar {
                symbol: fields[0].to_owned(),
                time: fields[1].to_owned(),
                close_text: fields[5].to_owned(),
                prices: [price(2), price(3), price(4), price(5)],
            }
        })
        .collect()
}

/// `buy`, `sell` or nothing at the last of these closes.
pub fn moving_average(fast: usize, slow: usize, closes: &[f64]) -> Option<&'static str> {
    let d = |closes: &[f64]| {
        let mean = |n: usize| closes[closes.len() - n..].iter().sum::<f64>() / n as f64;
        (closes.len() >= slow).then(|| mean(fast) - mean(slow))
    };
    let (previous, now) = (d(&closes[..closes.len() - 1])?, d(closes)?);
    if previous <= 0.0 && now > 0.0 {
        Some("buy")
    } else if previous >= 0.0 && now < 0.0 {
        Some("sell")
    } else {
        None
    }
}

/// `buy`, `sell` or nothing at the last of these bars.
pub fn channel_breakout(lookback: usize, bars: &[[f64; 4]]) -> Option<&'static str> {
    let beyond = |end: usize| {
        if end <= lookback {
            return (false, false);
        }
        let channel = &bars[end - 1 - lookback..end - 1];
        let close = bars[end - 1][3];
        (
            channel.iter().all(|bar| close > bar[1]),
            channel.iter().all(|bar| close < bar[2]),
        )
    };
    let (above, below) = beyond(bars.len());
    let (was_above, was_below) = if bars.len() > 1 {
        beyond(bars.len() - 1)
    } else {
        (false, false)
    };
    if above && !was_above {
        Some("buy")
    } else if below && !was_below {
        Some("sell")
    } else {
        None
    }
}

/// A strategy row of a test's seed.
#[derive(Debug, Clone)]
pub struct Strategy {
    /// Its id.
    pub id: &'static str,
    /// What it watches.
    pub symbols: &'static [&'static str],
    /// What it does.
    pub rule: Rule,
}

/// What a strategy row does.
#[derive(Debug, Clone, Copy)]
pub enum Rule {
    /// Moving average: fast, slow.
    MovingAverage(usize, usize),
    /// Channel breakout: lookback.
    ChannelBreakout(usize),
}

/// A subscription of an active user: user, strategy row, quantity, and the user's largest order value.
pub type Subscription = (&'static str, &'static str, u64, u64);

/// The orders as `House::orders` reads them, but for the reasons of rejections: those are `?`.
pub fn orders(
    bars: &[Bar],
    strategies: &[Strategy],
    subscriptions: &[Subscription],
) -> Vec<Vec<String>> {
    let mut seen: HashMap<&str, Vec<[f64; 4]>> = HashMap::new();
    let mut orders = Vec::new();
    for bar in bars {
        let seen = seen.entry(&bar.symbol).or_default();
        seen.push(bar.prices);
        for strategy in strategies
            .iter()
            .filter(|strategy| strategy.symbols.contains(&bar.symbol.as_str()))
        {
            let side = match strategy.rule {
                Rule::MovingAverage(fast, slow) => {
                    let closes: Vec<_> = seen[seen.len().saturating_sub(slow + 1)..]
                        .iter()
                        .map(|bar| bar[3])
                        .collect();
                    moving_average(fast, slow, &closes)
                }
                Rule::ChannelBreakout(lookback) => {
                    channel_breakout(lookback, &seen[seen.len().saturating_sub(lookback + 2)..])
                }
            };
            let Some(side) = side else {
                continue;
            };
            for (user, _, quantity, limit) in subscriptions
                .iter()
                .filter(|(_, row, ..)| *row == strategy.id)
            {
                let rejected = *quantity as f64 * bar.prices[3] > *limit as f64;
                orders.push(vec![
                    order_id(strategy.id, user, bar),
                    (*user).to_owned(),
                    strategy.id.to_owned(),
                    bar.symbol.clone(),
                    side.to_owned(),
                    quantity.to_string(),
                    // The shortest decimal that reads back as the close.
                    bar.prices[3].to_string(),
                    if rejected { "rejected" } else { "placed" }.to_owned(),
                    if rejected { "?" } else { "" }.to_owned(),
                    bar.time.replace('Z', ".000000Z"),
                ]);
            }
        }
    }
    orders.sort();
    orders
}

fn order_id(strategy: &str, user: &str, bar: &Bar) -> String {
    format!(
        "{strategy}:{user}:{}:{}:0",
        bar.symbol,
        microseconds(&bar.time)
    )
}

/// Of midnight, `2000-03-01T00:00:00Z`, by counting days.
fn microseconds(time: &str) -> i64 {
    let part = |from: usize, to: usize| time[from..to].parse::<i64>().unwrap_or_default();
    let (year, month, day) = (part(0, 4), part(5, 7), part(8, 10));
    let leap = |year: i64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days_before: i64 = (1970..year)
        .map(|year| if leap(year) { 366 } else { 365 })
        .sum();
    let months = [
        31,
        if leap(year) { 29 } else { 28 },
        31,
        30,
        31,
        30,
        31,
        31,
        30,
        31,
        30,
        31,
    ];
    let days = days_before + months[..month as usize - 1].iter().sum::<i64>() + day - 1;
    days * 86_400 * 1_000_000
}
