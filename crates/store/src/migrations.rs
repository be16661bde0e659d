//! The migrations that this binary knows, oldest first. A file that was released is never edited; its checksum is
//! kept in every database.

use crate::db::Migration;

/// All migrations, in order.
pub const MIGRATIONS: &[Migration] = &[
    Migration {
        number: 1,
        name: "core",
        sqlite: include_str!("../migrations/sqlite/0001_core.sql"),
        postgres: include_str!("../migrations/postgres/0001_core.sql"),
    },
    Migration {
        number: 2,
        name: "anomaly_closings",
        sqlite: include_str!("../migrations/sqlite/0002_anomaly_closings.sql"),
        postgres: include_str!("../migrations/postgres/0002_anomaly_closings.sql"),
    },
    Migration {
        number: 3,
        name: "received",
        sqlite: include_str!("../migrations/sqlite/0003_received.sql"),
        postgres: include_str!("../migrations/postgres/0003_received.sql"),
    },
    Migration {
        number: 4,
        name: "merchant_links",
        sqlite: include_str!("../migrations/sqlite/0004_merchant_links.sql"),
        postgres: include_str!("../migrations/postgres/0004_merchant_links.sql"),
    },
    Migration {
        number: 5,
        name: "bank_debits",
        sqlite: include_str!("../migrations/sqlite/0005_bank_debits.sql"),
        postgres: include_str!("../migrations/postgres/0005_bank_debits.sql"),
    },
    Migration {
        number: 6,
        name: "disputes",
        sqlite: include_str!("../migrations/sqlite/0006_disputes.sql"),
        postgres: include_str!("../migrations/postgres/0006_disputes.sql"),
    },
    Migration {
        number: 7,
        name: "credit",
        sqlite: include_str!("../migrations/sqlite/0007_credit.sql"),
        postgres: include_str!("../migrations/postgres/0007_credit.sql"),
    },
    Migration {
        number: 8,
        name: "mail_kinds",
        sqlite: include_str!("../migrations/sqlite/0008_mail_kinds.sql"),
        postgres: include_str!("../migrations/postgres/0008_mail_kinds.sql"),
    },
    Migration {
        number: 9,
        name: "payouts",
        sqlite: include_str!("../migrations/sqlite/0009_payouts.sql"),
        postgres: include_str!("../migrations/postgres/0009_payouts.sql"),
    },
    Migration {
        number: 10,
        name: "surcharges",
        sqlite: include_str!("../migrations/sqlite/0010_surcharges.sql"),
        postgres: include_str!("../migrations/postgres/0010_surcharges.sql"),
    },
    Migration {
        number: 11,
        name: "resolutions",
        sqlite: include_str!("../migrations/sqlite/0011_resolutions.sql"),
        postgres: include_str!("../migrations/postgres/0011_resolutions.sql"),
    },
    Migration {
        number: 12,
        name: "dispute_fees",
        sqlite: include_str!("../migrations/sqlite/0012_dispute_fees.sql"),
        postgres: include_str!("../migrations/postgres/0012_dispute_fees.sql"),
    },
    Migration {
        number: 13,
        name: "refunds",
        sqlite: include_str!("../migrations/sqlite/0013_refunds.sql"),
        postgres: include_str!("../migrations/postgres/0013_refunds.sql"),
    },
    Migration {
        number: 14,
        name: "saved_methods",
        sqlite: include_str!("../migrations/sqlite/0014_saved_methods.sql"),
        postgres: include_str!("../migrations/postgres/0014_saved_methods.sql"),
    },
    Migration {
        number: 15,
        name: "reversals",
        sqlite: include_str!("../migrations/sqlite/0015_reversals.sql"),
        postgres: include_str!("../migrations/postgres/0015_reversals.sql"),
    },
    Migration {
        number: 16,
        name: "retries",
        sqlite: include_str!("../migrations/sqlite/0016_retries.sql"),
        postgres: include_str!("../migrations/postgres/0016_retries.sql"),
    },
    Migration {
        number: 17,
        name: "resolution_proposals",
        sqlite: include_str!("../migrations/sqlite/0017_resolution_proposals.sql"),
        postgres: include_str!("../migrations/postgres/0017_resolution_proposals.sql"),
    },
];
