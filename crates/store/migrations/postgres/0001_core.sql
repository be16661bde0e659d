-- Conventions: the merchant leads every key; ids are 16 bytes; instants are microseconds since 1970 UTC; civil dates are
-- YYYY-MM-DD; amounts are minor units of the row's currency. Rows of the ledger are added, never changed.

CREATE TABLE merchants (
  merchant_id BIGINT NOT NULL PRIMARY KEY,
  slug TEXT COLLATE "C" NOT NULL UNIQUE,
  name TEXT COLLATE "C" NOT NULL,
  address TEXT COLLATE "C" NOT NULL,
  help_email TEXT COLLATE "C" NOT NULL,
  help_phone TEXT COLLATE "C",
  currency TEXT COLLATE "C" NOT NULL,
  time_zone TEXT COLLATE "C" NOT NULL,
  brand_color TEXT COLLATE "C" NOT NULL,
  logo BYTEA,
  sender TEXT COLLATE "C" NOT NULL,
  statement_line TEXT COLLATE "C" NOT NULL,
  abandon_after_seconds BIGINT NOT NULL CHECK (abandon_after_seconds >= 600),
  created_at BIGINT NOT NULL
);

CREATE TABLE processor_accounts (
  merchant_id BIGINT NOT NULL REFERENCES merchants,
  processor TEXT COLLATE "C" NOT NULL CHECK (processor IN ('stripe')),
  mode TEXT COLLATE "C" NOT NULL CHECK (mode IN ('practice', 'test', 'live')),
  base_url TEXT COLLATE "C" NOT NULL,
  account TEXT COLLATE "C" NOT NULL,
  secret_key BYTEA NOT NULL,
  webhook_secret BYTEA,
  webhook_secret_before BYTEA,
  polled_to BIGINT NOT NULL,
  connected_at BIGINT NOT NULL,
  PRIMARY KEY (merchant_id, processor)
);

CREATE TABLE surcharges (
  merchant_id BIGINT NOT NULL REFERENCES merchants,
  method TEXT COLLATE "C" NOT NULL CHECK (method IN ('card')),
  currency TEXT COLLATE "C" NOT NULL,
  rate_millionths BIGINT NOT NULL CHECK (rate_millionths BETWEEN 0 AND 1000000),
  fixed BIGINT NOT NULL CHECK (fixed >= 0),
  cap BIGINT CHECK (cap >= 0),
  PRIMARY KEY (merchant_id, method, currency)
);

CREATE TABLE policies (
  merchant_id BIGINT NOT NULL REFERENCES merchants,
  scope TEXT COLLATE "C" NOT NULL CHECK (scope IN ('merchant', 'customer', 'invoice')),
  subject BYTEA NOT NULL,
  partial TEXT COLLATE "C" CHECK (partial IN ('never', 'always')),
  minimum_kind TEXT COLLATE "C" CHECK (minimum_kind IN ('none', 'amount', 'percent')),
  minimum BIGINT CHECK (minimum >= 0),
  minimum_currency TEXT COLLATE "C",
  floor BIGINT CHECK (floor >= 0),
  identify TEXT COLLATE "C" CHECK (identify IN ('never', 'always', 'above')),
  identify_above BIGINT CHECK (identify_above >= 0),
  identify_currency TEXT COLLATE "C",
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (merchant_id, scope, subject)
);

CREATE TABLE customers (
  merchant_id BIGINT NOT NULL REFERENCES merchants,
  id BYTEA NOT NULL CHECK (length(id) = 16),
  name TEXT COLLATE "C" NOT NULL,
  name_key TEXT COLLATE "C" NOT NULL,
  address TEXT COLLATE "C" NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (merchant_id, id)
);
CREATE INDEX customers_by_name ON customers (merchant_id, name_key);

CREATE TABLE contacts (
  merchant_id BIGINT NOT NULL,
  id BYTEA NOT NULL CHECK (length(id) = 16),
  customer_id BYTEA NOT NULL,
  name TEXT COLLATE "C" NOT NULL,
  email TEXT COLLATE "C" NOT NULL,
  email_key TEXT COLLATE "C" NOT NULL,
  created_at BIGINT NOT NULL,
  chosen_at BIGINT,
  PRIMARY KEY (merchant_id, id),
  UNIQUE (merchant_id, customer_id, email_key),
  FOREIGN KEY (merchant_id, customer_id) REFERENCES customers (merchant_id, id)
);
CREATE INDEX contacts_by_email ON contacts (merchant_id, email_key);

