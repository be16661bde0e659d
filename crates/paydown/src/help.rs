//! The help that comes with the program: pages for payers and operators, and answers to questions about them, found in
//! the pages themselves. Pure: embedded text in, text out. It must never know a merchant's data or a person, and never say
//! what no page says.

pub mod answer;
pub mod contents;
pub mod index;
pub mod markdown;
pub mod page;
pub mod render;
pub mod words;

pub use answer::{Answer, Asked, Excerpt, ask};
pub use contents::{Audience, Group, groups};
pub use page::{Page, Section, all, named};
pub use render::{HelpHtml, Place};

#[cfg(test)]
mod questions;
#[cfg(test)]
mod tests;
