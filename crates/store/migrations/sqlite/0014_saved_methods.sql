-- What a processor keeps for a person: by which name, and what may be told of it. Never a number of a card or an account.
CREATE TABLE payment_methods (
  merchant_id INTEGER NOT NULL REFERENCES merchants,
  id BLOB NOT NULL CHECK (length(id) = 16),
  customer_id BLOB NOT NULL,
  contact_id BLOB NOT NULL,
  processor TEXT NOT NULL CHECK (processor IN ('stripe')),
  mode TEXT NOT NULL CHECK (mode IN ('practice', 'test', 'live')),
  account TEXT NOT NULL,
  token TEXT NOT NULL,
  method TEXT NOT NULL CHECK (method IN ('card', 'us_bank_account', 'sepa_debit')),
  name TEXT NOT NULL,
  last4 TEXT NOT NULL CHECK (length(last4) = 4),
  exp_year INTEGER CHECK ((exp_year IS NULL) = (method <> 'card')),
  exp_month INTEGER CHECK (exp_month BETWEEN 1 AND 12 AND (exp_month IS NULL) = (exp_year IS NULL)),
  mandate_id BLOB,
  default_since INTEGER,
  created_at INTEGER NOT NULL,
  removed_at INTEGER CHECK (removed_at IS NULL OR default_since IS NULL),
  PRIMARY KEY (merchant_id, id),
  UNIQUE (merchant_id, processor, mode, account, token),
  FOREIGN KEY (merchant_id, customer_id) REFERENCES customers (merchant_id, id),
  FOREIGN KEY (merchant_id, contact_id) REFERENCES contacts (merchant_id, id)
) STRICT;
CREATE INDEX payment_methods_of_contact ON payment_methods (merchant_id, contact_id, id);
CREATE INDEX payment_methods_of_customer ON payment_methods (merchant_id, customer_id, id);
CREATE UNIQUE INDEX payment_methods_one_default ON payment_methods (merchant_id, contact_id, processor, mode, account)
  WHERE default_since IS NOT NULL;

-- A page on which a person leaves a card or an account and pays nothing: its call, stored before it is sent.
CREATE TABLE setups (
  merchant_id INTEGER NOT NULL REFERENCES merchants,
  id BLOB NOT NULL CHECK (length(id) = 16),
  customer_id BLOB NOT NULL,
  contact_id BLOB NOT NULL,
  method TEXT NOT NULL CHECK (method IN ('card', 'us_bank_account', 'sepa_debit')),
  state TEXT NOT NULL CHECK (state IN ('submitting', 'requires_action', 'processing', 'succeeded', 'failed', 'canceled',
    'unknown')),
  processor_key TEXT NOT NULL,
  route TEXT NOT NULL,
  body TEXT NOT NULL,
  session_id TEXT,
  session_url TEXT,
  session_expires_at INTEGER,
  processor_setup_id TEXT,
  decline TEXT,
  payment_method_id BLOB,
  created_at INTEGER NOT NULL,
  changed_at INTEGER NOT NULL,
  PRIMARY KEY (merchant_id, id),
  UNIQUE (merchant_id, processor_key),
  FOREIGN KEY (merchant_id, customer_id) REFERENCES customers (merchant_id, id),
  FOREIGN KEY (merchant_id, contact_id) REFERENCES contacts (merchant_id, id),
  FOREIGN KEY (merchant_id, payment_method_id) REFERENCES payment_methods (merchant_id, id)
) STRICT;
CREATE INDEX setups_of_contact ON setups (merchant_id, contact_id, id);
CREATE UNIQUE INDEX setups_session ON setups (merchant_id, session_id) WHERE session_id IS NOT NULL;

-- Two small deposits, or a code beside one, by which a payer proves to see an account.
CREATE TABLE verifications (
  merchant_id INTEGER NOT NULL REFERENCES merchants,
  payment_id BLOB,
  setup_id BLOB,
  state TEXT NOT NULL CHECK (state IN ('waiting', 'too_many_tries', 'timed_out', 'not_delivered', 'done')),
  kind TEXT CHECK (kind IN ('amounts', 'code')),
  url TEXT,
  arrives_at INTEGER,
  ends_at INTEGER,
  wrong_tries INTEGER NOT NULL CHECK (wrong_tries >= 0),
  changed_at INTEGER NOT NULL,
  CHECK ((payment_id IS NULL) <> (setup_id IS NULL)),
  UNIQUE (merchant_id, payment_id),
  UNIQUE (merchant_id, setup_id),
  FOREIGN KEY (merchant_id, payment_id) REFERENCES payments (merchant_id, id),
  FOREIGN KEY (merchant_id, setup_id) REFERENCES setups (merchant_id, id)
) STRICT;

