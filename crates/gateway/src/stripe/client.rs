//! [`Processor`] over Stripe's interface: which calls are made, and which follow.

use super::checkout::{self, Body};
use super::http::{ConfigError, StripeConfig, Transport};
use super::state::Page;
use super::{currency, events, facts, wire};
use crate::{
    Account, CallError, CannotCharge, CardCheckout, EventList, ListedPage, NewCustomer, PageList,
    PaymentFacts, Processor, SessionFacts, Span, StoredCall,
};
use async_trait::async_trait;
use billing::amount::MethodLimits;
use billing::ids::AttemptId;
use jiff::{SignedDuration, Timestamp};
use ledger::Currency;

const PAGE_SIZE: &str = "100";
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

    /// The facts of a session. Where its payment came unexpanded it is read too: an expired page alone proves nothing.
    async fn session_facts(&self, session: wire::Session) -> Result<PaymentFacts, CallError> {
        match &session.payment_intent {
            Some(wire::Expandable::Id(id)) => {
                let intent = self.payment_intent(id).await?;
                facts::of_session(&session, Some(&intent), self.transport.live)
            }
            Some(wire::Expandable::Object(intent)) => {
                facts::of_session(&session, Some(intent), self.transport.live)
            }
            None => facts::of_session(&session, None, self.transport.live),
        }
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

#[async_trait]
impl Processor for Stripe {
    fn card_checkout(&self, request: &CardCheckout) -> Result<StoredCall, CannotCharge> {
        checkout::card_checkout(request)
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
        if call.route != checkout::ROUTE {
            return Err(CallError::NotSent(format!("{:?} is not a route we send to", call.route)));
        }
        let session = self.transport.post("/v1/checkout/sessions", call.body.clone(), key).await?;
        facts::page_of(&session, self.transport.live)
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
        facts::of_payment(Page::None, Some(&intent), self.transport.live)
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
        let mut query = since(created_after.saturating_sub(CLOCK_MARGIN).unwrap_or(Timestamp::MIN));
        let before = created_before.saturating_add(CLOCK_MARGIN).unwrap_or(Timestamp::MAX);
        query.push(("created[lte]", before.as_second().to_string()));
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

    fn card_limits(&self, currency: Currency) -> MethodLimits {
        currency::card_limits(currency)
    }

    fn session_life(&self) -> SignedDuration {
        SignedDuration::from_hours(24)
    }
}

pub(super) fn since(created_after: Timestamp) -> Vec<(&'static str, String)> {
    vec![("limit", PAGE_SIZE.to_owned()), ("created[gte]", created_after.as_second().to_string())]
}

/// Turns the page. An empty one that promises more is no end, so it must not be taken for one.
pub(super) fn go_on_after(
    query: &mut Vec<(&'static str, String)>,
    last_id: Option<&str>,
) -> Result<(), CallError> {
    let last_id =
        last_id.ok_or_else(|| CallError::Unreadable("an empty page with more to come".to_owned()))?;
    query.retain(|(name, _)| *name != "starting_after");
    query.push(("starting_after", last_id.to_owned()));
    Ok(())
}

/// Ids come from webhooks too, so they are looked at before they become part of a path.
fn checked(id: &str) -> Result<&str, CallError> {
    let is_id = !id.is_empty()
        && id.len() <= 255
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if is_id { Ok(id) } else { Err(CallError::NotSent(format!("{id:?} is not an id"))) }
}
