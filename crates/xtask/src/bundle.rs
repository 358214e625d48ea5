//! The plugin as hosts look for it: a VST3 bundle and a CLAP file around the library that cargo builds.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::Command;

const PACKAGE: &str = "neurdsp-plugin";
const NAME: &str = "neurdsp";

/// Where the files of a platform go, and how its libraries are called.
struct Platform {
    /// The folder inside `Contents`.
    folder: String,
    /// The library that cargo builds.
    library: &'static str,
    /// The ending of the library inside the bundle.
    ending: &'static str,
}

impl Platform {
    /// The platform of a target triple; of this machine, if there is none.
    fn new(target: Option<&str>) -> Result<Platform, String> {
        let (arch, rest) = match target {
            Some(triple) => triple.split_once('-').unwrap_or((triple, "")),
            None => (std::env::consts::ARCH, std::env::consts::OS),
        };
        if rest.contains("linux") {
            let folder = format!("{arch}-linux");
            Ok(Platform { folder, library: "libneurdsp_plugin.so", ending: "so" })
        } else if rest.contains("windows") {
            Ok(Platform { folder: format!("{arch}-win"), library: "neurdsp_plugin.dll", ending: "vst3" })
        } else {
            Err(format!("bundles are made for Linux and Windows, not for '{rest}'"))
        }
    }
}

/// Builds the plugin and its bundles, and prints where they are: `[--release] [--target TRIPLE] [--tested] [--library FILE]`.
///
/// Without `--release` the build checks itself while it plays: an allocation on the audio thread ends the host. With
/// `--tested` it is the library that `cargo test --workspace` loads, so that nothing is compiled a second time. A library
/// that was built elsewhere is given by `--library`.
pub(crate) fn run(root: &Path, arguments: &[&str]) -> Result<(), Box<dyn Error>> {
    let (mut release, mut target, mut tested, mut library) = (false, None, false, None);
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        match *argument {
            "--release" => release = true,
            "--tested" => tested = true,
            "--library" => library = Some(PathBuf::from(rest.next().ok_or("--library needs a file")?)),
            "--target" => target = Some(*rest.next().ok_or("--target needs a triple")?),
            other => {
                let options = "--release, --target TRIPLE, --tested and --library FILE";
                return Err(format!("unknown option '{other}'; there are {options}").into());
            }
        }
    }
    if tested && (release || target.is_some()) {
        return Err("--tested is a build for this machine, without --release and --target".into());
    }
    let platform = Platform::new(target)?;
    let built = match library {
        Some(library) => library,
        None => build(root, release, target, tested)?.join(platform.library),
    };
    let mut folder = root.join("target").join(if release { "bundled" } else { "bundled-debug" });
    if let Some(triple) = target {
        folder.push(triple);
    }
    for path in bundle(&built, &platform, &folder)? {
        println!("{}", path.display());
    }
    Ok(())
}

/// Lets cargo build the library; returns the folder that it is in.
fn build(root: &Path, release: bool, target: Option<&str>, tested: bool) -> Result<PathBuf, Box<dyn Error>> {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root);
    if tested {
        command.args(["test", "--quiet", "--workspace", "--no-run"]);
    } else {
        command.args(["build", "--quiet", "--package", PACKAGE]);
    }
    let mut folder = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    if let Some(triple) = target {
        command.args(["--target", triple]);
        folder.push(triple);
    }
    if release {
        command.arg("--release");
    }
    if !command.status()?.success() {
        return Err(format!("cargo could not build {PACKAGE}").into());
    }
    folder.push(if release { "release" } else { "debug" });
    if tested {
        folder.push("deps");
    }
    Ok(folder)
}

/// Puts the library into a VST3 bundle and a CLAP file in `folder`.
///
/// Each is removed before it is written: a host that has the old one open keeps it.
fn bundle(library: &Path, platform: &Platform, folder: &Path) -> std::io::Result<[PathBuf; 2]> {
    let vst3 = folder.join(format!("{NAME}.vst3"));
    let contents = vst3.join("Contents").join(&platform.folder);
    if vst3.exists() {
        std::fs::remove_dir_all(&vst3)?;
    }
    std::fs::create_dir_all(&contents)?;
    std::fs::copy(library, contents.join(format!("{NAME}.{}", platform.ending)))?;
    let clap = folder.join(format!("{NAME}.clap"));
    if clap.exists() {
        std::fs::remove_file(&clap)?;
    }
    std::fs::copy(library, &clap)?;
    Ok([vst3, clap])
}

#[cfg(test)]
mod tests {
    use super::{Platform, bundle};

    #[test]
    fn a_bundle_has_the_layout_of_its_platform_and_can_be_made_again() {
        let folder = tempfile::tempdir().unwrap();
        let library = folder.path().join("library");
        for (content, target, inside) in [
            ("one", "x86_64-unknown-linux-gnu", "Contents/x86_64-linux/neurdsp.so"),
            ("two", "x86_64-pc-windows-gnu", "Contents/x86_64-win/neurdsp.vst3"),
        ] {
            std::fs::write(&library, content).unwrap();
            let platform = Platform::new(Some(target)).unwrap();
            let [vst3, clap] = bundle(&library, &platform, &folder.path().join("out")).unwrap();
            assert_eq!(std::fs::read_to_string(vst3.join(inside)).unwrap(), content);
            assert_eq!(std::fs::read_to_string(clap).unwrap(), content);
            assert_eq!(std::fs::read_dir(vst3.join("Contents")).unwrap().count(), 1);
        }
        assert!(Platform::new(Some("aarch64-apple-darwin")).is_err());
    }
}