CREATE TABLE processor_customers (
  merchant_id BIGINT NOT NULL,
  processor TEXT COLLATE "C" NOT NULL CHECK (processor IN ('stripe')),
  mode TEXT COLLATE "C" NOT NULL CHECK (mode IN ('practice', 'test', 'live')),
  account TEXT COLLATE "C" NOT NULL,
  contact_id BYTEA NOT NULL,
  processor_customer_id TEXT COLLATE "C" NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (merchant_id, processor, mode, account, contact_id),
  UNIQUE (merchant_id, processor, mode, account, processor_customer_id),
  FOREIGN KEY (merchant_id, contact_id) REFERENCES contacts (merchant_id, id)
);

CREATE TABLE invoices (
  merchant_id BIGINT NOT NULL,
  id BYTEA NOT NULL CHECK (length(id) = 16),
  number TEXT COLLATE "C" NOT NULL,
  customer_id BYTEA NOT NULL,
  currency TEXT COLLATE "C" NOT NULL,
  lifecycle TEXT COLLATE "C" NOT NULL CHECK (lifecycle IN ('draft', 'open', 'void', 'uncollectible')),
  total BIGINT NOT NULL CHECK (total >= 0),
  tax BIGINT NOT NULL CHECK (tax BETWEEN 0 AND total),
  open BIGINT NOT NULL,
  pending BIGINT NOT NULL,
  paid BIGINT NOT NULL CHECK (paid >= 0),
  issued_on TEXT COLLATE "C" NOT NULL,
  due_on TEXT COLLATE "C" NOT NULL,
  purchase_order TEXT COLLATE "C",
  memo TEXT COLLATE "C",
  content_hash BYTEA NOT NULL,
  created_at BIGINT NOT NULL,
  issued_at BIGINT,
  ended_at BIGINT,
  PRIMARY KEY (merchant_id, id),
  UNIQUE (merchant_id, number),
  FOREIGN KEY (merchant_id, customer_id) REFERENCES customers (merchant_id, id),
  CHECK (0 <= pending AND pending <= open AND open <= total),
  CHECK (lifecycle IN ('open', 'uncollectible') OR (open = 0 AND paid = 0))
);
CREATE INDEX invoices_by_customer ON invoices (merchant_id, customer_id, due_on, id);
CREATE INDEX invoices_owed ON invoices (merchant_id, customer_id, currency) WHERE open > 0;

CREATE TABLE invoice_lines (
  merchant_id BIGINT NOT NULL,
  invoice_id BYTEA NOT NULL,
  position BIGINT NOT NULL CHECK (position >= 1),
  description TEXT COLLATE "C" NOT NULL,
  quantity TEXT COLLATE "C" NOT NULL,
  unit_amount BIGINT NOT NULL,
  tax_rate BIGINT,
  net BIGINT NOT NULL,
  tax BIGINT NOT NULL,
  PRIMARY KEY (merchant_id, invoice_id, position),
  FOREIGN KEY (merchant_id, invoice_id) REFERENCES invoices (merchant_id, id)
);

CREATE TABLE links (
  merchant_id BIGINT NOT NULL,
  id BYTEA NOT NULL CHECK (length(id) = 16),
  invoice_id BYTEA NOT NULL,
  contact_id BYTEA,
  token_hash BYTEA NOT NULL CHECK (length(token_hash) = 32),
  created_at BIGINT NOT NULL,
  revoked_at BIGINT,
  PRIMARY KEY (merchant_id, id),
  UNIQUE (merchant_id, token_hash),
  FOREIGN KEY (merchant_id, invoice_id) REFERENCES invoices (merchant_id, id),
  FOREIGN KEY (merchant_id, contact_id) REFERENCES contacts (merchant_id, id)
);
CREATE INDEX links_by_invoice ON links (merchant_id, invoice_id);

