//! egui in a window that a host owns: drawing, input, clipboard and dropped files. Nothing here knows of audio.
//!
//! ```text
//! app        what a window shows, and how to ask for a redraw
//! drag_out   files that are dragged to another window
//! editor     what the plugin framework asks of an editor
//! fonts      letters that the built-in fonts lack, from the system's
//! frame      one open window: `baseview`'s events become egui's, and OpenGL paints what egui makes
//! input      the words of the windowing system in those of egui
//! keyboard   whose keys they are
//! redraw     when it is drawn
//! libraries  the libraries of Linux that windows keep loaded
//! ```

mod app;
#[cfg(target_os = "linux")]
mod drag_out;
mod editor;
mod fonts;
mod frame;
mod input;
mod keyboard;
#[cfg(target_os = "linux")]
mod libraries;
mod redraw;

pub(crate) use app::{App, Repaint};
#[cfg(target_os = "linux")]
pub(crate) use drag_out::drag_out;
pub(crate) use editor::AppEditor;
