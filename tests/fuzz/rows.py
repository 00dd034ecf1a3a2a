"""Random tables with every type, nulls and extremes, as Parquet files that all servers read."""

import datetime
import math
import random
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

SCHEMA = pa.schema([
    ("k", pa.int64()), ("bo", pa.bool_()), ("ti", pa.int8()), ("si", pa.int16()), ("i", pa.int32()), ("l", pa.int64()),
    ("f", pa.float32()), ("d", pa.float64()), ("de", pa.decimal128(10, 2)), ("dd", pa.decimal128(38, 10)),
    ("s", pa.string()), ("bi", pa.binary()), ("da", pa.date32()), ("ts", pa.timestamp("us", "UTC")),
    ("tn", pa.timestamp("us")), ("ar", pa.list_(pa.int32())), ("ma", pa.map_(pa.string(), pa.int32())),
    ("st", pa.struct([("a", pa.int32()), ("b", pa.string())])),
])
# Tables: how many rows, in how many files, and whether with extremes.
TABLES = {"t1": (90, 5, False), "t2": (40, 3, True), "t3": (25, 1, False), "nothing": (0, 1, False),
          "many": (1500, 3, False)}
NULLS = 0.15
WORDS = ["", "a", "ab", "Ab c", "abc", "12", "-7", " x ", "é", "日本", "%", "_a", "2024-02-29", "zzzz", "A", "1.5", "true"]
MOMENT = datetime.datetime(2000, 1, 1)


def write(folder: Path, seed: int) -> None:
    for name, (count, files, extreme) in TABLES.items():
        chance = random.Random(f"{seed}/{name}")
        made = [row(chance, number, extreme) for number in range(count)]
        target = folder / name
        target.mkdir(parents=True)
        for part in range(files):
            pq.write_table(pa.Table.from_pylist(made[part::files], SCHEMA), target / f"part-{part}.parquet")


def row(chance: random.Random, number: int, extreme: bool) -> dict:
    made = {name: None if chance.random() < NULLS else value(chance, extreme) for name, value in VALUES.items()}
    return {"k": number} | made


def whole(bits: int):
    def make(chance, extreme):
        if extreme and chance.random() < 0.4:
            return chance.choice([-(2 ** (bits - 1)), 2 ** (bits - 1) - 1, 0, -1])
        return chance.randint(-6, 12)

    return make


def real(chance, extreme):
    if extreme and chance.random() < 0.5:
        return chance.choice([math.nan, math.inf, -math.inf, 0.0, -0.0, 1.0e-30, 3.0e38, -3.0e38])
    return chance.choice([0.0, 0.5, 1.0, -1.25, 2.75, 10.0, float(chance.randint(-9, 9))])


def exact(precision: int, scale: int):
    def make(chance, extreme):
        if extreme and chance.random() < 0.4:
            return Decimal((chance.choice([0, 1]), (9,) * precision, -scale))
        return Decimal(chance.randint(-500, 500)).scaleb(-2)

    return make


def date(chance, extreme):
    if extreme and chance.random() < 0.4:
        return chance.choice([datetime.date(1, 1, 1), datetime.date(9999, 12, 31), datetime.date(1582, 10, 4)])
    return datetime.date(2024, 2, 25) + datetime.timedelta(chance.randint(-10, 10))


def moment(zone):
    def make(chance, extreme):
        if extreme and chance.random() < 0.4:
            made = chance.choice([datetime.datetime(1, 1, 2), datetime.datetime(9999, 12, 30, 23, 59, 59, 999999)])
        else:
            made = MOMENT + datetime.timedelta(chance.randint(0, 40), 1800 * chance.randint(0, 47), chance.choice([0, 1]))
        return made.replace(tzinfo=zone)

    return make


def some(make, count: int):
    return lambda chance, extreme: [
        None if chance.random() < NULLS else make(chance, extreme) for _ in range(chance.randint(0, count))]


def mapping(chance, extreme):
    return [(name, whole(32)(chance, extreme)) for name in chance.sample(["a", "b", "", "é"], chance.randint(0, 3))]


def structure(chance, extreme):
    return {"a": None if chance.random() < NULLS else whole(32)(chance, extreme), "b": chance.choice([None, *WORDS])}


VALUES = {
    "bo": lambda chance, _: chance.random() < 0.5, "ti": whole(8), "si": whole(16), "i": whole(32), "l": whole(64),
    "f": real, "d": lambda chance, extreme: real(chance, extreme) * chance.choice([1.0, 1.0, 1e-5]),
    "de": exact(10, 2), "dd": exact(38, 10), "s": lambda chance, _: chance.choice(WORDS),
    "bi": lambda chance, _: chance.choice([b"", b"abc", b"\x00\xff", b"a"]), "da": date,
    "ts": moment(datetime.timezone.utc), "tn": moment(None), "ar": some(whole(32), 4), "ma": mapping, "st": structure,
}
