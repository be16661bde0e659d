//! The table of contents: which pages there are, for whom, in which order. A test holds it against the folder `help`. It
//! says nothing about what is on a page.

/// Whom a page is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// Who pays invoices. These pages also stand in each merchant's portal.
    Payers,
    /// Who runs the program.
    Operators,
}

/// Pages that belong together.
#[derive(Debug)]
pub struct Group {
    /// What they are about.
    pub title: &'static str,
    /// Whom they are for.
    pub audience: Audience,
    /// Their names, as in addresses.
    pub pages: &'static [&'static str],
}

const GROUPS: [Group; 6] = [
    Group {
        title: "Paying",
        audience: Audience::Payers,
        pages: &[
            "making-a-partial-invoice-payment",
            "paying-in-full",
            "paying-from-a-bank-account",
            "amounts-that-are-refused",
            "card-fee",
            "saved-methods",
            "receipts",
            "using-credit",
        ],
    },
    Group { title: "Getting in", audience: Audience::Payers, pages: &["signing-in", "payment-links"] },
    Group {
        title: "When something is different",
        audience: Audience::Payers,
        pages: &["payments-in-progress", "declined-cards", "two-people-paying", "safety-and-privacy"],
    },
    Group {
        title: "Setting up",
        audience: Audience::Operators,
        pages: &[
            "installing",
            "trying-it-out",
            "settings",
            "businesses",
            "connecting-stripe",
            "sending-mail",
            "proxies",
        ],
    },
    Group {
        title: "Invoices and payments",
        audience: Audience::Operators,
        pages: &[
            "importing-invoices",
            "sending-invoices",
            "rules-for-parts",
            "passing-on-card-fees",
            "bank-debits",
            "credit-and-credit-notes",
            "disputes",
            "charging-saved-methods",
        ],
    },
    Group {
        title: "Running it",
        audience: Audience::Operators,
        pages: &["payouts", "checking-the-books", "the-api", "backup-and-restore", "metrics", "postgresql"],
    },
];

/// The groups in their order, those of payers first; for payers alone theirs.
pub fn groups(only: Option<Audience>) -> impl Iterator<Item = &'static Group> {
    GROUPS.iter().filter(move |group| only.is_none_or(|audience| group.audience == audience))
}
