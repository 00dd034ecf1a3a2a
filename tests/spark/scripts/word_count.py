"""Counts the words of a text file and prints the most frequent ones."""
import os
import sys
import tempfile
from operator import add

from pyspark.sql import SparkSession

TEXT = "the quick brown fox jumps over the lazy dog\nthe dog sleeps\n\nthe fox runs\n"

if __name__ == "__main__":
    if len(sys.argv) > 2:
        print("Usage: wordcount <file>", file=sys.stderr)
        sys.exit(-1)
    path = sys.argv[1] if len(sys.argv) == 2 else os.path.join(tempfile.mkdtemp(), "input.txt")
    if len(sys.argv) == 1:
        with open(path, "w") as f:
            f.write(TEXT)

    spark = SparkSession.builder.appName("PythonWordCount").getOrCreate()
    lines = spark.read.text(path).rdd.map(lambda r: r[0])
    counts = lines.flatMap(lambda x: x.split(" ")).filter(bool).map(lambda x: (x, 1)).reduceByKey(add)
    output = counts.collect()
    for word, count in output:
        print("%s: %i" % (word, count))
    assert dict(output)["the"] == 4 and dict(output)["fox"] == 2
    assert sum(count for _, count in output) == 15
    spark.stop()
