-- A person said how a payment ended, since the processor could not be asked. It stays as it was said; that the processor has said
-- its own final word since is noted beside it once.
CREATE TABLE resolutions (
  merchant_id INTEGER NOT NULL,
  payment_id BLOB NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('succeeded', 'failed', 'canceled', 'returned')),
  reason TEXT NOT NULL CHECK (reason <> ''),
  actor TEXT NOT NULL CHECK (actor <> ''),
  unanswered TEXT,
  at INTEGER NOT NULL,
  answered_at INTEGER,
  PRIMARY KEY (merchant_id, payment_id, state),
  FOREIGN KEY (merchant_id, payment_id) REFERENCES payments (merchant_id, id)
) STRICT;
CREATE TRIGGER resolutions_no_rewording BEFORE UPDATE OF payment_id, state, reason, actor, unanswered, at ON resolutions
BEGIN SELECT RAISE(ABORT, 'resolutions are never reworded'); END;
CREATE TRIGGER resolutions_no_delete BEFORE DELETE ON resolutions
BEGIN SELECT RAISE(ABORT, 'resolutions are never deleted'); END;
