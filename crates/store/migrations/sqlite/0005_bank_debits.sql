-- Money is debited from bank accounts too. A CHECK cannot be changed here, so the columns that say by what means money came, and
-- on which day where the merchant received it, are made anew.
ALTER TABLE payments ADD COLUMN by TEXT NOT NULL DEFAULT 'card'
  CHECK (by IN ('card', 'us_bank_account', 'sepa_debit', 'cheque', 'wire', 'cash'));
ALTER TABLE payments ADD COLUMN came_on TEXT CHECK ((came_on IS NULL) = (by IN ('card', 'us_bank_account', 'sepa_debit')));
UPDATE payments SET by = method, came_on = received_on;
ALTER TABLE payments DROP COLUMN received_on;
ALTER TABLE payments DROP COLUMN method;
ALTER TABLE payments RENAME COLUMN came_on TO received_on;
ALTER TABLE payments RENAME COLUMN by TO method;
-- A card has a brand, an account a bank; both have four last digits that may be shown.
ALTER TABLE payments RENAME COLUMN card_brand TO instrument_name;
ALTER TABLE payments RENAME COLUMN card_last4 TO instrument_last4;
-- When the money of a debit that the bank works on should be there, in the merchant's zone, and what the bank said where it sent
-- no money or took it back.
ALTER TABLE payments ADD COLUMN expected_on TEXT;
ALTER TABLE payments ADD COLUMN return_code TEXT;
ALTER TABLE payments ADD COLUMN returned_at INTEGER;

-- By which methods a merchant lets payers pay. Without a row: by card.
CREATE TABLE offered_methods (
  merchant_id INTEGER NOT NULL REFERENCES merchants,
  method TEXT NOT NULL CHECK (method IN ('card', 'us_bank_account', 'sepa_debit')),
  PRIMARY KEY (merchant_id, method)
) STRICT;

-- What a payer agreed to, word for word, before an account is debited. What the bank page tells is added to it once.
CREATE TABLE mandates (
  merchant_id INTEGER NOT NULL REFERENCES merchants,
  id BLOB NOT NULL CHECK (length(id) = 16),
  payment_id BLOB NOT NULL,
  customer_id BLOB NOT NULL,
  contact_id BLOB,
  method TEXT NOT NULL CHECK (method IN ('us_bank_account', 'sepa_debit')),
  wording TEXT NOT NULL,
  wording_hash BLOB NOT NULL CHECK (length(wording_hash) = 32),
  amount INTEGER NOT NULL CHECK (amount > 0),
  currency TEXT NOT NULL,
  payer_email TEXT,
  client TEXT,
  user_agent TEXT,
  language TEXT NOT NULL,
  offered_at INTEGER NOT NULL,
  accepted_at INTEGER,
  account_name TEXT,
  bank_name TEXT,
  last4 TEXT CHECK (length(last4) = 4),
  processor_mandate_id TEXT,
  processor_method_id TEXT,
  ended_at INTEGER,
  ended_why TEXT CHECK ((ended_why IS NULL) = (ended_at IS NULL)),
  PRIMARY KEY (merchant_id, id),
  UNIQUE (merchant_id, payment_id),
  FOREIGN KEY (merchant_id, payment_id) REFERENCES payments (merchant_id, id),
  FOREIGN KEY (merchant_id, customer_id) REFERENCES customers (merchant_id, id),
  FOREIGN KEY (merchant_id, contact_id) REFERENCES contacts (merchant_id, id)
) STRICT;
CREATE INDEX mandates_of_customer ON mandates (merchant_id, customer_id, id);
-- What was agreed stays as it was agreed.
CREATE TRIGGER mandates_no_rewording BEFORE UPDATE OF wording, wording_hash, amount, currency, payment_id, offered_at ON mandates
BEGIN SELECT RAISE(ABORT, 'mandates are never reworded'); END;
CREATE TRIGGER mandates_no_delete BEFORE DELETE ON mandates
BEGIN SELECT RAISE(ABORT, 'mandates are never deleted'); END;

-- Two kinds of mails more: a debit was started, and a bank took money back. The table is made anew, since a CHECK cannot be changed.
CREATE TABLE mails_2 (
  merchant_id INTEGER NOT NULL REFERENCES merchants,
  id BLOB NOT NULL CHECK (length(id) = 16),
  kind TEXT NOT NULL CHECK (kind IN ('invoice', 'code', 'received', 'failed', 'started', 'returned')),
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
