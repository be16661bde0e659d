//! Disputes: payers contest, banks ask, withdraw, decide, and change their mind; staff answer, or let it be.

use crate::world::{MERCHANT, World};
use billing::dispute::LossMeaning;
use billing::ids::DisputeId;
use paydown::actions::accept_dispute::{AcceptDispute, accept_dispute};
use paydown::actions::set_when_lost::{SetWhenLost, set_when_lost};
use paydown::actions::submit_evidence::{NewFile, SubmitEvidence, submit_evidence};
use paydown::app::App;
use serde_json::{Value, json};
use store::db::Tx;
use store::disputes::{self, Dispute};

/// What a bank makes of evidence follows from these words, or from nothing for a long time.
const WORDS: [&str; 4] =
    ["winning_evidence", "losing_evidence", "escalate_inquiry_evidence", "It was delivered."];

impl World {
    /// Every dispute we know of.
    pub fn all_disputes(&mut self) -> Result<Vec<Dispute>, String> {
        let read = async move |tx: &mut Tx| {
            disputes::newest(tx, MERCHANT, disputes::Of::Merchant, None, 1_000).await
        };
        let read = self.live(async |app: App| app.store.read(read).await);
        read.and_then(Result::ok).ok_or_else(|| "disputes cannot be read".to_owned())
    }

    fn some_dispute(&mut self) -> Option<DisputeId> {
        let all = self.all_disputes().ok()?;
        let recent = self.draw(all.len().min(4));
        all.get(recent).map(|dispute| dispute.id)
    }

    /// Banks decide whatever is open, one way or the other.
    pub fn finish_disputes(&mut self) {
        for dispute in self.listed("/v1/disputes") {
            let is_open = dispute["status"].as_str().is_some_and(|status| {
                ["needs_response", "under_review"].iter().any(|open| status.ends_with(open))
            });
            if is_open {
                let outcome = if self.often(50) { "won" } else { "lost" };
                self.decide(&dispute, outcome);
            }
        }
    }

    fn decide(&mut self, dispute: &Value, outcome: &str) {
        let id = dispute["id"].as_str().unwrap_or_default().to_owned();
        // Refused where it has ended, or was never open.
        self.control(&format!("/disputes/{id}"), &json!({ "outcome": outcome }));
        self.collect_webhooks();
    }
}

pub(super) fn open(world: &mut World) -> Result<(), String> {
    let is_card = |charge: &Value| charge["payment_method_details"]["type"] == "card";
    let Some(charge) = world.some_charge(is_card) else { return Ok(()) };
    let id = charge["id"].as_str().unwrap_or_default().to_owned();
    let reason = ["fraudulent", "product_not_received", "duplicate"][world.draw(3)];
    let mut body = json!({ "reason": reason, "inquiry": world.often(25) });
    if world.often(40) {
        body["amount"] = json!(1 + world.draw(40_000));
    }
    world.control(&format!("/charges/{id}/dispute"), &body);
    world.collect_webhooks();
    Ok(())
}

/// The bank decides; a lost one is sometimes won after all.
pub(super) fn decide(world: &mut World) -> Result<(), String> {
    let listed = world.dashboard("/v1/disputes?limit=8", None);
    let listed = listed.as_ref().and_then(|listed| listed["data"].as_array()).cloned().unwrap_or_default();
    let Some(dispute) = listed.get(world.draw(listed.len())) else { return Ok(()) };
    let outcome = ["won", "lost", "lost", "escalated"][world.draw(4)];
    world.decide(dispute, outcome);
    Ok(())
}

pub(super) fn answer(world: &mut World) -> Result<(), String> {
    let Some(dispute) = world.some_dispute() else { return Ok(()) };
    let texts = vec![("other".to_owned(), WORDS[world.draw(WORDS.len())].to_owned())];
    let file = || NewFile {
        purpose: "receipt".to_owned(),
        name: "receipt.pdf".to_owned(),
        content: b"%PDF-1.4\n1 0 obj\n<< /Type /Catalog >>\nendobj\ntrailer\n<< /Root 1 0 R >>\n%%EOF\n"
            .to_vec(),
    };
    let files = if world.often(40) { vec![file()] } else { Vec::new() };
    let (to_bank, actor) = (world.often(70), "alice".to_owned());
    let input = SubmitEvidence { merchant: MERCHANT, dispute, texts, files, to_bank, actor };
    match world.live(async move |app: App| submit_evidence(&app, input, None).await) {
        Some(Err(error)) => world.excuse("handing in evidence", &error),
        _ => Ok(()),
    }
}

pub(super) fn accept(world: &mut World) -> Result<(), String> {
    let Some(dispute) = world.some_dispute() else { return Ok(()) };
    let input = AcceptDispute { merchant: MERCHANT, dispute, actor: "alice".to_owned() };
    match world.live(async move |app: App| accept_dispute(&app, input, None).await) {
        Some(Err(error)) => world.excuse("letting a dispute be", &error),
        _ => Ok(()),
    }
}

pub(super) fn choose_meaning(world: &mut World) -> Result<(), String> {
    let dispute = if world.often(60) { world.some_dispute() } else { None };
    let meaning = if world.often(50) { LossMeaning::OwedAgain } else { LossMeaning::Absorbed };
    let input =
        SetWhenLost { merchant: MERCHANT, dispute, when_lost: Some(meaning), actor: "alice".to_owned() };
    match world.live(async move |app: App| set_when_lost(&app, input).await) {
        Some(Err(error)) => world.excuse("choosing what a loss means", &error),
        _ => Ok(()),
    }
}
