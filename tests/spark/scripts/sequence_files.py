"""Hadoop's sequence files written and read."""
import os
import tempfile

from pyspark import SparkContext

sc = SparkContext("local[2]", "sequence")
path = os.path.join(tempfile.mkdtemp(), "seq")
sc.parallelize([(i, "v%d" % i) for i in range(20)], 2).saveAsSequenceFile(path)
read = sc.sequenceFile(path, "org.apache.hadoop.io.IntWritable", "org.apache.hadoop.io.Text")
assert sorted(read.collect()) == [(i, "v%d" % i) for i in range(20)]
same = sc.newAPIHadoopFile(
    path, "org.apache.hadoop.mapreduce.lib.input.SequenceFileInputFormat",
    "org.apache.hadoop.io.IntWritable", "org.apache.hadoop.io.Text")
assert same.count() == 20
sc.stop()
