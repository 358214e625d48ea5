//! The licences of the crates that the plugin and the wheel are linked from: checked against `licences/allowed.txt`, and
//! written out for whoever gets a build.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The licences that dependencies may have, relative to the root.
const ALLOWED: &str = "crates/xtask/licences/allowed.txt";
/// The texts for crates that ship none, relative to the root.
const TEXTS: &str = "crates/xtask/licences/texts";
/// How the names of licence files in a crate begin.
const NAMES: [&str; 6] = ["LICENSE", "LICENCE", "COPYING", "NOTICE", "COPYRIGHT", "UNLICENSE"];

/// Writes the licences of everything linked into `package` to the file `to`.
///
/// # Errors
///
/// As [`works`], or if the file cannot be written.
pub(crate) fn run(root: &Path, package: &str, to: &Path) -> Result<(), Box<dyn Error>> {
    let works = works(root, package, &host()?)?;
    std::fs::write(to, document(package, &works)).map_err(|error| format!("{}: {error}", to.display()))?;
    println!("{}: {} crates", to.display(), works.len());
    Ok(())
}

/// A third-party crate.
pub(crate) struct Work {
    /// Name and version.
    title: String,
    /// Its SPDX expression.
    licence: String,
    /// The texts that it ships, or else the common text of its licence.
    texts: Vec<String>,
}

/// The third-party crates linked into a package of the workspace for a target triple, sorted by name.
///
/// Procedural macros and build scripts are left out: they run at build time only.
///
/// # Errors
///
/// If there is no such package, a licence is not allowed, a text is missing, or `cargo metadata` fails.
pub(crate) fn works(root: &Path, package: &str, target: &str) -> Result<Vec<Work>, Box<dyn Error>> {
    let list = std::fs::read_to_string(root.join(ALLOWED))?;
    let allowed = allowed(&list);
    let mut works = Vec::new();
    for package in linked(&metadata(root, target)?, package)? {
        if package["source"].is_null() {
            continue; // Ours.
        }
        let title = format!("{} {}", text(&package["name"])?, text(&package["version"])?);
        let licence = match package["license"].as_str() {
            Some(licence) => licence.to_owned(),
            None => return Err(format!("{title} does not name its licence").into()),
        };
        let chosen = choose(&licence, &allowed).map_err(|error| format!("{title}: {error}"))?;
        let folder = Path::new(text(&package["manifest_path"])?).parent().ok_or("a manifest in no folder")?;
        let mut texts = texts(folder)?;
        if texts.is_empty() {
            let authors: Vec<&str> = items(&package["authors"]).filter_map(Value::as_str).collect();
            for name in chosen {
                texts.push(
                    common(root, name, &authors.join(", ")).map_err(|error| format!("{title}: {error}"))?,
                );
            }
        }
        works.push(Work { title, licence, texts });
    }
    works.sort_by(|one, other| one.title.cmp(&other.title));
    Ok(works)
}

/// One document with the licences of all works and of Rust's standard library; each text appears once.
pub(crate) fn document(package: &str, works: &[Work]) -> String {
    let mut document = format!("{package} contains these third-party works.\n\n");
    let mut by_text: BTreeMap<String, (&str, Vec<&str>)> = BTreeMap::new();
    for work in works {
        // Writing to a string cannot fail.
        let _ = writeln!(document, "{}: {}", work.title, work.licence);
        for text in &work.texts {
            // Copies of a text differ in their line breaks.
            let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
            by_text.entry(words).or_insert((text, Vec::new())).1.push(&work.title);
        }
    }
    let mut texts: Vec<_> = by_text.into_values().collect();
    texts.sort_by(|one, other| one.1.cmp(&other.1));
    for (text, titles) in texts {
        document.push_str(&section(&titles.join(", "), text.trim()));
    }
    let rust = "MIT OR Apache-2.0\nCopyright (c) The Rust Project Contributors";
    document + &section("The standard library of Rust", rust)
}

/// A part of the document: a rule, a heading and a text.
pub(crate) fn section(heading: &str, text: &str) -> String {
    format!("\n\n{}\n{heading}\n\n{text}\n", "=".repeat(80))
}

/// The target triple of this machine.
pub(crate) fn host() -> Result<String, Box<dyn Error>> {
    let output =
        Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into())).arg("-vV").output()?;
    let output = String::from_utf8(output.stdout)?;
    let host =
        output.lines().find_map(|line| line.strip_prefix("host: ")).ok_or("rustc does not name its host")?;
    Ok(host.to_owned())
}

