//! Every dependency is named once, in the root manifest, with the reason why it is there and not code of our own.

use crate::tree::{File, Finding, NOTHING, check, lines_found};

/// Known to every reader of Rust; the name is the reason.
const OBVIOUS: [&str; 4] = ["bytes", "serde", "serde_json", "tempfile"];

/// Written before this rule was; each leaves the list when its line gets a reason.
const NOT_YET: [&str; 0] = [];

fn without_reason(file: &File) -> Vec<Finding> {
    if file.path != "Cargo.toml" {
        return Vec::new();
    }
    let table =
        file.text.lines().enumerate().skip_while(|(_, line)| line.trim() != "[workspace.dependencies]");
    let entries = table.skip(1).take_while(|(_, line)| !line.starts_with('['));
    let mut findings = Vec::new();
    for (at, line) in entries {
        let Some((name, value)) = line.split_once('=') else { continue };
        let name = name.trim();
        let is_comment = name.starts_with('#');
        let is_ours = value.contains("path = \"crates/");
        let is_known = OBVIOUS.contains(&name) || NOT_YET.contains(&name);
        let has_reason = value.split_once('#').is_some_and(|(_, reason)| !reason.trim().is_empty());
        if !is_comment && !is_ours && !is_known && !has_reason {
            findings
                .push(file.finding(at + 1, format!("say in a comment on this line why `{name}` is used")));
        }
    }
    findings
}

#[test]
fn every_dependency_has_a_reason() {
    check(without_reason);
    let manifest = "[package]\na = \"1\"\n[workspace.dependencies]\n# -- family = a\nledger = { path = \"crates/ledger\" }\n\
        b = \"1\" # because\nc = \"1\"\nd = { version = \"1\" } #\nserde = \"1\"\n[profile.dev]\ne = 1\n";
    assert_eq!(lines_found(without_reason, "Cargo.toml", manifest), [7, 8]);
    assert_eq!(lines_found(without_reason, "crates/a/Cargo.toml", manifest), NOTHING);
}
