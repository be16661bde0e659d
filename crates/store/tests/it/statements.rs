//! Finds every statement in the store's sources, and those that its tables of checks make, and prepares it on both engines, so that
//! none is wrong in a branch no other test takes.

use anyhow::{Context as _, Result};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use store::db::DatabaseUrl;
use store::testing::TestDatabase;
use store::verify::statements_of_tables;
use syn::spanned::Spanned as _;
use syn::visit::{self, Visit};

struct Statement {
    place: String,
    text: String,
    /// What the seam adds on PostgreSQL, for statements that are given to `lock` or `lock_skip`.
    suffix: &'static str,
}

/// One source file, read.
#[derive(Default)]
struct Finder {
    place: String,
    /// Each `Sql("…")`: line, text, and the constant it defines.
    found: Vec<(usize, String, Option<String>)>,
    /// Constants given to `lock` (by their last name).
    locked: BTreeMap<String, &'static str>,
    constant: Option<String>,
    wrong: Vec<String>,
}

impl<'ast> Visit<'ast> for Finder {
    fn visit_item_const(&mut self, item: &'ast syn::ItemConst) {
        self.constant = Some(item.ident.to_string());
        visit::visit_item_const(self, item);
        self.constant = None;
    }

    fn visit_expr_call(&mut self, call: &'ast syn::ExprCall) {
        if let syn::Expr::Path(callee) = &*call.func
            && callee.path.segments.last().is_some_and(|last| last.ident == "Sql")
        {
            let line = call.span().start().line;
            match call.args.first() {
                Some(syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }))
                    if call.args.len() == 1 =>
                {
                    self.found.push((line, text.value(), self.constant.clone()));
                }
                _ => self
                    .wrong
                    .push(format!("{}:{line}: Sql is built from something else than a literal", self.place)),
            }
        }
        visit::visit_expr_call(self, call);
    }

    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        let suffix = if call.method == "lock" {
            " FOR UPDATE"
        } else if call.method == "lock_skip" {
            " FOR UPDATE SKIP LOCKED"
        } else {
            ""
        };
        if !suffix.is_empty()
            && let Some(syn::Expr::Path(name)) = call.args.first()
            && let Some(last) = name.path.segments.last()
        {
            self.locked.insert(last.ident.to_string(), suffix);
        }
        visit::visit_expr_method_call(self, call);
    }
}

/// Reads one file's statements; what breaks the rules goes to `wrong`.
fn statements_in(place: &str, source: &str, wrong: &mut Vec<String>) -> Result<Vec<Statement>> {
    let mut finder = Finder { place: place.to_owned(), ..Finder::default() };
    finder.visit_file(&syn::parse_file(source).with_context(|| place.to_owned())?);
    let calls = finder.found.len() + finder.wrong.len();
    let is_table = statements_of_tables().iter().any(|(file, _)| *file == place);
    let mentions = source
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        // The rows of a table are put into literals; its statements are added below as they come out.
        .filter(|line| !is_table || !line.contains("Sql(concat!("))
        .map(|line| line.matches("Sql(").count());
    let definition = usize::from(place.ends_with("src/db.rs")); // `pub struct Sql(pub &'static str)`
    let mentions = mentions.sum::<usize>() - definition;
    if mentions != calls {
        wrong.push(format!(
            "{place}: {mentions} mentions of Sql, of which {calls} were read; put none into a macro"
        ));
    }
    wrong.append(&mut finder.wrong);
    let mut statements = Vec::new();
    for (line, text, constant) in finder.found {
        let place = format!("{place}:{line}");
        wrong.extend(misnumbered(&text).map(|reason| format!("{place}: {reason}")));
        let suffix = constant.and_then(|name| finder.locked.get(&name).copied()).unwrap_or_default();
        statements.push(Statement { place, text, suffix });
    }
    Ok(statements)
}

/// Parameters must be `$1` to `$n`, none left out.
fn misnumbered(text: &str) -> Option<String> {
    let mut numbers = std::collections::BTreeSet::new();
    for part in text.split('$').skip(1) {
        let digits: String = part.chars().take_while(char::is_ascii_digit).collect();
        match digits.parse::<usize>() {
            Ok(number) => numbers.insert(number),
            Err(_) => return Some(format!("a $ without a number in {text:?}")),
        };
    }
    let wanted = 1..=numbers.len();
    (!numbers.iter().copied().eq(wanted))
        .then(|| format!("the parameters are {numbers:?}, with a gap, in {text:?}"))
}

