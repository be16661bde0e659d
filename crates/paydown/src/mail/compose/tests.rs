//! Each kind of mail composed from stored facts, what it says when they change before it is sent, and hostile names.

use super::*;
use crate::actions::create_link::{create_link, revoke_links, send_invoice};
use crate::actions::deliver_mail::mail_failure;
use crate::actions::void_invoice::{VoidInvoice, void_invoice};
use crate::mail::testing::{Fixture, MERCHANT, fixture};
use billing::ids::MailId;
use billing::payment::PaymentState;
use jiff::SignedDuration;
use mail_parser::MessageParser;
use store::db::Tx;
use store::invoices::{self, Shift};
use store::mails::{MailKind, MailState, NewMail};
use store::payments;
use store::signins::{self, Signin};

struct Read {
    raw: String,
    subject: String,
    text: String,
    html: String,
}

async fn composed(fixture: &Fixture, mail: &Mail) -> Read {
    match compose(&fixture.app, mail).await.unwrap() {
        Composed::Send(outgoing) => {
            let raw = outgoing.message.formatted();
            let parsed = MessageParser::default().parse(&raw).unwrap();
            Read {
                subject: parsed.subject().unwrap().to_owned(),
                text: parsed.body_text(0).unwrap().into_owned(),
                html: parsed.body_html(0).unwrap().into_owned(),
                raw: String::from_utf8(raw.clone()).unwrap(),
            }
        }
        Composed::Drop(reason) => panic!("dropped: {reason}"),
    }
}

async fn dropped(fixture: &Fixture, mail: &Mail) -> String {
    match compose(&fixture.app, mail).await.unwrap() {
        Composed::Send(_) => panic!("it would be sent"),
        Composed::Drop(reason) => reason,
    }
}

async fn invoice_mail(fixture: &Fixture) -> Mail {
    send_invoice(&fixture.app, MERCHANT, fixture.invoice).await.unwrap();
    fixture.mails().await.remove(0)
}

/// A row as the capture queues it.
fn received_mail(fixture: &Fixture, payment: PaymentId, link_id: Option<LinkId>) -> Mail {
    let mint = fixture.app.mint();
    Mail {
        merchant_id: MERCHANT,
        about: NewMail {
            id: mint.id(MailId::new),
            kind: MailKind::Received,
            cause: payment.to_string(),
            recipient: "books@acme.test".to_owned(),
            invoice_id: Some(fixture.invoice),
            payment_id: Some(payment),
            link_id,
            signin_id: None,
            created_at: mint.now,
        },
        state: MailState::Queued,
        tries: 1,
        next_at: mint.now,
        last_error: None,
        sent_at: None,
    }
}

async fn shift(fixture: &Fixture, shift: Shift) {
    let (invoice, now) = (fixture.invoice, fixture.app.clock.now());
    let write = async move |tx: &mut Tx| invoices::shift(tx, MERCHANT, invoice, shift, now).await.map(|_| ());
    fixture.app.store.write(write).await.unwrap();
}

#[tokio::test]
async fn an_invoice_mail_says_what_is_left_when_it_is_sent() {
    let fixture = fixture().await;
    let mail = invoice_mail(&fixture).await;
    let read = composed(&fixture, &mail).await;
    assert_eq!(read.subject, "Invoice INV-1042 from Northwind IT: $1,250.00 due 30 Nov");
    let url = link_url(&fixture.app, MERCHANT, mail.about.link_id.unwrap());
    for part in [&read.text, &read.html] {
        assert!(part.contains(&url) && part.contains(&format!("{url}?to=amount")), "{part}");
    }
    fixture.payment(PaymentState::Succeeded, None).await;
    shift(&fixture, Shift { pending_minor: 25_000, ..Shift::default() }).await;
    let read = composed(&fixture, &mail).await;
    assert_eq!(read.subject, "$500.00 left on INV-1042, due 30 Nov");
    fixture.clock.advance(SignedDuration::from_hours(24 * 20));
    assert_eq!(composed(&fixture, &mail).await.subject, "$500.00 left on INV-1042, due since 30 November");
}

#[tokio::test]
async fn headers_name_who_writes_and_keep_an_invoices_mails_together() {
    let fixture = fixture().await;
    let mail = invoice_mail(&fixture).await;
    let raw = composed(&fixture, &mail).await.raw;
    for line in [
        "From: \"Northwind IT\" <billing@northwind.example>".to_owned(),
        "Reply-To: help@northwind.example".to_owned(),
        "To: Dana@acme.test".to_owned(),
        "Auto-Submitted: auto-generated".to_owned(),
        format!("Message-ID: <{}@pay.northwind.example>", mail.about.id),
        format!("References: <{}@pay.northwind.example>", fixture.invoice),
        "Date: Wed, 18 Nov 2026 09:30:00 +0000".to_owned(),
    ] {
        assert!(raw.contains(&format!("{line}\r\n")), "{line} is not in\n{raw}");
    }
    assert!(raw.contains("multipart/alternative"));
}

