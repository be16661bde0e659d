//! An invoice with everything its pages show, read in one snapshot, for a reader who may see it and nobody else.

use crate::actions::note_too_little::note_too_little;
use crate::actions::open_payment_link;
use crate::actions::start_payment::{of_any, offered, passed_on, terms};
use crate::pages::amount::{AmountForm, Refusal, Suggestion};
use crate::pages::parts::{Figures, Lifecycle, Progress, Status};
use crate::portal::context::{Access, Ctx, Reader};
use crate::portal::fail::Fail;
use anyhow::Context as _;
use billing::amount::{RefusalKind, Terms};
use billing::ids::{InvoiceId, MerchantId, PaymentId};
use billing::invoice::{self as rules, Lifecycle as Stored};
use billing::payment::{Method, PaymentState};
use billing::surcharge::Surcharge;
use gateway::Processor;
use ledger::Money;
use std::collections::HashMap;
use std::str::FromStr;
use std::sync::Arc;
use store::customers::{self, Customer};
use store::db::Tx;
use store::invoices::{self, Invoice, InvoiceLine};
use store::payment_methods::{self, SavedMethod};
use store::payments::{self, Payment};
use store::processor_accounts::ProcessorAccount;
use store::{cut_offs, grants, mandates, receipts, surcharges};

/// A page is at most so old when somebody acts on it: what was paid since may be news.
const LATELY_SECONDS: i64 = 1_800;

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
    /// What those that cover several invoices did to this one, minor units.
    pub shares: HashMap<PaymentId, i64>,
    /// This reader's last received payment in its currency.
    pub last_paid: Option<Payment>,
    /// What the merchant takes cards with; `None` when it takes none.
    pub processor: Option<Arc<dyn Processor>>,
    /// The ways to pay it, in the order in which they are shown; none where there is no processor, or none for its currency.
    pub offers: Vec<Offer>,
    /// What the reader saved and can pay it with: their own only, and never for who came by a link.
    pub saved: Vec<SavedMethod>,
    /// Minutes after midnight, where the merchant is, until when a debit of a saved account is held.
    pub cut_off: i64,
    /// True if anything is passed on to this customer, by any method: then each way says its fee, also none.
    pub passes_on: bool,
    /// What the customer has of credit in its currency; zero for whoever has only a link.
    pub credit: Money,
}

/// A way to pay.
#[derive(Clone, Copy)]
pub struct Offer {
    /// By what means.
    pub method: Method,
    /// Under which terms it carries an amount.
    pub terms: Terms,
    /// What is passed on of its cost.
    pub surcharge: Surcharge,
}

/// The invoice of an address, for who may see it: the one way to an invoice.
pub async fn load(ctx: &Ctx, id: &str) -> Result<Loaded, Fail> {
    let id = InvoiceId::from_str(id).map_err(|_| Fail::NotFound)?;
    let (merchant, app) = (ctx.merchant.id, &ctx.app);
    let processor = app.processors.of(&app.store, &app.secrets, merchant).await?;
    let looking = Looking { merchant, id, reader: ctx.reader(), processor, account: ctx.account.clone() };
    let loaded = match app.store.read(async move |tx: &mut Tx| read(tx, &looking).await).await? {
        Err(Fail::LinkClosed(_)) => return Err(Fail::LinkClosed(ctx.here.clone())),
        other => other?,
    };
    keep_open(ctx, &loaded).await;
    tell_of_too_little(ctx, &loaded).await;
    Ok(loaded)
}

struct Looking {
    merchant: MerchantId,
    id: InvoiceId,
    reader: Reader,
    processor: Option<Arc<dyn Processor>>,
    account: Option<ProcessorAccount>,
}

