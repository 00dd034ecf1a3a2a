"""Whole files and records of a fixed length."""
import os
import struct
import tempfile

from pyspark import SparkContext

folder = tempfile.mkdtemp()
for k in range(3):
    with open(os.path.join(folder, "f%d.bin" % k), "wb") as f:
        for i in range(4):
            f.write(struct.pack("<id", i, i * k))
sc = SparkContext("local", "binary")
sizes = sc.binaryFiles(folder).map(lambda kv: (os.path.basename(kv[0]), len(kv[1]))).collectAsMap()
assert sizes == {"f0.bin": 48, "f1.bin": 48, "f2.bin": 48}
records = sc.binaryRecords(folder, 12).map(lambda r: struct.unpack("<id", r))
assert records.count() == 12 and records.map(lambda r: r[1]).sum() == 18.0
sc.stop()
