"""Random queries: a text with places for expressions, which are made and shrunk apart from it."""

import random
from dataclasses import dataclass, replace

import grammar
from grammar import Node

SAFE_KINDS = ["bool", "int", "long", "double", "dec", "str", "date", "ts", "arr", "map", "st", "bin", "ntz"]
KEYS = ["bool", "int", "str", "date", "dec", "long", "ts"]
AGGREGATES = [
    ("count({})", "str"), ("count({})", "int"), ("sum({})", "int"), ("sum({})", "dec"), ("min({})", "str"), ("max({})", "ts"),
    ("avg({})", "int"), ("avg({})", "dec"), ("min({})", "double"), ("max({})", "double"), ("count(DISTINCT {})", "int"),
    ("count(DISTINCT {})", "str"), ("sort_array(collect_list({}))", "int"), ("sort_array(collect_set({}))", "str"),
    ("bool_and({})", "bool"), ("bool_or({})", "bool"), ("bit_xor({})", "int"), ("bit_and({})", "long"), ("min({})", "date"),
    ("max_by(k, {})", "k"), ("count_if({})", "bool"), ("sum(DISTINCT {})", "int"), ("approx_count_distinct({})", "str"),
    ("try_sum({})", "long"), ("max({})", "bin"), ("percentile({}, 0.5)", "int"), ("mode({}, true)", "int"),
    ("sum({})", "int"), ("max({})", "dec"), ("any_value(1) + count({})", "date"), ("median({})", "int"),
]
JOINS = ["JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN", "LEFT SEMI JOIN", "LEFT ANTI JOIN"]


@dataclass
class Query:
    """A text with places in it; `tables` says whose columns each place's expression has. Rows differ in their first
    `keys` columns, if it is not zero."""

    shape: str
    form: str
    parts: list[Node]
    tables: list[str]
    ordered: bool = False
    keys: int = 0

    def sql(self) -> str:
        return self.form.format(*(part.sql(naming(table)) for part, table in zip(self.parts, self.tables)))

    def simpler(self):
        """The same query with one expression made smaller."""
        for place, part in enumerate(self.parts):
            for other in grammar.simpler(part):
                yield replace(self, parts=[*self.parts[:place], other, *self.parts[place + 1:]])


def naming(table: str):
    return lambda name: f"{table}.{name}" if table else name


