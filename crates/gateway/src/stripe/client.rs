//! [`Processor`] over Stripe's interface: which calls are made, and which follow.

use super::checkout::{self, Body};
use super::facts::Behind;
use super::http::{Carrier, ConfigError, StripeConfig, Transport};
use super::lists::{self, PAGE_SIZE, go_on_after, since};
use super::skew::Skew;
use super::state::Page;
use super::{charges, currency, disputes, events, facts, lines, mandates, payouts, refunds, saved, wire};
use crate::{
    Account, BalanceLine, CallError, CannotCharge, Checkout, DisputeFacts, EventList, Evidence,
    EvidenceUpload, LineKind, ListedPage, MandateFacts, NewCustomer, NewRefund, PageList, PaymentFacts,
    PayoutFacts, PayoutList, Processor, RefundFacts, SavedCharge, SavedMethod, SessionFacts, SetupFacts,
    SetupPage, Span, StoredCall,
};
use async_trait::async_trait;
use billing::amount::MethodLimits;
use billing::ids::AttemptId;
use billing::payment::Method;
use jiff::{SignedDuration, Timestamp};
use ledger::Currency;
use std::sync::Arc;

const MAX_SESSION_PAGES: usize = 200;
/// How much earlier than asked a list is read from, since Stripe's clock and ours differ.
const CLOCK_MARGIN: SignedDuration = SignedDuration::from_mins(10);

/// One Stripe account, in the mode of its key.
#[derive(Debug)]
pub struct Stripe {
    transport: Transport,
}

impl Stripe {
    /// A client for this account. A process-wide TLS provider must have been installed before.
    pub fn try_new(config: StripeConfig) -> Result<Stripe, ConfigError> {
        Ok(Stripe { transport: Transport::try_new(config)? })
    }

    /// The same client, which compares this clock with Stripe's at every answer.
    #[must_use]
    pub fn with_clock(mut self, clock: impl Fn() -> Timestamp + Send + Sync + 'static) -> Stripe {
        self.transport.skew = Skew::with_clock(Box::new(clock));
        self
    }

    /// The same client, whose requests are carried by somebody else than the network.
    #[must_use]
    pub fn carried_by(mut self, carrier: Arc<dyn Carrier>) -> Stripe {
        self.transport.carrier = Some(carrier);
        self
    }

    /// The facts of a session. Where its payment came unexpanded it is read too: an expired page alone proves nothing.
    async fn session_facts(&self, session: wire::Session) -> Result<PaymentFacts, CallError> {
        let read;
        let intent = match &session.payment_intent {
            Some(wire::Expandable::Id(id)) => {
                read = self.payment_intent(id).await?;
                Some(&read)
            }
            Some(wire::Expandable::Object(intent)) => Some(&**intent),
            None => None,
        };
        let beside = self.beside(intent).await?;
        facts::of_session(&session, beside.behind(intent), self.transport.live)
    }

    /// The facts of a payment that has no page.
    async fn intent_facts(&self, intent: &wire::PaymentIntent) -> Result<PaymentFacts, CallError> {
        let beside = self.beside(Some(intent)).await?;
        facts::of_payment(Page::None, beside.behind(Some(intent)), self.transport.live)
    }

    /// What a payment intent does not tell of itself, and only a bank debit has: a return after its success, and the
    /// account before its charge.
    async fn beside(&self, intent: Option<&wire::PaymentIntent>) -> Result<Beside, CallError> {
        let mut beside = Beside::default();
        let Some(intent) = intent else { return Ok(beside) };
        if facts::is_contested_debit(intent) {
            let query = [("payment_intent", intent.id.clone()), ("limit", PAGE_SIZE.to_owned())];
            let list: wire::List<wire::Dispute> = self.transport.get("/v1/disputes", &query).await?;
            beside.disputes = list.data;
        }
        if let Some(id) = facts::unverified_method(intent) {
            let path = format!("/v1/payment_methods/{}", checked(id)?);
            beside.method = Some(self.transport.get(&path, &[]).await?);
        }
        Ok(beside)
    }

