//! An invoice with everything its pages show, read in one snapshot, for a reader who may see it and nobody else.

use crate::actions::start_payment::{surcharge, terms};
use crate::pages::amount::{AmountForm, Suggestion};
use crate::pages::link::LinkState;
use crate::pages::parts::{Figures, Lifecycle, Progress, Status};
use crate::portal::context::{Access, Ctx};
use crate::portal::fail::Fail;
use crate::portal::{links, refusals};
use axum::response::Response;
use billing::amount::{MethodLimits, Refusal, Terms};
use billing::ids::InvoiceId;
use billing::invoice::{self as rules, Lifecycle as Stored};
use ledger::Money;
use std::str::FromStr;
use store::customers::{self, Customer};
use store::db::Tx;
use store::invoices::{self, Invoice, InvoiceLine};
use store::payments::{self, Payment};

/// An invoice and what is around it.
pub struct Loaded {
    /// The invoice.
    pub invoice: Invoice,
    /// Its lines.
    pub lines: Vec<InvoiceLine>,
    /// Who is billed.
    pub customer: Customer,
    /// How the reader came to see it.
    pub access: Access,
    /// Under which terms amounts are judged now.
    pub terms: Terms,
    /// Payments that reserved something on it, newest first.
    pub payments: Vec<Payment>,
    /// The customer's last received payment in its currency.
    pub last_paid: Option<Payment>,
    /// False when the merchant takes no cards.
    pub takes_cards: bool,
    /// What the method can carry.
    pub limits: MethodLimits,
}

/// The invoice of an address, or the page that is shown instead.
pub async fn load(ctx: &Ctx, id: &str) -> Result<Result<Loaded, Response>, Fail> {
    let id = InvoiceId::from_str(id).map_err(|_| Fail::NotFound)?;
    let (merchant, app) = (ctx.merchant.id, &ctx.app);
    let invoice = app.store.read(async move |tx: &mut Tx| invoices::find(tx, merchant, id).await).await?;
    let invoice = invoice.ok_or(Fail::NotFound)?;
    let Some(access) = ctx.access(&invoice) else {
        if ctx.had_access(&invoice) {
            return Ok(Err(links::session_ended(ctx, LinkState::SessionEnded)?));
        }
        return Err(Fail::NotFound);
    };
    let processor = app.processors.of(&app.store, &app.secrets, merchant).await?;
    let takes_cards = processor.is_some();
    let none = MethodLimits { minimum_minor: 1, maximum_minor: i64::MAX, step_minor: 1 };
    let limits = processor.map_or(none, |processor| processor.card_limits(invoice.figures.currency));
    let loaded = app
        .store
        .read(async move |tx: &mut Tx| {
            let Some(invoice) = invoices::find(tx, merchant, id).await? else { return Ok(None) };
            let Some(customer) = customers::find(tx, merchant, invoice.customer_id).await? else {
                return Ok(None);
            };
            let currency = invoice.figures.currency;
            Ok(Some(Loaded {
                lines: invoices::lines(tx, merchant, id).await?,
                terms: terms(tx, &invoice, limits).await?,
                payments: payments::list_by_invoice(tx, merchant, id).await?,
                last_paid: payments::last_paid(tx, merchant, invoice.customer_id, currency).await?,
                access: Access::Contact,
                invoice,
                customer,
                takes_cards,
                limits,
            }))
        })
        .await?;
    let loaded = loaded.map(|loaded| Loaded { access: access.clone(), ..loaded }).ok_or(Fail::NotFound)?;
    keep_open(ctx, &loaded).await?;
    Ok(Ok(loaded))
}

