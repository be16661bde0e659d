//! store

pub mod db;
