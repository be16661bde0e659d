//! Samples of signing in, payment links, paying, results, receipts and errors.

use super::super::error::{ErrorPage, PageError};
use super::super::link::{LinkPage, LinkState};
use super::super::mandate;
use super::super::parts::Method;
use super::super::pay::{EarlierPayment, PayPage, PayProblem};
use super::super::payment::{Contest, Debit, Decline, Outcome, PaymentPage};
use super::super::receipt::{Applied, BankNote, ReceiptPage};
use super::super::refund::{RefundNote, RefundNoteState};
use super::super::sign_in::{
    CodePage, CodeProblem, CodeWay, CompaniesPage, Company, EmailProblem, SignInLinkPage, SignInPage,
};
use super::super::ways::{CannotCarry, Way};
use super::*;
use billing::payment::Method as By;
use billing::reversal::ReversalKind;

pub(super) fn samples() -> Vec<(String, String)> {
    let mut all = sign_in();
    all.extend(links());
    all.extend(pay());
    all.extend(results());
    all.extend(debits());
    all.extend(receipts());
    all.extend(errors());
    all
}

fn sign_in() -> Vec<(String, String)> {
    let email = |email: &str, problem| SignInPage {
        chrome: nobody(),
        email: email.to_owned(),
        problem,
        again: false,
    };
    let code = |code: &str, problem| CodePage {
        chrome: nobody(),
        way: CodeWay::Asked { email: "d@acme.test".to_owned(), wait_seconds: 30 },
        code: code.to_owned(),
        problem,
    };
    let by_link = CodePage { way: CodeWay::Link { token: "secret".to_owned() }, ..code("", None) };
    let before_paying = CodeWay::BeforePaying {
        amount: usd(125_000),
        masked_email: "d…@acme.test".to_owned(),
        invoice_id: "inv_1042".to_owned(),
        wait_seconds: 0,
    };
    let company = |name: &str, open_invoices, left, chosen| Company {
        id: format!("cus_{open_invoices}"),
        name: name.to_owned(),
        open_invoices,
        left,
        chosen,
    };
    let companies = |nothing_chosen: bool| CompaniesPage {
        chrome: nobody(),
        companies: vec![
            company("Acme Inc.", 3, vec![usd(312_000), Money::new(40_000, Currency::EUR)], !nothing_chosen),
            company("Beta Ltd", 0, Vec::new(), false),
        ],
        nothing_chosen,
    };
    vec![
        render("sign-in", email("", None)),
        render("sign-in-fresh", SignInPage { again: true, ..email("dana@acme.test", None) }),
        render("sign-in-empty", email("", Some(EmailProblem::Empty))),
        render("sign-in-wrong", email("dana@", Some(EmailProblem::NotAnAddress))),
        render("code", code("", None)),
        render("code-other-browser", by_link),
        render("code-before-paying", CodePage { way: before_paying, ..code("", None) }),
        render("code-empty", code("", Some(CodeProblem::Empty))),
        render("code-wrong", code("123 456", Some(CodeProblem::Wrong { tries_left: 4 }))),
        render("code-ended", code("123456", Some(CodeProblem::Ended))),
        render("code-too-many", code("123456", Some(CodeProblem::TooManyTries))),
        render("sign-in-link", SignInLinkPage { chrome: nobody(), token: "secret".to_owned() }),
        render("companies", companies(false)),
        render("companies-none", companies(true)),
    ]
}

fn links() -> Vec<(String, String)> {
    let masked_email = "d…@acme.test".to_owned();
    let url = |act: &str| format!("/l/token/{act}");
    let expired =
        LinkState::Expired { on: date(2026, 12, 30), renew: Some((masked_email.clone(), url("new"))) };
    let expired_alone = LinkState::Expired { on: date(2026, 12, 30), renew: None };
    let other = LinkState::OtherCompany {
        name: "Dana".to_owned(),
        company: "Beta Ltd".to_owned(),
        invoice_for: "Acme Inc.".to_owned(),
        open_url: url("open"),
    };
    let identify = LinkState::Identify {
        amount: usd(125_000),
        masked_email: masked_email.clone(),
        send_url: url("code"),
    };
    let link = |name, chrome, state| render(name, LinkPage { chrome, state });
    vec![
        link("link-session-ended", nobody(), LinkState::SessionEnded),
        link("link-session-over", nobody(), LinkState::SessionOver),
        link("link-expired", nobody(), expired),
        link("link-expired-alone", nobody(), expired_alone),
        link("link-renewed", nobody(), LinkState::Renewed { masked_email }),
        link("link-revoked", nobody(), LinkState::Revoked),
        link("link-void", nobody(), LinkState::Void { number: "INV-1042".to_owned(), on: date(2026, 11, 3) }),
        link("link-other-company", signed_in(), other),
        link("link-identify", nobody(), identify),
    ]
}

