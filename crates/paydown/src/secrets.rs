//! The one key of an installation and what is made from it: sealed columns, the tokens of links and sign-ins, hashes of
//! codes. It must never print a secret, never take chance from anywhere but its arguments, and never be stored in the
//! database it protects.

use anyhow::{Context as _, Result, ensure};
use chacha20poly1305::aead::{Aead, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use data_encoding::{BASE32HEX_NOPAD, BASE64, BASE64URL_NOPAD, HEXLOWER};
use hmac::{Hmac, Mac as _};
use sha2::{Digest as _, Sha256};
use std::fmt;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use zeroize::Zeroizing;

/// Name of the key's file in the data folder.
pub const KEY_FILE: &str = "secret.key";

/// The only form of a sealed value so far: version, nonce, sealed bytes with their tag.
const VERSION: u8 = 1;
const NONCE_LEN: usize = 24;

/// The key of this installation. `Debug` shows none of it; the memory is wiped when it is dropped.
#[derive(Clone)]
pub struct SecretKey(Zeroizing<[u8; 32]>);

/// Where a sealed value lives. It opens nowhere else, so that swapped rows are noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place<'p> {
    /// Number of the merchant.
    pub merchant: i64,
    /// Table and column, for example `processor_accounts.secret_key`.
    pub column: &'p str,
    /// The rest of the row's key, as text.
    pub row: &'p str,
}

/// Why a sealed value does not open. Each names the column and the merchant, never what is in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CannotOpen {
    /// It is too short to have been sealed.
    #[error("cannot open {0}: it is cut short")]
    Cut(String),
    /// Its form is not known yet.
    #[error("cannot open {0}: it was sealed by a newer Paydown")]
    Newer(String),
    /// This is not the key, this is not its place, or a bit changed; nothing can tell which.
    #[error(
        "cannot open {0}: the secret key is not the one it was sealed with, or the row was changed; restore {KEY_FILE} from a \
         backup, or connect the processor again"
    )]
    OtherKey(String),
}

impl SecretKey {
    /// The key in `from_file`, or else the one in the data folder, which is made from `random` where there is none.
    ///
    /// Fails when a file cannot be read, holds no key, or can be read by everybody on the machine.
    pub fn load_or_create(data_dir: &Path, from_file: Option<&Path>, random: [u8; 32]) -> Result<SecretKey> {
        if let Some(path) = from_file {
            return load(path);
        }
        let path = data_dir.join(KEY_FILE);
        if !path.try_exists().with_context(|| format!("cannot look for {}", path.display()))? {
            create(data_dir, &path, &Zeroizing::new(random))
                .with_context(|| format!("cannot create the secret key {}", path.display()))?;
        }
        load(&path)
    }

    /// The key made of these bytes.
    pub fn from_bytes(bytes: [u8; 32]) -> SecretKey {
        SecretKey(Zeroizing::new(bytes))
    }

    /// Seals `plain` for one place. `nonce` is 24 fresh random bytes.
    pub fn seal(&self, place: &Place<'_>, nonce: [u8; NONCE_LEN], plain: &[u8]) -> Vec<u8> {
        let aad = place.aad();
        let sealed = self
            .cipher()
            .encrypt(&XNonce::from(nonce), Payload { msg: plain, aad: &aad })
            .expect("a value is far below the 256 GiB that the cipher can take");
        [&[VERSION], nonce.as_slice(), &sealed].concat()
    }

    /// Opens what [`SecretKey::seal`] made for the same place. Fails for another place, another key, or one changed bit.
    pub fn open(&self, place: &Place<'_>, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, CannotOpen> {
        let what = || format!("{} of merchant {}", place.column, place.merchant);
        let (version, rest) = sealed.split_first().ok_or_else(|| CannotOpen::Cut(what()))?;
        if *version != VERSION {
            return Err(CannotOpen::Newer(what()));
        }
        let (nonce, body) = rest.split_first_chunk::<NONCE_LEN>().ok_or_else(|| CannotOpen::Cut(what()))?;
        let aad = place.aad();
        let plain = self.cipher().decrypt(&XNonce::from(*nonce), Payload { msg: body, aad: &aad });
        plain.map(Zeroizing::new).map_err(|_| CannotOpen::OtherKey(what()))
    }

