-- What the processor keeps for a dispute, in the currency of its books; it may give it back.
ALTER TABLE disputes ADD COLUMN fee BIGINT;
ALTER TABLE disputes ADD COLUMN fee_currency TEXT COLLATE "C" CHECK ((fee_currency IS NULL) = (fee IS NULL));
