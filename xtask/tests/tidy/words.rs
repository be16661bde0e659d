//! Words that Rust sources must not use, everywhere or in some places: unfinished work, floats near money, SQL outside the
//! store, engines outside the seam, writes outside actions.

use crate::{
    syntax::find,
    tree::{File, Finding, NOTHING, check, lines_found},
};

/// Who may block a thread, as (path, why). A test that waits polls for what it waits for.
const MAY_SLEEP: [(&str, &str); 0] = [];

/// Files of `paydown` besides `actions/` that may open a write transaction, as (path, why).
const MAY_WRITE: [(&str, &str); 0] = [];

const BANNED: [(&str, &str); 9] = [
    ("# [ allow (", "use `#[expect(…, reason = \"…\")]`, which goes away with its cause"),
    ("# ! [ allow (", "use `#![expect(…, reason = \"…\")]`, which goes away with its cause"),
    ("todo !", "finish it, or leave it out and say so in the issue"),
    ("unimplemented !", "finish it, or leave it out and say so in the issue"),
    ("dbg !", "remove it; what operators need is `tracing`"),
    ("# [ ignore ]", "a test that is not run proves nothing; mend or delete it"),
    ("# [ ignore =", "a test that is not run proves nothing; mend or delete it"),
    ("thread : : sleep", "wait for the event itself; time is an argument"),
    ("thread : : { sleep", "wait for the event itself; time is an argument"),
];

const MONEY_SOURCES: [&str; 3] = ["crates/ledger/src/", "crates/billing/src/", "crates/store/src/"];

const ENGINES: [&str; 4] = ["rusqlite", "tokio_postgres", "deadpool_postgres", "postgres_types"];

/// A file whose one ignored test is run after all: by another test, in a process of its own with other limits.
const STARTED_BY_ANOTHER_TEST: [(&str, &str); 1] =
    [("crates/store/tests/it/sqlite.rs", "with_files_that_cannot_grow runs under a limit on file sizes")];

fn banned_word(file: &File) -> Vec<Finding> {
    if !file.is_rust() {
        return Vec::new();
    }
    let tokens = file.tokens();
    let mut findings = Vec::new();
    for (pattern, mend) in BANNED {
        if pattern.contains("sleep") && is_listed(file, &MAY_SLEEP) {
            continue;
        }
        if pattern.contains("ignore") && is_listed(file, &STARTED_BY_ANOTHER_TEST) {
            continue;
        }
        let word = pattern.replace(' ', "");
        findings.extend(
            find(tokens, pattern)
                .into_iter()
                .map(|at| file.finding(tokens[at].line, format!("`{word}`: {mend}"))),
        );
    }
    findings
}

fn float_near_money(file: &File) -> Vec<Finding> {
    if !file.is_rust() || !MONEY_SOURCES.iter().any(|folder| file.under(folder)) {
        return Vec::new();
    }
    let tokens = file.tokens();
    let is_float = |at: usize| {
        let text = tokens[at].text.as_str();
        // `pair.0.1` reads as a float after a dot.
        let follows_dot = at > 0 && tokens[at - 1].text == ".";
        let starts_with_digit = text.starts_with(|first: char| first.is_ascii_digit());
        let has_float_suffix =
            starts_with_digit && !text.starts_with("0x") && (text.ends_with("f32") || text.ends_with("f64"));
        matches!(text, "f32" | "f64")
            || has_float_suffix
            || (starts_with_digit && text.contains('.') && !follows_dot)
    };
    let found = (0..tokens.len()).filter(|at| is_float(*at));
    found
        .map(|at| file.finding(tokens[at].line, "no float near money; count minor units in an i64"))
        .collect()
}

/// Folders and files with SQL of their own, as (where, why).
const SPEAKS_SQL: [(&str, &str); 4] = [
    ("crates/store/", "it is the store"),
    ("crates/sandbox/", "the practice processor shares nothing with us, its data neither"),
    (
        "benches/ceilings/",
        "the least code that does the work goes past the store, and counts behind its back",
    ),
    (
        "crates/paydown/tests/simulation/sabotage.rs",
        "a defect of the program is made behind the store's back, by triggers",
    ),
];

fn sql_outside_store(file: &File) -> Vec<Finding> {
    let has_sql = SPEAKS_SQL.iter().any(|(folder, _)| file.under(folder));
    if !file.is_rust() || has_sql || file.is_sample() {
        return Vec::new();
    }
    let statements =
        file.tokens().iter().filter(|token| token.text_value().is_some_and(|text| is_sql(&text)));
    let mend = "SQL belongs in crates/store; add a function there, named for what it means";
    statements.map(|token| file.finding(token.line, mend)).collect()
}

/// Whether a text begins like a statement. A sentence begins with one capital letter, a keyword with none or all.
fn is_sql(text: &str) -> bool {
    let words: Vec<&str> = text.split_whitespace().collect();
    let Some(first) = words.first() else { return false };
    let is_keyword = first.chars().all(char::is_uppercase) || first.chars().all(char::is_lowercase);
    let has = |word: &str| words.iter().any(|other| other.eq_ignore_ascii_case(word));
    let second = words.get(1).map(|word| word.to_ascii_uppercase()).unwrap_or_default();
    is_keyword
        && match first.to_ascii_uppercase().as_str() {
            // In lower case it may be prose unless a source of rows follows.
            "SELECT" => *first == "SELECT" || has("from"),
            "INSERT" => matches!(second.as_str(), "INTO" | "OR"),
            "UPDATE" => has("set"),
            "DELETE" => second == "FROM",
            "CREATE" => matches!(second.as_str(), "TABLE" | "INDEX" | "UNIQUE" | "TRIGGER" | "VIEW"),
            _ => false,
        }
}

