//! File dialogs. Each runs on a thread, because the window must not wait for it.

use std::path::PathBuf;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::loading::Tasks;

/// What a dialog picks.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Pick {
    /// A file with one of these endings, called `name` in the dialog.
    File {
        name: &'static str,
        endings: &'static [&'static str],
    },
    Folder,
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
            let dialog = rfd::FileDialog::new();
            let path = match pick {
                Pick::File { name, endings } => dialog.add_filter(name, endings).pick_file(),
                Pick::Folder => dialog.pick_folder(),
            };
            if let Some(path) = path {
                *picked.lock() = Some(path);
                repaint.repaint();
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