    /// The facts of a setup page. Where what is behind it came unexpanded it is read too.
    async fn setup_facts(&self, session: wire::Session) -> Result<SetupFacts, CallError> {
        let read: wire::SetupIntent;
        let intent = match &session.setup_intent {
            Some(wire::Expandable::Id(id)) => {
                read = self.transport.get(&format!("/v1/setup_intents/{}", checked(id)?), &[]).await?;
                Some(&read)
            }
            Some(wire::Expandable::Object(intent)) => Some(&**intent),
            None => None,
        };
        saved::setup(&session, intent, self.transport.live)
    }

    /// The facts of a refund. What came back of a failed one is read beside it.
    async fn refund_facts(&self, refund: &wire::Refund) -> Result<RefundFacts, CallError> {
        let mut found = refunds::facts(refund)?;
        if let Some(wire::Expandable::Id(id)) = &refund.balance_transaction {
            found.line = Some(self.read_line(id).await?);
        }
        if let Some(wire::Expandable::Id(id)) = &refund.failure_balance_transaction {
            found.failure_line = Some(self.read_line(id).await?);
        }
        Ok(found)
    }

    /// The facts of a dispute. Whether it is about a card the dispute says itself; else its charge does.
    async fn dispute_facts(&self, dispute: &wire::Dispute) -> Result<DisputeFacts, CallError> {
        let of_card = dispute.payment_method_details.as_ref().is_some_and(|details| details.card.is_some());
        let is_debit = match &dispute.charge {
            Some(charge) if !of_card => {
                let path = format!("/v1/charges/{}", checked(charge.id())?);
                let charge: wire::Charge = self.transport.get(&path, &[]).await?;
                charge.payment_method_details.is_some_and(|details| details.bank().is_some())
            }
            _ => false,
        };
        disputes::facts(dispute, is_debit, self.transport.live)
    }

    /// A page of ours in a list. What carries our mark and cannot be read is logged: its event brings it up again.
    fn listed_page(&self, entry: serde_json::Value) -> Option<ListedPage> {
        let is_ours = entry.pointer(&format!("/metadata/{}", wire::ATTEMPT)).is_some();
        let id = entry.get("id").and_then(|id| id.as_str()).unwrap_or_default().to_owned();
        let read = serde_json::from_value::<wire::Session>(entry).ok().and_then(|session| {
            let page = facts::page_of(&session, self.transport.live).ok()?;
            Some(ListedPage { page, origin: facts::origin(&session)? })
        });
        if read.is_none() && is_ours {
            tracing::error!(session = id, "a page of ours in the processor's list cannot be read");
        }
        read
    }

    async fn payment_intent(&self, id: &str) -> Result<wire::PaymentIntent, CallError> {
        let path = format!("/v1/payment_intents/{}", checked(id)?);
        self.transport.get(&path, &[("expand[]", wire::EXPAND_INTENT.to_owned())]).await
    }
}

/// What was read beside a payment intent.
#[derive(Default)]
struct Beside {
    method: Option<wire::PaymentMethod>,
    disputes: Vec<wire::Dispute>,
}

impl Beside {
    fn behind<'a>(&'a self, intent: Option<&'a wire::PaymentIntent>) -> Behind<'a> {
        Behind { intent, method: self.method.as_ref(), disputes: &self.disputes }
    }
}

#[async_trait]
impl Processor for Stripe {
    fn checkout(&self, request: &Checkout) -> Result<StoredCall, CannotCharge> {
        checkout::checkout(request)
    }

    fn setup_page(&self, request: &SetupPage) -> Result<StoredCall, CannotCharge> {
        checkout::setup(request)
    }

    fn saved_charge(&self, request: &SavedCharge) -> Result<StoredCall, CannotCharge> {
        charges::charge(request)
    }

    fn refund(&self, request: &NewRefund) -> Result<StoredCall, CannotCharge> {
        refunds::refund(request)
    }

    async fn create_customer(&self, customer: &NewCustomer, key: &str) -> Result<String, CallError> {
        let body = checkout::customer(customer);
        let made: wire::Customer = self.transport.post("/v1/customers", body, key).await?;
        if made.livemode != self.transport.live {
            return Err(CallError::WrongMode { expected_live: self.transport.live });
        }
        Ok(made.id)
    }

