//! The mails, read as their readers would: both parts, subjects, hostile names. Nothing is sent.

use super::*;
use billing::dispute::{DisputeState, LossMeaning};
use billing::reversal::ReversalKind;
use ledger::Currency;

fn usd(minor: i64) -> Money {
    Money::new(minor, Currency::USD)
}

fn sender() -> Sender {
    Sender {
        merchant: "Northwind IT".to_owned(),
        help_contact: "billing@northwind.example".to_owned(),
        brand: Brand::default(),
        locale: Locale::default(),
        practice: true,
    }
}

const DUE: Date = jiff::civil::date(2026, 11, 30);
const TODAY: Date = jiff::civil::date(2026, 11, 18);

fn invoice(paid: i64) -> InvoiceMail {
    InvoiceMail {
        sender: sender(),
        number: "INV-1042".to_owned(),
        total: usd(125_000),
        paid: usd(paid),
        left: usd(125_000 - paid),
        due: DUE,
        today: TODAY,
        pay_url: "https://pay.example/l/abc".to_owned(),
        part_url: Some("https://pay.example/l/abc?to=amount".to_owned()),
        may_forward: true,
    }
}

fn received(left: i64) -> PaymentReceivedMail {
    PaymentReceivedMail {
        of_debit: false,
        sender: sender(),
        number: "INV-1042".to_owned(),
        reference: "PAY-7F3K-2Q".to_owned(),
        amount: usd(50_000),
        fee: Some((usd(1_190), usd(51_190))),
        total: usd(125_000),
        after: usd(left),
        now_left: usd(left),
        due: DUE,
        today: TODAY,
        receipt_url: "https://pay.example/l/abc?to=receipt/pay_1".to_owned(),
        pay_url: "https://pay.example/l/abc".to_owned(),
    }
}

fn failed() -> PaymentFailedMail {
    PaymentFailedMail {
        sender: sender(),
        number: "INV-1042".to_owned(),
        amount: usd(50_000),
        reason: None,
        left: usd(125_000),
        due: DUE,
        pay_url: "https://pay.example/l/abc".to_owned(),
    }
}

fn reversed(kind: ReversalKind) -> PaymentReversedMail {
    PaymentReversedMail {
        sender: sender(),
        number: "INV-1042".to_owned(),
        reference: "PAY-7F3K-2Q".to_owned(),
        amount: usd(50_000),
        kind,
        left: usd(125_000),
        due: DUE,
        pay_url: "https://pay.example/l/abc".to_owned(),
    }
}

fn code() -> CodeMail {
    CodeMail {
        sender: sender(),
        code: "123456".to_owned(),
        sign_in_url: "https://pay.example/p/northwind/sign-in/link?token=abc".to_owned(),
    }
}

fn dispute(state: DisputeState, lost_as: Option<LossMeaning>) -> DisputeMail {
    DisputeMail {
        sender: sender(),
        id: "dsp_06a8q2m0000000000000000000".to_owned(),
        number: "INV-1042".to_owned(),
        reference: "PAY-7F3K-2Q".to_owned(),
        customer: "Acme Inc.".to_owned(),
        amount: usd(50_000),
        reason: "nothing was received, they say".to_owned(),
        state,
        lost_as,
        due: state.is_open().then_some(DUE),
        help_url: "https://pay.example/help/disputes".to_owned(),
    }
}

/// A mail that comes late, or is read late, tells of its own payment; what happened since is said apart.
#[test]
fn a_receipt_that_comes_late_still_tells_what_its_payment_left() {
    let late = PaymentReceivedMail { now_left: usd(0), ..received(75_000) }.render();
    assert_eq!(late.subject, received(75_000).render().subject);
    for part in [&late.html, &late.text] {
        assert!(part.contains("INV-1042 is paid in full now."), "{part}");
        assert!(!part.contains("Pay the rest"), "{part}");
    }
    let less = PaymentReceivedMail { now_left: usd(25_000), ..received(75_000) }.render();
    assert!(less.text.contains("$250.00 is left now."), "{}", less.text);
    assert!(!received(75_000).render().text.contains("now."), "nothing happened since");
}

#[test]
fn a_fee_is_shown_with_what_the_card_was_charged() {
    assert!(received(75_000).render().text.contains("$511.90"));
}

#[test]
fn a_link_to_a_paid_invoice_asks_for_nothing() {
    let mail = InvoiceMail { part_url: None, ..invoice(125_000) }.render();
    assert_eq!(mail.subject, "Your link to invoice INV-1042 from Northwind IT");
    for part in [&mail.html, &mail.text] {
        assert!(part.contains("Nothing is left to pay on INV-1042.") && !part.contains("due"), "{part}");
        assert!(part.contains("View invoice") && !part.contains("View and pay"), "{part}");
    }
}