fn metadata(root: &Path, target: &str) -> Result<Value, Box<dyn Error>> {
    let output = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["metadata", "--format-version", "1", "--locked", "--filter-platform", target])
        .current_dir(root)
        .output()?;
    if !output.status.success() {
        return Err(format!("cargo metadata: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// The packages that `root` is linked from, itself included.
fn linked<'m>(metadata: &'m Value, root: &str) -> Result<Vec<&'m Value>, Box<dyn Error>> {
    let by_id = |list: &'m Value| -> BTreeMap<&'m str, &'m Value> {
        items(list).filter_map(|item| Some((item["id"].as_str()?, item))).collect()
    };
    let (packages, nodes) = (by_id(&metadata["packages"]), by_id(&metadata["resolve"]["nodes"]));
    let is_macro = |package: &Value| {
        items(&package["targets"]).any(|target| items(&target["kind"]).any(|kind| kind == "proc-macro"))
    };
    let start = packages.iter().find(|(_, package)| package["name"] == root && package["source"].is_null());
    let start = start.ok_or_else(|| format!("the workspace has no package '{root}'"))?;
    let mut open = vec![*start.0];
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    while let Some(id) = open.pop() {
        let package = packages.get(id).ok_or("cargo metadata lists a dependency without its package")?;
        if !seen.insert(id) || is_macro(package) {
            continue;
        }
        found.push(*package);
        for dependency in nodes.get(id).into_iter().flat_map(|node| items(&node["deps"])) {
            // The kind of an ordinary dependency is null.
            if items(&dependency["dep_kinds"]).any(|kind| kind["kind"].is_null()) {
                open.push(text(&dependency["pkg"])?);
            }
        }
    }
    Ok(found)
}

/// The items of a list; none if the value is not a list.
fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> Result<&str, Box<dyn Error>> {
    Ok(value.as_str().ok_or("the output of cargo metadata has an unknown form")?)
}

/// The licence files in the folder of a crate: by their names, all files of a folder `LICENSES`, and the texts of fonts.
fn texts(folder: &Path) -> std::io::Result<Vec<String>> {
    let mut paths: Vec<PathBuf> = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().to_uppercase());
        let named = NAMES.iter().any(|start| name.starts_with(start));
        if path.is_dir() && (named || name == "FONTS") {
            for entry in std::fs::read_dir(&path)? {
                let path = entry?.path();
                if named || path.extension().is_some_and(|ending| ending == "txt") {
                    paths.push(path);
                }
            }
        } else if named {
            paths.push(path);
        }
    }
    paths.sort();
    paths.iter().map(|path| Ok(String::from_utf8_lossy(&std::fs::read(path)?).into_owned())).collect()
}

/// The text of a licence, for a crate that ships none.
fn common(root: &Path, name: &str, authors: &str) -> Result<String, String> {
    let path = match name {
        "Apache-2.0" => root.join("LICENSE-APACHE"),
        other => root.join(TEXTS).join(format!("{other}.txt")),
    };
    let text = std::fs::read_to_string(&path)
        .map_err(|_| format!("it ships no licence text; put the text of {name} into {TEXTS}/{name}.txt"))?;
    Ok(text.replace("<authors>", authors))
}

/// The licences of the list, preferred ones first.
fn allowed(list: &str) -> Vec<&str> {
    list.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')).collect()
}

/// The licences chosen from an SPDX expression.
///
/// # Errors
///
/// A sentence, if no choice is allowed or the expression is malformed.
fn choose<'a>(expression: &str, allowed: &[&'a str]) -> Result<Vec<&'a str>, String> {
    // The older form has a slash for OR.
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let tokens: Vec<&str> = spaced.split_whitespace().collect();
    let mut rest = &tokens[..];
    let taken = any_of(&mut rest, allowed).filter(|_| rest.is_empty());
    match taken.ok_or_else(|| format!("'{expression}' is not a licence expression"))? {
        Some(ranks) => Ok(ranks.into_iter().map(|rank| allowed[rank]).collect()),
        None => Err(format!(
            "'{expression}' is not allowed by {ALLOWED}; use another crate, or add the licence there"
        )),
    }
}

/// The positions of the chosen licences in the list; `None` if one of them is not allowed.
type Taken = Option<Vec<usize>>;

/// Reads terms joined by OR; `None` if they are malformed.
fn any_of(rest: &mut &[&str], allowed: &[&str]) -> Option<Taken> {
    let mut best = all_of(rest, allowed)?;
    while let ["OR", after @ ..] = rest {
        *rest = after;
        let other = all_of(rest, allowed)?;
        let last = |taken: &Taken| {
            taken.as_ref().map_or(usize::MAX, |ranks| ranks.iter().max().copied().unwrap_or(0))
        };
        if last(&other) < last(&best) {
            best = other;
        }
    }
    Some(best)
}

