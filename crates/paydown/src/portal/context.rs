//! What every page of a merchant's portal starts from: whose portal, who looks, which invoices they may see. The
//! merchant comes from the address alone; a session of one merchant is not even looked up at another.

use crate::actions::open_payment_link::LINK_IDLE;
use crate::app::App;
use crate::client_address::ClientAddress;
use crate::csrf;
use crate::format::Locale;
use crate::look::Brand;
use crate::pages::chrome::{Chrome, FooterLink, Merchant as Shown, Viewer};
use crate::portal::fail::Fail;
use crate::portal::next::Next;
use crate::portal::typed::Typed;
use crate::processors::STRIPE;
use crate::secrets::{token_hash, token_merchant};
use crate::session;
use askama::Template;
use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use billing::amount::NumberMarks;
use billing::ids::{ContactId, CustomerId, MerchantId};
use billing::invoice::Lifecycle;
use billing::payment::{Known, Outcome, outcome};
use jiff::civil::Date;
use jiff::{Timestamp, tz::TimeZone};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use store::contacts::{self, Contact};
use store::db::Tx;
use store::invoices::Invoice;
use store::merchant_links::{self, MerchantLink};
use store::merchants::{self, Merchant};
use store::payments::Payment;
use store::processor_accounts::{self, Mode, ProcessorAccount};
use store::sessions::{self, LinkGrant, Session};

/// Whose portal, who looks, and when.
pub struct Ctx {
    /// The program.
    pub app: App,
    /// Whose portal.
    pub merchant: Merchant,
    /// Its connection to a processor.
    pub account: Option<ProcessorAccount>,
    /// One instant for the whole request.
    pub now: Timestamp,
    /// The merchant's zone.
    pub zone: TimeZone,
    /// How the reader writes figures.
    pub locale: Locale,
    /// The live session.
    pub session: Option<Session>,
    /// Who is signed in.
    pub contact: Option<Contact>,
    /// Whether that address has several companies.
    pub several: bool,
    /// What links opened in the session, dead ones too.
    pub grants: Vec<LinkGrant>,
    /// The token forms must carry.
    pub csrf: String,
    /// SHA-256 of the browser's own secret.
    pub browser_hash: [u8; 32],
    /// The page that is asked for, if one could come back to it after signing in.
    pub here: Option<Next>,
    /// The page somebody was at before they had to sign in or open their link again.
    pub next: Option<Next>,
    /// What was typed on the page before and not taken.
    pub typed: Option<Typed>,
    /// True when the browser brought the token of a session that is no more.
    pub session_is_over: bool,
    /// Where the request came from.
    pub client: ClientAddress,
    /// What the browser calls itself.
    pub user_agent: Option<String>,
    has_logo: bool,
    links: Vec<(MerchantLink, String)>,
    new_browser: Option<String>,
}

/// How a reader came to see an invoice.
#[derive(Clone, Debug)]
pub enum Access {
    /// Signed in for its customer.
    Contact,
    /// By this link.
    Link(LinkGrant),
}

/// What somebody may see.
#[derive(Clone, Debug)]
pub struct Reader {
    contact: Option<ContactId>,
    customer: Option<CustomerId>,
    grants: Vec<LinkGrant>,
    now: Timestamp,
}

impl Reader {
    /// Who is signed in.
    pub fn contact(&self) -> Option<ContactId> {
        self.contact
    }

    /// How this reader may see an invoice, or what is shown instead.
    pub fn access(&self, invoice: &Invoice) -> Result<Access, Fail> {
        if invoice.lifecycle == Lifecycle::Draft {
            return Err(Fail::NotFound);
        }
        if self.customer == Some(invoice.customer_id) {
            return Ok(Access::Contact);
        }
        let of_it = || self.grants.iter().filter(|grant| grant.invoice_id == invoice.id);
        if let Some(grant) = of_it().find(|grant| is_live(grant, self.now)) {
            return Ok(Access::Link(grant.clone()));
        }
        // Opened by a good link, but too long ago.
        if of_it().any(|grant| grant.revoked_at.is_none()) {
            return Err(Fail::LinkClosed(None));
        }
        Err(Fail::NotFound)
    }
}

