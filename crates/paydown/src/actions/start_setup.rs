//! A person leaves a card or a bank account for later and pays nothing: the page is asked for as that of a payment is, stored call
//! first. Nothing is reserved and no money moves, so a page that nobody got the address of does no harm.

use crate::actions::apply_setup::LOOK_AT_SETUP_JOB;
use crate::actions::card_testing::{self, Braked};
use crate::actions::register_payer::register_payer;
use crate::actions::start_payment::{Agreement, PAGE_LIFE, Payer};
use crate::actions::submit_attempt::PAYER_WAITS;
use crate::app::App;
use crate::clock::Mint;
use anyhow::{Context as _, Result};
use billing::ids::{JobId, MandateId, MerchantId, SetupId};
use billing::payment::Method;
use gateway::{CallError, Processor, SessionFacts, SetupPage, StoredCall};
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest as _, Sha256};
use std::sync::Arc;
use std::time::Duration;
use store::contacts;
use store::db::Tx;
use store::mandates::{self, Account, GivenFor, Mandate, Rule};
use store::setups::{self, Setup, SetupState};
use store::{jobs, merchants, offered_methods};

/// What a person asks for.
#[derive(Clone, Debug)]
pub struct StartSetup {
    /// At which merchant.
    pub merchant: MerchantId,
    /// Made when the form was drawn.
    pub setup: SetupId,
    /// What is left: a card or a bank account.
    pub method: Method,
    /// Who leaves it; somebody who signed in.
    pub payer: Payer,
    /// What they allow, where an account is debited later.
    pub agreement: Option<Agreement>,
    /// Language tag for the processor's page.
    pub language: String,
}

/// What starting came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SetupStarted {
    /// The page is open at this address.
    Page(String),
    /// The same form again: what it came to is on the page of saved methods.
    Repeated,
    /// The merchant does not take this.
    NotOffered,
    /// Too often; it works again then.
    TooMany(Timestamp),
    /// Too many cards were declined at this merchant; it works again about then.
    Paused(Timestamp),
    /// The processor did not answer, or there is none.
    Silent,
}

struct Work {
    mint: Mint,
    processor: Arc<dyn Processor>,
    public_url: Arc<str>,
    customer: String,
    input: StartSetup,
}

/// Asks for the page.
pub async fn start_setup(app: &App, input: StartSetup) -> Result<SetupStarted> {
    let contact = input.payer.contact_id.context("only somebody who signed in leaves a method")?;
    let processor = app.processors.of(&app.store, &app.secrets, input.merchant).await?;
    let Some(processor) = processor else { return Ok(SetupStarted::Silent) };
    let Some(customer) = register_payer(app, &*processor, input.merchant, contact).await else {
        return Ok(SetupStarted::Silent);
    };
    let work = Work {
        mint: app.mint(),
        processor: Arc::clone(&processor),
        public_url: Arc::clone(&app.public_url),
        customer,
        input,
    };
    let work = Arc::new(work);
    let again = Arc::clone(&work);
    let stored = app.store.write(async move |tx: &mut Tx| in_tx(tx, &again).await).await?;
    let setup = match stored {
        Ok(setup) => setup,
        Err(instead) => return Ok(instead),
    };
    match tokio::time::timeout(PAYER_WAITS, send(app, &*processor, &setup)).await {
        Ok(Ok(page)) => opened(app, setup, page).await,
        Ok(Err(error)) => {
            tracing::warn!(setup = %setup.id, %error, "the page of a setup was not made");
            Ok(SetupStarted::Silent)
        }
        Err(_) => Ok(SetupStarted::Silent),
    }
}

