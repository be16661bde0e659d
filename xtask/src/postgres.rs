//! A PostgreSQL cluster of our own: own port on loopback, own socket folder, nothing shared with a cluster that the machine
//! may have. For tests it is in a temporary folder and thrown away, for the bench its data is kept for the next run. The
//! server must never outlive us, so a keeper process of its own stops it as soon as the pipe to us closes: on `Drop`, on
//! Ctrl-C and on `kill -9` alike.

use std::{
    net::{Ipv4Addr, TcpListener},
    os::unix::{fs::chown, process::CommandExt},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use anyhow::{Context, Result, bail, ensure};
use xshell::{Cmd, Shell, cmd};

use crate::tools::is_root;

/// Several test binaries' pools at once, with room to spare.
const MAX_CONNECTIONS: u32 = 300;

/// Another process may take the port between our look and the server's start.
const START_TRIES: u32 = 3;

/// Durability of a cluster that is deleted anyway is switched off; everything a query can notice is left at its default. It
/// is made with a natural sort order (see `initdb`), so that a query which relies on byte order without saying so shows.
const FOR_TESTS: &str = "\
fsync = off
full_page_writes = off
autovacuum_naptime = 10min
";

/// What is measured flushes like any other server. The defaults, but for memory (docs/performance.md).
const FOR_THE_BENCH: &str = "\
shared_buffers = 256MB
";

/// Reads until its input closes, then stops the server and removes the temporary folder. `$1` is `pg_ctl`, `$2` the data, `$3`
/// how to stop, `$4` the folder.
const KEEPER: &str = "\
cat >/dev/null
[ ! -e \"$2/postmaster.pid\" ] || \"$1\" stop -D \"$2\" -m \"$3\" -s -w -t 300
cd / && rm -rf \"$4\"
";

/// What a cluster is for.
enum Use {
    Tests,
    Bench { data: PathBuf },
}

/// A running cluster. Dropping it stops the server; only the data of the bench's stays.
pub struct Cluster {
    keeper: Child,
    url: String,
}

impl Cluster {
    /// Makes a cluster for tests and waits until it answers. Its files are removed with it.
    pub fn start(postgres_folder: &Path) -> Result<Self> {
        Self::run(postgres_folder, &Use::Tests)
    }

    /// The same for the bench: durable, its data in this folder, which is made if it is not there.
    pub fn start_kept(postgres_folder: &Path, data: &Path) -> Result<Self> {
        Self::run(postgres_folder, &Use::Bench { data: data.to_owned() })
    }

    fn run(postgres_folder: &Path, purpose: &Use) -> Result<Self> {
        let sh = Shell::new()?;
        let owner = Owner::of_this_process(&sh)?;
        let folder = tempfile::Builder::new().prefix("paydown-postgres-").tempdir()?.keep();
        owner.take(&folder)?;
        sh.change_dir(&folder);
        let (data, how_to_stop) = match purpose {
            Use::Tests => (folder.join("data"), "immediate"),
            // In order, so that the next start has nothing to recover.
            Use::Bench { data } => (data.clone(), "fast"),
        };
        let pg_ctl = postgres_folder.join("pg_ctl");
        let keeper = owner.keeper(&sh, &[&pg_ctl, &data, Path::new(how_to_stop), &folder]).spawn();
        let mut cluster =
            Self { keeper: keeper.context("cannot start the cluster's keeper")?, url: String::new() };
        let (socket, log) = (folder.join("socket"), folder.join("log"));
        owner.cmd(&sh, Path::new("mkdir")).arg(&socket).run()?;
        if !data.exists() {
            initdb(&sh, &owner, &postgres_folder.join("initdb"), &data, purpose)?;
        }
        let socket = socket.to_str().context("the temporary folder's name is not UTF-8")?;
        ensure!(
            !socket.contains([' ', '\'', '"']),
            "the temporary folder's name has a blank or a quote: {socket}"
        );
        for _ in 0..START_TRIES {
            let port = free_port()?;
            let options =
                format!("-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={socket}");
            let start = owner.cmd(&sh, &pg_ctl).args(["start", "-w", "-s", "-t", "60", "-o", &options]);
            if start.arg("-l").arg(&log).arg("-D").arg(&data).run().is_ok() {
                cluster.url = format!("postgres://postgres@127.0.0.1:{port}/postgres");
                return Ok(cluster);
            }
        }
        let log = std::fs::read_to_string(&log).unwrap_or_default();
        bail!("PostgreSQL did not start in {START_TRIES} tries; its log:\n{log}")
    }

    /// The address of the maintenance database; tests make databases of their own beside it.
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        match self.keeper.wait() {
            Ok(status) if status.success() => {}
            outcome => eprintln!("xtask: the PostgreSQL cluster may not have been removed: {outcome:?}"),
        }
    }
}

/// Who owns the cluster. The server refuses to run as root, so root hands it to the `postgres` user of the package.
pub enum Owner {
    Us,
    Postgres { uid: u32, gid: u32 },
}

impl Owner {
    /// Us, or the user `postgres` where we are root.
    pub fn of_this_process(sh: &Shell) -> Result<Self> {
        if !is_root(sh) {
            return Ok(Self::Us);
        }
        let hint = "root needs a user `postgres` to run the server as; the Debian package makes one";
        let uid = cmd!(sh, "id -u postgres").quiet().read().context(hint)?.trim().parse()?;
        let gid = cmd!(sh, "id -g postgres").quiet().read().context(hint)?.trim().parse()?;
        Ok(Self::Postgres { uid, gid })
    }

    /// Gives the folder, which only its owner may enter, to whoever runs the server.
    pub fn take(&self, folder: &Path) -> Result<()> {
        if let Self::Postgres { uid, gid } = *self {
            chown(folder, Some(uid), Some(gid))
                .with_context(|| format!("cannot give {} to postgres", folder.display()))?;
        }
        Ok(())
    }

    /// `program` as the owner runs it.
    pub fn cmd<'a>(&self, sh: &'a Shell, program: &Path) -> Cmd<'a> {
        match self {
            Self::Us => sh.cmd(program),
            Self::Postgres { .. } => cmd!(sh, "runuser -u postgres --").arg(program),
        }
        .quiet()
    }

    fn keeper(&self, sh: &Shell, arguments: &[&Path]) -> Command {
        let line = self.cmd(sh, Path::new("sh")).args(["-c", KEEPER, "keeper"]).args(arguments);
        let mut command = Command::from(line);
        // A group of its own: Ctrl-C in a terminal reaches us and the tests, but not the one who cleans up.
        command.stdin(Stdio::piped()).stdout(Stdio::null()).process_group(0);
        command
    }
}

