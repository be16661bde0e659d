//! How a finished message leaves: over SMTP, or as a file into a folder. It must never change what a message says, never
//! speak to another machine without TLS, and never show a password.

use anyhow::{Context as _, Result};
use async_trait::async_trait;
use billing::ids::MailId;
use gateway::SecretText;
use jiff::Timestamp;
use lettre::transport::smtp::PoolConfig;
use lettre::transport::smtp::authentication::Credentials;
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};
use percent_encoding::percent_decode_str;
use std::fs;
use std::io::Write as _;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;
use url::{Host, Url};

/// How long each step of talking to a mail server may take.
const STEP_TIMEOUT: Duration = Duration::from_secs(20);
/// Connections to the mail server at one time.
const CONNECTIONS: u32 = 8;

/// A message on its way out.
#[derive(Debug, Clone)]
pub struct Outgoing {
    /// The mail it was made from; also the stem of its Message-ID.
    pub id: MailId,
    /// When the mail was queued.
    pub queued_at: Timestamp,
    /// What is sent, with its envelope.
    pub message: Message,
}

/// Takes messages from us. `Ok` means that somebody else answers for the message from now on.
#[async_trait]
pub trait Transport: Send + Sync {
    /// Hands one message over. An error says nothing about whether it arrived: it is sent again under the same id.
    async fn send(&self, outgoing: &Outgoing) -> Result<()>;
}

/// A mail server.
#[derive(Debug)]
pub struct Smtp(AsyncSmtpTransport<Tokio1Executor>);

/// Why an address of a mail server cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SmtpAddressError {
    /// No such form.
    #[error("the mail server is written as smtp://user@host:587 or smtps://user@host:465")]
    Form,
    /// It would stand in configuration and logs.
    #[error("the password of the mail server does not belong into its address; it is set on its own")]
    PasswordInAddress,
    /// A password for nobody, or nobody's password.
    #[error("the mail server needs both a user, as in smtp://user@host:587, and a password, or neither")]
    HalfCredentials,
    /// Not a host that TLS can be set up for.
    #[error("TLS cannot be set up for the mail server {0}")]
    Tls(String),
}

impl Smtp {
    /// From an address such as `smtp://user@host:587` and the user's password.
    ///
    /// `smtps` means TLS from the first byte, `smtp` means STARTTLS, refused where the server does not offer it. Only to
    /// this machine itself does `smtp` go in the clear. Without a port it is 465 or 587, to this machine 25.
    ///
    /// # Panics
    /// Outside a Tokio runtime, which keeps the connections.
    pub fn try_new(address: &str, password: Option<&SecretText>) -> Result<Smtp, SmtpAddressError> {
        let url = Url::parse(address).map_err(|_| SmtpAddressError::Form)?;
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or(SmtpAddressError::Form)?;
        let bare = matches!(url.path(), "" | "/") && url.query().is_none() && url.fragment().is_none();
        if url.password().is_some() {
            return Err(SmtpAddressError::PasswordInAddress);
        }
        let tls = |_| SmtpAddressError::Tls(host.to_owned());
        let (builder, port) = match url.scheme() {
            "smtps" if bare => (AsyncSmtpTransport::<Tokio1Executor>::relay(host).map_err(tls)?, 465),
            "smtp" if bare && is_this_machine(host) => {
                (AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(unbracketed(host)), 25)
            }
            "smtp" if bare => (AsyncSmtpTransport::<Tokio1Executor>::starttls_relay(host).map_err(tls)?, 587),
            _ => return Err(SmtpAddressError::Form),
        };
        let user = percent_decode_str(url.username()).decode_utf8().map_err(|_| SmtpAddressError::Form)?;
        let builder = match (user.is_empty(), password) {
            (true, None) => builder,
            (false, Some(password)) => {
                builder.credentials(Credentials::new(user.into_owned(), password.expose().to_owned()))
            }
            _ => return Err(SmtpAddressError::HalfCredentials),
        };
        let pool = PoolConfig::new().max_size(CONNECTIONS);
        let builder = builder.port(url.port().unwrap_or(port)).timeout(Some(STEP_TIMEOUT)).pool_config(pool);
        Ok(Smtp(builder.build()))
    }
}

#[async_trait]
impl Transport for Smtp {
    async fn send(&self, outgoing: &Outgoing) -> Result<()> {
        self.0.send(outgoing.message.clone()).await.context("the mail server did not take it")?;
        Ok(())
    }
}

/// A folder that collects messages, one file each. For practice, and for those who send by other means.
#[derive(Debug, Clone)]
pub struct Folder(PathBuf);

impl Folder {
    /// Writes into `path`, which is made, for this user alone, if it is not there.
    pub fn try_new(path: &Path) -> Result<Folder> {
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(path).with_context(|| format!("cannot make the mail folder {}", path.display()))?;
        Ok(Folder(path.to_owned()))
    }

    /// Where the messages go.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

#[async_trait]
impl Transport for Folder {
    /// The file's name starts with the time the mail was queued, so a repeat replaces the file instead of doubling it.
    async fn send(&self, outgoing: &Outgoing) -> Result<()> {
        let time = outgoing.queued_at.strftime("%Y%m%dT%H%M%SZ");
        let path = self.0.join(format!("{time}-{}.eml", outgoing.id));
        let (folder, bytes) = (self.0.clone(), outgoing.message.formatted());
        tokio::task::spawn_blocking(move || write_whole(&folder, &path, &bytes)).await?
    }
}

/// Writes beside its place and renames, so that nobody reads half a message. Temporary files are for this user alone.
fn write_whole(folder: &Path, path: &Path, bytes: &[u8]) -> Result<()> {
    let cannot = || format!("cannot write the mail {}", path.display());
    let mut file = tempfile::Builder::new().prefix(".mail.").tempfile_in(folder).with_context(cannot)?;
    file.write_all(bytes).with_context(cannot)?;
    file.as_file().sync_all().with_context(cannot)?;
    file.persist(path).with_context(cannot)?;
    // On Unix the new name, too, is only on disk once the folder is.
    #[cfg(unix)]
    fs::File::open(folder).and_then(|folder| folder.sync_all()).with_context(cannot)?;
    Ok(())
}

/// Only names and numbers that can never be another machine.
fn is_this_machine(host: &str) -> bool {
    match Host::parse(host) {
        // `smtp` is no scheme the URL standard knows, so numbers are parsed here, from the text.
        Ok(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Ok(Host::Ipv4(number)) => IpAddr::V4(number).is_loopback(),
        Ok(Host::Ipv6(number)) => IpAddr::V6(number).is_loopback(),
        Err(_) => false,
    }
}

/// `::1` for `[::1]`: as the resolver wants it.
fn unbracketed(host: &str) -> &str {
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
}

#[cfg(test)]
mod tests;
