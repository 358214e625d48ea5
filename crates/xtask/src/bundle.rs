//! The plugins as hosts look for them: a VST3 bundle and a CLAP file around the library that cargo builds. The library holds all
//! plugins, so there is one of each.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::Command;

pub(crate) const PACKAGE: &str = "neurdsp-plugin";
const NAME: &str = "neurdsp";

/// What macOS reads from a bundle before it loads the library.
const INFO_PLIST: &str = concat!(
    r#"<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
    <key>CFBundleExecutable</key><string>neurdsp</string>
    <key>CFBundleIdentifier</key><string>org.neurdsp.amp</string>
    <key>CFBundleName</key><string>neurdsp</string>
    <key>CFBundlePackageType</key><string>BNDL</string>
    <key>CFBundleSignature</key><string>????</string>
    <key>CFBundleVersion</key><string>"#,
    env!("CARGO_PKG_VERSION"),
    "</string>\n</dict>\n</plist>\n"
);

/// Where the files of a platform go, and what its libraries are called.
struct Platform {
    /// The folder inside `Contents`.
    folder: String,
    /// The library that cargo builds.
    library: &'static str,
    /// The name of the library inside the bundle.
    inside: &'static str,
    /// Whether a CLAP is a bundle too, with a property list, as on macOS.
    property_list: bool,
}

impl Platform {
    /// The platform of a target triple; without one, that of this machine.
    fn new(target: Option<&str>) -> Result<Platform, String> {
        let (arch, rest) = match target {
            Some(triple) => triple.split_once('-').unwrap_or((triple, "")),
            None => (std::env::consts::ARCH, std::env::consts::OS),
        };
        let platform =
            |folder: String, library, inside| Platform { folder, library, inside, property_list: false };
        if rest.contains("linux") {
            Ok(platform(format!("{arch}-linux"), "libneurdsp_plugin.so", "neurdsp.so"))
        } else if rest.contains("windows") {
            Ok(platform(format!("{arch}-win"), "neurdsp_plugin.dll", "neurdsp.vst3"))
        } else if rest.contains("macos") || rest.contains("apple-darwin") {
            let platform = platform("MacOS".to_owned(), "libneurdsp_plugin.dylib", "neurdsp");
            Ok(Platform { property_list: true, ..platform })
        } else {
            Err(format!("bundles are made for Linux, Windows and macOS, not for '{rest}'"))
        }
    }
}

/// Builds the plugin and its bundles, and prints where they are: `[--release] [--target TRIPLE] [--library FILE]`.
///
/// Without `--release` the build checks itself while it plays: an allocation on the audio thread ends the host. `--library`
/// names a library that is built already.
pub(crate) fn run(root: &Path, arguments: &[&str]) -> Result<(), Box<dyn Error>> {
    let (mut release, mut target, mut library) = (false, None, None);
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        match *argument {
            "--release" => release = true,
            "--library" => library = Some(PathBuf::from(rest.next().ok_or("--library needs a file")?)),
            "--target" => target = Some(*rest.next().ok_or("--target needs a triple")?),
            other => {
                let options = "--release, --target TRIPLE and --library FILE";
                return Err(format!("unknown option '{other}'; there are {options}").into());
            }
        }
    }
    let platform = Platform::new(target)?;
    let built = match library {
        Some(library) => library,
        None => build(root, release, target)?.join(platform.library),
    };
    for path in bundle(&built, &platform, &folder(root, release, target))? {
        println!("{}", path.display());
    }
    Ok(())
}

/// Where the bundles of a build go.
pub(crate) fn folder(root: &Path, release: bool, target: Option<&str>) -> PathBuf {
    let folder = root.join("target").join(if release { "bundled" } else { "bundled-debug" });
    target.map_or_else(|| folder.clone(), |triple| folder.join(triple))
}

/// Has cargo build the library; returns its folder.
fn build(root: &Path, release: bool, target: Option<&str>) -> Result<PathBuf, Box<dyn Error>> {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root).args(["build", "--quiet", "--package", PACKAGE]);
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
    Ok(folder)
}

/// Puts the library into a VST3 bundle and a CLAP file in `folder`.
///
/// Each is removed before it is written, so a host that has the old one open keeps it.
fn bundle(library: &Path, platform: &Platform, folder: &Path) -> std::io::Result<[PathBuf; 2]> {
    let paths = ["vst3", "clap"].map(|ending| folder.join(format!("{NAME}.{ending}")));
    for path in &paths {
        if path.is_dir() {
            std::fs::remove_dir_all(path)?;
        } else if path.exists() {
            std::fs::remove_file(path)?;
        }
    }
    let [vst3, clap] = &paths;
    fill(vst3, library, platform)?;
    if platform.property_list {
        fill(clap, library, platform)?;
    } else {
        std::fs::copy(library, clap)?;
    }
    Ok(paths)
}

/// Makes a bundle around the library.
fn fill(bundle: &Path, library: &Path, platform: &Platform) -> std::io::Result<()> {
    let contents = bundle.join("Contents");
    let folder = contents.join(&platform.folder);
    std::fs::create_dir_all(&folder)?;
    std::fs::copy(library, folder.join(platform.inside))?;
    if platform.property_list {
        std::fs::write(contents.join("Info.plist"), INFO_PLIST)?;
        std::fs::write(contents.join("PkgInfo"), "BNDL????")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Platform, bundle};

    #[test]
    fn a_bundle_has_the_layout_of_its_platform_and_can_be_made_again() {
        let folder = tempfile::tempdir().unwrap();
        let library = folder.path().join("library");
        for (content, target, inside, clap_inside) in [
            ("one", "x86_64-unknown-linux-gnu", "Contents/x86_64-linux/neurdsp.so", ""),
            ("two", "x86_64-pc-windows-gnu", "Contents/x86_64-win/neurdsp.vst3", ""),
            ("three", "aarch64-apple-darwin", "Contents/MacOS/neurdsp", "Contents/MacOS/neurdsp"),
            ("four", "x86_64-unknown-linux-gnu", "Contents/x86_64-linux/neurdsp.so", ""),
        ] {
            std::fs::write(&library, content).unwrap();
            let platform = Platform::new(Some(target)).unwrap();
            let [vst3, clap] = bundle(&library, &platform, &folder.path().join("out")).unwrap();
            assert_eq!(std::fs::read_to_string(vst3.join(inside)).unwrap(), content);
            let clap = if clap_inside.is_empty() { clap } else { clap.join(clap_inside) };
            assert_eq!(std::fs::read_to_string(clap).unwrap(), content);
            let files = if platform.property_list { 3 } else { 1 };
            assert_eq!(std::fs::read_dir(vst3.join("Contents")).unwrap().count(), files);
        }
        assert!(Platform::new(Some("x86_64-unknown-freebsd")).is_err());
    }
}
