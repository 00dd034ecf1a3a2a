//! Pools: who comes first when several jobs want the same slot.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use crate::config::PoolOrder;
use crate::graph::PoolSpec;
use crate::stages::Stage;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PoolId(usize);

#[derive(Debug)]
struct Pool {
    order: PoolOrder,
    weight: u32,
    min_share: u32,
    running: u64,
}

impl Pool {
    fn new() -> Self {
        Self { order: PoolOrder::Fifo, weight: 1, min_share: 0, running: 0 }
    }
}

#[derive(Debug, Default)]
pub(crate) struct Pools {
    pools: Vec<Pool>,
    names: BTreeMap<String, usize>,
}

impl Pools {
    /// The pool of this name, made if nobody defined it.
    pub(crate) fn find_or_add(&mut self, name: &str) -> PoolId {
        if let Some(&index) = self.names.get(name) {
            return PoolId(index);
        }
        self.pools.push(Pool::new());
        self.names.insert(name.to_owned(), self.pools.len() - 1);
        PoolId(self.pools.len() - 1)
    }

    pub(crate) fn define(&mut self, spec: &PoolSpec) {
        let PoolId(index) = self.find_or_add(&spec.name);
        if let Some(pool) = self.pools.get_mut(index) {
            (pool.order, pool.weight, pool.min_share) = (spec.order, spec.weight.max(1), spec.min_share);
        }
    }

    pub(crate) fn add_running(&mut self, pool: PoolId, attempts: u64) {
        if let Some(pool) = self.pools.get_mut(pool.0) {
            pool.running += attempts;
        }
    }

    pub(crate) fn sub_running(&mut self, pool: PoolId, attempts: u64) {
        if let Some(pool) = self.pools.get_mut(pool.0) {
            pool.running -= attempts;
        }
    }

    pub(crate) fn running(&self) -> u64 {
        self.pools.iter().map(|pool| pool.running).sum()
    }

    /// Which stage is served first under FAIR: by pool, then by the pool's own order.
    pub(crate) fn compare(&self, left: &Stage, right: &Stage) -> Ordering {
        let oldest = (left.job, left.id).cmp(&(right.job, right.id));
        let (Some(left_pool), Some(right_pool)) = (self.pools.get(left.pool.0), self.pools.get(right.pool.0)) else {
            return oldest;
        };
        if left.pool != right.pool {
            return compare_shares(left_pool, right_pool).then(left.pool.0.cmp(&right.pool.0));
        }
        match left_pool.order {
            PoolOrder::Fifo => oldest,
            PoolOrder::Fair => left.running.len().cmp(&right.running.len()).then(oldest),
        }
    }
}

/// A pool below its minimum share first, then the one with the smaller share of its minimum or weight.
fn compare_shares(left: &Pool, right: &Pool) -> Ordering {
    let needy = |pool: &Pool| pool.running < u64::from(pool.min_share);
    let ratio = |of: &dyn Fn(&Pool) -> u32| {
        let (left_parts, right_parts) = (u64::from(of(left).max(1)), u64::from(of(right).max(1)));
        (left.running * right_parts).cmp(&(right.running * left_parts))
    };
    match (needy(left), needy(right)) {
        (true, false) => Ordering::Less,
        (false, true) => Ordering::Greater,
        (true, true) => ratio(&|pool| pool.min_share),
        (false, false) => ratio(&|pool| pool.weight),
    }
}
