//! `host dev` beside a host that runs: each change is built and taken in, and a mistake leaves what runs alone.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use super::author::Author;

/// What a build and a swap may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// A process whose lines are read as they come, and which ends with the test.
struct Running {
    child: Child,
    lines: Receiver<String>,
}

impl Running {
    fn start(author: &Author, arguments: &[&str]) -> anyhow::Result<Self> {
        let mut child = author
            .command(arguments)?
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let (sender, lines) = mpsc::channel();
        let read = |stream: Box<dyn Read + Send>| {
            let sender = sender.clone();
            std::thread::spawn(move || {
                for line in BufReader::new(stream).lines().map_while(Result::ok) {
                    let _ = sender.send(line);
                }
            });
        };
        read(Box::new(child.stdout.take().unwrap()));
        read(Box::new(child.stderr.take().unwrap()));
        Ok(Self { child, lines })
    }

    /// Waits for a line that has all the words.
    fn says(&self, words: &[&str]) -> String {
        let mut seen = Vec::new();
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) if words.iter().all(|word| line.contains(word)) => return line,
                Ok(line) => seen.push(line),
                Err(_) => panic!("no line with {words:?} in {seen:#?}"),
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn each_change_is_built_and_taken_in() -> anyhow::Result<()> {
    let author = Author::new()?;
    author
        .host(&["new", "cross", "--lang", "rust"])?
        .succeeded();
    if !author.builds("rust", &["cross"])? {
        return Ok(());
    }
    for plugin in ["config-loader", "user-service", "order-manager"] {
        let name = format!("plugins/{plugin}.wasm");
        std::fs::copy(
            poolhouse_tests::reference_plugin(plugin)?,
            author.path(&name),
        )?;
    }
    std::fs::copy(
        poolhouse_tests::root().join("host.toml"),
        author.path("host.toml"),
    )?;
    let host = Running::start(&author, &["run", "--log", "info"])?;
    let dev = Running::start(&author, &["dev", "cross"])?;
    dev.says(&["unchanged", "cross.wasm"]);
    let source = "cross/src/lib.rs";
    let text = std::fs::read_to_string(author.path(source))?;

    let other = text.replace("moving average of closes", "moving average of the closes");
    assert_ne!(other, text);
    author.write(source, &other)?;
    let runs = dev.says(&["cross", " runs"]);
    let sha256 = runs.split_whitespace().nth(1).unwrap().to_owned();
    let status = author.host(&["status"])?.succeeded().stdout;
    assert!(status.contains(&sha256), "{status}");

    author.write(source, &format!("{other}\nfn oh( {{"))?;
    dev.says(&["host: plugin \"cross\" was not built"]);
    let status = author.host(&["status"])?.succeeded().stdout;
    assert!(status.contains(&sha256), "{status}");

    author.write(source, &text)?;
    let again = dev.says(&["cross", " runs"]);
    assert!(!again.contains(&sha256));
    drop(host);
    Ok(())
}