struct Found {
    merchant: Merchant,
    account: Option<ProcessorAccount>,
    has_logo: bool,
    links: Vec<(MerchantLink, String)>,
    session: Option<Session>,
    people: Vec<Contact>,
    grants: Vec<LinkGrant>,
}

impl FromRequestParts<App> for Ctx {
    type Rejection = Fail;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Ctx, Fail> {
        let found = load(app, parts).await?.ok_or(Fail::NotFound)?;
        let name = session::cookie_name(&app.public_url, "browser");
        let (browser, new) = match session::cookie(&parts.headers, &name) {
            Some(secret) => (secret, false),
            None => (session::new_token(&app.mint()).0, true),
        };
        let browser_hash = token_hash(&browser);
        let bound_to = found.session.as_ref().map_or(browser_hash, |session| session.token_hash);
        let languages = parts.headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
        let acting = found.session.as_ref().and_then(|session| session.contact_id);
        let session_name = session::session_name(&app.public_url, found.merchant.id);
        let had_session = session::cookie(&parts.headers, &session_name).is_some();
        let address = parts.uri.path_and_query().map_or("", |address| address.as_str());
        let under = address.strip_prefix("/p/").and_then(|rest| rest.split_once('/'));
        Ok(Ctx {
            here: under.and_then(|(_, page)| Next::parse(&format!("/{page}"))),
            next: Next::kept(&parts.headers, app, found.merchant.id),
            typed: Typed::kept(&parts.headers, &app.public_url, found.merchant.id),
            session_is_over: had_session && found.session.is_none(),
            app: app.clone(),
            zone: TimeZone::get(&found.merchant.time_zone).unwrap_or(TimeZone::UTC),
            merchant: found.merchant,
            account: found.account,
            has_logo: found.has_logo,
            links: found.links,
            now: app.clock.now(),
            locale: languages.map_or_else(Locale::default, Locale::from_accept_language),
            contact: found.people.iter().find(|contact| Some(contact.id) == acting).cloned(),
            several: found.people.len() > 1,
            session: found.session,
            grants: found.grants,
            csrf: csrf::token(&app.secrets, &bound_to),
            browser_hash,
            client: client(parts, app),
            user_agent: user_agent(&parts.headers),
            new_browser: new.then_some(browser),
        })
    }
}

/// What the browser calls itself, as far as it is kept beside an agreement.
fn user_agent(headers: &HeaderMap) -> Option<String> {
    const LONGEST: usize = 300;
    let name = headers.get(header::USER_AGENT)?.to_str().ok()?;
    Some(name.chars().take(LONGEST).collect())
}

/// Where a request comes from; nowhere when it did not come over a socket.
pub fn client(parts: &Parts, app: &App) -> ClientAddress {
    let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
    let peer = peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |from| from.0.ip());
    ClientAddress::of_request(peer, &parts.headers, &app.trusted_proxies)
}

async fn load(app: &App, parts: &Parts) -> Result<Option<Found>, Fail> {
    let mut path = parts.uri.path().split('/').skip(1);
    let (root, name) = (path.next().unwrap_or_default(), path.next().unwrap_or_default());
    let by_slug = (root == "p").then(|| name.to_owned());
    let is_link = root == "l";
    let by_token = if root == "l" { token_merchant(name).map(MerchantId) } else { None };
    let headers = parts.headers.clone();
    let (public_url, now) = (app.public_url.clone(), app.clock.now());
    let found = app
        .store
        .read(async move |tx: &mut Tx| {
            let merchant = match (&by_slug, by_token) {
                (Some(slug), _) => merchants::find_by_slug(tx, slug).await?,
                (None, Some(id)) => merchants::find(tx, id).await?,
                (None, None) => None,
            };
            // Where there is one merchant, a link that was never one looks like any other unknown link.
            let merchant = match merchant {
                None if is_link => merchants::all(tx).await.map(only)?,
                found => found,
            };
            let Some(merchant) = merchant else { return Ok(None) };
            let account = processor_accounts::find(tx, merchant.id, STRIPE).await?;
            let token = session::cookie(&headers, &session::session_name(&public_url, merchant.id));
            let has_logo = merchants::logo(tx, merchant.id).await?.is_some();
            let links = merchant_links::list(tx, merchant.id).await?;
            let mut found = Found {
                merchant,
                account,
                has_logo,
                links,
                session: None,
                people: Vec::new(),
                grants: Vec::new(),
            };
            if let Some(token) = token {
                let hash = token_hash(&token);
                found.session = sessions::find_live(tx, found.merchant.id, &hash, now).await?;
            }
            if let Some(session) = &found.session {
                found.grants = sessions::list_grants(tx, found.merchant.id, &session.token_hash).await?;
                if let Some(email) = &session.email_key {
                    found.people = contacts::find_by_email(tx, found.merchant.id, email).await?;
                }
            }
            Ok(Some(found))
        })
        .await?;
    Ok(found)
}

