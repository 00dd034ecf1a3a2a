//! Files cut into splits and packed into partitions, as Spark does it.

use datafusion_datasource::PartitionedFile;
use datafusion_datasource::file_groups::FileGroup;
use firesteel_model::Result;

use super::metadata;
use super::source::SourceSpec;
use crate::listing::ListedFile;
use crate::stores::Location;

/// The partitions of a scan.
///
/// Guarantees: no partition is larger than the target unless one split is; splits are packed largest first. With the
/// files' location each split ends in its metadata.
pub(super) fn pack(spec: &SourceSpec, files: &[&ListedFile], location: Option<&Location>) -> Result<Vec<FileGroup>> {
    let settings = &spec.settings;
    let target = target_bytes(spec, files);
    let mut splits = Vec::new();
    for file in files {
        let part = |start: u64, end: u64| -> Result<PartitionedFile> {
            let mut values = file.partition_values.clone();
            if let Some(location) = location {
                values.push(metadata::value(location, &file.meta, start, end - start)?);
            }
            Ok(PartitionedFile::new_from_meta(file.meta.clone()).with_partition_values(values))
        };
        let splittable =
            spec.format.is_splittable(file.meta.location.as_ref(), &spec.options, settings)? && file.meta.size > target;
        if !splittable {
            splits.push((file.meta.size, part(0, file.meta.size)?));
            continue;
        }
        let mut start = 0;
        while start < file.meta.size {
            let end = (start + target).min(file.meta.size);
            splits.push((end - start, part(start, end)?.with_range(offset(start), offset(end))));
            start = end;
        }
    }
    splits.sort_by_key(|(size, _)| std::cmp::Reverse(*size));
    let mut groups = Vec::new();
    let (mut current, mut current_bytes) = (Vec::new(), 0);
    for (size, split) in splits {
        if current_bytes + size > target && !current.is_empty() {
            groups.push(FileGroup::new(std::mem::take(&mut current)));
            current_bytes = 0;
        }
        current_bytes += size + settings.open_cost_bytes;
        current.push(split);
    }
    if !current.is_empty() {
        groups.push(FileGroup::new(current));
    }
    Ok(groups)
}

fn target_bytes(spec: &SourceSpec, files: &[&ListedFile]) -> u64 {
    let settings = &spec.settings;
    let total: u64 = files.iter().map(|file| file.meta.size + settings.open_cost_bytes).sum();
    let wished = settings.min_partition_num.unwrap_or(settings.default_parallelism).max(1) as u64;
    settings.max_partition_bytes.min((total / wished).max(settings.open_cost_bytes)).max(1)
}

fn offset(position: u64) -> i64 {
    i64::try_from(position).unwrap_or(i64::MAX)
}
