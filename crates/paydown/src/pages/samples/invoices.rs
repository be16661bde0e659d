//! Samples of the invoice page, the amount form and the list.

use super::super::amount::{AmountForm, AmountPage, Refusal, Suggestion};
use super::super::credit::{CreditPage, CreditRefusal};
use super::super::invoice::{
    By, Invoice, InvoicePage, Line, Notice, Offer, PaymentRow, PaymentRowState, Place,
};
use super::super::list::{ListPage, ListRow, Sort, Tab};
use super::super::parts::{Lifecycle, Method, Progress, Status};
use super::*;
use crate::config::AmountInputmode;
use billing::reversal::ReversalKind;

pub(super) fn samples() -> Vec<(String, String)> {
    let mut all = open_invoices();
    all.extend(invoices_beyond_a_card());
    all.extend(ended_invoices());
    all.push(reversed());
    all.extend(credit());
    all.extend(unusual_invoices());
    all.extend(amounts());
    all.extend(lists());
    all.extend(empty_lists());
    all
}

fn invoice() -> Invoice {
    let line = |description: &str, quantity: Option<&str>, unit, amount| Line {
        description: description.to_owned(),
        quantity: quantity.map(str::to_owned),
        unit: usd(unit),
        amount: usd(amount),
    };
    Invoice {
        id: "inv_1042".to_owned(),
        number: "INV-1042".to_owned(),
        from_lines: vec!["88 Alder Street".to_owned(), "Portland, OR 97205".to_owned()],
        to_name: "Acme Inc.".to_owned(),
        to_lines: vec!["Accounts payable".to_owned()],
        issued: date(2026, 10, 31),
        po_number: Some("PO 7741".to_owned()),
        note: Some("Thank you for working with us.\nQuestions about the firewall: ask for Sam.".to_owned()),
        lines: vec![
            line("Managed workplace, November", Some("25"), 4_000, 100_000),
            line("Firewall replacement, labour", Some("2"), 12_500, 25_000),
        ],
        net: None,
        taxes: Vec::new(),
    }
}

fn form(left: i64) -> AmountForm {
    AmountForm {
        invoice_id: "inv_1042".to_owned(),
        left: usd(left),
        most: usd(left),
        pending: usd(0),
        minimum: Some(usd(2_500)),
        shown: usd(left),
        due: DUE,
        today: TODAY,
        suggestions: vec![
            Suggestion::Half(usd(left / 2)),
            Suggestion::All(usd(left)),
            Suggestion::SameAsLast(usd(50_000)),
        ],
        inputmode: AmountInputmode::Decimal,
        refused: None,
    }
}

fn page(chrome: Chrome, paid: i64, pending: i64, left: i64) -> InvoicePage {
    let progress = if paid > 0 { Progress::PartlyPaid } else { Progress::Unpaid };
    InvoicePage {
        chrome,
        invoice: invoice(),
        figures: figures(paid, pending, left),
        status: status(progress, left == 0),
        offer: if left > 0 { Offer::AnyPart(Box::new(form(left))) } else { Offer::Nothing },
        chosen: None,
        card_most: None,
        notices: Vec::new(),
        payments: if paid > 0 { vec![received(paid, left + pending)] } else { Vec::new() },
        credit: usd(0),
    }
}

fn received(amount: i64, left_after: i64) -> PaymentRow {
    PaymentRow {
        id: "pay_1".to_owned(),
        method: Method::Card { brand: Some("Visa".to_owned()), last4: Some("4242".to_owned()) },
        amount: usd(amount),
        by: Some(By::Person("Dana".to_owned())),
        on: date(2026, 11, 2),
        state: PaymentRowState::Received { left_after: usd(left_after) },
        refunds: Vec::new(),
    }
}

fn row(amount: i64, state: PaymentRowState) -> PaymentRow {
    PaymentRow {
        id: "pay_2".to_owned(),
        method: Method::Card { brand: None, last4: None },
        by: None,
        on: TODAY,
        state,
        ..received(amount, 0)
    }
}