CREATE TABLE payments (
  merchant_id BIGINT NOT NULL,
  id BYTEA NOT NULL CHECK (length(id) = 16),
  customer_id BYTEA NOT NULL,
  currency TEXT COLLATE "C" NOT NULL,
  amount BIGINT NOT NULL CHECK (amount > 0),
  surcharge BIGINT NOT NULL CHECK (surcharge >= 0),
  method TEXT COLLATE "C" NOT NULL CHECK (method IN ('card')),
  state TEXT COLLATE "C" NOT NULL CHECK (state IN ('created', 'submitting', 'requires_action', 'processing', 'unknown', 'succeeded',
    'failed', 'canceled', 'returned', 'charged_back')),
  contact_id BYTEA,
  link_id BYTEA,
  session_hash BYTEA,
  receipt_email TEXT COLLATE "C",
  client TEXT COLLATE "C",
  payer_reference TEXT COLLATE "C",
  decline TEXT COLLATE "C",
  ending TEXT COLLATE "C" CHECK (ending IN ('payer_canceled', 'expired', 'declined', 'refused', 'abandoned')),
  captured BIGINT CHECK (captured > 0),
  captured_currency TEXT COLLATE "C",
  captured_at BIGINT,
  card_brand TEXT COLLATE "C",
  card_last4 TEXT COLLATE "C" CHECK (length(card_last4) = 4),
  created_at BIGINT NOT NULL,
  changed_at BIGINT NOT NULL,
  redirected_at BIGINT,
  seen_at BIGINT,
  cancel_asked_at BIGINT,
  language TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (merchant_id, id),
  FOREIGN KEY (merchant_id, customer_id) REFERENCES customers (merchant_id, id),
  FOREIGN KEY (merchant_id, contact_id) REFERENCES contacts (merchant_id, id),
  FOREIGN KEY (merchant_id, link_id) REFERENCES links (merchant_id, id)
);
CREATE INDEX payments_in_flight ON payments (merchant_id, changed_at)
  WHERE state IN ('created', 'submitting', 'requires_action', 'processing', 'unknown');
CREATE INDEX payments_by_customer ON payments (merchant_id, customer_id, created_at);

CREATE TABLE reservations (
  merchant_id BIGINT NOT NULL,
  payment_id BYTEA NOT NULL,
  invoice_id BYTEA NOT NULL,
  amount BIGINT NOT NULL CHECK (amount > 0),
  state TEXT COLLATE "C" NOT NULL CHECK (state IN ('live', 'consumed', 'released')),
  created_at BIGINT NOT NULL,
  ended_at BIGINT,
  PRIMARY KEY (merchant_id, payment_id, invoice_id),
  FOREIGN KEY (merchant_id, payment_id) REFERENCES payments (merchant_id, id),
  FOREIGN KEY (merchant_id, invoice_id) REFERENCES invoices (merchant_id, id)
);
CREATE INDEX reservations_by_invoice ON reservations (merchant_id, invoice_id, created_at);

CREATE TABLE payment_states (
  merchant_id BIGINT NOT NULL,
  payment_id BYTEA NOT NULL,
  number BIGINT NOT NULL CHECK (number >= 1),
  state TEXT COLLATE "C" NOT NULL,
  reason TEXT COLLATE "C" NOT NULL,
  at BIGINT NOT NULL,
  PRIMARY KEY (merchant_id, payment_id, number),
  FOREIGN KEY (merchant_id, payment_id) REFERENCES payments (merchant_id, id)
);

CREATE TABLE attempts (
  merchant_id BIGINT NOT NULL,
  id BYTEA NOT NULL CHECK (length(id) = 16),
  payment_id BYTEA NOT NULL,
  number BIGINT NOT NULL CHECK (number >= 1),
  processor TEXT COLLATE "C" NOT NULL,
  processor_key TEXT COLLATE "C" NOT NULL,
  route TEXT COLLATE "C" NOT NULL,
  body TEXT COLLATE "C" NOT NULL,
  session_id TEXT COLLATE "C",
  session_url TEXT COLLATE "C",
  session_expires_at BIGINT,
  payment_intent_id TEXT COLLATE "C",
  charge_id TEXT COLLATE "C",
  balance_transaction_id TEXT COLLATE "C",
  decline_code TEXT COLLATE "C",
  declined_at BIGINT,
  refusal TEXT COLLATE "C",
  calls BIGINT NOT NULL CHECK (calls >= 0),
  server_errors BIGINT NOT NULL CHECK (server_errors >= 0),
  created_at BIGINT NOT NULL,
  called_at BIGINT,
  PRIMARY KEY (merchant_id, id),
  UNIQUE (merchant_id, payment_id, number),
  UNIQUE (merchant_id, processor, processor_key),
  UNIQUE (merchant_id, processor, session_id),
  UNIQUE (merchant_id, processor, charge_id),
  FOREIGN KEY (merchant_id, payment_id) REFERENCES payments (merchant_id, id)
);
CREATE INDEX attempts_by_intent ON attempts (merchant_id, payment_intent_id);

