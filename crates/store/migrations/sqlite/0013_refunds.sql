-- Money that goes back to who paid it. Whose money it is and where it is taken from stands in refund_parts; `payment_id` is the
-- payment it was asked of, or whose charge carries it. The whole call is kept before it is made, under its key, for ever.
CREATE TABLE refunds (
  merchant_id INTEGER NOT NULL REFERENCES merchants,
  id BLOB NOT NULL CHECK (length(id) = 16),
  source TEXT NOT NULL CHECK (source IN ('payment', 'credit')),
  channel TEXT NOT NULL CHECK (channel IN ('stripe', 'bank')),
  origin TEXT NOT NULL CHECK (origin IN ('asked', 'adopted')),
  customer_id BLOB NOT NULL,
  payment_id BLOB CHECK (payment_id IS NOT NULL OR (source = 'credit' AND channel = 'bank')),
  invoice_id BLOB CHECK (invoice_id IS NULL OR source = 'payment'),
  amount INTEGER NOT NULL CHECK (amount > 0),
  currency TEXT NOT NULL,
  meaning TEXT CHECK (meaning IN ('owed_again', 'price_given_back')) CHECK ((meaning IS NULL) = (source = 'credit')),
  state TEXT NOT NULL
    CHECK (state IN ('requested', 'submitting', 'pending', 'unknown', 'succeeded', 'failed', 'canceled')),
  reason TEXT NOT NULL CHECK (reason <> ''),
  requested_by TEXT NOT NULL CHECK (requested_by <> ''),
  approval TEXT NOT NULL CHECK (approval IN ('not_needed', 'waiting', 'given')),
  approved_by TEXT CHECK ((approved_by IS NOT NULL) = (approval = 'given')) CHECK (approved_by <> requested_by),
  approved_at INTEGER CHECK ((approved_at IS NULL) = (approved_by IS NULL)),
  processor_key TEXT CHECK ((processor_key IS NOT NULL) = (channel <> 'bank' AND origin = 'asked')),
  route TEXT CHECK ((route IS NULL) = (processor_key IS NULL)),
  body TEXT CHECK ((body IS NULL) = (processor_key IS NULL)),
  calls INTEGER NOT NULL CHECK (calls >= 0),
  server_errors INTEGER NOT NULL CHECK (server_errors >= 0),
  called_at INTEGER,
  processor_refund_id TEXT CHECK (processor_refund_id IS NULL OR channel <> 'bank'),
  line_id TEXT,
  failure_line_id TEXT,
  failure_reason TEXT,
  bank_reference TEXT,
  paid_on TEXT CHECK (paid_on IS NULL OR channel = 'bank'),
  paid_reference TEXT CHECK (paid_reference IS NULL OR channel = 'bank'),
  created_at INTEGER NOT NULL,
  changed_at INTEGER NOT NULL,
  PRIMARY KEY (merchant_id, id),
  UNIQUE (merchant_id, processor_key),
  UNIQUE (merchant_id, processor_refund_id),
  FOREIGN KEY (merchant_id, customer_id) REFERENCES customers (merchant_id, id),
  FOREIGN KEY (merchant_id, payment_id) REFERENCES payments (merchant_id, id),
  FOREIGN KEY (merchant_id, invoice_id) REFERENCES invoices (merchant_id, id)
) STRICT;
CREATE INDEX refunds_by_payment ON refunds (merchant_id, payment_id, id);
CREATE INDEX refunds_by_customer ON refunds (merchant_id, customer_id, id);
CREATE INDEX refunds_in_flight ON refunds (merchant_id, id) WHERE state IN ('requested', 'submitting', 'pending', 'unknown');
CREATE TRIGGER refunds_no_rewording BEFORE UPDATE OF source, channel, origin, customer_id, payment_id, invoice_id, amount, currency,
  meaning, reason, requested_by, processor_key, route, body, created_at ON refunds
BEGIN SELECT RAISE(ABORT, 'what was asked for is never reworded'); END;
CREATE TRIGGER refunds_no_delete BEFORE DELETE ON refunds BEGIN SELECT RAISE(ABORT, 'refunds are never deleted'); END;

-- Where its money was taken from. What comes back of it goes by this.
CREATE TABLE refund_parts (
  merchant_id INTEGER NOT NULL,
  refund_id BLOB NOT NULL,
  number INTEGER NOT NULL CHECK (number >= 1),
  place TEXT NOT NULL CHECK (place IN ('surcharge', 'allocated', 'grant', 'unapplied', 'owed')),
  payment_id BLOB CHECK (payment_id IS NOT NULL OR place = 'grant'),
  invoice_id BLOB CHECK (invoice_id IS NOT NULL OR place <> 'allocated'),
  grant_id BLOB CHECK ((grant_id IS NOT NULL) = (place = 'grant')),
  amount INTEGER NOT NULL CHECK (amount > 0),
  PRIMARY KEY (merchant_id, refund_id, number),
  FOREIGN KEY (merchant_id, refund_id) REFERENCES refunds (merchant_id, id),
  FOREIGN KEY (merchant_id, payment_id) REFERENCES payments (merchant_id, id),
  FOREIGN KEY (merchant_id, invoice_id) REFERENCES invoices (merchant_id, id),
  FOREIGN KEY (merchant_id, grant_id) REFERENCES grants (merchant_id, id)
) STRICT;
CREATE INDEX refund_parts_by_payment ON refund_parts (merchant_id, payment_id);
CREATE INDEX refund_parts_by_invoice ON refund_parts (merchant_id, invoice_id);
CREATE TRIGGER refund_parts_no_update BEFORE UPDATE ON refund_parts BEGIN SELECT RAISE(ABORT, 'refund_parts are only ever added'); END;
CREATE TRIGGER refund_parts_no_delete BEFORE DELETE ON refund_parts BEGIN SELECT RAISE(ABORT, 'refund_parts are only ever added'); END;

CREATE TABLE refund_states (
  merchant_id INTEGER NOT NULL,
  refund_id BLOB NOT NULL,
  number INTEGER NOT NULL CHECK (number >= 1),
  state TEXT NOT NULL,
  reason TEXT NOT NULL,
  at INTEGER NOT NULL,
  PRIMARY KEY (merchant_id, refund_id, number),
  FOREIGN KEY (merchant_id, refund_id) REFERENCES refunds (merchant_id, id)
) STRICT;
CREATE TRIGGER refund_states_no_update BEFORE UPDATE ON refund_states BEGIN SELECT RAISE(ABORT, 'refund_states are only ever added'); END;
CREATE TRIGGER refund_states_no_delete BEFORE DELETE ON refund_states BEGIN SELECT RAISE(ABORT, 'refund_states are only ever added'); END;

-- Above which amount a second person has to approve. Without a row: nobody has to.
CREATE TABLE refund_limits (
  merchant_id INTEGER NOT NULL REFERENCES merchants,
  currency TEXT NOT NULL,
  amount INTEGER NOT NULL CHECK (amount >= 0),
  PRIMARY KEY (merchant_id, currency)
) STRICT;
