-- What a processor transfers to the merchant's bank, or takes from it where it is below zero. `balance` is what leaves the
-- processor's books, the same as the amount unless the processor converts.
CREATE TABLE payouts (
  merchant_id INTEGER NOT NULL REFERENCES merchants,
  id BLOB NOT NULL CHECK (length(id) = 16),
  processor TEXT NOT NULL CHECK (processor IN ('stripe')),
  processor_payout_id TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('pending', 'in_transit', 'paid', 'failed', 'canceled')),
  amount INTEGER NOT NULL,
  currency TEXT NOT NULL,
  balance INTEGER NOT NULL,
  balance_currency TEXT NOT NULL,
  is_automatic INTEGER NOT NULL CHECK (is_automatic IN (0, 1)),
  made_at INTEGER NOT NULL,
  arrives_at INTEGER NOT NULL,
  statement TEXT,
  failure_code TEXT,
  failure_message TEXT,
  reconciled_at INTEGER CHECK (reconciled_at IS NULL OR is_automatic = 1),
  unreconciled_because TEXT,
  created_at INTEGER NOT NULL,
  changed_at INTEGER NOT NULL,
  PRIMARY KEY (merchant_id, id),
  UNIQUE (merchant_id, processor, processor_payout_id)
) STRICT;

CREATE TABLE payout_states (
  merchant_id INTEGER NOT NULL,
  payout_id BLOB NOT NULL,
  number INTEGER NOT NULL CHECK (number >= 1),
  state TEXT NOT NULL,
  reason TEXT NOT NULL,
  at INTEGER NOT NULL,
  PRIMARY KEY (merchant_id, payout_id, number),
  FOREIGN KEY (merchant_id, payout_id) REFERENCES payouts (merchant_id, id)
) STRICT;

-- The lines of the processor's books that a payout is made of, each in one payout. `about` says what of ours a line belongs to,
-- and `subject` which; nothing while nobody knows it.
CREATE TABLE payout_items (
  merchant_id INTEGER NOT NULL,
  line_id TEXT NOT NULL,
  payout_id BLOB NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('charge', 'charge_failure', 'refund', 'refund_failure', 'dispute', 'dispute_reversal',
    'payout', 'payout_reversal', 'fee', 'other')),
  word TEXT NOT NULL,
  currency TEXT NOT NULL,
  amount INTEGER NOT NULL,
  fee INTEGER NOT NULL,
  net INTEGER NOT NULL,
  source_id TEXT,
  about TEXT CHECK (about IN ('payment', 'refund', 'dispute', 'return', 'fee', 'payout')),
  subject TEXT,
  payment_id BLOB,
  made_at INTEGER NOT NULL,
  PRIMARY KEY (merchant_id, line_id),
  CHECK (net = amount - fee),
  FOREIGN KEY (merchant_id, payout_id) REFERENCES payouts (merchant_id, id),
  FOREIGN KEY (merchant_id, payment_id) REFERENCES payments (merchant_id, id)
) STRICT;
CREATE INDEX payout_items_of_payout ON payout_items (merchant_id, payout_id, line_id);
CREATE INDEX payout_items_of_payment ON payout_items (merchant_id, payment_id) WHERE payment_id IS NOT NULL;

CREATE TRIGGER payouts_no_delete BEFORE DELETE ON payouts BEGIN SELECT RAISE(ABORT, 'payouts are never deleted'); END;
CREATE TRIGGER payouts_no_change BEFORE UPDATE OF processor_payout_id, amount, currency, balance, balance_currency, is_automatic
  ON payouts BEGIN SELECT RAISE(ABORT, 'the figures of payouts are never changed'); END;
CREATE TRIGGER payout_states_no_update BEFORE UPDATE ON payout_states
BEGIN SELECT RAISE(ABORT, 'payout_states are only ever added'); END;
CREATE TRIGGER payout_states_no_delete BEFORE DELETE ON payout_states
BEGIN SELECT RAISE(ABORT, 'payout_states are only ever added'); END;
CREATE TRIGGER payout_items_no_delete BEFORE DELETE ON payout_items
BEGIN SELECT RAISE(ABORT, 'payout_items are never deleted'); END;
CREATE TRIGGER payout_items_no_change BEFORE UPDATE OF line_id, payout_id, kind, word, currency, amount, fee, net, source_id, made_at
  ON payout_items BEGIN SELECT RAISE(ABORT, 'the figures of payout_items are never changed'); END;
