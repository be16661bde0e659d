//! A card proved to be one that may not be charged a surcharge, which is known only after it has paid: the surcharge goes back to
//! it by itself. The invoice is not touched.

use crate::actions::once::Ran;
use crate::actions::request_refund::{CannotRefund, RefundOf, RequestRefund, request_refund};
use crate::actions::submit_refund::send_in_background;
use crate::app::App;
use anyhow::{Result, bail};
use billing::ids::{MerchantId, PaymentId};
use billing::refund::RefundMeaning;
use gateway::CardFacts;

/// The job; its subject is the payment.
pub const REFUND_SURCHARGE_JOB: &str = "refund_surcharge";

/// Who asks, for the audit trail.
const ACTOR: &str = "program";
const REASON: &str = "A debit or prepaid card may not be charged a fee";

/// True of cards that may not be charged a surcharge.
pub fn may_not_be_surcharged(card: &CardFacts) -> bool {
    matches!(card.funding.as_str(), "debit" | "prepaid")
}

/// Gives the surcharge of a payment back, as far as it is still kept. Done twice it is done once: nothing is left the second time.
pub async fn refund_surcharge(app: &App, merchant: MerchantId, payment: PaymentId) -> Result<()> {
    let input = RequestRefund {
        merchant,
        of: RefundOf::Surcharge(payment),
        amount_minor: None,
        meaning: RefundMeaning::OwedAgain,
        reason: REASON.to_owned(),
        actor: ACTOR.to_owned(),
    };
    match request_refund(app, input, None).await? {
        Ran::New(requested) => {
            send_in_background(app, &requested.refund);
            Ok(())
        }
        // Given back already, or gone with the payment.
        Ran::Refused(
            CannotRefund::NotPositive | CannotRefund::AboveLeft(_) | CannotRefund::NotSucceeded(_),
        ) => Ok(()),
        // The bank decides first; after that it is tried again.
        Ran::Refused(why) => bail!("the surcharge of {payment} cannot be given back yet: {why}"),
        Ran::Repeated(_) | Ran::OtherRequest => Ok(()),
    }
}
