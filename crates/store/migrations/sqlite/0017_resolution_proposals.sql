-- How a payment ended, as one person says: booked only once a second person says the same. Never changed; the last of a payment counts.
CREATE TABLE resolution_proposals (
  merchant_id INTEGER NOT NULL,
  payment_id BLOB NOT NULL,
  number INTEGER NOT NULL CHECK (number > 0),
  state TEXT NOT NULL CHECK (state IN ('succeeded', 'failed', 'canceled')),
  charge_id TEXT,
  captured INTEGER,
  currency TEXT,
  reason TEXT NOT NULL CHECK (reason <> ''),
  actor TEXT NOT NULL CHECK (actor <> ''),
  at INTEGER NOT NULL,
  PRIMARY KEY (merchant_id, payment_id, number),
  FOREIGN KEY (merchant_id, payment_id) REFERENCES payments (merchant_id, id),
  CHECK ((state = 'succeeded') = (charge_id IS NOT NULL) AND (charge_id IS NULL) = (captured IS NULL)
    AND (captured IS NULL) = (currency IS NULL))
) STRICT;
CREATE TRIGGER resolution_proposals_no_update BEFORE UPDATE ON resolution_proposals
BEGIN SELECT RAISE(ABORT, 'resolution_proposals are only ever added'); END;
CREATE TRIGGER resolution_proposals_no_delete BEFORE DELETE ON resolution_proposals
BEGIN SELECT RAISE(ABORT, 'resolution_proposals are only ever added'); END;
