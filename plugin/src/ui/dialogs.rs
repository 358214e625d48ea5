//! File dialogs. Each runs on a thread, because the window must not wait for it.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::loading::Tasks;

/// Nobody sees a dialog and closes it as fast as this.
const AT_ONCE: Duration = Duration::from_millis(150);
const NO_DIALOG: &str = "this system has no file dialog: drop the file on this window, or install zenity or a desktop portal (xdg-desktop-portal with the part for your desktop)";

/// What a dialog picks.
#[derive(Clone, Debug)]
pub(crate) enum Pick {
    /// A file with one of these endings, called `name` in the dialog.
    File {
        name: &'static str,
        endings: &'static [&'static str],
    },
    Folder,
    /// Where to save a file, which is called `file` at first.
    Save {
        name: &'static str,
        endings: &'static [&'static str],
        file: String,
    },
}

/// The dialogs of one editor.
#[derive(Debug, Default)]
pub(crate) struct Dialogs {
    picked: Arc<Mutex<Option<PathBuf>>>,
}

impl Dialogs {
    /// Shows a dialog; [`take`](Self::take) returns what was picked.
    pub(crate) fn show(&self, pick: Pick, tasks: &Tasks) {
        let (picked, repaint) = (Arc::clone(&self.picked), tasks.clone());
        let run = move || {
            let start = Instant::now();
            let dialog = rfd::FileDialog::new();
            let path = match pick {
                Pick::File { name, endings } => dialog.add_filter(name, endings).pick_file(),
                Pick::Folder => dialog.pick_folder(),
                Pick::Save { name, endings, file } => {
                    dialog.add_filter(name, endings).set_file_name(file).save_file()
                }
            };
            match path {
                Some(path) => {
                    *picked.lock() = Some(path);
                    repaint.repaint();
                }
                // The library does not tell a dialog that was closed from one that could not be shown.
                None if start.elapsed() < AT_ONCE || !may_exist() => repaint.refuse(NO_DIALOG.to_owned()),
                None => {}
            }
        };
        if let Err(error) = std::thread::Builder::new().spawn(run) {
            tasks.refuse(format!(
                "the system cannot create a thread for the dialog: {error}; close some programs"
            ));
        }
    }

    /// What was picked since the last call.
    pub(crate) fn take(&self) -> Option<PathBuf> {
        self.picked.lock().take()
    }
}

/// Whether the system may have a file dialog. Windows and macOS always have one.
fn may_exist() -> bool {
    if !cfg!(target_os = "linux") {
        return true;
    }
    let folders = |variable: &str, usual: &str| {
        let listed = std::env::var_os(variable).unwrap_or_else(|| usual.into());
        std::env::split_paths(&listed).collect::<Vec<_>>()
    };
    let has_zenity = folders("PATH", "/usr/bin").iter().any(|folder| folder.join("zenity").is_file());
    let has_portal = || {
        let shared = folders("XDG_DATA_DIRS", "/usr/local/share:/usr/share");
        shared.iter().any(|folder| folder.join("xdg-desktop-portal/portals").is_dir())
    };
    has_zenity || has_portal()
}
