//! Chores of the workspace: `cargo xtask layers`.
fn main() {}
