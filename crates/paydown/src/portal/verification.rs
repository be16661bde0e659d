//! How a proof by small deposits stands, in the words of the page. What the processor last said is shown; the page of the processor
//! takes the amounts.

use crate::pages::verification::{Stage, Verification as Shown};
use crate::portal::context::Ctx;
use store::verifications::{State, Verification};

/// What is shown of it; nothing once it is done. `own`: the reader may go and enter what they read.
pub fn shown(ctx: &Ctx, how: &Verification, own: bool) -> Option<Shown> {
    let has_arrived = how.arrives_at.is_none_or(|at| ctx.now >= at);
    let stage = match how.state {
        State::Waiting if how.ends_at.is_some_and(|ends| ctx.now >= ends) => Stage::Expired,
        State::Waiting if how.wrong_tries > 0 => Stage::Wrong,
        State::Waiting if has_arrived => Stage::Ready,
        State::Waiting => Stage::Waiting,
        State::TooManyTries => Stage::TooManyTries,
        State::TimedOut => Stage::Expired,
        State::NotDelivered => Stage::NotDelivered,
        State::Done => return None,
    };
    let is_open = matches!(stage, Stage::Waiting | Stage::Ready | Stage::Wrong);
    Some(Shown {
        stage,
        is_code: how.is_code,
        arrives_on: how.arrives_at.map(|at| ctx.day(at)),
        ends_on: how.ends_at.map(|at| ctx.day(at)),
        url: how.url.clone().filter(|_| own && is_open),
    })
}
