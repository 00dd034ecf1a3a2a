//! [`EvalType`]: how a worker calls a function; PySpark's `PythonEvalType`.

use serde::{Deserialize, Serialize};

/// How a worker calls a function, by PySpark's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct EvalType(pub i32);

impl EvalType {
    /// `udf`, a row at a time, pickled.
    pub const BATCHED: Self = Self(100);
    /// `udf`, a row at a time, through Arrow.
    pub const ARROW_BATCHED: Self = Self(101);
    /// `pandas_udf` of series.
    pub const SCALAR_PANDAS: Self = Self(200);
    /// `applyInPandas`.
    pub const GROUPED_MAP_PANDAS: Self = Self(201);
    /// `pandas_udf` that gives one value a group.
    pub const GROUPED_AGG_PANDAS: Self = Self(202);
    /// The same over windows.
    pub const WINDOW_AGG_PANDAS: Self = Self(203);
    /// `pandas_udf` over an iterator of series.
    pub const SCALAR_PANDAS_ITER: Self = Self(204);
    /// `mapInPandas`.
    pub const MAP_PANDAS_ITER: Self = Self(205);
    /// `cogroup().applyInPandas`.
    pub const COGROUPED_MAP_PANDAS: Self = Self(206);
    /// `mapInArrow`.
    pub const MAP_ARROW_ITER: Self = Self(207);
    /// `applyInArrow`.
    pub const GROUPED_MAP_ARROW: Self = Self(209);
    /// `cogroup().applyInArrow`.
    pub const COGROUPED_MAP_ARROW: Self = Self(210);
    /// `applyInArrow` over an iterator of batches.
    pub const GROUPED_MAP_ARROW_ITER: Self = Self(215);
    /// `applyInPandas` over an iterator of frames.
    pub const GROUPED_MAP_PANDAS_ITER: Self = Self(216);
    /// `pandas_udf` over an iterator that gives one value a group.
    pub const GROUPED_AGG_PANDAS_ITER: Self = Self(217);
    /// `arrow_udf` of arrays.
    pub const SCALAR_ARROW: Self = Self(250);
    /// `arrow_udf` over an iterator of arrays.
    pub const SCALAR_ARROW_ITER: Self = Self(251);
    /// `arrow_udf` that gives one value a group.
    pub const GROUPED_AGG_ARROW: Self = Self(252);
    /// The same over windows.
    pub const WINDOW_AGG_ARROW: Self = Self(253);
    /// `arrow_udf` over an iterator that gives one value a group.
    pub const GROUPED_AGG_ARROW_ITER: Self = Self(254);
    /// `udtf`, pickled.
    pub const TABLE: Self = Self(300);
    /// `udtf` through Arrow.
    pub const ARROW_TABLE: Self = Self(301);
    /// `arrow_udtf`: arrays and batches as they are.
    pub const ARROW_TABLE_OF_BATCHES: Self = Self(302);

    /// A value for every row.
    pub fn is_scalar(self) -> bool {
        matches!(
            self,
            Self::BATCHED
                | Self::ARROW_BATCHED
                | Self::SCALAR_PANDAS
                | Self::SCALAR_PANDAS_ITER
                | Self::SCALAR_ARROW
                | Self::SCALAR_ARROW_ITER
        )
    }

    /// A value for every group.
    pub fn is_aggregate(self) -> bool {
        matches!(
            self,
            Self::GROUPED_AGG_PANDAS
                | Self::GROUPED_AGG_PANDAS_ITER
                | Self::GROUPED_AGG_ARROW
                | Self::GROUPED_AGG_ARROW_ITER
        )
    }

    /// Rows of its own, by way of Arrow.
    pub fn is_table(self) -> bool {
        matches!(self, Self::ARROW_TABLE | Self::ARROW_TABLE_OF_BATCHES)
    }

    /// Over an iterator: such a function stands alone in its worker and does not chain.
    pub fn is_iterator(self) -> bool {
        matches!(
            self,
            Self::SCALAR_PANDAS_ITER
                | Self::SCALAR_ARROW_ITER
                | Self::GROUPED_AGG_PANDAS_ITER
                | Self::GROUPED_AGG_ARROW_ITER
        )
    }
}