    async fn send(&self, call: &StoredCall, key: &str) -> Result<SessionFacts, CallError> {
        is_for(call, checkout::ROUTE)?;
        let session = self.transport.post("/v1/checkout/sessions", call.body.clone(), key).await?;
        facts::page_of(&session, self.transport.live)
    }

    async fn send_charge(&self, call: &StoredCall, key: &str) -> Result<PaymentFacts, CallError> {
        is_for(call, charges::ROUTE)?;
        let intent = self.transport.post_charge(charges::PATH, call.body.clone(), key).await?;
        facts::of_payment(Page::None, Behind::of(&intent), self.transport.live)
    }

    async fn send_refund(&self, call: &StoredCall, key: &str) -> Result<RefundFacts, CallError> {
        is_for(call, refunds::ROUTE)?;
        let refund: wire::Refund = self.transport.post(refunds::PATH, call.body.clone(), key).await?;
        refunds::facts(&refund)
    }

    async fn cancel_payment(&self, payment_intent_id: &str, key: &str) -> Result<PaymentFacts, CallError> {
        let path = format!("/v1/payment_intents/{}/cancel", checked(payment_intent_id)?);
        match self.transport.post::<serde_json::Value>(&path, String::new(), key).await {
            // Called off, or refused because it is complete, gone or a page's: what it is, it says itself.
            Ok(_) | Err(CallError::Refused { status: 400, .. }) => {
                self.read_payment_intent(payment_intent_id).await
            }
            Err(error) => Err(error),
        }
    }

    async fn expire_session(&self, session_id: &str, key: &str) -> Result<PaymentFacts, CallError> {
        let path = format!("/v1/checkout/sessions/{}/expire", checked(session_id)?);
        let mut body = Body::default();
        body.add("expand[]", wire::EXPAND_SESSION);
        match self.transport.post(&path, body.encode(), key).await {
            Ok(session) => self.session_facts(session).await,
            // Refused because it is complete, expired or running: what it is, it says itself.
            Err(CallError::Refused { status: 400, .. }) => self.read_session(session_id).await,
            Err(error) => Err(error),
        }
    }

    async fn read_session(&self, session_id: &str) -> Result<PaymentFacts, CallError> {
        let path = format!("/v1/checkout/sessions/{}", checked(session_id)?);
        let session = self.transport.get(&path, &[("expand[]", wire::EXPAND_SESSION.to_owned())]).await?;
        self.session_facts(session).await
    }

    async fn read_payment_intent(&self, payment_intent_id: &str) -> Result<PaymentFacts, CallError> {
        let query = [
            ("payment_intent", checked(payment_intent_id)?.to_owned()),
            ("limit", "1".to_owned()),
            ("expand[]", wire::EXPAND_SESSIONS.to_owned()),
        ];
        let sessions: wire::List<wire::Session> = self.transport.get("/v1/checkout/sessions", &query).await?;
        if let Some(session) = sessions.data.into_iter().next() {
            return self.session_facts(session).await;
        }
        let intent = self.payment_intent(payment_intent_id).await?;
        self.intent_facts(&intent).await
    }

    async fn find_attempt(
        &self,
        attempt: AttemptId,
        created_after: Timestamp,
        created_before: Timestamp,
    ) -> Result<Option<PaymentFacts>, CallError> {
        let attempt = attempt.to_string();
        let is_ours = |session: &wire::Session| {
            let noted = session.metadata.as_ref().and_then(|metadata| metadata.get(wire::ATTEMPT));
            noted == Some(&attempt) || session.client_reference_id.as_ref() == Some(&attempt)
        };
        let mut query = between(created_after, created_before);
        for _ in 0..MAX_SESSION_PAGES {
            let page: wire::List<wire::Session> = self.transport.get("/v1/checkout/sessions", &query).await?;
            if let Some(session) = page.data.iter().find(|session| is_ours(session)) {
                return self.read_session(&session.id).await.map(Some);
            }
            if !page.has_more {
                return Ok(None);
            }
            go_on_after(&mut query, page.data.last().map(|session| session.id.as_str()))?;
        }
        let pages = MAX_SESSION_PAGES;
        Err(CallError::Unreadable(format!("not found on {pages} pages of sessions, and there are more")))
    }

