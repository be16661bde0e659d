//! The catalogue against the sources that use it. It must never pass because nothing was read.

use super::*;
use billing::bank_return::ReturnKind;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Keys put together at run time, by their beginnings.
const COMPOSED: [&str; 6] = ["bank-return-", "month-", "currency-", "ago-", "in-", "zone-"];

/// Words that portal.md keeps away from payers, as whole words.
const BANNED: [&str; 9] =
    ["tender", "remit", "transaction", "invalid", "session", "token", "ach", "click", "oops"];

/// The catalogue: key → its whole source, comments left out.
fn catalogue() -> BTreeMap<String, String> {
    let mut entries: BTreeMap<String, String> = BTreeMap::new();
    for (_, contents) in FILES {
        let mut key = None;
        for line in contents.lines().filter(|line| !line.starts_with('#')) {
            if line.starts_with(|c: char| c.is_ascii_lowercase()) {
                let (name, text) = line.split_once(" =").expect("a key and a text");
                assert!(entries.insert(name.to_owned(), text.to_owned()).is_none(), "{name} twice");
                key = Some(name.to_owned());
            } else if let Some(name) = &key {
                entries.get_mut(name).unwrap().push_str(line);
            }
        }
    }
    entries
}

/// Every string in double quotes that stands in our templates and sources.
fn quoted() -> BTreeSet<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = BTreeSet::new();
    for folder in ["src", "templates"] {
        for entry in walkdir::WalkDir::new(root.join(folder)).follow_links(true) {
            let entry = entry.unwrap();
            let name = entry.file_name().to_string_lossy().into_owned();
            let read = name.ends_with(".rs") || name.ends_with(".html") || name.ends_with(".txt");
            if entry.file_type().is_file() && read && !entry.path().ends_with("texts/tests.rs") {
                let text = std::fs::read_to_string(entry.path()).unwrap();
                found.extend(text.split('"').map(str::to_owned));
            }
        }
    }
    found
}

/// Every key handed to the catalogue by a template, which is always a call on `chrome` or `self`.
fn keys_of_templates() -> BTreeSet<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates");
    let mut keys = BTreeSet::new();
    for entry in walkdir::WalkDir::new(root).follow_links(true) {
        let entry = entry.unwrap();
        if entry.file_type().is_file() {
            let text = std::fs::read_to_string(entry.path()).unwrap();
            for call in ["chrome.t(\"", "chrome.say(\"", "chrome.say_merchant(\"", "self.t(\""] {
                keys.extend(text.split(call).skip(1).map(|rest| rest.split('"').next().unwrap().to_owned()));
            }
        }
    }
    keys
}

#[test]
fn every_key_in_templates_exists() {
    let catalogue = catalogue();
    assert!(keys_of_templates().len() > 60 && catalogue.len() > 200);
    let missing: Vec<_> =
        keys_of_templates().into_iter().filter(|key| !catalogue.contains_key(key)).collect();
    assert_eq!(missing, Vec::<String>::new());
}

#[test]
fn every_key_in_the_catalogue_is_used() {
    let quoted = quoted();
    let composed = |key: &str| COMPOSED.iter().any(|beginning| key.starts_with(beginning));
    let unused: Vec<_> =
        catalogue().into_keys().filter(|key| !quoted.contains(key) && !composed(key)).collect();
    assert_eq!(unused, Vec::<String>::new());
}

#[test]
fn every_reason_of_a_bank_has_its_words() {
    let catalogue = catalogue();
    let words = ReturnKind::ALL.map(ReturnKind::payer_words);
    let missing: Vec<_> = words.into_iter().filter(|key| !catalogue.contains_key(*key)).collect();
    assert_eq!(missing, Vec::<&str>::new());
    let unused = catalogue.keys().filter(|key| key.starts_with("bank-return-"));
    let unused: Vec<_> = unused.filter(|key| !words.contains(&key.as_str())).collect();
    assert_eq!(unused, Vec::<&String>::new());
}

#[test]
fn no_banned_word_and_no_exclamation_mark() {
    for (key, text) in catalogue() {
        let words: Vec<String> = text.split(|c: char| !c.is_alphanumeric()).map(str::to_lowercase).collect();
        // What a scheme wants to be said is said in its words.
        for banned in BANNED.iter().filter(|_| !key.starts_with("mandate-")) {
            assert!(!words.iter().any(|word| word == banned), "{key} says {banned:?}: {text}");
        }
        assert!(!text.contains('!') && !text.to_lowercase().contains("sorry"), "{key}: {text}");
    }
}

/// An error names a way out: it asks for something, or says what is possible, or is the heading of a page that does.
#[test]
fn every_error_names_a_fix() {
    const WAYS: [&str; 15] = [
        "Enter ",
        "must ",
        "Pay ",
        "Check ",
        "Choose ",
        "Go back",
        "Try ",
        "Send ",
        "Quote ",
        "Continue it",
        "check",
        "You can ",
        "left.",
        "left to pay",
        "still work",
    ];
    let headings =
        ["error-", "nothing-was-taken", "code-ended", "error-unavailable-until", "amount-over-card"];
    for (key, contents) in catalogue() {
        let (_, errors) = FILES[2];
        let is_error = errors.lines().any(|line| line.starts_with(&format!("{key} =")));
        let heading = headings.iter().any(|beginning| key.starts_with(beginning)) && !key.ends_with("-do");
        if is_error && !heading {
            assert!(WAYS.iter().any(|way| contents.contains(way)), "{key} names no way out: {contents}");
        }
    }
}

#[test]
fn arguments_are_escaped_and_names_isolated() {
    let args = [("merchant", Arg::name("<b>&\"'</b>"))];
    let rich = texts().rich("in-full-only", &args).to_string();
    assert_eq!(
        rich,
        "<bdi>&#60;b&#62;&#38;&#34;&#39;&#60;/b&#62;</bdi> asks for this invoice to be paid in full."
    );
    let plain = texts().fmt("in-full-only", &args);
    assert_eq!(plain, "<b>&\"'</b> asks for this invoice to be paid in full.");
}

#[test]
fn plurals_follow_english() {
    let tries = |count| texts().fmt("code-wrong", &[("tries", Arg::Number(count))]);
    assert_eq!(tries(4), "That code is not the one we sent. 4 tries left.");
    assert_eq!(tries(1), "That code is not the one we sent. 1 try left.");
}

/// A key that the catalogue lacks would be shown as itself: no page and no title does that.
#[test]
fn no_page_shows_a_key() {
    let catalogue = catalogue();
    let kebab = |text: &String| {
        text.contains('-') && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
    };
    let candidates: Vec<String> =
        quoted().into_iter().filter(|text| kebab(text) && !catalogue.contains_key(text)).collect();
    assert!(candidates.len() > 20, "sources were read");
    for (name, html) in crate::pages::samples() {
        let page = scraper::Html::parse_document(&html);
        for text in page.root_element().text() {
            let shown =
                candidates.iter().find(|key| text.trim() == **key || text.contains(&format!(": {key}")));
            assert_eq!(shown, None, "{name}");
        }
    }
}
