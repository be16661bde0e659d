-- Money is debited from bank accounts too.
ALTER TABLE payments DROP CONSTRAINT payments_method_check;
ALTER TABLE payments ADD CONSTRAINT payments_method_check
  CHECK (method IN ('card', 'us_bank_account', 'sepa_debit', 'cheque', 'wire', 'cash'));
ALTER TABLE payments DROP CONSTRAINT payments_check;
ALTER TABLE payments ADD CONSTRAINT payments_received_on_check
  CHECK ((received_on IS NULL) = (method IN ('card', 'us_bank_account', 'sepa_debit')));
-- A card has a brand, an account a bank; both have four last digits that may be shown.
ALTER TABLE payments RENAME COLUMN card_brand TO instrument_name;
ALTER TABLE payments RENAME COLUMN card_last4 TO instrument_last4;
-- When the money of a debit that the bank works on should be there, in the merchant's zone, and what the bank said where it sent
-- no money or took it back.
ALTER TABLE payments ADD COLUMN expected_on TEXT COLLATE "C";
ALTER TABLE payments ADD COLUMN return_code TEXT COLLATE "C";
ALTER TABLE payments ADD COLUMN returned_at BIGINT;

-- By which methods a merchant lets payers pay. Without a row: by card.
CREATE TABLE offered_methods (
  merchant_id BIGINT NOT NULL REFERENCES merchants,
  method TEXT COLLATE "C" NOT NULL CHECK (method IN ('card', 'us_bank_account', 'sepa_debit')),
  PRIMARY KEY (merchant_id, method)
);

-- What a payer agreed to, word for word, before an account is debited. What the bank page tells is added to it once.
CREATE TABLE mandates (
  merchant_id BIGINT NOT NULL REFERENCES merchants,
  id BYTEA NOT NULL CHECK (length(id) = 16),
  payment_id BYTEA NOT NULL,
  customer_id BYTEA NOT NULL,
  contact_id BYTEA,
  method TEXT COLLATE "C" NOT NULL CHECK (method IN ('us_bank_account', 'sepa_debit')),
  wording TEXT COLLATE "C" NOT NULL,
  wording_hash BYTEA NOT NULL CHECK (length(wording_hash) = 32),
  amount BIGINT NOT NULL CHECK (amount > 0),
  currency TEXT COLLATE "C" NOT NULL,
  payer_email TEXT COLLATE "C",
  client TEXT COLLATE "C",
  user_agent TEXT COLLATE "C",
  language TEXT COLLATE "C" NOT NULL,
  offered_at BIGINT NOT NULL,
  accepted_at BIGINT,
  account_name TEXT COLLATE "C",
  bank_name TEXT COLLATE "C",
  last4 TEXT COLLATE "C" CHECK (length(last4) = 4),
  processor_mandate_id TEXT COLLATE "C",
  processor_method_id TEXT COLLATE "C",
  ended_at BIGINT,
  ended_why TEXT COLLATE "C" CHECK ((ended_why IS NULL) = (ended_at IS NULL)),
  PRIMARY KEY (merchant_id, id),
  UNIQUE (merchant_id, payment_id),
  FOREIGN KEY (merchant_id, payment_id) REFERENCES payments (merchant_id, id),
  FOREIGN KEY (merchant_id, customer_id) REFERENCES customers (merchant_id, id),
  FOREIGN KEY (merchant_id, contact_id) REFERENCES contacts (merchant_id, id)
);
CREATE INDEX mandates_of_customer ON mandates (merchant_id, customer_id, id);
-- What was agreed stays as it was agreed.
CREATE FUNCTION mandates_never_reworded() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'mandates are never reworded';
END $$;
CREATE TRIGGER mandates_no_rewording BEFORE UPDATE OF wording, wording_hash, amount, currency, payment_id, offered_at OR DELETE
  ON mandates FOR EACH ROW EXECUTE FUNCTION mandates_never_reworded();
CREATE TRIGGER mandates_no_truncate BEFORE TRUNCATE ON mandates FOR EACH STATEMENT EXECUTE FUNCTION mandates_never_reworded();

-- Two kinds of mails more: a debit was started, and a bank took money back.
ALTER TABLE mails DROP CONSTRAINT mails_kind_check;
ALTER TABLE mails ADD CONSTRAINT mails_kind_check
  CHECK (kind IN ('invoice', 'code', 'received', 'failed', 'started', 'returned'));
