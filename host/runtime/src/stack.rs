//! Where a guest was when it trapped or was stopped, for its author: functions, and lines where the component has debug
//! information.

use std::fmt::Write;

use wasmtime::{FrameInfo, WasmBacktrace};

/// Functions that are told; an author looks at the innermost first.
const MOST_FRAMES: usize = 5;
/// Bytes of one name: a generic function's can be pages long.
const LONGEST_NAME: usize = 120;

/// Functions from the innermost outwards, such as `at average (plugin.c:12), on_bar (plugin.c:30)`; none where the component tells no
/// names.
pub(crate) fn of(error: &wasmtime::Error) -> Option<String> {
    shown(error, |_| true)
}

/// The same, of functions whose file and line are known.
pub(crate) fn with_lines(error: &wasmtime::Error) -> Option<String> {
    shown(error, |frame| {
        let mut symbols = frame.symbols().iter();
        symbols.any(|symbol| symbol.file().is_some())
    })
}

fn shown(error: &wasmtime::Error, is_told: impl Fn(&FrameInfo) -> bool) -> Option<String> {
    let backtrace = error.downcast_ref::<WasmBacktrace>()?;
    let mut text = String::new();
    let told = backtrace.frames().iter().filter(|frame| is_told(frame));
    for place in told.filter_map(place).take(MOST_FRAMES) {
        text.push_str(if text.is_empty() { "at " } else { ", " });
        text.push_str(&place);
    }
    (!text.is_empty()).then_some(text)
}

fn place(frame: &FrameInfo) -> Option<String> {
    // Of functions that the compiler made one, the one that the author wrote last is the first.
    let symbol = frame.symbols().first();
    let name = symbol
        .and_then(|symbol| symbol.name())
        .or_else(|| frame.func_name())?;
    let mut place = short(&format!("{:#}", rustc_demangle::demangle(name)));
    if let Some((file, line)) = symbol.and_then(|symbol| Some((symbol.file()?, symbol.line()?))) {
        // The folder is the author's own, and no business of the operator's.
        let file = short(file.rsplit('/').next().unwrap_or(file));
        let _ = write!(place, " ({file}:{line})");
    }
    Some(place)
}

/// The beginning of what a guest's compiler, or a guest that lies, has called something.
fn short(name: &str) -> String {
    let name = &name[..name.floor_char_boundary(LONGEST_NAME)];
    crate::guest_log::printable(name)
}
