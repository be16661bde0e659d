//! Finds the programs that tests need, and installs them where that is ours to do: as root on Debian, which is how CI runs.
//! Anywhere else it says what is missing and fails; it never lets a test be skipped.

use std::{
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use xshell::{Shell, cmd};

/// Where the programs are.
pub struct Tools {
    /// The folder with `initdb`, `pg_ctl` and `postgres`.
    pub postgres_folder: PathBuf,
    pub chromedriver: PathBuf,
    pub chromium: PathBuf,
}

impl Tools {
    /// Finds every program, after installing what is missing where that is possible.
    pub fn ensure(sh: &Shell) -> Result<Self> {
        let missing = match Self::find(sh) {
            Ok(tools) => return Ok(tools),
            Err(missing) => missing,
        };
        if !can_install(sh) {
            bail!("the tests need programs that are not here.\n{}", advice(&missing));
        }
        install(sh, &missing).with_context(|| advice(&missing))?;
        Self::find(sh).or_else(|missing| bail!("installed, and yet not found.\n{}", advice(&missing)))
    }

    /// Finds PostgreSQL alone, after installing it where it is missing and that is possible.
    pub fn ensure_postgres(sh: &Shell) -> Result<PathBuf> {
        let missing = [Missing::Postgres];
        if let Some(folder) = postgres_folder(sh) {
            return Ok(folder);
        }
        if !can_install(sh) {
            bail!("a program is not here.\n{}", advice(&missing));
        }
        install(sh, &missing).with_context(|| advice(&missing))?;
        postgres_folder(sh).with_context(|| format!("installed, and yet not found.\n{}", advice(&missing)))
    }

    /// Finds a Python that can make environments of its own, after installing it where it is missing and that is possible.
    pub fn ensure_python(sh: &Shell) -> Result<PathBuf> {
        let missing = [Missing::Python];
        if let Some(python) = python(sh) {
            return Ok(python);
        }
        if !can_install(sh) {
            bail!("a program is not here.\n{}", advice(&missing));
        }
        install(sh, &missing).with_context(|| advice(&missing))?;
        python(sh).with_context(|| format!("installed, and yet not found.\n{}", advice(&missing)))
    }

    fn find(sh: &Shell) -> Result<Self, Vec<Missing>> {
        let postgres_folder = postgres_folder(sh);
        let chromedriver = on_path(&["chromedriver", "chromium.chromedriver"]);
        let chromium = on_path(&["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]);
        match (postgres_folder, chromedriver, chromium) {
            (Some(postgres_folder), Some(chromedriver), Some(chromium)) => {
                Ok(Self { postgres_folder, chromedriver, chromium })
            }
            (postgres_folder, chromedriver, chromium) => {
                let absent = [
                    (postgres_folder.is_none(), Missing::Postgres),
                    (chromedriver.is_none(), Missing::Chromedriver),
                    (chromium.is_none(), Missing::Chromium),
                ];
                Err(absent.into_iter().filter_map(|(is_absent, tool)| is_absent.then_some(tool)).collect())
            }
        }
    }
}

/// A program that was looked for in vain.
#[derive(Clone, Copy)]
enum Missing {
    Postgres,
    Chromedriver,
    Chromium,
    Python,
}

impl Missing {
    fn what(self) -> &'static str {
        match self {
            Self::Postgres => "PostgreSQL 15 or newer, server programs (initdb, pg_ctl, postgres)",
            Self::Chromedriver => "chromedriver, of the browser's own version",
            Self::Chromium => "Chromium or Chrome, and a font",
            Self::Python => "Python 3.10 or newer with venv (python3)",
        }
    }

    fn debian_packages(self) -> &'static [&'static str] {
        match self {
            Self::Postgres => &["postgresql"],
            Self::Chromedriver => &["chromium-driver"],
            Self::Chromium => &["chromium", "fonts-liberation"],
            Self::Python => &["python3", "python3-venv"],
        }
    }
}

fn packages(missing: &[Missing]) -> Vec<&'static str> {
    missing.iter().flat_map(|tool| tool.debian_packages()).copied().collect()
}

fn advice(missing: &[Missing]) -> String {
    let mut text = String::from("Missing:\n");
    for tool in missing {
        text.push_str(&format!("  - {}\n", tool.what()));
    }
    let packages = packages(missing).join(" ");
    text.push_str("On Debian or Ubuntu, as root:\n");
    text.push_str(&format!("  apt-get update && apt-get install -y --no-install-recommends {packages}\n"));
    text.push_str("Elsewhere install the same programs and put them on PATH (of PostgreSQL: pg_config).");
    text
}

fn can_install(sh: &Shell) -> bool {
    is_root(sh) && Path::new("/etc/debian_version").exists() && on_path(&["apt-get"]).is_some()
}

fn install(sh: &Shell, missing: &[Missing]) -> Result<()> {
    let packages = packages(missing);
    let _environment = sh.push_env("DEBIAN_FRONTEND", "noninteractive");
    let patience = ["-o", "Acquire::Retries=3", "-o", "DPkg::Lock::Timeout=120"];
    cmd!(sh, "apt-get {patience...} -q update").run()?;
    cmd!(sh, "apt-get {patience...} -q install -y --no-install-recommends {packages...}").run()?;
    Ok(())
}

/// Whether this process runs as root, which PostgreSQL refuses to do.
pub fn is_root(sh: &Shell) -> bool {
    cmd!(sh, "id -u").quiet().read().is_ok_and(|id| id.trim() == "0")
}

/// The folder of the server programs: what `pg_config` says, else the newest that Debian installed side by side.
fn postgres_folder(sh: &Shell) -> Option<PathBuf> {
    let configured = on_path(&["pg_config"])
        .and_then(|pg_config| cmd!(sh, "{pg_config} --bindir").quiet().ignore_stderr().read().ok())
        .map(|folder| PathBuf::from(folder.trim()));
    configured.into_iter().chain(debian_postgres_folders()).find(|folder| {
        ["initdb", "pg_ctl", "postgres"].iter().all(|program| is_program(&folder.join(program)))
    })
}

/// The first `python3` on `PATH`, if it is new enough and can make an environment with `pip` in it.
fn python(sh: &Shell) -> Option<PathBuf> {
    let python = on_path(&["python3"])?;
    let fit = "import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 10))";
    let is_fit = cmd!(sh, "{python} -c {fit}").quiet().ignore_stderr().run().is_ok();
    is_fit.then_some(python)
}

fn debian_postgres_folders() -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir("/usr/lib/postgresql") else { return Vec::new() };
    let mut versions: Vec<(u32, PathBuf)> = entries
        .flatten()
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
        .collect();
    versions.sort();
    versions.into_iter().rev().map(|(_, folder)| folder).collect()
}

/// The first of several names of one program that is on `PATH`.
fn on_path(names: &[&str]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    names
        .iter()
        .flat_map(|name| folders.iter().map(move |folder| folder.join(name)))
        .find(|file| is_program(file))
}

fn is_program(file: &Path) -> bool {
    file.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::{Missing, advice, on_path};

    #[test]
    fn the_advice_names_every_missing_package() {
        let text = advice(&[Missing::Postgres, Missing::Chromium]);
        assert!(
            text.contains("install -y --no-install-recommends postgresql chromium fonts-liberation\n"),
            "{text}"
        );
        assert!(!text.contains("chromedriver"), "{text}");
    }

    #[test]
    fn the_first_name_that_exists_is_found() {
        assert!(on_path(&["no-program-has-this-name", "sh"]).is_some_and(|file| file.ends_with("sh")));
        assert_eq!(on_path(&["no-program-has-this-name"]), None);
    }
}
