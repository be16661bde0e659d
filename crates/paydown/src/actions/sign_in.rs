//! Signing in with a mailed code or link, choosing a company, staying, leaving. Only a press consumes anything: looking at
//! a mailed link never does, and the link alone signs in only the browser that asked for it.

use crate::actions::open_payment_link::LINK_IDLE;
use crate::app::App;
use crate::secrets::{SecretKey, token_hash};
use anyhow::Result;
use billing::ids::{ContactId, CustomerId, MerchantId};
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;
use store::contacts::{self, Contact};
use store::db::Tx;
use store::sessions::{self, Session};
use store::signins::{self, Signin};
use subtle::ConstantTimeEq as _;

/// A code works for so long.
const CODE_LIFE: SignedDuration = SignedDuration::from_mins(10);
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
    /// The company that is meant, where the address belongs to several.
    pub meant: Option<CustomerId>,
}

/// Tries a code in the browser that asked for it.
pub async fn consume_code(app: &App, browser: Browser, code: String) -> Result<SignedIn> {
    let (now, secrets) = (app.clock.now(), Arc::clone(&app.secrets));
    app.store
        .write(async move |tx: &mut Tx| {
            let found = signins::latest_by_browser(tx, browser.merchant, &browser.browser_hash).await?;
            let Some(signin) = found else { return Ok(SignedIn::Ended) };
            match over(&signin, now) {
                Some(over) => Ok(over),
                None => try_code(tx, (&browser, &signin), (&secrets, &code), now).await,
            }
        })
        .await
}

/// Follows the mailed link by a press of its button: with it alone in the browser that asked, with the code of the same
/// mail in any other.
pub async fn consume_link(
    app: &App,
    browser: Browser,
    token: &str,
    code: Option<String>,
) -> Result<SignedIn> {
    let (now, hash, secrets) = (app.clock.now(), token_hash(token), Arc::clone(&app.secrets));
    app.store
        .write(async move |tx: &mut Tx| {
            let found = signins::latest_by_link(tx, browser.merchant, &hash).await?;
            let Some(signin) = found else { return Ok(SignedIn::Ended) };
            match (link_state(&signin, &browser.browser_hash, now), &code) {
                (None, _) => finish(tx, &browser, &signin, now).await,
                (Some(SignedIn::OtherBrowser), Some(code)) => {
                    try_code(tx, (&browser, &signin), (&secrets, code), now).await
                }
                (Some(other), _) => Ok(other),
            }
        })
        .await
}

/// What stands in the way of a press on the mailed link in this browser; `None`: nothing.
pub fn link_state(signin: &Signin, browser_hash: &[u8; 32], now: Timestamp) -> Option<SignedIn> {
    let is_other = !bool::from(signin.browser_hash.ct_eq(browser_hash));
    over(signin, now).or_else(|| is_other.then_some(SignedIn::OtherBrowser))
}

/// Why no code helps any more; `None`: one may be tried.
pub fn over(signin: &Signin, now: Timestamp) -> Option<SignedIn> {
    if signin.ended_at.is_some() || signin.created_at + CODE_LIFE < now {
        return Some(SignedIn::Ended);
    }
    (signin.tries_left <= 0).then_some(SignedIn::NoTriesLeft)
}

/// The try is taken before the code is compared, so that racers share them.
async fn try_code(
    tx: &mut Tx,
    (browser, signin): (&Browser, &Signin),
    (secrets, code): (&SecretKey, &str),
    now: Timestamp,
) -> Result<SignedIn> {
    let Some(left) = signins::take_try(tx, browser.merchant, signin.id).await? else {
        return Ok(SignedIn::NoTriesLeft);
    };
    let given = secrets.code_hash(signin.id.as_bytes(), code);
    if !bool::from(given.ct_eq(&signin.code_hash)) {
        return Ok(if left > 0 { SignedIn::Wrong(left) } else { SignedIn::NoTriesLeft });
    }
    finish(tx, browser, signin, now).await
}

async fn finish(tx: &mut Tx, browser: &Browser, signin: &Signin, now: Timestamp) -> Result<SignedIn> {
    let merchant = browser.merchant;
    let people = contacts::find_by_email(tx, merchant, &signin.email_key).await?;
    if people.is_empty() || !signins::end(tx, merchant, signin.id, now).await? {
        return Ok(SignedIn::Ended);
    }
    let contact_id = acting(tx, browser, signin, &people).await?;
    let session = Session {
        token_hash: browser.new_session,
        contact_id,
        email_key: Some(signin.email_key.clone()),
        created_at: now,
        seen_at: now,
        expires_at: now + SESSION_LIFE,
    };
    sessions::sign_in(tx, merchant, browser.old_session.as_ref(), &session).await?;
    Ok(SignedIn::Yes(contact_id.is_some()))
}

/// For whom somebody acts: the company that is meant, the only one, or the one chosen last.
async fn acting(
    tx: &mut Tx,
    browser: &Browser,
    signin: &Signin,
    people: &[Contact],
) -> Result<Option<ContactId>> {
    if let Some(meant) = people.iter().find(|contact| Some(contact.customer_id) == browser.meant) {
        return Ok(Some(meant.id));
    }
    match people {
        [only] => Ok(Some(only.id)),
        _ => contacts::chosen_last(tx, browser.merchant, &signin.email_key).await,
    }
}

/// Acts for this contact's company from now on, and at the next sign-in; `false` unless its address is the one that was
/// proved.
pub async fn choose_company(
    app: &App,
    merchant: MerchantId,
    session: [u8; 32],
    contact: ContactId,
) -> Result<bool> {
    let now = app.clock.now();
    app.store
        .write(async move |tx: &mut Tx| {
            let chosen = sessions::choose_contact(tx, merchant, &session, contact).await?;
            if chosen {
                contacts::note_chosen(tx, merchant, contact, now).await?;
            }
            Ok(chosen)
        })
        .await
}

/// Ends a session and what links had opened in it.
pub async fn sign_out(app: &App, merchant: MerchantId, session: [u8; 32]) -> Result<()> {
    app.store.write(async move |tx: &mut Tx| sessions::delete(tx, merchant, &session).await).await.map(drop)
}

/// Notes that the session is in use, and with it every invoice that is still open by link. What a contact proved still
/// ends after its time.
pub async fn stay(app: &App, merchant: MerchantId, session: [u8; 32]) -> Result<()> {
    let now = app.clock.now();
    app.store
        .write(async move |tx: &mut Tx| {
            sessions::touch(tx, merchant, &session, now).await?;
            for grant in sessions::list_grants(tx, merchant, &session).await? {
                if grant.seen_at + LINK_IDLE >= now {
                    sessions::touch_grant(tx, merchant, &session, grant.invoice_id, now).await?;
                }
            }
            Ok(())
        })
        .await
}
