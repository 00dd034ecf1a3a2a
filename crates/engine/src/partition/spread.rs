//! [`spread`]: a column's values, each written where it goes instead of gathered from where it is: the ends of all
//! partitions stay in the processor's cache, the rows do not.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, AsArray, BooleanBufferBuilder, PrimitiveArray, downcast_primitive,
};
use arrow::buffer::NullBuffer;

/// The column of each partition, from all batches that have arrived; nothing for a type whose values differ in size.
///
/// Assumptions: every row has a route, and `counts` says how many go to each partition.
pub(super) fn spread(arrived: &[ArrayRef], routes: &[u32], counts: &[usize]) -> Option<Vec<ArrayRef>> {
    macro_rules! of_type {
        ($kind:ty, $arrived:expr, $routes:expr, $counts:expr) => {
            Some(of_primitives::<$kind>($arrived, $routes, $counts))
        };
    }
    let kind = arrived.first()?.data_type();
    downcast_primitive! {
        kind => (of_type, arrived, routes, counts),
        _ => None
    }
}

fn of_primitives<T: ArrowPrimitiveType>(arrived: &[ArrayRef], routes: &[u32], counts: &[usize]) -> Vec<ArrayRef> {
    let mut values: Vec<Vec<T::Native>> = counts.iter().map(|count| Vec::with_capacity(*count)).collect();
    let mut route = routes.iter();
    for column in arrived {
        let column = column.as_primitive::<T>().values();
        column.iter().zip(route.by_ref()).for_each(|(value, partition)| values[*partition as usize].push(*value));
    }
    let kind = arrived.first().map_or(T::DATA_TYPE, |column| column.data_type().clone());
    let array = |(values, nulls): (Vec<T::Native>, Option<NullBuffer>)| {
        Arc::new(PrimitiveArray::<T>::new(values.into(), nulls).with_data_type(kind.clone())) as ArrayRef
    };
    values.into_iter().zip(nulls(arrived, routes, counts)).map(array).collect()
}

/// Which values of each partition are NULL.
fn nulls(arrived: &[ArrayRef], routes: &[u32], counts: &[usize]) -> Vec<Option<NullBuffer>> {
    if arrived.iter().all(|column| column.null_count() == 0) {
        return vec![None; counts.len()];
    }
    let mut present: Vec<_> = counts.iter().map(|count| BooleanBufferBuilder::new(*count)).collect();
    let mut route = routes.iter();
    for column in arrived {
        let rows = 0..column.len();
        rows.zip(route.by_ref()).for_each(|(row, partition)| present[*partition as usize].append(column.is_valid(row)));
    }
    present.into_iter().map(|mut present| Some(NullBuffer::new(present.finish()))).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use arrow::array::{Decimal128Array, Int32Array, StringArray, TimestampMicrosecondArray};

    use super::*;

    #[test]
    fn values_go_where_their_rows_go() {
        let arrived: Vec<ArrayRef> =
            vec![Arc::new(Int32Array::from(vec![Some(1), None])), Arc::new(Int32Array::from(vec![3, 4, 5]))];
        let found = spread(&arrived, &[2, 0, 2, 1, 0], &[2, 1, 2, 0]).unwrap();
        let found: Vec<&Int32Array> = found.iter().map(|column| column.as_primitive()).collect();
        let expected = [vec![None, Some(5)], vec![Some(4)], vec![Some(1), Some(3)], vec![]].map(Int32Array::from);
        assert_eq!(found, expected.iter().collect::<Vec<_>>());
        assert!(spread(&[Arc::new(StringArray::from(vec!["a"; 5]))], &[0; 5], &[5]).is_none());
    }

    #[test]
    fn types_keep_what_belongs_to_them() {
        let decimals = Decimal128Array::from(vec![1, 2]).with_precision_and_scale(12, 3).unwrap();
        let times = TimestampMicrosecondArray::from(vec![1, 2]).with_timezone("UTC");
        for column in [Arc::new(decimals) as ArrayRef, Arc::new(times)] {
            let found = spread(&[Arc::clone(&column)], &[1, 0], &[1, 1]).unwrap();
            assert_eq!(
                (found[0].as_ref(), found[1].as_ref()),
                (column.slice(1, 1).as_ref(), column.slice(0, 1).as_ref())
            );
        }
    }
}
