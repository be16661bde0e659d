//! Reading one setting: text in, a checked value or what is expected out.

use anyhow::{Context as _, Result, bail, ensure};
use gateway::SecretText;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;
use url::{Host, Url};

/// How the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

impl LogFormat {
    pub(super) fn parse(text: &str) -> Result<LogFormat> {
        match text {
            "text" => Ok(LogFormat::Text),
            "json" => Ok(LogFormat::Json),
            other => bail!("{other:?} is neither text nor json"),
        }
    }
}

/// Which keypad a phone opens for an amount. Some phones' keypads for decimals have no decimal mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AmountInputmode {
    /// Digits and a decimal mark; digits alone for currencies without decimals.
    #[default]
    Decimal,
    /// We ask for none: the phone's whole keyboard.
    None,
}

impl AmountInputmode {
    pub(super) fn parse(text: &str) -> Result<AmountInputmode> {
        match text {
            "decimal" => Ok(AmountInputmode::Decimal),
            "none" => Ok(AmountInputmode::None),
            other => bail!("{other:?} is neither decimal nor none"),
        }
    }
}

/// Where mail goes.
#[derive(Debug, Clone)]
pub enum Mail {
    /// Each mail becomes a file here.
    Folder(PathBuf),
    /// A mail server.
    Smtp(Smtp),
}

/// A mail server.
#[derive(Debug, Clone)]
pub struct Smtp {
    /// Its name or number, without brackets.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Who signs in, if anybody.
    pub user: Option<String>,
    /// With what.
    pub password: Option<SecretText>,
    /// How the connection is protected.
    pub security: SmtpSecurity,
    /// Who must vouch for its certificate; nobody in particular is the public authorities.
    pub authorities: Vec<CertificateDer<'static>>,
}

/// How a connection to a mail server is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SmtpSecurity {
    /// TLS from the first byte: `smtps://`.
    Tls,
    /// STARTTLS, and nothing is sent without it: `smtp://` to another machine.
    StartTls,
    /// None: `smtp://` to this machine, where no authority is named.
    None,
}

/// A range of addresses, such as `10.0.0.0/8`; one address is a range of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix_bits: u32,
}

impl Network {
    /// True if the address is in the range. An IPv4 address mapped into IPv6 counts as what it is.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(network), IpAddr::V4(address)) => {
                let shift = 32 - self.prefix_bits;
                let of = |address: Ipv4Addr| u32::from(address).checked_shr(shift).unwrap_or(0);
                of(network) == of(address)
            }
            (IpAddr::V6(network), IpAddr::V6(address)) => {
                let shift = 128 - self.prefix_bits;
                let of = |address: Ipv6Addr| u128::from(address).checked_shr(shift).unwrap_or(0);
                of(network) == of(address)
            }
            _ => false,
        }
    }
}

impl FromStr for Network {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Network> {
        let wrong = || format!("{text:?} is no address or network; expected: 10.0.0.7 or 10.0.0.0/8");
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().with_context(wrong)?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let prefix_bits = prefix.map_or(Ok(most), str::parse::<u32>).with_context(wrong)?;
        ensure!(prefix_bits <= most, wrong());
        Ok(Network { address, prefix_bits })
    }
}

pub(super) fn networks(text: &str) -> Result<Vec<Network>> {
    text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(str::parse).collect()
}

pub(super) fn address(text: &str) -> Result<SocketAddr> {
    text.parse().with_context(|| format!("{text:?} is no address with a port; expected: 127.0.0.1:8080"))
}

pub(super) fn optional_address(text: &str) -> Result<Option<SocketAddr>> {
    if text == "off" { Ok(None) } else { address(text).map(Some) }
}

/// What a browser on this machine would type.
pub(super) fn default_url(listen: SocketAddr) -> String {
    if listen.ip().is_unspecified() {
        return format!("http://localhost:{}", listen.port());
    }
    format!("http://{listen}")
}

