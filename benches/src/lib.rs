//! Criterion benches of the Rust crates. Each file in `benches/benches` measures one subject.
//!
//! ```text
//! cargo bench                         all of them
//! cargo bench --bench mel             one file
//! cargo bench --bench mel -- log      the benches of a file whose names contain `log`
//! ```
//!
//! Compare ratios, not milliseconds: the clock of a machine changes, and other programs run beside the bench. What is
//! measured beside other libraries is in `benches/peers`.
