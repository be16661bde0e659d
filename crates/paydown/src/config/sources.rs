//! One setting from the first source that has it: flag, environment, secret file, settings file, default.

use super::{Shown, nearest};
use anyhow::{Context as _, Result, bail, ensure};
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use store::db::DatabaseUrl;
use toml::{Table, Value};

/// Every name a settings file may use.
const KEYS: [&str; 15] = [
    "data_dir",
    "database",
    "database_file",
    "listen",
    "public_url",
    "metrics_listen",
    "mail",
    "smtp_password",
    "smtp_password_file",
    "smtp_ca_file",
    "trusted_proxies",
    "log_format",
    "log_level",
    "secret_key_file",
    "portal.amount_inputmode",
];

/// What was given on the command line. Secrets are not: other users of the machine read command lines.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Flags {
    /// Settings file [default: paydown.toml in the data folder] [env: PAYDOWN_CONFIG]
    #[arg(long, global = true, value_name = "FILE", help_heading = "Settings")]
    pub config: Option<String>,
    /// Folder that holds everything [default: data] [env: PAYDOWN_DATA_DIR]
    #[arg(long, global = true, value_name = "DIR", help_heading = "Settings")]
    pub data_dir: Option<String>,
    /// SQLite file or postgres:// address [default: paydown.db in the data folder] [env: PAYDOWN_DATABASE]
    #[arg(long, global = true, value_name = "PATH|URL", help_heading = "Settings")]
    pub database: Option<String>,
    /// Address and port of the portal [default: 127.0.0.1:8080] [env: PAYDOWN_LISTEN]
    #[arg(long, global = true, value_name = "ADDR:PORT", help_heading = "Settings")]
    pub listen: Option<String>,
    /// Address at which payers reach the portal, scheme included [env: PAYDOWN_PUBLIC_URL]
    #[arg(long, global = true, value_name = "URL", help_heading = "Settings")]
    pub public_url: Option<String>,
    /// Address and port of /metrics, or off [default: 127.0.0.1:8081] [env: PAYDOWN_METRICS_LISTEN]
    #[arg(long, global = true, value_name = "ADDR:PORT", help_heading = "Settings")]
    pub metrics_listen: Option<String>,
    /// folder:DIR or smtp://user@host:587 [default: folder mail in the data folder] [env: PAYDOWN_MAIL]
    #[arg(long, global = true, value_name = "TARGET", help_heading = "Settings")]
    pub mail: Option<String>,
    /// PEM file with the authorities that the mail server's certificate must come from, in place of the public ones; asks
    /// for TLS on this machine too [env: PAYDOWN_SMTP_CA_FILE]
    #[arg(long, global = true, value_name = "FILE", help_heading = "Settings")]
    pub smtp_ca_file: Option<String>,
    /// Proxies in front of the portal, by address or network, with commas [env: PAYDOWN_TRUSTED_PROXIES]
    #[arg(long, global = true, value_name = "NETS", help_heading = "Settings")]
    pub trusted_proxies: Option<String>,
    /// text or json [default: text] [env: PAYDOWN_LOG_FORMAT]
    #[arg(long, global = true, value_name = "FORMAT", help_heading = "Settings")]
    pub log_format: Option<String>,
    /// error, warn, info, debug or trace, also by part: paydown=debug,info [env: PAYDOWN_LOG_LEVEL]
    #[arg(long, global = true, value_name = "LEVEL", help_heading = "Settings")]
    pub log_level: Option<String>,
    /// File with the secret key [default: secret.key in the data folder] [env: PAYDOWN_SECRET_KEY_FILE]
    #[arg(long, global = true, value_name = "FILE", help_heading = "Settings")]
    pub secret_key_file: Option<String>,
    /// Keypad for amounts on phones: decimal, or none for the whole keyboard [default: decimal]
    /// [env: PAYDOWN_PORTAL_AMOUNT_INPUTMODE]
    #[arg(long, global = true, value_name = "MODE", help_heading = "Settings")]
    pub portal_amount_inputmode: Option<String>,
}

/// Where a setting came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Nobody set it.
    Default,
    /// The settings file.
    File(PathBuf),
    /// A file named by another setting, such as `PAYDOWN_SMTP_PASSWORD_FILE`.
    SecretFile(PathBuf),
    /// An environment variable.
    Environment(String),
    /// A flag.
    Flag(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Default => f.write_str("default"),
            Origin::File(path) => write!(f, "file {}", path.display()),
            Origin::SecretFile(path) => write!(f, "secret file {}", path.display()),
            Origin::Environment(name) => write!(f, "environment {name}"),
            Origin::Flag(name) => write!(f, "flag {name}"),
        }
    }
}

/// A setting as text.
pub(super) struct Raw {
    key: &'static str,
    pub(super) value: String,
    origin: Origin,
}

impl Raw {
    /// The typed value, or an error that names the setting and its source.
    pub(super) fn parse<T>(&self, parse: impl FnOnce(&str) -> Result<T>) -> Result<T> {
        parse(&self.value).with_context(|| format!("the setting {} ({}) is wrong", self.key, self.origin))
    }
}

pub(super) struct Sources<'s> {
    flags: BTreeMap<&'static str, &'s str>,
    environment: &'s BTreeMap<String, String>,
    file: BTreeMap<String, String>,
    file_path: PathBuf,
    read: &'s dyn Fn(&Path) -> Result<String>,
    taken: Vec<Shown>,
}

