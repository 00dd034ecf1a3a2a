"""A data file that every task reads through SparkFiles."""
import os
import tempfile

from pyspark import SparkContext, SparkFiles

path = os.path.join(tempfile.mkdtemp(), "stopwords.txt")
with open(path, "w") as f:
    f.write("the\na\n")
sc = SparkContext("local[2]", "files")
sc.addFile(path)


def meaningful(words):
    with open(SparkFiles.get("stopwords.txt")) as f:
        stop = set(f.read().split())
    return (word for word in words if word not in stop)


words = sc.parallelize("the cat saw a dog".split(), 2)
assert words.mapPartitions(meaningful).collect() == ["cat", "saw", "dog"]
assert os.path.exists(SparkFiles.get("stopwords.txt")) and sc.listFiles
sc.stop()
