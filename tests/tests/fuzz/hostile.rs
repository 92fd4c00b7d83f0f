//! Components that are valid, or nearly, and built to be expensive, confusing or forged: how long each may take, and what is
//! said of it.

use std::fmt::Write;

use anyhow::{Context, ensure};

use crate::{Loader, in_time, peak_memory};

/// What this process, with all its tests at once, may have in memory at most.
const MOST_MEMORY: u64 = 2 << 30;

/// What is to come of a file.
enum Expected {
    Loaded,
    /// Refused, with these words.
    Refused(&'static [&'static str]),
    /// Either: it depends on wasmtime's own bounds.
    Either,
}

use Expected::{Either, Loaded, Refused};

fn repeated(count: usize, text: &str) -> String {
    text.repeat(count)
}

fn numbered(count: usize, text: impl Fn(usize) -> String) -> String {
    (0..count).map(text).collect()
}

/// A component of one core module, which is instantiated.
fn module(fields: &str) -> String {
    format!("(component (core module $m {fields}) (core instance (instantiate $m)))")
}

/// Components in components, so deep.
fn nested(depth: usize) -> String {
    format!("{}{}", repeated(depth, "(component "), repeated(depth, ")"))
}

/// A type whose size doubles at each step, in an import.
fn doubling(steps: usize) -> String {
    let mut types = "(type $t0 (tuple u64 u64))".to_owned();
    for step in 1..=steps {
        let before = step - 1;
        let _ = write!(types, "(type $t{step} (tuple $t{before} $t{before}))");
    }
    format!(
        "(component {types} (import \"a:b/c\" (instance (alias outer 1 $t{steps} (type $t)) \
         (export \"f\" (func (param \"x\" $t) (result $t))))))"
    )
}

/// A list of lists of lists, so deep.
fn deep_list(depth: usize) -> String {
    let mut types = "(type $t0 (list u8))".to_owned();
    for step in 1..=depth {
        let _ = write!(types, "(type $t{step} (list $t{}))", step - 1);
    }
    format!(
        "(component {types} (import \"a:b/c\" (instance (alias outer 1 $t{depth} (type $t)) \
         (export \"f\" (func (param \"x\" $t))))))"
    )
}

fn cases() -> Vec<(&'static str, String, Expected)> {
    let imports = |count| {
        numbered(count, |at| {
            format!("(import \"a:b/i{at}\" (instance (export \"f\" (func))))")
        })
    };
    vec![
        ("nothing", "(component)".to_owned(), Loaded),
        (
            "many functions",
            module(&repeated(20_000, "(func (result i32) (i32.const 1))")),
            Loaded,
        ),
        (
            "many types",
            module(&numbered(20_000, |at| format!("(type (func (param {})))", repeated(at % 40, "i32 ")))),
            Loaded,
        ),
        (
            "one long function",
            module(&format!("(func (local i32) {})", repeated(60_000, "(local.set 0 (i32.add (local.get 0) (i32.const 3)))"))),
            Loaded,
        ),
        (
            "deep blocks",
            module(&format!("(func {} {})", repeated(20_000, "block "), repeated(20_000, "end "))),
            Either,
        ),
        (
            "a wide branch table",
            module(&format!("(func (param i32) (block {} (br_table {} (local.get 0))))", "", repeated(50_000, "0 "))),
            Either,
        ),
        (
            "many locals",
            module(&format!("(func (local {}))", repeated(50_000, "i64 "))),
            Either,
        ),
        (
            "many locals, each set in a branch of its own",
            module(&format!(
                "(func (param i32) (local {}) {})",
                repeated(5_000, "i32 "),
                numbered(5_000, |at| format!("local.get 0 if local.get 0 local.set {} end ", at + 1))
            )),
            Refused(&["function 1", "5100 locals", "split the function"]),
        ),
        (
            "many parameters",
            module(&format!("(func (param {}))", repeated(500, "i32 "))),
            Refused(&["takes 500 values", "in memory"]),
        ),
        (
            "many instances",
            format!(
                "(component (core module $m (memory 1)) {})",
                repeated(500, "(core instance (instantiate $m))")
            ),
            Either,
        ),
        ("nested, but not too deep", nested(50), Loaded),
        ("many imports", format!("(component {})", imports(900)), Refused(&["a:b/i0", "waits"])),
        (
            "an interface of many functions",
            format!(
                "(component (import \"a:b/c\" (instance {})))",
                numbered(5_000, |at| format!("(export \"f{at}\" (func (param \"x\" string)))"))
            ),
            Refused(&["a:b/c", "waits"]),
        ),
        ("a doubling type", doubling(15), Refused(&["a:b/c", "waits"])),
        ("a type too large", doubling(30), Refused(&["damaged"])),
        ("a deep type", deep_list(50), Refused(&["a:b/c", "waits"])),
        ("a type too deep", deep_list(5_000), Refused(&["damaged"])),
        ("4 GiB of memory", module("(memory 65536)"), Refused(&["4294967296 bytes", "limit `memory`", "host.toml"])),
        ("a memory that may grow to 4 GiB", module("(memory 1 65536)"), Loaded),
        (
            "a large table",
            module("(table 10000000 funcref)"),
            Refused(&["10000000 elements", "limit `table_elements`"]),
        ),
        ("many memories", module(&repeated(90, "(memory 0)")), Either),
        (
            "a long name",
            format!("(component (import \"a:b/{}\" (instance (export \"f\" (func)))))", repeated(50_000, "c")),
            Refused(&["50004 bytes", "a:b/ccc", "…"]),
        ),
        (
            "a long name of an export",
            format!(
                "(component (component $c) (instance $i (instantiate $c)) (export \"a:b/{}\" (instance $i)))",
                repeated(50_000, "c")
            ),
            Loaded,
        ),
        (
            "a forged line in a name",
            "(component (import \"url=<a\\nWARN forged\\1b[2J>\" (func)))".to_owned(),
            Refused(&["url=<a\\nWARN forged\\u{1b}[2J>"]),
        ),
        (
            "a forged line in a module's import",
            "(component (core module $m (import \"a\\n\\1b[2J\" \"b\" (func))) (core instance (instantiate $m)))".to_owned(),
            Refused(&["damaged"]),
        ),
    ]
}

