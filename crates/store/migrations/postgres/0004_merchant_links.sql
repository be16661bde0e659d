-- Where else a merchant wants its payers to go: at the foot of every page of its portal.
CREATE TABLE merchant_links (
  merchant_id BIGINT NOT NULL REFERENCES merchants,
  kind TEXT COLLATE "C" NOT NULL CHECK (kind IN ('review_us', 'refer_a_friend', 'terms', 'privacy')),
  url TEXT COLLATE "C" NOT NULL CHECK (url LIKE 'http%'),
  set_at BIGINT NOT NULL,
  PRIMARY KEY (merchant_id, kind)
);
