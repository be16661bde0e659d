-- A debit that came back may be presented again: which one this is, always the first of them.
ALTER TABLE payments ADD COLUMN retry_of BLOB;
CREATE INDEX payments_of_first ON payments (merchant_id, retry_of, id) WHERE retry_of IS NOT NULL;
