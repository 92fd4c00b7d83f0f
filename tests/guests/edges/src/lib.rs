//! Goes up to what it may use and past it, in its calls and before them, and says what it met.

mod bindings;

use std::fmt::Debug;
use std::fs::{self, File, OpenOptions};
use std::hint::black_box;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream, ToSocketAddrs, UdpSocket};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use bindings::exports::poolhouse_tests::edges::edges::{Guest, Small};

/// The guest.
#[derive(Debug)]
pub struct Edges;

static CALLS: AtomicU32 = AtomicU32::new(0);

fn said<T: Debug, E: ToString>(what: &str, result: Result<T, E>) -> String {
    match result {
        Ok(answer) => format!("{what}: done, {answer:?}"),
        Err(error) => format!("{what}: {}", error.to_string()),
    }
}

/// Runs before the first call of each instance.
#[cfg_attr(
    not(target_family = "wasm"),
    expect(
        dead_code,
        reason = "only a component runs anything before its first call"
    )
)]
extern "C" fn start() {
    let told = std::env::var("AT_START").unwrap_or_default();
    match told.as_str() {
        "spin" => loop {
            black_box(());
        },
        "sleep" => loop {
            std::thread::sleep(Duration::from_secs(3600));
        },
        "allocate" => loop {
            std::mem::forget(black_box(vec![1_u8; 1 << 20]));
        },
        "write" => Edges::write(b"starting\n".to_vec(), 0),
        _ => {}
    }
}

#[cfg(target_family = "wasm")]
#[expect(
    unsafe_code,
    reason = "only by its section's name a function runs before any call"
)]
#[used]
#[unsafe(link_section = ".init_array")]
static START: extern "C" fn() = start;

impl Guest for Edges {
    fn given() -> Vec<String> {
        let mut input = String::new();
        let input = match std::io::stdin().read_to_string(&mut input) {
            Ok(_) => format!("stdin: {input:?}"),
            Err(error) => format!("stdin: {error}"),
        };
        std::env::vars()
            .map(|(name, value)| format!("{name}={value}"))
            .chain(std::env::args())
            .chain([input])
            .collect()
    }

    fn read(path: String) -> Result<String, String> {
        fs::read_to_string(path).map_err(|error| error.to_string())
    }

    fn names(path: String) -> Result<Vec<String>, String> {
        let entries = fs::read_dir(path).map_err(|error| error.to_string())?;
        entries
            .map(|entry| match entry {
                Ok(entry) => Ok(entry.file_name().to_string_lossy().into_owned()),
                Err(error) => Err(error.to_string()),
            })
            .collect()
    }

    fn change(path: String) -> Vec<String> {
        let other = format!("{path}-other");
        let open = |options: &mut OpenOptions| options.open(&path).map(|_| ());
        vec![
            said("write", fs::write(&path, "changed")),
            said("create", File::create_new(&other).map(|_| ())),
            said("append", open(OpenOptions::new().append(true))),
            said(
                "truncate",
                open(OpenOptions::new().write(true).truncate(true)),
            ),
            said("rename", fs::rename(&path, &other)),
            said("link", fs::hard_link(&path, &other)),
            said("remove", fs::remove_file(&path)),
            said("make a folder", fs::create_dir(&other)),
            said(
                "set its length",
                File::open(&path).and_then(|file| file.set_len(0)),
            ),
        ]
    }

    fn network(address: String) -> Vec<String> {
        vec![
            said("connect", TcpStream::connect(&address).map(|_| ())),
            said("listen", TcpListener::bind("127.0.0.1:0").map(|_| ())),
            said("datagram", UdpSocket::bind("127.0.0.1:0").map(|_| ())),
            said(
                "look up",
                "localhost:80".to_socket_addrs().map(Iterator::count),
            ),
        ]
    }

    fn keep_open(path: String, times: u32) -> Result<(), String> {
        for _ in 0..times {
            std::mem::forget(File::open(&path).map_err(|error| error.to_string())?);
        }
        Ok(())
    }

    fn sleep(milliseconds: u32) {
        std::thread::sleep(Duration::from_millis(milliseconds.into()));
    }

    fn write(text: Vec<u8>, times: u32) {
        let mut error = std::io::stderr();
        let mut left = times;
        loop {
            // Nobody would hear of an error here.
            let _ = error.write_all(&text);
            left = left.wrapping_sub(1);
            if left == 0 {
                return;
            }
        }
    }

    fn write_and_trap(text: Vec<u8>, times: u32) {
        Self::write(text, times);
        panic!("trapped as told");
    }

    fn bytes(count: u32) -> Vec<u8> {
        vec![7; count as usize]
    }

    fn records(count: u32) -> Vec<Small> {
        vec![Small { a: 7 }; count as usize]
    }

    fn count(bytes: Vec<u8>) -> u32 {
        bytes.len() as u32
    }

    fn calls() -> u32 {
        CALLS.fetch_add(1, Ordering::Relaxed) + 1
    }
}
