//! A window that is closed and opened again at once is drawn each time.
#![cfg(target_os = "linux")]
#![allow(missing_docs, clippy::unwrap_used)]

#[path = "../host/mod.rs"]
mod host;

use std::time::{Duration, Instant};

use host::display::Display;
use host::editor::Editor;
use host::stage::Stage;

/// The environment variable with the number of openings, and the number without it.
const VARIABLE: &str = "NEURDSP_REOPENINGS";
const USUAL: usize = 40;

/// Colours in the picture. An empty window has one; one that is drawn has text.
fn colours(display: &Display, editor: &Editor) -> usize {
    let picture = display.picture(editor.width, editor.height);
    let (pixels, _) = picture.as_chunks::<3>();
    pixels.iter().collect::<std::collections::BTreeSet<_>>().len()
}

#[test]
fn a_window_that_is_opened_again_at_once_is_never_empty() {
    let Some(Stage { display, home: _home, module: _module, instance }) = Stage::start(1000, 600) else {
        return;
    };
    let count: usize = std::env::var(VARIABLE).map_or(USUAL, |count| count.parse().expect("a number"));
    for opening in 0..count {
        let mut editor = Editor::open_without_loop(&display, &instance);
        let start = Instant::now();
        // Some are closed before their first frame.
        let waits = opening % 4 != 3;
        while waits && colours(&display, &editor) < 20 {
            assert!(start.elapsed() < Duration::from_secs(20), "opening {opening} is empty");
            editor.pump(&display);
            std::thread::sleep(Duration::from_millis(20));
        }
        editor.close(&display);
    }
}
