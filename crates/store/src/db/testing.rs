//! Throw-away databases for tests, the same on both engines. Behind the feature `testing`; never part of the
//! program.
//!
//! Each [`TestDatabase`] is migrated already and alone in its file or on its name; dropping it removes it. It
//! must be cheap, so migrations run once: SQLite files are copies of one, PostgreSQL databases are made from a
//! template that every process on that server shares.

#[path = "testing/obstacles.rs"]
mod obstacles;

pub use obstacles::{Change, HeldWrites};

use crate::db::{DatabaseUrl, Migration, Role, Store, StoreConfig, migrate};
use crate::migrations::MIGRATIONS;
use data_encoding::HEXLOWER;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::hash::{BuildHasher as _, RandomState};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use tempfile::TempDir;
use tokio::sync::Mutex;
use tokio_postgres::{Client, NoTls};

const POSTGRES_VARIABLE: &str = "PAYDOWN_TEST_POSTGRES";
/// Held on the server while a template is made: "template" in bytes.
const TEMPLATE_LOCK: i64 = 0x7465_6d70_6c61_7465;
/// One test needs few connections, and many tests share the server's.
const POOL_SIZE: usize = 8;

/// Makes one test body into two tests, `name::sqlite` and `name::postgres`:
///
/// `both_engines!(a_link_opens_once, async |db: TestDatabase| { … });`
///
/// With a list of migrations between the two, the database has these instead of the product's.
#[macro_export]
macro_rules! both_engines {
    ($name:ident, $body:expr $(,)?) => {
        $crate::both_engines!($name, $crate::migrations::MIGRATIONS, $body);
    };
    ($name:ident, $migrations:expr, $body:expr $(,)?) => {
        mod $name {
            use super::*;

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                let body = $body;
                body($crate::testing::TestDatabase::sqlite_with($migrations).await).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                let body = $body;
                body($crate::testing::TestDatabase::postgres_with($migrations).await).await;
            }
        }
    };
}

/// A migrated database of its own. Close the stores on it before it goes.
pub struct TestDatabase {
    url: DatabaseUrl,
    home: Home,
}

enum Home {
    Folder { _removed_on_drop: TempDir },
    Server { admin_url: String, name: String },
}

impl TestDatabase {
    /// A SQLite file in a temporary folder, with the product's schema.
    pub async fn sqlite() -> TestDatabase {
        TestDatabase::sqlite_with(MIGRATIONS).await
    }

    /// A PostgreSQL database with the product's schema, on the server that `PAYDOWN_TEST_POSTGRES` names.
    ///
    /// # Panics
    /// When the variable is missing or the server does not answer: a test without its engine has not passed.
    pub async fn postgres() -> TestDatabase {
        TestDatabase::postgres_with(MIGRATIONS).await
    }

    /// A SQLite file with another schema; with an empty list it has none at all.
    pub async fn sqlite_with(migrations: &[Migration]) -> TestDatabase {
        TestDatabase::sqlite_under(&std::env::temp_dir(), migrations).await
    }

    /// The same in a new folder of this one, for a test that wants it in memory.
    pub async fn sqlite_under(parent: &Path, migrations: &[Migration]) -> TestDatabase {
        static TEMPLATES: Mutex<BTreeMap<String, Vec<u8>>> = Mutex::const_new(BTreeMap::new());
        let folder = tempfile::tempdir_in(parent).expect("a temporary folder can be made");
        let path = folder.path().join("paydown.db");
        let mut templates = TEMPLATES.lock().await;
        let digest = digest_of(migrations);
        if !templates.contains_key(&digest) {
            templates.insert(digest.clone(), migrated_file(folder.path(), migrations).await);
        }
        std::fs::write(&path, &templates[&digest]).expect("the temporary folder takes a file");
        TestDatabase { url: DatabaseUrl::Sqlite(path), home: Home::Folder { _removed_on_drop: folder } }
    }

    /// A PostgreSQL database with another schema; with an empty list it has none at all.
    ///
    /// # Panics
    /// As [`TestDatabase::postgres`] does.
    pub async fn postgres_with(migrations: &[Migration]) -> TestDatabase {
        let admin_url = std::env::var(POSTGRES_VARIABLE).unwrap_or_else(|_| {
            panic!(
                "{POSTGRES_VARIABLE} is not set: run `cargo xtask test`, which starts a throw-away PostgreSQL"
            )
        });
        let admin = connect(&admin_url).await;
        let template = format!("paydown_template_{}", &digest_of(migrations)[..16]);
        if !exists(&admin, &template).await {
            make_template(&admin, &admin_url, &template, migrations).await;
        }
        let name = format!("paydown_test_{}", unique());
        run(&admin, &format!("CREATE DATABASE {name} TEMPLATE {template}")).await;
        let url = DatabaseUrl::Postgres(url_of(&admin_url, &name));
        TestDatabase { url, home: Home::Server { admin_url, name } }
    }

