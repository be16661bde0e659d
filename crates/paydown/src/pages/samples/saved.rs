//! Samples of saved methods: paying with one, the list, adding and removing, a debit that is held, the bank that wants to see its
//! customer.

use super::super::agreement::AgreementPage;
use super::super::challenge::ChallengePage;
use super::super::mandate;
use super::super::methods::{
    AddMethodPage, Agreement, MethodsPage, News, RemoveMethodPage, Saved, Unfinished,
};
use super::super::pay::{OtherWays, PayPage, PayProblem};
use super::super::payment::{Debit, Held, Outcome, PaymentPage};
use super::super::verification::{Stage, Verification};
use super::super::ways::{CannotCarry, SavedWay, Way};
use super::*;
use crate::mandate_proof::Proof;
use billing::payment::Method as By;

pub(super) fn samples() -> Vec<(String, String)> {
    let mut all = paying();
    all.extend(listing());
    all.extend(held());
    all.extend(proving());
    all.extend(agreements());
    all
}

fn card(fee: Option<Money>) -> Way {
    let saved = SavedWay {
        id: "pmt_1".to_owned(),
        title: "Visa ending 4242".to_owned(),
        expires: Some("04/28".to_owned()),
        stop_until: None,
    };
    Way { method: By::Card, fee, arrives_on: None, agreement: None, cannot: None, saved: Some(saved) }
}

fn account() -> Way {
    let method = By::UsBankAccount;
    let until = "16:00 Pacific time";
    let saved = SavedWay {
        id: "pmt_2".to_owned(),
        title: "First Bank account ending 6789".to_owned(),
        expires: None,
        stop_until: Some(until.to_owned()),
    };
    let agreement = mandate::saved_wording(&signed_in(), method, (usd(50_000), "6789"), (TODAY, until));
    let arrives_on = Some(date(2026, 11, 24));
    Way { method, fee: None, arrives_on, agreement, cannot: None, saved: Some(saved) }
}

fn paying() -> Vec<(String, String)> {
    let page = |ways: Vec<Way>| PayPage {
        chrome: signed_in(),
        invoice_id: "inv_1042".to_owned(),
        number: "INV-1042".to_owned(),
        amount: usd(50_000),
        left: usd(125_000),
        may_change: true,
        chosen: ways.first().map_or("", Way::word).to_owned(),
        ways,
        other_ways: Some(OtherWays::New),
        keep: None,
        intent: "int_1".to_owned(),
        processor: "Stripe".to_owned(),
        minutes: 30,
        receipt_email: "dana@acme.test".to_owned(),
        payer_reference: String::new(),
        earlier: None,
        problem: None,
    };
    let new_card = Way { saved: None, ..card(None) };
    let expired = Way { cannot: Some(CannotCarry::Expired), ..card(None) };
    let keep =
        PayPage { other_ways: Some(OtherWays::Saved), keep: Some(false), ..page(vec![new_card.clone()]) };
    let gone = PayPage { problem: Some(PayProblem::SavedGone), ..page(vec![new_card]) };
    let not_again =
        PayPage { problem: Some(PayProblem::NotAgain { amount: usd(50_000) }), ..page(vec![account()]) };
    vec![
        render("pay-saved-card", page(vec![card(None)])),
        render("pay-saved-card-fee", page(vec![card(Some(usd(1_480)))])),
        render("pay-saved-account", page(vec![account()])),
        render("pay-saved-several", page(vec![card(None), account()])),
        render("pay-saved-expired", page(vec![account(), expired])),
        render("pay-keep", keep),
        render("pay-saved-gone", gone),
        render("pay-not-again", not_again),
    ]
}

fn listing() -> Vec<(String, String)> {
    let visa = Saved {
        id: "pmt_1".to_owned(),
        title: "Visa ending 4242".to_owned(),
        expires: Some("04/28".to_owned()),
        is_expired: false,
        on: date(2026, 11, 2),
        is_default: true,
        agreement: None,
    };
    let agreement = |holds| Some(Agreement { id: "man_1".to_owned(), holds });
    let bank = Saved {
        id: "pmt_2".to_owned(),
        title: "First Bank account ending 6789".to_owned(),
        expires: None,
        is_default: false,
        agreement: agreement(true),
        ..visa.clone()
    };
    let old = Saved { id: "pmt_3".to_owned(), is_expired: true, is_default: false, ..visa.clone() };
    let ended = Saved { id: "pmt_4".to_owned(), agreement: agreement(false), ..bank.clone() };
    let page =
        |saved, unfinished, news| MethodsPage { chrome: signed_in(), saved, unfinished, may_add: true, news };
    let begun = |verification| Unfinished {
        id: "stp_1".to_owned(),
        title: "Bank account in the US".to_owned(),
        on: date(2026, 11, 17),
        url: Some("/practice/setup".to_owned()),
        verification,
    };
    let add = |problem| AddMethodPage {
        chrome: signed_in(),
        ways: vec![
            Way { saved: None, ..card(None) },
            Way {
                saved: None,
                arrives_on: None,
                agreement: mandate::setup_wording(&signed_in(), By::UsBankAccount),
                ..account()
            },
        ],
        intent: "stp_1".to_owned(),
        processor: "Stripe".to_owned(),
        problem,
    };
    let remove = RemoveMethodPage {
        chrome: signed_in(),
        id: "pmt_2".to_owned(),
        heading: "First Bank account ending 6789".to_owned(),
        ends_agreement: true,
        held: vec![usd(50_000)],
        pending: vec![usd(25_000)],
    };
    let proofs = [Stage::Waiting, Stage::Ready, Stage::Wrong].map(|stage| begun(Some(verification(stage))));
    vec![
        render("methods-none", page(Vec::new(), Vec::new(), None)),
        render("methods", page(vec![visa.clone(), bank, old, ended], vec![begun(None)], None)),
        render("methods-added", page(vec![visa], Vec::new(), Some(News::Added))),
        render("methods-proving", page(Vec::new(), proofs.to_vec(), None)),
        render("method-add", add(None)),
        render("method-add-silent", add(Some("method-add-silent"))),
        render("method-remove", remove),
    ]
}

