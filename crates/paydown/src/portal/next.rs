//! Where somebody goes on after signing in, or after opening a link again. An address is taken apart and built anew from a
//! fixed list, so that no text from outside ever becomes a redirect.

use crate::app::App;
use crate::session;
use axum::http::{HeaderMap, HeaderValue};
use billing::ids::{InvoiceId, MerchantId, PaymentId, PaymentMethodId};
use std::fmt;
use std::str::FromStr as _;

/// Such a place is kept for so long.
const KEPT_SECONDS: u32 = 3_600;

/// A page of the portal, without the merchant's part of the address: `/invoices/inv_…/pay?amount=50000`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Next(String);

impl Next {
    /// The page behind a text, if it is on the list.
    pub fn parse(text: &str) -> Option<Next> {
        let (path, query) = text.split_once('?').unwrap_or((text, ""));
        let parts: Vec<&str> = path.strip_prefix('/')?.split('/').collect();
        let page = match parts.as_slice() {
            ["invoices"] => "/invoices".to_owned(),
            ["methods"] => "/methods".to_owned(),
            ["methods", "add"] => "/methods/add".to_owned(),
            ["methods", id, "remove"] => {
                format!("/methods/{}/remove", PaymentMethodId::from_str(id).ok()?)
            }
            ["invoices", id] => format!("/invoices/{}", invoice(id)?),
            ["invoices", id, page @ ("amount" | "credit" | "pay")] => {
                format!("/invoices/{}/{page}", invoice(id)?)
            }
            ["payments", id] => format!("/payments/{}", payment(id)?),
            ["payments", id, "receipt"] => format!("/payments/{}/receipt", payment(id)?),
            _ => return None,
        };
        let amount = query.strip_prefix("amount=").and_then(|text| text.parse::<u64>().ok());
        Some(match amount {
            Some(amount) if parts.len() > 1 && parts[0] == "invoices" => {
                Next(format!("{page}?amount={amount}"))
            }
            _ => Next(page),
        })
    }

    /// The same with an amount, in minor units, where the page takes one and the text is one.
    pub fn with_amount(&self, amount: Option<&str>) -> Next {
        let page = self.0.split('?').next().unwrap_or_default();
        let other = amount.and_then(|amount| Next::parse(&format!("{page}?amount={amount}")));
        other.unwrap_or_else(|| self.clone())
    }

    /// The invoice whose page it is.
    pub fn invoice(&self) -> Option<InvoiceId> {
        let rest = self.0.strip_prefix("/invoices/")?;
        invoice(rest.split(['/', '?']).next().unwrap_or_default())
    }

    /// True for pages that change what can be debited, which ask whoever signed in a while ago to do so again.
    pub fn wants_fresh_sign_in(&self) -> bool {
        self.0.starts_with("/methods/")
    }

    /// The address under the portal.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What the browser keeps for this merchant, if it is on the list.
    pub fn kept(headers: &HeaderMap, app: &App, merchant: MerchantId) -> Option<Next> {
        Next::parse(&session::cookie(headers, &cookie_name(app, merchant))?)
    }

    /// Lets the browser keep it for a while.
    pub fn keep(&self, app: &App, merchant: MerchantId) -> HeaderValue {
        session::set_cookie_for(&app.public_url, &cookie_name(app, merchant), &self.0, KEPT_SECONDS)
    }

    /// Lets the browser forget it.
    pub fn forget(app: &App, merchant: MerchantId) -> HeaderValue {
        session::drop_cookie(&app.public_url, &cookie_name(app, merchant))
    }
}

impl fmt::Display for Next {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn cookie_name(app: &App, merchant: MerchantId) -> String {
    session::cookie_name(&app.public_url, &format!("next-{}", merchant.0))
}

fn invoice(text: &str) -> Option<InvoiceId> {
    InvoiceId::from_str(text).ok()
}

fn payment(text: &str) -> Option<PaymentId> {
    PaymentId::from_str(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pages_of_the_list_are_kept_with_their_amount() {
        let (invoice, payment) = (InvoiceId::from_bytes([1; 16]), PaymentId::from_bytes([2; 16]));
        for page in [
            "/invoices".to_owned(),
            format!("/invoices/{invoice}"),
            format!("/invoices/{invoice}?amount=50000"),
            format!("/invoices/{invoice}/amount"),
            format!("/invoices/{invoice}/credit"),
            format!("/invoices/{invoice}/pay?amount=50000"),
            format!("/payments/{payment}"),
            format!("/payments/{payment}/receipt"),
            "/methods/add".to_owned(),
            format!("/methods/{}/remove", PaymentMethodId::from_bytes([3; 16])),
        ] {
            assert_eq!(Next::parse(&page).map(|next| next.0), Some(page));
        }
        let pay = Next::parse(&format!("/invoices/{invoice}/pay?amount=1&next=//evil")).unwrap();
        assert_eq!(pay.as_str(), format!("/invoices/{invoice}/pay"), "what is not understood is left out");
        assert_eq!(pay.invoice(), Some(invoice));
    }

    #[test]
    fn nothing_else_is_followed() {
        let invoice = InvoiceId::from_bytes([1; 16]);
        for evil in [
            "",
            "//evil.example",
            "\\\\evil.example",
            "/\\evil.example",
            "https:evil.example",
            "https://evil.example/invoices",
            "javascript:alert(1)",
            "invoices",
            "/invoices/..",
            "/invoices//evil.example",
            "/invoices/%2e%2e",
            "/invoices/inv_nonsense",
            "/methods/pmt_nonsense/remove",
            "/sign-out",
            "/invoices\r\nset-cookie: a=b",
            &format!("/invoices/{invoice}/pay/../../.."),
            &format!("/invoices/{invoice}/cancel"),
            &format!("//evil.example/invoices/{invoice}"),
        ] {
            assert_eq!(Next::parse(evil), None, "{evil:?}");
        }
    }
}
