-- What is passed on of any method's cost, and to one customer otherwise than to the others. The table is made anew, since a CHECK and
-- a key cannot be changed.
CREATE TABLE surcharges_2 (
  merchant_id INTEGER NOT NULL REFERENCES merchants,
  scope TEXT NOT NULL CHECK (scope IN ('merchant', 'customer')),
  subject BLOB NOT NULL CHECK (length(subject) = 16),
  method TEXT NOT NULL CHECK (method IN ('card', 'us_bank_account', 'sepa_debit')),
  currency TEXT NOT NULL,
  rate_millionths INTEGER NOT NULL CHECK (rate_millionths BETWEEN 0 AND 1000000),
  fixed INTEGER NOT NULL CHECK (fixed >= 0),
  cap INTEGER CHECK (cap >= 0),
  PRIMARY KEY (merchant_id, scope, subject, method, currency)
) STRICT;
INSERT INTO surcharges_2 SELECT merchant_id, 'merchant', x'00000000000000000000000000000000', method, currency, rate_millionths,
  fixed, cap FROM surcharges;
DROP TABLE surcharges;
ALTER TABLE surcharges_2 RENAME TO surcharges;
