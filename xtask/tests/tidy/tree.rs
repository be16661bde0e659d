//! The files of the repository as git sees them, tracked or about to be, and how a rule reports on them. It knows no rule.

use std::{
    path::PathBuf,
    process::Command,
    sync::{LazyLock, OnceLock},
};

use crate::syntax::{self, Token};

/// Folders whose files were published by others and are kept as they came.
const VENDORED: [&str; 1] = ["crates/paydown/tests/browser/axe/"];

/// The samples in this folder break the rules on purpose.
pub const SAMPLES: &str = "xtask/tests/tidy/";

static TREE: LazyLock<Vec<File>> = LazyLock::new(read_tree);

/// A text file of the repository; `path` is relative to its root.
pub struct File {
    pub path: String,
    pub text: String,
    tokens: OnceLock<Vec<Token>>,
}

/// One offence: where, what, and how to mend it.
#[derive(Debug, PartialEq)]
pub struct Finding {
    pub path: String,
    pub line: usize,
    pub message: String,
}

impl File {
    pub fn new(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), text: text.to_owned(), tokens: OnceLock::new() }
    }

    pub fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    /// Whether the whole file is test code; a module inside a source file is not asked for here.
    pub fn is_test(&self) -> bool {
        self.path.contains("/tests/") || self.path.ends_with("/tests.rs")
    }

    pub fn is_sample(&self) -> bool {
        self.path.starts_with(SAMPLES)
    }

    pub fn under(&self, folder: &str) -> bool {
        self.path.starts_with(folder)
    }

    /// The tokens of a Rust file; comments are not among them.
    pub fn tokens(&self) -> &[Token] {
        self.tokens.get_or_init(|| syntax::tokens(&self.path, &self.text))
    }

    /// A finding in this file. Lines count from one.
    pub fn finding(&self, line: usize, message: impl Into<String>) -> Finding {
        Finding { path: self.path.clone(), line, message: message.into() }
    }
}

/// Fails with every finding of `rule` in the repository.
pub fn check(rule: fn(&File) -> Vec<Finding>) {
    report(TREE.iter().flat_map(rule).collect());
}

/// The files that a predicate selects, for rules that compare files.
pub fn files(select: impl Fn(&File) -> bool) -> Vec<&'static File> {
    TREE.iter().filter(|file| select(file)).collect()
}

/// Fails if there is a finding.
pub fn report(findings: Vec<Finding>) {
    let lines: Vec<String> = findings
        .iter()
        .map(|finding| format!("{}:{}: {}", finding.path, finding.line, finding.message))
        .collect();
    assert!(lines.is_empty(), "{} to mend:\n{}\n", lines.len(), lines.join("\n"));
}

/// What `lines_found` says of a sample that keeps the rule.
pub const NOTHING: [usize; 0] = [];

/// The lines that `rule` finds in a sample.
pub fn lines_found(rule: fn(&File) -> Vec<Finding>, path: &str, text: &str) -> Vec<usize> {
    rule(&File::new(path, text)).into_iter().map(|finding| finding.line).collect()
}

pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read_tree() -> Vec<File> {
    // The owner of a fresh clone may be another user than the one who tests it.
    let listing = Command::new("git")
        .args(["-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(root())
        .output()
        .expect("tidy reads the repository through git, which is not here");
    assert!(listing.status.success(), "git ls-files: {}", String::from_utf8_lossy(&listing.stderr));
    let listing = String::from_utf8(listing.stdout).expect("file names are UTF-8");
    let mut paths: Vec<&str> = listing.split_terminator('\0').collect();
    paths.sort_unstable();
    paths.dedup();
    paths
        .into_iter()
        .filter(|path| !VENDORED.iter().any(|folder| path.starts_with(folder)))
        // A file that is tracked and deleted, or that is no text, has nothing to read.
        .filter_map(|path| Some(File::new(path, &std::fs::read_to_string(root().join(path)).ok()?)))
        .collect()
}

#[test]
fn the_tree_is_the_repository() {
    for expected in ["Cargo.toml", "crates/ledger/src/lib.rs", "xtask/tests/tidy/tree.rs"] {
        assert!(TREE.iter().any(|file| file.path == expected), "{expected} was not read");
    }
    assert!(!TREE.iter().any(|file| file.under("target/") || file.under(VENDORED[0])));
}

#[test]
#[should_panic(expected = "a.rs:3: mend it")]
fn a_finding_fails_the_test_and_names_its_place() {
    report(vec![File::new("a.rs", "").finding(3, "mend it")]);
}