    /// A value that only this key can make: HMAC-SHA256 over the purpose and the parts, each behind its length.
    pub fn derive(&self, purpose: &str, parts: &[&[u8]]) -> [u8; 32] {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(self.0.as_slice()).expect("HMAC takes a key of any length");
        for part in std::iter::once(&purpose.as_bytes()).chain(parts) {
            mac.update(&length(part));
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }

    /// The token of a payment link. It is never stored; it is made again whenever a mail is sent.
    pub fn link_token(&self, merchant: i64, link_id: &[u8; 16]) -> String {
        self.token("payment link", merchant, link_id)
    }

    /// The token of the link in a sign-in mail.
    pub fn sign_in_link_token(&self, merchant: i64, signin_id: &[u8; 16]) -> String {
        self.token("sign-in link", merchant, signin_id)
    }

    /// The six digits of a sign-in mail; every code is equally likely.
    pub fn sign_in_code(&self, merchant: i64, signin_id: &[u8; 16]) -> String {
        /// The largest multiple of a million that 32 bits hold: above it the small codes would be likelier.
        const FAIR: u32 = 4_294_000_000;
        for round in 0_u64.. {
            let parts: [&[u8]; 3] = [&merchant.to_be_bytes(), signin_id, &round.to_be_bytes()];
            let bytes = self.derive("sign-in code", &parts);
            let (words, _) = bytes.as_chunks::<4>();
            if let Some(draw) = words.iter().map(|word| u32::from_be_bytes(*word)).find(|draw| *draw < FAIR) {
                return format!("{:06}", draw % 1_000_000);
            }
        }
        unreachable!("eight draws fail together once in 10^29, and there are 2^64 rounds")
    }

    /// The hash under which a code is stored. Keyed and salted with its sign-in: six digits alone are soon tried out.
    pub fn code_hash(&self, signin_id: &[u8; 16], code: &str) -> [u8; 32] {
        self.derive("sign-in code hash", &[signin_id, code.as_bytes()])
    }

    fn token(&self, purpose: &str, merchant: i64, id: &[u8; 16]) -> String {
        let secret = self.derive(purpose, &[&merchant.to_be_bytes(), id]);
        let secret = BASE32HEX_NOPAD.encode(&secret[..20]).to_ascii_lowercase();
        format!("{}.{secret}", merchant_word(merchant))
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        // A key of its own for sealing: the same bytes never serve two algorithms.
        XChaCha20Poly1305::new(&self.derive("seal", &[]).into())
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey(…)")
    }
}

impl Place<'_> {
    /// No two places give the same bytes: each text stands behind its length.
    fn aad(&self) -> Vec<u8> {
        let mut aad = self.merchant.to_be_bytes().to_vec();
        for part in [self.column, self.row] {
            aad.extend(length(part.as_bytes()));
            aad.extend(part.as_bytes());
        }
        aad
    }
}

/// The hash under which a token is stored. A token has 160 random bits, so a bare hash is enough.
pub fn token_hash(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

/// The number of the merchant that a token belongs to; `None` for text that cannot be a token. Proves nothing.
pub fn token_merchant(token: &str) -> Option<i64> {
    let (word, secret) = token.split_once('.')?;
    let merchant = i64::from_str_radix(word, 32).ok().filter(|merchant| *merchant > 0)?;
    let plain = secret.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'v'));
    (merchant_word(merchant) == word && secret.len() == 32 && plain).then_some(merchant)
}

/// A merchant's number in base 32, without leading zeros.
pub fn merchant_word(merchant: i64) -> String {
    let mut word = Vec::new();
    let mut rest = merchant.unsigned_abs();
    loop {
        let digit = u32::try_from(rest % 32).expect("a remainder of 32 is small");
        word.push(char::from_digit(digit, 32).expect("a digit of base 32"));
        rest /= 32;
        if rest == 0 {
            return word.iter().rev().collect();
        }
    }
}

fn length(part: &[u8]) -> [u8; 8] {
    u64::try_from(part.len()).expect("a length fits 64 bits").to_be_bytes()
}

fn load(path: &Path) -> Result<SecretKey> {
    let shown = path.display();
    let metadata = fs::metadata(path).with_context(|| format!("cannot read the secret key {shown}"))?;
    refuse_readable_by_all(path, &metadata)?;
    ensure!(metadata.len() <= 4096, "{shown} is too long to be a secret key");
    let text = fs::read_to_string(path).with_context(|| format!("cannot read the secret key {shown}"))?;
    let text = Zeroizing::new(text);
    let bytes = decode(text.trim()).with_context(|| {
        format!("{shown} holds no secret key: 32 bytes as 64 hexadecimal digits or as base64 are expected")
    })?;
    Ok(SecretKey(bytes))
}

fn decode(text: &str) -> Option<Zeroizing<[u8; 32]>> {
    let bytes = match text.len() {
        64 => HEXLOWER.decode(Zeroizing::new(text.to_ascii_lowercase()).as_bytes()).ok()?,
        44 => BASE64.decode(text.as_bytes()).ok()?,
        43 => BASE64URL_NOPAD.decode(text.as_bytes()).ok()?,
        _ => return None,
    };
    let bytes = Zeroizing::new(bytes);
    bytes.as_slice().try_into().ok().map(Zeroizing::new)
}

#[cfg(unix)]
fn refuse_readable_by_all(path: &Path, metadata: &fs::Metadata) -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = metadata.permissions().mode() & 0o777;
    let shown = path.display();
    ensure!(
        mode & 0o007 == 0,
        "everybody on this machine can read the secret key {shown} (mode {mode:03o}); run: chmod 600 {shown}"
    );
    Ok(())
}

#[cfg(not(unix))]
fn refuse_readable_by_all(_path: &Path, _metadata: &fs::Metadata) -> Result<()> {
    Ok(())
}

/// Writes the key beside its place and links it there: two starts at once end with one whole key, never with half of one.
fn create(data_dir: &Path, path: &Path, key: &[u8; 32]) -> Result<()> {
    let mut temporary = tempfile::Builder::new().prefix(".secret.key.").tempfile_in(data_dir)?;
    let text = Zeroizing::new(format!("{}\n", HEXLOWER.encode(key)));
    temporary.write_all(text.as_bytes())?;
    temporary.as_file().sync_all()?;
    match temporary.persist_noclobber(path) {
        Ok(_) => fs::File::open(data_dir)?.sync_all().map_err(Into::into),
        Err(error) if error.error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error.error.into()),
    }
}

#[cfg(test)]
mod tests;
