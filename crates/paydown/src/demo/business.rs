//! The sample business: an IT service firm, three customers, eight contacts, forty invoices over six months. Everything
//! is made by the same actions that a real one uses, and paid by cards on the practice processor.

use ledger::Currency;

/// A customer of the sample business.
pub struct SampleCustomer {
    /// As it calls itself.
    pub name: &'static str,
    /// Lines separated by `\n`.
    pub address: &'static str,
    /// What it is billed in.
    pub currency: Currency,
    /// Names and addresses of its people.
    pub people: &'static [(&'static str, &'static str)],
    /// Price level: a unit price is multiplied by this, then divided by 100.
    pub price_percent: i64,
}

/// The three customers. Pat keeps the books of two of them, so the address belongs to several companies.
pub const CUSTOMERS: [SampleCustomer; 3] = [
    SampleCustomer {
        name: "Acme Inc.",
        address: "Accounts payable\n500 Harbor Way\nSeattle, WA 98101",
        currency: Currency::USD,
        people: &[
            ("Dana Reyes", "dana@acme.test"),
            ("Sam Okafor", "sam@acme.test"),
            ("Pat Lindqvist", "pat@ledgerline.test"),
        ],
        price_percent: 100,
    },
    SampleCustomer {
        name: "Beta Maschinenbau GmbH",
        address: "Rechnungsprüfung\nWerkstraße 12\n70565 Stuttgart",
        currency: Currency::EUR,
        people: &[
            ("Nora Albrecht", "nora@beta.test"),
            ("Olli Vogt", "olli@beta.test"),
            ("Pat Lindqvist", "pat@ledgerline.test"),
        ],
        price_percent: 90,
    },
    SampleCustomer {
        name: "Kumo KK",
        address: "2-11-3 Meguro\nTokyo 153-0063",
        currency: Currency::JPY,
        people: &[("Yuki Tanaka", "yuki@kumo.test"), ("Ren Ito", "ren@kumo.test")],
        price_percent: 150,
    },
];

/// What is sold: words, quantity, price of one in hundredths of a dollar.
pub const WORK: [(&str, &str, i64); 8] = [
    ("Managed workplace, 25 seats", "25", 4_000),
    ("Firewall replacement, labour", "6.5", 12_500),
    ("Backup storage, per TB and month", "12", 3_900),
    ("On-site support, hours", "3.25", 14_000),
    ("Endpoint protection, per device", "40", 650),
    ("Network audit", "1", 180_000),
    ("Laptop, configured", "2", 129_900),
    ("Password manager, per seat", "25", 480),
];

/// What becomes of an invoice.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fate {
    /// Nobody has paid yet.
    Unpaid,
    /// Paid at once, in full.
    Paid,
    /// Paid in two parts.
    PaidInTwo,
    /// A part was paid, the rest is owed.
    Part,
    /// The first card was declined, the second paid in full.
    DeclinedThenPaid,
    /// The payer turned back; nothing was paid.
    TurnedBack,
    /// A part was paid and a card page is open for another part.
    PartAndPageOpen,
    /// A card page is open for all of it.
    PageOpen,
    /// Cancelled by the merchant.
    Void,
    /// It asks for nothing.
    NothingDue,
}

/// Number, age in days when issued, customer and fate of each invoice but the last, oldest first.
pub fn plan() -> impl Iterator<Item = (u32, i64, usize, Fate)> {
    (0..39_u32).map(|position| {
        let age = 180 - i64::from(position) * 4;
        let customer = match position % 10 {
            0..=4 => 0,
            5..=7 => 1,
            _ => 2,
        };
        (1003 + position, age, customer, fate(position))
    })
}

const fn fate(position: u32) -> Fate {
    match position {
        4 | 21 => Fate::Void,
        7 | 14 => Fate::NothingDue,
        9 | 18 | 30 => Fate::DeclinedThenPaid,
        2 | 12 | 16 | 25 => Fate::PaidInTwo,
        11 | 27 | 33 | 36 => Fate::Part,
        28 | 34 => Fate::Unpaid,
        31 => Fate::TurnedBack,
        35 => Fate::PartAndPageOpen,
        38 => Fate::PageOpen,
        32 | 37 => Fate::Unpaid,
        _ => Fate::Paid,
    }
}
