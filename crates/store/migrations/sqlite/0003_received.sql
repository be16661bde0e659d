-- Money that came another way than through a processor is a payment too: it is born succeeded. A CHECK cannot be changed here,
-- so the column is made anew; every payment so far was by card.
ALTER TABLE payments ADD COLUMN by TEXT NOT NULL DEFAULT 'card' CHECK (by IN ('card', 'cheque', 'wire', 'cash'));
ALTER TABLE payments DROP COLUMN method;
ALTER TABLE payments RENAME COLUMN by TO method;
-- What the merchant's books know it by: the number of a cheque, the text of a transfer; and the day it came, in the merchant's zone.
ALTER TABLE payments ADD COLUMN reference TEXT;
ALTER TABLE payments ADD COLUMN received_on TEXT CHECK ((received_on IS NULL) = (method = 'card'));

-- What was answered to a request that carried a key, so that its repeat gets the very same.
ALTER TABLE idempotency ADD COLUMN answer TEXT;

-- Keys of programs. The secret is shown once and never kept.
CREATE TABLE api_keys (
  merchant_id INTEGER NOT NULL REFERENCES merchants,
  id BLOB NOT NULL CHECK (length(id) = 16),
  name TEXT NOT NULL,
  shown TEXT NOT NULL,
  key_hash BLOB NOT NULL CHECK (length(key_hash) = 32),
  scopes TEXT NOT NULL,
  requests_per_minute INTEGER NOT NULL CHECK (requests_per_minute >= 0),
  created_at INTEGER NOT NULL,
  expires_at INTEGER,
  revoked_at INTEGER,
  used_at INTEGER,
  PRIMARY KEY (merchant_id, id),
  UNIQUE (merchant_id, key_hash)
) STRICT;

-- The next number of an invoice that is issued without one.
CREATE TABLE numberings (
  merchant_id INTEGER NOT NULL PRIMARY KEY REFERENCES merchants,
  next INTEGER NOT NULL CHECK (next >= 1)
) STRICT;

-- The API lists a customer's invoices and payments in the order they were made.
CREATE INDEX invoices_of_customer ON invoices (merchant_id, customer_id, id);
CREATE INDEX payments_of_customer ON payments (merchant_id, customer_id, id);
-- One cheque may pay several invoices, and each of them shows it.
CREATE INDEX receipt_lines_by_invoice ON receipt_lines (merchant_id, invoice_id, payment_id);
