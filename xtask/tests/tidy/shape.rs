//! The shape of files: how long they and their functions are, how they begin, what they must not carry.

use sha2::{Digest, Sha256};
use syn::{
    Attribute, Block, ImplItemFn, ItemFn, ItemMod, Signature, TraitItemFn,
    spanned::Spanned,
    visit::{self, Visit},
};

use crate::tree::{self, File, Finding, NOTHING, check, lines_found};

const FILE_LINES: usize = 600;
const FUNCTION_LINES: usize = 70;
const TEST_FUNCTION_LINES: usize = 120;

fn short_file(file: &File) -> Vec<Finding> {
    let lines = file.text.lines().count();
    if !file.is_rust() || lines <= FILE_LINES {
        return Vec::new();
    }
    vec![
        file.finding(
            lines,
            format!("{lines} lines; split the file, {FILE_LINES} is the limit and 200 the aim"),
        ),
    ]
}

fn module_doc(file: &File) -> Vec<Finding> {
    if !file.is_rust() || file.text.starts_with("//!") {
        return Vec::new();
    }
    vec![file.finding(1, "open the module with `//!`: what it is for and what it must never do")]
}

fn trailing_whitespace(file: &File) -> Vec<Finding> {
    // A snapshot is the program's output, to the letter.
    if file.path.ends_with(".snap") {
        return Vec::new();
    }
    let lines = file.text.lines().enumerate().filter(|(_, line)| line.ends_with([' ', '\t', '\r']));
    lines.map(|(at, _)| file.finding(at + 1, "remove the white space at the end of the line")).collect()
}

/// Folders of whoever wrote a file mean nothing on another machine. The system's temporary folder may be named in tests and
/// in prose.
fn machine_path(file: &File) -> Vec<Finding> {
    let anywhere = [concat!("/", "work/"), concat!("/", "root/")];
    let temporary = [concat!("/", "tmp/")];
    let mut findings = Vec::new();
    let mut is_test = file.is_test();
    for (at, line) in file.text.lines().enumerate() {
        is_test |= line.trim() == "#[cfg(test)]";
        let may_be_temporary = is_test || file.path.ends_with(".md");
        let needles = anywhere.iter().chain(if may_be_temporary { &[] } else { &temporary[..] });
        for needle in needles.filter(|needle| names_path(line, needle)) {
            findings.push(
                file.finding(
                    at + 1,
                    format!("`{needle}` is a folder of one machine; take it as an argument"),
                ),
            );
        }
    }
    findings
}

/// Whether the path begins here, and is not the middle of an address or of a longer path.
fn names_path(line: &str, needle: &str) -> bool {
    line.match_indices(needle).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !before
            .is_some_and(|before| before.is_alphanumeric() || matches!(before, '.' | '_' | '-' | '}' | '*'))
    })
}

fn short_functions(file: &File) -> Vec<Finding> {
    if !file.is_rust() {
        return Vec::new();
    }
    let syntax = match syn::parse_file(&file.text) {
        Ok(syntax) => syntax,
        Err(error) => return vec![file.finding(error.span().start().line, format!("is not Rust: {error}"))],
    };
    let mut meter = Meter { file, is_test: file.is_test(), findings: Vec::new() };
    meter.visit_file(&syntax);
    meter.findings
}

struct Meter<'a> {
    file: &'a File,
    is_test: bool,
    findings: Vec<Finding>,
}

impl Meter<'_> {
    fn measure(&mut self, attributes: &[Attribute], signature: &Signature, block: &Block) {
        let is_test = self.is_test || attributes.iter().any(|attribute| attribute.path().is_ident("test"));
        let limit = if is_test { TEST_FUNCTION_LINES } else { FUNCTION_LINES };
        let (first, last) = (signature.span().start().line, block.span().end().line);
        let lines = last + 1 - first;
        if lines > limit {
            let message = format!("`{}` has {lines} lines; split it, {limit} is the limit", signature.ident);
            self.findings.push(self.file.finding(first, message));
        }
    }
}

impl<'ast> Visit<'ast> for Meter<'_> {
    fn visit_item_mod(&mut self, module: &'ast ItemMod) {
        let outside = self.is_test;
        self.is_test |= module.attrs.iter().any(is_test_only);
        visit::visit_item_mod(self, module);
        self.is_test = outside;
    }

    fn visit_item_fn(&mut self, function: &'ast ItemFn) {
        self.measure(&function.attrs, &function.sig, &function.block);
        visit::visit_item_fn(self, function);
    }

    fn visit_impl_item_fn(&mut self, function: &'ast ImplItemFn) {
        self.measure(&function.attrs, &function.sig, &function.block);
        visit::visit_impl_item_fn(self, function);
    }

    fn visit_trait_item_fn(&mut self, function: &'ast TraitItemFn) {
        if let Some(block) = &function.default {
            self.measure(&function.attrs, &function.sig, block);
        }
        visit::visit_trait_item_fn(self, function);
    }
}