async fn read(tx: &mut Tx, looking: &Looking) -> anyhow::Result<Result<Loaded, Fail>> {
    let Looking { merchant, id, reader, processor, account } = looking;
    let (merchant, id) = (*merchant, *id);
    let Some(invoice) = invoices::find(tx, merchant, id).await? else { return Ok(Err(Fail::NotFound)) };
    let access = match reader.access(&invoice) {
        Ok(access) => access,
        Err(instead) => return Ok(Err(instead)),
    };
    let currency = invoice.figures.currency;
    let methods = match processor {
        Some(processor) => offered(tx, merchant, &**processor, currency).await?,
        None => Vec::new(),
    };
    let mut offers = Vec::new();
    for (method, limits) in &methods {
        let terms = terms(tx, &invoice, (*method, *limits)).await?;
        offers.push(Offer { method: *method, terms, surcharge: passed_on(tx, &invoice, *method).await? });
    }
    let person = match &access {
        Access::Contact => (reader.contact(), None),
        Access::Link(grant) => (grant.contact_id, Some(grant.link_id)),
    };
    let saved = match (&access, reader.contact(), account) {
        (Access::Contact, Some(contact), Some(account)) => {
            let saved = payment_methods::list(tx, account, contact).await?;
            chargeable(tx, merchant, saved).await?
        }
        _ => Vec::new(),
    };
    let passes_on = surcharges::any(tx, merchant, invoice.customer_id).await?;
    let customer = customers::find(tx, merchant, invoice.customer_id).await?;
    let payments = payments::list_by_invoice(tx, merchant, id).await?;
    let mut shares = HashMap::new();
    if payments.iter().any(|payment| payment.method.is_received()) {
        let lines = receipts::lines_by_invoice(tx, merchant, id).await?;
        shares.extend(lines.into_iter().map(|(payment, line)| (payment, line.applied_minor)));
    }
    let grants = match &access {
        Access::Contact => grants::left_of_customer(tx, merchant, invoice.customer_id, currency).await?,
        Access::Link(_) => Vec::new(),
    };
    Ok(Ok(Loaded {
        credit: Money::new(grants.iter().map(|grant| grant.left_minor).sum(), currency),
        lines: invoices::lines(tx, merchant, id).await?,
        terms: of_any(tx, &invoice, &methods).await?,
        payments,
        shares,
        last_paid: payments::last_paid_by(tx, (merchant, invoice.customer_id), person, currency).await?,
        customer: customer.context("an invoice has a customer")?,
        access,
        invoice,
        processor: processor.clone().filter(|_| !offers.is_empty()),
        offers,
        saved,
        cut_off: cut_offs::find(tx, merchant).await?,
        passes_on,
    }))
}

/// What was saved without the accounts whose owner has taken back the leave to debit them, or whose bank denies it.
async fn chargeable(
    tx: &mut Tx,
    merchant: MerchantId,
    saved: Vec<SavedMethod>,
) -> anyhow::Result<Vec<SavedMethod>> {
    let mut free = Vec::new();
    for one in saved {
        let mandate = match one.mandate_id {
            Some(id) => mandates::find_by_id(tx, merchant, id).await?,
            None => None,
        };
        let may_be_charged = match &mandate {
            Some(mandate) => mandate.ended.is_none(),
            None => !one.method.is_bank_debit(),
        };
        if may_be_charged {
            free.push(one);
        }
    }
    Ok(free)
}

/// The invoice that an address is about, for a reader who may see it: (id, number). For error pages, so it never fails.
pub async fn named_in(ctx: &Ctx, path: &str) -> Option<(String, String)> {
    let mut parts = path.split('/').skip(3);
    let (what, id) = (parts.next()?, parts.next()?.to_owned());
    let payment = if what == "payments" { Some(PaymentId::from_str(&id).ok()?) } else { None };
    let invoice = if what == "invoices" { Some(InvoiceId::from_str(&id).ok()?) } else { None };
    let merchant = ctx.merchant.id;
    let reader = ctx.reader();
    let found = ctx.app.store.read(async move |tx: &mut Tx| match (invoice, payment) {
        (Some(id), _) => invoices::find(tx, merchant, id).await,
        (None, Some(id)) => of_payment(tx, (merchant, id), &reader).await,
        (None, None) => Ok(None),
    });
    let invoice = found.await.ok()??;
    ctx.reader().access(&invoice).ok()?;
    Some((invoice.id.to_string(), invoice.number))
}

/// The invoice of a payment that the reader may see; of several the first one, and where there is none, any.
pub async fn of_payment(
    tx: &mut Tx,
    (merchant, payment): (MerchantId, PaymentId),
    reader: &Reader,
) -> anyhow::Result<Option<Invoice>> {
    let mut any = None;
    for id in payments::invoices(tx, merchant, payment).await? {
        any = invoices::find(tx, merchant, id).await?;
        if any.as_ref().is_some_and(|invoice| reader.access(invoice).is_ok()) {
            break;
        }
    }
    Ok(any)
}

