"""What a program sees when its function fails."""
from pyspark import SparkContext

sc = SparkContext("local[2]", "errors")


def fail(x):
    if x == 7:
        raise ValueError("seven is not allowed")
    return x


try:
    sc.parallelize(range(10), 3).map(fail).collect()
    raise SystemExit("no error")
except Exception as error:
    assert "seven is not allowed" in str(error), error
    assert "ValueError" in str(error), error
inner = sc.parallelize([1])
try:
    sc.parallelize([1, 2]).map(lambda x: inner.count()).collect()
    raise SystemExit("no error")
except Exception as error:
    assert "SPARK-5063" in str(error), error
try:
    sc._jvm.java.lang.System.currentTimeMillis()
    raise SystemExit("no error")
except AttributeError as error:
    assert "no JVM runs" in str(error), error
assert sc.parallelize(range(10), 3).count() == 10
sc.stop()