fn result(outcome: Outcome, held: Option<Held>) -> PaymentPage {
    PaymentPage {
        chrome: signed_in(),
        id: "pay_1".to_owned(),
        reference: "PAY-7F3K-2Q".to_owned(),
        amount: usd(50_000),
        fee: None,
        invoice_id: "inv_1042".to_owned(),
        number: "INV-1042".to_owned(),
        after: None,
        left: usd(75_000),
        in_progress: usd(50_000),
        due: DUE,
        today: TODAY,
        debit: Some(Debit {
            last4: Some("6789".to_owned()),
            expected_on: None,
            agreement: account().agreement,
            reason: None,
        }),
        outcome,
        may_pay_less: true,
        pressed_twice: false,
        contest: None,
        refunds: Vec::new(),
        held,
        is_charge: true,
        stopped_too_late: false,
        verification: None,
    }
}

fn until(on: Date, may_stop: bool) -> Option<Held> {
    let time = "16:00 Pacific time".to_owned();
    Some(Held { on, time, until: Some(date(2026, 11, 24)), may_stop })
}

fn held() -> Vec<(String, String)> {
    let late = PaymentPage { stopped_too_late: true, ..result(Outcome::DebitBegun, until(TODAY, false)) };
    let unfinished = PaymentPage { debit: None, ..result(Outcome::Unfinished, None) };
    let challenge = ChallengePage {
        chrome: signed_in(),
        id: "pay_1".to_owned(),
        number: "INV-1042".to_owned(),
        amount: usd(50_000),
    };
    vec![
        render("payment-held", result(Outcome::Held, until(TODAY, true))),
        render("payment-held-tomorrow", result(Outcome::Held, until(date(2026, 11, 19), true))),
        render("payment-held-by-another", result(Outcome::Held, until(TODAY, false))),
        render("payment-stopped", result(Outcome::Stopped, until(TODAY, false))),
        render("payment-stopped-too-late", late),
        render("payment-challenge-left", unfinished),
        render("challenge", challenge),
    ]
}

fn verification(stage: Stage) -> Verification {
    let is_open = matches!(stage, Stage::Waiting | Stage::Ready | Stage::Wrong);
    Verification {
        stage,
        is_code: false,
        arrives_on: Some(date(2026, 11, 19)),
        ends_on: Some(date(2026, 11, 28)),
        url: is_open.then(|| "/practice/verify".to_owned()),
    }
}

fn proving() -> Vec<(String, String)> {
    let page = |stage| PaymentPage {
        verification: Some(verification(stage)),
        is_charge: false,
        ..result(Outcome::Unfinished, None)
    };
    let ended = |stage| PaymentPage {
        verification: Some(verification(stage)),
        is_charge: false,
        ..result(Outcome::DebitFailed, None)
    };
    vec![
        render("payment-proof-waiting", page(Stage::Waiting)),
        render("payment-proof-ready", page(Stage::Ready)),
        render("payment-proof-wrong", page(Stage::Wrong)),
        render("payment-proof-too-many", ended(Stage::TooManyTries)),
        render("payment-proof-expired", ended(Stage::Expired)),
        render("payment-proof-not-delivered", ended(Stage::NotDelivered)),
    ]
}

fn agreements() -> Vec<(String, String)> {
    let proof = Proof {
        id: "man_06a8q2m0000000000000000000".to_owned(),
        merchant: "Northwind IT".to_owned(),
        wording: mandate::setup_wording(&signed_in(), By::UsBankAccount).unwrap_or_default(),
        wording_hash: "9f".repeat(32),
        is_intact: true,
        method: By::UsBankAccount.as_str(),
        rule: "standing",
        amount: None,
        bank_name: Some("First Bank".to_owned()),
        last4: Some("6789".to_owned()),
        holder: Some("business".to_owned()),
        unauthorized_window: Some("60 days"),
        name: Some("Dana".to_owned()),
        email: Some("dana@acme.test".to_owned()),
        identified: "signed in",
        client: Some("192.0.2.7".to_owned()),
        user_agent: Some("Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/140.0".to_owned()),
        language: "en".to_owned(),
        agreed_at: noon(),
        accepted_at: Some(noon()),
        given_for: "stp_1".to_owned(),
        processor_mandate_id: Some("mandate_1".to_owned()),
        revoke: "by writing".to_owned(),
        ended: None,
    };
    let page = |proof, may_revoke, pending| AgreementPage { chrome: signed_in(), proof, may_revoke, pending };
    let ended =
        Proof { ended: Some((noon(), "the payer took it back".to_owned(), "payer")), ..proof.clone() };
    vec![render("agreement", page(proof, true, 0)), render("agreement-ended", page(ended, false, 1))]
}
