//! The settings of `paydown serve` and of every command: flags over `PAYDOWN_*` environment over a TOML file over
//! defaults, each with where it came from. Functions of their arguments: this must never read the environment itself,
//! nor print a secret.

mod nearest;
mod sources;
mod values;

pub use nearest::nearest;
pub use sources::{Flags, Origin};
pub use values::{AmountInputmode, LogFormat, Mail, Network, Smtp, SmtpSecurity};

use anyhow::{Context as _, Result, bail};
use gateway::SecretText;
use rustls::pki_types::CertificateDer;
use sources::{Raw, Sources};
use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use store::db::DatabaseUrl;

/// Name of the settings file in the data folder.
pub const FILE_NAME: &str = "paydown.toml";

/// Every setting, checked.
#[derive(Debug, Clone)]
pub struct Config {
    /// Holds everything that is not in PostgreSQL: database, secret key, mail folder, settings file.
    pub data_dir: PathBuf,
    /// The database.
    pub database: DatabaseUrl,
    /// Where the portal listens.
    pub listen: SocketAddr,
    /// Where payers reach it, without a slash at the end.
    pub public_url: String,
    /// Where `/metrics` listens, apart from the portal: port 8081 of this machine by default; `None` is off.
    pub metrics_listen: Option<SocketAddr>,
    /// Where mail goes.
    pub mail: Mail,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<Network>,
    /// How the log is written.
    pub log_format: LogFormat,
    /// What is logged, in the words of `tracing`: `info`, `paydown=debug,info`.
    pub log_level: String,
    /// The secret key's file, where it is not the one in the data folder.
    pub secret_key_file: Option<PathBuf>,
    /// The keypad for amounts.
    pub amount_inputmode: AmountInputmode,
    shown: Vec<Shown>,
}

/// A setting as `config show` prints it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// Its name in the file.
    pub key: &'static str,
    /// Its value; secrets are masked, nothing is empty text.
    pub value: String,
    /// Where it came from.
    pub origin: Origin,
}

impl Config {
    /// Reads the settings file, if there is one, and every `…_FILE` secret, and puts all sources together.
    ///
    /// Fails with a message that names the setting, where it came from and what is expected.
    pub fn load(flags: &Flags, environment: &BTreeMap<String, String>) -> Result<Config> {
        let (path, named) = file_path(flags, environment);
        let text = match fs::read_to_string(&path) {
            Ok(text) => Some(text),
            Err(error) if error.kind() == ErrorKind::NotFound && !named => None,
            Err(error) => {
                return Err(error).with_context(|| format!("cannot read the settings {}", path.display()));
            }
        };
        let file = text.as_deref().map(|text| (path.as_path(), text));
        Config::resolve(flags, environment, file, |path| Ok(fs::read_to_string(path)?))
    }

