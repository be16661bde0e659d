//! Before a merchant's first charge after a start: the processor's list is looked through for pages of ours that this
//! database does not know, as after the restore of an older backup. Their payments are adopted, so that nobody pays
//! again what is paid or being paid already.
//!
//! It must come before the events are read: how far they were read is what says from when on something may be lost.

use crate::actions::adopt_payment::{Adopted, adopt_payment};
use crate::actions::start_payment::PAGE_LIFE;
use crate::app::App;
use crate::processors::STRIPE;
use anyhow::{Context as _, Result};
use billing::ids::MerchantId;
use futures::future::BoxFuture;
use gateway::{CallError, ListedPage, Processor, Span};
use jiff::SignedDuration;
use std::time::Duration;
use store::db::Tx;
use store::{attempts, invoices, processor_accounts};
use tokio::time::timeout;

/// The list is read from so long before the last event that was read, and before the oldest page that may be open.
const OVERLAP: SignedDuration = SignedDuration::from_hours(1);
/// A payer who comes while it is under way waits for so long at most.
const PAYER_WAITS: Duration = Duration::from_secs(8);

/// Looks through the list unless this process has done so for the merchant. Two who ask at once wait for one reading.
///
/// Boxed, because the compiler does not see through so many layers of futures.
pub fn catch_up(app: &App, merchant: MerchantId) -> BoxFuture<'_, Result<()>> {
    Box::pin(async move {
        let once = app.processors.catching_up(merchant);
        once.get_or_try_init(|| look_through(app, merchant)).await.map(drop)
    })
}

/// True once it is done, which a payer waits for. Their leaving does not stop it.
pub async fn is_caught_up(app: &App, merchant: MerchantId) -> Result<bool> {
    if app.processors.catching_up(merchant).initialized() {
        return Ok(true);
    }
    let own = app.clone();
    let looking = app.undisturbed(async move { catch_up(&own, merchant).await });
    match timeout(PAYER_WAITS, looking).await {
        Ok(Ok(())) => Ok(true),
        Ok(Err(error)) => {
            tracing::warn!(%merchant, error = format!("{error:#}"), "no payment is taken before the processor's list is read");
            Ok(false)
        }
        Err(_) => Ok(false),
    }
}

async fn look_through(app: &App, merchant: MerchantId) -> Result<()> {
    let account =
        app.store.read(async move |tx: &mut Tx| processor_accounts::find(tx, merchant, STRIPE).await).await?;
    let account = account.context("no processor is connected")?;
    let processor = app.processors.of(&app.store, &app.secrets, merchant).await?;
    let processor = processor.context("no processor is connected")?;
    let from = account.polled_to.min(app.clock.now() - PAGE_LIFE) - OVERLAP;
    let mut span = Some(Span { from, to: None });
    while let Some(part) = span {
        let list = processor.list_pages(part).await?;
        for page in list.pages.iter().filter(|page| page.origin.merchant == merchant) {
            if is_lost(app, page).await? {
                adopt(app, &*processor, page).await?;
            }
        }
        span = list.rest;
    }
    Ok(())
}

/// True of a page that was made for an invoice which is here, by an attempt which is not.
async fn is_lost(app: &App, page: &ListedPage) -> Result<bool> {
    let (merchant, attempt, invoice) = (page.origin.merchant, page.origin.attempt, page.origin.invoice);
    app.store
        .read(async move |tx: &mut Tx| {
            Ok(attempts::find(tx, merchant, attempt).await?.is_none()
                && invoices::find(tx, merchant, invoice).await?.is_some())
        })
        .await
}

/// A processor that cannot be asked now is asked again before anything is charged. What it says and we cannot use is
/// left to its event, so that one such page does not close the portal for ever.
async fn adopt(app: &App, processor: &dyn Processor, page: &ListedPage) -> Result<()> {
    let adopted = match processor.read_session(&page.session_id).await {
        Ok(facts) => adopt_payment(app, processor, facts).await,
        Err(error) => Err(error.into()),
    };
    let (session, payment) = (&page.session_id, page.origin.payment);
    match adopted {
        Ok(Adopted::Made(_)) => tracing::warn!(session, %payment, "a lost payment was made again"),
        Ok(Adopted::DoesNotFit) => {
            tracing::error!(session, %payment, "a lost payment asks for more than is payable, and goes on");
        }
        Ok(Adopted::Known(_) | Adopted::Ended | Adopted::NotOurs) => {}
        Err(error) if may_answer_later(&error) => return Err(error),
        Err(error) => {
            tracing::error!(session, %payment, error = format!("{error:#}"), "a lost payment could not be made again");
        }
    }
    Ok(())
}

/// Anything but the processor's own word, or a word of it that is not understood.
fn may_answer_later(error: &anyhow::Error) -> bool {
    !matches!(
        error.downcast_ref::<CallError>(),
        Some(CallError::Refused { .. } | CallError::Unreadable(_) | CallError::WrongMode { .. })
    )
}
