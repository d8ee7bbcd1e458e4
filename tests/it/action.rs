//! The shell of the action for GitHub, with faked commands and files.

use std::process::Command;

#[test]
fn the_action_hands_on_arguments_status_and_comment() {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/action.sh");
    let run = Command::new("bash").arg(script).output().unwrap();
    let said = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success(), "{said}{}", String::from_utf8_lossy(&run.stderr));
    assert!(said.contains("all cases hold"), "{said}");
}
