-- A card payment that its holder contests. A payment may have several; the return of a bank debit is none of them.
CREATE TABLE disputes (
  merchant_id INTEGER NOT NULL REFERENCES merchants,
  id BLOB NOT NULL CHECK (length(id) = 16),
  payment_id BLOB NOT NULL,
  processor TEXT NOT NULL,
  processor_dispute_id TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('inquiry', 'needs_response', 'under_review', 'won', 'lost', 'accepted')),
  amount INTEGER NOT NULL CHECK (amount > 0),
  currency TEXT NOT NULL,
  reason TEXT NOT NULL,
  network_code TEXT,
  due_at INTEGER,
  -- What a loss is to mean where it is not the merchant's usual choice; and what it was booked as.
  when_lost TEXT CHECK (when_lost IN ('owed_again', 'absorbed')),
  lost_as TEXT CHECK (lost_as IN ('owed_again', 'absorbed')),
  has_evidence INTEGER NOT NULL CHECK (has_evidence IN (0, 1)),
  accept_asked_at INTEGER,
  opened_at INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  changed_at INTEGER NOT NULL,
  PRIMARY KEY (merchant_id, id),
  UNIQUE (merchant_id, processor, processor_dispute_id),
  FOREIGN KEY (merchant_id, payment_id) REFERENCES payments (merchant_id, id)
) STRICT;
CREATE INDEX disputes_by_payment ON disputes (merchant_id, payment_id);

CREATE TABLE dispute_states (
  merchant_id INTEGER NOT NULL,
  dispute_id BLOB NOT NULL,
  number INTEGER NOT NULL CHECK (number >= 1),
  state TEXT NOT NULL,
  reason TEXT NOT NULL,
  at INTEGER NOT NULL,
  PRIMARY KEY (merchant_id, dispute_id, number),
  FOREIGN KEY (merchant_id, dispute_id) REFERENCES disputes (merchant_id, id)
) STRICT;
CREATE TRIGGER dispute_states_no_update BEFORE UPDATE ON dispute_states BEGIN SELECT RAISE(ABORT, 'dispute_states are only ever added'); END;
CREATE TRIGGER dispute_states_no_delete BEFORE DELETE ON dispute_states BEGIN SELECT RAISE(ABORT, 'dispute_states are only ever added'); END;

-- What is said against a dispute: each time a row, with its texts as JSON, under the key with which it is sent.
CREATE TABLE evidence (
  merchant_id INTEGER NOT NULL,
  dispute_id BLOB NOT NULL,
  number INTEGER NOT NULL CHECK (number >= 1),
  texts TEXT NOT NULL,
  to_bank INTEGER NOT NULL CHECK (to_bank IN (0, 1)),
  processor_key TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('sending', 'sent', 'refused')),
  refusal TEXT CHECK ((refusal IS NOT NULL) = (state = 'refused')),
  created_at INTEGER NOT NULL,
  ended_at INTEGER CHECK ((ended_at IS NULL) = (state = 'sending')),
  PRIMARY KEY (merchant_id, dispute_id, number),
  UNIQUE (merchant_id, processor_key),
  FOREIGN KEY (merchant_id, dispute_id) REFERENCES disputes (merchant_id, id)
) STRICT;
CREATE INDEX evidence_sending ON evidence (merchant_id, dispute_id) WHERE state = 'sending';

-- Its files. The content is kept until the processor has it; its hash and size stay.
CREATE TABLE evidence_files (
  merchant_id INTEGER NOT NULL,
  dispute_id BLOB NOT NULL,
  number INTEGER NOT NULL,
  purpose TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('pdf', 'jpeg', 'png')),
  name TEXT NOT NULL,
  size INTEGER NOT NULL CHECK (size > 0),
  content_hash BLOB NOT NULL CHECK (length(content_hash) = 32),
  content BLOB,
  processor_key TEXT NOT NULL,
  processor_file_id TEXT,
  PRIMARY KEY (merchant_id, dispute_id, number, purpose),
  UNIQUE (merchant_id, processor_key),
  FOREIGN KEY (merchant_id, dispute_id, number) REFERENCES evidence (merchant_id, dispute_id, number)
) STRICT;

-- What a lost dispute means for the invoice, unless the dispute says otherwise. Without a row: it is owed again.
CREATE TABLE dispute_settings (
  merchant_id INTEGER NOT NULL PRIMARY KEY REFERENCES merchants,
  when_lost TEXT NOT NULL CHECK (when_lost IN ('owed_again', 'absorbed'))
) STRICT;
