//! The end of a process that gets no more memory or threads.
//!
//! Whatever fails first, tasks would fail here one after the other while the driver takes the executor for a good one.

use std::panic;
use std::thread;

use firesteel_model::executor_loss::EXIT_OUT_OF_MEMORY;

/// From now on a panic ends this process, with a status that says why, if it cannot even start a thread any more. A
/// panic in a process that is well stays with the attempt that it befell.
pub fn end_when_exhausted() {
    let tell = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        tell(panic);
        end_if_exhausted();
    }));
}

/// Ends this process if it cannot even start a thread any more, which takes memory for its stack too.
pub(super) fn end_if_exhausted() {
    let starts_threads = thread::Builder::new().spawn(|| ()).is_ok_and(|thread| thread.join().is_ok());
    if !starts_threads {
        std::process::exit(EXIT_OUT_OF_MEMORY);
    }
}
