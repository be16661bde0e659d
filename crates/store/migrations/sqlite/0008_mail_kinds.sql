-- More kinds of mails: what becomes of refunds and disputes, agreements, and what the merchant hears of a return. The table is made
-- anew, since a CHECK cannot be changed.
CREATE TABLE mails_2 (
  merchant_id INTEGER NOT NULL REFERENCES merchants,
  id BLOB NOT NULL CHECK (length(id) = 16),
  kind TEXT NOT NULL CHECK (kind IN ('invoice', 'code', 'received', 'failed', 'started', 'returned',
    'returned_notice', 'refunded', 'refund_failed', 'dispute_opened', 'dispute_ended', 'agreement', 'agreement_ended')),
  cause TEXT NOT NULL,
  recipient TEXT NOT NULL,
  invoice_id BLOB,
  payment_id BLOB,
  link_id BLOB,
  signin_id BLOB,
  state TEXT NOT NULL CHECK (state IN ('queued', 'sent', 'dropped')),
  tries INTEGER NOT NULL,
  next_at INTEGER NOT NULL,
  last_error TEXT,
  created_at INTEGER NOT NULL,
  sent_at INTEGER,
  PRIMARY KEY (merchant_id, id),
  UNIQUE (merchant_id, kind, cause, recipient),
  FOREIGN KEY (merchant_id, invoice_id) REFERENCES invoices (merchant_id, id),
  FOREIGN KEY (merchant_id, payment_id) REFERENCES payments (merchant_id, id),
  FOREIGN KEY (merchant_id, link_id) REFERENCES links (merchant_id, id)
) STRICT;
INSERT INTO mails_2 SELECT merchant_id, id, kind, cause, recipient, invoice_id, payment_id, link_id, signin_id, state, tries,
  next_at, last_error, created_at, sent_at FROM mails;
DROP TABLE mails;
ALTER TABLE mails_2 RENAME TO mails;
CREATE INDEX mails_queued ON mails (next_at) WHERE state = 'queued';
CREATE INDEX mails_by_invoice ON mails (merchant_id, invoice_id, id);
