//! The migrations are built into the binary: a new one makes it anew.

fn main() {
    println!("cargo:rerun-if-changed=../migrations");
}