/// Reads terms joined by AND.
fn all_of(rest: &mut &[&str], allowed: &[&str]) -> Option<Taken> {
    let mut all = term(rest, allowed)?;
    while let ["AND", after @ ..] = rest {
        *rest = after;
        let other = term(rest, allowed)?;
        all = all.zip(other).map(|(one, other)| [one, other].concat());
    }
    Some(all)
}

/// Reads one licence with its exception, or terms in parentheses.
fn term(rest: &mut &[&str], allowed: &[&str]) -> Option<Taken> {
    let name = match rest {
        ["(", after @ ..] => {
            *rest = after;
            let inner = any_of(rest, allowed)?;
            let [")", after @ ..] = rest else { return None };
            *rest = after;
            return Some(inner);
        }
        ["OR" | "AND" | "WITH" | ")", ..] | [] => return None,
        [name, "WITH", exception, after @ ..] => {
            *rest = after;
            format!("{name} WITH {exception}")
        }
        [name, after @ ..] => {
            *rest = after;
            (*name).to_owned()
        }
    };
    Some(allowed.iter().position(|allowed| *allowed == name).map(|rank| vec![rank]))
}

#[cfg(test)]
mod tests {
    use super::{choose, document, works};
    use std::path::{Path, PathBuf};

    fn root() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
    }

    #[test]
    fn the_plugin_contains_allowed_works_only_and_their_texts() {
        for (target, own) in [("x86_64-unknown-linux-gnu", "x11"), ("x86_64-pc-windows-gnu", "winapi")] {
            let works = works(&root(), "neurdsp-plugin", target).unwrap();
            let has = |name: &str| works.iter().any(|work| work.title.starts_with(name));
            assert!(works.len() > 100 && has("nice-plug 0.4") && has(own), "{}", works.len());
            assert!(!has("proptest") && !has("syn ") && !has("neurdsp"));
            assert!(works.iter().all(|work| !work.texts.is_empty()));

            let document = document("neurdsp-plugin", &works);
            for text in ["SIL OPEN FONT LICENSE", "UBUNTU FONT LICENCE", "Copyright (c) Robbert van der Helm"]
            {
                assert!(document.to_uppercase().contains(&text.to_uppercase()), "{text}");
            }
        }
    }

    #[test]
    fn the_wheel_contains_the_binding_and_nothing_of_the_plugin() {
        let works = works(&root(), "neurdsp-py", "x86_64-unknown-linux-gnu").unwrap();
        let has = |name: &str| works.iter().any(|work| work.title.starts_with(name));
        assert!(has("pyo3 ") && has("numpy ") && has("realfft "), "{}", works.len());
        assert!(!has("egui") && !has("nice-plug") && works.iter().all(|work| !work.texts.is_empty()));
        let document = document("neurdsp-py", &works);
        assert!(document.contains("pyo3 ") && document.contains("The standard library of Rust"));
    }

    #[test]
    fn a_package_that_does_not_exist_is_named() {
        let error = works(&root(), "neurdsp-nothing", "x86_64-unknown-linux-gnu").err().unwrap();
        assert_eq!(error.to_string(), "the workspace has no package 'neurdsp-nothing'");
    }

    #[test]
    fn the_first_allowed_choice_is_taken_and_other_licences_are_refused() {
        let allowed = ["Apache-2.0", "MIT", "Apache-2.0 WITH LLVM-exception", "OFL-1.1"];
        let cases: [(&str, &[&str]); 6] = [
            ("MIT/Apache-2.0", &["Apache-2.0"]),
            ("Apache-2.0 OR GPL-2.0-only", &["Apache-2.0"]),
            ("GPL-2.0-only OR MIT", &["MIT"]),
            ("(MIT OR Apache-2.0) AND OFL-1.1", &["Apache-2.0", "OFL-1.1"]),
            ("GPL-3.0-only OR (MIT AND OFL-1.1)", &["MIT", "OFL-1.1"]),
            ("Apache-2.0 WITH LLVM-exception", &["Apache-2.0 WITH LLVM-exception"]),
        ];
        for (expression, expected) in cases {
            assert_eq!(choose(expression, &allowed).unwrap(), expected, "{expression}");
        }
        for refused in ["GPL-3.0-only", "MIT AND GPL-2.0-only", "(MIT AND GPL-2.0-only) OR LGPL-3.0-only"] {
            assert!(choose(refused, &allowed).unwrap_err().contains("is not allowed"), "{refused}");
        }
        for broken in ["", "MIT OR", "(MIT", "MIT Apache-2.0", "OR MIT", "MIT)", "AND"] {
            assert!(choose(broken, &allowed).unwrap_err().contains("not a licence expression"), "{broken}");
        }
    }
}
