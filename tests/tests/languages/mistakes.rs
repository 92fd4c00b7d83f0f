//! An author's mistakes, one after the other, and that each is told with what it is, where, and what to do.

use std::fs;
use std::path::Path;

use poolhouse_tests::{Backend, House, Ran, root};

use super::author::{Author, in_house, is_skipped};

/// What differs from language to language.
struct Language {
    word: &'static str,
    /// The author's file, and one that makes mistakes while it runs.
    source: &'static str,
    mistakes: &'static str,
    /// A text that no parser takes, and what is said of it; the file is named besides.
    syntax: (&'static str, &'static str),
    /// What of the source is its export, and what is said where it is not there.
    export: (&'static str, &'static str),
    /// What is said of an exception, of the stack it left, and of an answer of the wrong type; none where the compiler does not let
    /// it happen.
    exception: &'static [&'static str],
    wrong_type: Option<&'static [&'static str]>,
    /// A program without which nothing is built, and what is said then.
    tool: &'static str,
}

const RUST: Language = Language {
    word: "rust",
    source: "src/lib.rs",
    mistakes: include_str!("mistakes/rust.rs"),
    syntax: ("fn oh( {", "error: "),
    export: ("poolhouse::export_strategy!(Mistakes);", "exports nothing"),
    exception: &["no such price", "src/lib.rs:"],
    wrong_type: None,
    tool: "cargo",
};
const TYPESCRIPT: Language = Language {
    word: "typescript",
    source: "plugin.ts",
    mistakes: include_str!("mistakes/typescript.ts"),
    syntax: ("const oh = ;", "error TS1109"),
    export: (
        "export const strategy: StrategyClass = Mistakes;",
        "strategy",
    ),
    exception: &["TypeError: no such price", "plugin.ts:"],
    wrong_type: Some(&[
        "`onBar` of `strategy`",
        "it must answer an array of signals",
    ]),
    tool: "Node.js",
};
const JAVASCRIPT: Language = Language {
    word: "javascript",
    source: "plugin.js",
    mistakes: include_str!("mistakes/javascript.js"),
    syntax: ("const oh = ;", "Unexpected"),
    export: ("export const strategy = Mistakes;", "strategy"),
    exception: &["TypeError: no such price", "plugin.js:"],
    wrong_type: Some(&[
        "`onBar` of `strategy`",
        "it must answer an array of signals",
    ]),
    tool: "Node.js",
};
const PYTHON: Language = Language {
    word: "python",
    source: "plugin.py",
    mistakes: include_str!("mistakes/python.py"),
    syntax: ("def oh(:", "SyntaxError"),
    export: ("@export", "export"),
    exception: &["KeyError: 'no such price'", "plugin.py", "line "],
    wrong_type: Some(&["on_bar answers 'buy'", "it must be a list of signals"]),
    tool: "Python 3.9",
};
const C: Language = Language {
    word: "c",
    source: "plugin.c",
    mistakes: include_str!("mistakes/c.c"),
    syntax: ("int oh( {", "error: "),
    export: (
        "const ph_strategy ph_exported_strategy",
        "ph_exported_strategy",
    ),
    exception: &["no such price", "plugin.c"],
    wrong_type: None,
    tool: "clang",
};

/// A new plugin, or none where the toolchain is not there.
fn new(language: &Language) -> anyhow::Result<Option<Author>> {
    let author = Author::new()?;
    author
        .host(&["new", "mistakes", "--lang", language.word])?
        .succeeded();
    Ok(author
        .builds(language.word, &["mistakes"])?
        .then_some(author))
}

/// What `host build` says of that source.
fn refused(author: &Author, language: &Language, source: &str) -> anyhow::Result<Ran> {
    let before = fs::read(author.path("plugins/mistakes.wasm"))?;
    author.write(&format!("mistakes/{}", language.source), source)?;
    let ran = author.host(&["build", "mistakes"])?;
    assert_ne!(ran.code, Some(0), "{}: {}", language.word, ran.stderr);
    let last = ran.stderr.trim_end().lines().last().unwrap_or_default();
    assert!(
        last.starts_with("host: ") && last.contains("mistakes"),
        "{}",
        ran.stderr
    );
    let after = fs::read(author.path("plugins/mistakes.wasm"))?;
    assert!(before == after, "the plugin that was there was touched");
    Ok(ran)
}

fn says(ran: &Ran, words: &[&str]) {
    let said = format!("{}{}", ran.stdout, ran.stderr);
    for word in words {
        assert!(said.contains(word), "no \"{word}\" in: {said}");
    }
}

/// A run over a few bars with one row for each mistake; what was said of it.
fn run(author: &Author, mistakes: &[&str]) -> anyhow::Result<Ran> {
    let house = House::new(Backend::Sqlite)?;
    house.add_plugin(&author.path("plugins/mistakes.wasm"))?;
    let mut settings = fs::read_to_string(root().join("host.toml"))?;
    settings.push_str(
        "\n[trading]\nbar_timeout = \"2s\"\n[plugins.mistakes]\nlimits = { memory = \"32MiB\" }\n",
    );
    house.write("host.toml", settings)?;
    let row = |mistake: &&str| {
        format!(
            "{{ id = \"{mistake}\", plugin = \"mistakes\", symbols = [\"AAPL\"], parameters = {{ mistake = \"{mistake}\" }}, enabled = true }}"
        )
    };
    let rows: Vec<_> = mistakes.iter().map(row).collect();
    let seed = house.write("seed.toml", format!("strategies = [{}]\n", rows.join(", ")))?;
    let bars = fs::read_to_string(root().join("data/daily-bars.csv"))?;
    let few: Vec<_> = bars
        .lines()
        .filter(|line| line.starts_with("symbol") || line.contains("AAPL"))
        .take(8)
        .collect();
    let feed = house.write("feed.csv", few.join("\n"))?;
    let ran = in_house(&house, &["run", "--seed", &seed, "--feed", &feed])?;
    Ok(ran.succeeded())
}

