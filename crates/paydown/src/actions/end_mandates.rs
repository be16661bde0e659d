//! What a bank's word does to the leave to debit an account. A debit that was taken back uses its own mandate up; where the bank says
//! that debits are not allowed, the standing one of a saved account ends too, and nothing is debited before the payer agrees anew.

use crate::clock::Mint;
use anyhow::Result;
use billing::bank_return::ReturnKind;
use billing::ids::MandateId;
use store::db::Tx;
use store::mandates::{self, Ended, EndedBy};
use store::payment_methods;
use store::payments::Payment;

/// Ends what a return ends. `code` is the bank's reason: `R10`. Whoever had money taken back after it was paid (`is_late`) has
/// withdrawn the leave, whatever the bank calls it; a debit that was not paid ends it only where the bank says that there is none,
/// or no account.
pub(super) async fn by_bank(
    tx: &mut Tx,
    mint: &Mint,
    payment: &Payment,
    (code, is_late): (Option<&str>, bool),
) -> Result<()> {
    let kind = code.map_or(ReturnKind::Unexplained, ReturnKind::of_code);
    if !is_late && kind.consequences().leaves_account_usable() {
        return Ok(());
    }
    let why = format!("the bank sent the debit back: {}", code.unwrap_or("no reason"));
    let own = mandates::find(tx, payment.merchant, payment.id).await?;
    let token = own.as_ref().and_then(|own| own.account.processor_method_id.clone());
    if let Some(own) = own {
        end(tx, mint, payment, own.id, &why).await?;
    }
    let saved = match payment.payment_method_id {
        Some(id) => payment_methods::find(tx, payment.merchant, id).await?,
        None => None,
    };
    let standing = match (saved.and_then(|saved| saved.mandate_id), token) {
        (Some(id), _) => Some(id),
        (None, Some(token)) => {
            mandates::find_standing(tx, payment.merchant, &token).await?.map(|standing| standing.id)
        }
        (None, None) => None,
    };
    match standing {
        Some(id) => end(tx, mint, payment, id, &why).await,
        None => Ok(()),
    }
}

async fn end(tx: &mut Tx, mint: &Mint, payment: &Payment, id: MandateId, why: &str) -> Result<()> {
    let ended = Ended { at: mint.now, why: why.to_owned(), by: EndedBy::Bank };
    mandates::end(tx, payment.merchant, id, &ended).await.map(drop)
}
