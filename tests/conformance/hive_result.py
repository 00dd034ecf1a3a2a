"""Values as Spark's test suite prints them: one text for each row, in the manner of Hive."""

import re
import struct
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import numpy
import pyarrow as pa
from pyspark.sql import types as t
from pyspark.sql.variant_utils import VariantUtils

DAY = 86_400_000_000
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


class Printer:
    """Prints values; what depends on the session is settled when it is made."""

    def __init__(self, zone: str = "UTC", binary_style: str = "UTF-8"):
        self.zone = read_zone(zone)
        self.binary_style = binary_style.upper()

    def rows(self, table: pa.Table, schema: t.StructType) -> list[str]:
        """Each row as a text, its cells parted by tabs."""
        columns = [
            [self.cell(value, field.dataType, False) for value in column]
            for column, field in zip(table.columns, schema.fields)
        ]
        return ["\t".join(cells) for cells in zip(*columns)] if columns else [""] * table.num_rows

    def cell(self, value: pa.Scalar, kind: t.DataType, nested: bool) -> str:
        """One value."""
        if not value.is_valid or isinstance(kind, t.NullType):
            return "null" if nested else "NULL"
        if isinstance(kind, t.ArrayType):
            return "[" + ",".join(self.cell(each, kind.elementType, True) for each in value.values) + "]"
        if isinstance(kind, t.MapType):
            return self.map(value, kind)
        if isinstance(kind, t.VariantType):
            return VariantUtils.to_json(value["value"].as_py(), value["metadata"].as_py())
        if isinstance(kind, (t.GeometryType, t.GeographyType)):
            text = shape_text(value["srid"].as_py(), value["wkb"].as_py())
            return f'"{text}"' if nested else text
        if isinstance(kind, t.StructType):
            # By place: names may repeat.
            parts = [
                f'"{field.name}":{self.cell(value[place], field.dataType, True)}' for place, field in enumerate(kind)
            ]
            return "{" + ",".join(parts) + "}"
        if isinstance(kind, (t.StringType, t.CharType, t.VarcharType)):
            text = value.as_py()
            return f'"{text}"' if nested else text
        return self.plain(value, kind)

    def map(self, value: pa.MapScalar, kind: t.MapType) -> str:
        entries = value.values
        texts = [
            f"{self.cell(entry[0], kind.keyType, True)}:{self.cell(entry[1], kind.valueType, True)}"
            for entry in entries
        ]
        return "{" + ",".join(sorted(texts, key=utf16)) + "}"

    def plain(self, value: pa.Scalar, kind: t.DataType) -> str:
        """A value that has no parts."""
        if isinstance(kind, t.BooleanType):
            return "true" if value.as_py() else "false"
        if isinstance(kind, t.FloatType):
            return java_float(numpy.float32(value.as_py()))
        if isinstance(kind, t.DoubleType):
            return java_float(numpy.float64(value.as_py()))
        if isinstance(kind, t.DecimalType):
            return format(value.as_py(), "f")
        if isinstance(kind, t.BinaryType):
            return self.binary(value.as_py())
        if isinstance(kind, t.DateType):
            return date_text(value.value)
        if isinstance(kind, t.TimestampType):
            return timestamp_text(value.value + self.offset(value.value))
        if isinstance(kind, t.TimestampNTZType):
            return timestamp_text(value.value)
        if isinstance(kind, t.TimeType):
            return time_text(value.value // 1000)
        if isinstance(kind, t.DayTimeIntervalType):
            return day_time_text(value.value)
        if isinstance(kind, t.YearMonthIntervalType):
            months = value.as_py()
            return f"{'-' if months < 0 else ''}{abs(months) // 12}-{abs(months) % 12}"
        if isinstance(kind, t.CalendarIntervalType):
            return calendar_interval_text(*value.as_py())
        return str(value.as_py())

    def binary(self, value: bytes) -> str:
        if self.binary_style == "BASE64":
            import base64

            return base64.b64encode(value).decode().rstrip("=")
        if self.binary_style == "HEX":
            return value.hex().upper()
        if self.binary_style == "HEX_DISCRETE":
            return "[" + " ".join(f"{byte:02X}" for byte in value) + "]"
        if self.binary_style == "BASIC":
            return "[" + ", ".join(str(byte - 256 if byte > 127 else byte) for byte in value) + "]"
        return value.decode("utf-8", errors="replace")

    def offset(self, micros: int) -> int:
        """The zone's distance from UTC then, in microseconds."""
        # Rules repeat every 400 years; before the year 1 and after 9999 Python has no dates.
        cycle = 146_097 * DAY
        shifted = micros
        while shifted < -60_000_000_000_000_000:
            shifted += cycle
        while shifted > 250_000_000_000_000_000:
            shifted -= cycle
        moment = EPOCH + timedelta(microseconds=shifted)
        away = moment.astimezone(self.zone).utcoffset()
        return round(away.total_seconds() * 1_000_000)


def shape_text(srid: int, wkb: bytes) -> str:
    """A point as well-known text; golden files hold no other shapes."""
    order = "<" if wkb[0] else ">"
    code, x, y = struct.unpack(f"{order}Idd", wkb[1:])
    text = f"POINT({x:g} {y:g})" if code == 1 else f"(shape {code})"
    return f"SRID={srid};{text}" if srid else text


def read_zone(name: str):
    """A time zone by name or offset."""
    found = re.fullmatch(r"(?:UTC|GMT|UT)?([+-])(\d{1,2})(?::?(\d{2}))?(?::?(\d{2}))?", name)
    if found:
        sign, hours, minutes, seconds = found.groups()
        away = timedelta(hours=int(hours), minutes=int(minutes or 0), seconds=int(seconds or 0))
        return timezone(-away if sign == "-" else away)
    return timezone.utc if name in ("Z", "UTC") else ZoneInfo(name)


def utf16(text: str) -> bytes:
    """Java's order of texts."""
    return text.encode("utf-16-be", errors="surrogatepass")


def java_float(value) -> str:
    """What Java 19 and later print for a float or a double."""
    if numpy.isnan(value):
        return "NaN"
    sign = "-" if numpy.signbit(value) else ""
    if numpy.isinf(value):
        return f"{sign}Infinity"
    if value == 0:
        return f"{sign}0.0"
    mantissa, _, exponent = numpy.format_float_scientific(abs(value), unique=True, trim="0").partition("e")
    exponent = int(exponent)
    if -3 <= exponent < 7:
        return sign + numpy.format_float_positional(abs(value), unique=True, trim="0")
    return f"{sign}{mantissa}E{exponent}"


def date_text(days: int) -> str:
    year, month, day = civil(days)
    return f"{year_text(year)}-{month:02d}-{day:02d}"


def timestamp_text(micros: int) -> str:
    days, rest = divmod(micros, DAY)
    return f"{date_text(days)} {time_text(rest)}"


def time_text(micros: int) -> str:
    seconds, fraction = divmod(micros, 1_000_000)
    text = f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    return f"{text}.{fraction:06d}".rstrip("0") if fraction else text


def year_text(year: int) -> str:
    if year > 9999:
        return f"+{year}"
    return f"-{-year:04d}" if year < 0 else f"{year:04d}"


def civil(days: int) -> tuple[int, int, int]:
    """Year, month and day of a day counted from 1970, in the proleptic Gregorian calendar."""
    era, day_of_era = divmod(days + 719_468, 146_097)
    year_of_era = (day_of_era - day_of_era // 1460 + day_of_era // 36_524 - day_of_era // 146_096) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    shifted = (5 * day_of_year + 2) // 153
    month = shifted + 3 if shifted < 10 else shifted - 9
    return year_of_era + era * 400 + (month <= 2), month, day_of_year - (153 * shifted + 2) // 5 + 1


def day_time_text(micros: int) -> str:
    sign = "-" if micros < 0 else ""
    days, rest = divmod(abs(micros), DAY)
    seconds, fraction = divmod(rest, 1_000_000)
    return f"{sign}{days} {seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{fraction:06d}000"


def calendar_interval_text(months: int, days: int, nanos: int) -> str:
    parts = []
    years, months = truncated(months, 12)
    hours, rest = truncated(nanos // 1000 if nanos >= 0 else -(-nanos // 1000), 3_600_000_000)
    minutes, rest = truncated(rest, 60_000_000)
    for count, unit in ((years, "years"), (months, "months"), (days, "days"), (hours, "hours"), (minutes, "minutes")):
        if count:
            parts.append(f"{count} {unit}")
    if rest:
        whole, fraction = divmod(abs(rest), 1_000_000)
        text = f"{whole}.{fraction:06d}".rstrip("0").rstrip(".") if fraction else str(whole)
        parts.append(f"{'-' if rest < 0 else ''}{text} seconds")
    return " ".join(parts) or "0 seconds"


def truncated(value: int, unit: int) -> tuple[int, int]:
    """Quotient and remainder that both have the value's sign."""
    sign = -1 if value < 0 else 1
    whole, rest = divmod(abs(value), unit)
    return sign * whole, sign * rest


def schema_text(kind: t.DataType) -> str:
    """A type as Spark's catalog writes it."""
    if isinstance(kind, t.StructType):
        return "struct<" + ",".join(f"{field.name}:{schema_text(field.dataType)}" for field in kind) + ">"
    if isinstance(kind, t.ArrayType):
        return f"array<{schema_text(kind.elementType)}>"
    if isinstance(kind, t.MapType):
        return f"map<{schema_text(kind.keyType)},{schema_text(kind.valueType)}>"
    return kind.simpleString()