fn told(language: &Language) -> anyhow::Result<()> {
    let Some(author) = new(language)? else {
        return Ok(());
    };
    let source = author.path("mistakes").join(language.source);
    let name = Path::new(language.source)
        .file_name()
        .unwrap()
        .to_string_lossy()
        .into_owned();

    let broken = format!("{}\n{}\n", language.mistakes, language.syntax.0);
    says(
        &refused(&author, language, &broken)?,
        &[&name, language.syntax.1],
    );
    let (export, words) = language.export;
    assert!(language.mistakes.contains(export));
    let without = match language.word {
        "c" => language
            .mistakes
            .replace("ph_exported_strategy", "nobody_s_strategy"),
        _ => language.mistakes.replace(export, ""),
    };
    says(&refused(&author, language, &without)?, &[words]);

    fs::write(&source, language.mistakes)?;
    author.host(&["build", "mistakes"])?.succeeded();
    for (mistake, words) in [
        ("error", &["the market is closed"][..]),
        ("exception", language.exception),
        ("wrong-type", language.wrong_type.unwrap_or_default()),
        ("loop", &["gave no answer", "2s", "bar_timeout"]),
        ("memory", &["limit `memory`"]),
    ] {
        if words.is_empty() {
            continue;
        }
        let ran = run(&author, &[mistake])?;
        says(&ran, &[&["\"mistakes\"", mistake][..], words].concat());
    }

    // Built against a contract that this host does not know.
    another_version(&author.path("mistakes"))?;
    let ran = author.host(&["build", "mistakes"])?;
    assert_ne!(ran.code, Some(0), "{}", ran.stdout);
    says(&ran, &["0.2.0"]);
    Ok(())
}

/// Makes version 0.2.0 of every package of the contract that is written in the folder.
fn another_version(folder: &Path) -> anyhow::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.ends_with("target") {
            continue;
        }
        if path.is_dir() {
            another_version(&path)?;
        } else if let Ok(text) = fs::read_to_string(&path) {
            let mut parts = text.split("poolhouse:");
            let mut other = parts.next().unwrap_or_default().to_owned();
            for part in parts {
                let (name, rest) = part.split_at(
                    part.find(|letter: char| {
                        !(letter.is_ascii_lowercase() || "-/".contains(letter))
                    })
                    .unwrap_or(part.len()),
                );
                let rest = rest
                    .strip_prefix("@0.1.0")
                    .map_or_else(|| rest.to_owned(), |rest| format!("@0.2.0{rest}"));
                other.push_str(&format!("poolhouse:{name}{rest}"));
            }
            if other != text {
                fs::write(&path, other)?;
            }
        }
    }
    Ok(())
}

/// A machine that has nothing but the host.
fn without_tools(language: &Language) -> anyhow::Result<()> {
    let author = Author::new()?;
    author
        .host(&["new", "mistakes", "--lang", language.word])?
        .succeeded();
    let mut command = author.command(&["build", "mistakes"])?;
    command
        .env("PATH", author.path("nothing"))
        .env_remove("WASI_SDK_PATH")
        .env("XDG_CACHE_HOME", author.path("cache"));
    let ran = poolhouse_tests::run(command)?;
    assert_ne!(ran.code, Some(0));
    says(&ran, &["can't be built without", language.tool]);
    assert!(!author.path("plugins").exists());
    Ok(())
}

/// A first build on a machine that reaches no registry.
fn without_network(language: &Language) -> anyhow::Result<()> {
    let author = Author::new()?;
    author
        .host(&["new", "mistakes", "--lang", language.word])?
        .succeeded();
    let nowhere = "http://127.0.0.1:9/";
    let mut command = author.command(&["build", "mistakes"])?;
    command
        .env("XDG_CACHE_HOME", author.path("cache"))
        .env("PIP_INDEX_URL", nowhere)
        .env("PIP_RETRIES", "0")
        .env("npm_config_registry", nowhere)
        .env("npm_config_fetch_retries", "0")
        .env("npm_config_cache", author.path("npm"))
        .env("PIP_CACHE_DIR", author.path("pip"));
    let ran = poolhouse_tests::run(command)?;
    // A machine may lack the tool that would have asked.
    if is_skipped(
        language.word,
        &ran.stderr.replace("could not be installed", ""),
    ) {
        return Ok(());
    }
    assert_ne!(ran.code, Some(0));
    says(&ran, &["could not be installed", "run this again"]);
    assert!(!author.path("plugins").exists());
    Ok(())
}

macro_rules! in_each_language {
    ($($name:ident $language:ident)*) => {$(
        mod $name {
            #[test]
            fn mistakes_are_told() -> anyhow::Result<()> {
                super::told(&super::$language)
            }

            #[test]
            fn a_missing_toolchain_is_told() -> anyhow::Result<()> {
                super::without_tools(&super::$language)
            }
        }
    )*};
}

in_each_language! { rust RUST typescript TYPESCRIPT javascript JAVASCRIPT python PYTHON c C }

#[test]
fn no_network_is_told() -> anyhow::Result<()> {
    for language in [&TYPESCRIPT, &PYTHON] {
        without_network(language)?;
    }
    Ok(())
}
