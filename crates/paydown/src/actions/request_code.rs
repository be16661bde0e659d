//! A code is asked for. Whether one was sent is not answered: too many requests, too early ones and unknown addresses look
//! the same. The request itself does not even look whose address it is, so that its time tells nothing; a job does, and
//! queues a mail for the known.

use crate::actions::limits::{self, CODES_PER_ADDRESS, CODES_PER_ADDRESS_A_DAY, CODES_PER_MERCHANT};
use crate::app::App;
use crate::clock::Mint;
use crate::secrets::{SecretKey, token_hash};
use anyhow::{Context as _, Result};
use billing::ids::{AnomalyId, JobId, MailId, MerchantId};
use data_encoding::HEXLOWER;
use jiff::SignedDuration;
use std::sync::Arc;
use store::anomalies::{self, Anomaly};
use store::db::Tx;
use store::mails::{self, MailKind, NewMail};
use store::signins::{self, Signin, SigninId};
use store::{contacts, jobs};

/// Another code is sent to the same browser only after so long.
pub const RESEND_AFTER: SignedDuration = SignedDuration::from_secs(30);
/// What waits for a request to be looked at.
pub(super) const MAIL_CODE_JOB: &str = "mail_code";
/// So many codes may be tried.
pub const TRIES: i64 = 5;

/// Who asks for a code.
#[derive(Clone, Debug)]
pub struct CodeRequest {
    /// Where.
    pub merchant: MerchantId,
    /// SHA-256 of the secret in the browser's cookie.
    pub browser_hash: [u8; 32],
    /// The address, in the form contacts are looked up by.
    pub email_key: String,
    /// Where on the network the request comes from.
    pub source: String,
}

/// Asks for a code.
pub async fn request_code(app: &App, input: CodeRequest) -> Result<()> {
    let (mint, secrets) = (app.mint(), Arc::clone(&app.secrets));
    app.store.write(async move |tx: &mut Tx| in_tx(tx, &mint, &secrets, &input).await).await
}

async fn in_tx(tx: &mut Tx, mint: &Mint, secrets: &SecretKey, input: &CodeRequest) -> Result<()> {
    let merchant = &input.merchant;
    if asked_just_now(tx, mint, input).await? || !has_room(tx, mint, input).await? {
        return Ok(());
    }
    let signin = new_signin(mint, secrets, input);
    signins::insert(tx, *merchant, &signin).await?;
    let (job, subject) = (mint.id(JobId::new), HEXLOWER.encode(signin.id.as_bytes()));
    jobs::enqueue(tx, *merchant, job, MAIL_CODE_JOB, &subject, mint.now, mint.now).await
}

/// The job [`MAIL_CODE_JOB`]: queues the mail with the code, where somebody has the address. Harmless to repeat.
pub(super) async fn mail_code(app: &App, merchant: MerchantId, subject: &str) -> Result<()> {
    let id = HEXLOWER.decode(subject.as_bytes()).ok().and_then(|bytes| bytes.try_into().ok());
    let id = SigninId::from_bytes(id.with_context(|| format!("{subject:?} is no request to sign in"))?);
    let mint = app.mint();
    app.store.write(async move |tx: &mut Tx| queue_code(tx, &mint, merchant, id).await).await
}

async fn queue_code(tx: &mut Tx, mint: &Mint, merchant: MerchantId, id: SigninId) -> Result<()> {
    let signin = signins::find(tx, merchant, id).await?;
    let Some(signin) = signin.filter(|signin| signin.ended_at.is_none()) else { return Ok(()) };
    let known = contacts::find_by_email(tx, merchant, &signin.email_key).await?;
    let Some(contact) = known.first() else { return Ok(()) };
    if !merchant_has_room(tx, mint, merchant).await? {
        return Ok(());
    }
    let mail = NewMail {
        id: mint.id(MailId::new),
        kind: MailKind::Code,
        cause: HEXLOWER.encode(id.as_bytes()),
        recipient: contact.email.clone(),
        invoice_id: None,
        payment_id: None,
        link_id: None,
        signin_id: Some(id),
        created_at: mint.now,
    };
    mails::queue(tx, merchant, &mail).await.map(drop)
}

/// The page lets nobody press so early; whoever does all the same keeps the code that is on its way.
async fn asked_just_now(tx: &mut Tx, mint: &Mint, input: &CodeRequest) -> Result<bool> {
    let before = signins::latest_by_browser(tx, input.merchant, &input.browser_hash).await?;
    Ok(before.is_some_and(|before| {
        let usable = before.ended_at.is_none() && before.tries_left > 0;
        usable && before.email_key == input.email_key && before.created_at + RESEND_AFTER > mint.now
    }))
}

async fn has_room(tx: &mut Tx, mint: &Mint, input: &CodeRequest) -> Result<bool> {
    let address = limits::key(&[input.email_key.as_bytes()]);
    let source = limits::key(&[input.source.as_bytes()]);
    let wanted = [
        (CODES_PER_ADDRESS, address.as_str()),
        (CODES_PER_ADDRESS_A_DAY, address.as_str()),
        (limits::CODES_PER_SOURCE, source.as_str()),
    ];
    Ok(limits::take(tx, input.merchant, &wanted, mint.now).await?.is_none())
}

/// The ceiling over all addresses together; the first time in an hour that it is reached a person is told.
async fn merchant_has_room(tx: &mut Tx, mint: &Mint, merchant: MerchantId) -> Result<bool> {
    if limits::take(tx, merchant, &[(CODES_PER_MERCHANT, "all")], mint.now).await?.is_none() {
        return Ok(true);
    }
    if limits::is_first(tx, merchant, ("code-ceiling-told", "all"), mint.now, 3_600).await? {
        tracing::error!(%merchant, "so many sign-in codes were asked for that no more are mailed for now");
        let anomaly = Anomaly {
            id: mint.id(AnomalyId::new),
            kind: "sign_in_code_ceiling".to_owned(),
            payment_id: None,
            detail: "sign-in codes were asked for more often than a merchant may mail them in an hour"
                .to_owned(),
            at: mint.now,
        };
        anomalies::insert(tx, merchant, &anomaly).await?;
    }
    Ok(false)
}

fn new_signin(mint: &Mint, secrets: &SecretKey, input: &CodeRequest) -> Signin {
    let id = mint.id(SigninId::new);
    let code = secrets.sign_in_code(input.merchant.0, id.as_bytes());
    Signin {
        id,
        email_key: input.email_key.clone(),
        browser_hash: input.browser_hash,
        code_hash: secrets.code_hash(id.as_bytes(), &code),
        link_hash: token_hash(&secrets.sign_in_link_token(input.merchant.0, id.as_bytes())),
        tries_left: TRIES,
        created_at: mint.now,
        ended_at: None,
    }
}
