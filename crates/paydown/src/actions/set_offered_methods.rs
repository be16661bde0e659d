//! By which methods payers may pay is set: from now on, for every invoice whose currency a method carries. Payments that have been
//! started go on.

use crate::app::App;
use anyhow::Result;
use billing::ids::{AuditId, MerchantId};
use billing::payment::Method;
use serde_json::{Value, json};
use store::audit::{self, AuditRow, acts};
use store::db::Tx;
use store::offered_methods;

/// What is set.
#[derive(Debug, Clone)]
pub struct SetOfferedMethods {
    /// Whose.
    pub merchant: MerchantId,
    /// The methods, one at least.
    pub methods: Vec<Method>,
    /// For the audit trail, for example `cli:root`.
    pub actor: String,
}

/// Why nothing was set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CannotOffer {
    /// Payers could not pay at all.
    #[error("name one method at least: card, us_bank_account, sepa_debit")]
    Nothing,
    /// A cheque, a transfer or cash is recorded when it came; nobody pays by it on a page.
    #[error("{} is recorded when it came; only card, us_bank_account and sepa_debit can be offered", .0.as_str())]
    Received(Method),
}

/// Sets the methods; answers them in the order in which they are shown.
pub async fn set_offered_methods(
    app: &App,
    input: SetOfferedMethods,
) -> Result<Result<Vec<Method>, CannotOffer>> {
    if input.methods.is_empty() {
        return Ok(Err(CannotOffer::Nothing));
    }
    if let Some(received) = input.methods.iter().find(|method| method.is_received()) {
        return Ok(Err(CannotOffer::Received(*received)));
    }
    let mint = app.mint();
    let methods = app.store.write(async move |tx: &mut Tx| {
        let merchant = input.merchant;
        let before = offered_methods::list(tx, merchant).await?;
        offered_methods::set(tx, merchant, &input.methods).await?;
        let after = offered_methods::list(tx, merchant).await?;
        let row = AuditRow {
            id: mint.id(AuditId::new),
            actor: input.actor.clone(),
            act: acts::METHODS_SET.to_owned(),
            object: merchant.to_string(),
            before: methods_json(&before).to_string(),
            after: methods_json(&after).to_string(),
            at: mint.now,
        };
        audit::append(tx, merchant, &row).await?;
        Ok(after)
    });
    Ok(Ok(methods.await?))
}

/// Methods as JSON, for the audit trail and the command line.
pub fn methods_json(methods: &[Method]) -> Value {
    json!(methods.iter().map(|method| method.as_str()).collect::<Vec<_>>())
}