fn card(fee: Option<Money>) -> Way {
    Way { method: By::Card, fee, arrives_on: None, agreement: None, cannot: None, saved: None }
}

fn bank() -> Way {
    let method = By::UsBankAccount;
    let (until, from) = (date(2026, 11, 9), date(2026, 11, 3));
    let agreement = mandate::wording(&by_link(), method, usd(50_000), from);
    Way { method, fee: Some(usd(0)), arrives_on: Some(until), agreement, cannot: None, saved: None }
}

fn pay() -> Vec<(String, String)> {
    let page = |amount| PayPage {
        chrome: by_link(),
        invoice_id: "inv_1042".to_owned(),
        number: "INV-1042".to_owned(),
        amount: usd(amount),
        left: usd(125_000),
        may_change: true,
        ways: vec![card(None)],
        chosen: "card".to_owned(),
        other_ways: None,
        keep: None,
        intent: "int_1".to_owned(),
        processor: "Stripe".to_owned(),
        minutes: 30,
        receipt_email: String::new(),
        payer_reference: String::new(),
        earlier: None,
        problem: None,
    };
    let earlier = |only_started| EarlierPayment {
        id: "pay_1".to_owned(),
        amount: usd(50_000),
        seconds_ago: 130,
        only_started,
    };
    let problem = |problem| PayPage { problem: Some(problem), ..page(50_000) };
    let too_small = Way { cannot: Some(CannotCarry::More(usd(25_000))), ..bank() };
    let started = PayProblem::AlreadyStarted { payment_id: "pay_1".to_owned(), amount: usd(50_000) };
    let fee_changed = PayProblem::FeeChanged { before: usd(1_190), now: usd(1_480) };
    let practice = Chrome { merchant: Merchant { practice: true, ..merchant() }, ..signed_in() };
    let signed = PayPage {
        chrome: practice,
        receipt_email: "dana@acme.test".to_owned(),
        may_change: false,
        ways: vec![card(Some(usd(0)))],
        ..page(125_000)
    };
    vec![
        render("pay", page(50_000)),
        render("pay-full", signed),
        render("pay-fee", PayPage { ways: vec![card(Some(usd(1_190)))], ..page(40_000) }),
        render("pay-again", PayPage { earlier: Some(earlier(false)), ..page(50_000) }),
        render("pay-started", PayPage { earlier: Some(earlier(true)), ..page(50_000) }),
        render("pay-no-email", problem(PayProblem::EmailEmpty)),
        render("pay-wrong-email", problem(PayProblem::EmailNotAnAddress)),
        render("pay-long-reference", problem(PayProblem::ReferenceTooLong)),
        render("pay-card-number", problem(PayProblem::ReferenceHasCardNumber)),
        render("pay-silent", problem(PayProblem::ProcessorSilent)),
        render("pay-already-started", problem(started)),
        render("pay-damaged", problem(PayProblem::Damaged)),
        render(
            "pay-bank",
            PayPage { ways: vec![bank()], chosen: "us_bank_account".to_owned(), ..page(50_000) },
        ),
        render("pay-ways", PayPage { ways: vec![card(Some(usd(1_480))), bank()], ..page(50_000) }),
        render("pay-ways-limit", PayPage { ways: vec![card(None), too_small], ..page(50_000) }),
        render("pay-way-gone", problem(PayProblem::WayGone)),
        render(
            "pay-fee-changed",
            PayPage { problem: Some(fee_changed), ways: vec![card(Some(usd(1_480)))], ..page(50_000) },
        ),
    ]
}