fn open_invoices() -> Vec<(String, String)> {
    let own = InvoicePage {
        notices: vec![Notice::OwnUnfinished {
            payment_id: "pay_2".to_owned(),
            amount: usd(50_000),
            started_at: noon(),
            place: Place::CardPage,
        }],
        payments: vec![row(50_000, PaymentRowState::Started)],
        ..page(signed_in(), 0, 50_000, 75_000)
    };
    let others = InvoicePage {
        notices: vec![Notice::SomeoneElses { payments: 1, amount: usd(50_000) }],
        ..page(by_link(), 25_000, 50_000, 50_000)
    };
    let unknown = InvoicePage {
        notices: vec![Notice::Checking { amount: usd(50_000) }],
        payments: vec![row(50_000, PaymentRowState::Checking)],
        ..page(by_link(), 0, 50_000, 75_000)
    };
    let in_flight = InvoicePage {
        notices: vec![Notice::SomeoneElses { payments: 2, amount: usd(75_000) }],
        ..page(by_link(), 50_000, 75_000, 0)
    };
    let late = Status { today: date(2026, 12, 3), ..status(Progress::PartlyPaid, false) };
    let overdue = InvoicePage { status: late, ..page(by_link(), 50_000, 0, 75_000) };
    let in_full = InvoicePage { offer: Offer::InFull, ..page(by_link(), 0, 0, 125_000) };
    let all_only = InvoicePage { offer: Offer::AllOnly, ..page(by_link(), 124_910, 0, 90) };
    let by = |by| PaymentRow { by: Some(by), ..received(25_000, 100_000) };
    let paused = InvoicePage {
        offer: Offer::Nothing,
        notices: vec![Notice::Paused],
        payments: vec![
            by(By::Link { masked_email: "d…@acme.test".to_owned() }),
            by(By::Someone { company: "Acme Inc.".to_owned() }),
            PaymentRow {
                method: Method::Credit,
                ..row(5_000, PaymentRowState::Applied { left_after: usd(120_000) })
            },
        ],
        ..page(signed_in(), 50_000, 0, 75_000)
    };
    let no_method = InvoicePage {
        offer: Offer::Nothing,
        notices: vec![Notice::NoMethod],
        ..page(by_link(), 0, 0, 125_000)
    };
    let chosen = InvoicePage { chosen: Some(usd(50_000)), ..page(by_link(), 0, 0, 125_000) };
    let chosen_rest = InvoicePage { chosen: Some(usd(25_000)), ..page(signed_in(), 50_000, 0, 75_000) };
    let chosen_all = InvoicePage { chosen: Some(usd(125_000)), ..page(by_link(), 0, 0, 125_000) };
    vec![
        render("invoice-unpaid", page(by_link(), 0, 0, 125_000)),
        render("invoice-partly-paid", page(signed_in(), 50_000, 0, 75_000)),
        render("invoice-own-unfinished", own),
        render("invoice-someone-elses", others),
        render("invoice-unknown", unknown),
        render("invoice-all-in-flight", in_flight),
        render("invoice-overdue", overdue),
        render("invoice-in-full-only", in_full),
        render("invoice-all-only", all_only),
        render("invoice-paused", paused),
        render("invoice-no-method", no_method),
        render("invoice-chosen", chosen),
        render("invoice-chosen-of-rest", chosen_rest),
        render("invoice-chosen-all", chosen_all),
    ]
}

fn invoices_beyond_a_card() -> Vec<(String, String)> {
    let too_much = InvoicePage {
        offer: Offer::Nothing,
        notices: vec![Notice::TooMuchForACard { most: usd(99_999_999) }],
        ..page(by_link(), 0, 0, 150_000_000)
    };
    let card_most = InvoicePage { card_most: Some(usd(99_999_999)), ..page(by_link(), 0, 0, 150_000_000) };
    vec![render("invoice-too-much", too_much), render("invoice-card-most", card_most)]
}

/// Money that had been noted as received and was taken off again.
fn reversed() -> (String, String) {
    let reversed = InvoicePage {
        notices: ReversalKind::ALL.map(|kind| Notice::Reversed { amount: usd(25_000), kind }).to_vec(),
        payments: ReversalKind::ALL
            .map(|kind| row(25_000, PaymentRowState::Reversed { on: date(2026, 11, 10), kind }))
            .to_vec(),
        ..page(by_link(), 0, 0, 125_000)
    };
    render("invoice-reversed", reversed)
}

