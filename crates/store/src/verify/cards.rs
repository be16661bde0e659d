//! Card numbers in free text: invariant 25. Every text that somebody else may have written is read; what is found
//! is named by its row and never printed.

mod number;

pub use number::holds_card_number;

use super::{VerifyReport, found, printed};
use crate::args;
use crate::db::{Sql, Tx};
use anyhow::Result;
use billing::ids::MerchantId;

const PAGE: i64 = 5_000;

/// The texts of one table: the statement answers ids in order, after a given one, each with its texts.
struct Texts {
    what: &'static str,
    prefix: &'static str,
    sql: Sql,
}

const TEXTS: &[Texts] = &[
    Texts {
        what: "the name or address of a customer holds a card number",
        prefix: "cus_",
        sql: Sql("SELECT id, name || ' | ' || address FROM customers \
             WHERE merchant_id = $1 AND id > $2 ORDER BY id LIMIT $3"),
    },
    Texts {
        what: "the name or address of a contact holds a card number",
        prefix: "con_",
        sql: Sql("SELECT id, name || ' | ' || email FROM contacts \
             WHERE merchant_id = $1 AND id > $2 ORDER BY id LIMIT $3"),
    },
    Texts {
        what: "the number, reference or memo of an invoice holds a card number",
        prefix: "inv_",
        sql: Sql(
            "SELECT id, number || ' | ' || COALESCE(purchase_order, '') || ' | ' || COALESCE(memo, '') FROM invoices \
             WHERE merchant_id = $1 AND id > $2 ORDER BY id LIMIT $3",
        ),
    },
    Texts {
        what: "a line of an invoice holds a card number",
        prefix: "inv_",
        sql: Sql("SELECT i.id, COALESCE(l.description, '') FROM (SELECT id FROM invoices \
             WHERE merchant_id = $1 AND id > $2 ORDER BY id LIMIT $3) i \
             LEFT JOIN invoice_lines l ON l.merchant_id = $1 AND l.invoice_id = i.id ORDER BY i.id, l.position"),
    },
    Texts {
        what: "the reference or address of a payment holds a card number",
        prefix: "pay_",
        sql: Sql(
            "SELECT id, COALESCE(payer_reference, '') || ' | ' || COALESCE(receipt_email, '') || ' | ' || \
             COALESCE(decline, '') || ' | ' || COALESCE(reference, '') FROM payments WHERE merchant_id = $1 AND id > $2 ORDER BY id LIMIT $3",
        ),
    },
    Texts {
        what: "the reason of a credit note holds a card number",
        prefix: "crn_",
        sql: Sql(
            "SELECT id, reason FROM credit_notes WHERE merchant_id = $1 AND id > $2 ORDER BY id LIMIT $3",
        ),
    },
    Texts {
        what: "the reason of a write-off holds a card number",
        prefix: "wof_",
        sql: Sql("SELECT id, reason FROM write_offs WHERE merchant_id = $1 AND id > $2 ORDER BY id LIMIT $3"),
    },
    Texts {
        what: "the payer or reference of a receipt holds a card number",
        prefix: "pay_",
        sql: Sql(
            "SELECT id, COALESCE(payer, '') || ' | ' || COALESCE(reference, '') FROM unmatched_receipts \
             WHERE merchant_id = $1 AND id > $2 ORDER BY id LIMIT $3",
        ),
    },
    Texts {
        what: "a mandate holds a card number",
        prefix: "man_",
        sql: Sql(
            "SELECT id, wording || ' | ' || COALESCE(payer_email, '') || ' | ' || COALESCE(user_agent, '') || ' | ' || \
             COALESCE(account_name, '') || ' | ' || COALESCE(bank_name, '') || ' | ' || COALESCE(ended_why, '') \
             FROM mandates WHERE merchant_id = $1 AND id > $2 ORDER BY id LIMIT $3",
        ),
    },
    Texts {
        what: "the word of a person on a payment holds a card number",
        prefix: "pay_",
        sql: Sql("SELECT i.payment_id, r.reason || ' | ' || COALESCE(r.unanswered, '') FROM (\
             SELECT DISTINCT payment_id FROM resolutions WHERE merchant_id = $1 AND payment_id > $2 \
             ORDER BY payment_id LIMIT $3) i \
             JOIN resolutions r ON r.merchant_id = $1 AND r.payment_id = i.payment_id ORDER BY i.payment_id"),
    },
    Texts {
        what: "a proposal to settle a payment holds a card number",
        prefix: "pay_",
        sql: Sql("SELECT i.payment_id, r.reason || ' | ' || COALESCE(r.charge_id, '') FROM (\
             SELECT DISTINCT payment_id FROM resolution_proposals WHERE merchant_id = $1 AND payment_id > $2 \
             ORDER BY payment_id LIMIT $3) i JOIN resolution_proposals r ON r.merchant_id = $1 \
             AND r.payment_id = i.payment_id ORDER BY i.payment_id, r.number"),
    },
    Texts {
        what: "the reason of a reversal holds a card number",
        prefix: "pay_",
        sql: Sql("SELECT id, reason FROM reversals WHERE merchant_id = $1 AND id > $2 ORDER BY id LIMIT $3"),
    },
    Texts {
        what: "the name of an API key holds a card number",
        prefix: "key_",
        sql: Sql("SELECT id, name FROM api_keys WHERE merchant_id = $1 AND id > $2 ORDER BY id LIMIT $3"),
    },
    Texts {
        what: "what was sent to the processor, or its reason, holds a card number",
        prefix: "att_",
        sql: Sql(
            "SELECT id, body || ' | ' || COALESCE(decline_code, '') || ' | ' || COALESCE(refusal, '') FROM attempts \
             WHERE merchant_id = $1 AND id > $2 ORDER BY id LIMIT $3",
        ),
    },
    Texts {
        what: "the reason or reference of a refund, or what was sent of it, holds a card number",
        prefix: "rfd_",
        sql: Sql(
            "SELECT id, reason || ' | ' || COALESCE(paid_reference, '') || ' | ' || COALESCE(failure_reason, '') || ' | ' || \
             COALESCE(body, '') FROM refunds WHERE merchant_id = $1 AND id > $2 ORDER BY id LIMIT $3",
        ),
    },
    Texts {
        what: "a mail holds a card number",
        prefix: "mai_",
        sql: Sql("SELECT id, cause || ' | ' || recipient || ' | ' || COALESCE(last_error, '') FROM mails \
             WHERE merchant_id = $1 AND id > $2 ORDER BY id LIMIT $3"),
    },
    Texts {
        what: "a dispute, or what was said against it, holds a card number",
        prefix: "dsp_",
        sql: Sql(
            "SELECT d.id, d.reason || ' | ' || COALESCE(e.texts, '') || ' | ' || COALESCE(e.refusal, '') || ' | ' \
             || COALESCE(f.name, '') FROM (SELECT id, reason FROM disputes \
             WHERE merchant_id = $1 AND id > $2 ORDER BY id LIMIT $3) d \
             LEFT JOIN evidence e ON e.merchant_id = $1 AND e.dispute_id = d.id \
             LEFT JOIN evidence_files f ON f.merchant_id = $1 AND f.dispute_id = d.id AND f.number = e.number \
             ORDER BY d.id, e.number, f.purpose",
        ),
    },
    Texts {
        what: "an event holds a card number",
        prefix: "evt_",
        sql: Sql("SELECT id, data FROM events WHERE merchant_id = $1 AND id > $2 ORDER BY id LIMIT $3"),
    },
    Texts {
        what: "an audit row holds a card number",
        prefix: "aud_",
        sql: Sql("SELECT id, object || ' | ' || before || ' | ' || after FROM audit \
             WHERE merchant_id = $1 AND id > $2 ORDER BY id LIMIT $3"),
    },
    Texts {
        what: "an anomaly record holds a card number",
        prefix: "ano_",
        sql: Sql("SELECT id, detail FROM anomalies WHERE merchant_id = $1 AND id > $2 ORDER BY id LIMIT $3"),
    },
    Texts {
        what: "the closing of an anomaly holds a card number",
        prefix: "ano_",
        sql: Sql("SELECT anomaly_id, note FROM anomaly_closings WHERE merchant_id = $1 AND anomaly_id > $2 \
             ORDER BY anomaly_id LIMIT $3"),
    },
];

