//! The licences of what is linked into the plugin: held against the list in `plugin/release/licences.txt`, and written out
//! for whoever gets the plugin.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The package whose dependencies are looked at.
const PLUGIN: &str = "neurdsp-plugin";
/// How the files begin in which packages keep their terms.
const NAMES: [&str; 6] = ["LICENSE", "LICENCE", "COPYING", "NOTICE", "COPYRIGHT", "UNLICENSE"];

/// A work of others.
pub(crate) struct Work {
    /// Name and version.
    pub(crate) title: String,
    /// Its terms, as an SPDX expression.
    pub(crate) licence: String,
    /// The texts that come with it, or the common text of its licence, if none does.
    pub(crate) texts: Vec<String>,
}

/// What is linked into the plugin for a target, in the order of names.
///
/// Macros and build scripts are not: they run while it is built.
///
/// # Errors
///
/// Where a licence is not on the list, a text is missing, or cargo does not know its packages.
pub(crate) fn works(root: &Path, target: &str) -> Result<Vec<Work>, Box<dyn Error>> {
    let list = std::fs::read_to_string(root.join("plugin/release/licences.txt"))?;
    let allowed = allowed(&list);
    let mut works = Vec::new();
    for package in linked(&metadata(root, target)?)? {
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

/// One document of all works, in which each text stands once.
pub(crate) fn document(works: &[Work]) -> String {
    let mut document = String::from("The plugin contains these works of others.\n\n");
    let mut by_text: BTreeMap<String, (&str, Vec<&str>)> = BTreeMap::new();
    for work in works {
        // Writing to a string cannot fail.
        let _ = writeln!(document, "{}: {}", work.title, work.licence);
        for text in &work.texts {
            // The same text comes with other line breaks.
            let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
            by_text.entry(words).or_insert((text, Vec::new())).1.push(&work.title);
        }
    }
    let mut texts: Vec<_> = by_text.into_values().collect();
    texts.sort_by(|one, other| one.1.cmp(&other.1));
    for (text, titles) in texts {
        let _ = write!(document, "\n\n{}\n{}\n\n{}\n", "=".repeat(80), titles.join(", "), text.trim());
    }
    document
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

/// The packages that the plugin is linked from.
fn linked<'m>(metadata: &'m Value) -> Result<Vec<&'m Value>, Box<dyn Error>> {
    let by_id = |list: &'m Value| -> BTreeMap<&'m str, &'m Value> {
        items(list).filter_map(|item| Some((item["id"].as_str()?, item))).collect()
    };
    let (packages, nodes) = (by_id(&metadata["packages"]), by_id(&metadata["resolve"]["nodes"]));
    let is_macro = |package: &Value| {
        items(&package["targets"]).any(|target| items(&target["kind"]).any(|kind| kind == "proc-macro"))
    };
    let start = packages.iter().find(|(_, package)| package["name"] == PLUGIN);
    let start = start.ok_or("no plugin in the workspace")?;
    let mut open = vec![*start.0];
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    while let Some(id) = open.pop() {
        let package = packages.get(id).ok_or("a dependency that is no package")?;
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

/// The items of a list; nothing, if it is none.
fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> Result<&str, Box<dyn Error>> {
    Ok(value.as_str().ok_or("cargo metadata has changed its form")?)
}

/// The terms that lie in the folder of a package: by their names, all of a folder `LICENSES`, and the texts beside fonts.
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

/// The text of a licence, for a work that comes without.
fn common(root: &Path, name: &str, authors: &str) -> Result<String, String> {
    let path = match name {
        "Apache-2.0" => root.join("LICENSE-APACHE"),
        other => root.join(format!("plugin/release/texts/{other}.txt")),
    };
    let text = std::fs::read_to_string(&path).map_err(|_| {
        format!("it comes without a text; put that of {name} into plugin/release/texts/{name}.txt")
    })?;
    Ok(text.replace("<authors>", authors))
}

/// The licences of a list, the preferred ones first.
fn allowed(list: &str) -> Vec<&str> {
    list.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')).collect()
}

/// The licences that are taken of an SPDX expression.
///
/// # Errors
///
/// A sentence, if they are not all on the list, or it is no expression.
fn choose<'a>(expression: &str, allowed: &[&'a str]) -> Result<Vec<&'a str>, String> {
    // An older form writes a stroke for OR.
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let tokens: Vec<&str> = spaced.split_whitespace().collect();
    let mut rest = &tokens[..];
    let taken = any_of(&mut rest, allowed).filter(|_| rest.is_empty());
    match taken.ok_or_else(|| format!("'{expression}' is no expression of licences"))? {
        Some(ranks) => Ok(ranks.into_iter().map(|rank| allowed[rank]).collect()),
        None => Err(format!(
            "'{expression}' is not on the list in plugin/release/licences.txt; use another package, or add it there"
        )),
    }
}

/// The places in the list of the licences that are taken; none, if one is not there.
type Taken = Option<Vec<usize>>;

/// Reads terms with OR between them; none, if that is not what stands there.
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

/// Reads terms with AND between them.
fn all_of(rest: &mut &[&str], allowed: &[&str]) -> Option<Taken> {
    let mut all = term(rest, allowed)?;
    while let ["AND", after @ ..] = rest {
        *rest = after;
        let other = term(rest, allowed)?;
        all = all.zip(other).map(|(one, other)| [one, other].concat());
    }
    Some(all)
}

/// Reads one licence, with its exception, or terms in parentheses.
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
    use std::path::Path;

    #[test]
    fn what_the_plugin_contains_is_allowed_and_comes_with_its_text() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        for (target, own) in [("x86_64-unknown-linux-gnu", "x11"), ("x86_64-pc-windows-gnu", "winapi")] {
            let works = works(&root, target).unwrap();
            let has = |name: &str| works.iter().any(|work| work.title.starts_with(name));
            assert!(works.len() > 100 && has("nice-plug 0.4") && has(own), "{}", works.len());
            assert!(!has("proptest") && !has("syn ") && !has("neurdsp"));
            assert!(works.iter().all(|work| !work.texts.is_empty()));

            let document = document(&works);
            for text in ["SIL OPEN FONT LICENSE", "UBUNTU FONT LICENCE", "Copyright (c) Robbert van der Helm"]
            {
                assert!(document.to_uppercase().contains(&text.to_uppercase()), "{text}");
            }
        }
    }

    #[test]
    fn of_a_choice_the_first_on_the_list_is_taken_and_what_is_not_there_is_refused() {
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
            assert!(choose(refused, &allowed).unwrap_err().contains("not on the list"), "{refused}");
        }
        for broken in ["", "MIT OR", "(MIT", "MIT Apache-2.0", "OR MIT", "MIT)", "AND"] {
            assert!(choose(broken, &allowed).unwrap_err().contains("no expression"), "{broken}");
        }
    }
}
