//! Storage levels by name.

use firesteel_connect::StorageLevel;
use firesteel_model::{Result, SparkError};
use firesteel_shuffle::Residence;

/// `MEMORY_AND_DISK`, `DISK_ONLY_2` and so on.
pub(crate) fn parse_level(name: &str) -> Result<StorageLevel> {
    let upper = name.to_ascii_uppercase();
    let (base, replication) = match upper.rsplit_once('_').and_then(|(base, n)| Some((base, n.parse::<i32>().ok()?))) {
        Some((base, replication)) => (base, replication),
        None => (upper.as_str(), 1),
    };
    let (base, deserialized) = match base.strip_suffix("_SER") {
        Some(base) => (base, false),
        None => (base.strip_suffix("_DESER").unwrap_or(base), true),
    };
    let level = |use_memory, use_disk, deserialized, use_off_heap| StorageLevel {
        use_disk,
        use_memory,
        use_off_heap,
        deserialized,
        replication,
    };
    Ok(match base {
        "NONE" => level(false, false, false, false),
        "DISK_ONLY" => level(false, true, false, false),
        "MEMORY_ONLY" => level(true, false, deserialized, false),
        "MEMORY_AND_DISK" => level(true, true, deserialized, false),
        "OFF_HEAP" => level(true, true, false, true),
        _ => return Err(SparkError::unsupported(format!("the storage level {name}"))),
    })
}

/// Where the store is to keep rows of a level.
pub(super) fn residence_of(level: StorageLevel) -> Residence {
    match (level.use_memory || level.use_off_heap, level.use_disk) {
        (true, false) => Residence::Memory,
        (false, true) => Residence::Disk,
        _ => Residence::MemoryAndDisk,
    }
}

/// `StorageLevel(disk, memory, deserialized, 1 replicas)`
pub(crate) fn shown_level(level: StorageLevel) -> String {
    let words = [
        (level.use_disk, "disk"),
        (level.use_memory, "memory"),
        (level.use_off_heap, "offheap"),
        (level.deserialized, "deserialized"),
    ];
    let words: Vec<_> = words.into_iter().filter(|(is, _)| *is).map(|(_, word)| word).collect();
    format!("StorageLevel({}, {} replicas)", words.join(", "), level.replication)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_read_and_shown() {
        for (name, shown) in [
            ("MEMORY_AND_DISK", "StorageLevel(disk, memory, deserialized, 1 replicas)"),
            ("memory_only_ser_2", "StorageLevel(memory, 2 replicas)"),
            ("DISK_ONLY_3", "StorageLevel(disk, 3 replicas)"),
            ("OFF_HEAP", "StorageLevel(disk, memory, offheap, 1 replicas)"),
        ] {
            assert_eq!(shown_level(parse_level(name).unwrap()), shown);
        }
        assert!(parse_level("EVERYWHERE").is_err());
    }
}
