"""What this layer refuses, by name."""

from pyspark.errors import PySparkAttributeError, PySparkNotImplementedError


def unsupported(feature: str, reason: str) -> PySparkNotImplementedError:
    """An error to raise: `feature` is not there, because of `reason`."""
    return PySparkNotImplementedError(f"[NOT_IMPLEMENTED] {feature} is not supported: {reason}.")


# What programs reach for in the JVM, and what serves them instead.
INSTEAD = {
    "_jvm": "no JVM runs; use functions of pyspark.sql.functions, spark.conf for settings, spark.catalog for tables, "
    "Python's own libraries (fsspec, boto3, pyarrow.fs) for files",
    "_gateway": "no JVM runs, so there is no Py4J gateway",
    "_jsc": "use the methods of SparkContext; settings of Hadoop are spark.hadoop.* in the session's configuration",
    "_jconf": "use spark.conf.get and spark.conf.set",
    "_jsparkSession": "use the methods of SparkSession",
    "_jwrapped": "use the methods of SparkSession",
    "_ssql_ctx": "use the methods of SparkSession",
    "_jdf": "use the methods of DataFrame; explain() shows plans",
    "_jrdd": "use the methods of RDD",
    "_jrdd_deserializer": "records are pickled lists; use mapPartitions",
    "_to_java_object_rdd": "no JVM runs; records stay in Python",
    "_jseq": "lists of Python serve",
    "_jmap": "dicts of Python serve",
    "_jcols": "lists of columns serve",
}


def reach_in(name: str, attribute: str = "") -> PySparkAttributeError:
    """An error to raise for an attribute of the JVM bridge."""
    return PySparkAttributeError(f"[JVM_ATTRIBUTE_NOT_SUPPORTED] {name} is not there: {INSTEAD[attribute or name]}.")
