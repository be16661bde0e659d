//! Where leaving a card or an account stands: the processor is asked, and what it keeps becomes a saved method. The return page, an
//! event and the clock may all come with the same news; the second finds it done.

use crate::actions::end_mandate;
use crate::actions::keep_methods;
use crate::actions::limits;
use crate::actions::record_outcome::holder;
use crate::actions::verification;
use crate::app::App;
use crate::clock::Mint;
use crate::processors::STRIPE;
use anyhow::{Context as _, Result};
use billing::ids::{MerchantId, SetupId};
use gateway::{SavedMethod as Found, SetupFacts};
use jiff::{SignedDuration, Timestamp};
use store::contacts;
use store::db::Tx;
use store::mails::MailKind;
use store::mandates::{self, Account, GivenFor};
use store::processor_accounts;
use store::setups::{self, Setup, SetupState};
use store::verifications::Of;

/// The job that looks after a setup.
pub(super) const LOOK_AT_SETUP_JOB: &str = "look_at_setup";
/// Who has not come to an end after so long never will.
const GIVEN_UP_AFTER: SignedDuration = SignedDuration::from_hours(12 * 24);

/// Asks the processor how it stands. `Some` instant: ask again then. `None` where there is no more to ask.
pub async fn apply_setup(app: &App, merchant: MerchantId, id: SetupId) -> Result<Option<Timestamp>> {
    let found = app.store.read(async move |tx: &mut Tx| setups::find(tx, merchant, id).await).await?;
    let Some(setup) = found.filter(|setup| !setup.state.is_over()) else { return Ok(None) };
    let Some(session) = setup.session_id.clone() else { return end_unmade(app, setup).await };
    let processor = app.processors.of(&app.store, &app.secrets, merchant).await?;
    let processor = processor.context("the processor was disconnected")?;
    let facts = processor.read_setup(&session).await?;
    let saved = match &facts.payment_method_id {
        Some(id) if facts.state == gateway::SetupState::Succeeded => processor.read_saved(id).await?,
        _ => None,
    };
    let mint = app.mint();
    let after = app.store.write(async move |tx: &mut Tx| {
        let setup = setups::lock(tx, merchant, id).await?.context("a setup is never deleted")?;
        in_tx(tx, &mint, &setup, (&facts, saved.as_ref())).await
    });
    let after = after.await?;
    Ok(if after.state.is_over() { None } else { look_again(app, &after) })
}

/// Its page was never made, or its answer was lost: nobody has its address, so nothing can come of it.
async fn end_unmade(app: &App, setup: Setup) -> Result<Option<Timestamp>> {
    let ended = Setup { state: SetupState::Canceled, changed_at: app.clock.now(), ..setup };
    app.store.write(async move |tx: &mut Tx| setups::learn(tx, &ended).await).await?;
    Ok(None)
}

fn look_again(app: &App, setup: &Setup) -> Option<Timestamp> {
    let now = app.clock.now();
    let ends = setup.session_expires_at.filter(|ends| *ends > now);
    let next = ends.map_or(now + SignedDuration::from_hours(24), |ends| ends + SignedDuration::from_mins(5));
    (now < setup.created_at + GIVEN_UP_AFTER).then_some(next)
}

async fn in_tx(
    tx: &mut Tx,
    mint: &Mint,
    setup: &Setup,
    (facts, saved): (&SetupFacts, Option<&Found>),
) -> Result<Setup> {
    let merchant = setup.merchant;
    if setup.state.is_over() {
        return Ok(setup.clone());
    }
    let mut after = Setup {
        state: state(facts.state),
        processor_setup_id: facts.setup_id.clone(),
        decline: facts.decline.as_ref().map(|decline| decline.reason),
        ..setup.clone()
    };
    if after.state != setup.state {
        after.changed_at = mint.now;
    }
    verification::note(tx, merchant, Of::Setup(setup.id), (facts.verification.as_ref(), mint.now)).await?;
    if after.decline.is_some() && setup.decline.is_none() {
        let holder = limits::key(&[b"contact", setup.contact_id.as_bytes()]);
        limits::note(tx, merchant, limits::DECLINES_PER_HOLDER, &holder, mint.now).await?;
    }
    if let (SetupState::Succeeded, Some(found)) = (after.state, saved) {
        if let Some(bank) = &found.bank {
            let account = Account {
                name: None,
                bank_name: bank.bank_name.clone(),
                last4: Some(bank.last4.clone()),
                holder: holder(bank.holder),
                processor_mandate_id: facts.mandate_id.clone(),
                processor_method_id: Some(found.id.clone()),
            };
            mandates::accept(tx, merchant, GivenFor::Setup(setup.id), &account, mint.now).await?;
            if let Some(mandate) = mandates::find_of_setup(tx, merchant, setup.id).await? {
                end_mandate::mail(tx, mint, merchant, &mandate, MailKind::Agreement).await?;
            }
        }
        let person = contacts::find(tx, merchant, setup.contact_id).await?.context("it is a contact's")?;
        if let Some(at) = processor_accounts::find(tx, merchant, STRIPE).await? {
            after.payment_method_id = keep_methods::keep(tx, mint, &at, &person, found).await?;
        }
    }
    setups::learn(tx, &after).await?;
    Ok(after)
}

fn state(state: gateway::SetupState) -> SetupState {
    match state {
        gateway::SetupState::RequiresAction => SetupState::RequiresAction,
        gateway::SetupState::Processing => SetupState::Processing,
        gateway::SetupState::Succeeded => SetupState::Succeeded,
        gateway::SetupState::Failed => SetupState::Failed,
        gateway::SetupState::Canceled => SetupState::Canceled,
        gateway::SetupState::Unknown => SetupState::Unknown,
    }
}

/// The person turned back from the page: it is ended there.
pub async fn end_setup(app: &App, merchant: MerchantId, id: SetupId) -> Result<()> {
    let found = app.store.read(async move |tx: &mut Tx| setups::find(tx, merchant, id).await).await?;
    let Some(setup) = found.filter(|setup| !setup.state.is_over()) else { return Ok(()) };
    if let Some(session) = &setup.session_id {
        let processor = app.processors.of(&app.store, &app.secrets, merchant).await?;
        let processor = processor.context("the processor was disconnected")?;
        processor.expire_setup(session, &format!("paydown-end-{id}-{}", app.clock.now().as_second())).await?;
    }
    apply_setup(app, merchant, id).await.map(drop)
}
