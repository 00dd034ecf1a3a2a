"""Random expressions as trees: rows of a table say what may become of which types."""

import random
import re
from dataclasses import dataclass

from pyspark.sql import Column
from pyspark.sql import functions as F

# Columns of every table by type; `k` numbers its rows.
COLUMNS = {
    "bool": ["bo"], "int": ["i", "si", "ti"], "long": ["l", "k"], "double": ["d", "f"], "dec": ["de", "dd"],
    "str": ["s"], "bin": ["bi"], "date": ["da"], "ts": ["ts"], "ntz": ["tn"], "arr": ["ar"], "map": ["ma"],
    "st": ["st"],
}
SCALARS = ["bool", "int", "long", "double", "dec", "str", "date", "ts"]
ORDERED = [*SCALARS, "ntz", "bin"]
SQL_TYPES = {
    "bool": "BOOLEAN", "int": "INT", "long": "BIGINT", "double": "DOUBLE", "dec": "DECIMAL(20,4)", "str": "STRING",
    "bin": "BINARY", "date": "DATE", "ts": "TIMESTAMP", "ntz": "TIMESTAMP_NTZ", "arr": "ARRAY<INT>",
    "map": "MAP<STRING,INT>", "st": "STRUCT<a:INT,b:STRING>",
}
LITERALS = {
    "bool": ["true", "false", "CAST(NULL AS BOOLEAN)"],
    "int": ["0", "1", "-1", "7", "100", "2147483647", "-2147483648", "CAST(NULL AS INT)"],
    "long": ["0L", "1L", "-3L", "9223372036854775807L", "-9223372036854775808L", "CAST(NULL AS BIGINT)"],
    "double": ["0.0D", "-0.0D", "1.5D", "-2.25D", "1e300D", "CAST('NaN' AS DOUBLE)", "CAST('Infinity' AS DOUBLE)"],
    "dec": ["0.00", "1.25", "-99.9999", "CAST('9999999999999999.9999' AS DECIMAL(20,4))", "CAST(NULL AS DECIMAL(10,2))"],
    "str": ["''", "'a'", "'Ab c'", "'12'", "'%'", "'é'", "' x '", "CAST(NULL AS STRING)"],
    "bin": ["X''", "X'00FF'", "CAST('abc' AS BINARY)"],
    "date": ["DATE'1970-01-01'", "DATE'2024-02-29'", "DATE'1582-10-15'", "CAST(NULL AS DATE)"],
    "ts": ["TIMESTAMP'1970-01-01 00:00:00'", "TIMESTAMP'2024-02-29 23:59:59.999999'", "CAST(NULL AS TIMESTAMP)"],
    "ntz": ["TIMESTAMP_NTZ'2000-01-01 12:00:00'", "TIMESTAMP_NTZ'1900-03-01 00:00:00.000001'"],
    "arr": ["array(1, 2, NULL)", "CAST(array() AS ARRAY<INT>)", "array(3)"],
    "map": ["map('a', 1, 'b', CAST(NULL AS INT))", "map('z', 0)"],
    "st": ["named_struct('a', 1, 'b', 'x')", "named_struct('a', CAST(NULL AS INT), 'b', 'y')"],
}

