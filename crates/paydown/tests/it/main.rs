//! Payments from end to end: the real actions, the real adapter, the practice processor over HTTP, on both engines.
//!
//! Each test ends with the same proof ([`test_app::TestApp::finish`]): nothing is left to do, `verify` finds nothing,
//! and the processor's own books equal ours. Time stands still unless a test moves it, for both sides at once. No test
//! sleeps to wait for another.

mod api;
mod audit;
mod builders;
mod credit;
mod faults;
mod help;
mod identify;
mod imports;
mod limits;
mod links;
mod mail_over_tls;
mod mailbox;
mod pages;
mod payments;
mod portal;
mod processors;
mod reference;
mod refunds;
mod sign_in;
mod test_app;
mod web;

/// Makes one body into two tests, `name::sqlite` and `name::postgres`, and proves the books at the end of each:
///
/// `on_both_engines!(a_part_is_paid, async |app: &mut TestApp| { … });`
#[macro_export]
macro_rules! on_both_engines {
    ($name:ident, $body:expr $(,)?) => {
        store::both_engines!($name, async |database: store::testing::TestDatabase| {
            let mut app = $crate::test_app::TestApp::start(database).await;
            let body = $body;
            body(&mut app).await;
            app.finish().await;
        });
    };
}