fn only(mut merchants: Vec<Merchant>) -> Option<Merchant> {
    merchants.pop().filter(|_| merchants.is_empty())
}

impl Ctx {
    /// Today, where the merchant is.
    pub fn today(&self) -> Date {
        self.day(self.now)
    }

    /// The day of an instant, where the merchant is.
    pub fn day(&self, at: Timestamp) -> Date {
        at.to_zoned(self.zone.clone()).date()
    }

    /// The day a payment was received, or else started, where the merchant is.
    pub fn paid_on(&self, payment: &Payment) -> Date {
        let at = payment.captured_at.unwrap_or(payment.created_at);
        payment.received_on.unwrap_or_else(|| self.day(at))
    }

    /// The marks figures are typed with.
    pub fn marks(&self) -> NumberMarks {
        let (decimal, grouping) = self.locale.number_marks();
        NumberMarks { decimal, grouping }
    }

    /// The portal's own address.
    pub fn base(&self) -> String {
        format!("/p/{}", self.merchant.slug)
    }

    /// SHA-256 of the session's token.
    pub fn session_hash(&self) -> Option<[u8; 32]> {
        self.session.as_ref().map(|session| session.token_hash)
    }

    /// What this reader may see, as a value that can go into a transaction.
    pub fn reader(&self) -> Reader {
        let me = self.contact.as_ref();
        Reader {
            contact: me.map(|contact| contact.id),
            customer: me.map(|contact| contact.customer_id),
            grants: self.grants.clone(),
            now: self.now,
        }
    }

    /// False while the database takes no writes: everything can be read and nothing paid.
    pub fn is_writable(&self) -> bool {
        self.app.store.read_only_because().is_none()
    }

    /// True when this session, or this contact, started the payment.
    pub fn is_own(&self, payment: &Payment) -> bool {
        let same_session = payment.session_hash.is_some() && payment.session_hash == self.session_hash();
        let same_contact =
            payment.contact_id.is_some() && payment.contact_id == self.contact.as_ref().map(|me| me.id);
        same_session || same_contact
    }

    /// What this reader may be told of a payment, on whatever page.
    pub fn outcome(&self, payment: &Payment) -> Outcome {
        outcome(&Known {
            state: payment.state,
            is_bank_debit: payment.method.is_bank_debit(),
            is_charge: payment.payment_method_id.is_some(),
            was_held: payment.send_at.is_some(),
            own: self.is_own(payment),
            was_at_card_page: payment.redirected_at.is_some(),
            cancel_asked: payment.cancel_asked_at.is_some(),
            decline: payment.decline,
            ending: payment.ending,
            in_other_currency: payment.captured.is_some_and(|taken| taken.currency() != payment.currency),
            age_seconds: self.now.duration_since(payment.created_at).as_secs(),
        })
    }

    /// Where a form came too late because its session is over: the page it came from, with the amount it carried.
    pub fn over(&self, amount: Option<&str>) -> Option<Fail> {
        let here = self.here.as_ref().map(|here| here.with_amount(amount));
        self.session_is_over.then_some(Fail::SessionOver(here))
    }

