"""What a DataFrame holds, as plain values."""

from datetime import date, datetime
from decimal import Decimal


def rows(df) -> list[tuple]:
    """Rows in their order."""
    return [plain(row) for row in df.collect()]


def bag(df) -> list[tuple]:
    """Rows in any order: sorted by what they look like."""
    return sorted(rows(df), key=repr)


def in_any_order(*expected) -> list[tuple]:
    """What `bag` is to be compared with."""
    return sorted(expected, key=repr)


def value(df):
    """The one value of a DataFrame of one row and one column."""
    ((single,),) = rows(df)
    return single


def sql(session, expression: str):
    """The value of a SQL expression."""
    return value(session.sql(f"SELECT {expression}"))


def column(df, name=0) -> list:
    """One column's values in their order."""
    return [plain(row[name]) for row in df.collect()]


def plain(cell):
    """Rows as tuples, all the way down."""
    if isinstance(cell, tuple):
        return tuple(plain(part) for part in cell)
    if isinstance(cell, list):
        return [plain(part) for part in cell]
    if isinstance(cell, dict):
        return {plain(key): plain(part) for key, part in cell.items()}
    return cell


def types(df) -> list[str]:
    """Types of the columns, in Spark's short spelling."""
    return [kind for _, kind in df.dtypes]


__all__ = ["Decimal", "bag", "column", "date", "datetime", "in_any_order", "plain", "rows", "sql", "types", "value"]