fn credit() -> Vec<(String, String)> {
    let to_use = InvoicePage {
        credit: usd(15_000),
        payments: vec![
            PaymentRow {
                method: Method::Credit,
                ..row(4_000, PaymentRowState::Used { left_after: usd(61_000) })
            },
            PaymentRow {
                method: Method::CreditNote { number: "CN-0001".to_owned() },
                ..row(10_000, PaymentRowState::Credited { left_after: usd(65_000) })
            },
            row(5_000, PaymentRowState::Moved { left_after: usd(75_000), here: true }),
            row(-5_000, PaymentRowState::Moved { left_after: usd(80_000), here: false }),
        ],
        ..page(signed_in(), 54_000, 0, 61_000)
    };
    let used = InvoicePage {
        notices: vec![Notice::CreditUsed { amount: usd(4_000) }],
        ..page(signed_in(), 54_000, 0, 71_000)
    };
    let form = |chosen, refused: Option<CreditRefusal>| CreditPage {
        chrome: signed_in(),
        invoice_id: "inv_1042".to_owned(),
        number: "INV-1042".to_owned(),
        credit: usd(15_000),
        left: usd(75_000),
        chosen,
        intent: "cap_1".to_owned(),
        pressed: refused == Some(CreditRefusal::OverCredit),
        refused: refused.map(|refusal| ("200.00".to_owned(), refusal)),
    };
    let none = CreditPage { credit: usd(0), ..form(None, Some(CreditRefusal::NoCredit)) };
    let nothing_left = CreditPage { left: usd(0), ..form(None, Some(CreditRefusal::NothingLeft)) };
    vec![
        render("invoice-credit-to-use", to_use),
        render("invoice-credit-used", used),
        render("credit-form", form(None, None)),
        render("credit-confirm", form(Some(usd(4_000)), None)),
        render("credit-not-an-amount", form(None, Some(CreditRefusal::NotAnAmount))),
        render("credit-over-left", form(None, Some(CreditRefusal::OverLeft))),
        render("credit-over-have", form(None, Some(CreditRefusal::OverCredit))),
        render("credit-none", none),
        render("credit-nothing-left", nothing_left),
    ]
}

fn ended_invoices() -> Vec<(String, String)> {
    let ended = |progress, lifecycle| Status { lifecycle, ..status(progress, false) };
    let paid = InvoicePage {
        status: ended(Progress::Paid, Lifecycle::Open),
        payments: vec![
            PaymentRow { on: date(2026, 11, 12), ..received(75_000, 0) },
            row(75_000, PaymentRowState::NotCompleted),
            received(50_000, 75_000),
            row(50_000, PaymentRowState::NotCompleted),
            row(125_000, PaymentRowState::NotCompleted),
        ],
        ..page(signed_in(), 125_000, 0, 0)
    };
    let void = InvoicePage {
        status: ended(Progress::Unpaid, Lifecycle::Void { on: date(2026, 11, 3) }),
        ..page(by_link(), 0, 0, 0)
    };
    let nothing =
        InvoicePage { status: ended(Progress::NothingDue, Lifecycle::Open), ..page(by_link(), 0, 0, 0) };
    let written_off = InvoicePage {
        status: ended(Progress::PartlyPaid, Lifecycle::WrittenOff),
        ..page(by_link(), 50_000, 0, 0)
    };
    let credited =
        InvoicePage { status: ended(Progress::Credited, Lifecycle::Open), ..page(by_link(), 0, 0, 0) };
    let too_little = InvoicePage {
        offer: Offer::Nothing,
        notices: vec![Notice::TooLittleForACard],
        ..page(by_link(), 124_970, 0, 30)
    };
    vec![
        render("invoice-paid", paid),
        render("invoice-void", void),
        render("invoice-nothing-due", nothing),
        render("invoice-written-off", written_off),
        render("invoice-credited", credited),
        render("invoice-too-little", too_little),
    ]
}