    /// Another database with the same content, as a backup is. Every store on this one is closed.
    ///
    /// # Panics
    /// When it cannot be copied.
    pub async fn copy(&self) -> TestDatabase {
        match (&self.home, &self.url) {
            (Home::Server { admin_url, name }, _) => {
                let copy = format!("paydown_test_{}", unique());
                let admin = connect(admin_url).await;
                run(&admin, &format!("CREATE DATABASE {copy} TEMPLATE {name}")).await;
                let url = DatabaseUrl::Postgres(url_of(admin_url, &copy));
                TestDatabase { url, home: Home::Server { admin_url: admin_url.clone(), name: copy } }
            }
            (Home::Folder { .. }, DatabaseUrl::Sqlite(path)) => {
                let folder = tempfile::tempdir().expect("a temporary folder can be made");
                let copy = folder.path().join("paydown.db");
                std::fs::copy(path, &copy).expect("a closed file can be copied");
                TestDatabase {
                    url: DatabaseUrl::Sqlite(copy),
                    home: Home::Folder { _removed_on_drop: folder },
                }
            }
            (Home::Folder { .. }, DatabaseUrl::Postgres(_)) => unreachable!("a server is no folder"),
        }
    }

    /// Where the database is.
    pub fn url(&self) -> DatabaseUrl {
        self.url.clone()
    }

    /// How a server opens it, started at 0.
    pub fn config(&self) -> StoreConfig {
        StoreConfig { pool_size: POOL_SIZE, ..StoreConfig::new(self.url(), Role::Server, 0) }
    }

    /// Runs statements beside the stores on it: for triggers that make trouble.
    ///
    /// # Panics
    /// When they fail.
    pub async fn execute(&self, sql: &str) {
        match &self.url {
            DatabaseUrl::Sqlite(path) => {
                let connection = rusqlite::Connection::open(path).expect("the file opens");
                connection.execute_batch(sql).expect("the statements run");
            }
            DatabaseUrl::Postgres(url) => run(&connect(url).await, sql).await,
        }
    }

    /// Opens it as a server does.
    ///
    /// # Panics
    /// When it cannot be opened.
    pub async fn open(&self) -> Store {
        Store::open(&self.config()).await.expect("a new test database can be opened")
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let Home::Server { admin_url, name } = &self.home else { return };
        let (admin_url, sql) = (admin_url.clone(), format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"));
        // A thread of its own, because the test's runtime may be the one that is dropping us.
        let removed = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime can be made").block_on(async {
                let admin = connect(&admin_url).await;
                run(&admin, &sql).await;
            });
        });
        if removed.join().is_err() {
            tracing::warn!(name, "a test database was left behind");
        }
    }
}

async fn migrated_file(folder: &Path, migrations: &[Migration]) -> Vec<u8> {
    let path = folder.join("template.db");
    prepare(DatabaseUrl::Sqlite(path.clone()), migrations).await;
    std::fs::read(path).expect("the template has been made")
}

/// Makes the template under another name first, so that nobody takes one that is half done.
async fn make_template(admin: &Client, admin_url: &str, template: &str, migrations: &[Migration]) {
    run(admin, &format!("SELECT pg_advisory_lock({TEMPLATE_LOCK})")).await;
    if !exists(admin, template).await {
        let building = format!("{template}_building");
        run(admin, &format!("DROP DATABASE IF EXISTS {building} WITH (FORCE)")).await;
        run(admin, &format!("CREATE DATABASE {building}")).await;
        prepare(DatabaseUrl::Postgres(url_of(admin_url, &building)), migrations).await;
        run(admin, &format!("ALTER DATABASE {building} RENAME TO {template}")).await;
    }
    run(admin, &format!("SELECT pg_advisory_unlock({TEMPLATE_LOCK})")).await;
}

async fn prepare(url: DatabaseUrl, migrations: &[Migration]) {
    let store = Store::open(&StoreConfig::new(url, Role::Command, 0)).await.expect("an empty database opens");
    if !migrations.is_empty() {
        migrate(&store, migrations, 0).await.expect("the migrations run on an empty database");
    }
    store.close().await.expect("the store closes");
}

async fn connect(admin_url: &str) -> Client {
    let (client, connection) = match tokio_postgres::connect(admin_url, NoTls).await {
        Ok(both) => both,
        Err(error) => panic!("the server that {POSTGRES_VARIABLE} names does not answer: {error}"),
    };
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "the connection to the test server ended");
        }
    });
    client
}

async fn run(admin: &Client, sql: &str) {
    if let Err(error) = admin.batch_execute(sql).await {
        panic!(
            "{sql}: {}",
            error.as_db_error().map_or_else(|| error.to_string(), |db| db.message().to_owned())
        );
    }
}

async fn exists(admin: &Client, name: &str) -> bool {
    let found = admin.query_opt("SELECT 1 FROM pg_database WHERE datname = $1", &[&name]).await;
    found.expect("the server lists its databases").is_some()
}

fn url_of(admin_url: &str, name: &str) -> String {
    let mut url = url::Url::parse(admin_url).expect("the test server's address is a URL");
    url.set_path(name);
    url.into()
}

fn digest_of(migrations: &[Migration]) -> String {
    let mut hash = Sha256::new();
    for migration in migrations {
        for text in [migration.name, migration.sqlite, migration.postgres] {
            hash.update(text.len().to_le_bytes());
            hash.update(text);
        }
    }
    HEXLOWER.encode(&hash.finalize())
}

fn unique() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("{}_{count}_{:016x}", std::process::id(), RandomState::new().hash_one(count))
}
