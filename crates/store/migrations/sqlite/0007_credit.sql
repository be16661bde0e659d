-- Customer credit comes from elsewhere too than from a payment that was too much for its invoice, and it is spent on other
-- invoices than the one it was born on. A column cannot be made to take nothing here, so both tables are made anew.
CREATE TEMPORARY TABLE allocations_kept AS SELECT * FROM allocations;
CREATE TEMPORARY TABLE grants_kept AS SELECT * FROM grants;
DROP TABLE allocations;
DROP TABLE grants;

-- Somebody set credit against an invoice, of one grant or of several.
CREATE TABLE credit_applications (
  merchant_id INTEGER NOT NULL REFERENCES merchants,
  id BLOB NOT NULL CHECK (length(id) = 16),
  customer_id BLOB NOT NULL,
  invoice_id BLOB NOT NULL,
  currency TEXT NOT NULL,
  amount INTEGER NOT NULL CHECK (amount > 0),
  contact_id BLOB,
  actor TEXT NOT NULL CHECK (actor <> ''),
  at INTEGER NOT NULL,
  PRIMARY KEY (merchant_id, id),
  FOREIGN KEY (merchant_id, customer_id) REFERENCES customers (merchant_id, id),
  FOREIGN KEY (merchant_id, invoice_id) REFERENCES invoices (merchant_id, id),
  FOREIGN KEY (merchant_id, contact_id) REFERENCES contacts (merchant_id, id)
) STRICT;
CREATE INDEX credit_applications_by_invoice ON credit_applications (merchant_id, invoice_id, id);
CREATE INDEX credit_applications_by_customer ON credit_applications (merchant_id, customer_id, id);

-- A document that lowers what an invoice asks.
CREATE TABLE credit_notes (
  merchant_id INTEGER NOT NULL REFERENCES merchants,
  id BLOB NOT NULL CHECK (length(id) = 16),
  number TEXT NOT NULL,
  customer_id BLOB NOT NULL,
  invoice_id BLOB NOT NULL,
  currency TEXT NOT NULL,
  amount INTEGER NOT NULL CHECK (amount > 0),
  tax INTEGER NOT NULL CHECK (tax BETWEEN 0 AND amount),
  to_invoice INTEGER NOT NULL CHECK (to_invoice BETWEEN 0 AND amount),
  reason TEXT NOT NULL,
  posting_id BLOB NOT NULL,
  issued_on TEXT NOT NULL,
  issued_at INTEGER NOT NULL,
  PRIMARY KEY (merchant_id, id),
  UNIQUE (merchant_id, number),
  FOREIGN KEY (merchant_id, customer_id) REFERENCES customers (merchant_id, id),
  FOREIGN KEY (merchant_id, invoice_id) REFERENCES invoices (merchant_id, id),
  FOREIGN KEY (merchant_id, posting_id) REFERENCES postings (merchant_id, id)
) STRICT;
CREATE INDEX credit_notes_by_invoice ON credit_notes (merchant_id, invoice_id, id);
CREATE TABLE credit_note_taxes (
  merchant_id INTEGER NOT NULL,
  credit_note_id BLOB NOT NULL,
  tax_rate INTEGER NOT NULL,
  amount INTEGER NOT NULL CHECK (amount > 0),
  PRIMARY KEY (merchant_id, credit_note_id, tax_rate),
  FOREIGN KEY (merchant_id, credit_note_id) REFERENCES credit_notes (merchant_id, id)
) STRICT;
CREATE TABLE grants (
  merchant_id INTEGER NOT NULL,
  id BLOB NOT NULL CHECK (length(id) = 16),
  customer_id BLOB NOT NULL,
  payment_id BLOB,
  invoice_id BLOB,
  currency TEXT NOT NULL,
  amount INTEGER NOT NULL CHECK (amount > 0),
  remaining INTEGER NOT NULL CHECK (0 <= remaining AND remaining <= amount),
  created_at INTEGER NOT NULL,
  source TEXT NOT NULL CHECK (source IN ('surplus', 'credit_note',
  'refund_failed', 'refund_withdrawn', 'dispute_won', 'taken_off', 'matched')),
  credit_note_id BLOB,
  PRIMARY KEY (merchant_id, id),
  FOREIGN KEY (merchant_id, customer_id) REFERENCES customers (merchant_id, id),
  FOREIGN KEY (merchant_id, payment_id) REFERENCES payments (merchant_id, id),
  FOREIGN KEY (merchant_id, invoice_id) REFERENCES invoices (merchant_id, id),
  FOREIGN KEY (merchant_id, credit_note_id) REFERENCES credit_notes (merchant_id, id)
) STRICT;
INSERT INTO grants SELECT merchant_id, id, customer_id, payment_id, invoice_id, currency, amount, remaining, created_at, 'surplus',
  NULL FROM grants_kept;
