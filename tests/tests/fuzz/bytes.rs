//! Files of random bytes, and components with bytes changed, moved and cut: each is loaded or refused in a sentence. What is
//! found wanting goes into `tests/corpus/components`, every file of which is tried as it is and mutated.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, bail, ensure};
use poolhouse_tests::{reference_plugin, root, test_guest};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, TestCaseError, TestError, TestRunner};

use crate::{Loader, in_time};

/// Mutations of the corpus, which are small and take a millisecond each.
const SMALL: u32 = 1_500;
/// Mutations of built plugins, of which one in two still has to be compiled.
const BUILT: u32 = 40;
/// Bytes that mean most in the binary format: ends of LEB128 numbers, section numbers, ends of bodies.
const TELLING: [u8; 8] = [0, 1, 0x0b, 0x40, 0x7f, 0x80, 0xc0, 0xff];
/// A component's first eight bytes.
const HEADER: [u8; 8] = [0, b'a', b's', b'm', 0x0d, 0, 1, 0];

#[derive(Debug, Clone)]
enum Mutation {
    Flip(Index, u8),
    Set(Index, u8),
    Insert(Index, Vec<u8>),
    Remove(Index, Index),
    /// A piece again, or in another place; a section among others.
    Copy(Index, Index, Index),
    Truncate(Index),
}

fn mutation() -> impl Strategy<Value = Mutation> {
    let at = any::<Index>;
    prop_oneof![
        4 => (at(), 0..8_u8).prop_map(|(at, bit)| Mutation::Flip(at, 1 << bit)),
        4 => (at(), prop::sample::select(TELLING.to_vec())).prop_map(|(at, byte)| Mutation::Set(at, byte)),
        2 => (at(), vec(any::<u8>(), 1..20)).prop_map(|(at, bytes)| Mutation::Insert(at, bytes)),
        2 => (at(), at()).prop_map(|(from, to)| Mutation::Remove(from, to)),
        2 => (at(), at(), at()).prop_map(|(from, to, at)| Mutation::Copy(from, to, at)),
        1 => at().prop_map(Mutation::Truncate),
    ]
}

fn mutated(original: &[u8], mutations: &[Mutation]) -> Vec<u8> {
    let mut bytes = original.to_vec();
    for mutation in mutations {
        if bytes.len() <= HEADER.len() {
            break;
        }
        // The header stays: without it nothing behind it is looked at.
        let place = |index: &Index| HEADER.len() + index.index(bytes.len() - HEADER.len());
        let range = |from: &Index, to: &Index| {
            let (from, to) = (place(from), place(to));
            from.min(to)..from.max(to)
        };
        match mutation {
            Mutation::Flip(at, mask) => {
                let at = place(at);
                bytes[at] ^= mask;
            }
            Mutation::Set(at, byte) => {
                let at = place(at);
                bytes[at] = *byte;
            }
            Mutation::Insert(at, inserted) => {
                let at = place(at);
                bytes.splice(at..at, inserted.iter().copied());
            }
            Mutation::Remove(from, to) => {
                let range = range(from, to);
                bytes.drain(range);
            }
            Mutation::Copy(from, to, at) => {
                let (copied, at) = (bytes[range(from, to)].to_vec(), place(at));
                bytes.splice(at..at, copied);
            }
            Mutation::Truncate(at) => {
                let at = place(at);
                bytes.truncate(at);
            }
        }
    }
    bytes
}

/// Every file of the corpus, by name: texts are translated, all others are taken as they are.
fn corpus() -> anyhow::Result<Vec<(String, Vec<u8>)>> {
    let mut corpus = Vec::new();
    for entry in fs::read_dir(root().join("tests/corpus/components"))? {
        let file = entry?.path();
        let name = file.display().to_string();
        let bytes = match file.extension() {
            Some(text) if text == "wat" => wat::parse_file(&file).context(name.clone())?,
            _ => fs::read(&file)?,
        };
        corpus.push((name, bytes));
    }
    corpus.sort();
    ensure!(corpus.len() >= 5, "the corpus has gone: {corpus:?}");
    Ok(corpus)
}

fn built() -> anyhow::Result<Vec<Vec<u8>>> {
    let files: Vec<PathBuf> = vec![
        reference_plugin("moving-average")?,
        reference_plugin("user-service")?,
        test_guest("relay")?,
    ];
    Ok(files.iter().map(fs::read).collect::<Result<_, _>>()?)
}

/// Loads whatever the strategy makes, one after the other.
fn fuzz(cases: u32, files: impl Strategy<Value = Vec<u8>> + Send + 'static) -> anyhow::Result<()> {
    let loader = Arc::new(Loader::new()?);
    let mut runner = TestRunner::new(Config {
        cases,
        failure_persistence: None,
        max_shrink_iters: 200,
        ..Config::default()
    });
    let run = runner.run(&files, |bytes| {
        let loader = Arc::clone(&loader);
        in_time("a fuzzed file", move || loader.load(&bytes).map(drop))
            .map_err(|error| TestCaseError::fail(format!("{error:#}")))
    });
    match run {
        Ok(()) => Ok(()),
        Err(TestError::Fail(reason, bytes)) => {
            let kept = Path::new(env!("CARGO_TARGET_TMPDIR")).join("fuzzed.wasm");
            fs::write(&kept, bytes)?;
            bail!(
                "{reason}: the file is kept as {}; once that is mended, put it into tests/corpus/components",
                kept.display()
            )
        }
        Err(error) => Err(error.into()),
    }
}

#[test]
fn every_file_of_the_corpus_is_loaded_or_refused() -> anyhow::Result<()> {
    let loader = Loader::new()?;
    for (name, bytes) in corpus()? {
        let refused = loader.load(&bytes).context(name.clone())?;
        // A text is there for its mutations, so it is valid itself.
        let is_valid = name.ends_with(".wat") && !name.ends_with("imports.wat");
        ensure!(refused.is_none() == is_valid, "{name}: {refused:?}");
    }
    Ok(())
}

#[test]
fn arbitrary_bytes_are_refused() -> anyhow::Result<()> {
    let files =
        (prop::bool::weighted(0.8), vec(any::<u8>(), 0..600)).prop_map(|(headed, bytes)| {
            if headed {
                [&HEADER[..], &bytes].concat()
            } else {
                bytes
            }
        });
    fuzz(SMALL, files)
}

#[test]
fn mutated_components_are_loaded_or_refused() -> anyhow::Result<()> {
    let corpus: Vec<_> = corpus()?.into_iter().map(|(_, bytes)| bytes).collect();
    let files = (prop::sample::select(corpus), vec(mutation(), 1..5))
        .prop_map(|(original, mutations)| mutated(&original, &mutations));
    fuzz(SMALL, files)
}

#[test]
fn mutated_plugins_are_loaded_or_refused() -> anyhow::Result<()> {
    let files = (prop::sample::select(built()?), vec(mutation(), 1..3))
        .prop_map(|(original, mutations)| mutated(&original, &mutations));
    fuzz(BUILT, files)
}
