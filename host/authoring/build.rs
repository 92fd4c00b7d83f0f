//! Has this crate built anew when a file is added to what it embeds; the files themselves are the compiler's business.

fn main() {
    for folder in ["wit", "sdk", "examples", "plugins"] {
        println!("cargo::rerun-if-changed=../../{folder}");
    }
}