#[tokio::test]
async fn an_invoice_mail_is_dropped_when_its_link_or_invoice_is_gone() {
    let fixture = fixture().await;
    let mail = invoice_mail(&fixture).await;
    revoke_links(&fixture.app, MERCHANT, fixture.invoice, "test".to_owned()).await.unwrap();
    assert_eq!(dropped(&fixture, &mail).await, "its link was taken back");
    let input = VoidInvoice { merchant: MERCHANT, invoice: fixture.invoice, actor: "test".to_owned() };
    void_invoice(&fixture.app, input).await.unwrap().unwrap().unwrap();
    assert_eq!(dropped(&fixture, &mail).await, "the invoice is void by now");
}

#[tokio::test]
async fn a_receipt_mail_never_calls_an_invoice_paid_that_is_not() {
    let fixture = fixture().await;
    let link = create_link(&fixture.app, MERCHANT, fixture.invoice, None, "test").await.unwrap().ok();
    let payment = fixture.payment(PaymentState::Succeeded, link).await;
    let mail = received_mail(&fixture, payment, link);
    let read = composed(&fixture, &mail).await;
    assert_eq!(read.subject, "We received $500.00. $750.00 is left on INV-1042, due 30 November");
    let url = link_url(&fixture.app, MERCHANT, link.unwrap());
    for fact in [format!("{url}?to=receipt/{payment}"), payment.reference(), "$11.90".to_owned()] {
        assert!(read.text.contains(&fact), "{fact} is not in\n{}", read.text);
    }
    // All the rest is on its way: nothing can be paid now, yet nothing is paid in full.
    shift(&fixture, Shift { pending_minor: 75_000, ..Shift::default() }).await;
    assert!(composed(&fixture, &mail).await.subject.contains("$750.00 is left"));
    shift(&fixture, Shift { open_minor: -75_000, pending_minor: -75_000, paid_minor: 75_000 }).await;
    let late = composed(&fixture, &mail).await;
    assert_eq!(late.subject, read.subject, "it tells of its own payment, however late it comes");
    assert!(late.text.contains("INV-1042 is paid in full now."), "{}", late.text);
}

#[tokio::test]
async fn without_a_live_link_a_receipt_is_behind_the_sign_in() {
    let fixture = fixture().await;
    let link = create_link(&fixture.app, MERCHANT, fixture.invoice, None, "test").await.unwrap().ok();
    let payment = fixture.payment(PaymentState::Succeeded, link).await;
    revoke_links(&fixture.app, MERCHANT, fixture.invoice, "test".to_owned()).await.unwrap();
    let read = composed(&fixture, &received_mail(&fixture, payment, link)).await;
    let receipt = format!("https://pay.northwind.example/p/northwind/payments/{payment}/receipt");
    assert!(read.text.contains(&receipt) && !read.text.contains("/l/"), "{}", read.text);
}

#[tokio::test]
async fn a_failure_is_mailed_to_each_address_once_unless_it_was_seen() {
    let fixture = fixture().await;
    let link = create_link(&fixture.app, MERCHANT, fixture.invoice, Some(fixture.contact), "test")
        .await
        .unwrap()
        .ok();
    let payment = fixture.payment(PaymentState::Failed, link).await;
    for _ in 0..2 {
        mail_failure(&fixture.app, MERCHANT, payment).await.unwrap();
    }
    let mails = fixture.mails().await;
    let mut people: Vec<&str> = mails.iter().map(|mail| mail.about.recipient.as_str()).collect();
    people.sort_unstable();
    assert_eq!(people, ["Books@acme.test", "Dana@acme.test"]);
    let read = composed(&fixture, &mails[0]).await;
    assert_eq!(read.subject, "Your $500.00 for INV-1042 did not go through. No money was taken.");
    assert!(read.text.contains("$1,250.00"), "it says what is left: {}", read.text);
    let now = fixture.app.clock.now();
    let see = async move |tx: &mut Tx| payments::set_seen(tx, MERCHANT, payment, now).await;
    fixture.app.store.write(see).await.unwrap();
    assert_eq!(dropped(&fixture, &mails[0]).await, "the payer has seen it");
}