/// Only the seam names an engine. The practice processor has a database of its own.
fn engine_outside_seam(file: &File) -> Vec<Finding> {
    let is_source = file.is_rust() && file.under("crates/") && file.path.contains("/src/");
    let is_seam = file.path == "crates/store/src/db.rs" || file.under("crates/store/src/db/");
    if !is_source || is_seam || file.under("crates/sandbox/") {
        return Vec::new();
    }
    let engines = file.tokens().iter().filter(|token| ENGINES.contains(&token.text.as_str()));
    engines
        .map(|token| {
            file.finding(
                token.line,
                format!("`{}` belongs in crates/store/src/db/; go through the seam", token.text),
            )
        })
        .collect()
}

fn write_outside_actions(file: &File) -> Vec<Finding> {
    let is_page =
        file.is_rust() && file.under("crates/paydown/src/") && !file.under("crates/paydown/src/actions/");
    // Tests prepare rows that no action makes; these files are compiled for tests only.
    let is_test = file.path.ends_with("/tests.rs") || file.path.ends_with("/testing.rs");
    if !is_page || is_test || is_listed(file, &MAY_WRITE) {
        return Vec::new();
    }
    let tokens = file.tokens();
    let is_open = |at: &usize| {
        // `lock.write()` takes a lock, `OpenOptions::write(true)` sets a flag.
        !tokens.get(at + 3).is_some_and(|next| matches!(next.text.as_str(), ")" | "true" | "false"))
    };
    let writes = find(tokens, ". write (").into_iter().filter(is_open);
    writes.map(|at| file.finding(tokens[at].line, "only actions write; call one, or add one")).collect()
}

fn is_listed(file: &File, list: &[(&str, &str)]) -> bool {
    list.iter().any(|(path, _)| *path == file.path)
}

#[test]
fn nothing_is_unfinished_silenced_or_slept_over() {
    check(banned_word);
    let found = |text: &str| lines_found(banned_word, "crates/a/src/b.rs", text);
    for offence in [
        "#[allow(dead_code)] fn f() {}",
        "#![allow(dead_code)]",
        "fn f() { todo!() }",
        "fn f() { std::unimplemented!(\"later\") }",
        "fn f() { dbg!(1); }",
        "#[test] #[ignore] fn f() {}",
        "#[test] #[ignore = \"slow\"] fn f() {}",
        "fn f() { std::thread::sleep(d) }",
        "use std::thread::{sleep, spawn};",
        "fn f() { thread::\nsleep(d) }",
    ] {
        assert_eq!(found(offence), [1], "{offence}");
    }
    assert_eq!(
        found("// todo!()\n#[expect(dead_code)]\nfn f() { tokio::time::sleep(d); g(\"dbg!\") }"),
        NOTHING
    );
}

#[test]
fn no_float_is_near_money() {
    check(float_near_money);
    let text =
        "fn f(a: f64) {}\nlet a = 0.5;\nlet a = 1f32;\nlet a = b.0.1;\nlet a = 0xf32;\n// f64\nlet a = 1..2;";
    assert_eq!(lines_found(float_near_money, "crates/billing/src/b.rs", text), [1, 2, 3]);
    assert_eq!(lines_found(float_near_money, "crates/paydown/src/b.rs", text), NOTHING);
}

#[test]
fn only_the_store_speaks_sql() {
    check(sql_outside_store);
    let found =
        |text: &str| lines_found(sql_outside_store, "crates/paydown/tests/it/b.rs", &format!("f({text:?});"));
    for statement in [
        "SELECT 1",
        " select a\nfrom b",
        "INSERT INTO a VALUES ($1)",
        "INSERT OR IGNORE INTO a VALUES ($1)",
        "UPDATE a SET b = 1",
        "delete from a",
        "CREATE TABLE a (b BIGINT)",
    ] {
        assert_eq!(found(statement), [1], "{statement}");
    }
    for prose in
        ["Select an invoice from the list", "Update", "Delete this link", "create a link", "selected", ""]
    {
        assert_eq!(found(prose), NOTHING, "{prose}");
    }
    for (path, lines) in
        [("crates/store/src/b.rs", 0), ("benches/ceilings/src/b.rs", 0), ("benches/workloads/src/b.rs", 1)]
    {
        assert_eq!(lines_found(sql_outside_store, path, "f(\"SELECT 1\");").len(), lines, "{path}");
    }
}

#[test]
fn only_the_seam_knows_the_engines() {
    check(engine_outside_seam);
    let text = "use rusqlite::Connection;\n/// Like tokio_postgres.\nfn f(c: tokio_postgres::Client) {}";
    assert_eq!(lines_found(engine_outside_seam, "crates/store/src/invoices.rs", text), [1, 3]);
    assert_eq!(lines_found(engine_outside_seam, "crates/paydown/src/app.rs", text), [1, 3]);
    assert_eq!(lines_found(engine_outside_seam, "crates/store/src/db/sqlite.rs", text), NOTHING);
    assert_eq!(lines_found(engine_outside_seam, "crates/sandbox/src/data.rs", text), NOTHING);
}

#[test]
fn only_actions_write() {
    check(write_outside_actions);
    let text = "fn f() {\n  app.store.write(g);\n  app.store()\n    .write(g);\n  let db = app.store;\n  db.write(g);\n  \
        store.read(g);\n  lock.write();\n  options.write(true);\n}";
    assert_eq!(lines_found(write_outside_actions, "crates/paydown/src/portal/pay.rs", text), [2, 4, 6]);
    assert_eq!(
        lines_found(write_outside_actions, "crates/paydown/src/actions/start_payment.rs", text),
        NOTHING
    );
}
