-- A person said how a payment ended, since the processor could not be asked. It stays as it was said; that the processor has said
-- its own final word since is noted beside it once.
CREATE TABLE resolutions (
  merchant_id BIGINT NOT NULL,
  payment_id BYTEA NOT NULL,
  state TEXT COLLATE "C" NOT NULL CHECK (state IN ('succeeded', 'failed', 'canceled', 'returned')),
  reason TEXT COLLATE "C" NOT NULL CHECK (reason <> ''),
  actor TEXT COLLATE "C" NOT NULL CHECK (actor <> ''),
  unanswered TEXT COLLATE "C",
  at BIGINT NOT NULL,
  answered_at BIGINT,
  PRIMARY KEY (merchant_id, payment_id, state),
  FOREIGN KEY (merchant_id, payment_id) REFERENCES payments (merchant_id, id)
);
CREATE FUNCTION resolutions_never_reworded() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'resolutions are never reworded';
END $$;
CREATE TRIGGER resolutions_no_rewording BEFORE UPDATE OF payment_id, state, reason, actor, unanswered, at OR DELETE
  ON resolutions FOR EACH ROW EXECUTE FUNCTION resolutions_never_reworded();
CREATE TRIGGER resolutions_no_truncate BEFORE TRUNCATE ON resolutions FOR EACH STATEMENT EXECUTE FUNCTION resolutions_never_reworded();
