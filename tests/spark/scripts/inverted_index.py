"""Which documents a word is in."""
import os
import tempfile

from pyspark import SparkContext

folder = tempfile.mkdtemp()
for name, text in (("one", "spark runs jobs"), ("two", "jobs need spark"), ("three", "cats need food")):
    with open(os.path.join(folder, name + ".txt"), "w") as f:
        f.write(text)

with SparkContext("local", "index") as sc:
    documents = sc.wholeTextFiles(folder)
    index = (
        documents.flatMap(lambda doc: [(word, os.path.basename(doc[0])) for word in doc[1].split()])
        .distinct()
        .groupByKey()
        .mapValues(sorted)
        .collectAsMap()
    )
assert index["spark"] == ["one.txt", "two.txt"] and index["need"] == ["three.txt", "two.txt"] and len(index) == 6