    async fn find_charge(
        &self,
        attempt: AttemptId,
        created_after: Timestamp,
        created_before: Timestamp,
    ) -> Result<Option<PaymentFacts>, CallError> {
        let attempt = attempt.to_string();
        let mut query = between(created_after, created_before);
        for _ in 0..MAX_SESSION_PAGES {
            let page: wire::List<wire::PaymentIntent> = self.transport.get(charges::PATH, &query).await?;
            let ours = page.data.iter().find(|intent| {
                intent.metadata.as_ref().and_then(|metadata| metadata.get(wire::ATTEMPT)) == Some(&attempt)
            });
            if let Some(intent) = ours {
                return self.read_payment_intent(&intent.id).await.map(Some);
            }
            if !page.has_more {
                return Ok(None);
            }
            go_on_after(&mut query, page.data.last().map(|intent| intent.id.as_str()))?;
        }
        let pages = MAX_SESSION_PAGES;
        Err(CallError::Unreadable(format!("not found on {pages} pages of payments, and there are more")))
    }

    async fn list_pages(&self, span: Span) -> Result<PageList, CallError> {
        let mut query = since(span.from);
        if let Some(to) = span.to {
            query.push(("created[lte]", to.as_second().to_string()));
        }
        let mut pages = Vec::new();
        let mut oldest_at = None;
        for _ in 0..MAX_SESSION_PAGES {
            let list: wire::List<serde_json::Value> =
                self.transport.get("/v1/checkout/sessions", &query).await?;
            if !list.has_more {
                pages.extend(list.data.into_iter().filter_map(|entry| self.listed_page(entry)));
                return Ok(PageList { pages, rest: None });
            }
            let oldest = list.data.last();
            oldest_at = oldest.and_then(|entry| entry.get("created")?.as_i64()).or(oldest_at);
            go_on_after(&mut query, oldest.and_then(|entry| entry.get("id")?.as_str()))?;
            pages.extend(list.data.into_iter().filter_map(|entry| self.listed_page(entry)));
        }
        // The newest are listed first: what is missing is not younger than the last of these.
        let to = oldest_at.map(facts::instant).transpose()?.filter(|to| span.to.is_none_or(|end| *to < end));
        let to = to.ok_or_else(|| CallError::Unreadable("a list of pages that has no end".to_owned()))?;
        Ok(PageList { pages, rest: Some(Span { from: span.from, to: Some(to) }) })
    }

    async fn payment_of_charge(&self, charge_id: &str) -> Result<Option<String>, CallError> {
        let path = format!("/v1/charges/{}", checked(charge_id)?);
        let charge: wire::ChargeOwner = self.transport.get(&path, &[]).await?;
        if charge.livemode != self.transport.live {
            return Err(CallError::WrongMode { expected_live: self.transport.live });
        }
        Ok(charge.payment_intent.map(|intent| intent.id().to_owned()))
    }

    async fn read_setup(&self, session_id: &str) -> Result<SetupFacts, CallError> {
        let path = format!("/v1/checkout/sessions/{}", checked(session_id)?);
        let session = self.transport.get(&path, &[]).await?;
        self.setup_facts(session).await
    }

    async fn expire_setup(&self, session_id: &str, key: &str) -> Result<SetupFacts, CallError> {
        let path = format!("/v1/checkout/sessions/{}/expire", checked(session_id)?);
        match self.transport.post(&path, String::new(), key).await {
            Ok(session) => self.setup_facts(session).await,
            Err(CallError::Refused { status: 400, .. }) => self.read_setup(session_id).await,
            Err(error) => Err(error),
        }
    }

    async fn list_saved(&self, customer: &str) -> Result<Vec<SavedMethod>, CallError> {
        let path = format!("/v1/customers/{}/payment_methods", checked(customer)?);
        let found: Vec<wire::PaymentMethod> = lists::all(&self.transport, &path, &[]).await?;
        let live = self.transport.live;
        found.iter().filter_map(|method| saved::method(method, live).transpose()).collect()
    }