# What may become of which types: T is one scalar type, the same throughout a row.
RULES = {
    "bool": """({} = {})|T T;({} <> {})|T T;({} < {})|T T;({} <= {})|T T;({} > {})|T T;({} >= {})|T T;({} <=> {})|T T
        ({} AND {})|bool bool;({} OR {})|bool bool;(NOT {})|bool;({} AND {})|bool bool;({} OR {})|bool bool
        ({} IS NULL)|T;({} IS NOT NULL)|T;({} IN ({}, {}))|T T T;({} NOT IN ({}, {}))|T T T
        ({} BETWEEN {} AND {})|T T T;({} LIKE {})|str str;({} LIKE '%a_')|str;({} RLIKE '^[a-c]+')|str;({} LIKE 'a%')|str
        startswith({}, {})|str str;contains({}, {})|str str;array_contains({}, {})|arr int;isnan({})|double
        exists({}, x -> x > 1)|arr;forall({}, x -> x IS NULL OR x < 100)|arr;map_contains_key({}, {})|map str
        ({} IS TRUE)|bool;({} IS NOT FALSE)|bool;coalesce({}, {})|bool bool;if({}, {}, {})|bool bool bool
        ({} IS DISTINCT FROM {})|T T;({} = {})|arr arr;({} = {})|st st;nullif({}, {})|bool bool
        equal_null({}, {})|T T;arrays_overlap({}, {})|arr arr;({} < {})|int long;({} = {})|int double;({} > {})|dec int
        ({} <= {})|dec double;({} < {})|date ts""",
    "int": """({} + {})|int int;({} - {})|int int;({} * {})|int int;({} % {})|int int;pmod({}, {})|int int;(- {})|int
        abs({})|int;length({})|str;coalesce({}, {})|int int;if({}, {}, {})|bool int int;greatest({}, {})|int int
        least({}, {})|int int;year({})|date;month({})|date;day({})|date;dayofweek({})|date;quarter({})|ts
        hour({})|ts;minute({})|ts;datediff({}, {})|date date;ascii({})|str;instr({}, {})|str str;levenshtein({}, {})|str str
        ({} & {})|int int;({} | {})|int int;({} ^ {})|int int;(~ {})|int;shiftleft({}, 3)|int;shiftright({}, 2)|int
        CASE WHEN {} THEN {} WHEN {} THEN {} ELSE {} END|bool int bool int int;nullif({}, {})|int int;sign({})|int
        try_add({}, {})|int int;try_subtract({}, {})|int int;try_multiply({}, {})|int int;array_size({})|arr
        try_element_at({}, 1)|arr;try_element_at({}, 'a')|map;({}).a|st;get({}, {})|arr int;hash({}, {})|T T
        aggregate({}, 0, (acc, x) -> acc + coalesce(x, 0))|arr;array_position({}, {})|arr int;CAST({} AS INT)|bool
        try_cast({} AS INT)|str;try_cast({} AS INT)|double;try_cast({} AS INT)|long;CAST({} AS INT)|dec;crc32({})|bin
        bit_count({})|int;array_max({})|arr;array_min({})|arr;octet_length({})|str;locate({}, {})|str str;weekofyear({})|date""",
    "long": """({} + {})|long long;({} - {})|long int;({} * {})|long int;({} div {})|int int;({} % {})|long long
        CAST({} AS BIGINT)|int;CAST({} AS BIGINT)|double;xxhash64({}, {})|T T;unix_micros({})|ts;unix_seconds({})|ts
        coalesce({}, {})|long long;if({}, {}, {})|bool long long;greatest({}, {})|long int;try_add({}, {})|long long
        abs({})|long;bigint({})|dec;ceil({})|double;floor({})|double;nullif({}, {})|long long;shiftright({}, 5)|long
        CASE {} WHEN {} THEN {} ELSE {} END|T T long long;unix_date({})|date;factorial(5) + {}|int;try_cast({} AS BIGINT)|str""",
    "double": """({} + {})|double double;({} - {})|double double;({} * {})|double double;({} / {})|int int
        ({} / {})|double double;try_divide({}, {})|double double;CAST({} AS DOUBLE)|int;CAST({} AS DOUBLE)|dec
        try_cast({} AS DOUBLE)|str;coalesce({}, {})|double double;if({}, {}, {})|bool double double;abs({})|double
        sqrt({})|double;greatest({}, {})|double double;least({}, {})|double double;nanvl({}, {})|double double
        round({}, 2)|double;signum({})|double;({} % {})|double double;nullif({}, {})|double double;rint({})|double
        CASE WHEN {} THEN {} END|bool double;double({})|long;bround({}, 1)|double;atan({})|double;cbrt({})|double""",
    "dec": """({} + {})|dec dec;({} - {})|dec dec;({} * {})|dec dec;({} / {})|dec dec;({} % {})|dec dec;abs({})|dec
        CAST({} AS DECIMAL(20,4))|int;CAST({} AS DECIMAL(12,2))|dec;coalesce({}, {})|dec dec;if({}, {}, {})|bool dec dec
        round({}, 1)|dec;ceil({}, 1)|dec;greatest({}, {})|dec dec;({} + {})|dec int;({} * {})|int dec;(- {})|dec
        try_cast({} AS DECIMAL(18,6))|str;try_cast({} AS DECIMAL(10,3))|double;nullif({}, {})|dec dec;floor({})|dec
        try_divide({}, {})|dec dec;try_add({}, {})|dec dec;CASE WHEN {} THEN {} ELSE {} END|bool dec dec""",
    "str": """concat({}, {})|str str;upper({})|str;lower({})|str;substr({}, {}, 2)|str int;trim({})|str;reverse({})|str
        replace({}, {}, 'z')|str str;lpad({}, 5, '*')|str;rpad({}, 4, 'ab')|str;CAST({} AS STRING)|T;CAST({} AS STRING)|T
        concat_ws('-', {}, {})|str str;date_format({}, 'yyyy-MM-dd HH:mm')|ts;substring_index({}, 'a', 1)|str;initcap({})|str
        coalesce({}, {})|str str;if({}, {}, {})|bool str str;md5({})|bin;hex({})|int;hex({})|str;repeat({}, 2)|str
        nullif({}, {})|str str;({} || {})|str str;translate({}, 'ab', 'x')|str;left({}, 2)|str;right({}, 1)|str;({}).b|st
        CASE WHEN {} THEN {} ELSE {} END|bool str str;sha1({})|bin;base64({})|bin;bin({})|long;conv({}, 16, 10)|str
        regexp_replace({}, '[a-m]', '#')|str;regexp_extract({}, '([a-z]+)', 1)|str;soundex({})|str;greatest({}, {})|str str
        array_join(transform({}, x -> CAST(x AS STRING)), ',', '?')|arr;to_json({})|st;CAST({} AS STRING)|arr
        format_number({}, 2)|double;decode(encode({}, 'UTF-8'), 'UTF-8')|str;elt(2, {}, {})|str str;to_json({})|map""",
    "bin": """CAST({} AS BINARY)|str;unhex(hex({}))|str;concat({}, {})|bin bin;coalesce({}, {})|bin bin;substr({}, 2)|bin
        if({}, {}, {})|bool bin bin;unbase64(base64({}))|bin;encode({}, 'UTF-8')|str""",
    "date": """date_add({}, {} % 1000)|date int;date_sub({}, 31)|date;add_months({}, {} % 100)|date int;last_day({})|date
        trunc({}, 'MONTH')|date;CAST({} AS DATE)|ts;to_date({})|ts;coalesce({}, {})|date date;if({}, {}, {})|bool date date
        greatest({}, {})|date date;next_day({}, 'MON')|date;({} + INTERVAL '3' DAY)|date;({} - INTERVAL '2' MONTH)|date
        nullif({}, {})|date date;try_cast({} AS DATE)|str;date_from_unix_date({} % 10000)|int;least({}, {})|date date""",
    "ts": """date_trunc('HOUR', {})|ts;({} + INTERVAL '90' MINUTE)|ts;CAST({} AS TIMESTAMP)|date;coalesce({}, {})|ts ts
        if({}, {}, {})|bool ts ts;greatest({}, {})|ts ts;nullif({}, {})|ts ts;try_cast({} AS TIMESTAMP)|str
        timestamp_seconds({} % 1000000)|int;date_trunc('WEEK', {})|ts;({} - INTERVAL '1 02:03:04' DAY TO SECOND)|ts
        CAST({} AS TIMESTAMP)|ntz;timestampadd(MONTH, 1, {})|ts""",
    "ntz": """CAST({} AS TIMESTAMP_NTZ)|ts;CAST({} AS TIMESTAMP_NTZ)|date;coalesce({}, {})|ntz ntz;({} + INTERVAL '1' DAY)|ntz
        if({}, {}, {})|bool ntz ntz""",
    "arr": """array({}, {})|int int;array_distinct({})|arr;sort_array({})|arr;filter({}, x -> x > 0)|arr;slice({}, 1, 2)|arr
        transform({}, x -> x % 10)|arr;concat({}, {})|arr arr;array_union({}, {})|arr arr;array_except({}, {})|arr arr
        array_intersect({}, {})|arr arr;reverse({})|arr;coalesce({}, {})|arr arr;if({}, {}, {})|bool arr arr
        array_remove({}, {})|arr int;map_values({})|map;array_append({}, {})|arr int;array_compact({})|arr;array_sort({})|arr
        transform({}, (x, p) -> if(x IS NULL, p, x))|arr;flatten(array({}, {}))|arr arr;array_repeat({}, 2)|int""",
    "map": """coalesce({}, {})|map map;map_filter({}, (x, y) -> y > 0)|map;transform_values({}, (x, y) -> y % 5)|map
        if({}, {}, {})|bool map map;map_from_entries(map_entries({}))|map;map_zip_with({}, {}, (x, y, z) -> coalesce(y, z))|map map""",
    "st": """named_struct('a', {}, 'b', {})|int str;coalesce({}, {})|st st;if({}, {}, {})|bool st st""",
}
RULES = {
    kind: [(row.split("|", 1) if row.count("|") == 1 else row.rsplit("|", 1)) for row in re.split(r";|\n", text) if row.strip()]
    for kind, text in RULES.items()
}
OPERATORS = {"+", "-", "*", "/", "%", "=", "<>", "<", "<=", ">", ">=", "AND", "OR", "&", "|"}