fn all_statements() -> Result<(Vec<Statement>, Vec<String>)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (mut statements, mut wrong) = (Vec::new(), Vec::new());
    let mut files: Vec<PathBuf> = Vec::new();
    for entry in walkdir::WalkDir::new(root.join("src")).sort_by_file_name() {
        let path = entry?.into_path();
        if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    for path in files {
        let place = path.strip_prefix(root)?.display().to_string().replace('\\', "/");
        statements.append(&mut statements_in(&place, &std::fs::read_to_string(&path)?, &mut wrong)?);
    }
    for (place, sql) in statements_of_tables() {
        let place = format!("{place}: {}…", &sql.0[..sql.0.len().min(60)]);
        wrong.extend(misnumbered(sql.0).map(|reason| format!("{place}: {reason}")));
        statements.push(Statement { place, text: sql.0.to_owned(), suffix: "" });
    }
    Ok((statements, wrong))
}

#[test]
fn every_statement_is_a_literal_with_numbered_parameters() {
    let (_, wrong) = all_statements().unwrap();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[tokio::test]
async fn sqlite_prepares_every_statement() {
    let db = TestDatabase::sqlite().await;
    let DatabaseUrl::Sqlite(path) = db.url() else { panic!("not a path") };
    let conn = rusqlite::Connection::open(path).unwrap();
    conn.set_db_config(rusqlite::config::DbConfig::SQLITE_DBCONFIG_DQS_DML, false).unwrap();
    let mut wrong = Vec::new();
    for statement in all_statements().unwrap().0 {
        if let Err(error) = conn.prepare(&statement.text) {
            wrong.push(format!("{}: {error}", statement.place));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[tokio::test]
async fn postgres_prepares_every_statement() {
    use tokio_postgres::types::Type;
    let db = TestDatabase::postgres().await;
    let DatabaseUrl::Postgres(url) = db.url() else { panic!("not a URL") };
    let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await.unwrap();
    let connection = tokio::spawn(connection);
    let mut wrong = Vec::new();
    for statement in all_statements().unwrap().0 {
        match client.prepare(&format!("{}{}", statement.text, statement.suffix)).await {
            Err(error) => {
                let reason = error.as_db_error().map_or_else(|| error.to_string(), ToString::to_string);
                wrong.push(format!("{}: {reason}", statement.place));
            }
            Ok(prepared) => {
                for (index, ty) in prepared.params().iter().enumerate() {
                    if ![Type::INT8, Type::TEXT, Type::BYTEA].contains(ty) {
                        wrong.push(format!(
                            "{}: ${} is {ty}; only BIGINT, TEXT and BYTEA can be bound",
                            statement.place,
                            index + 1
                        ));
                    }
                }
                for column in prepared.columns() {
                    if ![Type::INT8, Type::INT4, Type::TEXT, Type::BYTEA, Type::BOOL].contains(column.type_())
                    {
                        wrong.push(format!(
                            "{}: column {} is {}, which no row can give",
                            statement.place,
                            column.name(),
                            column.type_()
                        ));
                    }
                }
            }
        }
    }
    drop(client);
    connection.await.unwrap().unwrap();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn the_finder_sees_what_is_wrong() {
    let source = r#"
        const A: Sql = Sql("SELECT $1, $3");
        const B: Sql = db::Sql(TEXT);
        const C: Sql = Sql("SELECT 1 WHERE 1 = $1");
        async fn f(tx: &mut Tx) { tx.lock(C, args![1], map).await; tx.execute(list![Sql("SELECT 2")], args![]).await; }
    "#;
    let mut wrong = Vec::new();
    let statements = statements_in("x.rs", source, &mut wrong).unwrap();
    assert_eq!(
        statements.iter().map(|one| (&*one.place, one.suffix)).collect::<Vec<_>>(),
        [("x.rs:2", ""), ("x.rs:4", " FOR UPDATE"),]
    );
    assert_eq!(wrong.len(), 3, "{wrong:?}");
    assert!(wrong.iter().any(|line| line.starts_with("x.rs:2:") && line.contains("gap")), "{wrong:?}");
    assert!(wrong.iter().any(|line| line.starts_with("x.rs:3:") && line.contains("literal")), "{wrong:?}");
    assert!(
        wrong.iter().any(|line| line.contains("4 mentions") && line.contains("3 were read")),
        "{wrong:?}"
    );
}