    /// What surrounds a page.
    pub fn chrome(&self) -> Chrome {
        let merchant = &self.merchant;
        let brand = Brand::from_hex(&merchant.brand_color).unwrap_or_default();
        let help = std::iter::once(merchant.help_email.clone()).chain(merchant.help_phone.clone());
        let live_link = self.grants.iter().any(|grant| is_live(grant, self.now));
        let (viewer, session_seconds) = match (&self.contact, &self.session) {
            (Some(contact), Some(session)) => {
                let name = if contact.name.is_empty() { &contact.email } else { &contact.name };
                let viewer = Viewer::Contact {
                    name: name.clone(),
                    company: contact.customer_name.clone(),
                    several_companies: self.several,
                };
                let left = session.expires_at.duration_since(self.now).as_secs();
                (viewer, u32::try_from(left).ok())
            }
            (None, Some(_)) if live_link => (Viewer::Link, u32::try_from(LINK_IDLE.as_secs()).ok()),
            _ => (Viewer::Nobody, None),
        };
        Chrome {
            merchant: Shown {
                name: merchant.name.clone(),
                slug: merchant.slug.clone(),
                logo_url: self.has_logo.then(|| format!("{}/logo", self.base())),
                brand_css_url: format!("{}/{}", self.base(), brand.stylesheet_name()),
                help_contact: help.collect::<Vec<_>>().join(", "),
                links: self.links.iter().map(footer_link).collect(),
                statement_line: merchant.statement_line.clone(),
                zone: self.zone.clone(),
                practice: self.account.as_ref().is_some_and(|account| account.mode == Mode::Practice),
            },
            viewer,
            locale: self.locale.clone(),
            csrf: self.csrf.clone(),
            here: self.here.as_ref().map(Next::to_string),
            session_seconds,
        }
    }

    /// What surrounds a page that is the same for everybody.
    pub fn public_chrome(&self) -> Chrome {
        Chrome {
            viewer: Viewer::Nobody,
            csrf: String::new(),
            here: None,
            session_seconds: None,
            ..self.chrome()
        }
    }

    /// A page, with the browser's own cookie where it has none yet.
    pub fn page(&self, status: StatusCode, page: &impl Template) -> Result<Response, Fail> {
        let mut response = (status, Html(page.render()?)).into_response();
        if let Some(secret) = &self.new_browser {
            let name = session::cookie_name(&self.app.public_url, "browser");
            let cookie = session::set_cookie(&self.app.public_url, &name, secret);
            response.headers_mut().append(header::SET_COOKIE, cookie);
        }
        Ok(response)
    }

    /// 303 to an address under the portal: `/invoices`.
    pub fn go(&self, under: &str) -> Response {
        see_other(&format!("{}{under}", self.base()))
    }
}

fn footer_link((link, url): &(MerchantLink, String)) -> FooterLink {
    let key = match link {
        MerchantLink::ReviewUs => "link-review-us",
        MerchantLink::ReferAFriend => "link-refer-a-friend",
        MerchantLink::Terms => "link-terms",
        MerchantLink::Privacy => "link-privacy",
    };
    FooterLink { key, url: url.clone() }
}

/// True while a link's grant still opens its invoice.
fn is_live(grant: &LinkGrant, now: Timestamp) -> bool {
    grant.revoked_at.is_none() && grant.seen_at + LINK_IDLE >= now
}

/// 303 to an address of ours or the processor's, never one from the request.
pub fn see_other(to: &str) -> Response {
    let mut headers = HeaderMap::new();
    match HeaderValue::from_str(to) {
        Ok(value) => headers.insert(header::LOCATION, value),
        Err(_) => return Fail::Ours.into_response(),
    };
    (StatusCode::SEE_OTHER, headers).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;
    use billing::ids::{InvoiceId, LinkId};
    use jiff::SignedDuration;

    #[test]
    fn a_grant_ends_by_idleness_and_by_revocation() {
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        let grant = LinkGrant {
            invoice_id: InvoiceId::from_bytes([1; 16]),
            link_id: LinkId::from_bytes([2; 16]),
            contact_id: None,
            seen_at: now - LINK_IDLE,
            revoked_at: None,
        };
        assert!(is_live(&grant, now));
        assert!(!is_live(&grant, now + SignedDuration::from_secs(1)));
        assert!(!is_live(&LinkGrant { revoked_at: Some(now), seen_at: now, ..grant }, now));
    }
}
