//! What payouts are made of: lines of the processor's books, each in one payout, and what of ours each belongs to. A line that
//! nobody knows is kept all the same.

use crate::args;
use crate::columns::{currency, timestamp, word};
use crate::db::{Row, Sql, Tx};
use anyhow::Result;
use billing::ids::{MerchantId, PaymentId, PayoutId};
use billing::payout::PayoutState;
use jiff::Timestamp;
use ledger::Money;
use std::collections::HashMap;

/// What of ours a line belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum About {
    /// A payment came in, or did not.
    Payment,
    /// Money went back to a payer.
    Refund,
    /// A bank withdrew or gave back what a card payment brought.
    Dispute,
    /// A bank took a debit back.
    Return,
    /// The processor's fee for something that is no payment.
    Fee,
    /// A payout that came back.
    Payout,
}

impl About {
    const ALL: [About; 6] =
        [About::Payment, About::Refund, About::Dispute, About::Return, About::Fee, About::Payout];

    /// The word the store and the API use.
    pub const fn as_str(self) -> &'static str {
        match self {
            About::Payment => "payment",
            About::Refund => "refund",
            About::Dispute => "dispute",
            About::Return => "return",
            About::Fee => "fee",
            About::Payout => "payout",
        }
    }

    /// The one behind such a word.
    pub fn parse(word: &str) -> Option<About> {
        About::ALL.into_iter().find(|about| about.as_str() == word)
    }
}

/// What a line belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// Which kind of thing.
    pub about: About,
    /// Its printed id; none of a fee that is for nothing of ours.
    pub subject: Option<String>,
    /// The payment behind it.
    pub payment_id: Option<PaymentId>,
}

/// A line of the processor's books in a payout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// The processor's name of the line.
    pub line_id: String,
    /// What kind of movement it is: `charge`, `refund`, `dispute` and so on.
    pub kind: String,
    /// The processor's own name of the kind.
    pub word: String,
    /// What moved before the fee; below zero what went out.
    pub amount: Money,
    /// What the processor keeps of it, in the same currency.
    pub fee_minor: i64,
    /// The object at the processor that caused it.
    pub source_id: Option<String>,
    /// What of ours it belongs to; none while nobody knows it.
    pub known: Option<Known>,
    /// When the processor booked it.
    pub made_at: Timestamp,
}

impl Item {
    /// What moved after the fee.
    pub fn net(&self) -> Money {
        Money::new(self.amount.minor() - self.fee_minor, self.amount.currency())
    }
}

/// In which payout the money of a payment went to the bank.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PaidOut {
    /// The payout.
    pub payout: PayoutId,
    /// Where it stands: the payment is settled once it is paid.
    pub state: PayoutState,
}

const PUT: Sql =
    Sql("INSERT INTO payout_items (merchant_id, line_id, payout_id, kind, word, currency, amount, fee, net, source_id, about,
    subject, payment_id, made_at)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
  ON CONFLICT (merchant_id, line_id) DO UPDATE SET about = COALESCE(excluded.about, payout_items.about),
    subject = COALESCE(excluded.subject, payout_items.subject),
    payment_id = COALESCE(excluded.payment_id, payout_items.payment_id)
  WHERE payout_items.payout_id = excluded.payout_id AND payout_items.net = excluded.net
    AND payout_items.currency = excluded.currency");
const ITEMS: Sql =
    Sql("SELECT line_id, kind, word, amount, currency, fee, source_id, about, subject, payment_id, made_at FROM payout_items
  WHERE merchant_id = $1 AND payout_id = $2 ORDER BY made_at, line_id");
const OF_PAYMENTS: Sql = Sql(
    "SELECT i.payment_id, p.id, p.state FROM payout_items i
  JOIN payouts p ON p.merchant_id = i.merchant_id AND p.id = i.payout_id
  WHERE i.merchant_id = $1 AND i.payment_id >= $2 AND i.payment_id <= $3 AND i.kind = 'charge' ORDER BY p.id",
);

/// Puts a line into a payout, or tells what a line that is in it belongs to. `false` where the line is in another payout, or was
/// told with another sum.
pub async fn put(tx: &mut Tx, merchant: MerchantId, payout: PayoutId, item: &Item) -> Result<bool> {
    let known = item.known.as_ref();
    let payment = known.and_then(|known| known.payment_id.as_ref());
    let args = args![
        merchant.0,
        &item.line_id,
        payout.as_bytes(),
        &item.kind,
        &item.word,
        item.amount.currency().code(),
        item.amount.minor(),
        item.fee_minor,
        item.net().minor(),
        item.source_id.as_deref(),
        known.map(|known| known.about.as_str()),
        known.and_then(|known| known.subject.as_deref()),
        payment.map(PaymentId::as_bytes),
        item.made_at.as_microsecond(),
    ];
    Ok(tx.execute(PUT, args).await? == 1)
}

/// What a payout is made of, the oldest first.
pub async fn list(tx: &mut Tx, merchant: MerchantId, payout: PayoutId) -> Result<Vec<Item>> {
    tx.fetch_all(ITEMS, args![merchant.0, payout.as_bytes()], decode).await
}

/// In which payouts the charges of the payments between two ids, both included, went to the bank.
pub async fn of_payments(
    tx: &mut Tx,
    merchant: MerchantId,
    (first, last): (PaymentId, PaymentId),
) -> Result<HashMap<PaymentId, PaidOut>> {
    let rows = tx
        .fetch_all(OF_PAYMENTS, args![merchant.0, first.as_bytes(), last.as_bytes()], |row| {
            let payout = PayoutId::from_bytes(row.bytes16(1)?);
            let paid_out = PaidOut { payout, state: word(row, 2, PayoutState::parse)? };
            Ok((PaymentId::from_bytes(row.bytes16(0)?), paid_out))
        })
        .await?;
    Ok(rows.into_iter().collect())
}

fn decode(row: &Row<'_>) -> Result<Item> {
    let about = row.opt_text(7)?.and_then(|text| About::parse(&text));
    let (subject, payment_id) = (row.opt_text(8)?, row.opt_bytes16(9)?.map(PaymentId::from_bytes));
    Ok(Item {
        line_id: row.text(0)?,
        kind: row.text(1)?,
        word: row.text(2)?,
        amount: Money::new(row.i64(3)?, currency(row, 4)?),
        fee_minor: row.i64(5)?,
        source_id: row.opt_text(6)?,
        known: about.map(|about| Known { about, subject, payment_id }),
        made_at: timestamp(row, 10)?,
    })
}