fn result(outcome: Outcome, left: i64) -> PaymentPage {
    PaymentPage {
        chrome: by_link(),
        id: "pay_1".to_owned(),
        reference: "PAY-7F3K-2Q".to_owned(),
        amount: usd(50_000),
        fee: None,
        invoice_id: "inv_1042".to_owned(),
        number: "INV-1042".to_owned(),
        after: None,
        left: usd(left),
        in_progress: usd(0),
        due: DUE,
        today: TODAY,
        debit: None,
        outcome,
        contest: None,
        refunds: Vec::new(),
        may_pay_less: true,
        pressed_twice: false,
        held: None,
        is_charge: false,
        stopped_too_late: false,
        verification: None,
    }
}

fn results() -> Vec<(String, String)> {
    let page = result;
    let declined = |reason| page(Outcome::Declined { reason, page_open: true }, 75_000);
    let full_only = PaymentPage {
        may_pay_less: false,
        ..page(Outcome::Declined { reason: Decline::OverLimit, page_open: false }, 125_000)
    };
    let overdue = PaymentPage { today: date(2026, 12, 3), ..page(Outcome::Succeeded, 75_000) };
    vec![
        render("payment-waiting", page(Outcome::Waiting { long: false }, 75_000)),
        render("payment-waiting-long", page(Outcome::Waiting { long: true }, 75_000)),
        render("payment-unfinished", page(Outcome::Unfinished, 75_000)),
        render("payment-part", page(Outcome::Succeeded, 75_000)),
        render("payment-part-overdue", overdue),
        render(
            "payment-rest-on-its-way",
            PaymentPage { after: Some(usd(75_000)), in_progress: usd(75_000), ..page(Outcome::Succeeded, 0) },
        ),
        render("payment-since", PaymentPage { after: Some(usd(75_000)), ..page(Outcome::Succeeded, 25_000) }),
        render("payment-since-full", PaymentPage { after: Some(usd(75_000)), ..page(Outcome::Succeeded, 0) }),
        render("payment-fee", PaymentPage { fee: Some(usd(1_190)), ..page(Outcome::Succeeded, 75_000) }),
        render("payment-not-opened", page(Outcome::NotOpened, 75_000)),
        render("payment-giving-up", page(Outcome::GivingUp, 75_000)),
        render("payment-someone-elses", page(Outcome::SomeoneElses, 75_000)),
        render("payment-someone-elses-ended", page(Outcome::SomeoneElsesEnded, 125_000)),
        render("payment-other-currency", page(Outcome::OtherCurrency { taken: usd(40_000) }, 125_000)),
        render("payment-full", page(Outcome::Succeeded, 0)),
        render("payment-refunded", PaymentPage { refunds: refunds(), ..page(Outcome::Succeeded, 75_000) }),
        render("payment-twice", PaymentPage { pressed_twice: true, ..page(Outcome::Succeeded, 75_000) }),
        render("payment-declined-money", declined(Decline::NotEnoughMoney)),
        render("payment-declined-expired", declined(Decline::CardExpired)),
        render("payment-declined-code", declined(Decline::WrongCode)),
        render("payment-declined-limit", declined(Decline::OverLimit)),
        render("payment-declined-limit-whole", full_only),
        render("payment-declined-check", declined(Decline::NotConfirmed)),
        render("payment-declined-left", declined(Decline::LeftTheCheck)),
        render("payment-declined-unsaid", declined(Decline::NotSaid)),
        render("payment-declined-network", declined(Decline::NetworkProblem)),
        render(
            "payment-contested",
            PaymentPage { contest: Some(Contest::Open), ..page(Outcome::Succeeded, 75_000) },
        ),
        render(
            "payment-part-back",
            PaymentPage { contest: Some(Contest::PartBack(usd(10_000))), ..page(Outcome::Succeeded, 85_000) },
        ),
        render("payment-charged-back", page(Outcome::ChargedBack, 125_000)),
        render("payment-charged-back-nothing-left", page(Outcome::ChargedBack, 0)),
        render("payment-cancelled", page(Outcome::Cancelled, 125_000)),
        render("payment-expired", page(Outcome::Expired, 125_000)),
        render("payment-refused", page(Outcome::RefusedByUs { quote: "CHK-12".to_owned() }, 125_000)),
        render("payment-unknown", page(Outcome::Unknown, 75_000)),
    ]
}

