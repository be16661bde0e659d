//! Mandates: what a payer agreed to before an account is debited, word for word. Written before the bank page is opened, or before a
//! saved account is debited; what the bank page tells of the account is added once. Never a number of an account.
//!
//! Nothing is reworded and nothing is deleted: a proof is made of the row, years later too. Ending one is the only change.

use crate::args;
use crate::columns::{currency, opt_timestamp, timestamp, word};
use crate::db::{Row, Sql, Tx};
use anyhow::Result;
use billing::ids::{ContactId, CustomerId, MandateId, MerchantId, PaymentId, SetupId};
use billing::payment::Method;
use jiff::Timestamp;
use ledger::Money;

/// What a payer agreed to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mandate {
    /// Which mandate.
    pub id: MandateId,
    /// What it was given for.
    pub given_for: GivenFor,
    /// Whose account it is.
    pub customer_id: CustomerId,
    /// Who agreed, where somebody was signed in.
    pub contact_id: Option<ContactId>,
    /// By what means the account is debited.
    pub method: Method,
    /// How often.
    pub rule: Rule,
    /// The text that was shown.
    pub wording: String,
    /// Its SHA-256.
    pub wording_hash: [u8; 32],
    /// What may be taken once; none where a standing one was given without a payment.
    pub amount: Option<Money>,
    /// The address the payer gave.
    pub payer_email: Option<String>,
    /// The network address of the browser.
    pub client: Option<String>,
    /// What the browser called itself.
    pub user_agent: Option<String>,
    /// Language tag of the text.
    pub language: String,
    /// When the text was shown and agreed to.
    pub offered_at: Timestamp,
    /// When the bank page was submitted, as far as we learned; of a saved account, at once.
    pub accepted_at: Option<Timestamp>,
    /// The account, once the processor has told.
    pub account: Account,
    /// When it ended, and why.
    pub ended: Option<Ended>,
}

/// What a mandate was given for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GivenFor {
    /// A payment.
    Payment(PaymentId),
    /// Keeping an account without paying.
    Setup(SetupId),
}

/// What a mandate allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Rule {
    /// One debit.
    Once,
    /// Every debit that its owner asks for, or agreed to elsewhere, until it is ended.
    Standing,
}

/// Who ended a mandate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EndedBy {
    /// The payer took the leave back.
    Payer,
    /// The merchant's staff did.
    Staff,
    /// A bank said that debits are not allowed, or took one back.
    Bank,
    /// The processor does not honour it any more.
    Processor,
}

/// The end of a mandate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// When.
    pub at: Timestamp,
    /// In words.
    pub why: String,
    /// By whom.
    pub by: EndedBy,
}

/// A bank account, as far as it may be shown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Account {
    /// Whose it is.
    pub name: Option<String>,
    /// Its bank.
    pub bank_name: Option<String>,
    /// The last four digits.
    pub last4: Option<String>,
    /// `business` or `personal`: how long a debit of it can be taken back as not allowed.
    pub holder: Option<String>,
    /// The processor's name of the mandate.
    pub processor_mandate_id: Option<String>,
    /// The processor's name of the account.
    pub processor_method_id: Option<String>,
}

impl Rule {
    /// The word the store uses.
    pub const fn as_str(self) -> &'static str {
        match self {
            Rule::Once => "once",
            Rule::Standing => "standing",
        }
    }

    /// The rule behind such a word.
    pub fn parse(word: &str) -> Option<Rule> {
        [Rule::Once, Rule::Standing].into_iter().find(|rule| rule.as_str() == word)
    }
}

impl EndedBy {
    /// The word the store uses.
    pub const fn as_str(self) -> &'static str {
        match self {
            EndedBy::Payer => "payer",
            EndedBy::Staff => "staff",
            EndedBy::Bank => "bank",
            EndedBy::Processor => "processor",
        }
    }

    /// Who is behind such a word.
    pub fn parse(word: &str) -> Option<EndedBy> {
        let all = [EndedBy::Payer, EndedBy::Staff, EndedBy::Bank, EndedBy::Processor];
        all.into_iter().find(|by| by.as_str() == word)
    }
}