pub(super) fn public_url(text: &str) -> Result<String> {
    let url = Url::parse(text).with_context(|| format!("{text:?} is no web address"))?;
    ensure!(matches!(url.scheme(), "http" | "https"), "{text:?} starts with neither https:// nor http://");
    let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
    let anonymous = url.username().is_empty() && url.password().is_none();
    ensure!(bare && anonymous, "{text:?} is more than a host and a port; expected: https://pay.example.com");
    ensure!(
        url.scheme() == "https" || is_this_machine(url.host()),
        "{text:?} is not encrypted: plain http is for this machine only; put a proxy with TLS in front and give its \
         https:// address"
    );
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

pub(super) fn log_level(text: &str) -> Result<String> {
    use tracing_subscriber::filter::EnvFilter;
    EnvFilter::try_new(text).with_context(|| format!("{text:?} is no log level; expected: info"))?;
    Ok(text.to_owned())
}

pub(super) fn mail(text: &str) -> Result<Mail> {
    if let Some(folder) = text.strip_prefix("folder:") {
        ensure!(!folder.is_empty(), "folder: needs a path; expected: folder:data/mail");
        return Ok(Mail::Folder(PathBuf::from(folder)));
    }
    // The text itself is not repeated: somebody may have put a password into it.
    let expected = "expected: folder:data/mail, smtp://user@host:587 or smtps://user@host:465";
    let url = Url::parse(text).with_context(|| format!("this is no mail target; {expected}"))?;
    ensure!(
        url.password().is_none(),
        "a password does not belong here, where it is printed; set PAYDOWN_SMTP_PASSWORD or \
         PAYDOWN_SMTP_PASSWORD_FILE"
    );
    let bare = matches!(url.path(), "" | "/") && url.query().is_none() && url.fragment().is_none();
    let host = url.host_str().filter(|_| bare).with_context(|| expected.to_owned())?;
    let (security, port) = match url.scheme() {
        "smtps" => (SmtpSecurity::Tls, 465),
        // `mail.localhost` may be anybody's, wherever the resolver does not know better.
        "smtp"
            if !host.contains(".localhost") && is_this_machine(parsed_host(host).as_ref().map(borrowed)) =>
        {
            (SmtpSecurity::None, 25)
        }
        "smtp" => (SmtpSecurity::StartTls, 587),
        other => bail!("{other}: is no way to send mail; {expected}"),
    };
    let user = percent_decoded(url.username()).filter(|user| !user.is_empty());
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    Ok(Mail::Smtp(Smtp {
        host: host.to_owned(),
        port: url.port().unwrap_or(port),
        user,
        password: None,
        security,
        authorities: Vec::new(),
    }))
}

/// Certificates of authorities, each fit to vouch for others.
pub(super) fn certificates(pem: &str) -> Result<Vec<CertificateDer<'static>>> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    let found = found.context("it is no PEM")?;
    ensure!(!found.is_empty(), "expected: a certificate, from -----BEGIN CERTIFICATE----- on");
    let mut trusted = RootCertStore::empty();
    for certificate in &found {
        trusted.add(certificate.clone()).context("a certificate in it cannot be read")?;
    }
    Ok(found)
}

/// `smtp` is no web scheme, so its host arrives as plain text; read it as the web would.
fn parsed_host(host: &str) -> Option<Host> {
    Host::parse(host).ok()
}

fn borrowed(host: &Host) -> Host<&str> {
    match host {
        Host::Domain(name) => Host::Domain(name.as_str()),
        Host::Ipv4(address) => Host::Ipv4(*address),
        Host::Ipv6(address) => Host::Ipv6(*address),
    }
}

fn is_this_machine(host: Option<Host<&str>>) -> bool {
    match host {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// `billing%40example.com` is how an address stands in a URL.
fn percent_decoded(text: &str) -> Option<String> {
    let pairs: Vec<(String, String)> =
        serde_urlencoded::from_str(&format!("u={}", text.replace('+', "%2B"))).ok()?;
    pairs.into_iter().next().map(|(_, value)| value)
}