/// Makes the files of a cluster, whole or not at all.
fn initdb(sh: &Shell, owner: &Owner, program: &Path, data: &Path, purpose: &Use) -> Result<()> {
    let making = data.with_extension("making");
    owner.cmd(sh, Path::new("rm")).arg("-rf").arg(&making).run()?;
    let command = owner.cmd(sh, program).arg("-D").arg(&making);
    let command = command
        .args(["--auth=trust", "--username=postgres", "--encoding=UTF8", "--no-sync"])
        .args(["--locale=C", "--locale-provider=icu", "--icu-locale=en-US"]);
    command.ignore_stdout().run().context("initdb failed; PostgreSQL 15 or newer with ICU is needed")?;
    let settings = match purpose {
        Use::Tests => FOR_TESTS,
        Use::Bench { .. } => FOR_THE_BENCH,
    };
    append(&making.join("postgresql.conf"), &format!("{settings}max_connections = {MAX_CONNECTIONS}\n"))?;
    owner.cmd(sh, Path::new("mv")).arg(&making).arg(data).run()?;
    Ok(())
}

fn append(file: &Path, text: &str) -> Result<()> {
    use std::io::Write;
    let mut open = std::fs::OpenOptions::new().append(true).open(file)?;
    open.write_all(text.as_bytes()).with_context(|| format!("cannot write {}", file.display()))
}

fn free_port() -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no free port on 127.0.0.1")?;
    Ok(listener.local_addr()?.port())
}
