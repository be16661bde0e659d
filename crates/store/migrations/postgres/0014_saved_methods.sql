-- What a processor keeps for a person: by which name, and what may be told of it. Never a number of a card or an account.
CREATE TABLE payment_methods (
  merchant_id BIGINT NOT NULL REFERENCES merchants,
  id BYTEA NOT NULL CHECK (length(id) = 16),
  customer_id BYTEA NOT NULL,
  contact_id BYTEA NOT NULL,
  processor TEXT COLLATE "C" NOT NULL CHECK (processor IN ('stripe')),
  mode TEXT COLLATE "C" NOT NULL CHECK (mode IN ('practice', 'test', 'live')),
  account TEXT COLLATE "C" NOT NULL,
  token TEXT COLLATE "C" NOT NULL,
  method TEXT COLLATE "C" NOT NULL CHECK (method IN ('card', 'us_bank_account', 'sepa_debit')),
  name TEXT COLLATE "C" NOT NULL,
  last4 TEXT COLLATE "C" NOT NULL CHECK (length(last4) = 4),
  exp_year BIGINT CHECK ((exp_year IS NULL) = (method <> 'card')),
  exp_month BIGINT CHECK (exp_month BETWEEN 1 AND 12 AND (exp_month IS NULL) = (exp_year IS NULL)),
  mandate_id BYTEA,
  default_since BIGINT,
  created_at BIGINT NOT NULL,
  removed_at BIGINT CHECK (removed_at IS NULL OR default_since IS NULL),
  PRIMARY KEY (merchant_id, id),
  UNIQUE (merchant_id, processor, mode, account, token),
  FOREIGN KEY (merchant_id, customer_id) REFERENCES customers (merchant_id, id),
  FOREIGN KEY (merchant_id, contact_id) REFERENCES contacts (merchant_id, id)
);
CREATE INDEX payment_methods_of_contact ON payment_methods (merchant_id, contact_id, id);
CREATE INDEX payment_methods_of_customer ON payment_methods (merchant_id, customer_id, id);
CREATE UNIQUE INDEX payment_methods_one_default ON payment_methods (merchant_id, contact_id, processor, mode, account)
  WHERE default_since IS NOT NULL;

-- A page on which a person leaves a card or an account and pays nothing: its call, stored before it is sent.
CREATE TABLE setups (
  merchant_id BIGINT NOT NULL REFERENCES merchants,
  id BYTEA NOT NULL CHECK (length(id) = 16),
  customer_id BYTEA NOT NULL,
  contact_id BYTEA NOT NULL,
  method TEXT COLLATE "C" NOT NULL CHECK (method IN ('card', 'us_bank_account', 'sepa_debit')),
  state TEXT COLLATE "C" NOT NULL CHECK (state IN ('submitting', 'requires_action', 'processing', 'succeeded', 'failed', 'canceled',
    'unknown')),
  processor_key TEXT COLLATE "C" NOT NULL,
  route TEXT COLLATE "C" NOT NULL,
  body TEXT COLLATE "C" NOT NULL,
  session_id TEXT COLLATE "C",
  session_url TEXT COLLATE "C",
  session_expires_at BIGINT,
  processor_setup_id TEXT COLLATE "C",
  decline TEXT COLLATE "C",
  payment_method_id BYTEA,
  created_at BIGINT NOT NULL,
  changed_at BIGINT NOT NULL,
  PRIMARY KEY (merchant_id, id),
  UNIQUE (merchant_id, processor_key),
  FOREIGN KEY (merchant_id, customer_id) REFERENCES customers (merchant_id, id),
  FOREIGN KEY (merchant_id, contact_id) REFERENCES contacts (merchant_id, id),
  FOREIGN KEY (merchant_id, payment_method_id) REFERENCES payment_methods (merchant_id, id)
);
CREATE INDEX setups_of_contact ON setups (merchant_id, contact_id, id);
CREATE UNIQUE INDEX setups_session ON setups (merchant_id, session_id) WHERE session_id IS NOT NULL;

