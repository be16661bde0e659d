//! `/v1/account` and `/v1/balance`.

use serde_json::{Value, json};

use super::Reply;
use crate::error::Failure;
use crate::form::Form;
use crate::ids;
use crate::paying_out;
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

/// What the processor owes the merchant: what can be paid out, and what is still on its way to that.
pub(crate) fn balance(work: &Work<'_>, _id: &str, _form: &mut Form) -> Result<Reply, Failure> {
    let balances = paying_out::balances(work)?;
    let amounts = |pick: fn(&(i64, i64)) -> i64| -> Vec<Value> {
        let amount = |(currency, sums)| json!({ "amount": pick(sums), "currency": currency, "source_types": { "card": pick(sums) } });
        balances.iter().map(amount).collect()
    };
    Reply::ok(json!({
        "object": "balance",
        "available": amounts(|(available, _)| *available),
        "livemode": false,
        "pending": amounts(|(_, pending)| *pending),
    }))
}
