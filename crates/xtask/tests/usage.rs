//! The command line of the tasks.
// A test may unwrap.
#![allow(clippy::unwrap_used)]

use std::process::Command;

#[test]
fn an_unknown_task_fails_and_lists_those_that_exist() {
    let output = Command::new(env!("CARGO_BIN_EXE_xtask")).arg("bundel").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    for task in ["goldens", "bundle", "licences", "release"] {
        assert!(said.contains(&format!("\n    {task}")), "{said}");
    }
}