    /// Puts the sources together. `file` is the settings file's path and text; `read` reads a file that a setting names.
    pub fn resolve(
        flags: &Flags,
        environment: &BTreeMap<String, String>,
        file: Option<(&Path, &str)>,
        read: impl Fn(&Path) -> Result<String>,
    ) -> Result<Config> {
        let mut sources = Sources::new(flags, environment, file, &read)?;
        let data_dir = sources.take("data_dir", || "data".to_owned());
        let data_dir = data_dir.parse(|text| Ok(PathBuf::from(text)))?;
        let database = sources
            .take_secret("database", || data_dir.join("paydown.db").display().to_string())?
            .parse(str::parse::<DatabaseUrl>)?;
        let listen = sources.take("listen", || "127.0.0.1:8080".to_owned()).parse(values::address)?;
        let public_url = sources.take("public_url", || values::default_url(listen));
        let public_url = public_url.parse(values::public_url)?;
        let metrics_listen = sources.take("metrics_listen", || "127.0.0.1:8081".to_owned());
        let metrics_listen = metrics_listen.parse(values::optional_address)?;
        let folder = data_dir.join("mail");
        let mail = sources.take("mail", || format!("folder:{}", folder.display())).parse(values::mail)?;
        let password = sources.take_secret("smtp_password", String::new)?;
        let mail = with_password(mail, &password)?;
        let authorities = sources.take("smtp_ca_file", String::new);
        let authorities = authorities.parse(|path| match path {
            "" => Ok(Vec::new()),
            path => {
                let pem = read(Path::new(path)).with_context(|| format!("cannot read {path}"))?;
                values::certificates(&pem).with_context(|| format!("{path} holds no authority"))
            }
        })?;
        let mail = with_authorities(mail, authorities);
        let trusted_proxies = sources.take("trusted_proxies", String::new).parse(values::networks)?;
        let log_format = sources.take("log_format", || "text".to_owned()).parse(LogFormat::parse)?;
        let log_level = sources.take("log_level", || "info".to_owned()).parse(values::log_level)?;
        let secret_key_file = sources.take("secret_key_file", String::new);
        let secret_key_file =
            secret_key_file.parse(|text| Ok((!text.is_empty()).then(|| PathBuf::from(text))))?;
        let amount_inputmode = sources.take("portal.amount_inputmode", || "decimal".to_owned());
        let amount_inputmode = amount_inputmode.parse(AmountInputmode::parse)?;
        let shown = sources.shown(&database);
        Ok(Config {
            data_dir,
            database,
            listen,
            public_url,
            metrics_listen,
            mail,
            trusted_proxies,
            log_format,
            log_level,
            secret_key_file,
            amount_inputmode,
            shown,
        })
    }

    /// What payers type to reach a portal that listens at `bound`: the setting, or, where nobody set it, the port that the
    /// system chose for `listen = "127.0.0.1:0"`.
    pub fn public_url_at(&self, bound: SocketAddr) -> String {
        if self.is_set("public_url") { self.public_url.clone() } else { values::default_url(bound) }
    }

    /// True if somebody set it.
    pub fn is_set(&self, key: &str) -> bool {
        self.shown.iter().any(|shown| shown.key == key && shown.origin != Origin::Default)
    }

    /// Every setting with its origin, secrets masked, in the order of the documentation.
    pub fn shown(&self) -> &[Shown] {
        &self.shown
    }
}

/// Where the settings file is, and whether somebody named it: then it must exist.
fn file_path(flags: &Flags, environment: &BTreeMap<String, String>) -> (PathBuf, bool) {
    let from = |flag: &Option<String>, variable: &str| {
        flag.clone().or_else(|| environment.get(variable).filter(|value| !value.is_empty()).cloned())
    };
    if let Some(path) = from(&flags.config, "PAYDOWN_CONFIG") {
        return (PathBuf::from(path), true);
    }
    let data_dir = from(&flags.data_dir, "PAYDOWN_DATA_DIR").unwrap_or_else(|| "data".to_owned());
    (Path::new(&data_dir).join(FILE_NAME), false)
}

/// Whoever signs in to a mail server does so with a password, and a password belongs to somebody.
fn with_password(mail: Mail, password: &Raw) -> Result<Mail> {
    let Mail::Smtp(smtp) = mail else { return Ok(mail) };
    let password = (!password.value.is_empty()).then(|| SecretText::from(password.value.as_str()));
    match (&smtp.user, &password) {
        (Some(_), None) => bail!(
            "mail names a user, but there is no password; set PAYDOWN_SMTP_PASSWORD or PAYDOWN_SMTP_PASSWORD_FILE"
        ),
        (None, Some(_)) => bail!("smtp_password is set, but mail names no user: smtp://user@host:587"),
        _ => Ok(Mail::Smtp(Smtp { password, ..smtp })),
    }
}

/// Whoever names an authority wants it asked, on this machine too.
fn with_authorities(mail: Mail, authorities: Vec<CertificateDer<'static>>) -> Mail {
    match mail {
        Mail::Smtp(smtp) if !authorities.is_empty() => {
            let security = match smtp.security {
                SmtpSecurity::None => SmtpSecurity::StartTls,
                security => security,
            };
            Mail::Smtp(Smtp { authorities, security, ..smtp })
        }
        mail => mail,
    }
}

#[cfg(test)]
mod tests;