    async fn read_saved(&self, payment_method_id: &str) -> Result<Option<SavedMethod>, CallError> {
        let path = format!("/v1/payment_methods/{}", checked(payment_method_id)?);
        let found: wire::PaymentMethod = self.transport.get(&path, &[]).await?;
        saved::method(&found, self.transport.live)
    }

    async fn remove_saved(&self, payment_method_id: &str, key: &str) -> Result<(), CallError> {
        let path = format!("/v1/payment_methods/{}/detach", checked(payment_method_id)?);
        match self.transport.post::<serde_json::Value>(&path, String::new(), key).await {
            Ok(_) => Ok(()),
            // Refused because it belongs to nobody any more: that is what was asked for.
            Err(refusal @ CallError::Refused { status: 400, .. }) => {
                let is_gone = matches!(
                    self.read_saved(payment_method_id).await?,
                    Some(SavedMethod { customer: None, .. })
                );
                if is_gone { Ok(()) } else { Err(refusal) }
            }
            Err(error) => Err(error),
        }
    }

    async fn default_saved(&self, customer: &str) -> Result<Option<String>, CallError> {
        let path = format!("/v1/customers/{}", checked(customer)?);
        let found: wire::Customer = self.transport.get(&path, &[]).await?;
        if found.livemode != self.transport.live {
            return Err(CallError::WrongMode { expected_live: self.transport.live });
        }
        let chosen = found.invoice_settings.and_then(|settings| settings.default_payment_method);
        Ok(chosen.map(|method| method.id().to_owned()))
    }

    async fn set_default_saved(
        &self,
        customer: &str,
        payment_method_id: &str,
        key: &str,
    ) -> Result<(), CallError> {
        let path = format!("/v1/customers/{}", checked(customer)?);
        let mut body = Body::default();
        body.add("invoice_settings[default_payment_method]", checked(payment_method_id)?);
        self.transport.post::<wire::Customer>(&path, body.encode(), key).await.map(drop)
    }

    async fn read_mandate(&self, mandate_id: &str) -> Result<MandateFacts, CallError> {
        let path = format!("/v1/mandates/{}", checked(mandate_id)?);
        mandates::mandate(self.transport.get(&path, &[]).await?, self.transport.live)
    }

    async fn read_refund(&self, refund_id: &str) -> Result<RefundFacts, CallError> {
        let path = format!("{}/{}", refunds::PATH, checked(refund_id)?);
        let query = [("expand[]", wire::EXPAND_LINE.to_owned())];
        let refund = self.transport.get(&path, &query).await?;
        self.refund_facts(&refund).await
    }

    async fn list_refunds(&self, payment_intent_id: &str) -> Result<Vec<RefundFacts>, CallError> {
        let filter = [
            ("payment_intent", checked(payment_intent_id)?.to_owned()),
            ("expand[]", wire::EXPAND_LINES.to_owned()),
        ];
        let found: Vec<wire::Refund> = lists::all(&self.transport, refunds::PATH, &filter).await?;
        let mut read = Vec::with_capacity(found.len());
        for refund in &found {
            read.push(self.refund_facts(refund).await?);
        }
        Ok(read)
    }

    async fn read_dispute(&self, dispute_id: &str) -> Result<DisputeFacts, CallError> {
        let path = format!("/v1/disputes/{}", checked(dispute_id)?);
        let dispute = self.transport.get(&path, &[]).await?;
        self.dispute_facts(&dispute).await
    }

    async fn list_disputes(&self, payment_intent_id: &str) -> Result<Vec<DisputeFacts>, CallError> {
        let filter = [("payment_intent", checked(payment_intent_id)?.to_owned())];
        let found: Vec<wire::Dispute> = lists::all(&self.transport, "/v1/disputes", &filter).await?;
        let mut read = Vec::with_capacity(found.len());
        for dispute in &found {
            read.push(self.dispute_facts(dispute).await?);
        }
        Ok(read)
    }

    async fn upload_evidence(&self, file: &EvidenceUpload, key: &str) -> Result<String, CallError> {
        let made: wire::Named = self.transport.upload("/v1/files", disputes::upload(file)?, key).await?;
        Ok(made.id)
    }