/// Long names, large amounts, no decimals, right to left, hostile text.
fn unusual_invoices() -> Vec<(String, String)> {
    let mut long = page(signed_in(), 500_000_000, 0, 734_567_890);
    long.chrome.merchant.name = "Northwind Information Technology and Workplace Services LLC".to_owned();
    long.chrome.viewer = Viewer::Contact {
        name: "Wilhelmina-Alexandrina von Hohenberg-Schwarzenstein".to_owned(),
        company: "Consolidated International Holdings of the Pacific Northwest".to_owned(),
        several_companies: true,
    };
    long.invoice.number = "INV-2026-NORTHWEST-000001042".to_owned();
    long.invoice.to_name = "Consolidated International Holdings of the Pacific Northwest".to_owned();
    long.invoice.net = Some(usd(1_028_806_575));
    long.invoice.taxes = vec![("VAT 20%".to_owned(), usd(205_761_315))];
    long.chosen = Some(usd(234_567_890));

    let yen = |minor| Money::new(minor, Currency::JPY);
    let mut no_decimals = page(by_link(), 0, 0, 1);
    no_decimals.figures = Figures {
        total: yen(125_000),
        paid: yen(50_000),
        credited: yen(0),
        pending: yen(0),
        left: yen(75_000),
    };
    no_decimals.offer = Offer::AnyPart(Box::new(AmountForm {
        left: yen(75_000),
        most: yen(75_000),
        pending: yen(0),
        minimum: None,
        shown: yen(75_000),
        suggestions: vec![Suggestion::Half(yen(37_500)), Suggestion::All(yen(75_000))],
        ..form(1)
    }));
    no_decimals.invoice.lines.truncate(1);
    no_decimals.invoice.lines[0].unit = yen(5_000);
    no_decimals.invoice.lines[0].amount = yen(125_000);

    let mut right_to_left = page(signed_in(), 50_000, 0, 75_000);
    right_to_left.chrome.viewer = Viewer::Contact {
        name: "דנה".to_owned(),
        company: "شركة الأفق للتجارة".to_owned(),
        several_companies: false,
    };
    right_to_left.invoice.to_name = "شركة الأفق للتجارة".to_owned();
    right_to_left.chrome.locale = Locale::from_accept_language("de-DE");

    let mut hostile = page(signed_in(), 50_000, 0, 75_000);
    hostile.chrome.merchant.name = "<b>&\"'".to_owned();
    hostile.chrome.merchant.practice = true;
    hostile.invoice.number = "<b>&\"".to_owned();
    hostile.invoice.to_name = "<script>alert(1)</script>".to_owned();
    hostile.invoice.lines[0].description = "</td><img src=x onerror=y>".to_owned();
    hostile.payments[0].by = Some(By::Person("<i>&\"".to_owned()));
    vec![
        render("invoice-long", long),
        render("invoice-yen", no_decimals),
        render("invoice-right-to-left", right_to_left),
        render("invoice-hostile", hostile),
    ]
}

fn amounts() -> Vec<(String, String)> {
    let amount = |typed: &str, refusal: Refusal| AmountPage {
        chrome: by_link(),
        number: "INV-1042".to_owned(),
        form: AmountForm { refused: Some((typed.to_owned(), refusal)), pending: usd(50_000), ..form(75_000) },
        pressed: false,
    };
    let page =
        AmountPage { chrome: by_link(), number: "INV-1042".to_owned(), form: form(125_000), pressed: false };
    let crumb = Refusal::Crumb { amount: usd(124_960), leaves: usd(40), at_most: Some(usd(124_000)) };
    let crumb_all = Refusal::Crumb { amount: usd(80), leaves: usd(20), at_most: None };
    let unclear = Refusal::Unclear { grouped: "1,234".to_owned(), decimal: "1.23".to_owned() };
    let refusals = [
        ("empty", "", Refusal::Empty),
        ("not-a-number", "<five>", Refusal::NotANumber),
        ("decimals", "500.0051", Refusal::TooManyDecimals),
        ("zero", "0", Refusal::NotPositive),
        ("under-minimum", "10", Refusal::UnderMinimum(usd(2_500))),
        ("over", "2000", Refusal::OverLeft),
        ("over-in-progress", "1000", Refusal::OverLeftInProgress),
        ("crumb", "1249.60", crumb),
        ("crumb-all", "0.80", crumb_all),
        ("under-card", "0.10", Refusal::UnderCardMinimum(usd(50))),
        ("over-card", "750", Refusal::OverCardMaximum(usd(50_000))),
        ("step", "1.234", Refusal::NotOnStep { below: usd(120), above: usd(130) }),
        ("unclear", "1.234", unclear),
        ("currency", "€500", Refusal::OtherCurrency),
        ("percent", "1%", Refusal::PercentOutOfRange { least: 2 }),
        ("changed", "900", Refusal::Changed { paid: usd(30_000) }),
        ("paid-meanwhile", "900", Refusal::PaidMeanwhile),
        ("in-full-only", "900", Refusal::InFullOnly),
        ("all-only", "0.60", Refusal::AllOnly),
        ("too-little-left", "0.30", Refusal::TooLittleLeft),
        ("too-much", "900", Refusal::TooMuchForACard(usd(50_000))),
        ("all-in-flight", "900", Refusal::AllInFlight),
        ("nothing-left", "900", Refusal::NothingLeft),
        ("void", "900", Refusal::Void { on: date(2026, 11, 3) }),
    ];
    let refused = AmountPage { pressed: true, ..amount("900", Refusal::Changed { paid: usd(30_000) }) };
    let keyboard = AmountForm { inputmode: AmountInputmode::None, ..form(125_000) };
    let keyboard =
        AmountPage { chrome: by_link(), number: "INV-1042".to_owned(), form: keyboard, pressed: false };
    let mut all = vec![render("amount", page), render("amount-pressed", refused)];
    all.push(render("keyboard", keyboard));
    all.extend(
        refusals.into_iter().map(|(name, typed, why)| render(&format!("amount-{name}"), amount(typed, why))),
    );
    all
}