class Maker:
    """Makes queries from a seed."""

    def __init__(self, chance: random.Random):
        self.chance = chance
        self.parts, self.tables, self.keys = [], [], 0

    def place(self, kind: str, table: str = "", depth: int = 2) -> str:
        """A new place for an expression."""
        deep = max(self.chance.randint(0, depth), self.chance.randint(0, depth))
        self.parts.append(grammar.expression(self.chance, kind, deep))
        self.tables.append(table)
        return f"{{{len(self.parts) - 1}}}"

    def any(self, table: str = "", depth: int = 3) -> str:
        return self.place(self.chance.choice(SAFE_KINDS), table, depth)

    def table(self) -> str:
        return self.chance.choice(["t1", "t1", "t1", "t2", "t2", "t3", "nothing"])

    def query(self) -> Query:
        shape = self.chance.choice([name for name in dir(self) if name.startswith("shape_")])
        self.parts, self.tables, self.keys = [], [], 0
        form = getattr(self, shape)()
        return Query(shape.removeprefix("shape_"), form, self.parts, self.tables, shape == "shape_sort", self.keys)

    def shape_project(self) -> str:
        return f"SELECT k, {self.any()} AS x, {self.any()} AS y FROM {self.table()} WHERE {self.place('bool', depth=3)}"

    def shape_values(self) -> str:
        return f"SELECT k, {self.any(depth=4)} AS x FROM {self.table()}"

    def shape_group(self) -> str:
        keys = [self.place(self.chance.choice(KEYS)) for _ in range(self.chance.randint(0, 2))]
        self.keys = len(keys)
        selected = [f"{key} AS g{number}" for number, key in enumerate(keys)] + [self.aggregate(n) for n in range(2)]
        text = f"SELECT {', '.join(selected)} FROM {self.table()}"
        if self.chance.random() < 0.4:
            text += f" WHERE {self.place('bool')}"
        return text + (f" GROUP BY {', '.join(str(number + 1) for number in range(len(keys)))}" if keys else "")

    def aggregate(self, number: int) -> str:
        form, kind = self.chance.choice(AGGREGATES)
        inner = "k" if kind == "k" else self.place(kind)
        text = form.replace("{}", inner)
        if self.chance.random() < 0.2 and "approx" not in form and "any_value" not in form and not text.startswith("sort_"):
            text += f" FILTER (WHERE {self.place('bool', depth=1)})"
        return f"{text} AS a{number}"

    def shape_sets(self) -> str:
        keys = self.chance.choice(["ROLLUP(bo, si)", "CUBE(bo, s)", "GROUPING SETS ((bo, s), (s), ())", "ROLLUP(da, bo)"])
        first, second = keys.replace("GROUPING SETS ((bo, s), (s), ())", "(bo, s)").split("(")[1].rstrip(")").split(", ")
        return (f"SELECT {first}, {second}, grouping_id({first}, {second}) AS gid, {self.aggregate(0)}, {self.aggregate(1)} "
                f"FROM {self.table()} GROUP BY {keys}")

    def shape_join(self) -> str:
        kind, key = self.chance.choice(JOINS), self.chance.choice(KEYS)
        on = f"{self.place(key, 'a', 1)} = {self.place(key, 'b', 1)}"
        if self.chance.random() < 0.4:
            on += f" AND {self.place('bool', self.chance.choice('ab'), 1)}"
        selected = f"a.k, {self.any('a', 1)} AS x"
        if kind not in ("LEFT SEMI JOIN", "LEFT ANTI JOIN"):
            selected += f", b.k AS k2, {self.any('b', 1)} AS y"
        text = f"SELECT {selected} FROM {self.table()} a {kind} {self.table()} b ON {on}"
        if self.chance.random() < 0.3:
            text += f" WHERE {self.place('bool', 'a', 1)}"
        return text

    def shape_joined_groups(self) -> str:
        key = self.chance.choice(["i", "s", "da", "bo"])
        self.keys = 1
        return (f"SELECT b.{key}, count(*) AS n, min({self.place('str', 'a', 1)}) AS x, max({self.place('long', 'b', 1)}) AS y "
                f"FROM {self.table()} a {self.chance.choice(JOINS[:4])} {self.table()} b ON a.{key} = b.{key} GROUP BY b.{key}")

    def shape_subquery(self) -> str:
        key = self.chance.choice(KEYS)
        left, right = self.place(key, "a", 1), self.place(key, "b", 1)
        where = self.place("bool", "b", 1)
        first, second = self.table(), self.table()
        return f"SELECT a.k FROM {first} a WHERE " + self.chance.choice([
            f"{left} IN (SELECT {right} FROM {second} b WHERE {where})",
            f"{left} NOT IN (SELECT {right} FROM {second} b WHERE {where})",
            f"EXISTS (SELECT 1 FROM {second} b WHERE {left} = {right} AND {where})",
            f"NOT EXISTS (SELECT 1 FROM {second} b WHERE {left} = {right} AND {where})",
            f"{left} = (SELECT max({right}) FROM {second} b WHERE {where})",
            f"{left} < (SELECT min({right}) FROM {second} b WHERE b.bo = a.bo AND {where})",
        ])

    def shape_sets_of_rows(self) -> str:
        kinds = [self.chance.choice(KEYS) for _ in range(2)]
        operator = self.chance.choice(["UNION ALL", "UNION", "INTERSECT", "EXCEPT", "INTERSECT ALL", "EXCEPT ALL"])
        sides = [f"SELECT {', '.join(f'{self.cast(kind)} AS c{place}' for place, kind in enumerate(kinds))} "
                 f"FROM {self.table()}" for _ in range(2)]
        return f" {operator} ".join(sides)

    def cast(self, kind: str) -> str:
        return f"CAST({self.place(kind, depth=1)} AS {grammar.SQL_TYPES[kind]})"

    def shape_window(self) -> str:
        function, kind = self.chance.choice([
            ("row_number()", ""), ("rank()", ""), ("dense_rank()", ""), ("ntile(3)", ""), ("lag({})", "str"), ("sum({})", "int"),
            ("count({})", "str"), ("max({})", "dec"), ("first_value({})", "date"), ("lead({}, 2)", "int"), ("percent_rank()", ""),
        ])
        if kind:
            function = function.replace("{}", self.place(kind, depth=1))
        partition = f"PARTITION BY {self.place(self.chance.choice(KEYS), depth=1)} " if self.chance.random() < 0.8 else ""
        frame = ""
        if function.startswith(("sum", "count", "max", "first")) and self.chance.random() < 0.5:
            frame = " ROWS BETWEEN 2 PRECEDING AND 1 FOLLOWING"
        return f"SELECT k, {function} OVER ({partition}ORDER BY k{frame}) AS w FROM {self.table()}"

    def shape_sort(self) -> str:
        order = self.chance.choice(["", " DESC", " ASC NULLS LAST", " DESC NULLS FIRST"])
        text = f"SELECT k, {self.any(depth=1)} AS x FROM {self.table()} ORDER BY {self.place(self.chance.choice(KEYS))}{order}, k"
        if self.chance.random() < 0.6:
            text += f" LIMIT {self.chance.randint(0, 30)}"
            if self.chance.random() < 0.4:
                text += f" OFFSET {self.chance.randint(0, 9)}"
        return text

    def shape_explode(self) -> str:
        table, kind = self.table(), self.chance.choice(["explode", "posexplode", "outer", "map"])
        if kind == "map":
            return f"SELECT k, x, y FROM {table} LATERAL VIEW explode({self.place('map')}) e AS x, y"
        if kind == "posexplode":
            return f"SELECT k, p, x FROM {table} LATERAL VIEW posexplode({self.place('arr')}) e AS p, x"
        outer = "OUTER " if kind == "outer" else ""
        return f"SELECT k, x FROM {table} LATERAL VIEW {outer}explode({self.place('arr')}) e AS x"

    def shape_distinct(self) -> str:
        self.keys = 2
        return f"SELECT DISTINCT {self.place(self.chance.choice(KEYS))} AS x, {self.place(self.chance.choice(KEYS))} AS y FROM {self.table()}"

    def shape_numbered(self) -> str:
        """Groups over joins of rows that windows have sorted."""
        self.keys = 2
        # Large enough that a join gives several batches.
        key, table = self.place(self.chance.choice(KEYS), depth=1), self.chance.choice(["many", "many", "t2"])
        kind = self.chance.choice(["JOIN", "JOIN", "LEFT JOIN", "FULL JOIN"])
        inner = (f"SELECT g, d, sum(x) AS x, row_number() OVER (PARTITION BY g ORDER BY d) AS n FROM (SELECT {key} AS g, k AS d, "
                 f"{self.place('int', depth=1)} AS x FROM {table}) GROUP BY g, d")
        call = self.chance.choice(["count(*)", "max(b.x)", "sum(b.n)", "max(b.d)", "count(DISTINCT b.d)"])
        return (f"WITH v AS ({inner}) SELECT a.g, a.d, {call} AS c FROM v a {kind} v b ON a.g = b.g AND a.n >= b.n "
                f"WHERE a.d IS NOT NULL GROUP BY a.g, a.d")

    def shape_nested(self) -> str:
        self.keys = 1
        return (f"SELECT x, count(*) AS n, sum(n0) AS m FROM (SELECT {self.place('str')} AS x, k % 3 AS g, count(*) AS n0 "
                f"FROM {self.table()} GROUP BY 1, 2) GROUP BY x HAVING count(*) >= {self.chance.randint(0, 2)}")
