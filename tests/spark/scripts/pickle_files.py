"""Python objects saved and read again."""
import os
import tempfile
from datetime import date

from pyspark import SparkContext

with SparkContext(appName="pickles") as sc:
    path = os.path.join(tempfile.mkdtemp(), "pickles")
    values = [{"day": date(2024, 1, i % 28 + 1), "n": (i, None, 1.5)} for i in range(100)]
    sc.parallelize(values, 3).saveAsPickleFile(path, 5)
    read = sc.pickleFile(path)
    assert sorted(read.collect(), key=lambda v: v["n"][0]) == values
    assert read.map(lambda v: v["n"][2]).sum() == 150.0