fn is_test_only(attribute: &Attribute) -> bool {
    attribute.path().is_ident("cfg")
        && attribute.parse_args::<syn::Ident>().is_ok_and(|condition| condition == "test")
}

#[test]
fn rust_files_are_short() {
    check(short_file);
    let text = |lines| "//! .\n".repeat(lines);
    assert_eq!(lines_found(short_file, "crates/a/src/b.rs", &text(FILE_LINES)), NOTHING);
    assert_eq!(lines_found(short_file, "crates/a/src/b.rs", &text(FILE_LINES + 1)), [FILE_LINES + 1]);
    assert_eq!(lines_found(short_file, "README.md", &text(FILE_LINES + 1)), NOTHING);
}

#[test]
fn functions_are_short() {
    check(short_functions);
    let function = |lines: usize| format!("/// .\npub fn f() {{\n{}}}\n", "    g();\n".repeat(lines - 2));
    let found = |path: &str, text: &str| lines_found(short_functions, path, text);
    assert_eq!(found("crates/a/src/b.rs", &function(FUNCTION_LINES)), NOTHING);
    assert_eq!(found("crates/a/src/b.rs", &function(FUNCTION_LINES + 1)), [2]);
    assert_eq!(found("crates/a/tests/it/b.rs", &function(FUNCTION_LINES + 1)), NOTHING);
    assert_eq!(found("crates/a/tests/it/b.rs", &function(TEST_FUNCTION_LINES + 1)), [2]);
    let wrapped = |head: &str| format!("{head} {{\n{}}}\n", function(FUNCTION_LINES + 1));
    assert_eq!(found("crates/a/src/b.rs", &wrapped("#[cfg(test)] mod tests")), NOTHING);
    assert_eq!(found("crates/a/src/b.rs", &wrapped("mod other")), [3]);
    assert_eq!(found("crates/a/src/b.rs", &wrapped("impl A")), [3]);
    assert_eq!(found("crates/a/src/b.rs", &wrapped("trait A").replace("pub ", "")), [3]);
}

#[test]
fn modules_say_what_they_are_for() {
    check(module_doc);
    assert_eq!(lines_found(module_doc, "crates/a/src/b.rs", "//! Counts.\nfn f() {}\n"), NOTHING);
    assert_eq!(lines_found(module_doc, "crates/a/src/b.rs", "// Counts.\nfn f() {}\n"), [1]);
}

#[test]
fn no_line_ends_in_white_space() {
    check(trailing_whitespace);
    assert_eq!(lines_found(trailing_whitespace, "a.md", "one\ntwo \n\nthree\t\nfour\r\n"), [2, 4]);
}

#[test]
fn no_file_names_a_folder_of_one_machine() {
    check(machine_path);
    let paths = [concat!("/", "work/x"), concat!("/", "root/x"), concat!("/", "tmp/x")];
    let text = paths.map(|path| format!("let a = \"{path}\";\n")).concat();
    assert_eq!(lines_found(machine_path, "crates/a/src/b.rs", &text), [1, 2, 3]);
    assert_eq!(lines_found(machine_path, "crates/a/tests/b.rs", &text), [1, 2]);
    assert_eq!(lines_found(machine_path, "crates/a/src/b.rs", &format!("#[cfg(test)]\n{text}")), [2, 3]);
    let addresses = paths.map(|path| format!("https://example.org{path}\n")).concat();
    assert_eq!(lines_found(machine_path, "crates/a/src/b.rs", &addresses), NOTHING);
}

#[test]
fn vendored_files_are_as_they_were_published() {
    let folder = tree::root().join("crates/paydown/tests/browser/axe");
    let readme = std::fs::read_to_string(folder.join("README.md")).expect("the vendored folder has a README");
    for name in ["axe.min.js", "LICENSE", "LICENSE-3RD-PARTY.txt"] {
        let sum = sha256(&std::fs::read(folder.join(name)).expect("a vendored file is there"));
        let row = format!("| `{name}` sha256 | `{sum}` |");
        assert!(readme.contains(&row), "{name} is not the file that README.md describes; its sum is {sum}");
    }
    assert_eq!(&sha256(b"")[..8], "e3b0c442");
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
