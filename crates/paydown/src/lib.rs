//! paydown
