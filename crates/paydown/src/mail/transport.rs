//! How a finished message leaves: over SMTP, or as a file into a folder. It must never change what a message says, never
//! speak to another machine without TLS, and never show a password.

use crate::config::{self, SmtpSecurity};
use anyhow::{Context as _, Result, anyhow};
use async_trait::async_trait;
use billing::ids::MailId;
use jiff::Timestamp;
use lettre::transport::smtp::PoolConfig;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, CertificateStore, Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};
use rustls::CertificateError;
use std::error::Error;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

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

impl Smtp {
    /// The mail server that the settings name.
    ///
    /// # Panics
    /// Outside a Tokio runtime, which keeps the connections.
    pub fn try_new(settings: &config::Smtp) -> Result<Smtp> {
        let tls = match settings.security {
            SmtpSecurity::Tls => Tls::Wrapper(tls(settings)?),
            SmtpSecurity::StartTls => Tls::Required(tls(settings)?),
            SmtpSecurity::None => Tls::None,
        };
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(settings.host.as_str())
            .tls(tls)
            .port(settings.port)
            .timeout(Some(STEP_TIMEOUT))
            .pool_config(PoolConfig::new().max_size(CONNECTIONS));
        if let (Some(user), Some(password)) = (&settings.user, &settings.password) {
            builder = builder.credentials(Credentials::new(user.clone(), password.expose().to_owned()));
        }
        Ok(Smtp(builder.build()))
    }
}

/// The name that must be in the server's certificate, and who must vouch for it.
fn tls(settings: &config::Smtp) -> Result<TlsParameters> {
    let mut builder = TlsParameters::builder(settings.host.clone());
    if !settings.authorities.is_empty() {
        builder = builder.certificate_store(CertificateStore::None);
    }
    for authority in &settings.authorities {
        builder = builder.add_root_certificate(Certificate::from_der(authority.to_vec())?);
    }
    builder.build().with_context(|| format!("TLS cannot be set up for the mail server {}", settings.host))
}

/// What went wrong, with what to do about it where we know.
fn advice(error: &lettre::transport::smtp::Error) -> &'static str {
    match certificate_error(error) {
        // The second is an authority of the same name with another key.
        Some(CertificateError::UnknownIssuer | CertificateError::BadSignature) => {
            "the mail server's certificate comes from an authority we do not trust; if it is yours, name its PEM file in \
             smtp_ca_file"
        }
        Some(CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. }) => {
            "the mail server's certificate is for another name; write into mail the name that it is for"
        }
        Some(_) => "the mail server's certificate is not good",
        None => "the mail server did not take it",
    }
}

/// TLS hides its errors in those of the connection.
fn certificate_error<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e CertificateError> {
    let mut next = Some(error);
    while let Some(error) = next {
        let inner = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        if let Some(rustls::Error::InvalidCertificate(found)) = inner.and_then(|inner| inner.downcast_ref()) {
            return Some(found);
        }
        next = error.source();
    }
    None
}

#[async_trait]
impl Transport for Smtp {
    async fn send(&self, outgoing: &Outgoing) -> Result<()> {
        match self.0.send(outgoing.message.clone()).await {
            Ok(_) => Ok(()),
            // It tells its causes itself.
            Err(error) => Err(anyhow!("{}: {error}", advice(&error))),
        }
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

#[cfg(test)]
mod tests;
