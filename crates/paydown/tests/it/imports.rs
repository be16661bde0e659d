//! Invoices from a file: whose they become, who is told, and what the audit trail keeps of it.

use crate::on_both_engines;
use crate::test_app::TestApp;
use billing::ids::CustomerId;
use ledger::Currency;
use paydown::actions::import_invoices::{ImportAs, Imported, Outcome, import_invoices};
use paydown::import::{ImportOptions, ImportedInvoice, Preset, read};
use store::audit::{self, AuditRow, acts};
use store::contacts::{self, Contact};
use store::customers;
use store::db::Tx;

/// Invoices as (number, customer, address), one row each.
fn billed(rows: &[(&str, &str, &str)]) -> Vec<ImportedInvoice> {
    let mut file = "Number,Customer,Email,Issued,Due,Description,Price\n".to_owned();
    for (number, customer, email) in rows {
        file.push_str(&format!("{number},{customer},{email},2026-11-01,2026-11-30,Work,100.00\n"));
    }
    let options = ImportOptions {
        preset: Preset::Generic,
        map: Vec::new(),
        dates: None,
        marks: None,
        default_currency: Currency::USD,
    };
    let plan = read(file.as_bytes(), &options).expect("the file can be read");
    assert_eq!(plan.errors, []);
    plan.invoices
}

fn by_dana(namesakes_together: bool) -> ImportAs {
    ImportAs { actor: "cli:dana".to_owned(), dry_run: false, namesakes_together }
}

async fn import(app: &TestApp, rows: &[(&str, &str, &str)], how: &ImportAs) -> Vec<Imported> {
    import_invoices(&app.app, app.merchant, billed(rows), how).await.expect("the file is imported")
}

/// What an import said, without the ids that it drew.
fn said(imported: &[Imported]) -> Vec<(String, &[String])> {
    let words = |outcome: &Outcome| match outcome {
        Outcome::New { new_customer, .. } => format!("new, with a new customer: {new_customer}"),
        Outcome::Unchanged(_) => "unchanged".to_owned(),
        Outcome::Refused(error) => error.to_string(),
    };
    imported.iter().map(|one| (words(&one.outcome), one.notices.as_slice())).collect()
}

/// The only customer of this name, with its contacts.
async fn customer(app: &TestApp, name: &'static str) -> (CustomerId, Vec<Contact>) {
    let merchant = app.merchant;
    let read = async move |tx: &mut Tx| {
        let found = customers::find_by_name(tx, merchant, name).await?;
        assert_eq!(found.len(), 1, "{name}");
        Ok((found[0].id, contacts::list(tx, merchant, found[0].id).await?))
    };
    app.app.store.read(read).await.expect("customers can be read")
}

/// How many customers have this name.
async fn named(app: &TestApp, name: &'static str) -> usize {
    let merchant = app.merchant;
    let read = async move |tx: &mut Tx| customers::find_by_name(tx, merchant, name).await;
    app.app.store.read(read).await.expect("customers can be read").len()
}

async fn trail(app: &TestApp, object: String) -> Vec<AuditRow> {
    let merchant = app.merchant;
    let read = async move |tx: &mut Tx| audit::list_by_object(tx, merchant, &object, 10).await;
    app.app.store.read(read).await.expect("the trail can be read")
}

on_both_engines!(who_was_let_in_stands_in_the_audit_trail, async |app: &mut TestApp| {
    import(app, &[("1", "Beta Ltd", "bo@beta.example")], &by_dana(false)).await;
    let (id, people) = customer(app, "Beta Ltd").await;
    let rows = trail(app, id.to_string()).await;
    assert_eq!(rows.len(), 1);
    assert_eq!((rows[0].act.as_str(), rows[0].actor.as_str()), (acts::CUSTOMER_CREATE, "cli:dana"));
    assert_eq!(rows[0].after, r#"{"name":"Beta Ltd"}"#);
    // The same invoice again, with an address that was corrected where it came from: nothing is new but who may look.
    let again = [("1", "Beta Ltd", "ap@beta.example")];
    for count in [1, 0] {
        let imported = import(app, &again, &by_dana(true)).await;
        assert_eq!(imported[0].notices.len(), count);
    }
    let (_, more) = customer(app, "Beta Ltd").await;
    assert_eq!((people.len(), more.len()), (1, 2));
    for person in more {
        let rows = trail(app, person.id.to_string()).await;
        assert_eq!(rows.len(), 1, "{}", person.email);
        assert_eq!((rows[0].act.as_str(), rows[0].actor.as_str()), (acts::CONTACT_ADD, "cli:dana"));
        assert_eq!(rows[0].after, format!(r#"{{"customer":"{id}"}}"#), "no address is kept for ever");
    }
});

on_both_engines!(a_dry_run_says_what_the_real_one_will, async |app: &mut TestApp| {
    let rows = [
        ("1", "Smith", "a@one.example"),
        ("2", "Smith", "b@two.example"),
        ("3", "Smith", "A@One.example"),
        ("4", "Smithson", "b@two.example"),
        ("5", "Smith", ""),
    ];
    for (together, customers_there) in [(false, 0), (true, 2)] {
        let real = by_dana(together);
        let dry = ImportAs { dry_run: true, ..real.clone() };
        let dry = import(app, &rows, &dry).await;
        assert_eq!(named(app, "Smith").await, customers_there, "a dry run leaves nothing");
        let real = import(app, &rows, &real).await;
        assert_eq!(said(&dry), said(&real));
    }
    let again = by_dana(false);
    let dry = import(app, &[("1", "Smith", "c@three.example")], &ImportAs { dry_run: true, ..again }).await;
    assert!(matches!(dry[0].outcome, Outcome::Refused(_)), "{dry:?}");
});

on_both_engines!(two_namesakes_of_one_file_are_two_customers_in_a_dry_run_too, async |app: &mut TestApp| {
    let rows = [("1", "Smith", "a@one.example"), ("2", "Smith", "b@two.example")];
    let dry = import(app, &rows, &ImportAs { dry_run: true, ..by_dana(false) }).await;
    assert_eq!(said(&dry).len(), 2);
    assert!(dry.iter().all(|one| matches!(one.outcome, Outcome::New { new_customer: true, .. })), "{dry:?}");
    assert!(dry[0].notices.is_empty(), "{dry:?}");
    assert!(dry[1].notices[0].starts_with("row 3: Smith is the name of a customer with another address"));
    let same = [("1", "Smith", "a@one.example"), ("2", "Smith", "a@one.example")];
    let dry = import(app, &same, &ImportAs { dry_run: true, ..by_dana(false) }).await;
    assert!(matches!(dry[1].outcome, Outcome::New { new_customer: false, .. }), "{dry:?}");
});
