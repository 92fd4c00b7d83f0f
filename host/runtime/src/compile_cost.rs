//! What compiling a file would cost, reckoned from its bytes before anything is compiled; knows nothing of what the code does.
//!
//! wasmtime bounds a function by 50,000 locals and 7 MB, and what its compiler makes of one grows with the locals times the places
//! where control flow meets, for any local may have another value at each: a function of 287 KB took 26 GB.

use wasmparser::{
    BinaryReaderError, CompositeInnerType, FunctionBody, Operator, Parser, Payload, RecGroup,
};

/// Bytes of one function. The largest of SpiderMonkey has 172 KB, of CPython 79 KB.
const MOST_BYTES: usize = 512 << 10;

/// Locals of one function, its parameters among them. Optimised ones of those have 300 at most.
const MOST_LOCALS: u64 = 10_000;

/// Locals times branches and blocks of one function: 580 MB and some two seconds at worst. Those have 1.7 million at most.
const MOST_MEETINGS: u64 = 4_000_000;

/// The same of all functions together. Those have 60 million.
const MOST_MEETINGS_OF_ALL: u64 = 400_000_000;

/// Values that a function takes, and those that it gives: every call and every branch has as many.
const MOST_PARAMETERS: usize = 100;
const MOST_RESULTS: usize = 16;

/// Why a file would cost too much to compile; none where it would not.
pub(crate) fn trouble(bytes: &[u8]) -> Option<String> {
    // What is damaged is said better by whoever compiles, before any function is.
    read(bytes).unwrap_or_default()
}

fn read(bytes: &[u8]) -> Result<Option<String>, BinaryReaderError> {
    let mut of_all = 0_u64;
    let mut number = 0_u64;
    for payload in Parser::new(0).parse_all(bytes) {
        match payload? {
            Payload::TypeSection(types) => {
                for group in types {
                    if let Some(reason) = arity(&group?) {
                        return Ok(Some(reason));
                    }
                }
            }
            Payload::CodeSectionEntry(body) => {
                number += 1;
                match meetings(&body)? {
                    Ok(meetings) => of_all = of_all.saturating_add(meetings),
                    Err(reason) => {
                        return Ok(Some(format!(
                            "function {number} of its code, at byte {}, has {reason}: build it with optimisation, or split the function",
                            body.range().start
                        )));
                    }
                }
                if of_all > MOST_MEETINGS_OF_ALL {
                    return Ok(Some(format!(
                        "its functions have more than {MOST_MEETINGS_OF_ALL} locals times branches in all, which takes too long to \
                         compile: build it with optimisation, or as several plugins"
                    )));
                }
            }
            _ => {}
        }
    }
    Ok(None)
}

fn arity(group: &RecGroup) -> Option<String> {
    group.types().find_map(|ty| {
        let CompositeInnerType::Func(function) = &ty.composite_type.inner else {
            return None;
        };
        let (parameters, results) = (function.params().len(), function.results().len());
        (parameters > MOST_PARAMETERS || results > MOST_RESULTS).then(|| {
            format!(
                "a type in it takes {parameters} values and gives {results}, and {MOST_PARAMETERS} and {MOST_RESULTS} may be: pass \
                 them in memory"
            )
        })
    })
}

/// A function's locals times its branches and blocks, or what it has too much of.
fn meetings(body: &FunctionBody<'_>) -> Result<Result<u64, String>, BinaryReaderError> {
    let bytes = body.range().len();
    if bytes > MOST_BYTES {
        return Ok(Err(format!("{bytes} bytes, and {MOST_BYTES} may be")));
    }
    // Its parameters are few, and not known here.
    let mut locals = MOST_PARAMETERS as u64;
    for group in body.get_locals_reader()? {
        let (count, _) = group?;
        locals = locals.saturating_add(count.into());
    }
    if locals > MOST_LOCALS {
        return Ok(Err(format!("{locals} locals, and {MOST_LOCALS} may be")));
    }
    let mut branches = 0_u64;
    let mut operators = body.get_operators_reader()?;
    while !operators.eof() {
        branches += match operators.read()? {
            Operator::BrTable { targets } => u64::from(targets.len()) + 1,
            Operator::Block { .. }
            | Operator::Loop { .. }
            | Operator::If { .. }
            | Operator::Else
            | Operator::Br { .. }
            | Operator::BrIf { .. }
            | Operator::BrOnNull { .. }
            | Operator::BrOnNonNull { .. }
            | Operator::Return => 1,
            _ => 0,
        };
    }
    let meetings = locals.saturating_mul(branches);
    if meetings > MOST_MEETINGS {
        return Ok(Err(format!(
            "{locals} locals and {branches} branches and blocks, whose product may be {MOST_MEETINGS}"
        )));
    }
    Ok(Ok(meetings))
}
