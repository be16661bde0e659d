//! A saved method is charged while its owner is away: by staff, by a program, by a rule its owner agreed to. The same reservation, call
//! and booking as a payment of the portal; a debit is held until the cut-off just so.
//!
//! Nobody can be asked here, so a bank that wants to see the payer is a decline.

use crate::actions::start_payment::{Means, NotAgain, Payer, Request, StartPayment, Started, start_payment};
use crate::actions::submit_attempt::submit_attempt;
use crate::app::App;
use anyhow::Result;
use billing::amount::Refusal;
use billing::ids::{InvoiceId, MerchantId, PaymentId, PaymentMethodId};
use ledger::{Currency, Money};
use store::db::Tx;
use store::{contacts, invoices, payment_methods};

/// What is charged.
#[derive(Clone, Debug)]
pub struct ChargeSaved {
    /// Whose invoice.
    pub merchant: MerchantId,
    /// Which invoice.
    pub invoice: InvoiceId,
    /// Which saved method.
    pub saved: PaymentMethodId,
    /// What is paid, minor units of the invoice's currency.
    pub amount_minor: i64,
    /// The surcharge that its owner was told, minor units.
    pub surcharge_minor: i64,
    /// The first debit that this one presents again, of the same amount and surcharge.
    pub retries: Option<PaymentId>,
    /// How a program knows its request again.
    pub request: Option<Request>,
    /// For the audit trail: `cli:root`, `key:…`.
    pub actor: String,
}

/// What charging came to. Whether the money came is the payment's to say.
#[derive(Clone, Debug)]
pub enum Charged {
    /// It was asked for.
    New(PaymentId),
    /// The same request was made before.
    Repeated(PaymentId),
    /// Something else was asked for under the same key.
    OtherRequest,
    /// The amount is refused.
    Refused(Box<Refusal>, Currency),
    /// The surcharge is this one.
    SurchargeIs(Money),
    /// The last debit of this account for this invoice came back, and this one may not follow it.
    NotAgain(Box<NotAgain>),
    /// There is no such invoice or saved method.
    NotFound,
    /// It cannot be charged, or not for this invoice.
    Unusable,
    /// What the processor knows is being looked through, as after every start.
    NotYet,
}

/// Charges it.
pub async fn charge_saved(app: &App, input: ChargeSaved) -> Result<Charged> {
    let ChargeSaved { merchant, invoice, saved, .. } = input;
    let read = async move |tx: &mut Tx| {
        let found = invoices::find(tx, merchant, invoice).await?;
        let saved = payment_methods::find(tx, merchant, saved).await?;
        let owner = match &saved {
            Some(saved) => contacts::find(tx, merchant, saved.contact_id).await?,
            None => None,
        };
        Ok(found.zip(saved).zip(owner))
    };
    let Some(((found, saved), owner)) = app.store.read(read).await? else { return Ok(Charged::NotFound) };
    let currency = found.figures.currency;
    let payment = app.mint().id(PaymentId::new);
    let form = StartPayment {
        merchant,
        invoice,
        payment,
        method: saved.method,
        means: Means {
            saved: Some(saved.id),
            keep: false,
            charged_by: Some(input.actor.clone()),
            retries: input.retries,
            request: input.request.clone(),
        },
        agreement: None,
        amount_minor: input.amount_minor,
        surcharge_minor: input.surcharge_minor,
        payer: Payer {
            session_hash: app.mint().bytes(),
            contact_id: Some(owner.id),
            link_id: None,
            client: None,
        },
        receipt_email: None,
        payer_reference: None,
        language: "en".to_owned(),
    };
    Ok(match start_payment(app, form).await? {
        Started::New(payment) => {
            submit_attempt(app, merchant, payment).await?;
            Charged::New(payment)
        }
        Started::Repeated(before) | Started::OtherAmount(before) => Charged::Repeated(before.id),
        Started::OtherRequest => Charged::OtherRequest,
        Started::Refused(refusal) => Charged::Refused(refusal, currency),
        Started::SurchargeChanged(now) => Charged::SurchargeIs(now),
        Started::NotAgain(why) => Charged::NotAgain(why),
        Started::NotFound => Charged::NotFound,
        Started::SavedGone | Started::MethodNotOffered | Started::NoProcessor => Charged::Unusable,
        Started::CatchingUp | Started::IdentityNeeded | Started::TooMany(_) | Started::Paused(_) => {
            Charged::NotYet
        }
    })
}
