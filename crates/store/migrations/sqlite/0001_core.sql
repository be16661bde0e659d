-- Conventions: the merchant leads every key; ids are 16 bytes; instants are microseconds since 1970 UTC; civil dates are
-- YYYY-MM-DD; amounts are minor units of the row's currency. Rows of the ledger are added, never changed.

CREATE TABLE merchants (
  merchant_id INTEGER NOT NULL PRIMARY KEY,
  slug TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  address TEXT NOT NULL,
  help_email TEXT NOT NULL,
  help_phone TEXT,
  currency TEXT NOT NULL,
  time_zone TEXT NOT NULL,
  brand_color TEXT NOT NULL,
  logo BLOB,
  sender TEXT NOT NULL,
  statement_line TEXT NOT NULL,
  abandon_after_seconds INTEGER NOT NULL CHECK (abandon_after_seconds >= 600),
  created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE processor_accounts (
  merchant_id INTEGER NOT NULL REFERENCES merchants,
  processor TEXT NOT NULL CHECK (processor IN ('stripe')),
  mode TEXT NOT NULL CHECK (mode IN ('practice', 'test', 'live')),
  base_url TEXT NOT NULL,
  account TEXT NOT NULL,
  secret_key BLOB NOT NULL,
  webhook_secret BLOB,
  webhook_secret_before BLOB,
  polled_to INTEGER NOT NULL,
  connected_at INTEGER NOT NULL,
  PRIMARY KEY (merchant_id, processor)
) STRICT;

CREATE TABLE surcharges (
  merchant_id INTEGER NOT NULL REFERENCES merchants,
  method TEXT NOT NULL CHECK (method IN ('card')),
  currency TEXT NOT NULL,
  rate_millionths INTEGER NOT NULL CHECK (rate_millionths BETWEEN 0 AND 1000000),
  fixed INTEGER NOT NULL CHECK (fixed >= 0),
  cap INTEGER CHECK (cap >= 0),
  PRIMARY KEY (merchant_id, method, currency)
) STRICT;

CREATE TABLE policies (
  merchant_id INTEGER NOT NULL REFERENCES merchants,
  scope TEXT NOT NULL CHECK (scope IN ('merchant', 'customer', 'invoice')),
  subject BLOB NOT NULL,
  partial TEXT CHECK (partial IN ('never', 'always')),
  minimum_kind TEXT CHECK (minimum_kind IN ('none', 'amount', 'percent')),
  minimum INTEGER CHECK (minimum >= 0),
  minimum_currency TEXT,
  floor INTEGER CHECK (floor >= 0),
  identify TEXT CHECK (identify IN ('never', 'always', 'above')),
  identify_above INTEGER CHECK (identify_above >= 0),
  identify_currency TEXT,
  updated_at INTEGER NOT NULL,
  PRIMARY KEY (merchant_id, scope, subject)
) STRICT;

CREATE TABLE customers (
  merchant_id INTEGER NOT NULL REFERENCES merchants,
  id BLOB NOT NULL CHECK (length(id) = 16),
  name TEXT NOT NULL,
  name_key TEXT NOT NULL,
  address TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (merchant_id, id)
) STRICT;
CREATE INDEX customers_by_name ON customers (merchant_id, name_key);

CREATE TABLE contacts (
  merchant_id INTEGER NOT NULL,
  id BLOB NOT NULL CHECK (length(id) = 16),
  customer_id BLOB NOT NULL,
  name TEXT NOT NULL,
  email TEXT NOT NULL,
  email_key TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  chosen_at INTEGER,
  PRIMARY KEY (merchant_id, id),
  UNIQUE (merchant_id, customer_id, email_key),
  FOREIGN KEY (merchant_id, customer_id) REFERENCES customers (merchant_id, id)
) STRICT;
CREATE INDEX contacts_by_email ON contacts (merchant_id, email_key);

CREATE TABLE processor_customers (
  merchant_id INTEGER NOT NULL,
  processor TEXT NOT NULL CHECK (processor IN ('stripe')),
  mode TEXT NOT NULL CHECK (mode IN ('practice', 'test', 'live')),
  account TEXT NOT NULL,
  contact_id BLOB NOT NULL,
  processor_customer_id TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (merchant_id, processor, mode, account, contact_id),
  UNIQUE (merchant_id, processor, mode, account, processor_customer_id),
  FOREIGN KEY (merchant_id, contact_id) REFERENCES contacts (merchant_id, id)
) STRICT;

CREATE TABLE invoices (
  merchant_id INTEGER NOT NULL,
  id BLOB NOT NULL CHECK (length(id) = 16),
  number TEXT NOT NULL,
  customer_id BLOB NOT NULL,
  currency TEXT NOT NULL,
  lifecycle TEXT NOT NULL CHECK (lifecycle IN ('draft', 'open', 'void', 'uncollectible')),
  total INTEGER NOT NULL CHECK (total >= 0),
  tax INTEGER NOT NULL CHECK (tax BETWEEN 0 AND total),
  open INTEGER NOT NULL,
  pending INTEGER NOT NULL,
  paid INTEGER NOT NULL CHECK (paid >= 0),
  issued_on TEXT NOT NULL,
  due_on TEXT NOT NULL,
  purchase_order TEXT,
  memo TEXT,
  content_hash BLOB NOT NULL,
  created_at INTEGER NOT NULL,
  issued_at INTEGER,
  ended_at INTEGER,
  PRIMARY KEY (merchant_id, id),
  UNIQUE (merchant_id, number),
  FOREIGN KEY (merchant_id, customer_id) REFERENCES customers (merchant_id, id),
  CHECK (0 <= pending AND pending <= open AND open <= total),
  CHECK (lifecycle IN ('open', 'uncollectible') OR (open = 0 AND paid = 0))
) STRICT;
CREATE INDEX invoices_by_customer ON invoices (merchant_id, customer_id, due_on, id);
CREATE INDEX invoices_owed ON invoices (merchant_id, customer_id, currency) WHERE open > 0;

CREATE TABLE invoice_lines (
  merchant_id INTEGER NOT NULL,
  invoice_id BLOB NOT NULL,
  position INTEGER NOT NULL CHECK (position >= 1),
  description TEXT NOT NULL,
  quantity TEXT NOT NULL,
  unit_amount INTEGER NOT NULL,
  tax_rate INTEGER,
  net INTEGER NOT NULL,
  tax INTEGER NOT NULL,
  PRIMARY KEY (merchant_id, invoice_id, position),
  FOREIGN KEY (merchant_id, invoice_id) REFERENCES invoices (merchant_id, id)
) STRICT;

CREATE TABLE links (
  merchant_id INTEGER NOT NULL,
  id BLOB NOT NULL CHECK (length(id) = 16),
  invoice_id BLOB NOT NULL,
  contact_id BLOB,
  token_hash BLOB NOT NULL CHECK (length(token_hash) = 32),
  created_at INTEGER NOT NULL,
  revoked_at INTEGER,
  PRIMARY KEY (merchant_id, id),
  UNIQUE (merchant_id, token_hash),
  FOREIGN KEY (merchant_id, invoice_id) REFERENCES invoices (merchant_id, id),
  FOREIGN KEY (merchant_id, contact_id) REFERENCES contacts (merchant_id, id)
) STRICT;
CREATE INDEX links_by_invoice ON links (merchant_id, invoice_id);

CREATE TABLE payments (
  merchant_id INTEGER NOT NULL,
  id BLOB NOT NULL CHECK (length(id) = 16),
  customer_id BLOB NOT NULL,
  currency TEXT NOT NULL,
  amount INTEGER NOT NULL CHECK (amount > 0),
  surcharge INTEGER NOT NULL CHECK (surcharge >= 0),
  method TEXT NOT NULL CHECK (method IN ('card')),
  state TEXT NOT NULL CHECK (state IN ('created', 'submitting', 'requires_action', 'processing', 'unknown', 'succeeded',
    'failed', 'canceled', 'returned', 'charged_back')),
  contact_id BLOB,
  link_id BLOB,
  session_hash BLOB,
  receipt_email TEXT,
  client TEXT,
  payer_reference TEXT,
  decline TEXT,
  ending TEXT CHECK (ending IN ('payer_canceled', 'expired', 'declined', 'refused', 'abandoned')),
  captured INTEGER CHECK (captured > 0),
  captured_currency TEXT,
  captured_at INTEGER,
  card_brand TEXT,
  card_last4 TEXT CHECK (length(card_last4) = 4),
  created_at INTEGER NOT NULL,
  changed_at INTEGER NOT NULL,
  redirected_at INTEGER,
  seen_at INTEGER,
  cancel_asked_at INTEGER,
  language TEXT NOT NULL,
  PRIMARY KEY (merchant_id, id),
  FOREIGN KEY (merchant_id, customer_id) REFERENCES customers (merchant_id, id),
  FOREIGN KEY (merchant_id, contact_id) REFERENCES contacts (merchant_id, id),
  FOREIGN KEY (merchant_id, link_id) REFERENCES links (merchant_id, id)
) STRICT;
CREATE INDEX payments_in_flight ON payments (merchant_id, changed_at)
  WHERE state IN ('created', 'submitting', 'requires_action', 'processing', 'unknown');
CREATE INDEX payments_by_customer ON payments (merchant_id, customer_id, created_at);

CREATE TABLE reservations (
  merchant_id INTEGER NOT NULL,
  payment_id BLOB NOT NULL,
  invoice_id BLOB NOT NULL,
  amount INTEGER NOT NULL CHECK (amount > 0),
  state TEXT NOT NULL CHECK (state IN ('live', 'consumed', 'released')),
  created_at INTEGER NOT NULL,
  ended_at INTEGER,
  PRIMARY KEY (merchant_id, payment_id, invoice_id),
  FOREIGN KEY (merchant_id, payment_id) REFERENCES payments (merchant_id, id),
  FOREIGN KEY (merchant_id, invoice_id) REFERENCES invoices (merchant_id, id)
) STRICT;
CREATE INDEX reservations_by_invoice ON reservations (merchant_id, invoice_id, created_at);

CREATE TABLE payment_states (
  merchant_id INTEGER NOT NULL,
  payment_id BLOB NOT NULL,
  number INTEGER NOT NULL CHECK (number >= 1),
  state TEXT NOT NULL,
  reason TEXT NOT NULL,
  at INTEGER NOT NULL,
  PRIMARY KEY (merchant_id, payment_id, number),
  FOREIGN KEY (merchant_id, payment_id) REFERENCES payments (merchant_id, id)
) STRICT;

CREATE TABLE attempts (
  merchant_id INTEGER NOT NULL,
  id BLOB NOT NULL CHECK (length(id) = 16),
  payment_id BLOB NOT NULL,
  number INTEGER NOT NULL CHECK (number >= 1),
  processor TEXT NOT NULL,
  processor_key TEXT NOT NULL,
  route TEXT NOT NULL,
  body TEXT NOT NULL,
  session_id TEXT,
  session_url TEXT,
  session_expires_at INTEGER,
  payment_intent_id TEXT,
  charge_id TEXT,
  balance_transaction_id TEXT,
  decline_code TEXT,
  declined_at INTEGER,
  refusal TEXT,
  calls INTEGER NOT NULL CHECK (calls >= 0),
  server_errors INTEGER NOT NULL CHECK (server_errors >= 0),
  created_at INTEGER NOT NULL,
  called_at INTEGER,
  PRIMARY KEY (merchant_id, id),
  UNIQUE (merchant_id, payment_id, number),
  UNIQUE (merchant_id, processor, processor_key),
  UNIQUE (merchant_id, processor, session_id),
  UNIQUE (merchant_id, processor, charge_id),
  FOREIGN KEY (merchant_id, payment_id) REFERENCES payments (merchant_id, id)
) STRICT;
CREATE INDEX attempts_by_intent ON attempts (merchant_id, payment_intent_id);

CREATE TABLE idempotency (
  merchant_id INTEGER NOT NULL REFERENCES merchants,
  owner TEXT NOT NULL,
  route TEXT NOT NULL,
  key TEXT NOT NULL,
  request_hash BLOB NOT NULL CHECK (length(request_hash) = 32),
  resource TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (merchant_id, owner, route, key)
) STRICT;

CREATE TABLE postings (
  merchant_id INTEGER NOT NULL REFERENCES merchants,
  id BLOB NOT NULL CHECK (length(id) = 16),
  cause_kind TEXT NOT NULL,
  cause_id TEXT NOT NULL,
  currency TEXT NOT NULL,
  reverses BLOB,
  at INTEGER NOT NULL,
  PRIMARY KEY (merchant_id, id),
  UNIQUE (merchant_id, cause_kind, cause_id),
  UNIQUE (merchant_id, reverses),
  FOREIGN KEY (merchant_id, reverses) REFERENCES postings (merchant_id, id)
) STRICT;

CREATE TABLE entries (
  merchant_id INTEGER NOT NULL,
  posting_id BLOB NOT NULL,
  line INTEGER NOT NULL CHECK (line >= 1),
  account INTEGER NOT NULL,
  side TEXT NOT NULL CHECK (side IN ('debit', 'credit')),
  amount INTEGER NOT NULL CHECK (amount > 0),
  customer_id BLOB,
  subject BLOB,
  PRIMARY KEY (merchant_id, posting_id, line),
  FOREIGN KEY (merchant_id, posting_id) REFERENCES postings (merchant_id, id),
  FOREIGN KEY (merchant_id, customer_id) REFERENCES customers (merchant_id, id)
) STRICT;
CREATE INDEX entries_by_account ON entries (merchant_id, account, subject);

CREATE TABLE grants (
  merchant_id INTEGER NOT NULL,
  id BLOB NOT NULL CHECK (length(id) = 16),
  customer_id BLOB NOT NULL,
  payment_id BLOB NOT NULL,
  invoice_id BLOB NOT NULL,
  currency TEXT NOT NULL,
  amount INTEGER NOT NULL CHECK (amount > 0),
  remaining INTEGER NOT NULL CHECK (0 <= remaining AND remaining <= amount),
  created_at INTEGER NOT NULL,
  PRIMARY KEY (merchant_id, id),
  FOREIGN KEY (merchant_id, customer_id) REFERENCES customers (merchant_id, id),
  FOREIGN KEY (merchant_id, payment_id) REFERENCES payments (merchant_id, id),
  FOREIGN KEY (merchant_id, invoice_id) REFERENCES invoices (merchant_id, id)
) STRICT;
CREATE INDEX grants_left ON grants (merchant_id, invoice_id, id) WHERE remaining > 0;

CREATE TABLE allocations (
  merchant_id INTEGER NOT NULL,
  id BLOB NOT NULL CHECK (length(id) = 16),
  payment_id BLOB NOT NULL,
  grant_id BLOB,
  invoice_id BLOB NOT NULL,
  amount INTEGER NOT NULL CHECK (amount <> 0),
  posting_id BLOB NOT NULL,
  at INTEGER NOT NULL,
  PRIMARY KEY (merchant_id, id),
  FOREIGN KEY (merchant_id, payment_id) REFERENCES payments (merchant_id, id),
  FOREIGN KEY (merchant_id, grant_id) REFERENCES grants (merchant_id, id),
  FOREIGN KEY (merchant_id, invoice_id) REFERENCES invoices (merchant_id, id),
  FOREIGN KEY (merchant_id, posting_id) REFERENCES postings (merchant_id, id)
) STRICT;
CREATE INDEX allocations_by_invoice ON allocations (merchant_id, invoice_id);
CREATE INDEX allocations_by_payment ON allocations (merchant_id, payment_id);

CREATE TABLE receipts (
  merchant_id INTEGER NOT NULL,
  payment_id BLOB NOT NULL,
  amount INTEGER NOT NULL CHECK (amount > 0),
  surcharge INTEGER NOT NULL CHECK (surcharge >= 0),
  credit INTEGER NOT NULL CHECK (credit >= 0),
  currency TEXT NOT NULL,
  at INTEGER NOT NULL,
  PRIMARY KEY (merchant_id, payment_id),
  FOREIGN KEY (merchant_id, payment_id) REFERENCES payments (merchant_id, id)
) STRICT;

CREATE TABLE receipt_lines (
  merchant_id INTEGER NOT NULL,
  payment_id BLOB NOT NULL,
  invoice_id BLOB NOT NULL,
  applied INTEGER NOT NULL CHECK (applied >= 0),
  open_before INTEGER NOT NULL CHECK (open_before >= 0),
  open_after INTEGER NOT NULL CHECK (open_after >= 0),
  PRIMARY KEY (merchant_id, payment_id, invoice_id),
  FOREIGN KEY (merchant_id, payment_id) REFERENCES receipts (merchant_id, payment_id),
  FOREIGN KEY (merchant_id, invoice_id) REFERENCES invoices (merchant_id, id),
  CHECK (open_before - applied = open_after)
) STRICT;

CREATE TABLE seals (
  merchant_id INTEGER NOT NULL REFERENCES merchants,
  chain TEXT NOT NULL CHECK (chain IN ('postings', 'audit')),
  number INTEGER NOT NULL CHECK (number >= 1),
  subject BLOB NOT NULL,
  hash BLOB NOT NULL CHECK (length(hash) = 32),
  previous_hash BLOB NOT NULL CHECK (length(previous_hash) = 32),
  PRIMARY KEY (merchant_id, chain, number),
  UNIQUE (merchant_id, chain, subject)
) STRICT;

CREATE TABLE anomalies (
  merchant_id INTEGER NOT NULL,
  id BLOB NOT NULL CHECK (length(id) = 16),
  kind TEXT NOT NULL,
  payment_id BLOB,
  detail TEXT NOT NULL,
  at INTEGER NOT NULL,
  PRIMARY KEY (merchant_id, id),
  FOREIGN KEY (merchant_id, payment_id) REFERENCES payments (merchant_id, id)
) STRICT;
CREATE INDEX anomalies_by_payment ON anomalies (merchant_id, payment_id);

CREATE TABLE events (
  merchant_id INTEGER NOT NULL REFERENCES merchants,
  id BLOB NOT NULL CHECK (length(id) = 16),
  kind TEXT NOT NULL,
  invoice_id BLOB,
  payment_id BLOB,
  data TEXT NOT NULL,
  at INTEGER NOT NULL,
  feed_number INTEGER,
  PRIMARY KEY (merchant_id, id),
  UNIQUE (merchant_id, feed_number)
) STRICT;
CREATE INDEX events_by_invoice ON events (merchant_id, invoice_id, id);
CREATE INDEX events_unnumbered ON events (merchant_id, id) WHERE feed_number IS NULL;

CREATE TABLE audit (
  merchant_id INTEGER NOT NULL REFERENCES merchants,
  id BLOB NOT NULL CHECK (length(id) = 16),
  actor TEXT NOT NULL CHECK (actor <> ''),
  act TEXT NOT NULL CHECK (act <> ''),
  object TEXT NOT NULL,
  before TEXT NOT NULL,
  after TEXT NOT NULL,
  at INTEGER NOT NULL,
  PRIMARY KEY (merchant_id, id)
) STRICT;
CREATE INDEX audit_by_object ON audit (merchant_id, object, act);

CREATE TABLE mails (
  merchant_id INTEGER NOT NULL REFERENCES merchants,
  id BLOB NOT NULL CHECK (length(id) = 16),
  kind TEXT NOT NULL CHECK (kind IN ('invoice', 'code', 'received', 'failed')),
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
CREATE INDEX mails_queued ON mails (next_at) WHERE state = 'queued';
CREATE INDEX mails_by_invoice ON mails (merchant_id, invoice_id, id);

CREATE TABLE inbox (
  merchant_id INTEGER NOT NULL REFERENCES merchants,
  processor TEXT NOT NULL,
  event_id TEXT NOT NULL,
  kind TEXT NOT NULL,
  object_id TEXT NOT NULL,
  session_id TEXT,
  payment_intent_id TEXT,
  attempt_id BLOB,
  raw TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('stored', 'applied', 'parked', 'ignored')),
  tries INTEGER NOT NULL,
  next_at INTEGER NOT NULL,
  last_error TEXT,
  received_at INTEGER NOT NULL,
  PRIMARY KEY (merchant_id, processor, event_id)
) STRICT;
CREATE INDEX inbox_waiting ON inbox (next_at) WHERE state = 'stored';

CREATE TABLE jobs (
  merchant_id INTEGER NOT NULL REFERENCES merchants,
  id BLOB NOT NULL CHECK (length(id) = 16),
  kind TEXT NOT NULL,
  subject TEXT NOT NULL,
  run_at INTEGER NOT NULL,
  tries INTEGER NOT NULL,
  leased_until INTEGER NOT NULL,
  last_error TEXT,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (merchant_id, id),
  UNIQUE (merchant_id, kind, subject)
) STRICT;
CREATE INDEX jobs_due ON jobs (run_at);

CREATE TABLE sessions (
  merchant_id INTEGER NOT NULL REFERENCES merchants,
  token_hash BLOB NOT NULL CHECK (length(token_hash) = 32),
  contact_id BLOB,
  email_key TEXT,
  created_at INTEGER NOT NULL,
  seen_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  PRIMARY KEY (merchant_id, token_hash),
  FOREIGN KEY (merchant_id, contact_id) REFERENCES contacts (merchant_id, id)
) STRICT;
CREATE INDEX sessions_expired ON sessions (expires_at);

CREATE TABLE session_invoices (
  merchant_id INTEGER NOT NULL,
  token_hash BLOB NOT NULL,
  invoice_id BLOB NOT NULL,
  link_id BLOB NOT NULL,
  seen_at INTEGER NOT NULL,
  PRIMARY KEY (merchant_id, token_hash, invoice_id),
  FOREIGN KEY (merchant_id, token_hash) REFERENCES sessions (merchant_id, token_hash) ON DELETE CASCADE,
  FOREIGN KEY (merchant_id, invoice_id) REFERENCES invoices (merchant_id, id),
  FOREIGN KEY (merchant_id, link_id) REFERENCES links (merchant_id, id)
) STRICT;

CREATE TABLE signins (
  merchant_id INTEGER NOT NULL REFERENCES merchants,
  id BLOB NOT NULL CHECK (length(id) = 16),
  email_key TEXT NOT NULL,
  browser_hash BLOB NOT NULL CHECK (length(browser_hash) = 32),
  code_hash BLOB NOT NULL CHECK (length(code_hash) = 32),
  link_hash BLOB NOT NULL CHECK (length(link_hash) = 32),
  tries_left INTEGER NOT NULL CHECK (tries_left >= 0),
  created_at INTEGER NOT NULL,
  ended_at INTEGER,
  PRIMARY KEY (merchant_id, id)
) STRICT;
CREATE INDEX signins_by_browser ON signins (merchant_id, browser_hash, created_at);
CREATE INDEX signins_by_link ON signins (merchant_id, link_hash);
CREATE INDEX signins_by_email ON signins (merchant_id, email_key, created_at);

CREATE TABLE rates (
  merchant_id INTEGER NOT NULL,
  scope TEXT NOT NULL,
  key TEXT NOT NULL,
  window_start INTEGER NOT NULL,
  count INTEGER NOT NULL,
  PRIMARY KEY (merchant_id, scope, key, window_start)
) STRICT;
CREATE INDEX rates_old ON rates (window_start);

-- What was written once stays as it was written.
CREATE TRIGGER postings_no_update BEFORE UPDATE ON postings BEGIN SELECT RAISE(ABORT, 'postings are only ever added'); END;
CREATE TRIGGER postings_no_delete BEFORE DELETE ON postings BEGIN SELECT RAISE(ABORT, 'postings are only ever added'); END;
CREATE TRIGGER entries_no_update BEFORE UPDATE ON entries BEGIN SELECT RAISE(ABORT, 'entries are only ever added'); END;
CREATE TRIGGER entries_no_delete BEFORE DELETE ON entries BEGIN SELECT RAISE(ABORT, 'entries are only ever added'); END;
CREATE TRIGGER allocations_no_update BEFORE UPDATE ON allocations BEGIN SELECT RAISE(ABORT, 'allocations are only ever added'); END;
CREATE TRIGGER allocations_no_delete BEFORE DELETE ON allocations BEGIN SELECT RAISE(ABORT, 'allocations are only ever added'); END;
CREATE TRIGGER seals_no_update BEFORE UPDATE ON seals BEGIN SELECT RAISE(ABORT, 'seals are only ever added'); END;
CREATE TRIGGER seals_no_delete BEFORE DELETE ON seals BEGIN SELECT RAISE(ABORT, 'seals are only ever added'); END;
CREATE TRIGGER receipts_no_update BEFORE UPDATE ON receipts BEGIN SELECT RAISE(ABORT, 'receipts are only ever added'); END;
CREATE TRIGGER receipts_no_delete BEFORE DELETE ON receipts BEGIN SELECT RAISE(ABORT, 'receipts are only ever added'); END;
CREATE TRIGGER receipt_lines_no_update BEFORE UPDATE ON receipt_lines BEGIN SELECT RAISE(ABORT, 'receipt_lines are only ever added'); END;
CREATE TRIGGER receipt_lines_no_delete BEFORE DELETE ON receipt_lines BEGIN SELECT RAISE(ABORT, 'receipt_lines are only ever added'); END;
CREATE TRIGGER payment_states_no_update BEFORE UPDATE ON payment_states BEGIN SELECT RAISE(ABORT, 'payment_states are only ever added'); END;
CREATE TRIGGER payment_states_no_delete BEFORE DELETE ON payment_states BEGIN SELECT RAISE(ABORT, 'payment_states are only ever added'); END;
CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'audit are only ever added'); END;
CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'audit are only ever added'); END;
CREATE TRIGGER anomalies_no_update BEFORE UPDATE ON anomalies BEGIN SELECT RAISE(ABORT, 'anomalies are only ever added'); END;
CREATE TRIGGER anomalies_no_delete BEFORE DELETE ON anomalies BEGIN SELECT RAISE(ABORT, 'anomalies are only ever added'); END;
