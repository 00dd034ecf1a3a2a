"""Programs and modules that lie in the store, and files that a session brings along: they reach every executor."""

import test_executors

import kube

MODULES = """
from pyspark.sql import SparkSession, functions as F
import greeting, numbers_of

spark = SparkSession.builder.getOrCreate()
spark.conf.set("firesteel.sql.smallQueryThreshold", "0")

@F.udf("string")
def greet(number):
    import socket, greeting, numbers_of.small
    return f"{socket.gethostname()} {greeting.WORD} {numbers_of.small.twice(number)}"

rows = [row[0].split() for row in spark.range(0, 40, 1, 4).select(greet("id")).collect()]
assert [row[1:] for row in rows] == [["hello", str(2 * number)] for number in range(40)], rows
assert all("-exec-" in row[0] for row in rows), rows
print("modules are there")
"""

ADDED = """
import os, pathlib, tempfile, zipfile
from pyspark.sql import SparkSession, functions as F

spark = SparkSession.builder.getOrCreate()
folder = pathlib.Path(tempfile.mkdtemp())
(folder / "doubling.py").write_text("def double(x):\\n    return 2 * x\\n")
(folder / "words.txt").write_text("yes")
with zipfile.ZipFile(folder / "things.zip", "w") as archive:
    archive.writestr("inner/thing.txt", "thing")
spark.addArtifacts(str(folder / "doubling.py"), pyfile=True)
spark.addArtifacts(str(folder / "words.txt"), file=True)
spark.addArtifacts(str(folder / "things.zip") + "#box", archive=True)

@F.udf("string")
def of_files(number):
    import socket
    from doubling import double
    from pyspark.core.files import SparkFiles
    word = open(SparkFiles.get("words.txt")).read()
    thing = open(SparkFiles.get("box") + "/inner/thing.txt").read()
    return f"{socket.gethostname()} {double(number)} {word} {thing}"

rows = [row[0].split() for row in spark.range(0, 8, 1, 2).select(of_files("id")).collect()]
assert [row[1:] for row in rows] == [[str(2 * number), "yes", "thing"] for number in range(8)], rows
assert all("-exec-" in row[0] for row in rows), rows
print("files are there")
"""

# Python reads an archive in base64 here, because text is what can be put.
ZIP = """
import base64, io, sys, zipfile
out = io.BytesIO()
with zipfile.ZipFile(out, "w") as archive:
    archive.writestr("numbers_of/__init__.py", "")
    archive.writestr("numbers_of/small.py", "def twice(x):\\n    return 2 * x\\n")
open(sys.argv[1], "wb").write(out.getvalue())
"""


def test_modules_in_the_store_reach_executors(name):
    script = kube.put("code/modules.py", MODULES)
    module = kube.put("code/greeting.py", 'WORD = "hello"\n')
    kube.in_store("python3", "-c", ZIP, "/data/sales-data/code/numbers_of.zip")
    main = {"python": {"file": script, "pyFiles": [module, "s3://sales-data/code/numbers_of.zip"]}}
    done = kube.run(test_executors.job(name, main), seconds=180)
    assert (done["phase"], done["logTail"]) == ("Succeeded", "modules are there\n"), done


def test_files_of_a_session_reach_executors(name):
    done = kube.run(test_executors.job(name, ADDED), seconds=180)
    assert (done["phase"], done["logTail"]) == ("Succeeded", "files are there\n"), done


def test_statements_in_the_store(name):
    text = "SELECT 1; SELECT CASE WHEN count(*) = 13 THEN 1 ELSE raise_error('no') END FROM csv.`s3://sales-data/orders.csv`"
    done = kube.run(kube.job(name, {"sql": {"file": kube.put("code/check.sql", text)}}))
    assert done["phase"] == "Succeeded", done