impl Mandate {
    /// The payment it was given for.
    pub const fn payment_id(&self) -> Option<PaymentId> {
        match self.given_for {
            GivenFor::Payment(id) => Some(id),
            GivenFor::Setup(_) => None,
        }
    }
}

const INSERT: Sql = Sql("INSERT INTO mandates (merchant_id, id, payment_id, setup_id, customer_id, contact_id, method, rule, wording,
    wording_hash, amount, currency, payer_email, client, user_agent, language, offered_at, accepted_at, account_name, bank_name,
    last4, holder, processor_mandate_id, processor_method_id)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24)");
const BY_ID: Sql = Sql("SELECT id, payment_id, setup_id, customer_id, contact_id, method, rule, wording, wording_hash, amount,
    currency, payer_email, client, user_agent, language, offered_at, accepted_at, account_name, bank_name, last4, holder,
    processor_mandate_id, processor_method_id, ended_at, ended_why, ended_by
  FROM mandates WHERE merchant_id = $1 AND id = $2");
const BY_PAYMENT: Sql = Sql("SELECT id, payment_id, setup_id, customer_id, contact_id, method, rule, wording, wording_hash, amount,
    currency, payer_email, client, user_agent, language, offered_at, accepted_at, account_name, bank_name, last4, holder,
    processor_mandate_id, processor_method_id, ended_at, ended_why, ended_by
  FROM mandates WHERE merchant_id = $1 AND payment_id = $2");
const BY_SETUP: Sql = Sql("SELECT id, payment_id, setup_id, customer_id, contact_id, method, rule, wording, wording_hash, amount,
    currency, payer_email, client, user_agent, language, offered_at, accepted_at, account_name, bank_name, last4, holder,
    processor_mandate_id, processor_method_id, ended_at, ended_why, ended_by
  FROM mandates WHERE merchant_id = $1 AND setup_id = $2");
const STANDING_OF_METHOD: Sql = Sql("SELECT id, payment_id, setup_id, customer_id, contact_id, method, rule, wording, wording_hash,
    amount, currency, payer_email, client, user_agent, language, offered_at, accepted_at, account_name, bank_name, last4, holder,
    processor_mandate_id, processor_method_id, ended_at, ended_why, ended_by
  FROM mandates WHERE merchant_id = $1 AND processor_method_id = $2 AND rule = 'standing' ORDER BY id DESC LIMIT 1");
const BY_PROCESSOR_ID: Sql = Sql("SELECT id, payment_id, setup_id, customer_id, contact_id, method, rule, wording, wording_hash,
    amount, currency, payer_email, client, user_agent, language, offered_at, accepted_at, account_name, bank_name, last4, holder,
    processor_mandate_id, processor_method_id, ended_at, ended_why, ended_by
  FROM mandates WHERE merchant_id = $1 AND processor_mandate_id = $2 AND (rule = 'standing' OR payment_id IS NOT NULL)
  ORDER BY CASE WHEN rule = 'standing' THEN 0 ELSE 1 END, id LIMIT 1");
const NEWEST: Sql = Sql("SELECT id, payment_id, setup_id, customer_id, contact_id, method, rule, wording, wording_hash, amount,
    currency, payer_email, client, user_agent, language, offered_at, accepted_at, account_name, bank_name, last4, holder,
    processor_mandate_id, processor_method_id, ended_at, ended_why, ended_by
  FROM mandates WHERE merchant_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3");
const NEWEST_OF_CUSTOMER: Sql = Sql("SELECT id, payment_id, setup_id, customer_id, contact_id, method, rule, wording, wording_hash,
    amount, currency, payer_email, client, user_agent, language, offered_at, accepted_at, account_name, bank_name, last4, holder,
    processor_mandate_id, processor_method_id, ended_at, ended_why, ended_by
  FROM mandates WHERE merchant_id = $1 AND id < $2 AND customer_id = $4 ORDER BY id DESC LIMIT $3");
const ACCEPT_FOR_PAYMENT: Sql =
    Sql("UPDATE mandates SET accepted_at = COALESCE(accepted_at, $3), account_name = COALESCE($4, account_name),
    bank_name = COALESCE($5, bank_name), last4 = COALESCE($6, last4),
    processor_mandate_id = COALESCE($7, processor_mandate_id), processor_method_id = COALESCE($8, processor_method_id),
    holder = COALESCE($9, holder)
  WHERE merchant_id = $1 AND payment_id = $2");
const ACCEPT_FOR_SETUP: Sql =
    Sql("UPDATE mandates SET accepted_at = COALESCE(accepted_at, $3), account_name = COALESCE($4, account_name),
    bank_name = COALESCE($5, bank_name), last4 = COALESCE($6, last4),
    processor_mandate_id = COALESCE($7, processor_mandate_id), processor_method_id = COALESCE($8, processor_method_id),
    holder = COALESCE($9, holder)
  WHERE merchant_id = $1 AND setup_id = $2");
const END: Sql = Sql("UPDATE mandates SET ended_at = $3, ended_why = $4, ended_by = $5
  WHERE merchant_id = $1 AND id = $2 AND ended_at IS NULL");

/// Adds what a payer agrees to.
pub async fn insert(tx: &mut Tx, merchant: MerchantId, mandate: &Mandate) -> Result<()> {
    let (payment, setup) = match &mandate.given_for {
        GivenFor::Payment(id) => (Some(id.as_bytes()), None),
        GivenFor::Setup(id) => (None, Some(id.as_bytes())),
    };
    let args = args![
        merchant.0,
        mandate.id.as_bytes(),
        payment,
        setup,
        mandate.customer_id.as_bytes(),
        mandate.contact_id.as_ref().map(ContactId::as_bytes),
        mandate.method.as_str(),
        mandate.rule.as_str(),
        &mandate.wording,
        &mandate.wording_hash,
        mandate.amount.map(Money::minor),
        mandate.amount.map(|amount| amount.currency().code()),
        mandate.payer_email.as_deref(),
        mandate.client.as_deref(),
        mandate.user_agent.as_deref(),
        &mandate.language,
        mandate.offered_at.as_microsecond(),
        mandate.accepted_at.map(Timestamp::as_microsecond),
        mandate.account.name.as_deref(),
        mandate.account.bank_name.as_deref(),
        mandate.account.last4.as_deref(),
        mandate.account.holder.as_deref(),
        mandate.account.processor_mandate_id.as_deref(),
        mandate.account.processor_method_id.as_deref(),
    ];
    tx.write_one(INSERT, args).await
}

/// The mandate with this id.
pub async fn find_by_id(tx: &mut Tx, merchant: MerchantId, id: MandateId) -> Result<Option<Mandate>> {
    tx.fetch_optional(BY_ID, args![merchant.0, id.as_bytes()], decode).await
}

/// The mandate that was given for a payment.
pub async fn find(tx: &mut Tx, merchant: MerchantId, payment: PaymentId) -> Result<Option<Mandate>> {
    tx.fetch_optional(BY_PAYMENT, args![merchant.0, payment.as_bytes()], decode).await
}

/// The mandate that was given for keeping an account.
pub async fn find_of_setup(tx: &mut Tx, merchant: MerchantId, setup: SetupId) -> Result<Option<Mandate>> {
    tx.fetch_optional(BY_SETUP, args![merchant.0, setup.as_bytes()], decode).await
}

/// The newest standing mandate of an account, by the processor's name of the account.
pub async fn find_standing(tx: &mut Tx, merchant: MerchantId, token: &str) -> Result<Option<Mandate>> {
    tx.fetch_optional(STANDING_OF_METHOD, args![merchant.0, token], decode).await
}

/// The mandate that the processor calls so; of several, the standing one that the others rest on.
pub async fn find_by_processor_id(
    tx: &mut Tx,
    merchant: MerchantId,
    processor_mandate_id: &str,
) -> Result<Option<Mandate>> {
    tx.fetch_optional(BY_PROCESSOR_ID, args![merchant.0, processor_mandate_id], decode).await
}

/// Mandates before `before` (none: the newest), newest first; of one customer, or of all.
pub async fn newest(
    tx: &mut Tx,
    merchant: MerchantId,
    of: Option<CustomerId>,
    before: Option<MandateId>,
    limit: i64,
) -> Result<Vec<Mandate>> {
    let before = before.map_or([255; 16], |id| *id.as_bytes());
    match of {
        Some(id) => {
            tx.fetch_all(NEWEST_OF_CUSTOMER, args![merchant.0, &before, limit, id.as_bytes()], decode).await
        }
        None => tx.fetch_all(NEWEST, args![merchant.0, &before, limit], decode).await,
    }
}

/// Notes that the bank page was submitted, and for which account; the first time counts, and nothing known is forgotten.
pub async fn accept(
    tx: &mut Tx,
    merchant: MerchantId,
    given_for: GivenFor,
    account: &Account,
    at: Timestamp,
) -> Result<()> {
    let (sql, id) = match &given_for {
        GivenFor::Payment(id) => (ACCEPT_FOR_PAYMENT, id.as_bytes()),
        GivenFor::Setup(id) => (ACCEPT_FOR_SETUP, id.as_bytes()),
    };
    let args = args![
        merchant.0,
        id,
        at.as_microsecond(),
        account.name.as_deref(),
        account.bank_name.as_deref(),
        account.last4.as_deref(),
        account.processor_mandate_id.as_deref(),
        account.processor_method_id.as_deref(),
        account.holder.as_deref(),
    ];
    tx.execute(sql, args).await.map(drop)
}

/// Ends a mandate; `false` where there is none or it has ended.
pub async fn end(tx: &mut Tx, merchant: MerchantId, id: MandateId, ended: &Ended) -> Result<bool> {
    let Ended { at, why, by } = ended;
    let args = args![merchant.0, id.as_bytes(), at.as_microsecond(), why, by.as_str()];
    Ok(tx.execute(END, args).await? == 1)
}

fn decode(row: &Row<'_>) -> Result<Mandate> {
    let payment = row.opt_bytes16(1)?.map(PaymentId::from_bytes).map(GivenFor::Payment);
    let amount = match row.opt_i64(9)? {
        Some(minor) => Some(Money::new(minor, currency(row, 10)?)),
        None => None,
    };
    let ended = match opt_timestamp(row, 23)?.zip(row.opt_text(24)?) {
        Some((at, why)) => Some(Ended { at, why, by: word(row, 25, EndedBy::parse)? }),
        None => None,
    };
    Ok(Mandate {
        id: MandateId::from_bytes(row.bytes16(0)?),
        given_for: match payment {
            Some(given_for) => given_for,
            None => GivenFor::Setup(SetupId::from_bytes(row.bytes16(2)?)),
        },
        customer_id: CustomerId::from_bytes(row.bytes16(3)?),
        contact_id: row.opt_bytes16(4)?.map(ContactId::from_bytes),
        method: word(row, 5, Method::parse)?,
        rule: word(row, 6, Rule::parse)?,
        wording: row.text(7)?,
        wording_hash: row.bytes32(8)?,
        amount,
        payer_email: row.opt_text(11)?,
        client: row.opt_text(12)?,
        user_agent: row.opt_text(13)?,
        language: row.text(14)?,
        offered_at: timestamp(row, 15)?,
        accepted_at: opt_timestamp(row, 16)?,
        account: Account {
            name: row.opt_text(17)?,
            bank_name: row.opt_text(18)?,
            last4: row.opt_text(19)?,
            holder: row.opt_text(20)?,
            processor_mandate_id: row.opt_text(21)?,
            processor_method_id: row.opt_text(22)?,
        },
        ended,
    })
}