CREATE TABLE idempotency (
  merchant_id BIGINT NOT NULL REFERENCES merchants,
  owner TEXT COLLATE "C" NOT NULL,
  route TEXT COLLATE "C" NOT NULL,
  key TEXT COLLATE "C" NOT NULL,
  request_hash BYTEA NOT NULL CHECK (length(request_hash) = 32),
  resource TEXT COLLATE "C" NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (merchant_id, owner, route, key)
);

CREATE TABLE postings (
  merchant_id BIGINT NOT NULL REFERENCES merchants,
  id BYTEA NOT NULL CHECK (length(id) = 16),
  cause_kind TEXT COLLATE "C" NOT NULL,
  cause_id TEXT COLLATE "C" NOT NULL,
  currency TEXT COLLATE "C" NOT NULL,
  reverses BYTEA,
  at BIGINT NOT NULL,
  PRIMARY KEY (merchant_id, id),
  UNIQUE (merchant_id, cause_kind, cause_id),
  UNIQUE (merchant_id, reverses),
  FOREIGN KEY (merchant_id, reverses) REFERENCES postings (merchant_id, id)
);

CREATE TABLE entries (
  merchant_id BIGINT NOT NULL,
  posting_id BYTEA NOT NULL,
  line BIGINT NOT NULL CHECK (line >= 1),
  account BIGINT NOT NULL,
  side TEXT COLLATE "C" NOT NULL CHECK (side IN ('debit', 'credit')),
  amount BIGINT NOT NULL CHECK (amount > 0),
  customer_id BYTEA,
  subject BYTEA,
  PRIMARY KEY (merchant_id, posting_id, line),
  FOREIGN KEY (merchant_id, posting_id) REFERENCES postings (merchant_id, id),
  FOREIGN KEY (merchant_id, customer_id) REFERENCES customers (merchant_id, id)
);
CREATE INDEX entries_by_account ON entries (merchant_id, account, subject);

CREATE TABLE grants (
  merchant_id BIGINT NOT NULL,
  id BYTEA NOT NULL CHECK (length(id) = 16),
  customer_id BYTEA NOT NULL,
  payment_id BYTEA NOT NULL,
  invoice_id BYTEA NOT NULL,
  currency TEXT COLLATE "C" NOT NULL,
  amount BIGINT NOT NULL CHECK (amount > 0),
  remaining BIGINT NOT NULL CHECK (0 <= remaining AND remaining <= amount),
  created_at BIGINT NOT NULL,
  PRIMARY KEY (merchant_id, id),
  FOREIGN KEY (merchant_id, customer_id) REFERENCES customers (merchant_id, id),
  FOREIGN KEY (merchant_id, payment_id) REFERENCES payments (merchant_id, id),
  FOREIGN KEY (merchant_id, invoice_id) REFERENCES invoices (merchant_id, id)
);
CREATE INDEX grants_left ON grants (merchant_id, invoice_id, id) WHERE remaining > 0;

CREATE TABLE allocations (
  merchant_id BIGINT NOT NULL,
  id BYTEA NOT NULL CHECK (length(id) = 16),
  payment_id BYTEA NOT NULL,
  grant_id BYTEA,
  invoice_id BYTEA NOT NULL,
  amount BIGINT NOT NULL CHECK (amount <> 0),
  posting_id BYTEA NOT NULL,
  at BIGINT NOT NULL,
  PRIMARY KEY (merchant_id, id),
  FOREIGN KEY (merchant_id, payment_id) REFERENCES payments (merchant_id, id),
  FOREIGN KEY (merchant_id, grant_id) REFERENCES grants (merchant_id, id),
  FOREIGN KEY (merchant_id, invoice_id) REFERENCES invoices (merchant_id, id),
  FOREIGN KEY (merchant_id, posting_id) REFERENCES postings (merchant_id, id)
);
CREATE INDEX allocations_by_invoice ON allocations (merchant_id, invoice_id);
CREATE INDEX allocations_by_payment ON allocations (merchant_id, payment_id);

