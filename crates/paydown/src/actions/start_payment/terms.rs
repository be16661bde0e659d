//! By which methods an invoice can be paid now, and under which terms. What the portal, the API and the mails say of it is what T1
//! decides by.

use anyhow::{Context as _, Result};
use billing::amount::{MethodLimits, Terms};
use billing::ids::MerchantId;
use billing::payment::Method;
use billing::policy::Policy;
use billing::surcharge::Surcharge;
use gateway::Processor;
use ledger::{Currency, Money};
use store::db::Tx;
use store::invoices::Invoice;
use store::{offered_methods, policies, surcharges};

/// The methods that the merchant offers and the processor has in this currency, in the order in which they are shown.
pub async fn offered(
    tx: &mut Tx,
    merchant: MerchantId,
    processor: &dyn Processor,
    currency: Currency,
) -> Result<Vec<(Method, MethodLimits)>> {
    let methods = offered_methods::list(tx, merchant).await?;
    let with_limits = methods.into_iter().map(|method| (method, processor.method_limits(method, currency)));
    Ok(with_limits.filter(|(_, limits)| limits.maximum_minor > 0).collect())
}

/// The terms under which an amount of this invoice is judged now. The method's most leaves room for the surcharge.
pub async fn terms(
    tx: &mut Tx,
    invoice: &Invoice,
    (method, limits): (Method, MethodLimits),
) -> Result<Terms> {
    let layers = policies::layers(tx, invoice.merchant, invoice.customer_id, invoice.id).await?;
    let policy = Policy::effective(&layers, limits.minimum_minor);
    let figures = &invoice.figures;
    let surcharge = passed_on(tx, invoice, method).await?;
    let method = surcharge.leaves_of(limits, figures.currency);
    Ok(Terms { payable: figures.payable_now(), pending: figures.pending(), policy, method })
}

/// The terms under which an amount can be paid by one of these methods or another; without any, those of no method.
pub async fn of_any(tx: &mut Tx, invoice: &Invoice, offers: &[(Method, MethodLimits)]) -> Result<Terms> {
    let mut any: Option<Terms> = None;
    for offer in offers {
        let of_it = terms(tx, invoice, *offer).await?;
        any = Some(match any {
            Some(any) => Terms { method: any.method.widest(of_it.method), ..any },
            None => of_it,
        });
    }
    match any {
        Some(any) => Ok(any),
        None => terms(tx, invoice, (Method::Card, MethodLimits::NONE)).await,
    }
}

/// The surcharge on an amount, rounded up to what the processor can charge.
pub async fn surcharge(
    tx: &mut Tx,
    invoice: &Invoice,
    amount: Money,
    (method, limits): (Method, MethodLimits),
) -> Result<Money> {
    let surcharge = passed_on(tx, invoice, method).await?;
    surcharge.charged_on(amount, limits.step_minor).context("the surcharge is too large")
}

/// What the merchant passes on of a method's cost to the customer of this invoice.
pub async fn passed_on(tx: &mut Tx, invoice: &Invoice, method: Method) -> Result<Surcharge> {
    let of = (method, invoice.figures.currency);
    surcharges::effective(tx, invoice.merchant, invoice.customer_id, of).await
}
