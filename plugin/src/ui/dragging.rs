//! A file that is made and dragged out of a window, into the host or a folder.

use std::path::{Path, PathBuf};

use crate::loading::Tasks;
use crate::state::{Refusal, files};

/// Whether windows of this system can give files.
pub(crate) const CAN_DRAG: bool = cfg!(target_os = "linux");

/// What was dragged out of one window.
#[derive(Debug, Default)]
pub(crate) struct DragOut {
    last: Option<PathBuf>,
}

impl DragOut {
    /// Writes a file with a name that is not there yet, in the folder for temporary ones, and gives it to the window on which it is
    /// dropped. Call it where a drag starts.
    pub(crate) fn start(
        &mut self,
        stem: &str,
        ending: &str,
        tasks: &Tasks,
        write: impl FnOnce(&Path) -> Result<(), Refusal>,
    ) {
        if !CAN_DRAG {
            return;
        }
        let path = files::unused(&std::env::temp_dir().join("neurdsp"), stem, ending);
        match write(&path) {
            Ok(()) => {
                self.last = Some(path.clone());
                #[cfg(target_os = "linux")]
                crate::window::drag_out(path);
            }
            Err(refusal) => tasks.refuse(refusal),
        }
    }

    /// Whether a file that was dropped on the window is the one that was dragged out of it.
    pub(crate) fn is_own(&self, path: &Path) -> bool {
        self.last.as_deref() == Some(path)
    }
}
