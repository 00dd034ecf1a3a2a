"""A CSV file read as text, its header dropped."""
import csv
import os
import tempfile
from io import StringIO

from pyspark import SparkContext

path = os.path.join(tempfile.mkdtemp(), "x.csv")
with open(path, "w") as f:
    f.write('name,city,amount\nann,"Bonn, Rhine",3\nbob,Rome,4\n')
sc = SparkContext("local", "csv")
lines = sc.textFile(path)
header = lines.first()
rows = lines.filter(lambda line: line != header).map(lambda line: next(csv.reader(StringIO(line))))
assert rows.collect() == [["ann", "Bonn, Rhine", "3"], ["bob", "Rome", "4"]]
assert lines.zipWithIndex().filter(lambda x: x[1] > 0).keys().count() == 2
sc.stop()
