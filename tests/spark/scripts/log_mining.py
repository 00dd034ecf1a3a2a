"""Looks for errors in a log kept in memory, again and again."""
import os
import tempfile

from pyspark import SparkContext

lines = []
for i in range(500):
    level = "ERROR" if i % 10 == 0 else "INFO"
    part = "mysql" if i % 20 == 0 else "php"
    lines.append("%s\t%s\trequest %d" % (level, part, i))
path = os.path.join(tempfile.mkdtemp(), "app.log")
with open(path, "w") as f:
    f.write("\n".join(lines))

sc = SparkContext("local[2]", "log mining")
log = sc.textFile(path)
errors = log.filter(lambda line: line.startswith("ERROR"))
messages = errors.map(lambda line: line.split("\t")).cache()

assert messages.count() == 50
assert messages.filter(lambda fields: fields[1] == "mysql").count() == 25
assert messages.filter(lambda fields: "request 490" in fields[2]).first() == ["ERROR", "php", "request 490"]
assert messages.map(lambda fields: fields[1]).countByValue() == {"mysql": 25, "php": 25}
messages.unpersist()
sc.stop()