#[test]
fn hostile_components_are_bounded_and_named() -> anyhow::Result<()> {
    for (name, text, expected) in cases() {
        // Not all of them pass as text: those that don't can't be built either.
        let bytes = wat::parse_str(&text).context(name)?;
        let refused = in_time(name, move || Loader::new()?.load(&bytes))?;
        match (&refused, &expected) {
            (None, Refused(words)) => anyhow::bail!("{name}: loaded, not refused with {words:?}"),
            (Some(refused), Loaded) => anyhow::bail!("{name}: {refused}"),
            (Some(refused), Refused(words)) => {
                for word in *words {
                    ensure!(refused.contains(word), "{name}: no \"{word}\" in {refused}");
                }
            }
            (_, Either) | (None, Loaded) => {}
        }
    }
    if let Some(peak) = peak_memory() {
        ensure!(peak < MOST_MEMORY, "{peak} bytes of memory");
    }
    Ok(())
}

/// Deeper than any text may be, so these are made of bytes: component in component in component. Twenty
/// thousand of them once took longer than anybody waits.
#[test]
fn components_in_components_are_loaded_or_refused() -> anyhow::Result<()> {
    for depth in [10, 100, 1_000, 20_000, 100_000] {
        let header = [0, b'a', b's', b'm', 0x0d, 0, 1, 0];
        // From the inside out, so each is put together backwards.
        let mut reversed: Vec<u8> = header.iter().rev().copied().collect();
        for _ in 0..depth {
            let mut length = reversed.len();
            let mut leb = Vec::new();
            while length >= 0x80 {
                leb.push((length & 0x7f) as u8 | 0x80);
                length >>= 7;
            }
            leb.push(length as u8);
            reversed.extend(leb.iter().rev());
            reversed.push(4);
            reversed.extend(header.iter().rev());
        }
        reversed.reverse();
        let refused = in_time("nested", move || Loader::new()?.load(&reversed))?;
        let is_refused = refused
            .as_ref()
            .is_some_and(|refused| refused.contains("nested more than 100 deep"));
        ensure!(is_refused == (depth > 100), "{depth} deep: {refused:?}");
    }
    Ok(())
}

/// A component of one section of types.
fn component_of_types(section: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, b'a', b's', b'm', 0x0d, 0, 1, 0, 7];
    bytes.extend(leb(section.len()));
    bytes.extend(section);
    bytes
}

fn leb(mut number: usize) -> Vec<u8> {
    let mut leb = Vec::new();
    while number >= 0x80 {
        leb.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    leb.push(number as u8);
    leb
}

/// A type of a component, or of an instance, in one in one: 24 KB of them once ended the whole process, for the stack was full.
#[test]
fn types_in_types_are_loaded_or_refused() -> anyhow::Result<()> {
    for opener in [0x41, 0x42] {
        for depth in [10, 100, 1_000, 8_000, 1_000_000] {
            let mut section = vec![1];
            section.extend([opener, 1, 1].repeat(depth - 1));
            section.extend([opener, 0]);
            let bytes = component_of_types(&section);
            let refused = in_time("nested types", move || Loader::new()?.load(&bytes))?;
            let is_refused = refused
                .as_ref()
                .is_some_and(|refused| refused.contains("nested more than 100 deep"));
            ensure!(is_refused == (depth > 100), "{depth} deep: {refused:?}");
        }
    }
    Ok(())
}

/// Types of instances, each with an instance of the one before in it: the validator panics at so many.
#[test]
fn a_chain_of_types_is_loaded_or_refused() -> anyhow::Result<()> {
    for length in [50_usize, 1_000, 100_000] {
        let mut section = leb(length);
        section.extend([0x42, 0]);
        for before in 0..length - 1 {
            // The outer type before as type 0, and an export `x` of an instance of it.
            section.extend([0x42, 2, 2, 3, 2, 1]);
            section.extend(leb(before));
            section.extend([4, 0, 1, b'x', 5, 0]);
        }
        let bytes = component_of_types(&section);
        let refused = in_time("a chain of types", move || Loader::new()?.load(&bytes))?;
        let is_refused = refused
            .as_ref()
            .is_some_and(|refused| refused.contains("can't be used as a plugin"));
        ensure!(is_refused == (length > 100), "{length}: {refused:?}");
    }
    Ok(())
}

/// The bound of a file's size is by what was read, so that no size that the system tells is trusted. A file with a hole
/// takes no room on the disk.
#[test]
fn a_file_too_large_is_not_read_to_its_end() -> anyhow::Result<()> {
    let loader = Loader::new()?;
    loader.load(b"")?;
    let file = std::fs::File::options()
        .write(true)
        .open(loader.house.path("plugins/fuzzed.wasm"))?;
    file.set_len(40 << 30)?;
    let folder = loader.house.path("plugins");
    let (_, refused) =
        loader
            .runtime
            .block_on(Box::pin(poolhouse_runtime::Plugins::load_usable(
                &loader.engine,
                &folder,
                &loader.database,
                |_| poolhouse_runtime::PluginOptions::default(),
            )))?;
    let refused: Vec<_> = refused.iter().map(ToString::to_string).collect();
    ensure!(
        refused.len() == 1 && refused[0].contains("more than 134217728 bytes"),
        "{refused:?}"
    );
    Ok(())
}
