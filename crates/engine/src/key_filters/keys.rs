//! [`Keys`]: hashes of the keys that tasks saw. [`KeyFilter`]: whether a key can be among them.

use arrow::array::{ArrayRef, BooleanArray};
use arrow::buffer::BooleanBuffer;
use arrow::record_batch::RecordBatch;
use datafusion::common::Result;
use datafusion::common::hash_utils::{RandomState, create_hashes};

use super::Expr;

/// The same in every process; others than joins and aggregates use, which it would make lopsided.
const SEED: u64 = 0x6b65_7973;

/// Bits of a filter for each key: about one of 500 others passes.
const BITS_PER_KEY: usize = 16;

const BITS_PER_BLOCK: usize = 256;

/// Odd numbers that spread a hash over the words of a block.
const SPREAD: [u32; 8] =
    [0x9e37_79b1, 0x85eb_ca77, 0xc2b2_ae3d, 0x27d4_eb2f, 0x1656_67b1, 0x2c1b_3c6d, 0x297a_2d39, 0x85eb_ca6b];

type Block = [u32; 8];

/// Hashes of the keys of some rows, each once in the end, as long as they are few enough. Plain data.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keys {
    /// Nothing where there were too many.
    hashes: Option<Vec<u32>>,
    most: usize,
    /// How many of them are in order, each once.
    settled: usize,
}

impl Keys {
    /// None so far, and not more than `most` in the end.
    pub fn new(most: usize) -> Self {
        Self { hashes: Some(Vec::new()), most, settled: 0 }
    }

    /// With these hashes; without any, there were too many.
    pub fn from_hashes(hashes: Option<Vec<u32>>, most: usize) -> Self {
        let mut keys = Self { hashes, most, settled: 0 };
        keys.settle();
        keys
    }

    /// All of them in order, each once; nothing where there were too many.
    pub fn hashes(&self) -> Option<&[u32]> {
        self.hashes.as_deref()
    }

    /// How many there may be.
    pub fn most(&self) -> usize {
        self.most
    }

    pub(crate) fn observe(&mut self, exprs: &[Expr], batch: &RecordBatch) -> Result<()> {
        let Some(hashes) = &mut self.hashes else { return Ok(()) };
        let mut found = vec![0; batch.num_rows()];
        hash_keys(exprs, batch, &mut found)?;
        hashes.extend(found.into_iter().map(short));
        if hashes.len() > self.settled.saturating_mul(2).max(self.most.min(1 << 16)) {
            self.settle();
        }
        Ok(())
    }

    /// Adds what another task saw.
    pub fn merge(&mut self, other: &Self) {
        match (&mut self.hashes, &other.hashes) {
            (Some(hashes), Some(others)) => hashes.extend_from_slice(others),
            _ => self.hashes = None,
        }
        self.settle();
    }

    /// Each once, in order; nothing if they are too many.
    pub(crate) fn settle(&mut self) {
        let Some(hashes) = &mut self.hashes else { return };
        hashes.sort_unstable();
        hashes.dedup();
        self.settled = hashes.len();
        if hashes.len() > self.most {
            self.hashes = None;
        }
    }

    /// What lets these pass; nothing where there were too many.
    pub fn filter(&self) -> Option<KeyFilter> {
        self.hashes.as_deref().map(KeyFilter::new)
    }
}

/// A Bloom filter in blocks of one cache line's half. Plain data.
#[derive(Clone, PartialEq, Eq)]
pub struct KeyFilter {
    blocks: Vec<Block>,
    keys: usize,
}

impl std::fmt::Debug for KeyFilter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "KeyFilter({} keys)", self.keys)
    }
}

impl KeyFilter {
    fn new(hashes: &[u32]) -> Self {
        let blocks = (hashes.len() * BITS_PER_KEY).div_ceil(BITS_PER_BLOCK).max(1).next_power_of_two();
        let mut filter = Self { blocks: vec![Block::default(); blocks], keys: hashes.len() };
        for hash in hashes {
            let place = filter.place(*hash);
            if let Some(block) = filter.blocks.get_mut(place) {
                block.iter_mut().zip(bits(*hash)).for_each(|(word, bit)| *word |= bit);
            }
        }
        filter
    }

