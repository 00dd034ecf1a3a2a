"""An access log parsed with a regular expression into Rows, then asked in SQL."""
import re

from pyspark.sql import Row, SparkSession

PATTERN = re.compile(r'^(\S+) \S+ \S+ \[([^\]]+)\] "(\S+) (\S+) [^"]*" (\d{3}) (\d+|-)')


def parse(line):
    m = PATTERN.match(line)
    if m is None:
        return (line, 0)
    size = 0 if m.group(6) == "-" else int(m.group(6))
    return (Row(host=m.group(1), method=m.group(3), path=m.group(4), status=int(m.group(5)), size=size), 1)


spark = SparkSession.builder.appName("logs").getOrCreate()
lines = ['10.0.0.%d - - [01/Aug/1995:00:00:0%d -0400] "GET /page%d HTTP/1.0" %d %d' % (i % 3, i, i % 2, 200 + 204 * (i % 4 == 3), i)
         for i in range(8)] + ["garbage"]
parsed = spark.sparkContext.parallelize(lines, 3).map(parse).cache()
logs = parsed.filter(lambda p: p[1] == 1).map(lambda p: p[0])
failed = parsed.filter(lambda p: p[1] == 0).map(lambda p: p[0])
assert failed.collect() == ["garbage"] and logs.count() == 8
assert logs.map(lambda r: (r.status, 1)).reduceByKey(lambda a, b: a + b).collectAsMap() == {200: 6, 404: 2}
spark.createDataFrame(logs).createOrReplaceTempView("logs")
top = spark.sql("SELECT path, sum(size) AS bytes FROM logs GROUP BY path ORDER BY bytes DESC").collect()
assert [(r.path, r.bytes) for r in top] == [("/page1", 16), ("/page0", 12)]
spark.stop()
