//! The portal in headless Chromium, as payers use it: with and without JavaScript, by mouse and by keyboard, narrow and
//! wide, light, dark and in forced colours. The program, its pages and the practice processor are the real ones.
//!
//! Each story ends with the same proof: the browser's console is empty, nothing broke the content policy, no other host
//! was asked for anything, no script ran that is not in the inventory, and the books are right
//! ([`test_app::TestApp::finish`]). Nothing sleeps to wait for another; a page is looked at until it says what is
//! expected. `cargo xtask browser` finds the browser; without one the tests fail.

mod acts;
mod alarms;
mod amount;
mod bank_page;
#[expect(dead_code, reason = "these tests need some of what the end-to-end tests need")]
#[path = "../it/builders.rs"]
mod builders;
mod cards;
mod challenges;
mod chromedriver;
mod debits;
mod examine;
mod keyboard;
mod main_job;
mod methods;
mod money_back;
mod proving;
mod results;
mod returns;
mod saved;
mod screens;
mod sign_in;
mod stage;
mod steps;
mod tabs;
#[expect(dead_code, reason = "these tests need some of what the end-to-end tests need")]
#[path = "../it/test_app.rs"]
mod test_app;
mod visitor;
mod waiting;
mod watch;
