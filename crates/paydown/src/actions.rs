//! One file per verb that moves money or state. An action owns its transaction and reads top to bottom: already
//! applied, load, decide (billing), save, posting, outbox. Pages, jobs, commands and the API call the same one.
//!
//! No action calls a processor while a transaction is open, and only actions write.

pub mod adopt_payment;
pub mod apply_event;
mod backoff;
pub mod cancel_payment;
mod card_testing;
pub mod catch_up;
pub mod close_anomaly;
pub mod connect_processor;
pub mod create_api_key;
pub mod create_customer;
pub mod create_link;
pub mod create_merchant;
pub mod deliver_mail;
pub mod draft_invoice;
pub mod finalize_invoice;
pub mod import_invoices;
pub mod issue_credit_note;
pub mod issue_invoice;
mod limits;
pub mod note_key_use;
pub mod note_too_little;
pub mod number_events;
pub mod once;
pub mod open_payment_link;
pub mod poll_events;
pub mod poll_payouts;
pub mod practice_merchant;
mod recipients;
pub mod reconcile_payment;
pub mod reconcile_payout;
pub mod record_outcome;
pub mod record_payment;
mod refusals;
mod register_payer;
pub mod request_code;
pub mod resolve_payment;
pub mod return_credit;
pub mod run_jobs;
pub mod seal_books;
pub mod set_merchant_links;
pub mod set_offered_methods;
pub mod set_policy;
pub mod set_surcharge;
pub mod sign_in;
pub mod start_payment;
pub mod submit_attempt;
pub mod sweep;
pub mod void_invoice;
pub mod watch_clock;
pub mod watch_return_rates;
