//! A company that is billed, and the people there who may sign in. Whoever may see a company's invoices was let in by
//! somebody: each customer and each contact gets an audit row that says by whom. No address stands in it, since a row of the
//! trail can never be erased.

use crate::actions::once::{self, Once, Ran};
use crate::app::App;
use crate::clock::Mint;
use anyhow::{Context as _, Result};
use billing::ids::{AuditId, ContactId, CustomerId, MerchantId};
use serde_json::{Value, json};
use std::convert::Infallible;
use store::audit::{self, AuditRow, acts};
use store::contacts::{self, Contact};
use store::customers::{self, Customer};
use store::db::Tx;

/// A customer as somebody enters it.
#[derive(Clone, Debug)]
pub struct NewCustomer {
    /// Which merchant's.
    pub merchant: MerchantId,
    /// As it calls itself.
    pub name: String,
    /// Lines separated by `\n`; may be empty.
    pub address: String,
    /// Name and address of each contact.
    pub contacts: Vec<(String, String)>,
}

/// Creates a customer with its contacts; those whose address is none are left out by the caller. `actor` is who did, as the
/// audit trail calls them.
pub async fn create_customer(app: &App, actor: &str, new: NewCustomer) -> Result<CustomerId> {
    let (mint, actor) = (app.mint(), actor.to_owned());
    app.store.write(async move |tx: &mut Tx| in_tx(tx, &mint, &actor, &new).await).await
}

/// Creates a customer for a program, which may ask again.
pub async fn create_customer_once(
    app: &App,
    actor: String,
    new: NewCustomer,
    once: Option<Once<(Customer, Vec<Contact>)>>,
) -> Result<Ran<(Customer, Vec<Contact>), Infallible>> {
    let mint = app.mint();
    app.store
        .write(async move |tx: &mut Tx| {
            if let Some(before) = once::begin(tx, &mint, new.merchant, once.as_ref()).await? {
                return Ok(before);
            }
            let id = in_tx(tx, &mint, &actor, &new).await?;
            let customer = customers::find(tx, new.merchant, id).await?.context("it was just created")?;
            let people = contacts::list(tx, new.merchant, id).await?;
            once::end(tx, new.merchant, once.as_ref(), Ok((customer, people))).await
        })
        .await
}

/// Why no contact was added.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CannotAddContact {
    /// The merchant has no such customer.
    #[error("there is no such customer")]
    NoSuchCustomer,
    /// The customer has a contact with that address.
    #[error("this customer has a contact with that address already")]
    AddressTaken,
}

/// A contact as somebody enters it; the address was checked.
#[derive(Debug, Clone)]
pub struct NewContact {
    /// Which merchant's.
    pub merchant: MerchantId,
    /// Of which customer.
    pub customer: CustomerId,
    /// Name of the person; may be empty.
    pub name: String,
    /// Address.
    pub email: String,
    /// Who adds it, for the audit trail.
    pub actor: String,
}

/// Adds a contact for a program, which may ask again.
pub async fn add_contact_once(
    app: &App,
    new: NewContact,
    once: Option<Once<Contact>>,
) -> Result<Ran<Contact, CannotAddContact>> {
    let mint = app.mint();
    app.store
        .write(async move |tx: &mut Tx| {
            if let Some(before) = once::begin(tx, &mint, new.merchant, once.as_ref()).await? {
                return Ok(before);
            }
            let outcome = new_contact(tx, &mint, &new).await?;
            once::end(tx, new.merchant, once.as_ref(), outcome).await
        })
        .await
}

async fn new_contact(
    tx: &mut Tx,
    mint: &Mint,
    new: &NewContact,
) -> Result<Result<Contact, CannotAddContact>> {
    let of = (new.merchant, new.customer);
    if customers::find(tx, new.merchant, new.customer).await?.is_none() {
        return Ok(Err(CannotAddContact::NoSuchCustomer));
    }
    if !add_contact(tx, mint, &new.actor, of, &new.name, &new.email).await? {
        return Ok(Err(CannotAddContact::AddressTaken));
    }
    let key = billing::contact::comparable_email(&new.email).context("an address that was added")?;
    let people = contacts::list(tx, new.merchant, new.customer).await?;
    let added = people.into_iter().find(|contact| contact.email_key == key);
    Ok(Ok(added.context("the contact was just added")?))
}

/// The same within a transaction of the caller's.
pub async fn in_tx(tx: &mut Tx, mint: &Mint, actor: &str, new: &NewCustomer) -> Result<CustomerId> {
    let id = mint.id(CustomerId::new);
    let customer = Customer {
        merchant: new.merchant,
        id,
        name: new.name.clone(),
        address: new.address.clone(),
        created_at: mint.now,
    };
    customers::insert(tx, &customer).await?;
    let act = (acts::CUSTOMER_CREATE, id.to_string(), json!({ "name": new.name }));
    note(tx, mint, (new.merchant, actor), act).await?;
    for (name, email) in &new.contacts {
        add_contact(tx, mint, actor, (new.merchant, id), name, email).await?;
    }
    Ok(id)
}

/// Adds a contact unless the customer has that address; `false` where it is there or is no address.
pub async fn add_contact(
    tx: &mut Tx,
    mint: &Mint,
    actor: &str,
    (merchant, customer_id): (MerchantId, CustomerId),
    name: &str,
    email: &str,
) -> Result<bool> {
    let Some(email_key) = billing::contact::comparable_email(email) else { return Ok(false) };
    let contact = Contact {
        merchant,
        id: mint.id(ContactId::new),
        customer_id,
        customer_name: String::new(),
        name: name.to_owned(),
        email: email.trim().to_owned(),
        email_key,
        created_at: mint.now,
    };
    if !contacts::insert(tx, &contact).await? {
        return Ok(false);
    }
    let act = (acts::CONTACT_ADD, contact.id.to_string(), json!({ "customer": customer_id.to_string() }));
    note(tx, mint, (merchant, actor), act).await?;
    Ok(true)
}

async fn note(
    tx: &mut Tx,
    mint: &Mint,
    (merchant, actor): (MerchantId, &str),
    (act, object, after): (&str, String, Value),
) -> Result<()> {
    let row = AuditRow {
        id: mint.id(AuditId::new),
        actor: actor.to_owned(),
        act: act.to_owned(),
        object,
        before: "null".to_owned(),
        after: after.to_string(),
        at: mint.now,
    };
    audit::append(tx, merchant, &row).await
}
