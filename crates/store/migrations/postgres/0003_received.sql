-- Money that came another way than through a processor is a payment too: it is born succeeded.
ALTER TABLE payments DROP CONSTRAINT payments_method_check;
ALTER TABLE payments ADD CONSTRAINT payments_method_check CHECK (method IN ('card', 'cheque', 'wire', 'cash'));
-- What the merchant's books know it by: the number of a cheque, the text of a transfer; and the day it came, in the merchant's zone.
ALTER TABLE payments ADD COLUMN reference TEXT COLLATE "C";
ALTER TABLE payments ADD COLUMN received_on TEXT COLLATE "C" CHECK ((received_on IS NULL) = (method = 'card'));

-- What was answered to a request that carried a key, so that its repeat gets the very same.
ALTER TABLE idempotency ADD COLUMN answer TEXT COLLATE "C";

-- Keys of programs. The secret is shown once and never kept.
CREATE TABLE api_keys (
  merchant_id BIGINT NOT NULL REFERENCES merchants,
  id BYTEA NOT NULL CHECK (length(id) = 16),
  name TEXT COLLATE "C" NOT NULL,
  shown TEXT COLLATE "C" NOT NULL,
  key_hash BYTEA NOT NULL CHECK (length(key_hash) = 32),
  scopes TEXT COLLATE "C" NOT NULL,
  requests_per_minute BIGINT NOT NULL CHECK (requests_per_minute >= 0),
  created_at BIGINT NOT NULL,
  expires_at BIGINT,
  revoked_at BIGINT,
  used_at BIGINT,
  PRIMARY KEY (merchant_id, id),
  UNIQUE (merchant_id, key_hash)
);

-- The next number of an invoice that is issued without one.
CREATE TABLE numberings (
  merchant_id BIGINT NOT NULL PRIMARY KEY REFERENCES merchants,
  next BIGINT NOT NULL CHECK (next >= 1)
);

-- The API lists a customer's invoices and payments in the order they were made.
CREATE INDEX invoices_of_customer ON invoices (merchant_id, customer_id, id);
CREATE INDEX payments_of_customer ON payments (merchant_id, customer_id, id);
-- One cheque may pay several invoices, and each of them shows it.
CREATE INDEX receipt_lines_by_invoice ON receipt_lines (merchant_id, invoice_id, payment_id);
