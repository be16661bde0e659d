//! A company that is billed, and the people there who may sign in.

use crate::app::App;
use crate::clock::Mint;
use anyhow::Result;
use billing::ids::{ContactId, CustomerId, MerchantId};
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

/// Creates a customer with its contacts; those whose address is none are left out by the caller.
pub async fn create_customer(app: &App, new: NewCustomer) -> Result<CustomerId> {
    let mint = app.mint();
    app.store.write(async move |tx: &mut Tx| in_tx(tx, &mint, &new).await).await
}

/// The same within a transaction of the caller's.
pub async fn in_tx(tx: &mut Tx, mint: &Mint, new: &NewCustomer) -> Result<CustomerId> {
    let id = mint.id(CustomerId::new);
    let customer = Customer {
        merchant: new.merchant,
        id,
        name: new.name.clone(),
        address: new.address.clone(),
        created_at: mint.now,
    };
    customers::insert(tx, &customer).await?;
    for (name, email) in &new.contacts {
        add_contact(tx, mint, (new.merchant, id), name, email).await?;
    }
    Ok(id)
}

/// Adds a contact unless the customer has that address; `false` where it is there or is no address.
pub async fn add_contact(
    tx: &mut Tx,
    mint: &Mint,
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
    contacts::insert(tx, &contact).await
}
