//! Criterion benches of the Rust crates; the code is in `benches/benches`.
