-- Where else a merchant wants its payers to go: at the foot of every page of its portal.
CREATE TABLE merchant_links (
  merchant_id INTEGER NOT NULL REFERENCES merchants,
  kind TEXT NOT NULL CHECK (kind IN ('review_us', 'refer_a_friend', 'terms', 'privacy')),
  url TEXT NOT NULL CHECK (url LIKE 'http%'),
  set_at INTEGER NOT NULL,
  PRIMARY KEY (merchant_id, kind)
) STRICT;
