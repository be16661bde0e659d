-- More kinds of mails: what becomes of refunds and disputes, agreements, and what the merchant hears of a return.
ALTER TABLE mails DROP CONSTRAINT mails_kind_check;
ALTER TABLE mails ADD CONSTRAINT mails_kind_check CHECK (kind IN ('invoice', 'code', 'received', 'failed', 'started', 'returned',
    'returned_notice', 'refunded', 'refund_failed', 'dispute_opened', 'dispute_ended', 'agreement', 'agreement_ended'));