/// Samples with the facts that both parts must hold.
fn all() -> Vec<(Mail, Vec<&'static str>)> {
    let link = "https://pay.example/l/abc";
    vec![
        (invoice(0).render(), vec!["$1,250.00", "$0.00", "30 November 2026", link, "?to=amount", "INV-1042"]),
        (invoice(50_000).render(), vec!["$750.00", "$500.00", "$1,250.00", "30 November 2026", link]),
        (
            received(75_000).render(),
            vec!["$500.00", "$750.00", "$11.90", "30 November", "?to=receipt/pay_1", "PAY-7F3K-2Q"],
        ),
        (received(0).render(), vec!["$500.00", "INV-1042 is paid in full. Thank you.", "?to=receipt/pay_1"]),
        (failed().render(), vec!["$500.00", "$1,250.00", "30 November 2026", "No money was taken.", link]),
        (
            PaymentFailedMail { reason: Some("mail-agreement-had-ended"), ..failed() }.render(),
            vec!["$500.00", "No money was taken.", "your agreement for that account has ended", link],
        ),
        (
            PaymentFailedMail { reason: Some("mail-never-sent"), ..failed() }.render(),
            vec!["$500.00", "No money was taken.", "It was not sent to your bank.", link],
        ),
        (
            reversed(ReversalKind::Bounced).render(),
            vec!["$500.00", "$1,250.00", "30 November 2026", "did not get the money", "PAY-7F3K-2Q", link],
        ),
        (
            reversed(ReversalKind::EnteredWrongly).render(),
            vec!["$500.00", "$1,250.00", "No money was taken.", "by mistake", "INV-1042", link],
        ),
        (
            dispute(DisputeState::NeedsResponse, None).render(),
            vec![
                "The $500.00 card payment for INV-1042 is disputed",
                "The bank holds the money until it has decided.",
                "before 30 November 2026",
                "nothing was received, they say",
                "Acme Inc.",
                "dsp_06a8q2m0000000000000000000",
                "https://pay.example/help/disputes",
            ],
        ),
        (dispute(DisputeState::Inquiry, None).render(), vec!["No money has moved.", "$500.00"]),
        (dispute(DisputeState::Won, None).render(), vec!["The money is yours.", "INV-1042"]),
        (
            dispute(DisputeState::Lost, Some(LossMeaning::OwedAgain)).render(),
            vec!["The dispute of $500.00 for INV-1042 is lost", "it is owed again"],
        ),
        (
            dispute(DisputeState::Accepted, Some(LossMeaning::Absorbed)).render(),
            vec!["is accepted", "INV-1042 stays paid"],
        ),
        (code().render(), vec!["123 456", "It works for 10 minutes.", "/p/northwind/sign-in/link?token=abc"]),
    ]
}

#[test]
fn both_parts_say_the_same() {
    for (mail, facts) in all() {
        let words = ["Northwind IT", "billing@northwind.example", "Practice mode: no real money moves"];
        for fact in facts.into_iter().chain(words) {
            assert!(mail.html.contains(fact), "{}: HTML lacks {fact}", mail.subject);
            assert!(mail.text.contains(fact), "{}: text lacks {fact}", mail.subject);
        }
        assert!(mail.html.len() <= 60 * 1024);
        assert!(mail.html.contains(r#"<meta name="color-scheme" content="light dark">"#));
        for never in ["<img", "<script", "http://", "log in"] {
            assert!(!mail.html.contains(never), "{}: {never}", mail.subject);
        }
        assert!(!mail.text.contains('<') && !mail.text.contains("\n\n\n"), "{}", mail.text);
    }
}

#[test]
fn subjects_are_the_agreed_ones() {
    assert_eq!(invoice(0).render().subject, "Invoice INV-1042 from Northwind IT: $1,250.00 due 30 Nov");
    assert_eq!(invoice(50_000).render().subject, "$750.00 left on INV-1042, due 30 Nov");
    let overdue = InvoiceMail { today: jiff::civil::date(2026, 12, 3), ..invoice(50_000) };
    assert_eq!(overdue.render().subject, "$750.00 left on INV-1042, due since 30 November");
    assert_eq!(code().render().subject, "123 456 is your code for Northwind IT");
    assert_eq!(
        received(75_000).render().subject,
        "We received $500.00. $750.00 is left on INV-1042, due 30 November"
    );
    assert_eq!(received(0).render().subject, "INV-1042 is paid in full. Thank you.");
    assert_eq!(
        failed().render().subject,
        "Your $500.00 for INV-1042 did not go through. No money was taken."
    );
}

#[test]
fn paying_a_part_is_offered_only_where_it_is_possible() {
    let whole = InvoiceMail { part_url: None, ..invoice(0) }.render();
    for part in [whole.html, whole.text] {
        assert!(!part.contains("part of it"), "{part}");
    }
    assert!(invoice(0).render().html.contains("You can pay part of it."));
}

#[test]
fn a_name_cannot_leave_its_place() {
    let mut mail = invoice(0);
    mail.sender.merchant = "Evil\r\nBcc: all@example.test <b>&\"".to_owned();
    let mail = mail.render();
    assert!(!mail.subject.contains(['\r', '\n']));
    assert!(!mail.html.contains("<b>&"));
}