DROP TABLE grants_kept;
CREATE INDEX grants_left ON grants (merchant_id, invoice_id, id) WHERE remaining > 0;
CREATE INDEX grants_of_customer ON grants (merchant_id, customer_id, id);
CREATE INDEX grants_of_payment ON grants (merchant_id, payment_id, id);

-- What was set against an invoice is a payment's money, or credit that a grant holds.
CREATE TABLE allocations (
  merchant_id INTEGER NOT NULL,
  id BLOB NOT NULL CHECK (length(id) = 16),
  payment_id BLOB,
  grant_id BLOB,
  invoice_id BLOB NOT NULL,
  amount INTEGER NOT NULL CHECK (amount <> 0),
  posting_id BLOB NOT NULL,
  at INTEGER NOT NULL,
  application_id BLOB,
  PRIMARY KEY (merchant_id, id),
  FOREIGN KEY (merchant_id, payment_id) REFERENCES payments (merchant_id, id),
  FOREIGN KEY (merchant_id, grant_id) REFERENCES grants (merchant_id, id),
  FOREIGN KEY (merchant_id, invoice_id) REFERENCES invoices (merchant_id, id),
  FOREIGN KEY (merchant_id, posting_id) REFERENCES postings (merchant_id, id),
  FOREIGN KEY (merchant_id, application_id) REFERENCES credit_applications (merchant_id, id),
  CHECK (payment_id IS NOT NULL OR grant_id IS NOT NULL)
) STRICT;
INSERT INTO allocations SELECT merchant_id, id, payment_id, grant_id, invoice_id, amount, posting_id, at, NULL FROM allocations_kept;
DROP TABLE allocations_kept;
CREATE INDEX allocations_by_invoice ON allocations (merchant_id, invoice_id);
CREATE INDEX allocations_by_payment ON allocations (merchant_id, payment_id);
CREATE INDEX allocations_by_grant ON allocations (merchant_id, grant_id) WHERE grant_id IS NOT NULL;
CREATE INDEX allocations_by_application ON allocations (merchant_id, application_id) WHERE application_id IS NOT NULL;
CREATE TRIGGER allocations_no_update BEFORE UPDATE ON allocations BEGIN SELECT RAISE(ABORT, 'allocations are only ever added'); END;
CREATE TRIGGER allocations_no_delete BEFORE DELETE ON allocations BEGIN SELECT RAISE(ABORT, 'allocations are only ever added'); END;
ALTER TABLE numberings ADD COLUMN next_credit_note INTEGER NOT NULL DEFAULT 1 CHECK (next_credit_note >= 1);

-- What was given up of an invoice; below 0 where money came for it after all.
CREATE TABLE write_offs (
  merchant_id INTEGER NOT NULL REFERENCES merchants,
  id BLOB NOT NULL CHECK (length(id) = 16),
  invoice_id BLOB NOT NULL,
  currency TEXT NOT NULL,
  amount INTEGER NOT NULL CHECK (amount <> 0),
  reason TEXT NOT NULL,
  payment_id BLOB CHECK ((payment_id IS NULL) = (amount > 0)),
  posting_id BLOB NOT NULL,
  at INTEGER NOT NULL,
  PRIMARY KEY (merchant_id, id),
  FOREIGN KEY (merchant_id, invoice_id) REFERENCES invoices (merchant_id, id),
  FOREIGN KEY (merchant_id, payment_id) REFERENCES payments (merchant_id, id),
  FOREIGN KEY (merchant_id, posting_id) REFERENCES postings (merchant_id, id)
) STRICT;
CREATE INDEX write_offs_by_invoice ON write_offs (merchant_id, invoice_id, id);

