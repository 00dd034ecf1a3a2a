//! How many requests one bucket gets at once: more while it answers, half as many when it fails or says to slow down.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

const LIMIT_FIRST: f64 = 32.0;
const LIMIT_MAX: f64 = 256.0;
const LIMIT_MIN: f64 = 1.0;

/// Failures within this time count as one: they come from the same overload.
const OVERLOAD: Duration = Duration::from_millis(200);

/// Additive increase, multiplicative decrease.
#[derive(Debug)]
pub(crate) struct Throttle {
    state: Mutex<State>,
    freed: Notify,
}

#[derive(Debug)]
struct State {
    limit: f64,
    in_flight: usize,
    slowed: Option<Instant>,
}

/// A request that may run; dropping it lets the next one run.
#[derive(Debug)]
pub(crate) struct Permit<'t>(&'t Throttle);

impl Throttle {
    pub(crate) fn new() -> Self {
        let state = State { limit: LIMIT_FIRST, in_flight: 0, slowed: None };
        Self { state: Mutex::new(state), freed: Notify::new() }
    }

    /// Waits for its turn.
    pub(crate) async fn acquire(&self) -> Permit<'_> {
        loop {
            let freed = self.freed.notified();
            if let Some(permit) = self.try_acquire() {
                return permit;
            }
            freed.await;
        }
    }

    /// A permit if there is one to spare.
    pub(crate) fn try_acquire(&self) -> Option<Permit<'_>> {
        let mut state = self.locked();
        let free = (state.in_flight as f64) < state.limit.floor();
        if free {
            state.in_flight += 1;
        }
        free.then(|| Permit(self))
    }

    /// A request was answered.
    pub(crate) fn answered(&self) {
        let mut state = self.locked();
        state.limit = (state.limit + 1.0 / state.limit).min(LIMIT_MAX);
        drop(state);
        self.freed.notify_one();
    }

    /// A request failed as an overloaded service fails requests.
    pub(crate) fn overloaded(&self) {
        let mut state = self.locked();
        let now = Instant::now();
        if state.slowed.is_none_or(|last| now.duration_since(last) > OVERLOAD) {
            state.limit = (state.limit / 2.0).max(LIMIT_MIN);
            state.slowed = Some(now);
        }
    }

    /// How many requests may run at once now.
    #[cfg(test)]
    pub(crate) fn limit(&self) -> f64 {
        self.locked().limit
    }

    fn locked(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        self.0.locked().in_flight -= 1;
        self.0.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overload_halves_and_answers_raise() {
        let throttle = Throttle::new();
        throttle.overloaded();
        throttle.overloaded();
        assert!((throttle.limit() - 16.0).abs() < 0.1, "one overload is one step");
        for _ in 0..200 {
            throttle.answered();
        }
        assert!(throttle.limit() > 20.0);
        let permits: Vec<_> = std::iter::from_fn(|| throttle.try_acquire()).collect();
        assert_eq!(permits.len(), throttle.limit().floor() as usize);
    }
}
