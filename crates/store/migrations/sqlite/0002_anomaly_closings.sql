-- An anomaly that a person has seen to. The record of it stays as it was written; so does this.
CREATE TABLE anomaly_closings (
  merchant_id INTEGER NOT NULL,
  anomaly_id BLOB NOT NULL,
  actor TEXT NOT NULL CHECK (actor <> ''),
  note TEXT NOT NULL CHECK (note <> ''),
  at INTEGER NOT NULL,
  PRIMARY KEY (merchant_id, anomaly_id),
  FOREIGN KEY (merchant_id, anomaly_id) REFERENCES anomalies (merchant_id, id)
) STRICT;
CREATE TRIGGER anomaly_closings_no_update BEFORE UPDATE ON anomaly_closings BEGIN SELECT RAISE(ABORT, 'anomaly_closings are only ever added'); END;
CREATE TRIGGER anomaly_closings_no_delete BEFORE DELETE ON anomaly_closings BEGIN SELECT RAISE(ABORT, 'anomaly_closings are only ever added'); END;

-- What is said once while it is open, whoever comes first: SHA-256 of its kind, its detail and how often it was closed.
ALTER TABLE anomalies ADD COLUMN once BLOB CHECK (length(once) = 32);
CREATE UNIQUE INDEX anomalies_once ON anomalies (merchant_id, once);