-- Money at the bank of which nobody knows yet whose it is. As soon as somebody does, it is a payment of the same id.
CREATE TABLE unmatched_receipts (
  merchant_id INTEGER NOT NULL REFERENCES merchants,
  id BLOB NOT NULL CHECK (length(id) = 16),
  method TEXT NOT NULL CHECK (method IN ('cheque', 'wire', 'cash')),
  currency TEXT NOT NULL,
  amount INTEGER NOT NULL CHECK (amount > 0),
  remaining INTEGER NOT NULL CHECK (0 <= remaining AND remaining <= amount),
  payer TEXT,
  reference TEXT,
  received_on TEXT NOT NULL,
  customer_id BLOB CHECK (customer_id IS NOT NULL OR remaining = amount),
  created_at INTEGER NOT NULL,
  PRIMARY KEY (merchant_id, id),
  FOREIGN KEY (merchant_id, customer_id) REFERENCES customers (merchant_id, id)
) STRICT;
CREATE INDEX unmatched_receipts_waiting ON unmatched_receipts (merchant_id, id) WHERE remaining > 0;
-- What of a receipt had no place yet when it became a payment.
ALTER TABLE receipts ADD COLUMN unapplied INTEGER NOT NULL DEFAULT 0 CHECK (unapplied >= 0);

-- Invoices that demand a payment again which the bank took back.
CREATE TABLE returned_payment_demands (
  merchant_id INTEGER NOT NULL REFERENCES merchants,
  invoice_id BLOB NOT NULL,
  customer_id BLOB NOT NULL,
  currency TEXT NOT NULL,
  amount INTEGER NOT NULL CHECK (amount > 0),
  at INTEGER NOT NULL,
  PRIMARY KEY (merchant_id, invoice_id),
  FOREIGN KEY (merchant_id, invoice_id) REFERENCES invoices (merchant_id, id),
  FOREIGN KEY (merchant_id, customer_id) REFERENCES customers (merchant_id, id)
) STRICT;
CREATE INDEX entries_of_customer ON entries (merchant_id, customer_id, account) WHERE account = 1150;

CREATE TRIGGER credit_applications_no_update BEFORE UPDATE ON credit_applications BEGIN SELECT RAISE(ABORT, 'credit_applications are only ever added'); END;
CREATE TRIGGER credit_applications_no_delete BEFORE DELETE ON credit_applications BEGIN SELECT RAISE(ABORT, 'credit_applications are only ever added'); END;
CREATE TRIGGER credit_notes_no_update BEFORE UPDATE ON credit_notes BEGIN SELECT RAISE(ABORT, 'credit_notes are only ever added'); END;
CREATE TRIGGER credit_notes_no_delete BEFORE DELETE ON credit_notes BEGIN SELECT RAISE(ABORT, 'credit_notes are only ever added'); END;
CREATE TRIGGER credit_note_taxes_no_update BEFORE UPDATE ON credit_note_taxes BEGIN SELECT RAISE(ABORT, 'credit_note_taxes are only ever added'); END;
CREATE TRIGGER credit_note_taxes_no_delete BEFORE DELETE ON credit_note_taxes BEGIN SELECT RAISE(ABORT, 'credit_note_taxes are only ever added'); END;
CREATE TRIGGER write_offs_no_update BEFORE UPDATE ON write_offs BEGIN SELECT RAISE(ABORT, 'write_offs are only ever added'); END;
CREATE TRIGGER write_offs_no_delete BEFORE DELETE ON write_offs BEGIN SELECT RAISE(ABORT, 'write_offs are only ever added'); END;
