"""A module sent along by addPyFile, and one in a zip by pyFiles."""
import os
import tempfile
import zipfile

from pyspark import SparkContext

folder = tempfile.mkdtemp()
with open(os.path.join(folder, "doubling.py"), "w") as f:
    f.write("def double(x):\n    return 2 * x\n")
archive = os.path.join(folder, "tripling.zip")
with zipfile.ZipFile(archive, "w") as z:
    z.writestr("tripling/__init__.py", "def triple(x):\n    return 3 * x\n")

sc = SparkContext("local[2]", "py files", pyFiles=[archive])
sc.addPyFile(os.path.join(folder, "doubling.py"))

from doubling import double  # noqa: E402


def both(x):
    from tripling import triple

    return double(x) + triple(x)


assert sc.parallelize([1, 2, 3]).map(both).collect() == [5, 10, 15]
sc.stop()
