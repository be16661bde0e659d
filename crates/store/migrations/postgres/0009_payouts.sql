-- What a processor transfers to the merchant's bank, or takes from it where it is below zero. `balance` is what leaves the
-- processor's books, the same as the amount unless the processor converts.
CREATE TABLE payouts (
  merchant_id BIGINT NOT NULL REFERENCES merchants,
  id BYTEA NOT NULL CHECK (length(id) = 16),
  processor TEXT COLLATE "C" NOT NULL CHECK (processor IN ('stripe')),
  processor_payout_id TEXT COLLATE "C" NOT NULL,
  state TEXT COLLATE "C" NOT NULL CHECK (state IN ('pending', 'in_transit', 'paid', 'failed', 'canceled')),
  amount BIGINT NOT NULL,
  currency TEXT COLLATE "C" NOT NULL,
  balance BIGINT NOT NULL,
  balance_currency TEXT COLLATE "C" NOT NULL,
  is_automatic BIGINT NOT NULL CHECK (is_automatic IN (0, 1)),
  made_at BIGINT NOT NULL,
  arrives_at BIGINT NOT NULL,
  statement TEXT COLLATE "C",
  failure_code TEXT COLLATE "C",
  failure_message TEXT COLLATE "C",
  reconciled_at BIGINT CHECK (reconciled_at IS NULL OR is_automatic = 1),
  unreconciled_because TEXT COLLATE "C",
  created_at BIGINT NOT NULL,
  changed_at BIGINT NOT NULL,
  PRIMARY KEY (merchant_id, id),
  UNIQUE (merchant_id, processor, processor_payout_id)
);

CREATE TABLE payout_states (
  merchant_id BIGINT NOT NULL,
  payout_id BYTEA NOT NULL,
  number BIGINT NOT NULL CHECK (number >= 1),
  state TEXT COLLATE "C" NOT NULL,
  reason TEXT COLLATE "C" NOT NULL,
  at BIGINT NOT NULL,
  PRIMARY KEY (merchant_id, payout_id, number),
  FOREIGN KEY (merchant_id, payout_id) REFERENCES payouts (merchant_id, id)
);

-- The lines of the processor's books that a payout is made of, each in one payout. `about` says what of ours a line belongs to,
-- and `subject` which; nothing while nobody knows it.
CREATE TABLE payout_items (
  merchant_id BIGINT NOT NULL,
  line_id TEXT COLLATE "C" NOT NULL,
  payout_id BYTEA NOT NULL,
  kind TEXT COLLATE "C" NOT NULL CHECK (kind IN ('charge', 'charge_failure', 'refund', 'refund_failure', 'dispute', 'dispute_reversal',
    'payout', 'payout_reversal', 'fee', 'other')),
  word TEXT COLLATE "C" NOT NULL,
  currency TEXT COLLATE "C" NOT NULL,
  amount BIGINT NOT NULL,
  fee BIGINT NOT NULL,
  net BIGINT NOT NULL,
  source_id TEXT COLLATE "C",
  about TEXT COLLATE "C" CHECK (about IN ('payment', 'refund', 'dispute', 'return', 'fee', 'payout')),
  subject TEXT COLLATE "C",
  payment_id BYTEA,
  made_at BIGINT NOT NULL,
  PRIMARY KEY (merchant_id, line_id),
  CHECK (net = amount - fee),
  FOREIGN KEY (merchant_id, payout_id) REFERENCES payouts (merchant_id, id),
  FOREIGN KEY (merchant_id, payment_id) REFERENCES payments (merchant_id, id)
);
CREATE INDEX payout_items_of_payout ON payout_items (merchant_id, payout_id, line_id);
CREATE INDEX payout_items_of_payment ON payout_items (merchant_id, payment_id) WHERE payment_id IS NOT NULL;

CREATE FUNCTION payouts_never_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'what payouts were and what they were made of is never changed';
END $$;
CREATE TRIGGER payouts_no_change
  BEFORE UPDATE OF processor_payout_id, amount, currency, balance, balance_currency, is_automatic OR DELETE
  ON payouts FOR EACH ROW EXECUTE FUNCTION payouts_never_changed();
CREATE TRIGGER payouts_no_truncate BEFORE TRUNCATE ON payouts FOR EACH STATEMENT EXECUTE FUNCTION payouts_never_changed();
CREATE TRIGGER payout_states_no_change BEFORE UPDATE OR DELETE ON payout_states
  FOR EACH ROW EXECUTE FUNCTION payouts_never_changed();
CREATE TRIGGER payout_states_no_truncate BEFORE TRUNCATE ON payout_states
  FOR EACH STATEMENT EXECUTE FUNCTION payouts_never_changed();
CREATE TRIGGER payout_items_no_change
  BEFORE UPDATE OF line_id, payout_id, kind, word, currency, amount, fee, net, source_id, made_at OR DELETE
  ON payout_items FOR EACH ROW EXECUTE FUNCTION payouts_never_changed();
CREATE TRIGGER payout_items_no_truncate BEFORE TRUNCATE ON payout_items
  FOR EACH STATEMENT EXECUTE FUNCTION payouts_never_changed();