CREATE TABLE receipts (
  merchant_id BIGINT NOT NULL,
  payment_id BYTEA NOT NULL,
  amount BIGINT NOT NULL CHECK (amount > 0),
  surcharge BIGINT NOT NULL CHECK (surcharge >= 0),
  credit BIGINT NOT NULL CHECK (credit >= 0),
  currency TEXT COLLATE "C" NOT NULL,
  at BIGINT NOT NULL,
  PRIMARY KEY (merchant_id, payment_id),
  FOREIGN KEY (merchant_id, payment_id) REFERENCES payments (merchant_id, id)
);

CREATE TABLE receipt_lines (
  merchant_id BIGINT NOT NULL,
  payment_id BYTEA NOT NULL,
  invoice_id BYTEA NOT NULL,
  applied BIGINT NOT NULL CHECK (applied >= 0),
  open_before BIGINT NOT NULL CHECK (open_before >= 0),
  open_after BIGINT NOT NULL CHECK (open_after >= 0),
  PRIMARY KEY (merchant_id, payment_id, invoice_id),
  FOREIGN KEY (merchant_id, payment_id) REFERENCES receipts (merchant_id, payment_id),
  FOREIGN KEY (merchant_id, invoice_id) REFERENCES invoices (merchant_id, id),
  CHECK (open_before - applied = open_after)
);

CREATE TABLE seals (
  merchant_id BIGINT NOT NULL REFERENCES merchants,
  chain TEXT COLLATE "C" NOT NULL CHECK (chain IN ('postings', 'audit')),
  number BIGINT NOT NULL CHECK (number >= 1),
  subject BYTEA NOT NULL,
  hash BYTEA NOT NULL CHECK (length(hash) = 32),
  previous_hash BYTEA NOT NULL CHECK (length(previous_hash) = 32),
  PRIMARY KEY (merchant_id, chain, number),
  UNIQUE (merchant_id, chain, subject)
);

CREATE TABLE anomalies (
  merchant_id BIGINT NOT NULL,
  id BYTEA NOT NULL CHECK (length(id) = 16),
  kind TEXT COLLATE "C" NOT NULL,
  payment_id BYTEA,
  detail TEXT COLLATE "C" NOT NULL,
  at BIGINT NOT NULL,
  PRIMARY KEY (merchant_id, id),
  FOREIGN KEY (merchant_id, payment_id) REFERENCES payments (merchant_id, id)
);
CREATE INDEX anomalies_by_payment ON anomalies (merchant_id, payment_id);

CREATE TABLE events (
  merchant_id BIGINT NOT NULL REFERENCES merchants,
  id BYTEA NOT NULL CHECK (length(id) = 16),
  kind TEXT COLLATE "C" NOT NULL,
  invoice_id BYTEA,
  payment_id BYTEA,
  data TEXT COLLATE "C" NOT NULL,
  at BIGINT NOT NULL,
  feed_number BIGINT,
  PRIMARY KEY (merchant_id, id),
  UNIQUE (merchant_id, feed_number)
);
CREATE INDEX events_by_invoice ON events (merchant_id, invoice_id, id);
CREATE INDEX events_unnumbered ON events (merchant_id, id) WHERE feed_number IS NULL;

CREATE TABLE audit (
  merchant_id BIGINT NOT NULL REFERENCES merchants,
  id BYTEA NOT NULL CHECK (length(id) = 16),
  actor TEXT COLLATE "C" NOT NULL CHECK (actor <> ''),
  act TEXT COLLATE "C" NOT NULL CHECK (act <> ''),
  object TEXT COLLATE "C" NOT NULL,
  before TEXT COLLATE "C" NOT NULL,
  after TEXT COLLATE "C" NOT NULL,
  at BIGINT NOT NULL,
  PRIMARY KEY (merchant_id, id)
);
CREATE INDEX audit_by_object ON audit (merchant_id, object, act);