-- Until when on a day the debits of saved accounts are held, minutes after midnight in the merchant's zone. Without a row: 16:00.
CREATE TABLE debit_cut_offs (
  merchant_id INTEGER NOT NULL PRIMARY KEY REFERENCES merchants,
  minute_of_day INTEGER NOT NULL CHECK (minute_of_day BETWEEN 0 AND 1439)
) STRICT;

-- The saved method a payment charges, when a held debit is sent, and whether what it is paid with is to be kept.
ALTER TABLE payments ADD COLUMN payment_method_id BLOB;
ALTER TABLE payments ADD COLUMN send_at INTEGER;
ALTER TABLE payments ADD COLUMN keeps_method INTEGER NOT NULL DEFAULT 0 CHECK (keeps_method IN (0, 1));
CREATE INDEX payments_of_method ON payments (merchant_id, payment_method_id, id) WHERE payment_method_id IS NOT NULL;

-- A mandate may be for many debits, and be given without a payment. The table is made anew: what may not be NULL cannot be changed.
DROP TRIGGER mandates_no_rewording;
DROP TRIGGER mandates_no_delete;
CREATE TABLE mandates_2 (
  merchant_id INTEGER NOT NULL REFERENCES merchants,
  id BLOB NOT NULL CHECK (length(id) = 16),
  payment_id BLOB,
  setup_id BLOB,
  customer_id BLOB NOT NULL,
  contact_id BLOB,
  method TEXT NOT NULL CHECK (method IN ('us_bank_account', 'sepa_debit')),
  rule TEXT NOT NULL CHECK (rule IN ('once', 'standing')),
  wording TEXT NOT NULL,
  wording_hash BLOB NOT NULL CHECK (length(wording_hash) = 32),
  amount INTEGER CHECK (amount > 0 AND (rule = 'standing' OR amount IS NOT NULL)),
  currency TEXT CHECK ((currency IS NULL) = (amount IS NULL)),
  payer_email TEXT,
  client TEXT,
  user_agent TEXT,
  language TEXT NOT NULL,
  offered_at INTEGER NOT NULL,
  accepted_at INTEGER,
  account_name TEXT,
  bank_name TEXT,
  last4 TEXT CHECK (length(last4) = 4),
  holder TEXT CHECK (holder IN ('business', 'personal')),
  processor_mandate_id TEXT,
  processor_method_id TEXT,
  ended_at INTEGER,
  ended_why TEXT CHECK ((ended_why IS NULL) = (ended_at IS NULL)),
  ended_by TEXT CHECK (ended_by IN ('payer', 'staff', 'bank', 'processor')),
  PRIMARY KEY (merchant_id, id),
  UNIQUE (merchant_id, payment_id),
  UNIQUE (merchant_id, setup_id),
  CHECK ((payment_id IS NULL) <> (setup_id IS NULL)),
  FOREIGN KEY (merchant_id, payment_id) REFERENCES payments (merchant_id, id),
  FOREIGN KEY (merchant_id, setup_id) REFERENCES setups (merchant_id, id),
  FOREIGN KEY (merchant_id, customer_id) REFERENCES customers (merchant_id, id),
  FOREIGN KEY (merchant_id, contact_id) REFERENCES contacts (merchant_id, id)
) STRICT;
INSERT INTO mandates_2 SELECT merchant_id, id, payment_id, NULL, customer_id, contact_id, method, 'once', wording, wording_hash,
  amount, currency, payer_email, client, user_agent, language, offered_at, accepted_at, account_name, bank_name, last4, NULL,
  processor_mandate_id, processor_method_id, ended_at, ended_why, CASE WHEN ended_at IS NULL THEN NULL ELSE 'bank' END FROM mandates;
DROP TABLE mandates;
ALTER TABLE mandates_2 RENAME TO mandates;
CREATE INDEX mandates_of_customer ON mandates (merchant_id, customer_id, id);
CREATE INDEX mandates_of_method ON mandates (merchant_id, processor_method_id) WHERE processor_method_id IS NOT NULL;
-- What was agreed stays as it was agreed.
CREATE TRIGGER mandates_no_rewording BEFORE UPDATE OF wording, wording_hash, rule, amount, currency, payment_id, setup_id, offered_at
  ON mandates
BEGIN SELECT RAISE(ABORT, 'mandates are never reworded'); END;
CREATE TRIGGER mandates_no_delete BEFORE DELETE ON mandates
BEGIN SELECT RAISE(ABORT, 'mandates are never deleted'); END;