@dataclass
class Node:
    """An expression: a text with places for its parts, or a leaf."""

    kind: str
    form: str
    parts: list["Node"]
    leaf: str = ""

    def sql(self, names) -> str:
        """As SQL; `names` gives each column's text."""
        if self.leaf == "column":
            return names(self.form)
        if not self.parts:
            return self.form
        return self.form.format(*(part.sql(names) for part in self.parts))

    def column(self, names) -> Column:
        """Through the DataFrame API where it has a word of its own for it."""
        if self.leaf == "column":
            return F.col(names(self.form))
        call = re.fullmatch(r"(\w+)\(\{\}(?:, \{\})*\)", self.form)
        if call and call.group(1) != "CAST":
            return F.call_function(call.group(1), *(part.column(names) for part in self.parts))
        operator = re.fullmatch(r"\(\{\} (\S+) \{\}\)", self.form)
        if operator and operator.group(1) in OPERATORS:
            return apply(operator.group(1), *(part.column(names) for part in self.parts))
        cast = re.fullmatch(r"CAST\(\{\} AS (.*)\)", self.form)
        if cast:
            return self.parts[0].column(names).cast(cast.group(1).lower())
        if self.form == "({} IS NULL)":
            return self.parts[0].column(names).isNull()
        return F.expr(self.sql(names))

    def columns(self) -> set[str]:
        if self.leaf == "column":
            return {self.form}
        return set().union(*(part.columns() for part in self.parts))

    def inner(self):
        """Each part at any depth."""
        for part in self.parts:
            yield part
            yield from part.inner()


