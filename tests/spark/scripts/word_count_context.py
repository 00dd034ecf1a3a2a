"""Word count the old way: a SparkContext of its own, a text file in, text files out."""
import glob
import os
import tempfile

from pyspark import SparkConf, SparkContext

conf = SparkConf().setAppName("wordcount").setMaster("local[*]").set("spark.ui.enabled", "false")
sc = SparkContext(conf=conf)
sc.setLogLevel("ERROR")

folder = tempfile.mkdtemp()
with open(os.path.join(folder, "input.txt"), "w") as f:
    f.write("to be or not to be\nthat is the question\n")

text = sc.textFile(os.path.join(folder, "input.txt"))
counts = text.flatMap(lambda line: line.split()).map(lambda word: (word, 1)).reduceByKey(lambda a, b: a + b)
counts.map(lambda kv: "%s\t%d" % kv).saveAsTextFile(os.path.join(folder, "out"))

found = {}
for name in glob.glob(os.path.join(folder, "out", "part-*")):
    with open(name) as f:
        for line in f:
            word, count = line.rstrip("\n").split("\t")
            found[word] = int(count)
assert found == {"to": 2, "be": 2, "or": 1, "not": 1, "that": 1, "is": 1, "the": 1, "question": 1}, found
assert os.path.exists(os.path.join(folder, "out", "_SUCCESS"))

try:
    counts.saveAsTextFile(os.path.join(folder, "out"))
    raise SystemExit("an existing directory was overwritten")
except Exception as error:
    assert "exist" in str(error).lower(), error
sc.stop()
