//! Events about what is saved: a setup, a saved method, a mandate. The object is fetched; an event about nobody we know is left alone,
//! since the account may serve others too.

use super::Verdict;
use crate::actions::apply_setup::apply_setup;
use crate::actions::keep_methods::keep_methods;
use crate::app::App;
use crate::processors::STRIPE;
use anyhow::{Context as _, Result};
use billing::ids::SetupId;
use gateway::MandateState;
use gateway::stripe::read_event;
use std::sync::Arc;
use store::db::Tx;
use store::inbox::InboxEvent;
use store::mandates::{self, Ended, EndedBy};
use store::{payment_methods, processor_accounts, processor_customers, setups};

/// The setup an event is about, where it is one of ours.
async fn setup_of(app: &App, event: &InboxEvent) -> Result<Option<SetupId>> {
    let marked = read_event(event.event.raw.as_bytes()).ok().and_then(|read| read.setup);
    let marked: Option<SetupId> = marked.and_then(|mark| mark.parse().ok());
    let (merchant, session) = (event.merchant_id, event.event.session_id.clone());
    app.store
        .read(async move |tx: &mut Tx| {
            if let Some(id) = marked {
                return Ok(setups::find(tx, merchant, id).await?.map(|setup| setup.id));
            }
            match &session {
                Some(session) => {
                    Ok(setups::find_by_session(tx, merchant, session).await?.map(|setup| setup.id))
                }
                None => Ok(None),
            }
        })
        .await
}

pub(super) async fn is_of_setup(app: &App, event: &InboxEvent) -> Result<bool> {
    if event.event.attempt_id.is_some() || event.event.session_id.is_none() {
        return Ok(false);
    }
    Ok(setup_of(app, event).await?.is_some())
}

pub(super) async fn setup(app: &App, event: &InboxEvent) -> Result<Verdict> {
    match setup_of(app, event).await? {
        Some(setup) => {
            apply_setup(app, event.merchant_id, setup).await?;
            Ok(Verdict::Applied)
        }
        None => Ok(Verdict::Ignored),
    }
}

/// What a person has was attached, changed or taken away: their list is read.
pub(super) async fn method(app: &App, event: &InboxEvent) -> Result<Verdict> {
    let merchant = event.merchant_id;
    let processor = app.processors.of(&app.store, &app.secrets, merchant).await?;
    let processor = processor.context("the processor was disconnected")?;
    let found = processor.read_saved(&event.event.object_id).await?;
    let (token, customer) = (event.event.object_id.clone(), found.and_then(|found| found.customer));
    let read = async move |tx: &mut Tx| {
        let Some(at) = processor_accounts::find(tx, merchant, STRIPE).await? else { return Ok(None) };
        if let Some(saved) = payment_methods::find_by_token(tx, &at, &token).await? {
            return Ok(Some(saved.contact_id));
        }
        match &customer {
            Some(customer) => processor_customers::find_contact(tx, &at, customer).await,
            None => Ok(None),
        }
    };
    match app.store.read(read).await? {
        Some(contact) => {
            keep_methods(app, merchant, contact).await?;
            Ok(Verdict::Applied)
        }
        None => Ok(Verdict::Ignored),
    }
}

/// The leave to debit an account: where the processor does not honour it any more, it has ended.
pub(super) async fn mandate(app: &App, event: &InboxEvent) -> Result<Verdict> {
    let (merchant, name) = (event.merchant_id, Arc::<str>::from(event.event.object_id.as_str()));
    let wanted = Arc::clone(&name);
    let find = async move |tx: &mut Tx| mandates::find_by_processor_id(tx, merchant, &wanted).await;
    let Some(mandate) = app.store.read(find).await? else { return Ok(Verdict::Ignored) };
    let processor = app.processors.of(&app.store, &app.secrets, merchant).await?;
    let processor = processor.context("the processor was disconnected")?;
    if processor.read_mandate(&name).await?.state == MandateState::Inactive {
        let why = "the processor does not honour it any more".to_owned();
        let ended = Ended { at: app.clock.now(), why, by: EndedBy::Processor };
        let end = async move |tx: &mut Tx| mandates::end(tx, merchant, mandate.id, &ended).await;
        app.store.write(end).await?;
    }
    Ok(Verdict::Applied)
}