/// Looking at an invoice keeps it open; noted once a minute, so that a page view is a read.
async fn keep_open(ctx: &Ctx, loaded: &Loaded) -> Result<(), Fail> {
    let (Access::Link(grant), Some(session)) = (&loaded.access, ctx.session_hash()) else { return Ok(()) };
    if ctx.now.duration_since(grant.seen_at).as_secs() < store::sessions::SEEN_EVERY_SECONDS {
        return Ok(());
    }
    if ctx.app.store.read_only_because().is_some() {
        return Ok(());
    }
    let (merchant, invoice) = (ctx.merchant.id, loaded.invoice.id);
    crate::actions::open_payment_link::keep_open(&ctx.app, merchant, session, invoice).await?;
    Ok(())
}

impl Loaded {
    /// Its figures as pages show them.
    pub fn figures(&self) -> Figures {
        figures(&self.invoice)
    }

    /// The surcharge on an amount now.
    pub async fn fee(&self, ctx: &Ctx, amount: Money) -> Result<Money, Fail> {
        let (invoice, limits) = (self.invoice.clone(), self.limits);
        Ok(ctx.app.store.read(async move |tx: &mut Tx| surcharge(tx, &invoice, amount, limits).await).await?)
    }

    /// The form of S7, with why an amount was refused.
    pub fn form(&self, ctx: &Ctx, shown: Option<Money>, refused: Option<(String, &Refusal)>) -> AmountForm {
        let left = self.invoice.figures.payable_now();
        let least = self.terms.limits().map(|(least, _)| least);
        AmountForm {
            invoice_id: self.invoice.id.to_string(),
            left,
            pending: self.invoice.figures.pending(),
            minimum: least.filter(|least| least.minor() > 1),
            shown: shown.unwrap_or(left),
            due: self.invoice.due_on,
            today: ctx.today(),
            suggestions: self.suggestions(left),
            refused: refused.map(|(typed, refusal)| {
                let words = refusals::words(ctx, &self.terms, &typed, refusal);
                (typed, words)
            }),
        }
    }

    fn suggestions(&self, left: Money) -> Vec<Suggestion> {
        let legal = |money: &Money| self.terms.decide(money.minor()).is_ok();
        let half = Money::new(left.minor() / 2, left.currency());
        let last = self.last_paid.as_ref().map(|paid| Money::new(paid.amount_minor, paid.currency));
        let all = Some(left).filter(legal).map(Suggestion::All);
        let half_chip = Some(half).filter(legal).map(Suggestion::Half);
        let same = last.filter(|last| *last != left && *last != half).filter(legal);
        half_chip.into_iter().chain(all).chain(same.map(Suggestion::SameAsLast)).collect()
    }
}

/// The figures of an invoice.
pub fn figures(invoice: &Invoice) -> Figures {
    let figures = &invoice.figures;
    let void = invoice.lifecycle == Stored::Void;
    let credited = if void { 0 } else { figures.total_minor - figures.open_minor - figures.paid_minor };
    Figures {
        total: figures.total(),
        paid: figures.paid(),
        credited: Money::new(credited.max(0), figures.currency),
        pending: figures.pending(),
        left: figures.payable_now(),
    }
}

/// The status facts of an invoice.
pub fn status(ctx: &Ctx, invoice: &Invoice) -> Status {
    let lifecycle = match invoice.lifecycle {
        Stored::Void => Lifecycle::Void { on: ctx.day(invoice.ended_at.unwrap_or(ctx.now)) },
        Stored::Uncollectible => Lifecycle::WrittenOff,
        Stored::Draft | Stored::Open => Lifecycle::Open,
    };
    let progress = match rules::progress(invoice.lifecycle, &invoice.figures) {
        Some(rules::Progress::PartiallyPaid) => Progress::PartlyPaid,
        Some(rules::Progress::Paid) => Progress::Paid,
        Some(rules::Progress::Credited) => Progress::Credited,
        Some(rules::Progress::NothingDue) => Progress::NothingDue,
        Some(rules::Progress::Unpaid) | None => Progress::Unpaid,
    };
    Status {
        progress,
        lifecycle,
        due: invoice.due_on,
        today: ctx.today(),
        all_in_flight: figures(invoice).all_in_flight(),
    }
}
