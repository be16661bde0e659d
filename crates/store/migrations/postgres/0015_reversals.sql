-- Money that somebody had entered as received is taken out of the books again. The id is that of the payment, or of the receipt of
-- which nobody knew whose it was.
CREATE TABLE reversals (
  merchant_id BIGINT NOT NULL REFERENCES merchants,
  id BYTEA NOT NULL CHECK (length(id) = 16),
  payment_id BYTEA,
  receipt_id BYTEA,
  kind TEXT COLLATE "C" NOT NULL CHECK (kind IN ('bounced', 'entered_wrongly')),
  reason TEXT COLLATE "C" NOT NULL CHECK (reason <> ''),
  actor TEXT COLLATE "C" NOT NULL CHECK (actor <> ''),
  at BIGINT NOT NULL,
  PRIMARY KEY (merchant_id, id),
  FOREIGN KEY (merchant_id, payment_id) REFERENCES payments (merchant_id, id),
  FOREIGN KEY (merchant_id, receipt_id) REFERENCES unmatched_receipts (merchant_id, id),
  CHECK ((payment_id IS NULL) <> (receipt_id IS NULL) AND id = COALESCE(payment_id, receipt_id))
);
CREATE FUNCTION reversals_only_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'reversals are only ever added';
END $$;
CREATE TRIGGER reversals_no_change BEFORE UPDATE OR DELETE ON reversals FOR EACH ROW EXECUTE FUNCTION reversals_only_added();
CREATE TRIGGER reversals_no_truncate BEFORE TRUNCATE ON reversals FOR EACH STATEMENT EXECUTE FUNCTION reversals_only_added();
ALTER TABLE unmatched_receipts ADD COLUMN reversed_at BIGINT;