    /// How many keys it was made of.
    pub fn keys(&self) -> usize {
        self.keys
    }

    /// Its words, for [`Self::from_words`].
    pub fn words(&self) -> impl Iterator<Item = u32> {
        self.blocks.iter().flatten().copied()
    }

    /// The filter with these words; nothing if they are not a filter's.
    pub fn from_words(words: &[u32], keys: usize) -> Option<Self> {
        let (blocks, rest) = words.as_chunks();
        (rest.is_empty() && blocks.len().is_power_of_two()).then(|| Self { blocks: blocks.to_vec(), keys })
    }

    /// For each row whether its key can be among them.
    pub(crate) fn mask(&self, exprs: &[Expr], batch: &RecordBatch) -> Result<BooleanArray> {
        let mut hashes = vec![0; batch.num_rows()];
        hash_keys(exprs, batch, &mut hashes)?;
        let hit = |row: usize| hashes.get(row).is_some_and(|hash| self.has(short(*hash)));
        Ok(BooleanArray::new(BooleanBuffer::collect_bool(batch.num_rows(), hit), None))
    }

    fn has(&self, hash: u32) -> bool {
        let Some(block) = self.blocks.get(self.place(hash)) else { return true };
        let missing = block.iter().zip(bits(hash)).fold(0, |missing, (word, bit)| missing | (bit & !word));
        missing == 0
    }

    /// By the high bits, as those of a block are by the lower ones.
    fn place(&self, hash: u32) -> usize {
        let place = (u64::from(hash) * self.blocks.len() as u64) >> 32;
        usize::try_from(place).unwrap_or_default()
    }
}

/// A bit of each word.
fn bits(hash: u32) -> Block {
    SPREAD.map(|odd| 1 << (hash.wrapping_mul(odd) >> 27))
}

/// The upper half: the lower one of a fast hash is the weaker.
fn short(hash: u64) -> u32 {
    u32::try_from(hash >> 32).unwrap_or_default()
}

/// Equal keys of one type have equal hashes; NULL has one too.
fn hash_keys(exprs: &[Expr], batch: &RecordBatch, hashes: &mut [u64]) -> Result<()> {
    let columns = exprs.iter().map(|expr| expr.evaluate(batch)?.into_array(batch.num_rows()));
    let columns = columns.collect::<Result<Vec<ArrayRef>>>()?;
    create_hashes(&columns, &RandomState::with_seed(SEED), hashes)?;
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn spread(number: u32) -> u32 {
        number.wrapping_mul(0x9e37_79b1).rotate_left(13).wrapping_mul(0x85eb_ca77)
    }

    #[test]
    fn every_key_passes_and_few_others_do() {
        for count in [0, 1, 7, 1_000, 200_000] {
            let hashes: Vec<u32> = (0..count).map(spread).collect();
            let filter = KeyFilter::new(&hashes);
            assert!(hashes.iter().all(|hash| filter.has(*hash)));
            let others = (1_000_000..1_100_000).filter(|number| filter.has(spread(*number))).count();
            assert!(others < 1_000, "{others} of 100,000 others pass a filter of {count}");
            let words: Vec<u32> = filter.words().collect();
            assert_eq!(KeyFilter::from_words(&words, filter.keys()).unwrap(), filter);
        }
    }

    #[test]
    fn broken_words_are_no_filter() {
        assert_eq!(KeyFilter::from_words(&[0; 7], 1), None);
        assert_eq!(KeyFilter::from_words(&[0; 24], 1), None);
        assert_eq!(KeyFilter::from_words(&[], 1), None);
    }

    #[test]
    fn too_many_keys_are_given_up() {
        let mut keys = Keys::from_hashes(Some(vec![3, 1, 3]), 4);
        assert_eq!(keys.hashes(), Some([1, 3].as_slice()));
        keys.merge(&Keys::from_hashes(Some(vec![1, 2, 5]), 4));
        assert_eq!(keys.hashes(), Some([1, 2, 3, 5].as_slice()));
        keys.merge(&Keys::from_hashes(Some(vec![6]), 4));
        assert_eq!((keys.hashes(), keys.filter()), (None, None));
        keys.merge(&Keys::from_hashes(Some(vec![6]), 4));
        assert_eq!(keys.hashes(), None);
    }
}