-- Two small deposits, or a code beside one, by which a payer proves to see an account.
CREATE TABLE verifications (
  merchant_id BIGINT NOT NULL REFERENCES merchants,
  payment_id BYTEA,
  setup_id BYTEA,
  state TEXT COLLATE "C" NOT NULL CHECK (state IN ('waiting', 'too_many_tries', 'timed_out', 'not_delivered', 'done')),
  kind TEXT COLLATE "C" CHECK (kind IN ('amounts', 'code')),
  url TEXT COLLATE "C",
  arrives_at BIGINT,
  ends_at BIGINT,
  wrong_tries BIGINT NOT NULL CHECK (wrong_tries >= 0),
  changed_at BIGINT NOT NULL,
  CHECK ((payment_id IS NULL) <> (setup_id IS NULL)),
  UNIQUE (merchant_id, payment_id),
  UNIQUE (merchant_id, setup_id),
  FOREIGN KEY (merchant_id, payment_id) REFERENCES payments (merchant_id, id),
  FOREIGN KEY (merchant_id, setup_id) REFERENCES setups (merchant_id, id)
);

-- Until when on a day the debits of saved accounts are held, minutes after midnight in the merchant's zone. Without a row: 16:00.
CREATE TABLE debit_cut_offs (
  merchant_id BIGINT NOT NULL PRIMARY KEY REFERENCES merchants,
  minute_of_day BIGINT NOT NULL CHECK (minute_of_day BETWEEN 0 AND 1439)
);

-- The saved method a payment charges, when a held debit is sent, and whether what it is paid with is to be kept.
ALTER TABLE payments ADD COLUMN payment_method_id BYTEA;
ALTER TABLE payments ADD COLUMN send_at BIGINT;
ALTER TABLE payments ADD COLUMN keeps_method BIGINT NOT NULL DEFAULT 0 CHECK (keeps_method IN (0, 1));
ALTER TABLE payments ADD CONSTRAINT payments_payment_method_fkey
  FOREIGN KEY (merchant_id, payment_method_id) REFERENCES payment_methods (merchant_id, id);
CREATE INDEX payments_of_method ON payments (merchant_id, payment_method_id, id) WHERE payment_method_id IS NOT NULL;

-- A mandate may be for many debits, and be given without a payment.
DROP TRIGGER mandates_no_rewording ON mandates;
ALTER TABLE mandates ALTER COLUMN payment_id DROP NOT NULL;
ALTER TABLE mandates ALTER COLUMN amount DROP NOT NULL;
ALTER TABLE mandates ALTER COLUMN currency DROP NOT NULL;
ALTER TABLE mandates ADD COLUMN setup_id BYTEA;
ALTER TABLE mandates ADD COLUMN rule TEXT COLLATE "C" NOT NULL DEFAULT 'once' CHECK (rule IN ('once', 'standing'));
ALTER TABLE mandates ALTER COLUMN rule DROP DEFAULT;
ALTER TABLE mandates ADD COLUMN holder TEXT COLLATE "C" CHECK (holder IN ('business', 'personal'));
ALTER TABLE mandates ADD COLUMN ended_by TEXT COLLATE "C" CHECK (ended_by IN ('payer', 'staff', 'bank', 'processor'));
UPDATE mandates SET ended_by = 'bank' WHERE ended_at IS NOT NULL;
ALTER TABLE mandates ADD CONSTRAINT mandates_amount_rule_check CHECK (rule = 'standing' OR amount IS NOT NULL);
ALTER TABLE mandates ADD CONSTRAINT mandates_currency_check CHECK ((currency IS NULL) = (amount IS NULL));
ALTER TABLE mandates ADD CONSTRAINT mandates_given_for_check CHECK ((payment_id IS NULL) <> (setup_id IS NULL));
ALTER TABLE mandates ADD CONSTRAINT mandates_setup_key UNIQUE (merchant_id, setup_id);
ALTER TABLE mandates ADD CONSTRAINT mandates_setup_fkey
  FOREIGN KEY (merchant_id, setup_id) REFERENCES setups (merchant_id, id);
CREATE INDEX mandates_of_method ON mandates (merchant_id, processor_method_id) WHERE processor_method_id IS NOT NULL;
-- What was agreed stays as it was agreed.
CREATE TRIGGER mandates_no_rewording
  BEFORE UPDATE OF wording, wording_hash, rule, amount, currency, payment_id, setup_id, offered_at OR DELETE
  ON mandates FOR EACH ROW EXECUTE FUNCTION mandates_never_reworded();