fn debits() -> Vec<(String, String)> {
    let debit = |outcome, left| PaymentPage {
        debit: Some(Debit {
            last4: Some("6789".to_owned()),
            expected_on: Some(date(2026, 11, 9)),
            agreement: bank().agreement,
            reason: Some("bank-return-not-enough-money"),
        }),
        ..result(outcome, left)
    };
    vec![
        render("payment-debit-begun", debit(Outcome::DebitBegun, 75_000)),
        render("payment-debit-unfinished", debit(Outcome::Unfinished, 75_000)),
        render("payment-debit-failed", debit(Outcome::DebitFailed, 125_000)),
        render("payment-taken-back", debit(Outcome::TakenBack, 125_000)),
        render("payment-bounced", result(Outcome::Reversed { kind: ReversalKind::Bounced }, 125_000)),
        render(
            "payment-entered-wrongly",
            result(Outcome::Reversed { kind: ReversalKind::EnteredWrongly }, 125_000),
        ),
    ]
}

fn receipt() -> ReceiptPage {
    ReceiptPage {
        chrome: signed_in(),
        reference: "PAY-7F3K-2Q".to_owned(),
        payment_id: "pay_1".to_owned(),
        received_at: noon(),
        received_on: None,
        paid_by: "Acme Inc.".to_owned(),
        merchant_lines: vec!["88 Alder Street".to_owned(), "Portland, OR 97205".to_owned()],
        method: Method::Card { brand: Some("Visa".to_owned()), last4: Some("4242".to_owned()) },
        amount: usd(50_000),
        fee: None,
        applied: vec![Applied {
            invoice_id: "inv_1042".to_owned(),
            number: "INV-1042".to_owned(),
            amount: usd(50_000),
            balance_before: usd(125_000),
            balance_after: usd(75_000),
        }],
        kept_as_credit: usd(0),
        payer_reference: Some("Run 118".to_owned()),
        refunds: Vec::new(),
        bank: None,
    }
}

/// One refund in each state.
fn refunds() -> Vec<RefundNote> {
    use RefundNoteState::*;
    let note = |state| RefundNote { amount: usd(10_000), on: date(2026, 11, 20), state };
    [Begun, OwedAgain, PriceGivenBack, Paid, Kept].map(note).to_vec()
}

fn receipts() -> Vec<(String, String)> {
    let mut settled = receipt();
    settled.applied[0].balance_before = usd(50_000);
    settled.applied[0].balance_after = usd(0);
    let surplus = ReceiptPage {
        fee: Some(usd(1_190)),
        kept_as_credit: usd(10_000),
        payer_reference: None,
        ..receipt()
    };
    vec![
        render("receipt", receipt()),
        render("receipt-surplus", surplus),
        render("receipt-settled", settled),
        render("receipt-refunded", ReceiptPage { refunds: refunds(), ..receipt() }),
        render(
            "receipt-taken-back",
            ReceiptPage { bank: Some(BankNote::TakenBack { on: date(2026, 11, 25) }), ..receipt() },
        ),
        render("receipt-credit", ReceiptPage { method: Method::Credit, ..receipt() }),
    ]
}

fn errors() -> Vec<(String, String)> {
    let invoice = || Some(("inv_1042".to_owned(), "INV-1042".to_owned()));
    let error = |name: &str, error| render(&format!("error-{name}"), ErrorPage { chrome: nobody(), error });
    vec![
        error("404", PageError::NotFound),
        error("403", PageError::FormNotOurs),
        error("405", PageError::WrongMethod),
        error("413", PageError::TooLarge { limit: "64 KB".to_owned() }),
        error("415", PageError::WrongType),
        error("429", PageError::TooMany { until: noon(), today: TODAY }),
        error("429-tomorrow", PageError::TooMany { until: noon(), today: date(2026, 11, 17) }),
        error("500", PageError::Ours { reference: "7F3K".to_owned(), invoice: invoice() }),
        error("500-any", PageError::Ours { reference: "7F3K".to_owned(), invoice: None }),
        error("503", PageError::Unavailable { back_at: Some(noon()) }),
        error("400", PageError::NotUnderstood),
        error("503-unknown", PageError::Unavailable { back_at: None }),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Its answer is the page of our own mistake.
    #[test]
    fn stored_figures_that_do_not_add_up_are_no_page_and_no_panic() {
        let spoilt = |fee| ReceiptPage { amount: usd(i64::MAX), fee: Some(fee), ..receipt() };
        assert!(spoilt(usd(1)).render().is_err());
        assert!(spoilt(Money::new(1, Currency::EUR)).render().is_err());
        assert!(spoilt(usd(0)).render().is_ok());
    }
}