/// Looking at an invoice keeps it open; noted once a minute, so that a page view is a read. An invoice can be read when
/// nothing can be written, so this never stands in the way.
async fn keep_open(ctx: &Ctx, loaded: &Loaded) {
    let (Access::Link(grant), Some(session)) = (&loaded.access, ctx.session_hash()) else { return };
    if ctx.now.duration_since(grant.seen_at).as_secs() < store::sessions::SEEN_EVERY_SECONDS
        || !ctx.is_writable()
    {
        return;
    }
    let (merchant, invoice) = (ctx.merchant.id, loaded.invoice.id);
    if let Err(error) = open_payment_link::keep_open(&ctx.app, merchant, session, invoice).await {
        tracing::warn!(%invoice, error = format!("{error:#}"), "that an invoice was looked at is not noted");
    }
}

/// The pages say that the merchant has been told, so it is.
async fn tell_of_too_little(ctx: &Ctx, loaded: &Loaded) {
    if !loaded.too_little_is_left() || !ctx.is_writable() {
        return;
    }
    let (invoice, left) = (loaded.invoice.id, loaded.invoice.figures.payable_now());
    if let Err(error) = note_too_little(&ctx.app, ctx.merchant.id, invoice, left).await {
        tracing::warn!(%invoice, error = format!("{error:#}"), "the merchant is not told yet of a rest too small");
    }
}

impl Loaded {
    /// True when something is left, but less than a card can take.
    pub fn too_little_is_left(&self) -> bool {
        let refusal = self.terms.decide(self.invoice.figures.payable_now().minor()).err();
        refusal.is_some_and(|refusal| matches!(refusal.kind, RefusalKind::LeftBelowMethod { .. }))
    }

    /// The most that one card payment can carry, where more is left and a card can carry some of it.
    pub fn card_most(&self) -> Option<Money> {
        let (_, most) = self.terms.limits()?;
        (most.minor() < self.invoice.figures.payable_now().minor()).then_some(most)
    }

    /// The most that a card can take, where more is left and nothing that it can take is allowed.
    pub fn too_much_is_left(&self) -> Option<Money> {
        let refusal = self.terms.decide(self.invoice.figures.payable_now().minor()).err()?;
        match refusal.kind {
            RefusalKind::AboveMethod { maximum } if refusal.limits.is_none() => Some(maximum),
            _ => None,
        }
    }

    /// Its figures as pages show them.
    pub fn figures(&self) -> Figures {
        figures(&self.invoice)
    }

    /// The fee on an amount now; `None` where the merchant passes none on, which is not a fee of 0.
    pub fn fee(&self, offer: &Offer, amount: Money) -> Result<Option<Money>, Fail> {
        if !self.passes_on {
            return Ok(None);
        }
        let fee = offer.surcharge.charged_on(amount, offer.terms.method.step_minor);
        Ok(Some(fee.context("the surcharge is too large")?))
    }

    /// What was paid on it within the last half hour: what the reader of a page as old as that cannot know.
    pub fn paid_lately(&self, ctx: &Ctx) -> Money {
        let lately = |payment: &&Payment| {
            let seconds = payment.captured_at.map(|at| ctx.now.duration_since(at).as_secs());
            payment.state == PaymentState::Succeeded
                && seconds.is_some_and(|seconds| seconds < LATELY_SECONDS)
        };
        let share = |payment: &Payment| *self.shares.get(&payment.id).unwrap_or(&payment.amount_minor);
        let minor = self.payments.iter().filter(lately).map(share);
        Money::new(minor.fold(0, i64::saturating_add), self.invoice.figures.currency)
    }

    /// The form of S7, with what was typed and why it was refused.
    pub fn form(&self, ctx: &Ctx, shown: Option<Money>, refused: Option<(String, Refusal)>) -> AmountForm {
        let left = self.invoice.figures.payable_now();
        let (least, most) = self.terms.limits().unzip();
        let most = most.unwrap_or(left);
        AmountForm {
            invoice_id: self.invoice.id.to_string(),
            left,
            most,
            pending: self.invoice.figures.pending(),
            minimum: least.filter(|least| least.minor() > 1),
            shown: shown.unwrap_or(most),
            due: self.invoice.due_on,
            today: ctx.today(),
            suggestions: self.suggestions(left),
            inputmode: ctx.app.amount_inputmode,
            refused,
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
