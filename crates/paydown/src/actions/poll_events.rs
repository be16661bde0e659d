//! Reads the processor's own list of events, and of payouts, which repairs what lost webhooks would have told. Each is stored like a
//! webhook and applied by the same worker.
//!
//! How far the list was read follows the processor's clock, never ours: ours may jump. A list that is too long for one
//! reading is read in spans from its old end, so that each reading gets further.

use crate::actions::apply_event::inbox_event;
use crate::actions::catch_up::catch_up;
use crate::actions::poll_payouts::poll_payouts;
use crate::actions::watch_clock::watch_clock;
use crate::app::App;
use crate::processors::STRIPE;
use anyhow::Result;
use billing::ids::MerchantId;
use gateway::{CallError, EventKind, EventList, ListedEvent, Span};
use jiff::{SignedDuration, Timestamp};
use std::collections::HashMap;
use std::sync::Arc;
use store::db::Tx;
use store::inbox::{self, NewInboxEvent};
use store::{merchants, processor_accounts};
use tokio::sync::Semaphore;
use tokio::task::{Id, JoinSet};

/// The list of events is read again from so long before the last reading.
const OVERLAP: SignedDuration = SignedDuration::from_hours(1);
/// Processors asked at the same time.
const AT_ONCE: usize = 8;
/// Events stored in one transaction.
const STORED_AT_ONCE: usize = 200;

/// The readings that are under way: one for each merchant at most, so that a slow processor delays nobody else.
pub struct Pollers {
    running: JoinSet<()>,
    whose: HashMap<Id, MerchantId>,
    slots: Arc<Semaphore>,
}

impl Default for Pollers {
    fn default() -> Pollers {
        let slots = Arc::new(Semaphore::new(AT_ONCE));
        Pollers { running: JoinSet::new(), whose: HashMap::new(), slots }
    }
}

impl Pollers {
    /// Begins a reading for each merchant of whom none is under way.
    pub async fn start(&mut self, app: &App) -> Result<()> {
        while let Some(ended) = self.running.try_join_next_with_id() {
            self.forget(ended);
        }
        let all = app.store.read(async move |tx: &mut Tx| merchants::all(tx).await).await?;
        for merchant in all.into_iter().map(|merchant| merchant.id) {
            if !self.whose.values().any(|busy| *busy == merchant) {
                let reading = self.running.spawn(poll_or_log(app.clone(), merchant, Arc::clone(&self.slots)));
                self.whose.insert(reading.id(), merchant);
            }
        }
        Ok(())
    }

    /// Waits for the readings that are under way.
    pub async fn finish(&mut self) {
        while let Some(ended) = self.running.join_next_with_id().await {
            self.forget(ended);
        }
    }

    fn forget(&mut self, ended: Result<(Id, ()), tokio::task::JoinError>) {
        let id = match ended {
            Ok((id, ())) => id,
            Err(error) => {
                tracing::error!(%error, "a reading of events broke off");
                error.id()
            }
        };
        self.whose.remove(&id);
    }
}

/// Reads each processor's events once, and waits for all of them.
pub async fn poll(app: &App) -> Result<()> {
    let mut pollers = Pollers::default();
    pollers.start(app).await?;
    pollers.finish().await;
    Ok(())
}

async fn poll_or_log(app: App, merchant: MerchantId, slots: Arc<Semaphore>) {
    // Nobody closes the semaphore.
    let Ok(_slot) = slots.acquire().await else { return };
    if let Err(error) = poll_events(&app, merchant).await {
        tracing::warn!(%merchant, error = format!("{error:#}"), "the processor's events could not be read");
    }
    if let Err(error) = poll_payouts(&app, merchant).await {
        tracing::warn!(%merchant, error = format!("{error:#}"), "the processor's payouts could not be read");
    }
    if let Err(error) = watch_clock(&app, merchant).await {
        tracing::warn!(%merchant, error = format!("{error:#}"), "the clocks could not be compared");
    }
}

/// Reads a merchant's list of events since the last reading, with an hour's overlap, and stores those that are new.
/// Answers how many were.
pub async fn poll_events(app: &App, merchant: MerchantId) -> Result<usize> {
    let account =
        app.store.read(async move |tx: &mut Tx| processor_accounts::find(tx, merchant, STRIPE).await).await?;
    let Some(account) = account else { return Ok(0) };
    let processor = app.processors.of(&app.store, &app.secrets, merchant).await?;
    let Some(processor) = processor else { return Ok(0) };
    catch_up(app, merchant).await?;
    let mut from = account.polled_to.min(app.clock.now()) - OVERLAP;
    let mut count = 0;
    loop {
        let (list, to) = readable(|span| processor.list_events(span), from).await?;
        count += store_new(app, merchant, processor.is_live(), &list.events).await?;
        let newest = list.events.iter().map(|listed| listed.event.created_at).max();
        if let Some(reached) = to.or(newest) {
            note(app, merchant, reached).await?;
        }
        match to {
            Some(to) => from = to + SignedDuration::from_secs(1),
            None => return Ok(count),
        }
    }
}

/// All events since `from`, or, where they are too many for one reading, all of the oldest span that is short enough,
/// with its end.
async fn readable<F: Future<Output = Result<EventList, CallError>>>(
    read: impl Fn(Span) -> F,
    from: Timestamp,
) -> Result<(EventList, Option<Timestamp>)> {
    let mut to = None;
    loop {
        let list = read(Span { from, to }).await?;
        if list.complete {
            return Ok((list, to));
        }
        // The newest are listed first: what is missing is older than the oldest of these.
        let oldest = list.events.first().map(|listed| listed.event.created_at).or(to).unwrap_or(from);
        let seconds = oldest.duration_since(from).as_secs().max(0) / 2;
        to = Some(from + SignedDuration::from_secs(seconds));
    }
}

async fn store_new(app: &App, merchant: MerchantId, live: bool, listed: &[ListedEvent]) -> Result<usize> {
    let mut count = 0;
    for events in listed.chunks(STORED_AT_ONCE) {
        let events: Vec<NewInboxEvent> = events
            .iter()
            .filter(|listed| !matches!(listed.event.kind, EventKind::NotOurs(_)) && listed.event.live == live)
            .map(|listed| inbox_event(app, &listed.event, listed.raw.clone()))
            .collect();
        let new = app.store.read(async move |tx: &mut Tx| unknown(tx, merchant, &events).await).await?;
        if !new.is_empty() {
            count += new.len();
            app.store
                .write(async move |tx: &mut Tx| {
                    for event in &new {
                        inbox::store(tx, merchant, event).await?;
                    }
                    Ok(())
                })
                .await?;
        }
    }
    Ok(count)
}

async fn unknown(tx: &mut Tx, merchant: MerchantId, events: &[NewInboxEvent]) -> Result<Vec<NewInboxEvent>> {
    let mut new = Vec::new();
    for event in events {
        if !inbox::is_known(tx, merchant, &event.processor, &event.event_id).await? {
            new.push(event.clone());
        }
    }
    Ok(new)
}

/// Never ahead of our own clock either, should the processor's be.
async fn note(app: &App, merchant: MerchantId, reached: Timestamp) -> Result<()> {
    let now = app.clock.now();
    let reached = reached.min(now);
    let write =
        async move |tx: &mut Tx| processor_accounts::set_polled_to(tx, merchant, STRIPE, reached, now).await;
    app.store.write(write).await.map(drop)
}

#[cfg(test)]
mod tests;
