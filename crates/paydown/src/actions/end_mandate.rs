//! A mandate is taken back, by whoever gave it or by staff: nothing is debited on it from that moment. Debits that are held are stopped;
//! what was sent to the bank already is named and cannot be called back here.

use crate::actions::recipients::person_of_mandate;
use crate::actions::stop_payment::stop_payment;
use crate::app::App;
use crate::clock::Mint;
use crate::processors::STRIPE;
use anyhow::{Context as _, Result};
use billing::ids::{AuditId, ContactId, MailId, MandateId, MerchantId, PaymentId};
use serde_json::json;
use store::audit::{self, AuditRow, acts};
use store::db::Tx;
use store::mails::{self, MailKind, NewMail};
use store::mandates::{self, Ended, EndedBy, Mandate, Rule};
use store::{payment_methods, payments, processor_accounts};

/// Who takes it back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Revoker {
    /// Whoever gave it.
    Giver(ContactId),
    /// Staff, for the audit trail: `cli:root`, `key:…`.
    Staff(String),
}

/// Why it was not ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CannotEnd {
    /// There is none, or it is somebody else's.
    #[error("there is no such mandate")]
    NotFound,
    /// It is for one debit, which is stopped or not, and allows nothing after it.
    #[error("the mandate is for one debit and allows nothing after it; call the payment off instead")]
    ForOneDebit,
}

/// What ending it came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndedMandate {
    /// It, ended.
    pub mandate: Mandate,
    /// Debits that were held and are stopped.
    pub stopped: Vec<PaymentId>,
    /// Debits that are on their way.
    pub pending: Vec<PaymentId>,
}

/// Ends it. Ending twice is ending.
pub async fn end_mandate(
    app: &App,
    merchant: MerchantId,
    id: MandateId,
    revoker: Revoker,
) -> Result<Result<EndedMandate, CannotEnd>> {
    let mint = app.mint();
    let ended = app.store.write(async move |tx: &mut Tx| in_tx(tx, &mint, (merchant, id), &revoker).await);
    let mandate = match ended.await? {
        Ok(mandate) => mandate,
        Err(why) => return Ok(Err(why)),
    };
    let token = mandate.account.processor_method_id.clone();
    let read = async move |tx: &mut Tx| {
        let (Some(token), Some(at)) = (token.as_ref(), processor_accounts::find(tx, merchant, STRIPE).await?)
        else {
            return Ok(Vec::new());
        };
        match payment_methods::find_by_token(tx, &at, token).await? {
            Some(saved) => payments::in_flight_of_method(tx, merchant, saved.id).await,
            None => Ok(Vec::new()),
        }
    };
    let (mut stopped, mut pending) = (Vec::new(), Vec::new());
    for payment in app.store.read(read).await? {
        match stop_payment(app, merchant, payment).await? {
            Ok(_) => stopped.push(payment),
            Err(_) => pending.push(payment),
        }
    }
    Ok(Ok(EndedMandate { mandate, stopped, pending }))
}

async fn in_tx(
    tx: &mut Tx,
    mint: &Mint,
    (merchant, id): (MerchantId, MandateId),
    revoker: &Revoker,
) -> Result<Result<Mandate, CannotEnd>> {
    let Some(mandate) = mandates::find_by_id(tx, merchant, id).await? else {
        return Ok(Err(CannotEnd::NotFound));
    };
    if matches!(revoker, Revoker::Giver(contact) if mandate.contact_id != Some(*contact)) {
        return Ok(Err(CannotEnd::NotFound));
    }
    if mandate.rule == Rule::Once {
        return Ok(Err(CannotEnd::ForOneDebit));
    }
    let (by, why) = match revoker {
        Revoker::Giver(_) => (EndedBy::Payer, "the payer took it back"),
        Revoker::Staff(_) => (EndedBy::Staff, "staff ended it"),
    };
    let ended = Ended { at: mint.now, why: why.to_owned(), by };
    if !mandates::end(tx, merchant, id, &ended).await? {
        return Ok(Ok(mandate));
    }
    if let Revoker::Staff(actor) = revoker {
        let row = AuditRow {
            id: mint.id(AuditId::new),
            actor: actor.clone(),
            act: acts::MANDATE_END.to_owned(),
            object: id.to_string(),
            before: json!({ "rule": mandate.rule.as_str() }).to_string(),
            after: "null".to_owned(),
            at: mint.now,
        };
        audit::append(tx, merchant, &row).await?;
    }
    mail(tx, mint, merchant, &mandate, MailKind::AgreementEnded).await?;
    let after = mandates::find_by_id(tx, merchant, id).await?;
    Ok(Ok(after.context("a mandate is never deleted")?))
}

/// Whoever gave it hears of it: a copy to keep, or that it has ended.
pub(super) async fn mail(
    tx: &mut Tx,
    mint: &Mint,
    merchant: MerchantId,
    mandate: &Mandate,
    kind: MailKind,
) -> Result<()> {
    let Some(email) = person_of_mandate(tx, merchant, mandate).await? else { return Ok(()) };
    let mail = NewMail {
        id: mint.id(MailId::new),
        kind,
        cause: mandate.id.to_string(),
        recipient: email,
        invoice_id: None,
        payment_id: mandate.payment_id(),
        link_id: None,
        signin_id: None,
        created_at: mint.now,
    };
    mails::queue(tx, merchant, &mail).await.map(drop)
}
