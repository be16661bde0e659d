-- What the processor keeps for a dispute, in the currency of its books; it may give it back.
ALTER TABLE disputes ADD COLUMN fee INTEGER;
ALTER TABLE disputes ADD COLUMN fee_currency TEXT CHECK ((fee_currency IS NULL) = (fee IS NULL));
