-- A card payment that its holder contests. A payment may have several; the return of a bank debit is none of them.
CREATE TABLE disputes (
  merchant_id BIGINT NOT NULL REFERENCES merchants,
  id BYTEA NOT NULL CHECK (length(id) = 16),
  payment_id BYTEA NOT NULL,
  processor TEXT COLLATE "C" NOT NULL,
  processor_dispute_id TEXT COLLATE "C" NOT NULL,
  state TEXT COLLATE "C" NOT NULL CHECK (state IN ('inquiry', 'needs_response', 'under_review', 'won', 'lost', 'accepted')),
  amount BIGINT NOT NULL CHECK (amount > 0),
  currency TEXT COLLATE "C" NOT NULL,
  reason TEXT COLLATE "C" NOT NULL,
  network_code TEXT COLLATE "C",
  due_at BIGINT,
  -- What a loss is to mean where it is not the merchant's usual choice; and what it was booked as.
  when_lost TEXT COLLATE "C" CHECK (when_lost IN ('owed_again', 'absorbed')),
  lost_as TEXT COLLATE "C" CHECK (lost_as IN ('owed_again', 'absorbed')),
  has_evidence BIGINT NOT NULL CHECK (has_evidence IN (0, 1)),
  accept_asked_at BIGINT,
  opened_at BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  changed_at BIGINT NOT NULL,
  PRIMARY KEY (merchant_id, id),
  UNIQUE (merchant_id, processor, processor_dispute_id),
  FOREIGN KEY (merchant_id, payment_id) REFERENCES payments (merchant_id, id)
);
CREATE INDEX disputes_by_payment ON disputes (merchant_id, payment_id);

CREATE TABLE dispute_states (
  merchant_id BIGINT NOT NULL,
  dispute_id BYTEA NOT NULL,
  number BIGINT NOT NULL CHECK (number >= 1),
  state TEXT COLLATE "C" NOT NULL,
  reason TEXT COLLATE "C" NOT NULL,
  at BIGINT NOT NULL,
  PRIMARY KEY (merchant_id, dispute_id, number),
  FOREIGN KEY (merchant_id, dispute_id) REFERENCES disputes (merchant_id, id)
);
CREATE TRIGGER dispute_states_no_change BEFORE UPDATE OR DELETE ON dispute_states FOR EACH ROW EXECUTE FUNCTION only_ever_added();
CREATE TRIGGER dispute_states_no_truncate BEFORE TRUNCATE ON dispute_states FOR EACH STATEMENT EXECUTE FUNCTION only_ever_added();

-- What is said against a dispute: each time a row, with its texts as JSON, under the key with which it is sent.
CREATE TABLE evidence (
  merchant_id BIGINT NOT NULL,
  dispute_id BYTEA NOT NULL,
  number BIGINT NOT NULL CHECK (number >= 1),
  texts TEXT COLLATE "C" NOT NULL,
  to_bank BIGINT NOT NULL CHECK (to_bank IN (0, 1)),
  processor_key TEXT COLLATE "C" NOT NULL,
  state TEXT COLLATE "C" NOT NULL CHECK (state IN ('sending', 'sent', 'refused')),
  refusal TEXT COLLATE "C" CHECK ((refusal IS NOT NULL) = (state = 'refused')),
  created_at BIGINT NOT NULL,
  ended_at BIGINT CHECK ((ended_at IS NULL) = (state = 'sending')),
  PRIMARY KEY (merchant_id, dispute_id, number),
  UNIQUE (merchant_id, processor_key),
  FOREIGN KEY (merchant_id, dispute_id) REFERENCES disputes (merchant_id, id)
);
CREATE INDEX evidence_sending ON evidence (merchant_id, dispute_id) WHERE state = 'sending';

-- Its files. The content is kept until the processor has it; its hash and size stay.
CREATE TABLE evidence_files (
  merchant_id BIGINT NOT NULL,
  dispute_id BYTEA NOT NULL,
  number BIGINT NOT NULL,
  purpose TEXT COLLATE "C" NOT NULL,
  kind TEXT COLLATE "C" NOT NULL CHECK (kind IN ('pdf', 'jpeg', 'png')),
  name TEXT COLLATE "C" NOT NULL,
  size BIGINT NOT NULL CHECK (size > 0),
  content_hash BYTEA NOT NULL CHECK (length(content_hash) = 32),
  content BYTEA,
  processor_key TEXT COLLATE "C" NOT NULL,
  processor_file_id TEXT COLLATE "C",
  PRIMARY KEY (merchant_id, dispute_id, number, purpose),
  UNIQUE (merchant_id, processor_key),
  FOREIGN KEY (merchant_id, dispute_id, number) REFERENCES evidence (merchant_id, dispute_id, number)
);

-- What a lost dispute means for the invoice, unless the dispute says otherwise. Without a row: it is owed again.
CREATE TABLE dispute_settings (
  merchant_id BIGINT NOT NULL PRIMARY KEY REFERENCES merchants,
  when_lost TEXT COLLATE "C" NOT NULL CHECK (when_lost IN ('owed_again', 'absorbed'))
);
