//! `/v1/account` and `/v1/balance`.

use serde_json::{Value, json};

use super::Reply;
use crate::books;
use crate::error::Failure;
use crate::form::Form;
use crate::ids;
use crate::work::Work;

/// The practice account that the secret key belongs to.
pub(crate) fn account(work: &Work<'_>, _id: &str, _form: &mut Form) -> Result<Reply, Failure> {
    Reply::ok(json!({
        "id": format!("acct_{}", ids::code(work.environment.seed, "acct_", 0, 16)),
        "object": "account",
        "business_profile": { "name": "Practice processor" },
        "charges_enabled": true,
        "country": "US",
        "default_currency": "usd",
        "details_submitted": true,
        "email": null,
        "payouts_enabled": true,
        "settings": { "dashboard": { "display_name": "Practice processor", "timezone": "Etc/UTC" } },
        "type": "standard",
    }))
}

/// What the processor owes the merchant. Nothing is ever paid out, so all of it is pending.
pub(crate) fn balance(work: &Work<'_>, _id: &str, _form: &mut Form) -> Result<Reply, Failure> {
    let amounts = |pick: fn(&books::CurrencyBooks) -> i64| -> Result<Vec<Value>, Failure> {
        let books = books::read(work)?;
        Ok(books
            .currencies
            .iter()
            .map(|(currency, books)| json!({ "amount": pick(books), "currency": currency, "source_types": { "card": pick(books) } }))
            .collect())
    };
    Reply::ok(json!({
        "object": "balance",
        "available": amounts(|_| 0)?,
        "livemode": false,
        "pending": amounts(|books| books.net_minor)?,
    }))
}