impl<'s> Sources<'s> {
    pub(super) fn new(
        flags: &'s Flags,
        environment: &'s BTreeMap<String, String>,
        file: Option<(&Path, &str)>,
        read: &'s dyn Fn(&Path) -> Result<String>,
    ) -> Result<Sources<'s>> {
        let (file_path, text) = file.unwrap_or((Path::new(super::FILE_NAME), ""));
        let in_file =
            table(text).with_context(|| format!("the settings {} are wrong", file_path.display()))?;
        let named =
            flags.config.is_some() || environment.get("PAYDOWN_CONFIG").is_some_and(|v| !v.is_empty());
        ensure!(
            named || !in_file.contains_key("data_dir"),
            "data_dir cannot be set in {}, which was found through it; set PAYDOWN_DATA_DIR, or name the file \
             with --config",
            file_path.display()
        );
        let file_path = file_path.to_owned();
        Ok(Sources { flags: flags.given(), environment, file: in_file, file_path, read, taken: Vec::new() })
    }

    /// The setting from the first source that has it. An empty environment variable counts as not set.
    pub(super) fn take(&mut self, key: &'static str, default: impl FnOnce() -> String) -> Raw {
        let (value, origin) = self.find(key).unwrap_or_else(|| (default(), Origin::Default));
        let shown =
            if key == "smtp_password" && !value.is_empty() { "***".to_owned() } else { value.clone() };
        self.taken.push(Shown { key, value: shown, origin: origin.clone() });
        Raw { key, value, origin }
    }

    /// The same for a setting that may stand in a file of its own: `KEY_file` names it.
    pub(super) fn take_secret(&mut self, key: &'static str, default: impl FnOnce() -> String) -> Result<Raw> {
        let file_key = format!("{key}_file");
        let (direct, in_file) = (self.find(key), self.find(&file_key));
        let rank = |found: &Option<(String, Origin)>| found.as_ref().map_or(0, |(_, origin)| origin.rank());
        if in_file.is_none() || rank(&direct) > rank(&in_file) {
            return Ok(self.take(key, default));
        }
        let (path, origin) = in_file.context("it was just found")?;
        ensure!(
            rank(&direct) < origin.rank(),
            "{key} and {file_key} are both set ({origin}); keep one of them"
        );
        let path = PathBuf::from(path);
        let value =
            (self.read)(&path).with_context(|| format!("cannot read {} for {key}", path.display()))?;
        let value = value.trim_end_matches(['\r', '\n']).to_owned();
        let origin = Origin::SecretFile(path);
        self.taken.push(Shown { key, value: "***".to_owned(), origin: origin.clone() });
        Ok(Raw { key, value, origin })
    }

    /// What was taken, with the database's password masked.
    pub(super) fn shown(self, database: &DatabaseUrl) -> Vec<Shown> {
        let mut taken = self.taken;
        for shown in taken.iter_mut().filter(|shown| shown.key == "database") {
            shown.value = database.to_string();
        }
        taken
    }

    fn find(&self, key: &str) -> Option<(String, Origin)> {
        if let Some(value) = self.flags.get(key) {
            return Some(((*value).to_owned(), Origin::Flag(format!("--{}", key.replace(['_', '.'], "-")))));
        }
        let variable = format!("PAYDOWN_{}", key.replace('.', "_").to_ascii_uppercase());
        if let Some(value) = self.environment.get(&variable).filter(|value| !value.is_empty()) {
            return Some((value.clone(), Origin::Environment(variable)));
        }
        self.file.get(key).map(|value| (value.clone(), Origin::File(self.file_path.clone())))
    }
}

impl Origin {
    /// The higher one wins.
    const fn rank(&self) -> u8 {
        match self {
            Origin::Default => 0,
            Origin::File(_) => 1,
            Origin::SecretFile(_) => 2,
            Origin::Environment(_) => 3,
            Origin::Flag(_) => 4,
        }
    }
}

impl Flags {
    fn given(&self) -> BTreeMap<&'static str, &str> {
        let all = [
            ("data_dir", &self.data_dir),
            ("database", &self.database),
            ("listen", &self.listen),
            ("public_url", &self.public_url),
            ("metrics_listen", &self.metrics_listen),
            ("mail", &self.mail),
            ("smtp_ca_file", &self.smtp_ca_file),
            ("trusted_proxies", &self.trusted_proxies),
            ("log_format", &self.log_format),
            ("log_level", &self.log_level),
            ("secret_key_file", &self.secret_key_file),
            ("portal.amount_inputmode", &self.portal_amount_inputmode),
        ];
        all.into_iter().filter_map(|(key, value)| Some((key, value.as_deref()?))).collect()
    }
}

/// `[portal]` and below it `amount_inputmode = …` as `portal.amount_inputmode`.
fn flat(table: Table) -> Vec<(String, Value)> {
    let mut all = Vec::with_capacity(table.len());
    for (key, value) in table {
        match value {
            Value::Table(inner) => {
                all.extend(inner.into_iter().map(|(name, value)| (format!("{key}.{name}"), value)));
            }
            value => all.push((key, value)),
        }
    }
    all
}

/// The settings file as texts; a list becomes text with commas.
fn table(text: &str) -> Result<BTreeMap<String, String>> {
    let table: Table = text.parse()?;
    let mut settings = BTreeMap::new();
    for (key, value) in flat(table) {
        if !KEYS.contains(&key.as_str()) {
            match nearest(&key, KEYS) {
                Some(known) => bail!("{key:?} is not a setting; did you mean {known:?}?"),
                None => bail!("{key:?} is not a setting; there are: {}", KEYS.join(", ")),
            }
        }
        let value = match value {
            Value::String(text) => text,
            Value::Array(items) if key == "trusted_proxies" => {
                let texts: Option<Vec<&str>> = items.iter().map(Value::as_str).collect();
                texts.context("trusted_proxies is a list of texts: [\"10.0.0.0/8\"]")?.join(",")
            }
            _ => bail!("{key} is a text: {key} = \"…\""),
        };
        settings.insert(key, value);
    }
    Ok(settings)
}
