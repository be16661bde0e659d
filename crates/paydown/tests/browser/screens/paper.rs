//! The invoice and the receipt on paper, as an accountant files them, in the sizes of both continents. The documents are
//! kept beside the pictures, to be looked at.

use crate::stage::{Paper, Stage, play};
use crate::visitor::{Script, Visitor};
use serde_json::json;

const SIZES: [(&str, (f32, f32)); 2] = [("a4", (8.27, 11.69)), ("letter", (8.5, 11.0))];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn invoices_and_receipts_on_paper() {
    play(Script::On, async |stage: &Stage, visitor: &Visitor| {
        let short = stage.invoice("INV-1042", 125_000).await;
        let long = Paper { lines: 45, ..Paper::of(stage.app.customer, "INV-1043", 450_000) };
        let long = stage.issue(long).await;
        for invoice in [short, long] {
            let payment = stage.app.pay_with_visa(invoice, 50_000).await;
            visitor.go(&stage.link(invoice).await).await;
            visitor.sees("Paid so far $500.00").await;
            let name = if invoice == short { "short" } else { "long" };
            for (size, inches) in SIZES {
                let sheets = visitor.print(&format!("invoice-{name}-{size}"), inches).await;
                assert_eq!(sheets == 1, invoice == short, "{name} {size}: {sheets}");
            }
            visitor.devtools("Emulation.setEmulatedMedia", json!({ "media": "print" })).await;
            let foot = "return getComputedStyle(document.querySelector('tfoot')).display";
            let stands_once = visitor.ask(foot, vec![]).await;
            assert_eq!(stands_once, "table-row-group", "the total would stand at the foot of each sheet");
            visitor.devtools("Emulation.setEmulatedMedia", json!({ "media": "" })).await;
            visitor.go(&format!("/p/northwind/payments/{payment}/receipt")).await;
            visitor.sees("Paid to Northwind").await;
            for (size, inches) in SIZES {
                assert_eq!(
                    visitor.print(&format!("receipt-{name}-{size}"), inches).await,
                    1,
                    "{name} {size}"
                );
            }
        }
    })
    .await;
}
