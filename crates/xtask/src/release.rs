//! What a player gets: the bundles of the plugins, how to install them, and the licences of everything inside.

use crate::bundle::{self, PACKAGE};
use crate::licences;
use std::error::Error;
use std::path::Path;

/// Where Debian keeps the terms of the C run-time library that a build for Windows contains.
const MINGW_TERMS: &str = "/usr/share/doc/mingw-w64-x86-64-dev/copyright";

/// Fills `dist/neurdsp-plugin-VERSION-TARGET` from the bundles of a release build, and prints that name: `[--target TRIPLE]`.
///
/// # Errors
///
/// The bundles have not been built, or contain what may not be passed on.
pub(crate) fn run(root: &Path, arguments: &[&str]) -> Result<(), Box<dyn Error>> {
    let (target, cross) = match arguments {
        [] => (licences::host()?, None),
        ["--target", triple] => ((*triple).to_owned(), Some(*triple)),
        other => return Err(format!("unknown options {other:?}; there is --target TRIPLE").into()),
    };
    let mut terms = licences::document(PACKAGE, &licences::works(root, PACKAGE, &target)?);
    if target.contains("windows-gnu") {
        let mingw = std::fs::read_to_string(MINGW_TERMS)
            .map_err(|error| format!("{MINGW_TERMS}: {error}; the package of mingw-w64 installs it"))?;
        terms.push_str(&licences::section("The run-time library of mingw-w64", &mingw));
    }

    let name = format!("neurdsp-plugin-{}-{target}", env!("CARGO_PKG_VERSION"));
    let folder = root.join("dist").join(&name);
    if folder.exists() {
        std::fs::remove_dir_all(&folder)?;
    }
    std::fs::create_dir_all(&folder)?;
    let bundles = bundle::folder(root, true, cross);
    for bundle in ["neurdsp.vst3", "neurdsp.clap"] {
        let from = bundles.join(bundle);
        copy(&from, &folder.join(bundle))
            .map_err(|error| format!("{}: {error}; build it first", from.display()))?;
    }
    for (from, to) in [
        ("plugin/release/README.txt", "README.txt"),
        ("LICENSE-MIT", "LICENSE-MIT"),
        ("LICENSE-APACHE", "LICENSE-APACHE"),
        ("python/neurdsp/amp/shipped/LICENSES.md", "SHIPPED-AMPS.md"),
        ("python/neurdsp/drumsep/shipped/draft.md", "SHIPPED-DRUMS.md"),
    ] {
        std::fs::copy(root.join(from), folder.join(to))?;
    }
    std::fs::write(folder.join("THIRD-PARTY.txt"), terms)?;
    println!("{name}");
    Ok(())
}

/// Copies a file, or a folder with its contents.
fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    if !from.is_dir() {
        return std::fs::copy(from, to).map(drop);
    }
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        copy(&entry.path(), &to.join(entry.file_name()))?;
    }
    Ok(())
}
