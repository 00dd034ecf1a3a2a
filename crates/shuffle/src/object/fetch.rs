//! Which ranges of which objects a reader asks for.

use std::ops::Range;

use firesteel_model::ids::TaskAttempt;
use object_store::path::Path;

use crate::{MapOutput, PartitionSize};

/// Ranges with smaller gaps are read as one.
const GAP_BYTES: u64 = 1 << 20;

/// Parts of one object that are read one after the other.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) attempt: TaskAttempt,
    pub(crate) path: Path,
    pub(crate) version: Option<String>,
    /// Partitions that have blocks, in the order of their places.
    pub(crate) segments: Vec<PartitionSize>,
}

/// Outputs in the order given; neighbours in the same object make one span.
pub(crate) fn spans(outputs: Vec<MapOutput>) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    for output in outputs {
        let segments: Vec<_> = output.partitions.into_iter().filter(|segment| segment.length > 0).collect();
        let Some(first) = segments.first() else { continue };
        let path = Path::from(output.key.as_str());
        match spans.last_mut() {
            Some(last) if last.path == path && last.end() <= first.offset => last.segments.extend(segments),
            _ => spans.push(Span { attempt: output.attempt, path, version: output.version, segments }),
        }
    }
    spans
}

impl Span {
    fn end(&self) -> u64 {
        self.segments.last().map_or(0, |segment| segment.offset + segment.length)
    }

    /// The ranges to ask for, in order, none longer than this.
    pub(crate) fn pieces(&self, piece_bytes: u64) -> Vec<Range<u64>> {
        let mut pieces: Vec<Range<u64>> = Vec::new();
        for segment in &self.segments {
            let (mut from, end) = (segment.offset, segment.offset + segment.length);
            if let Some(last) = pieces.last_mut().filter(|last| from - last.end < GAP_BYTES) {
                let joined = end.min(last.start + piece_bytes);
                if joined > from {
                    last.end = joined;
                    from = joined;
                }
            }
            while from < end {
                let to = end.min(from + piece_bytes);
                pieces.push(from..to);
                from = to;
            }
        }
        pieces
    }
}

#[cfg(test)]
mod tests {
    use firesteel_model::ids::{Attempt, Partition, StageId, TaskId};

    use super::*;

    const MIB: u64 = 1 << 20;

    fn output(map: u32, places: &[(u64, u64)]) -> MapOutput {
        let task = TaskId { stage: StageId(0), partition: Partition(map) };
        let size = |&(offset, length)| PartitionSize { offset, length, ..PartitionSize::default() };
        MapOutput {
            attempt: TaskAttempt { task, attempt: Attempt(0) },
            key: format!("map-{map}"),
            version: None,
            first_partition: 0,
            partitions: places.iter().map(size).collect(),
            spilled_bytes: 0,
        }
    }

    fn pieces(outputs: Vec<MapOutput>) -> Vec<Vec<(u64, u64)>> {
        let ends = |span: &Span| span.pieces(8 * MIB).iter().map(|piece| (piece.start, piece.end)).collect::<Vec<_>>();
        spans(outputs).iter().map(ends).collect()
    }

    #[test]
    fn neighbours_are_one_range() {
        let found = pieces(vec![output(0, &[(0, 10), (10, 0), (10, 20)]), output(1, &[(5, 5)]), output(2, &[(7, 0)])]);
        assert_eq!(found, [vec![(0, 30)], vec![(5, 10)]]);
    }

    #[test]
    fn small_gaps_are_read_over_and_large_ones_are_not() {
        let found = pieces(vec![output(0, &[(0, 10)]), output(0, &[(MIB, 10)]), output(0, &[(3 * MIB, 10)])]);
        assert_eq!(found, [vec![(0, MIB + 10), (3 * MIB, 3 * MIB + 10)]]);
        let backwards = pieces(vec![output(0, &[(100, 10)]), output(0, &[(0, 10)])]);
        assert_eq!(backwards, [vec![(100, 110)], vec![(0, 10)]]);
    }

    #[test]
    fn long_ranges_come_in_pieces() {
        let found = pieces(vec![output(0, &[(0, 3 * MIB), (3 * MIB, 15 * MIB)])]);
        assert_eq!(found, [vec![(0, 8 * MIB), (8 * MIB, 16 * MIB), (16 * MIB, 18 * MIB)]]);
    }
}
