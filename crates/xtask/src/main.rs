//! Tasks of the workspace, run as `cargo xtask NAME`.
//!
//! ```text
//! cargo xtask bundle --release                            the plugin as a VST3 bundle and a CLAP file
//! cargo xtask licences neurdsp-py LICENSE-THIRD-PARTY     the licences of all crates linked into the wheel
//! ```
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod bundle;
mod goldens;
mod licences;
mod release;

use std::path::Path;
use std::process::ExitCode;

const USAGE: &str = "usage: cargo xtask NAME
    goldens    compare tests/goldens with what their references give today
    bundle [--release] [--target TRIPLE] [--library FILE]    build the plugin into target/bundled, or target/bundled-debug
    licences PACKAGE FILE    write the licences of all crates that PACKAGE is linked from
    release [--target TRIPLE]    put the bundles, the licences and a README into dist/";

fn main() -> ExitCode {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap_or(Path::new("."));
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let result = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["goldens"] => goldens::compare(root),
        ["bundle", ref options @ ..] => bundle::run(root, options),
        ["licences", package, file] => licences::run(root, package, Path::new(file)),
        ["release", ref options @ ..] => release::run(root, options),
        _ => Err(USAGE.into()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
