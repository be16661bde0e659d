-- Customer credit comes from elsewhere too than from a payment that was too much for its invoice, and it is spent on other
-- invoices than the one it was born on.
ALTER TABLE grants ALTER COLUMN payment_id DROP NOT NULL;
ALTER TABLE grants ALTER COLUMN invoice_id DROP NOT NULL;
ALTER TABLE grants ADD COLUMN source TEXT COLLATE "C" NOT NULL DEFAULT 'surplus' CHECK (source IN ('surplus', 'credit_note',
  'refund_failed', 'refund_withdrawn', 'dispute_won', 'taken_off', 'matched'));
ALTER TABLE grants ALTER COLUMN source DROP DEFAULT;
CREATE INDEX grants_of_customer ON grants (merchant_id, customer_id, id);
CREATE INDEX grants_of_payment ON grants (merchant_id, payment_id, id);

-- Somebody set credit against an invoice, of one grant or of several.
CREATE TABLE credit_applications (
  merchant_id BIGINT NOT NULL REFERENCES merchants,
  id BYTEA NOT NULL CHECK (length(id) = 16),
  customer_id BYTEA NOT NULL,
  invoice_id BYTEA NOT NULL,
  currency TEXT COLLATE "C" NOT NULL,
  amount BIGINT NOT NULL CHECK (amount > 0),
  contact_id BYTEA,
  actor TEXT COLLATE "C" NOT NULL CHECK (actor <> ''),
  at BIGINT NOT NULL,
  PRIMARY KEY (merchant_id, id),
  FOREIGN KEY (merchant_id, customer_id) REFERENCES customers (merchant_id, id),
  FOREIGN KEY (merchant_id, invoice_id) REFERENCES invoices (merchant_id, id),
  FOREIGN KEY (merchant_id, contact_id) REFERENCES contacts (merchant_id, id)
);
CREATE INDEX credit_applications_by_invoice ON credit_applications (merchant_id, invoice_id, id);
CREATE INDEX credit_applications_by_customer ON credit_applications (merchant_id, customer_id, id);

-- What was set against an invoice is a payment's money, or credit that a grant holds.
ALTER TABLE allocations ALTER COLUMN payment_id DROP NOT NULL;
ALTER TABLE allocations ADD COLUMN application_id BYTEA;
ALTER TABLE allocations ADD CONSTRAINT allocations_application_fkey
  FOREIGN KEY (merchant_id, application_id) REFERENCES credit_applications (merchant_id, id);
ALTER TABLE allocations ADD CONSTRAINT allocations_check CHECK (payment_id IS NOT NULL OR grant_id IS NOT NULL);
CREATE INDEX allocations_by_grant ON allocations (merchant_id, grant_id) WHERE grant_id IS NOT NULL;
CREATE INDEX allocations_by_application ON allocations (merchant_id, application_id) WHERE application_id IS NOT NULL;

-- A document that lowers what an invoice asks.
CREATE TABLE credit_notes (
  merchant_id BIGINT NOT NULL REFERENCES merchants,
  id BYTEA NOT NULL CHECK (length(id) = 16),
  number TEXT COLLATE "C" NOT NULL,
  customer_id BYTEA NOT NULL,
  invoice_id BYTEA NOT NULL,
  currency TEXT COLLATE "C" NOT NULL,
  amount BIGINT NOT NULL CHECK (amount > 0),
  tax BIGINT NOT NULL CHECK (tax BETWEEN 0 AND amount),
  to_invoice BIGINT NOT NULL CHECK (to_invoice BETWEEN 0 AND amount),
  reason TEXT COLLATE "C" NOT NULL,
  posting_id BYTEA NOT NULL,
  issued_on TEXT COLLATE "C" NOT NULL,
  issued_at BIGINT NOT NULL,
  PRIMARY KEY (merchant_id, id),
  UNIQUE (merchant_id, number),
  FOREIGN KEY (merchant_id, customer_id) REFERENCES customers (merchant_id, id),
  FOREIGN KEY (merchant_id, invoice_id) REFERENCES invoices (merchant_id, id),
  FOREIGN KEY (merchant_id, posting_id) REFERENCES postings (merchant_id, id)
);
CREATE INDEX credit_notes_by_invoice ON credit_notes (merchant_id, invoice_id, id);
CREATE TABLE credit_note_taxes (
  merchant_id BIGINT NOT NULL,
  credit_note_id BYTEA NOT NULL,
  tax_rate BIGINT NOT NULL,
  amount BIGINT NOT NULL CHECK (amount > 0),
  PRIMARY KEY (merchant_id, credit_note_id, tax_rate),
  FOREIGN KEY (merchant_id, credit_note_id) REFERENCES credit_notes (merchant_id, id)
);
ALTER TABLE grants ADD COLUMN credit_note_id BYTEA;
ALTER TABLE grants ADD CONSTRAINT grants_credit_note_fkey
  FOREIGN KEY (merchant_id, credit_note_id) REFERENCES credit_notes (merchant_id, id);
