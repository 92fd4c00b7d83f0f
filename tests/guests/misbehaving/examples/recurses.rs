//! Calls itself without end.

use std::hint::black_box;

use misbehaving::{Failure, misbehaves};

#[expect(unconditional_recursion, reason = "that is the fault")]
fn deeper(depth: u64) -> u64 {
    black_box(deeper(black_box(depth + 1))) + 1
}

fn recurse(_: &str) -> Result<String, Failure> {
    Ok(deeper(0).to_string())
}

misbehaves!(recurse);