CREATE TABLE mails (
  merchant_id BIGINT NOT NULL REFERENCES merchants,
  id BYTEA NOT NULL CHECK (length(id) = 16),
  kind TEXT COLLATE "C" NOT NULL CHECK (kind IN ('invoice', 'code', 'received', 'failed')),
  cause TEXT COLLATE "C" NOT NULL,
  recipient TEXT COLLATE "C" NOT NULL,
  invoice_id BYTEA,
  payment_id BYTEA,
  link_id BYTEA,
  signin_id BYTEA,
  state TEXT COLLATE "C" NOT NULL CHECK (state IN ('queued', 'sent', 'dropped')),
  tries BIGINT NOT NULL,
  next_at BIGINT NOT NULL,
  last_error TEXT COLLATE "C",
  created_at BIGINT NOT NULL,
  sent_at BIGINT,
  PRIMARY KEY (merchant_id, id),
  UNIQUE (merchant_id, kind, cause, recipient),
  FOREIGN KEY (merchant_id, invoice_id) REFERENCES invoices (merchant_id, id),
  FOREIGN KEY (merchant_id, payment_id) REFERENCES payments (merchant_id, id),
  FOREIGN KEY (merchant_id, link_id) REFERENCES links (merchant_id, id)
);
CREATE INDEX mails_queued ON mails (next_at) WHERE state = 'queued';
CREATE INDEX mails_by_invoice ON mails (merchant_id, invoice_id, id);

CREATE TABLE inbox (
  merchant_id BIGINT NOT NULL REFERENCES merchants,
  processor TEXT COLLATE "C" NOT NULL,
  event_id TEXT COLLATE "C" NOT NULL,
  kind TEXT COLLATE "C" NOT NULL,
  object_id TEXT COLLATE "C" NOT NULL,
  session_id TEXT COLLATE "C",
  payment_intent_id TEXT COLLATE "C",
  attempt_id BYTEA,
  raw TEXT COLLATE "C" NOT NULL,
  state TEXT COLLATE "C" NOT NULL CHECK (state IN ('stored', 'applied', 'parked', 'ignored')),
  tries BIGINT NOT NULL,
  next_at BIGINT NOT NULL,
  last_error TEXT COLLATE "C",
  received_at BIGINT NOT NULL,
  PRIMARY KEY (merchant_id, processor, event_id)
);
CREATE INDEX inbox_waiting ON inbox (next_at) WHERE state = 'stored';

CREATE TABLE jobs (
  merchant_id BIGINT NOT NULL REFERENCES merchants,
  id BYTEA NOT NULL CHECK (length(id) = 16),
  kind TEXT COLLATE "C" NOT NULL,
  subject TEXT COLLATE "C" NOT NULL,
  run_at BIGINT NOT NULL,
  tries BIGINT NOT NULL,
  leased_until BIGINT NOT NULL,
  last_error TEXT COLLATE "C",
  created_at BIGINT NOT NULL,
  PRIMARY KEY (merchant_id, id),
  UNIQUE (merchant_id, kind, subject)
);
CREATE INDEX jobs_due ON jobs (run_at);

CREATE TABLE sessions (
  merchant_id BIGINT NOT NULL REFERENCES merchants,
  token_hash BYTEA NOT NULL CHECK (length(token_hash) = 32),
  contact_id BYTEA,
  email_key TEXT COLLATE "C",
  created_at BIGINT NOT NULL,
  seen_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  PRIMARY KEY (merchant_id, token_hash),
  FOREIGN KEY (merchant_id, contact_id) REFERENCES contacts (merchant_id, id)
);
CREATE INDEX sessions_expired ON sessions (expires_at);

CREATE TABLE session_invoices (
  merchant_id BIGINT NOT NULL,
  token_hash BYTEA NOT NULL,
  invoice_id BYTEA NOT NULL,
  link_id BYTEA NOT NULL,
  seen_at BIGINT NOT NULL,
  PRIMARY KEY (merchant_id, token_hash, invoice_id),
  FOREIGN KEY (merchant_id, token_hash) REFERENCES sessions (merchant_id, token_hash) ON DELETE CASCADE,
  FOREIGN KEY (merchant_id, invoice_id) REFERENCES invoices (merchant_id, id),
  FOREIGN KEY (merchant_id, link_id) REFERENCES links (merchant_id, id)
);

