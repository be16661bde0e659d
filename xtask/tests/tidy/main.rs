//! `tidy`: reads the repository and holds it to STYLE.md and to the invariants of ARCHITECTURE.md that neither the compiler
//! nor clippy can see. Each rule is a function from a file to its findings, with one test over the tree and one over a sample
//! that breaks it. It builds nothing, changes nothing and needs no network.

mod layers;
mod manifest;
mod migrations;
mod shape;
mod syntax;
mod tree;
mod web;
mod words;
