//! Linker options, and the lists of the amps, cabinets, and networks of music, drums and kicks that the plugin contains.
#![allow(clippy::print_stdout, reason = "cargo reads it")]

use std::error::Error;
use std::fmt::Write;
use std::path::{Path, PathBuf};

const SHIPPED: &str = "../python/neurdsp/amp/shipped";
const MUSIC: &str = "../python/neurdsp/music/shipped";
const DRUMS: &str = "../python/neurdsp/drumsep/shipped";
const KICKS: &str = "../python/neurdsp/kick/shipped";

fn main() -> Result<(), Box<dyn Error>> {
    // A host may unload the library while a thread of a dependency, such as the clipboard's, still runs its code. So on Linux it
    // stays in memory until the process ends.
    if std::env::var("CARGO_CFG_TARGET_OS")? == "linux" {
        println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
    }
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed={SHIPPED}");
    println!("cargo:rerun-if-changed={MUSIC}");
    // No network has to be there; one that comes changes the folder around it.
    for networks in [DRUMS, KICKS].map(Path::new) {
        let watched = networks.parent().filter(|_| !networks.is_dir()).unwrap_or(networks);
        println!("cargo:rerun-if-changed={}", watched.display());
    }
    let output = PathBuf::from(std::env::var("OUT_DIR")?);
    std::fs::write(output.join("shipped.rs"), list(Path::new(SHIPPED), "safetensors")?)?;
    std::fs::write(output.join("cabinets.rs"), list(&Path::new(SHIPPED).join("cabinets"), "wav")?)?;
    std::fs::write(output.join("music.rs"), list(Path::new(MUSIC), "safetensors")?)?;
    std::fs::write(output.join("drums.rs"), list(Path::new(DRUMS), "safetensors")?)?;
    std::fs::write(output.join("kicks.rs"), list(Path::new(KICKS), "safetensors")?)?;
    Ok(())
}

/// The source of a slice of names and contents.
fn list(folder: &Path, wanted: &str) -> Result<String, Box<dyn Error>> {
    let mut files = Vec::new();
    if !folder.is_dir() {
        return Ok("&[]".to_owned());
    }
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path().canonicalize()?;
        if path.extension().is_some_and(|ending| ending == wanted) {
            files.push(path);
        }
    }
    files.sort();
    let mut source = String::from("&[");
    for path in files {
        let name = path.file_stem().ok_or("a file without a name")?;
        write!(source, "({:?}, include_bytes!({:?})),", name.to_string_lossy(), path)?;
    }
    source.push(']');
    Ok(source)
}