ALTER TABLE numberings ADD COLUMN next_credit_note BIGINT NOT NULL DEFAULT 1 CHECK (next_credit_note >= 1);

-- What was given up of an invoice; below 0 where money came for it after all.
CREATE TABLE write_offs (
  merchant_id BIGINT NOT NULL REFERENCES merchants,
  id BYTEA NOT NULL CHECK (length(id) = 16),
  invoice_id BYTEA NOT NULL,
  currency TEXT COLLATE "C" NOT NULL,
  amount BIGINT NOT NULL CHECK (amount <> 0),
  reason TEXT COLLATE "C" NOT NULL,
  payment_id BYTEA CHECK ((payment_id IS NULL) = (amount > 0)),
  posting_id BYTEA NOT NULL,
  at BIGINT NOT NULL,
  PRIMARY KEY (merchant_id, id),
  FOREIGN KEY (merchant_id, invoice_id) REFERENCES invoices (merchant_id, id),
  FOREIGN KEY (merchant_id, payment_id) REFERENCES payments (merchant_id, id),
  FOREIGN KEY (merchant_id, posting_id) REFERENCES postings (merchant_id, id)
);
CREATE INDEX write_offs_by_invoice ON write_offs (merchant_id, invoice_id, id);

-- Money at the bank of which nobody knows yet whose it is. As soon as somebody does, it is a payment of the same id.
CREATE TABLE unmatched_receipts (
  merchant_id BIGINT NOT NULL REFERENCES merchants,
  id BYTEA NOT NULL CHECK (length(id) = 16),
  method TEXT COLLATE "C" NOT NULL CHECK (method IN ('cheque', 'wire', 'cash')),
  currency TEXT COLLATE "C" NOT NULL,
  amount BIGINT NOT NULL CHECK (amount > 0),
  remaining BIGINT NOT NULL CHECK (0 <= remaining AND remaining <= amount),
  payer TEXT COLLATE "C",
  reference TEXT COLLATE "C",
  received_on TEXT COLLATE "C" NOT NULL,
  customer_id BYTEA CHECK (customer_id IS NOT NULL OR remaining = amount),
  created_at BIGINT NOT NULL,
  PRIMARY KEY (merchant_id, id),
  FOREIGN KEY (merchant_id, customer_id) REFERENCES customers (merchant_id, id)
);
CREATE INDEX unmatched_receipts_waiting ON unmatched_receipts (merchant_id, id) WHERE remaining > 0;
-- What of a receipt had no place yet when it became a payment.
ALTER TABLE receipts ADD COLUMN unapplied BIGINT NOT NULL DEFAULT 0 CHECK (unapplied >= 0);

-- Invoices that demand a payment again which the bank took back.
CREATE TABLE returned_payment_demands (
  merchant_id BIGINT NOT NULL REFERENCES merchants,
  invoice_id BYTEA NOT NULL,
  customer_id BYTEA NOT NULL,
  currency TEXT COLLATE "C" NOT NULL,
  amount BIGINT NOT NULL CHECK (amount > 0),
  at BIGINT NOT NULL,
  PRIMARY KEY (merchant_id, invoice_id),
  FOREIGN KEY (merchant_id, invoice_id) REFERENCES invoices (merchant_id, id),
  FOREIGN KEY (merchant_id, customer_id) REFERENCES customers (merchant_id, id)
);
CREATE INDEX entries_of_customer ON entries (merchant_id, customer_id, account) WHERE account = 1150;

CREATE TRIGGER credit_applications_no_change BEFORE UPDATE OR DELETE ON credit_applications FOR EACH ROW EXECUTE FUNCTION only_ever_added();
CREATE TRIGGER credit_applications_no_truncate BEFORE TRUNCATE ON credit_applications FOR EACH STATEMENT EXECUTE FUNCTION only_ever_added();
CREATE TRIGGER credit_notes_no_change BEFORE UPDATE OR DELETE ON credit_notes FOR EACH ROW EXECUTE FUNCTION only_ever_added();
CREATE TRIGGER credit_notes_no_truncate BEFORE TRUNCATE ON credit_notes FOR EACH STATEMENT EXECUTE FUNCTION only_ever_added();
CREATE TRIGGER credit_note_taxes_no_change BEFORE UPDATE OR DELETE ON credit_note_taxes FOR EACH ROW EXECUTE FUNCTION only_ever_added();
CREATE TRIGGER credit_note_taxes_no_truncate BEFORE TRUNCATE ON credit_note_taxes FOR EACH STATEMENT EXECUTE FUNCTION only_ever_added();
CREATE TRIGGER write_offs_no_change BEFORE UPDATE OR DELETE ON write_offs FOR EACH ROW EXECUTE FUNCTION only_ever_added();
CREATE TRIGGER write_offs_no_truncate BEFORE TRUNCATE ON write_offs FOR EACH STATEMENT EXECUTE FUNCTION only_ever_added();
