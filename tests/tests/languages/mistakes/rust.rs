//! A strategy that makes the mistake that its row asks for, at its third bar.

use poolhouse::strategy::{Bar, Description, Parameters, Signal, Strategy};

/// The strategy.
#[derive(Debug)]
pub struct Mistakes {
    mistake: String,
    bars: u32,
}

impl Strategy for Mistakes {
    fn describe() -> Description {
        Description::new("Makes a mistake.").text("mistake", "Which")
    }

    fn new(parameters: &Parameters) -> Result<Self, String> {
        Ok(Self {
            mistake: parameters.text("mistake")?.to_owned(),
            bars: 0,
        })
    }

    fn warm_up_bars(&self) -> u32 {
        0
    }

    fn on_bar(&mut self, _bar: &Bar) -> Result<Vec<Signal>, String> {
        self.bars += 1;
        if self.bars < 3 {
            return Ok(Vec::new());
        }
        match self.mistake.as_str() {
            "error" => Err("the market is closed".to_owned()),
            "exception" => panic!("no such price"),
            "loop" => loop {
                std::hint::black_box(());
            },
            "memory" => {
                let mut kept = Vec::new();
                loop {
                    kept.push(std::hint::black_box(vec![1_u8; 1 << 20]));
                }
            }
            _ => Ok(Vec::new()),
        }
    }
}

poolhouse::export_strategy!(Mistakes);
