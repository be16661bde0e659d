//! Before a merchant's first charge after a start: the processor's list is looked through for pages of ours that this
//! database does not know, as after the restore of an older backup. Their payments are adopted, so that nobody pays
//! again what is paid or being paid already.
//!
//! It must come before the events are read: how far they were read is what says from when on something may be lost.

use crate::actions::adopt_payment::{Adopted, adopt_payment, adopt_unread};
use crate::actions::start_payment::PAGE_LIFE;
use crate::app::App;
use crate::processors::STRIPE;
use anyhow::{Context as _, Result};
use billing::ids::{AnomalyId, MerchantId};
use futures::future::BoxFuture;
use gateway::{CallError, ListedPage, Processor, Span};
use jiff::{SignedDuration, Timestamp};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use store::anomalies::{self, Anomaly};
use store::db::{StoreError, Tx};
use store::{attempts, invoices, processor_accounts};
use tokio::sync::OnceCell;
use tokio::time::timeout;

/// The list is read from so long before the last event that was read, and before the oldest page that may be open.
const OVERLAP: SignedDuration = SignedDuration::from_hours(1);
/// After a failure nobody is asked again for so long.
const PAUSE: SignedDuration = SignedDuration::from_secs(3);
/// A payer who comes while it is under way waits for so long at most.
const PAYER_WAITS: Duration = Duration::from_secs(8);

/// How far this process has come with one merchant.
#[derive(Default)]
pub struct CatchingUp {
    done: OnceCell<()>,
    failed_at: Mutex<Option<Timestamp>>,
}

impl CatchingUp {
    /// Those who waited for one that failed share its failure, instead of asking one after the other.
    fn failed_just_before(&self, now: Timestamp) -> bool {
        let failed_at = *self.failed_at.lock().unwrap_or_else(PoisonError::into_inner);
        failed_at.is_some_and(|at| now.duration_since(at).abs() < PAUSE)
    }

    fn failed(&self, now: Timestamp) {
        *self.failed_at.lock().unwrap_or_else(PoisonError::into_inner) = Some(now);
    }
}

/// Looks through the list unless this process has done so for the merchant. Two who ask at once wait for one reading.
///
/// Boxed, because the compiler does not see through so many layers of futures.
pub fn catch_up(app: &App, merchant: MerchantId) -> BoxFuture<'_, Result<()>> {
    Box::pin(async move {
        let state = app.processors.catching_up(merchant);
        let once = state.done.get_or_try_init(async || {
            let now = app.clock.now();
            anyhow::ensure!(
                !state.failed_just_before(now),
                "the processor's list could not be read a moment ago"
            );
            let done = look_through(app, merchant).await;
            if done.is_err() {
                state.failed(app.clock.now());
            }
            done
        });
        once.await.map(drop)
    })
}

/// True where this process has done so; nothing is asked of anybody.
pub fn is_caught_up(app: &App, merchant: MerchantId) -> bool {
    app.processors.catching_up(merchant).done.initialized()
}

/// The same, for a payer who waits for it a moment: `false` where it takes longer or failed. Their leaving does not stop it.
pub async fn wait_until_caught_up(app: &App, merchant: MerchantId) -> bool {
    if is_caught_up(app, merchant) {
        return true;
    }
    let own = app.clone();
    let looking = app.undisturbed(async move { catch_up(&own, merchant).await });
    match timeout(PAYER_WAITS, looking).await {
        Ok(Ok(())) => true,
        Ok(Err(error)) => {
            tracing::warn!(%merchant, error = format!("{error:#}"), "no payment is taken before the processor's list is read");
            false
        }
        Err(_) => false,
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

/// A processor or a database that does not answer now is asked again before anything is charged. Where the answer is of no
/// use the amount is held all the same, and where even that cannot be, a person is told: one such page closes the portal to
/// nobody.
async fn adopt(app: &App, processor: &dyn Processor, listed: &ListedPage) -> Result<()> {
    let adopted = match processor.read_session(&listed.page.id).await {
        Ok(facts) => adopt_payment(app, processor, facts).await,
        Err(error) => Err(error.into()),
    };
    let adopted = match adopted {
        Err(error) if may_pass(&error) => return Err(error),
        Err(error) => {
            let (session, error) = (&listed.page.id, format!("{error:#}"));
            tracing::error!(session, error, "a lost payment could not be read; its amount is held");
            adopt_unread(app, listed).await
        }
        adopted => adopted,
    };
    match adopted {
        Ok(Adopted::Made(_) | Adopted::Known(_) | Adopted::Ended | Adopted::NotOurs) => Ok(()),
        Ok(Adopted::DoesNotFit) => tell(app, listed).await,
        Err(error) if may_pass(&error) => Err(error),
        Err(error) => {
            tracing::error!(error = format!("{error:#}"), "a lost payment could not be made again");
            tell(app, listed).await
        }
    }
}

async fn tell(app: &App, listed: &ListedPage) -> Result<()> {
    let (mint, merchant) = (app.mint(), listed.origin.merchant);
    let ListedPage { page, origin } = listed;
    let anomaly = Anomaly {
        id: mint.id(AnomalyId::new),
        kind: "unknown_payment".to_owned(),
        payment_id: None,
        detail: format!(
            "invoice {}: the processor has a payment of {} on page {} that this database had lost and could not make \
             again. Take no other payment of this invoice before this one is accounted for",
            origin.invoice, origin.amount, page.id
        ),
        at: mint.now,
    };
    let told = async move |tx: &mut Tx| anomalies::insert_once(tx, merchant, &anomaly).await;
    app.store.write(told).await.map(drop)
}

/// True where the same may go well later: nobody answered, or the database is busy.
fn may_pass(error: &anyhow::Error) -> bool {
    let by_processor = error.downcast_ref::<CallError>().is_some_and(|error| {
        !matches!(error, CallError::Refused { .. } | CallError::Unreadable(_) | CallError::WrongMode { .. })
    });
    let by_store = matches!(
        error.downcast_ref::<StoreError>(),
        Some(
            StoreError::Busy
                | StoreError::Unavailable(_)
                | StoreError::RolledBack(_)
                | StoreError::CommitUnknown(_)
                | StoreError::ReadOnly(_)
                | StoreError::Closed
        )
    );
    by_processor || by_store
}
