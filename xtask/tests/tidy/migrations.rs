//! The two migration folders: the same files in both, the merchant in every table, and nothing that lets one write of a batch
//! take its neighbours along. What a migration does is for the store's own tests.

use std::collections::BTreeSet;

use crate::tree::{self, File, Finding, NOTHING, check, lines_found};

const SQLITE: &str = "crates/store/migrations/sqlite/";
const POSTGRES: &str = "crates/store/migrations/postgres/";

/// Tables of the database as a whole, which belong to no merchant.
const WITHOUT_MERCHANT: [(&str, &str); 1] = [("migration", "what was applied to this database")];

const BANNED: [(&str, &str); 4] = [
    ("DEFERRABLE", "a deferred constraint fails at COMMIT and takes the whole batch along; check at once"),
    ("RAISE(ROLLBACK", "undoes the whole batch; use RAISE(ABORT, …)"),
    ("INSERT OR ROLLBACK", "undoes the whole batch; use ON CONFLICT"),
    ("ON CONFLICT ROLLBACK", "undoes the whole batch; use ABORT, which is the default"),
];

fn is_migration(file: &File) -> bool {
    (file.under(SQLITE) || file.under(POSTGRES)) && file.path.ends_with(".sql")
}

fn batch_breaker(file: &File) -> Vec<Finding> {
    if !is_migration(file) {
        return Vec::new();
    }
    let sql = Sql::new(&file.text);
    let found = |(words, mend): (&str, &str)| -> Vec<Finding> {
        let lines = sql.lines_of(words);
        lines.into_iter().map(|line| file.finding(line, format!("`{words}`: {mend}"))).collect()
    };
    BANNED.into_iter().flat_map(found).collect()
}

fn table_without_merchant(file: &File) -> Vec<Finding> {
    if !is_migration(file) {
        return Vec::new();
    }
    let exempt = |name: &str| WITHOUT_MERCHANT.iter().any(|(table, _)| *table == name);
    let tables = Sql::new(&file.text).tables();
    let orphans = tables.into_iter().filter(|table| !table.has_merchant && !exempt(&table.name));
    orphans
        .map(|table| {
            let message = format!("table `{}` has no merchant_id; every key is led by one", table.name);
            file.finding(table.line, message)
        })
        .collect()
}

fn missing_twins(sqlite: &BTreeSet<&str>, postgres: &BTreeSet<&str>) -> Vec<String> {
    let lacks =
        |folder: &str, name: &&str| format!("{folder} lacks {name}; both engines have the same migrations");
    let in_postgres = sqlite.difference(postgres).map(|name| lacks(POSTGRES, name));
    in_postgres.chain(postgres.difference(sqlite).map(|name| lacks(SQLITE, name))).collect()
}

/// SQL as upper-case words and marks with their lines, without comments and quoted text.
struct Sql {
    words: Vec<(String, usize)>,
}

struct Table {
    name: String,
    line: usize,
    has_merchant: bool,
}

impl Sql {
    fn new(text: &str) -> Self {
        let mut words = Vec::new();
        for (at, line) in text.lines().enumerate() {
            let code = line.split("--").next().unwrap_or_default();
            let is_word = |c: char| c.is_alphanumeric() || c == '_';
            let mut rest = code.trim_start();
            while let Some(first) = rest.chars().next() {
                let end = if is_word(first) {
                    rest.find(|c| !is_word(c)).unwrap_or(rest.len())
                } else {
                    first.len_utf8()
                };
                words.push((rest[..end].to_uppercase(), at + 1));
                rest = rest[end..].trim_start();
            }
        }
        Self { words }
    }

    /// The lines where the words of a phrase stand in a row, whatever is between them.
    fn lines_of(&self, phrase: &str) -> Vec<usize> {
        let phrase = Self::new(phrase).words;
        let rows = self.words.windows(phrase.len());
        rows.filter(|row| row.iter().zip(&phrase).all(|(word, wanted)| word.0 == wanted.0))
            .map(|row| row[0].1)
            .collect()
    }

    fn tables(&self) -> Vec<Table> {
        let mut tables = Vec::new();
        for at in 0..self.words.len() {
            if self.word(at) != "CREATE" || self.word(at + 1) != "TABLE" {
                continue;
            }
            let name_at = if self.word(at + 2) == "IF" { at + 5 } else { at + 2 };
            let body = self.words[name_at + 1..].iter().take_while(|(word, _)| word != ";");
            let mut depth = 0_usize;
            let mut has_merchant = false;
            for (word, _) in body {
                match word.as_str() {
                    "(" => depth += 1,
                    ")" => depth = depth.saturating_sub(1),
                    // A column, not a key that only mentions one.
                    "MERCHANT_ID" if depth == 1 => has_merchant = true,
                    _ => {}
                }
            }
            tables.push(Table {
                name: self.word(name_at).to_lowercase(),
                line: self.words[at].1,
                has_merchant,
            });
        }
        tables
    }

    fn word(&self, at: usize) -> &str {
        self.words.get(at).map_or("", |(word, _)| word)
    }
}

#[test]
fn nothing_takes_the_batch_along() {
    check(batch_breaker);
    let sql = "a REFERENCES b DEFERRABLE\n-- DEFERRABLE\nselect raise ( rollback, 'no');\ninsert or\n rollback into a;\nRAISE(ABORT)";
    assert_eq!(lines_found(batch_breaker, &format!("{SQLITE}0001_a.sql"), sql), [1, 3, 4]);
    assert_eq!(lines_found(batch_breaker, "crates/store/README.md", sql), NOTHING);
}

#[test]
fn every_table_belongs_to_a_merchant() {
    check(table_without_merchant);
    let sql = "CREATE TABLE a (\n  merchant_id BIGINT NOT NULL,\n  PRIMARY KEY (merchant_id)\n);\n\
        create table if not exists b (id BIGINT, FOREIGN KEY (merchant_id) REFERENCES a);\n\
        CREATE TABLE migration (number BIGINT);\nCREATE TABLE c (id BIGINT); -- merchant_id\nCREATE INDEX d ON c (merchant_id);";
    assert_eq!(lines_found(table_without_merchant, &format!("{POSTGRES}0001_a.sql"), sql), [5, 7]);
}

#[test]
fn both_engines_have_the_same_migrations() {
    let names = |folder: &'static str| -> BTreeSet<&str> {
        tree::files(|file| file.under(folder)).iter().map(|file| &file.path[folder.len()..]).collect()
    };
    let missing = missing_twins(&names(SQLITE), &names(POSTGRES));
    assert!(missing.is_empty(), "{}", missing.join("\n"));
    let (one, two) = (BTreeSet::from(["0001_a.sql"]), BTreeSet::from(["0001_a.sql", "0002_b.sql"]));
    assert_eq!(
        missing_twins(&one, &two),
        [format!("{SQLITE} lacks 0002_b.sql; both engines have the same migrations")]
    );
    assert_eq!(missing_twins(&two, &one).len(), 1);
}