def apply(operator: str, left: Column, right: Column) -> Column:
    table = {
        "+": lambda: left + right, "-": lambda: left - right, "*": lambda: left * right, "/": lambda: left / right,
        "%": lambda: left % right, "=": lambda: left == right, "<>": lambda: left != right, "<": lambda: left < right,
        "<=": lambda: left <= right, ">": lambda: left > right, ">=": lambda: left >= right, "AND": lambda: left & right,
        "OR": lambda: left | right, "&": lambda: left.bitwiseAND(right), "|": lambda: left.bitwiseOR(right),
    }
    return table[operator]()


def expression(chance: random.Random, kind: str, depth: int) -> Node:
    """A random expression of a type."""
    if depth <= 0 or chance.random() < 0.12:
        if chance.random() < 0.75:
            return Node(kind, chance.choice(COLUMNS[kind]), [], "column")
        return Node(kind, chance.choice(LITERALS[kind]), [], "literal")
    form, parts = chance.choice(RULES[kind])
    scalar = chance.choice(SCALARS)
    kinds = [scalar if part == "T" else part for part in parts.split()]
    return Node(kind, form.strip(), [expression(chance, part, depth - 1) for part in kinds])


def simpler(node: Node):
    """Smaller expressions of the same type, the smallest first."""
    if node.leaf:
        return
    for name in COLUMNS[node.kind][:1]:
        yield Node(node.kind, name, [], "column")
    yield Node(node.kind, LITERALS[node.kind][0], [], "literal")
    for part in sorted((part for part in node.inner() if part.kind == node.kind), key=lambda part: len(part.sql(str))):
        yield part
    for place, part in enumerate(node.parts):
        for other in simpler(part):
            yield Node(node.kind, node.form, [*node.parts[:place], other, *node.parts[place + 1:]])
