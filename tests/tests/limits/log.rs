//! What a guest writes, as the operator's log has it.

use std::time::Duration;

use poolhouse_runtime::{CallError, Limits};
use poolhouse_tests::{House, test_guest};

use super::Inside;

/// The log of a host whose guest writes so, and how the command ended.
fn logged(limits: &str, arguments: &[&str]) -> anyhow::Result<(String, Option<i32>)> {
    let house = House::sqlite()?;
    house.add_plugin(&test_guest("edges")?)?;
    house.write("host.toml", format!("[limits]\n{limits}\n"))?;
    let mut all = vec!["call", "edges"];
    all.extend(arguments);
    let ran = house.run(&all)?;
    Ok((ran.stderr, ran.code))
}

/// A text as a list of bytes.
fn bytes(text: &[u8]) -> String {
    format!("{text:?}")
}

#[test]
fn lines_past_those_of_a_second_are_counted_and_told() -> anyhow::Result<()> {
    let text = bytes(b"a line\n");
    let (log, code) = logged("log_lines = 50", &["edges.write", &text, "5000"])?;
    assert_eq!(code, Some(0), "{log}");
    let written = log.matches("a line").count() as u64;
    let left_out: u64 = log
        .lines()
        .filter(|line| line.contains("were left out (limit `log_lines`)"))
        .filter_map(|line| {
            let (before, _) = line.split_once(" more lines")?;
            before.rsplit(' ').next()?.parse::<u64>().ok()
        })
        .sum();
    assert_eq!(written + left_out, 5000, "{log}");
    // As many as a second may have, in few seconds.
    assert!(
        (50..=1000).contains(&written) && written.is_multiple_of(50),
        "{log}"
    );
    assert!(log.contains("edges"), "{log}");
    Ok(())
}

#[test]
fn a_line_without_an_end_is_cut() -> anyhow::Result<()> {
    let text = bytes(&[b'x'; 1000]);
    let (log, _) = logged("log_line_bytes = 64", &["edges.write", &text, "3"])?;
    let lengths: Vec<_> = log
        .lines()
        .map(|line| line.matches('x').count())
        .filter(|length| *length > 8)
        .collect();
    assert_eq!(lengths.iter().sum::<usize>(), 3000, "{log}");
    assert!(lengths.iter().all(|length| *length <= 64), "{log}");
    Ok(())
}

#[test]
fn what_steers_a_terminal_is_written_out() -> anyhow::Result<()> {
    let text = bytes(b"\x1b[2J\x1b]0;title\x07\rroot# \x08\0\xff\xfe\xc2\x9b2J\xe2\x80\xae\n");
    for function in ["edges.write", "edges.write-and-trap"] {
        let (log, _) = logged("log_line_bytes = 4096", &[function, &text, "1"])?;
        assert!(log.contains("\\u{1b}[2J\\u{1b}]0;title"), "{log}");
        let steering = |character: char| {
            (character.is_control() && character != '\n') || character == '\u{202e}'
        };
        assert!(!log.chars().any(steering), "{log:?}");
    }
    Ok(())
}

#[test]
fn a_flood_of_lines_ends_with_its_call_and_disturbs_nobody() -> anyhow::Result<()> {
    let host = Inside::limited(Limits {
        call_timeout: Duration::from_millis(500),
        log_lines: 10,
        ..Limits::default()
    })?;
    for text in [&b"line\n"[..], &[b'\n'; 4096], &[b'x'; 4096], b"\0"] {
        let text = bytes(text);
        let error = host.runtime.block_on(async {
            let arguments = [&*text, "0"];
            let flood = host.calling("culprit", "edges.write", &arguments);
            let others = async {
                for _ in 0..20 {
                    let answer = host.calling("bystander", "edges.calls", &[]).await;
                    assert!(answer.is_ok(), "{answer:?}");
                    tokio::task::yield_now().await;
                }
            };
            tokio::join!(flood, others).0.unwrap_err()
        });
        assert!(matches!(error, CallError::TimedOut { .. }), "{error}");
        host.others_are_well();
    }
    Ok(())
}

#[test]
fn the_reason_of_a_trap_is_told_though_the_log_has_no_room() -> anyhow::Result<()> {
    let host = Inside::limited(Limits {
        log_lines: 1,
        ..Limits::default()
    })?;
    let text = bytes(b"noise\n");
    let error = host
        .call("edges.write-and-trap", &[&text, "1000"])
        .unwrap_err()
        .to_string();
    assert!(error.contains("trapped as told"), "{error}");
    Ok(())
}