#[tokio::test]
async fn no_failure_is_mailed_when_the_money_came_after_all() {
    let fixture = fixture().await;
    let failed = fixture.payment(PaymentState::Failed, None).await;
    mail_failure(&fixture.app, MERCHANT, failed).await.unwrap();
    let mail = fixture.mails().await.remove(0);
    let write = async move |tx: &mut Tx| {
        let payment = payments::lock(tx, MERCHANT, failed).await?.unwrap();
        payments::set_state(tx, &payment, PaymentState::Succeeded, "test", payment.changed_at).await
    };
    fixture.app.store.write(write).await.unwrap();
    assert_eq!(dropped(&fixture, &mail).await, "the payment is succeeded by now");
    let before = fixture.mails().await.len();
    mail_failure(&fixture.app, MERCHANT, failed).await.unwrap();
    assert_eq!(fixture.mails().await.len(), before);
}

#[tokio::test]
async fn a_code_is_mailed_for_ten_minutes() {
    let fixture = fixture().await;
    let (mint, secrets) = (fixture.app.mint(), &fixture.app.secrets);
    let id = mint.id(SigninId::new);
    let code = secrets.sign_in_code(MERCHANT.0, id.as_bytes());
    let signin = Signin {
        id,
        email_key: "dana@acme.test".to_owned(),
        browser_hash: [1; 32],
        code_hash: secrets.code_hash(id.as_bytes(), &code),
        link_hash: [2; 32],
        tries_left: 5,
        created_at: mint.now,
        ended_at: None,
    };
    let write = async move |tx: &mut Tx| signins::insert(tx, MERCHANT, &signin).await;
    fixture.app.store.write(write).await.unwrap();
    let mut mail = received_mail(&fixture, mint.id(PaymentId::new), None);
    mail.about.kind = MailKind::Code;
    (mail.about.invoice_id, mail.about.payment_id, mail.about.signin_id) = (None, None, Some(id));
    let read = composed(&fixture, &mail).await;
    assert_eq!(read.subject, format!("{} {} is your code for Northwind IT", &code[..3], &code[3..]));
    assert!(
        read.text.contains("https://pay.northwind.example/p/northwind/sign-in/link?token="),
        "{}",
        read.text
    );
    assert!(!read.raw.contains("References:"));
    fixture.clock.advance(SignedDuration::from_mins(10));
    assert_eq!(dropped(&fixture, &mail).await, "the code has ended");
    fixture.clock.advance(SignedDuration::from_mins(-9));
    let now = fixture.app.clock.now();
    let end = async move |tx: &mut Tx| signins::end(tx, MERCHANT, id, now).await;
    assert!(fixture.app.store.write(end).await.unwrap());
    assert_eq!(dropped(&fixture, &mail).await, "the code was used or replaced");
}

#[tokio::test]
async fn no_name_makes_a_header_and_no_text_an_address() {
    let fixture = fixture().await;
    let mail = invoice_mail(&fixture).await;
    let facts = facts::read(&fixture.app, &mail, fixture.app.clock.now()).await.unwrap();
    let Ok(Facts { mut merchant, .. }) = facts else { panic!("the mail is dropped") };
    let written = |merchant: &Merchant, mail: &Mail, subject: &str| {
        let page = pages::Mail { subject: subject.to_owned(), html: "<p>a</p>".into(), text: "a".into() };
        envelope(&fixture.app, mail, merchant, fixture.app.clock.now(), (page, None))
    };
    let evil = "North\r\nBcc: all@evil.example\nX: \u{0} \"<a@evil.example>, ";
    merchant.name = evil.to_owned();
    let message = written(&merchant, &mail, evil).unwrap();
    let raw = String::from_utf8(message.formatted()).unwrap();
    let head = raw.split("\r\n\r\n").next().unwrap();
    for line in head.split("\r\n") {
        assert!(!line.contains('\n') && !line.contains('\r') && !line.contains('\0'), "{line:?}");
        assert!(!line.starts_with("Bcc:") && !line.starts_with("X:"), "{line:?}");
    }
    assert_eq!(message.envelope().to().len(), 1);
    for no_address in
        ["", "dana", "a@b\r\nBcc: x@evil.example", "a@acme.test, b@acme.test", "Dana <dana@acme.test>"]
    {
        let mut to_nobody = mail.clone();
        to_nobody.about.recipient = no_address.to_owned();
        let why = written(&merchant, &to_nobody, "a").unwrap_err().to_string();
        assert_eq!(why, "the recipient is no e-mail address", "{no_address:?}");
        assert_eq!(dropped(&fixture, &to_nobody).await, why);
    }
}
