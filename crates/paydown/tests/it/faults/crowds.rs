//! Sixty-four payers on one invoice, and the merchant's people at the same moment: each minor unit has one place, nothing is
//! reserved that is not owed, and nobody is answered that the server is at fault.

use crate::builders::VISA;
use crate::on_both_engines;
use crate::test_app::TestApp;
use billing::allocation::Surplus;
use billing::ids::{InvoiceId, PaymentId};
use billing::payment::Method;
use futures::future::join_all;
use jiff::SignedDuration;
use jiff::civil::date;
use ledger::{Currency, Money};
use paydown::actions::issue_credit_note::{IssueCreditNote, issue_credit_note};
use paydown::actions::once::Ran;
use paydown::actions::record_payment::{RecordPayment, record_payment};
use paydown::actions::start_payment::{Payer, StartPayment, Started, start_payment};
use paydown::actions::void_invoice::{VoidInvoice, void_invoice};
use paydown::app::App;
use tokio::task::JoinHandle;

const PAYERS: u8 = 64;
const TOTAL_MINOR: i64 = 100_000;
/// Each asks for so much; together for twice what is owed.
const PART_MINOR: i64 = 3_125;
const CHEQUE_MINOR: i64 = 10_000;
const CREDIT_MINOR: i64 = 20_000;

/// Rounds on one database: each begins with a new invoice.
fn rounds() -> usize {
    if std::env::var_os("PAYDOWN_TEST_LONG").is_some() { 50 } else { 4 }
}

/// What one of the crowd came to. An error is what a server would answer with a 500: there is none.
#[derive(Debug, PartialEq, Eq)]
enum Came {
    Reserved(PaymentId),
    Recorded { minor: i64, credit_minor: i64 },
    Credited(i64),
    Voided,
    Refused,
}

fn pays(app: &TestApp, invoice: InvoiceId, payer: u8) -> JoinHandle<Came> {
    let who = Payer { session_hash: [payer + 1; 32], contact_id: None, link_id: None, client: None };
    let form = StartPayment { payer: who, ..app.ask(invoice, PART_MINOR) };
    let app = app.app.clone();
    tokio::spawn(async move {
        match start_payment(&app, form).await.expect("no error, however many there are") {
            Started::New(payment) => Came::Reserved(payment),
            Started::Refused(_) => Came::Refused,
            other => panic!("{other:?}"),
        }
    })
}

fn records_a_cheque(app: &TestApp, invoice: InvoiceId) -> JoinHandle<Came> {
    let input = RecordPayment {
        merchant: app.merchant,
        customer: None,
        method: Method::Cheque,
        reference: Some("1001".to_owned()),
        received_on: date(2026, 11, 16),
        currency: Currency::USD,
        amount_minor: None,
        allocations: vec![(invoice, CHEQUE_MINOR)],
        surplus: Surplus::CustomerCredit,
        actor: "cli:test".to_owned(),
    };
    let app = app.app.clone();
    tokio::spawn(async move {
        match record_payment(&app, input, None).await.expect("no error, however many there are") {
            Ran::New(recorded) => Came::Recorded {
                minor: recorded.payment.amount_minor,
                credit_minor: recorded.receipt.credit_minor,
            },
            Ran::Refused(why) => panic!("{why}"),
            _ => panic!("nothing is repeated"),
        }
    })
}

fn credits(app: &TestApp, invoice: InvoiceId) -> JoinHandle<Came> {
    let input = IssueCreditNote {
        merchant: app.merchant,
        invoice,
        amount: Some(Money::new(CREDIT_MINOR, Currency::USD)),
        reason: "Less was delivered".to_owned(),
        actor: "cli:test".to_owned(),
    };
    let app = app.app.clone();
    tokio::spawn(async move {
        match issue_credit_note(&app, input, None).await.expect("no error, however many there are") {
            Ran::New(_) => Came::Credited(CREDIT_MINOR),
            Ran::Refused(_) => Came::Refused,
            _ => panic!("nothing is repeated"),
        }
    })
}

