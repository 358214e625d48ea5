//! Options of the linker.
#![allow(clippy::print_stdout, reason = "this is how cargo is told")]

fn main() {
    // A host may unload the library while a thread of a dependency (the clipboard's, say) still runs its code: on Linux it
    // stays in memory until the process ends.
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("linux") {
        println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
    }
    println!("cargo:rerun-if-changed=build.rs");
}