    async fn submit_evidence(
        &self,
        dispute_id: &str,
        evidence: &Evidence,
        key: &str,
    ) -> Result<DisputeFacts, CallError> {
        let path = format!("/v1/disputes/{}", checked(dispute_id)?);
        let dispute = self.transport.post(&path, disputes::evidence(evidence), key).await?;
        self.dispute_facts(&dispute).await
    }

    async fn accept_dispute(&self, dispute_id: &str, key: &str) -> Result<DisputeFacts, CallError> {
        let path = format!("/v1/disputes/{}/close", checked(dispute_id)?);
        match self.transport.post(&path, String::new(), key).await {
            Ok(dispute) => self.dispute_facts(&dispute).await,
            Err(refusal @ CallError::Refused { status: 400, .. }) => {
                let found = self.read_dispute(dispute_id).await?;
                if found.state.is_open() { Err(refusal) } else { Ok(found) }
            }
            Err(error) => Err(error),
        }
    }

    async fn list_payouts(&self, span: Span) -> Result<PayoutList, CallError> {
        payouts::list(&self.transport, span).await
    }

    async fn read_payout(&self, payout_id: &str) -> Result<PayoutFacts, CallError> {
        let path = format!("/v1/payouts/{}", checked(payout_id)?);
        payouts::payout(&self.transport.get(&path, &[]).await?, self.transport.live)
    }

    async fn payout_items(&self, payout_id: &str) -> Result<Vec<BalanceLine>, CallError> {
        let filter = [("payout", checked(payout_id)?.to_owned())];
        let found: Vec<wire::BalanceTransaction> =
            lists::all(&self.transport, "/v1/balance_transactions", &filter).await?;
        let mut items = lines::lines(&found)?;
        items.retain(|line| line.kind != LineKind::Payout || line.source_id.as_deref() != Some(payout_id));
        Ok(items)
    }

    async fn read_line(&self, line_id: &str) -> Result<BalanceLine, CallError> {
        let path = format!("/v1/balance_transactions/{}", checked(line_id)?);
        lines::line(&self.transport.get(&path, &[]).await?)
    }

    async fn list_events(&self, span: Span) -> Result<EventList, CallError> {
        events::list(&self.transport, span).await
    }

    async fn account(&self) -> Result<Account, CallError> {
        let account: wire::Account = self.transport.get("/v1/account", &[]).await?;
        let shown = account.settings.and_then(|settings| settings.dashboard?.display_name);
        let name = account.business_profile.and_then(|profile| profile.name).or(shown);
        Ok(Account {
            id: account.id,
            name: name.filter(|name| !name.trim().is_empty()),
            country: account.country,
            default_currency: account.default_currency.and_then(|code| Currency::try_new(&code).ok()),
            charges_enabled: account.charges_enabled.unwrap_or(false),
            live: self.transport.live,
        })
    }

    fn is_live(&self) -> bool {
        self.transport.live
    }

    fn method_limits(&self, method: Method, currency: Currency) -> MethodLimits {
        currency::method_limits(method, currency)
    }

    fn clock_skew(&self) -> Option<SignedDuration> {
        self.transport.skew.last()
    }

    fn session_life(&self) -> SignedDuration {
        SignedDuration::from_hours(24)
    }
}

/// What was made between two times, a little widened.
fn between(created_after: Timestamp, created_before: Timestamp) -> Vec<(&'static str, String)> {
    let mut query = since(created_after.saturating_sub(CLOCK_MARGIN).unwrap_or(Timestamp::MIN));
    let before = created_before.saturating_add(CLOCK_MARGIN).unwrap_or(Timestamp::MAX);
    query.push(("created[lte]", before.as_second().to_string()));
    query
}

/// A stored call goes where it was made for and nowhere else.
fn is_for(call: &StoredCall, route: &str) -> Result<(), CallError> {
    if call.route == route {
        return Ok(());
    }
    Err(CallError::NotSent(format!("{:?} is not {route}", call.route)))
}

/// Ids come from webhooks too, so they are looked at before they become part of a path.
fn checked(id: &str) -> Result<&str, CallError> {
    let is_id = !id.is_empty()
        && id.len() <= 255
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if is_id { Ok(id) } else { Err(CallError::NotSent(format!("{id:?} is not an id"))) }
}
