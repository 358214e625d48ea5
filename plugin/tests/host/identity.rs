//! What projects and automation are keyed by.

use std::fmt::Write;

use super::plugin::{Module, library, number, text16};
use super::{clap, state};

/// The class with this index in both formats, and its parameters, one to a line.
pub fn identity(class: usize) -> String {
    let mut text = String::new();
    let module = Module::load();
    let info = &module.classes()[class];
    let cid: String = info.cid.iter().map(|byte| char::from(*byte as u8)).collect();
    let words = |text: &[i8]| -> String {
        let letters = text.iter().take_while(|letter| **letter != 0);
        letters.map(|letter| char::from(*letter as u8)).collect()
    };
    let [name, kinds, vendor] = [&info.name[..], &info.subCategories, &info.vendor].map(words);
    writeln!(text, "vst3 {cid} | {vendor} | {name} | {kinds}").unwrap();
    let (id, vendor, name, features) = clap::classes(&library()).swap_remove(class);
    writeln!(text, "clap {id} | {vendor} | {name} | {}", features.join(" ")).unwrap();
    let instance = module.create_class(class);
    let saved = state(&instance);
    let ids: Vec<&str> = saved["params"].as_object().unwrap().keys().map(String::as_str).collect();
    text.push_str("\nid | number | title | unit | steps | flags | default | from | to\n");
    for info in instance.parameters() {
        let id = ids.iter().find(|id| number(id) == info.id).copied().unwrap_or("?");
        let shown = |value| instance.shown(info.id, value);
        let (title, unit) = (text16(&info.title), text16(&info.units));
        let (steps, flags, default) = (info.stepCount, info.flags, info.defaultNormalizedValue);
        let (from, to, default) = (shown(0.0), shown(1.0), format!("{} ({default:.4})", shown(default)));
        let number = info.id;
        writeln!(text, "{id} | {number} | {title} | {unit} | {steps} | {flags} | {default} | {from} | {to}")
            .unwrap();
    }
    text
}
