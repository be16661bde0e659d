//! Signing in with a mailed code or link, choosing a company, staying, leaving. Known and unknown addresses take the
//! same path and leave the same rows; only a mail is queued for the known. A fetch never consumes anything.

use crate::app::App;
use crate::clock::Mint;
use crate::secrets::{SecretKey, token_hash};
use anyhow::Result;
use billing::ids::{ContactId, MailId, MerchantId};
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest as _, Sha256};
use std::sync::Arc;
use store::db::Tx;
use store::mails::{self, MailKind, NewMail};
use store::sessions::{self, Session};
use store::signins::{self, Signin, SigninId};
use store::{contacts, rates};
use subtle::ConstantTimeEq as _;

/// A code works for so long.
const CODE_LIFE: SignedDuration = SignedDuration::from_mins(10);
/// So many codes may be tried.
const TRIES: i64 = 5;
/// A contact stays signed in for so long.
const SESSION_LIFE: SignedDuration = SignedDuration::from_hours(24);

/// What trying to sign in came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignedIn {
    /// The session of the new token is signed in; `false`: a company must be chosen first.
    Yes(bool),
    /// Another code; so many tries are left.
    Wrong(i64),
    /// Old, used or replaced.
    Ended,
    /// No try is left.
    NoTriesLeft,
    /// The link was opened in another browser than the one that asked: the code is needed.
    OtherBrowser,
}

/// Who tries to sign in.
#[derive(Clone, Copy, Debug)]
pub struct Browser {
    /// Where.
    pub merchant: MerchantId,
    /// SHA-256 of the secret in the browser's cookie.
    pub browser_hash: [u8; 32],
    /// SHA-256 of the session it had before, if any.
    pub old_session: Option<[u8; 32]>,
    /// SHA-256 of the new session's token.
    pub new_session: [u8; 32],
}

/// Asks for a code. Whether one was sent is not answered: too many requests and unknown addresses look the same.
pub async fn request_code(
    app: &App,
    merchant: MerchantId,
    browser_hash: [u8; 32],
    email_key: String,
    ip: String,
) -> Result<()> {
    let (mint, secrets) = (app.mint(), Arc::clone(&app.secrets));
    app.store
        .write(async move |tx: &mut Tx| {
            if !within_limits(tx, merchant, (&email_key, &ip), mint.now).await? {
                return Ok(());
            }
            let signin = new_signin(&mint, &secrets, merchant, browser_hash, &email_key);
            signins::insert(tx, merchant, &signin).await?;
            let known = contacts::find_by_email(tx, merchant, &email_key).await?;
            if let Some(contact) = known.first() {
                let mail = NewMail {
                    id: mint.id(MailId::new),
                    kind: MailKind::Code,
                    cause: hex(signin.id.as_bytes()),
                    recipient: contact.email.clone(),
                    invoice_id: None,
                    payment_id: None,
                    link_id: None,
                    signin_id: Some(signin.id),
                    created_at: mint.now,
                };
                mails::queue(tx, merchant, &mail).await?;
            }
            Ok(())
        })
        .await
}

fn new_signin(
    mint: &Mint,
    secrets: &SecretKey,
    merchant: MerchantId,
    browser_hash: [u8; 32],
    email_key: &str,
) -> Signin {
    let id = mint.id(SigninId::new);
    let code = secrets.sign_in_code(merchant.0, id.as_bytes());
    Signin {
        id,
        email_key: email_key.to_owned(),
        browser_hash,
        code_hash: secrets.code_hash(id.as_bytes(), &code),
        link_hash: token_hash(&secrets.sign_in_link_token(merchant.0, id.as_bytes())),
        tries_left: TRIES,
        created_at: mint.now,
        ended_at: None,
    }
}

/// 3 in 15 minutes and 10 in a day for an address, 20 in an hour for where they come from.
async fn within_limits(
    tx: &mut Tx,
    merchant: MerchantId,
    (email_key, ip): (&str, &str),
    now: Timestamp,
) -> Result<bool> {
    let email = hex(&Sha256::digest(email_key.as_bytes())[..16]);
    let ip = hex(&Sha256::digest(ip.as_bytes())[..16]);
    let mut within = true;
    for (scope, key, seconds, most) in [
        ("signin-15m", &email, 900, 3),
        ("signin-day", &email, 86_400, 10),
        ("signin-ip-hour", &ip, 3_600, 20),
    ] {
        let window = Timestamp::from_second(now.as_second() / seconds * seconds)?;
        within &= rates::count(tx, merchant, scope, key, window).await? <= most;
    }
    Ok(within)
}

