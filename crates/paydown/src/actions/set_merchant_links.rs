//! The links that a merchant shows at the foot of its pages are set: only to addresses on the web, for anybody may follow
//! them. Nothing is fetched from there.

use crate::app::App;
use anyhow::Result;
use billing::ids::{AuditId, MerchantId};
use serde_json::{Map, Value, json};
use store::audit::{self, AuditRow, acts};
use store::db::Tx;
use store::merchant_links::{self, MerchantLink};
use url::Url;

/// The longest address, characters.
const LONGEST: usize = 500;

/// What is set. Links that are not named stay as they are.
#[derive(Debug, Clone)]
pub struct SetMerchantLinks {
    /// Whose.
    pub merchant: MerchantId,
    /// Each with its address as typed; `None` takes it away.
    pub links: Vec<(MerchantLink, Option<String>)>,
    /// For the audit trail, for example `cli:root`.
    pub actor: String,
}

/// The address is none to which a payer can be sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no address for a link; expected: https://www.example.com/terms, without a password, at most 500 characters"
)]
pub struct NotALink(pub String);

/// Sets links; answers all that are set now.
pub async fn set_merchant_links(
    app: &App,
    input: SetMerchantLinks,
) -> Result<Result<Vec<(MerchantLink, String)>, NotALink>> {
    let mut wanted = Vec::with_capacity(input.links.len());
    for (link, typed) in &input.links {
        match typed.as_deref().map(address).transpose() {
            Ok(url) => wanted.push((*link, url)),
            Err(why) => return Ok(Err(why)),
        }
    }
    let mint = app.mint();
    let links = app.store.write(async move |tx: &mut Tx| {
        let merchant = input.merchant;
        let before = merchant_links::list(tx, merchant).await?;
        for (link, url) in &wanted {
            match url {
                Some(url) => merchant_links::put(tx, merchant, *link, url, mint.now).await?,
                None => merchant_links::remove(tx, merchant, *link).await?,
            }
        }
        let after = merchant_links::list(tx, merchant).await?;
        let row = AuditRow {
            id: mint.id(AuditId::new),
            actor: input.actor.clone(),
            act: acts::MERCHANT_LINKS_SET.to_owned(),
            object: merchant.to_string(),
            before: links_json(&before).to_string(),
            after: links_json(&after).to_string(),
            at: mint.now,
        };
        audit::append(tx, merchant, &row).await?;
        Ok(after)
    });
    Ok(Ok(links.await?))
}

/// An address as it will stand in pages.
fn address(typed: &str) -> Result<String, NotALink> {
    let wrong = || NotALink(typed.chars().take(80).collect());
    let url = Url::parse(typed.trim()).map_err(|_| wrong())?;
    let is_web = matches!(url.scheme(), "http" | "https") && url.has_host();
    let is_anonymous = url.username().is_empty() && url.password().is_none();
    let text = String::from(url);
    if is_web && is_anonymous && text.chars().count() <= LONGEST { Ok(text) } else { Err(wrong()) }
}

/// Links as JSON, for the audit trail and the command line: what is null is not set.
pub fn links_json(links: &[(MerchantLink, String)]) -> Value {
    let of = |wanted: MerchantLink| links.iter().find(|(link, _)| *link == wanted).map(|(_, url)| url);
    Value::Object(Map::from_iter(MerchantLink::ALL.map(|link| (link.as_str().to_owned(), json!(of(link))))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_lead_to_the_web_and_nowhere_else() {
        for (typed, kept) in [
            ("https://northwind.example/terms", "https://northwind.example/terms"),
            (" http://northwind.example ", "http://northwind.example/"),
            ("HTTPS://Northwind.Example/a b?c=\"<d>", "https://northwind.example/a%20b?c=%22%3Cd%3E"),
        ] {
            assert_eq!(address(typed).as_deref(), Ok(kept));
        }
        let long = format!("https://northwind.example/{}", "a".repeat(500));
        for wrong in [
            "",
            "northwind.example",
            "/terms",
            "javascript:alert(1)",
            "data:text/html,x",
            "ftp://northwind.example",
            "mailto:a@northwind.example",
            "https://",
            "https://user:secret@northwind.example/",
            "https://user@northwind.example/",
            &long,
        ] {
            assert!(address(wrong).is_err(), "{wrong}");
        }
    }
}
