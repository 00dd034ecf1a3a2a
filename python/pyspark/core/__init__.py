"""RDD and SparkContext for PySpark's Connect client: RDDs are DataFrames of pickled records.

    RDD, SparkContext --lineage--> frames (mapInArrow, repartitionById, union) --Spark Connect--> server
                                     |
                                   task, exchange, payload: run pickled in PySpark's worker

`pyspark/__init__.py` looks for this package and takes RDD, SparkContext, Broadcast and the rest from it. Everything
else of `pyspark` stays the client's. This layer knows nothing of the server's programs but how to start one, and
nothing of its plans.
"""

import os

# Functions of pyspark.sql choose between Connect and the JVM before a session exists; there is no JVM.
os.environ.setdefault("SPARK_CONNECT_MODE_ENABLED", "1")
