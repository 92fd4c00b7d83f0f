//! Buys when the close is higher than `memory` bars ago, and fails at the closes it is told to.

use std::collections::VecDeque;
use std::hint::black_box;

use poolhouse::strategy::{Bar, Description, Parameters, PerSymbol, Signal, Strategy};

/// What the strategy does at a bar that it is to fail at.
#[derive(Debug, Clone, Copy)]
enum Fault {
    Trap,
    Spin,
    Error,
}

/// The strategy.
#[derive(Debug)]
pub struct FaultyStrategy {
    fault: Fault,
    /// Fails at bars whose open is one of these.
    at: Vec<f64>,
    memory: usize,
    closes: PerSymbol<VecDeque<f64>>,
}

impl Strategy for FaultyStrategy {
    fn describe() -> Description {
        Description::new("Fails at the opens it is told to.")
            .text("fault", "trap, spin or error")
            .default("trap")
            .text("at", "The opens to fail at, with spaces between")
            .default("")
            .integer("memory", "How many bars ago a close is compared with")
            .range(1, 1000)
            .default(3)
    }

    fn new(parameters: &Parameters) -> Result<Self, String> {
        let fault: String = parameters.text("fault")?.into();
        let at: String = parameters.text("at")?.into();
        Ok(Self {
            fault: match fault.as_str() {
                "trap" => Fault::Trap,
                "spin" => Fault::Spin,
                "error" => Fault::Error,
                other => {
                    return Err(format!(
                        "parameter `fault` is `{other}`; it must be trap, spin or error"
                    ));
                }
            },
            at: at
                .split_whitespace()
                .map(|text| {
                    text.parse()
                        .map_err(|_| format!("`{text}` in parameter `at` is not a number"))
                })
                .collect::<Result<_, _>>()?,
            memory: parameters.integer("memory")?,
            closes: PerSymbol::default(),
        })
    }

    fn warm_up_bars(&self) -> u32 {
        self.memory as u32
    }

    fn on_bar(&mut self, bar: &Bar) -> Result<Vec<Signal>, String> {
        if self.at.contains(&bar.open) {
            match self.fault {
                Fault::Trap => panic!("trapped on purpose at {}", bar.open),
                Fault::Spin => {
                    let mut turns = 0_u64;
                    loop {
                        turns = black_box(turns.wrapping_add(1));
                    }
                }
                Fault::Error => return Err(format!("failed on purpose at {}", bar.open)),
            }
        }
        let closes = self.closes.of(&bar.symbol, VecDeque::new);
        let rose =
            closes.len() == self.memory && closes.front().is_some_and(|old| bar.close > *old);
        if closes.len() == self.memory {
            closes.pop_front();
        }
        closes.push_back(bar.close);
        Ok(if rose {
            vec![Signal::buy()]
        } else {
            Vec::new()
        })
    }
}

poolhouse::export_strategy!(FaultyStrategy);
