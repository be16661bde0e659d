//! `paydown merchant methods`: by which methods payers may pay.

use super::MethodsCommand;
use super::world::{At, Exit, stop};
use crate::actions::set_offered_methods::{SetOfferedMethods, methods_json, set_offered_methods};
use anyhow::Result;
use billing::payment::Method;
use store::db::Tx;
use store::offered_methods;

pub(super) async fn run(at: &mut At<'_>, command: MethodsCommand) -> Result<Exit> {
    let (config, store, merchant) = at.merchant().await?;
    let id = merchant.id;
    let methods = match command {
        MethodsCommand::Show => {
            store.read(async move |tx: &mut Tx| offered_methods::list(tx, id).await).await?
        }
        MethodsCommand::Set { methods } => {
            let app = at.app(&config, store)?;
            let input = SetOfferedMethods { merchant: id, methods, actor: at.actor() };
            set_offered_methods(&app, input).await?.map_err(|why| stop(Exit::Usage, why.to_string()))?
        }
    };
    at.tell(&methods_json(&methods), || {
        let names: Vec<&str> = methods.iter().copied().map(name).collect();
        format!("Payers can pay by: {}", names.join(", "))
    })?;
    Ok(Exit::Done)
}

fn name(method: Method) -> &'static str {
    match method {
        Method::Card => "card",
        Method::UsBankAccount => "bank account in the US (us_bank_account)",
        Method::SepaDebit => "bank account in Europe (sepa_debit)",
        Method::Cheque => "cheque",
        Method::Wire => "wire",
        Method::Cash => "cash",
    }
}

/// A method as it is typed.
pub(super) fn method(text: &str) -> Result<Method, String> {
    Method::parse(text.trim())
        .ok_or_else(|| format!("{text:?} is no method; expected: card, us_bank_account or sepa_debit"))
}
