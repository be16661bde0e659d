//! `paydown merchant links`: where else the pages of a merchant lead.

use super::MerchantLinksCommand;
use super::world::{At, Exit, stop};
use crate::actions::set_merchant_links::{SetMerchantLinks, links_json, set_merchant_links};
use anyhow::Result;
use store::db::Tx;
use store::merchant_links::{self, MerchantLink};

/// What takes a link away.
const NONE: &str = "none";

pub(super) async fn run(at: &mut At<'_>, command: MerchantLinksCommand) -> Result<Exit> {
    let (config, store, merchant) = at.merchant().await?;
    let id = merchant.id;
    let links = match command {
        MerchantLinksCommand::Show => {
            store.read(async move |tx: &mut Tx| merchant_links::list(tx, id).await).await?
        }
        MerchantLinksCommand::Set { review, refer, terms, privacy } => {
            let given = MerchantLink::ALL.into_iter().zip([review, refer, terms, privacy]);
            let links = given.filter_map(|(link, typed)| Some((link, typed?)));
            let links: Vec<_> =
                links.map(|(link, typed)| (link, Some(typed).filter(|typed| typed != NONE))).collect();
            if links.is_empty() {
                let message =
                    "nothing to set; give --review, --refer, --terms or --privacy with an address or none";
                return Err(stop(Exit::Usage, message));
            }
            let app = at.app(&config, store)?;
            let input = SetMerchantLinks { merchant: id, links, actor: at.actor() };
            set_merchant_links(&app, input).await?.map_err(|why| stop(Exit::Usage, why.to_string()))?
        }
    };
    at.tell(&links_json(&links), || match links.as_slice() {
        [] => "No links are set.".to_owned(),
        links => links.iter().map(|(link, url)| format!("{:15} {url}\n", label(*link))).collect(),
    })?;
    Ok(Exit::Done)
}

fn label(link: MerchantLink) -> &'static str {
    match link {
        MerchantLink::ReviewUs => "Review us",
        MerchantLink::ReferAFriend => "Refer a friend",
        MerchantLink::Terms => "Terms",
        MerchantLink::Privacy => "Privacy",
    }
}