const OF_MERCHANT: Sql = Sql(
    "SELECT name || ' | ' || address || ' | ' || help_email || ' | ' || COALESCE(help_phone, '') || ' | ' || \
     sender || ' | ' || statement_line FROM merchants WHERE merchant_id = $1",
);
const INBOX: Sql = Sql("SELECT processor, event_id, raw || ' | ' || COALESCE(last_error, '') FROM inbox \
     WHERE merchant_id = $1 AND (processor, event_id) > ($2, $3) ORDER BY processor, event_id LIMIT $4");

pub(super) async fn check(tx: &mut Tx, merchants: &[MerchantId], report: &mut VerifyReport) -> Result<()> {
    let (mut of_merchants, mut of_inbox) = (Vec::new(), Vec::new());
    for merchant_id in merchants {
        let own = tx.fetch_optional(OF_MERCHANT, args![merchant_id.0], |row| row.text(0)).await?;
        if own.is_some_and(|text| holds_card_number(&text)) {
            of_merchants.push(merchant_id.to_string());
        }
        inbox(tx, *merchant_id, &mut of_inbox).await?;
    }
    found(report, 25, "the name or address of a merchant holds a card number", of_merchants);
    found(report, 25, "an event of a processor holds a card number", of_inbox);
    for texts in TEXTS {
        let mut rows = Vec::new();
        for merchant_id in merchants {
            scan(tx, *merchant_id, texts, &mut rows).await?;
        }
        found(report, 25, texts.what, rows);
    }
    Ok(())
}

async fn scan(tx: &mut Tx, merchant_id: MerchantId, texts: &Texts, rows: &mut Vec<String>) -> Result<()> {
    let mut last = Vec::new();
    loop {
        let args = args![merchant_id.0, &last, PAGE];
        let page = tx.fetch_all(texts.sql, args, |row| Ok((row.blob(0)?, row.text(1)?))).await?;
        let Some((end, _)) = page.last() else { return Ok(()) };
        last.clone_from(end);
        for (id, _) in page.iter().filter(|(_, text)| holds_card_number(text)) {
            rows.push(format!("{} of {merchant_id}", printed(texts.prefix, id)));
        }
    }
}

async fn inbox(tx: &mut Tx, merchant_id: MerchantId, rows: &mut Vec<String>) -> Result<()> {
    let (mut processor, mut event_id) = (String::new(), String::new());
    loop {
        let args = args![merchant_id.0, &processor, &event_id, PAGE];
        let page = tx
            .fetch_all(INBOX, args, |row| Ok((row.text(0)?, row.text(1)?, holds_card_number(&row.text(2)?))))
            .await?;
        let Some((last_processor, last_event, _)) = page.last() else { return Ok(()) };
        (processor, event_id) = (last_processor.clone(), last_event.clone());
        for (processor, event_id, _) in page.iter().filter(|(_, _, holds)| *holds) {
            rows.push(format!("{processor} {event_id} of {merchant_id}"));
        }
    }
}
