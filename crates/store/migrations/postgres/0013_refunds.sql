-- Money that goes back to who paid it. Whose money it is and where it is taken from stands in refund_parts; `payment_id` is the
-- payment it was asked of, or whose charge carries it. The whole call is kept before it is made, under its key, for ever.
CREATE TABLE refunds (
  merchant_id BIGINT NOT NULL REFERENCES merchants,
  id BYTEA NOT NULL CHECK (length(id) = 16),
  source TEXT COLLATE "C" NOT NULL CHECK (source IN ('payment', 'credit')),
  channel TEXT COLLATE "C" NOT NULL CHECK (channel IN ('stripe', 'bank')),
  origin TEXT COLLATE "C" NOT NULL CHECK (origin IN ('asked', 'adopted')),
  customer_id BYTEA NOT NULL,
  payment_id BYTEA CHECK (payment_id IS NOT NULL OR (source = 'credit' AND channel = 'bank')),
  invoice_id BYTEA CHECK (invoice_id IS NULL OR source = 'payment'),
  amount BIGINT NOT NULL CHECK (amount > 0),
  currency TEXT COLLATE "C" NOT NULL,
  meaning TEXT COLLATE "C" CHECK (meaning IN ('owed_again', 'price_given_back')) CHECK ((meaning IS NULL) = (source = 'credit')),
  state TEXT COLLATE "C" NOT NULL
    CHECK (state IN ('requested', 'submitting', 'pending', 'unknown', 'succeeded', 'failed', 'canceled')),
  reason TEXT COLLATE "C" NOT NULL CHECK (reason <> ''),
  requested_by TEXT COLLATE "C" NOT NULL CHECK (requested_by <> ''),
  approval TEXT COLLATE "C" NOT NULL CHECK (approval IN ('not_needed', 'waiting', 'given')),
  approved_by TEXT COLLATE "C" CHECK ((approved_by IS NOT NULL) = (approval = 'given')) CHECK (approved_by <> requested_by),
  approved_at BIGINT CHECK ((approved_at IS NULL) = (approved_by IS NULL)),
  processor_key TEXT COLLATE "C" CHECK ((processor_key IS NOT NULL) = (channel <> 'bank' AND origin = 'asked')),
  route TEXT COLLATE "C" CHECK ((route IS NULL) = (processor_key IS NULL)),
  body TEXT COLLATE "C" CHECK ((body IS NULL) = (processor_key IS NULL)),
  calls BIGINT NOT NULL CHECK (calls >= 0),
  server_errors BIGINT NOT NULL CHECK (server_errors >= 0),
  called_at BIGINT,
  processor_refund_id TEXT COLLATE "C" CHECK (processor_refund_id IS NULL OR channel <> 'bank'),
  line_id TEXT COLLATE "C",
  failure_line_id TEXT COLLATE "C",
  failure_reason TEXT COLLATE "C",
  bank_reference TEXT COLLATE "C",
  paid_on TEXT COLLATE "C" CHECK (paid_on IS NULL OR channel = 'bank'),
  paid_reference TEXT COLLATE "C" CHECK (paid_reference IS NULL OR channel = 'bank'),
  created_at BIGINT NOT NULL,
  changed_at BIGINT NOT NULL,
  PRIMARY KEY (merchant_id, id),
  UNIQUE (merchant_id, processor_key),
  UNIQUE (merchant_id, processor_refund_id),
  FOREIGN KEY (merchant_id, customer_id) REFERENCES customers (merchant_id, id),
  FOREIGN KEY (merchant_id, payment_id) REFERENCES payments (merchant_id, id),
  FOREIGN KEY (merchant_id, invoice_id) REFERENCES invoices (merchant_id, id)
);
CREATE INDEX refunds_by_payment ON refunds (merchant_id, payment_id, id);
CREATE INDEX refunds_by_customer ON refunds (merchant_id, customer_id, id);
CREATE INDEX refunds_in_flight ON refunds (merchant_id, id) WHERE state IN ('requested', 'submitting', 'pending', 'unknown');
CREATE FUNCTION refunds_never_reworded() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'what was asked for is never reworded, and refunds are never deleted';
END $$;
CREATE TRIGGER refunds_no_rewording BEFORE UPDATE OF source, channel, origin, customer_id, payment_id, invoice_id, amount, currency,
  meaning, reason, requested_by, processor_key, route, body, created_at OR DELETE
  ON refunds FOR EACH ROW EXECUTE FUNCTION refunds_never_reworded();
CREATE TRIGGER refunds_no_truncate BEFORE TRUNCATE ON refunds FOR EACH STATEMENT EXECUTE FUNCTION refunds_never_reworded();

-- Where its money was taken from. What comes back of it goes by this.
CREATE TABLE refund_parts (
  merchant_id BIGINT NOT NULL,
  refund_id BYTEA NOT NULL,
  number BIGINT NOT NULL CHECK (number >= 1),
  place TEXT COLLATE "C" NOT NULL CHECK (place IN ('surcharge', 'allocated', 'grant', 'unapplied', 'owed')),
  payment_id BYTEA CHECK (payment_id IS NOT NULL OR place = 'grant'),
  invoice_id BYTEA CHECK (invoice_id IS NOT NULL OR place <> 'allocated'),
  grant_id BYTEA CHECK ((grant_id IS NOT NULL) = (place = 'grant')),
  amount BIGINT NOT NULL CHECK (amount > 0),
  PRIMARY KEY (merchant_id, refund_id, number),
  FOREIGN KEY (merchant_id, refund_id) REFERENCES refunds (merchant_id, id),
  FOREIGN KEY (merchant_id, payment_id) REFERENCES payments (merchant_id, id),
  FOREIGN KEY (merchant_id, invoice_id) REFERENCES invoices (merchant_id, id),
  FOREIGN KEY (merchant_id, grant_id) REFERENCES grants (merchant_id, id)
);
CREATE INDEX refund_parts_by_payment ON refund_parts (merchant_id, payment_id);
CREATE INDEX refund_parts_by_invoice ON refund_parts (merchant_id, invoice_id);
CREATE TRIGGER refund_parts_no_change BEFORE UPDATE OR DELETE ON refund_parts FOR EACH ROW EXECUTE FUNCTION only_ever_added();
CREATE TRIGGER refund_parts_no_truncate BEFORE TRUNCATE ON refund_parts FOR EACH STATEMENT EXECUTE FUNCTION only_ever_added();

CREATE TABLE refund_states (
  merchant_id BIGINT NOT NULL,
  refund_id BYTEA NOT NULL,
  number BIGINT NOT NULL CHECK (number >= 1),
  state TEXT COLLATE "C" NOT NULL,
  reason TEXT COLLATE "C" NOT NULL,
  at BIGINT NOT NULL,
  PRIMARY KEY (merchant_id, refund_id, number),
  FOREIGN KEY (merchant_id, refund_id) REFERENCES refunds (merchant_id, id)
);
CREATE TRIGGER refund_states_no_change BEFORE UPDATE OR DELETE ON refund_states FOR EACH ROW EXECUTE FUNCTION only_ever_added();
CREATE TRIGGER refund_states_no_truncate BEFORE TRUNCATE ON refund_states FOR EACH STATEMENT EXECUTE FUNCTION only_ever_added();

-- Above which amount a second person has to approve. Without a row: nobody has to.
CREATE TABLE refund_limits (
  merchant_id BIGINT NOT NULL REFERENCES merchants,
  currency TEXT COLLATE "C" NOT NULL,
  amount BIGINT NOT NULL CHECK (amount >= 0),
  PRIMARY KEY (merchant_id, currency)
);