/// Tries a code in the browser that asked for it.
pub async fn consume_code(app: &App, browser: Browser, code: String) -> Result<SignedIn> {
    let (now, secrets) = (app.clock.now(), Arc::clone(&app.secrets));
    app.store
        .write(async move |tx: &mut Tx| {
            let found = signins::latest_by_browser(tx, browser.merchant, &browser.browser_hash).await?;
            let Some(signin) = found else { return Ok(SignedIn::Ended) };
            if let Some(over) = over(&signin, now) {
                return Ok(over);
            }
            let Some(left) = signins::take_try(tx, browser.merchant, signin.id).await? else {
                return Ok(SignedIn::NoTriesLeft);
            };
            let given = secrets.code_hash(signin.id.as_bytes(), &code);
            if !bool::from(given.ct_eq(&signin.code_hash)) {
                return Ok(if left > 0 { SignedIn::Wrong(left) } else { SignedIn::NoTriesLeft });
            }
            finish(tx, &browser, &signin, now).await
        })
        .await
}

/// Follows the mailed link, by a press of its button, in the browser that asked for it.
pub async fn consume_link(app: &App, browser: Browser, token: &str) -> Result<SignedIn> {
    let (now, hash) = (app.clock.now(), token_hash(token));
    app.store
        .write(async move |tx: &mut Tx| {
            let found = signins::latest_by_link(tx, browser.merchant, &hash).await?;
            let Some(signin) = found else { return Ok(SignedIn::Ended) };
            if !bool::from(signin.browser_hash.ct_eq(&browser.browser_hash)) {
                return Ok(SignedIn::OtherBrowser);
            }
            match over(&signin, now) {
                Some(over) => Ok(over),
                None => finish(tx, &browser, &signin, now).await,
            }
        })
        .await
}

fn over(signin: &Signin, now: Timestamp) -> Option<SignedIn> {
    if signin.ended_at.is_some() || signin.created_at + CODE_LIFE < now {
        return Some(SignedIn::Ended);
    }
    (signin.tries_left <= 0).then_some(SignedIn::NoTriesLeft)
}

async fn finish(tx: &mut Tx, browser: &Browser, signin: &Signin, now: Timestamp) -> Result<SignedIn> {
    let merchant = browser.merchant;
    let people = contacts::find_by_email(tx, merchant, &signin.email_key).await?;
    if people.is_empty() || !signins::end(tx, merchant, signin.id, now).await? {
        return Ok(SignedIn::Ended);
    }
    let only = match people.as_slice() {
        [only] => Some(only.id),
        _ => None,
    };
    let session = Session {
        token_hash: browser.new_session,
        contact_id: only,
        email_key: Some(signin.email_key.clone()),
        created_at: now,
        seen_at: now,
        expires_at: now + SESSION_LIFE,
    };
    sessions::sign_in(tx, merchant, browser.old_session.as_ref(), &session).await?;
    Ok(SignedIn::Yes(only.is_some()))
}

/// Acts for this contact's company from now on; `false` unless its address is the one that was proved.
pub async fn choose_company(
    app: &App,
    merchant: MerchantId,
    session: [u8; 32],
    contact: ContactId,
) -> Result<bool> {
    app.store
        .write(async move |tx: &mut Tx| sessions::choose_contact(tx, merchant, &session, contact).await)
        .await
}

/// Ends a session and what links had opened in it.
pub async fn sign_out(app: &App, merchant: MerchantId, session: [u8; 32]) -> Result<()> {
    app.store.write(async move |tx: &mut Tx| sessions::delete(tx, merchant, &session).await).await.map(drop)
}

/// Notes that the session is in use, and with it every invoice that is still open by link.
pub async fn stay(app: &App, merchant: MerchantId, session: [u8; 32]) -> Result<()> {
    let now = app.clock.now();
    app.store
        .write(async move |tx: &mut Tx| {
            sessions::touch(tx, merchant, &session, now).await?;
            for grant in sessions::list_grants(tx, merchant, &session).await? {
                if grant.seen_at + crate::session::LINK_IDLE >= now {
                    sessions::touch_grant(tx, merchant, &session, grant.invoice_id, now).await?;
                }
            }
            Ok(())
        })
        .await
}

/// Counts one more start of a payment by a session and from where it comes; when it is one too many, the instant from
/// which it works again.
pub async fn count_start(
    app: &App,
    merchant: MerchantId,
    session: [u8; 32],
    ip: String,
) -> Result<Option<Timestamp>> {
    let now = app.clock.now();
    app.store
        .write(async move |tx: &mut Tx| {
            let hour = Timestamp::from_second(now.as_second() / 3_600 * 3_600)?;
            let ip = hex(&Sha256::digest(ip.as_bytes())[..16]);
            let by_session = rates::count(tx, merchant, "start-session", &hex(&session[..16]), hour).await?;
            let by_ip = rates::count(tx, merchant, "start-ip", &ip, hour).await?;
            Ok((by_session > 20 || by_ip > 60).then(|| hour + SignedDuration::from_hours(1)))
        })
        .await
}

fn hex(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(bytes)
}
