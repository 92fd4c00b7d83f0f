//! Takes memory without end: at once, or page by page and touching each.

use std::hint::black_box;

use misbehaving::{Failure, misbehaves};

fn allocate(how: &str) -> Result<String, Failure> {
    if how == "at once" {
        let block: Vec<u8> = Vec::with_capacity(1 << 30);
        return Ok(black_box(block).capacity().to_string());
    }
    let mut blocks = Vec::new();
    loop {
        blocks.push(black_box(vec![1_u8; 1 << 16]));
    }
}

misbehaves!(allocate);
