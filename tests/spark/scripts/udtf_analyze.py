"""Table functions that decide on their columns per call: a CSV splitter, and sessions cut out of a click stream."""

from dataclasses import dataclass

from pyspark.sql import Row, SparkSession
from pyspark.sql.functions import AnalyzeArgument, AnalyzeResult, OrderingColumn, PartitioningColumn, lit, udtf
from pyspark.sql.types import IntegerType, StringType, StructType


@udtf
class SplitCsv:
    """A column for each name in the header."""

    @staticmethod
    def analyze(header: AnalyzeArgument, line: AnalyzeArgument) -> AnalyzeResult:
        schema = StructType()
        for name in header.value.split(","):
            schema = schema.add(name.strip(), StringType())
        return AnalyzeResult(schema=schema)

    def eval(self, header: str, line: str):
        yield tuple(part.strip() for part in line.split(","))


@dataclass
class SessionResult(AnalyzeResult):
    gap: int = 0


@udtf
class Sessions:
    """Sessions of a user: clicks with pauses no longer than the gap."""

    def __init__(self, analyzed: SessionResult):
        self.gap = analyzed.gap
        self.user, self.last, self.clicks = None, None, 0

    @staticmethod
    def analyze(clicks: AnalyzeArgument, gap: AnalyzeArgument) -> SessionResult:
        schema = StructType().add("visitor", StringType()).add("ended", IntegerType()).add("clicks", IntegerType())
        return SessionResult(
            schema=schema,
            partitionBy=[PartitioningColumn("visitor")],
            orderBy=[OrderingColumn("second")],
            gap=gap.value,
        )

    def eval(self, click: Row, gap: int):
        if self.last is not None and click["second"] - self.last > self.gap:
            yield self.user, self.last, self.clicks
            self.clicks = 0
        self.user, self.last = click["visitor"], click["second"]
        self.clicks += 1

    def terminate(self):
        if self.clicks:
            yield self.user, self.last, self.clicks


if __name__ == "__main__":
    spark = SparkSession.builder.appName("UDTF with analyze").getOrCreate()

    rows = SplitCsv(lit("name, age"), lit("Ada, 36"))
    assert rows.columns == ["name", "age"]
    assert rows.collect() == [Row(name="Ada", age="36")]

    spark.udtf.register("split_csv", SplitCsv)
    lines = spark.createDataFrame([("Ada, 36",), ("Grace, 45",)], "line string")
    lines.createOrReplaceTempView("lines")
    people = spark.sql("SELECT name, CAST(age AS INT) AS age FROM lines, LATERAL split_csv('name,age', line)")
    assert sorted(people.collect()) == [("Ada", 36), ("Grace", 45)]

    seconds = {"ada": [0, 5, 9, 60, 62], "bob": [3, 100]}
    clicks = spark.createDataFrame(
        [(user, second) for user, all_seconds in seconds.items() for second in all_seconds], "visitor string, second int"
    )
    clicks.repartition(3).createOrReplaceTempView("clicks")
    spark.udtf.register("sessions", Sessions)
    found = spark.sql("SELECT * FROM sessions(TABLE(clicks), 30) ORDER BY visitor, ended")
    found.show()
    assert found.collect() == [("ada", 9, 3), ("ada", 62, 2), ("bob", 3, 1), ("bob", 100, 1)]
    assert spark.sql("SELECT count(*) FROM sessions(TABLE(clicks), 2)").first()[0] == 6

    spark.stop()
