-- Money that somebody had entered as received is taken out of the books again. The id is that of the payment, or of the receipt of
-- which nobody knew whose it was.
CREATE TABLE reversals (
  merchant_id INTEGER NOT NULL REFERENCES merchants,
  id BLOB NOT NULL CHECK (length(id) = 16),
  payment_id BLOB,
  receipt_id BLOB,
  kind TEXT NOT NULL CHECK (kind IN ('bounced', 'entered_wrongly')),
  reason TEXT NOT NULL CHECK (reason <> ''),
  actor TEXT NOT NULL CHECK (actor <> ''),
  at INTEGER NOT NULL,
  PRIMARY KEY (merchant_id, id),
  FOREIGN KEY (merchant_id, payment_id) REFERENCES payments (merchant_id, id),
  FOREIGN KEY (merchant_id, receipt_id) REFERENCES unmatched_receipts (merchant_id, id),
  CHECK ((payment_id IS NULL) <> (receipt_id IS NULL) AND id = COALESCE(payment_id, receipt_id))
) STRICT;
CREATE TRIGGER reversals_no_update BEFORE UPDATE ON reversals BEGIN SELECT RAISE(ABORT, 'reversals are only ever added'); END;
CREATE TRIGGER reversals_no_delete BEFORE DELETE ON reversals BEGIN SELECT RAISE(ABORT, 'reversals are only ever added'); END;
ALTER TABLE unmatched_receipts ADD COLUMN reversed_at INTEGER;
