//! What happens in a run: a table of operations with how often each comes. To have the simulation cover something new, write a
//! function and give it a line in [`TABLE`].
//!
//! An operation may be refused, and it may die half-way; it must never panic for that. What it was told goes into the world's
//! lists, and what it was told must stay true.

mod clockwork;
mod credit;
mod disputes;
mod payers;
mod processor;
mod refunds;
mod saved;
mod staff;

use crate::world::World;
pub use payers::submit;

/// Something that happens.
pub struct Operation {
    /// For the diary.
    pub name: &'static str,
    /// How often it comes, against the others.
    pub weight: usize,
    /// Does it. An error is a broken promise, never a refusal.
    pub run: fn(&mut World) -> Result<(), String>,
}

const fn operation(
    name: &'static str,
    weight: usize,
    run: fn(&mut World) -> Result<(), String>,
) -> Operation {
    Operation { name, weight, run }
}

/// Everything that happens.
pub const TABLE: &[Operation] = &[
    operation("an invoice is issued", 20, staff::issue),
    operation("a cheque is recorded", 8, staff::record),
    operation("an invoice is voided", 4, staff::void),
    operation("a credit note is issued", 6, staff::credit),
    operation("a payer starts to pay by card", 26, payers::start_card),
    operation("a payer starts to pay from a bank account", 10, payers::start_debit),
    operation("a form is submitted again", 5, payers::repeat),
    operation("two pay at the same time", 6, payers::start_two),
    operation("a payer pays on the processor's page", 44, payers::pay),
    operation("a payer pays at once", 40, payers::pay_at_once),
    operation("a payer comes back", 10, payers::come_back),
    operation("a payer turns back", 8, payers::turn_back),
    operation("webhooks arrive", 40, clockwork::deliver_webhooks),
    operation("a webhook arrives while jobs run", 8, clockwork::webhook_beside_jobs),
    operation("jobs run", 40, clockwork::run_jobs),
    operation("events are polled", 12, clockwork::poll),
    operation("mail is sent", 6, clockwork::send_mail),
    operation("books are sealed", 5, clockwork::seal),
    operation("old rows are swept", 1, clockwork::sweep),
    operation("time passes", 32, clockwork::let_time_pass),
    operation("the program is killed", 5, clockwork::kill),
    operation("a bank takes a debit back", 4, processor::take_back),
    operation("money comes after the end", 3, processor::pay_after_end),
    operation("another amount is taken than was asked", 3, processor::take_another_amount),
    operation("fees come later, or at once", 2, processor::change_fees),
    operation("the processor forgets its keys", 1, processor::forget_keys),
    operation("payouts become daily", 2, processor::pay_out_daily),
    operation("the next payout will fail", 1, processor::fail_next_payout),
    operation("a payout comes back", 1, processor::fail_payout),
    operation("a refund is asked for", 12, refunds::ask),
    operation("a refund is asked for twice", 3, refunds::ask_twice),
    operation("a refund is judged", 4, refunds::judge),
    operation("a refund is paid from the bank", 2, refunds::pay_from_bank),
    operation("who may refund how much is set", 1, refunds::set_limit),
    operation("somebody refunds at the processor", 3, refunds::refund_there),
    operation("a refund comes back", 3, refunds::fail),
    operation("a payer contests", 6, disputes::open),
    operation("a bank decides", 6, disputes::decide),
    operation("evidence is handed in", 5, disputes::answer),
    operation("a dispute is let be", 2, disputes::accept),
    operation("what a loss means is chosen", 1, disputes::choose_meaning),
    operation("a payer pays with what they saved", 8, saved::charge),
    operation("staff charge what a payer saved", 5, saved::charge_away),
    operation("a payer leaves a method", 5, saved::leave),
    operation("a payer comes back from leaving a method", 4, saved::come_back),
    operation("a payer answers the bank", 4, saved::answer_bank),
    operation("a held debit is stopped", 4, saved::stop),
    operation("staff call a payment off", 3, saved::call_off),
    operation("a saved method is given up", 2, saved::remove),
    operation("a saved method is preferred", 1, saved::prefer),
    operation("credit is applied", 6, credit::apply),
    operation("an allocation is moved", 4, credit::shift),
    operation("an invoice is written off", 2, credit::write_off),
    operation("money comes from nobody", 2, credit::receive),
    operation("a receipt is matched", 3, credit::place),
    operation("a returned payment is demanded", 2, credit::demand),
    operation("what a card costs is passed on", 2, staff::pass_on),
];

/// The operation that this number means, of all weights together.
pub fn choose(mut number: usize) -> &'static Operation {
    for operation in TABLE {
        if number < operation.weight {
            return operation;
        }
        number -= operation.weight;
    }
    &TABLE[0]
}

/// All weights together.
pub fn weights() -> usize {
    TABLE.iter().map(|operation| operation.weight).sum()
}
