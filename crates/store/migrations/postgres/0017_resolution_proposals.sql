-- How a payment ended, as one person says: booked only once a second person says the same. Never changed; the last of a payment counts.
CREATE TABLE resolution_proposals (
  merchant_id BIGINT NOT NULL,
  payment_id BYTEA NOT NULL,
  number BIGINT NOT NULL CHECK (number > 0),
  state TEXT COLLATE "C" NOT NULL CHECK (state IN ('succeeded', 'failed', 'canceled')),
  charge_id TEXT COLLATE "C",
  captured BIGINT,
  currency TEXT COLLATE "C",
  reason TEXT COLLATE "C" NOT NULL CHECK (reason <> ''),
  actor TEXT COLLATE "C" NOT NULL CHECK (actor <> ''),
  at BIGINT NOT NULL,
  PRIMARY KEY (merchant_id, payment_id, number),
  FOREIGN KEY (merchant_id, payment_id) REFERENCES payments (merchant_id, id),
  CHECK ((state = 'succeeded') = (charge_id IS NOT NULL) AND (charge_id IS NULL) = (captured IS NULL)
    AND (captured IS NULL) = (currency IS NULL))
);
CREATE FUNCTION resolution_proposals_only_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'resolution_proposals are only ever added';
END $$;
CREATE TRIGGER resolution_proposals_no_change BEFORE UPDATE OR DELETE ON resolution_proposals
  FOR EACH ROW EXECUTE FUNCTION resolution_proposals_only_added();
CREATE TRIGGER resolution_proposals_no_truncate BEFORE TRUNCATE ON resolution_proposals
  FOR EACH STATEMENT EXECUTE FUNCTION resolution_proposals_only_added();
