"""PySpark's daemon over PySpark's worker, with ways of our own for groups in pandas: applyInPandas, aggregates, windows.

PySpark's takes each group as an Arrow stream of its own and converts what the function gets and gives group by group;
of groups of some hundred rows that takes longer than most functions do. Here groups travel and are converted many at a
time, as far as that makes no difference to the function and to its result.

Groups that travel together: their number, the rows of each, an Arrow stream of all their rows; a number of 0 in the end.
"""

import struct
import sys
from itertools import accumulate, chain

from pyspark import worker
from pyspark.daemon import manager
from pyspark.serializers import read_int
from pyspark.sql.conversion import ArrowBatchTransformer, PandasToArrowConversion
from pyspark.sql.pandas.serializers import ArrowStreamSerializer
from pyspark.sql.types import AtomicType, BinaryType, StructField, StructType
from pyspark.util import PythonEvalType

# Rows that go back together, unless a single group gives more.
ROWS_TOGETHER_MAX = 10_000


class GroupsSerializer(ArrowStreamSerializer):
    """Reads groups that travel together, writes a plain stream."""

    def load_stream(self, stream):
        import pyarrow as pa

        while count := read_int(stream):
            lengths = struct.unpack(f">{count}i", stream.read(4 * count))
            yield lengths, pa.Table.from_batches(super().load_stream(stream)).combine_chunks()


def depends_on_others(column) -> bool:
    """Whether pandas may have a value in another type for what other values there are."""
    import pyarrow.types as types

    if types.is_nested(column.type):
        return True
    return column.null_count > 0 and (types.is_integer(column.type) or types.is_boolean(column.type))


def in_pandas(lengths, table, conf):
    """The groups as series: all together or, where that would change a type, each by itself."""

    def series(rows):
        return ArrowBatchTransformer.to_pandas(
            rows, timezone=conf.timezone, prefer_int_ext_dtype=conf.prefer_int_ext_dtype
        )

    if len(lengths) == 1 or not any(map(depends_on_others, table.columns)):
        yield lengths, series(table)
        return
    for start, end in ranges(lengths):
        yield [end - start], series(table.slice(start, end - start))


def ranges(lengths):
    """Where each group lies among the rows of all."""
    ends = list(accumulate(lengths))
    return zip([0, *ends], ends)


def frames(lengths, series, keys, values):
    """Each group's key and frame."""
    import pandas as pd

    whole = pd.concat([series[place] for place in values], axis=1)
    for start, end in ranges(lengths):
        key = tuple(series[place].iloc[start] for place in keys)
        if len(lengths) == 1:
            yield key, whole
            return
        frame = whole.iloc[start:end].copy()
        frame.index = pd.RangeIndex(end - start)
        yield key, frame


def runs(results, kind, rows):
    """Neighbours of one kind, as many as go back together; one of no kind goes by itself."""
    held, held_kind, held_rows = [], None, 0
    for result in results:
        own, count = kind(result), rows(result)
        if held and (own is None or own != held_kind or held_rows + count > ROWS_TOGETHER_MAX):
            yield held
            held, held_rows = [], 0
        held.append(result)
        held_kind = own
        held_rows += count
    if held:
        yield held


def shape(frame):
    """The columns of a frame: what frames have in common that are converted together."""
    return frame.columns.tolist(), frame.dtypes.tolist()


def together(results, convert):
    """One batch of all frames; of each its own if some can only be converted alone, or to say which cannot."""
    import pandas as pd

    if len(results) > 1:
        try:
            return [convert(pd.concat(results, ignore_index=True))]
        except Exception:
            pass
    return map(convert, results)


def apply_in_pandas(function, takes_key, keys, values, returns, conf):
    def convert(frame):
        return PandasToArrowConversion.convert(
            [frame],
            StructType([StructField("_0", returns)]),
            timezone=conf.timezone,
            safecheck=conf.safecheck,
            arrow_cast=True,
            prefers_large_types=conf.use_large_var_types,
            assign_cols_by_name=conf.assign_cols_by_name,
            int_to_decimal_coercion_enabled=conf.int_to_decimal_coercion_enabled,
        )

    def results(parcels):
        for parcel in parcels:
            for lengths, series in in_pandas(*parcel, conf):
                for key, frame in frames(lengths, series, keys if takes_key else [], values):
                    result = function(key, frame) if takes_key else function(frame)
                    worker.verify_pandas_result(
                        result, returns, conf.assign_cols_by_name, truncate_return_schema=False
                    )
                    yield result

    def answer(split_index, parcels):
        if not all(map(is_immutable, returns.fields)):
            return map(convert, results(parcels))
        # The function may use its frame again.
        copies = (result.copy() for result in results(parcels))
        return chain.from_iterable(together(alike, convert) for alike in runs(copies, shape, len))

    return answer


def is_immutable(field) -> bool:
    """Whether a copy of a frame keeps the field's values, whatever becomes of those of the frame."""
    return isinstance(field.dataType, AtomicType) and not isinstance(field.dataType, BinaryType)


class AggregatesSerializer:
    """PySpark's for aggregates and windows, over groups that travel together; what comes of them goes back together."""

    def __init__(self, alone, conf):
        self.alone, self.conf = alone, conf

    def load_stream(self, stream):
        for parcel in GroupsSerializer().load_stream(stream):
            for lengths, series in in_pandas(*parcel, self.conf):
                for start, end in ranges(lengths):
                    yield iter([tuple(column.iloc[start:end] for column in series)])

    def dump_stream(self, groups, stream):
        values = (packed if isinstance(packed[0], tuple) else (packed,) for packed in groups)
        self.alone.dump_stream(map(joined, runs(values, plain_types, lambda each: len(each[0][0]))), stream)


def plain_types(values):
    """The types of a group's values, if these alone say how each is converted, whatever the others are."""
    import pandas as pd

    plain = all(isinstance(series, pd.Series) and series.dtype != object for series, _ in values)
    return [series.dtype for series, _ in values] if plain else None


def joined(groups):
    """The values of each function over all the groups, with their type."""
    import pandas as pd

    if len(groups) == 1:
        return groups[0]
    return tuple((pd.concat([series for series, _ in each], ignore_index=True), each[0][1]) for each in zip(*groups))


def read_udfs(pickled, infile, eval_type, conf, eval_conf):
    if eval_type != PythonEvalType.SQL_GROUPED_MAP_PANDAS_UDF:
        function, profiler, alone, _ = stock = stock_read_udfs(pickled, infile, eval_type, conf, eval_conf)
        if eval_type not in (PythonEvalType.SQL_GROUPED_AGG_PANDAS_UDF, PythonEvalType.SQL_WINDOW_AGG_PANDAS_UDF):
            return stock
        serializer = AggregatesSerializer(alone, conf)
        return function, profiler, serializer, serializer
    if (count := read_int(infile)) != 1:
        raise ValueError(f"{count} functions for the rows of a group")
    function, offsets, returns, takes = worker.read_single_udf(pickled, infile, eval_type, conf, udf_index=0)
    values_at = 2 + offsets[1]
    keys, values = offsets[2:values_at], offsets[values_at:]
    serializer = GroupsSerializer(write_start_stream=True)
    return apply_in_pandas(function, takes != 1, keys, values, returns, conf), None, serializer, serializer


stock_read_udfs = worker.read_udfs
worker.read_udfs = read_udfs
sys.argv[1:] = [worker.__name__]
manager()
