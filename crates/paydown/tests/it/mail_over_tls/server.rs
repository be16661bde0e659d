//! A small mail server with a certificate, and the authority that vouches for it. It offers what it is told to offer and
//! remembers every line, and whether the line came over TLS.

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::PrivateKeyDer;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// Somebody who vouches for names.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Authority {
    pub fn new(name: &str) -> Authority {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = params.self_signed(&key).expect("a certificate").pem();
        Authority { issuer: Issuer::new(params, key), pem }
    }

    /// Its certificate, as it stands in a file.
    pub fn pem(&self) -> String {
        self.pem.clone()
    }

    /// What a server with this name needs.
    pub fn certify(&self, name: &str) -> TlsAcceptor {
        let key = KeyPair::generate().expect("a key");
        let params = CertificateParams::new([name.to_owned()]).expect("a name");
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        let key = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("ring speaks them")
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .expect("they belong together");
        TlsAcceptor::from(Arc::new(config))
    }
}

/// What a mail server can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speaks {
    /// TLS from the first byte.
    Tls,
    /// Plain at first, and offers STARTTLS.
    StartTls,
    /// Plain only; takes passwords.
    Plain,
}

/// A line that came.
#[derive(Clone, Debug)]
pub struct Line {
    pub protected: bool,
    pub text: String,
}

#[derive(Default)]
struct Seen {
    lines: Mutex<Vec<Line>>,
    reached: AtomicBool,
}

impl Seen {
    fn note(&self, protected: bool, text: &str) {
        let line = Line { protected, text: text.to_owned() };
        self.lines.lock().expect("nobody panics while writing").push(line);
    }
}

/// Serves until the test ends.
pub struct MailServer {
    pub port: u16,
    seen: Arc<Seen>,
}

impl MailServer {
    pub async fn start(speaks: Speaks, tls: &TlsAcceptor) -> MailServer {
        let listener = TcpListener::bind("localhost:0").await.expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let seen = Arc::<Seen>::default();
        let (noted, tls) = (Arc::clone(&seen), tls.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                noted.reached.store(true, Ordering::SeqCst);
                tokio::spawn(serve(stream, speaks, tls.clone(), Arc::clone(&noted)));
            }
        });
        MailServer { port, seen }
    }

    /// What came so far.
    pub fn lines(&self) -> Vec<Line> {
        self.seen.lines.lock().expect("nobody panics while writing").clone()
    }

    /// True if anybody connected.
    pub fn was_reached(&self) -> bool {
        self.seen.reached.load(Ordering::SeqCst)
    }

    /// Insists that so many whole mails came, all of them over TLS.
    pub fn took(&self, count: usize) {
        let lines = self.lines();
        let whole = |line: &&Line| line.protected && line.text == ".";
        assert_eq!(lines.iter().filter(whole).count(), count, "{lines:?}");
        assert!(lines.iter().all(|line| line.protected || line.text != "."), "{lines:?}");
        assert_eq!(lines.iter().filter(|line| line.text.starts_with("Subject:")).count(), count, "{lines:?}");
    }
}

/// A handshake that the other side breaks off ends the connection.
async fn serve(stream: TcpStream, speaks: Speaks, tls: TlsAcceptor, seen: Arc<Seen>) -> std::io::Result<()> {
    if speaks == Speaks::Tls {
        let mut stream = BufReader::new(tls.accept(stream).await?);
        stream.write_all(b"220 here\r\n").await?;
        talk(&mut stream, "AUTH PLAIN", true, &seen).await?;
        return Ok(());
    }
    let mut stream = BufReader::new(stream);
    stream.write_all(b"220 here\r\n").await?;
    let offer = if speaks == Speaks::StartTls { "STARTTLS" } else { "AUTH PLAIN LOGIN" };
    if talk(&mut stream, offer, false, &seen).await? {
        let mut stream = BufReader::new(tls.accept(stream.into_inner()).await?);
        talk(&mut stream, "AUTH PLAIN", true, &seen).await?;
    }
    Ok(())
}

/// Answers one client; true when it asked for TLS.
async fn talk<S>(
    stream: &mut BufReader<S>,
    offer: &str,
    protected: bool,
    seen: &Seen,
) -> std::io::Result<bool>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let (mut line, mut in_data) = (String::new(), false);
    while stream.read_line(&mut line).await? > 0 {
        let text = line.trim_end_matches(['\r', '\n']);
        seen.note(protected, text);
        let verb = text.split([' ', ':']).next().unwrap_or_default();
        let answer = match (in_data, verb) {
            (true, ".") => "250 taken\r\n".to_owned(),
            (true, _) => String::new(),
            (false, "EHLO") => format!("250-here\r\n250 {offer}\r\n"),
            (false, "STARTTLS") => "220 go on\r\n".to_owned(),
            (false, "AUTH") => "235 welcome\r\n".to_owned(),
            (false, "DATA") => "354 go on\r\n".to_owned(),
            (false, _) => "250 fine\r\n".to_owned(),
        };
        let starts_tls = !in_data && verb == "STARTTLS" && !protected;
        in_data = (in_data && answer.is_empty()) || (!in_data && verb == "DATA");
        stream.write_all(answer.as_bytes()).await?;
        stream.flush().await?;
        if starts_tls {
            return Ok(true);
        }
        line.clear();
    }
    Ok(false)
}
