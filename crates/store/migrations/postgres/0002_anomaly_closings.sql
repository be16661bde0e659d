-- An anomaly that a person has seen to. The record of it stays as it was written; so does this.
CREATE TABLE anomaly_closings (
  merchant_id BIGINT NOT NULL,
  anomaly_id BYTEA NOT NULL,
  actor TEXT COLLATE "C" NOT NULL CHECK (actor <> ''),
  note TEXT COLLATE "C" NOT NULL CHECK (note <> ''),
  at BIGINT NOT NULL,
  PRIMARY KEY (merchant_id, anomaly_id),
  FOREIGN KEY (merchant_id, anomaly_id) REFERENCES anomalies (merchant_id, id)
);
CREATE TRIGGER anomaly_closings_no_change BEFORE UPDATE OR DELETE ON anomaly_closings FOR EACH ROW EXECUTE FUNCTION only_ever_added();
CREATE TRIGGER anomaly_closings_no_truncate BEFORE TRUNCATE ON anomaly_closings FOR EACH STATEMENT EXECUTE FUNCTION only_ever_added();

-- What is said once while it is open, whoever comes first: SHA-256 of its kind, its detail and how often it was closed.
ALTER TABLE anomalies ADD COLUMN once BYTEA CHECK (length(once) = 32);
CREATE UNIQUE INDEX anomalies_once ON anomalies (merchant_id, once);