fn list(tab: Tab, rows: Vec<ListRow>) -> ListPage {
    ListPage {
        chrome: signed_in(),
        whose: "cus_acme".to_owned(),
        tab,
        to_pay: 3,
        in_progress: 1,
        all: 5,
        left: vec![usd(312_000), Money::new(40_000, Currency::EUR)],
        overdue: vec![usd(40_000)],
        search: String::new(),
        sort: Sort::Due,
        found: u32::try_from(rows.len()).unwrap_or(u32::MAX),
        rows,
        before: None,
        after: None,
        last_payment: Some((usd(50_000), date(2026, 11, 2))),
        today: TODAY,
    }
}

/// Lists with nothing on them, each for another reason.
fn empty_lists() -> Vec<(String, String)> {
    let in_flight_only =
        ListPage { left: Vec::new(), overdue: Vec::new(), to_pay: 0, ..list(Tab::ToPay, Vec::new()) };
    let nothing = ListPage {
        left: Vec::new(),
        overdue: Vec::new(),
        to_pay: 0,
        in_progress: 0,
        ..list(Tab::ToPay, Vec::new())
    };
    let credited = ListPage {
        left: Vec::new(),
        overdue: Vec::new(),
        to_pay: 0,
        in_progress: 0,
        last_payment: None,
        ..list(Tab::ToPay, Vec::new())
    };
    let never = ListPage {
        last_payment: None,
        left: Vec::new(),
        overdue: Vec::new(),
        to_pay: 0,
        in_progress: 0,
        all: 0,
        ..list(Tab::All, Vec::new())
    };
    vec![
        render("list-all-paid", nothing),
        render("list-nothing-left", credited),
        render("list-all-in-progress", in_flight_only),
        render("list-never", never),
    ]
}

fn lists() -> Vec<(String, String)> {
    let row = |number: &str, what_for: &str, figures: Figures, status: Status| ListRow {
        id: number.to_lowercase(),
        number: number.to_owned(),
        what_for: what_for.to_owned(),
        payable: figures.left.is_positive(),
        figures,
        status,
    };
    let late = Status { due: date(2026, 10, 31), ..status(Progress::PartlyPaid, false) };
    let rows = vec![
        row("INV-1038", "Server room cooling, service", figures(60_000, 0, 40_000), late),
        row(
            "INV-1042",
            "Managed workplace, November",
            figures(50_000, 0, 75_000),
            status(Progress::PartlyPaid, false),
        ),
        row(
            "INV-1047",
            "Consolidated licences for the northwest offices, second half",
            figures(0, 0, 197_000),
            status(Progress::Unpaid, false),
        ),
    ];
    let more = ListPage {
        before: Some("2026-10-31~inv_1038".to_owned()),
        after: Some("2026-11-30~inv_1047".to_owned()),
        ..list(Tab::All, rows.clone())
    };
    let paid = vec![row(
        "INV-1030",
        "Managed workplace, October",
        figures(125_000, 0, 0),
        status(Progress::Paid, false),
    )];
    let in_flight = vec![row("INV-1041", "Cabling", figures(0, 80_000, 0), status(Progress::Unpaid, true))];
    let no_match = ListPage { search: "1042x".to_owned(), ..list(Tab::ToPay, Vec::new()) };
    vec![
        render("list", list(Tab::ToPay, rows)),
        render("list-more", more),
        render("list-paid", list(Tab::Paid, paid)),
        render("list-in-progress", list(Tab::InProgress, in_flight)),
        render("list-none-in-progress", list(Tab::InProgress, Vec::new())),
        render("list-none-paid", list(Tab::Paid, Vec::new())),
        render("list-no-match", no_match),
    ]
}
