"""Tables like TPC-H's with whole numbers alone, so that answers can be compared to the last digit, and queries over them."""

import numpy
import pyarrow as pa
import pyarrow.parquet as parquet
from pathlib import Path

FILES = 6

# Every query orders by all that it gives, or gives one row.
QUERIES = {
    "group": "SELECT flag, status, count(*) n, sum(quantity) q, sum(price * (100 - discount)) p, min(shipped) s "
    "FROM lineitem WHERE shipped < 2400 GROUP BY flag, status ORDER BY flag, status",
    "join": "SELECT o.id, sum(l.price * (100 - l.discount)) revenue, o.placed FROM customer c JOIN orders o ON c.id = o.customer "
    "JOIN lineitem l ON l.order_id = o.id WHERE c.segment = 1 AND o.placed < 1500 AND l.shipped > 1500 "
    "GROUP BY o.id, o.placed ORDER BY revenue DESC, o.id LIMIT 50",
    "having": "SELECT c.id, o.id AS order_id, sum(l.quantity) q FROM customer c JOIN orders o ON c.id = o.customer "
    "JOIN lineitem l ON o.id = l.order_id GROUP BY c.id, o.id HAVING sum(l.quantity) > 180 ORDER BY q DESC, c.id, o.id",
    "outer": "SELECT n, count(*) customers FROM (SELECT c.id, count(o.id) n FROM customer c LEFT JOIN orders o "
    "ON c.id = o.customer AND o.priority <> 3 GROUP BY c.id) t GROUP BY n ORDER BY customers DESC, n DESC",
    "exists": "SELECT priority, count(*) n FROM orders o WHERE EXISTS (SELECT 1 FROM lineitem l WHERE l.order_id = o.id "
    "AND l.shipped < o.placed + 30) GROUP BY priority ORDER BY priority",
    "distinct": "SELECT count(DISTINCT part) p, count(DISTINCT order_id) o, count(*) n FROM lineitem",
    "window": "SELECT customer, id, total, r FROM (SELECT customer, id, total, rank() OVER (PARTITION BY customer "
    "ORDER BY total DESC, id) r FROM orders) t WHERE r <= 2 AND customer % 50 = 7 ORDER BY customer, r, id",
    "sort": "SELECT order_id, part, quantity, price FROM lineitem WHERE quantity > 40 ORDER BY price DESC, order_id, part, quantity",
    "union": "SELECT k, sum(v) s FROM (SELECT customer k, total v FROM orders UNION ALL SELECT order_id % 1000, price FROM "
    "lineitem) t GROUP BY k ORDER BY k",
}


def write(folder: Path, orders: int, seed: int) -> dict[str, Path]:
    """Writes the tables as Parquet files, several for each; gives the folder of each."""
    random = numpy.random.default_rng(seed)
    customers = max(orders // 10, 10)
    lines = orders * 4
    tables = {
        "customer": {"id": numpy.arange(customers), "segment": random.integers(0, 5, customers)},
        "orders": {
            "id": numpy.arange(orders),
            "customer": random.integers(0, customers * 2 // 3, orders),
            "placed": random.integers(0, 2500, orders),
            "priority": random.integers(1, 6, orders),
            "total": random.integers(100, 500_000, orders),
        },
        "lineitem": {
            "order_id": random.integers(0, orders, lines),
            "part": random.integers(0, max(orders // 8, 10), lines),
            "quantity": random.integers(1, 51, lines),
            "price": random.integers(100, 100_000, lines),
            "discount": random.integers(0, 11, lines),
            "shipped": random.integers(0, 2600, lines),
            "flag": random.choice(["A", "N", "R"], lines),
            "status": random.choice(["F", "O"], lines),
        },
    }
    folders = {}
    for name, columns in tables.items():
        table = pa.table(columns)
        folders[name] = folder / name
        folders[name].mkdir(parents=True)
        size = -(-table.num_rows // FILES)
        for part in range(FILES):
            parquet.write_table(table.slice(part * size, size), folders[name] / f"part-{part}.parquet")
    return folders


def answers(folders: dict[str, Path]) -> dict[str, list[tuple]]:
    """What DataFusion alone, on one node, answers."""
    import datafusion

    context = datafusion.SessionContext()
    for name, folder in folders.items():
        context.register_parquet(name, str(folder))
    return {name: rows(pa.Table.from_batches(context.sql(text).collect())) for name, text in QUERIES.items()}


def rows(table: pa.Table) -> list[tuple]:
    return list(zip(*(column.to_pylist() for column in table.columns)))
