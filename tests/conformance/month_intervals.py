"""Year-month intervals, for which pyarrow has no Python values: the same months as numbers."""

import ctypes

import pyarrow as pa


class ArrowSchema(ctypes.Structure):
    """The C data interface's description of a type."""


ArrowSchema._fields_ = [
    ("format", ctypes.c_char_p),
    ("name", ctypes.c_char_p),
    ("metadata", ctypes.c_void_p),
    ("flags", ctypes.c_int64),
    ("n_children", ctypes.c_int64),
    ("children", ctypes.POINTER(ctypes.POINTER(ArrowSchema))),
    ("dictionary", ctypes.c_void_p),
    ("release", ctypes.c_void_p),
    ("private_data", ctypes.c_void_p),
]
# The C data interface's array is this long.
ARRAY_BYTES = 80
MONTHS, INT = b"tiM", b"i"


def as_numbers(table: pa.Table) -> pa.Table:
    """The table with INT in place of every year-month interval, also inside other types."""
    if "month_interval" not in str(table.schema):
        return table
    return pa.Table.from_batches([numbered(batch) for batch in table.to_batches()])


def numbered(batch: pa.RecordBatch) -> pa.RecordBatch:
    schema = ArrowSchema()
    array = (ctypes.c_char * ARRAY_BYTES)()
    batch._export_to_c(ctypes.addressof(array), ctypes.addressof(schema))
    retype(schema)
    return pa.RecordBatch._import_from_c(ctypes.addressof(array), ctypes.addressof(schema))


def retype(schema: ArrowSchema):
    if schema.format == MONTHS:
        schema.format = INT
    for place in range(schema.n_children):
        retype(schema.children[place].contents)