async fn void(app: App, input: VoidInvoice) -> Came {
    match void_invoice(&app, input).await.expect("no error, however many there are") {
        Some(Ok(())) => Came::Voided,
        Some(Err(_)) => Came::Refused,
        None => panic!("the invoice is there"),
    }
}

fn voids(app: &TestApp, invoice: InvoiceId) -> JoinHandle<Came> {
    let input = VoidInvoice { merchant: app.merchant, invoice, actor: "cli:test".to_owned() };
    tokio::spawn(void(app.app.clone(), input))
}

async fn all(crowd: Vec<JoinHandle<Came>>) -> Vec<Came> {
    join_all(crowd).await.into_iter().map(|came| came.expect("nobody panics")).collect()
}

on_both_engines!(a_crowd_and_the_staff_leave_each_unit_in_one_place, async |app: &mut TestApp| {
    for _ in 0..rounds() {
        let invoice = app.invoice(TOTAL_MINOR).await;
        // Paid a little already, so that nobody can void it before the rest begin.
        app.pay_with_visa(invoice, 100).await;
        let mut crowd: Vec<_> = (0..PAYERS).map(|payer| pays(app, invoice, payer)).collect();
        for at in [3, 19, 40] {
            crowd.insert(at, records_a_cheque(app, invoice));
            crowd.insert(at + 5, voids(app, invoice));
        }
        crowd.insert(27, credits(app, invoice));
        let came = all(crowd).await;
        assert!(!came.contains(&Came::Voided), "money stood on it");

        let mut reserved = Vec::new();
        let (mut recorded, mut credit, mut credited) = (0, 0, 0);
        for came in &came {
            match came {
                Came::Reserved(payment) => reserved.push(*payment),
                Came::Recorded { minor, credit_minor } => {
                    recorded += minor - credit_minor;
                    credit += credit_minor;
                }
                Came::Credited(minor) => credited += minor,
                Came::Voided | Came::Refused => {}
            }
        }
        let pending = i64::try_from(reserved.len()).expect("a few") * PART_MINOR;
        let (open, held, paid) = app.figures(invoice).await;
        assert!(held <= open, "{held} is reserved of {open}");
        assert_eq!(held, pending, "every hold that was promised, and no other");
        assert_eq!(recorded + credit, 3 * CHEQUE_MINOR, "no cheque is lost");
        assert!(100 + recorded <= paid, "{paid} is less than what was recorded");
        let taken_off = TOTAL_MINOR - open - paid;
        assert!((0..=credited).contains(&taken_off), "{taken_off} was credited of {credited}");

        for payment in &reserved {
            app.submit(*payment).await;
            app.card(*payment, VISA).await;
        }
        app.settle().await;
        let (open, held, _) = app.figures(invoice).await;
        assert_eq!(held, 0, "all who were promised a part have paid it");
        assert!(open < 2 * PART_MINOR, "{open} is left, and payers were refused");
    }
});

on_both_engines!(a_payer_and_a_void_at_once_are_never_both_told_yes, async |app: &mut TestApp| {
    for _ in 0..rounds() * 4 {
        let invoice = app.invoice(TOTAL_MINOR).await;
        let mut crowd = vec![voids(app, invoice)];
        crowd.extend((0..4).map(|payer| pays(app, invoice, payer)));
        crowd.push(voids(app, invoice));
        let came = all(crowd).await;
        let voided = came.iter().filter(|came| **came == Came::Voided).count();
        let reserved = came.iter().filter(|came| matches!(came, Came::Reserved(_))).count();
        assert!(voided <= 1 && (voided == 0 || reserved == 0), "{came:?}");
        let (open, held, paid) = app.figures(invoice).await;
        let pending = i64::try_from(reserved).expect("a few") * PART_MINOR;
        assert_eq!((open, held, paid), if voided == 1 { (0, 0, 0) } else { (TOTAL_MINOR, pending, 0) });
    }
    // Nobody went to a page: what was reserved goes again.
    for _ in 0..4 {
        app.settle_after(SignedDuration::from_mins(40)).await;
    }
});
