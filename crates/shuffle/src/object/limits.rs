//! What a task may hold of rows on their way to and from the bucket, by the memory that there is for it.

const MIB: u64 = 1 << 20;

/// Bounds for one task.
///
/// Guarantees: with enough memory the sizes are those with the fewest requests; with less they shrink, down to what
/// stores ask for at least.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    /// Rows and blocks before they spill.
    pub(crate) buffered: u64,
    /// Asked for ahead of its reading.
    pub(crate) ahead: u64,
    /// Longer ranges are read in pieces.
    pub(crate) piece: u64,
    /// Larger objects go up in parts.
    pub(crate) put: u64,
    /// A part; the parts of very large objects grow so that there are never more than a store allows.
    pub(crate) part: u64,
    /// Parts on their way at once.
    pub(crate) parts_in_flight: usize,
}

impl Limits {
    /// For a task with so much memory for everything that it does.
    pub(crate) fn of(task_bytes: u64) -> Self {
        let ahead = (task_bytes / 8).clamp(2 * MIB, 64 * MIB);
        let up = (task_bytes / 4).clamp(5 * MIB, 80 * MIB);
        // S3 takes no smaller parts.
        let part = (up / 5).clamp(5 * MIB, 16 * MIB);
        Self {
            buffered: 64 * MIB,
            ahead,
            piece: (ahead / 4).min(8 * MIB),
            put: up.min(64 * MIB),
            part,
            parts_in_flight: usize::try_from(up / part).unwrap_or(1).saturating_sub(1).clamp(1, 4),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn little_memory_means_small_pieces() {
        let plenty = Limits::of(1 << 30);
        assert_eq!((plenty.ahead, plenty.piece, plenty.put), (64 * MIB, 8 * MIB, 64 * MIB));
        assert_eq!((plenty.part, plenty.parts_in_flight), (16 * MIB, 4));
        let little = Limits::of(24 * MIB);
        assert_eq!((little.ahead, little.piece, little.put), (3 * MIB, 3 * MIB / 4, 6 * MIB));
        assert_eq!((little.part, little.parts_in_flight), (5 * MIB, 1));
    }
}
