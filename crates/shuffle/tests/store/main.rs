//! The stores' behaviour: what all of them do, what happens to objects, what faults may do.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

mod bounds;
mod faults;
mod faulty;
mod local;
mod objects;
mod places;
mod retained;
mod rows;
