//! The processor's own record of a person who pays, made once, before their first payment. Its page then knows their
//! address, and a card they save has somewhere to live.
//!
//! Only for people who signed in: the processor's page shows the address of the record to whoever looks at it, and a
//! link may have been passed on. A payment never waits long for it and never fails for want of it.

use crate::app::App;
use crate::processors::STRIPE;
use anyhow::{Context as _, Result};
use billing::ids::{ContactId, MerchantId};
use gateway::{NewCustomer, Processor};
use std::time::Duration;
use store::contacts::{self, Contact};
use store::db::Tx;
use store::processor_accounts::{self, ProcessorAccount};
use store::processor_customers;

/// The payer waits at most so long for a record that is only a convenience.
const PATIENCE: Duration = Duration::from_secs(5);

/// The processor's name for a contact; `None` where it cannot be had now, which stops nothing.
pub(super) async fn register_payer(
    app: &App,
    processor: &dyn Processor,
    merchant: MerchantId,
    contact: ContactId,
) -> Option<String> {
    let registered = tokio::time::timeout(PATIENCE, find_or_make(app, processor, merchant, contact)).await;
    match registered {
        Ok(Ok(name)) => name,
        Ok(Err(error)) => {
            tracing::warn!(%contact, error = format!("{error:#}"), "the processor made no record of a payer");
            None
        }
        Err(_) => {
            tracing::warn!(%contact, "the processor takes long to make a record of a payer");
            None
        }
    }
}

async fn find_or_make(
    app: &App,
    processor: &dyn Processor,
    merchant: MerchantId,
    contact: ContactId,
) -> Result<Option<String>> {
    let Some((account, known, person)) = load(app, merchant, contact).await? else { return Ok(None) };
    if known.is_some() {
        return Ok(known);
    }
    let new = NewCustomer { contact, merchant, name: person.name, email: person.email };
    // Two first payments at once make one record; a record that was lost since can be made anew an hour later.
    let now = app.clock.now();
    let key = format!("paydown-customer-{contact}-{}", now.as_second() / 3_600);
    let name = processor.create_customer(&new, &key).await?;
    let kept = name.clone();
    app.store
        .write(async move |tx: &mut Tx| processor_customers::insert(tx, &account, contact, &kept, now).await)
        .await?;
    Ok(Some(name))
}

async fn load(
    app: &App,
    merchant: MerchantId,
    contact: ContactId,
) -> Result<Option<(ProcessorAccount, Option<String>, Contact)>> {
    app.store
        .read(async move |tx: &mut Tx| {
            let Some(account) = processor_accounts::find(tx, merchant, STRIPE).await? else {
                return Ok(None);
            };
            let known = processor_customers::find(tx, &account, contact).await?;
            let person = contacts::find(tx, merchant, contact).await?.context("a payer is a contact")?;
            Ok(Some((account, known, person)))
        })
        .await
}