CREATE TABLE signins (
  merchant_id BIGINT NOT NULL REFERENCES merchants,
  id BYTEA NOT NULL CHECK (length(id) = 16),
  email_key TEXT COLLATE "C" NOT NULL,
  browser_hash BYTEA NOT NULL CHECK (length(browser_hash) = 32),
  code_hash BYTEA NOT NULL CHECK (length(code_hash) = 32),
  link_hash BYTEA NOT NULL CHECK (length(link_hash) = 32),
  tries_left BIGINT NOT NULL CHECK (tries_left >= 0),
  created_at BIGINT NOT NULL,
  ended_at BIGINT,
  PRIMARY KEY (merchant_id, id)
);
CREATE INDEX signins_by_browser ON signins (merchant_id, browser_hash, created_at);
CREATE INDEX signins_by_link ON signins (merchant_id, link_hash);
CREATE INDEX signins_by_email ON signins (merchant_id, email_key, created_at);

CREATE TABLE rates (
  merchant_id BIGINT NOT NULL,
  scope TEXT COLLATE "C" NOT NULL,
  key TEXT COLLATE "C" NOT NULL,
  window_start BIGINT NOT NULL,
  count BIGINT NOT NULL,
  PRIMARY KEY (merchant_id, scope, key, window_start)
);
CREATE INDEX rates_old ON rates (window_start);

-- What was written once stays as it was written.
CREATE FUNCTION only_ever_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% are only ever added', TG_TABLE_NAME;
END $$;
CREATE TRIGGER postings_no_change BEFORE UPDATE OR DELETE ON postings FOR EACH ROW EXECUTE FUNCTION only_ever_added();
CREATE TRIGGER postings_no_truncate BEFORE TRUNCATE ON postings FOR EACH STATEMENT EXECUTE FUNCTION only_ever_added();
CREATE TRIGGER entries_no_change BEFORE UPDATE OR DELETE ON entries FOR EACH ROW EXECUTE FUNCTION only_ever_added();
CREATE TRIGGER entries_no_truncate BEFORE TRUNCATE ON entries FOR EACH STATEMENT EXECUTE FUNCTION only_ever_added();
CREATE TRIGGER allocations_no_change BEFORE UPDATE OR DELETE ON allocations FOR EACH ROW EXECUTE FUNCTION only_ever_added();
CREATE TRIGGER allocations_no_truncate BEFORE TRUNCATE ON allocations FOR EACH STATEMENT EXECUTE FUNCTION only_ever_added();
CREATE TRIGGER seals_no_change BEFORE UPDATE OR DELETE ON seals FOR EACH ROW EXECUTE FUNCTION only_ever_added();
CREATE TRIGGER seals_no_truncate BEFORE TRUNCATE ON seals FOR EACH STATEMENT EXECUTE FUNCTION only_ever_added();
CREATE TRIGGER receipts_no_change BEFORE UPDATE OR DELETE ON receipts FOR EACH ROW EXECUTE FUNCTION only_ever_added();
CREATE TRIGGER receipts_no_truncate BEFORE TRUNCATE ON receipts FOR EACH STATEMENT EXECUTE FUNCTION only_ever_added();
CREATE TRIGGER receipt_lines_no_change BEFORE UPDATE OR DELETE ON receipt_lines FOR EACH ROW EXECUTE FUNCTION only_ever_added();
CREATE TRIGGER receipt_lines_no_truncate BEFORE TRUNCATE ON receipt_lines FOR EACH STATEMENT EXECUTE FUNCTION only_ever_added();
CREATE TRIGGER payment_states_no_change BEFORE UPDATE OR DELETE ON payment_states FOR EACH ROW EXECUTE FUNCTION only_ever_added();
CREATE TRIGGER payment_states_no_truncate BEFORE TRUNCATE ON payment_states FOR EACH STATEMENT EXECUTE FUNCTION only_ever_added();
CREATE TRIGGER audit_no_change BEFORE UPDATE OR DELETE ON audit FOR EACH ROW EXECUTE FUNCTION only_ever_added();
CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON audit FOR EACH STATEMENT EXECUTE FUNCTION only_ever_added();
CREATE TRIGGER anomalies_no_change BEFORE UPDATE OR DELETE ON anomalies FOR EACH ROW EXECUTE FUNCTION only_ever_added();
CREATE TRIGGER anomalies_no_truncate BEFORE TRUNCATE ON anomalies FOR EACH STATEMENT EXECUTE FUNCTION only_ever_added();