async fn in_tx(tx: &mut Tx, work: &Work) -> Result<Result<Setup, SetupStarted>> {
    let Work { mint, input, .. } = work;
    let merchant_id = input.merchant;
    if setups::find(tx, merchant_id, input.setup).await?.is_some() {
        return Ok(Err(SetupStarted::Repeated));
    }
    if !offered_methods::list(tx, merchant_id).await?.contains(&input.method) {
        return Ok(Err(SetupStarted::NotOffered));
    }
    match card_testing::brake(tx, merchant_id, &input.payer, mint.now).await? {
        Some(Braked::TooMany(until)) => return Ok(Err(SetupStarted::TooMany(until))),
        Some(Braked::Paused(until)) => return Ok(Err(SetupStarted::Paused(until))),
        None => {}
    }
    let contact = input.payer.contact_id.context("somebody signed in")?;
    let person = contacts::find(tx, merchant_id, contact).await?.context("who signed in is a contact")?;
    let merchant = merchants::find(tx, merchant_id).await?.context("a page has a merchant")?;
    let pages = format!("{}/p/{}/methods/setups/{}", work.public_url, merchant.slug, input.setup);
    let page = SetupPage {
        reference: input.setup.to_string(),
        merchant: merchant_id,
        contact,
        method: input.method,
        customer: work.customer.clone(),
        description: merchant.name.clone(),
        success_url: format!("{pages}/return"),
        cancel_url: format!("{pages}/turned-back"),
        expires_at: mint.now + PAGE_LIFE,
        locale: input.language.clone(),
    };
    let call = work.processor.setup_page(&page)?;
    let setup = Setup {
        merchant: merchant_id,
        id: input.setup,
        customer_id: person.customer_id,
        contact_id: contact,
        method: input.method,
        state: SetupState::Submitting,
        processor_key: format!("paydown-{}", input.setup),
        route: call.route,
        body: call.body,
        session_id: None,
        session_url: None,
        session_expires_at: None,
        processor_setup_id: None,
        decline: None,
        payment_method_id: None,
        created_at: mint.now,
        changed_at: mint.now,
    };
    anyhow::ensure!(setups::insert(tx, &setup).await?, "setup {} was started at the same moment", setup.id);
    anyhow::ensure!(
        input.agreement.is_some() == input.method.is_bank_debit(),
        "an account is kept where its owner allowed it to be debited"
    );
    if let Some(agreement) = &input.agreement {
        let email = person.email.clone();
        mandates::insert(tx, merchant_id, &mandate(mint, input, agreement, (&setup, email))).await?;
    }
    let (job, look_at) = (mint.id(JobId::new), mint.now + PAGE_LIFE + SignedDuration::from_mins(5));
    jobs::enqueue(tx, merchant_id, job, LOOK_AT_SETUP_JOB, &setup.id.to_string(), look_at, mint.now).await?;
    Ok(Ok(setup))
}

fn mandate(
    mint: &Mint,
    input: &StartSetup,
    agreement: &Agreement,
    (setup, email): (&Setup, String),
) -> Mandate {
    Mandate {
        id: mint.id(MandateId::new),
        given_for: GivenFor::Setup(setup.id),
        customer_id: setup.customer_id,
        contact_id: Some(setup.contact_id),
        method: setup.method,
        rule: Rule::Standing,
        wording: agreement.wording.clone(),
        wording_hash: Sha256::digest(&agreement.wording).into(),
        amount: None,
        payer_email: Some(email),
        client: input.payer.client.map(|client| client.to_string()),
        user_agent: agreement.user_agent.clone(),
        language: input.language.clone(),
        offered_at: mint.now,
        accepted_at: None,
        account: Account::default(),
        ended: None,
    }
}

/// Nobody has the page's address yet, so what was not answered is sent again, the same.
async fn send(app: &App, processor: &dyn Processor, setup: &Setup) -> Result<SessionFacts, CallError> {
    let call = StoredCall { route: setup.route.clone(), body: setup.body.clone() };
    let give_up_at = app.clock.now() + PAYER_WAITS;
    let mut wait = Duration::from_millis(200);
    loop {
        let error = match processor.send(&call, &setup.processor_key).await {
            Ok(page) => return Ok(page),
            Err(error) if error.is_definitive() => return Err(error),
            Err(error) => error,
        };
        tracing::warn!(setup = %setup.id, %error, "the page of a setup was not made yet");
        if app.clock.now() + wait > give_up_at {
            return Err(error);
        }
        app.clock.pass(wait).await;
        wait = (wait * 2).min(Duration::from_secs(4));
    }
}

async fn opened(app: &App, setup: Setup, page: SessionFacts) -> Result<SetupStarted> {
    let Some(url) = page.url.clone() else { return Ok(SetupStarted::Repeated) };
    let learned = Setup {
        state: SetupState::RequiresAction,
        session_id: Some(page.id),
        session_url: page.url,
        session_expires_at: Some(page.expires_at),
        changed_at: app.clock.now(),
        ..setup
    };
    app.store.write(async move |tx: &mut Tx| setups::learn(tx, &learned).await).await?;
    Ok(SetupStarted::Page(url))
}
