"""Where RDDs meet the Connect client's sessions and DataFrames: attributes that it lacks, put there at import."""

import functools
import os
from typing import Any, Callable, Iterable, Iterator, Optional

import pyarrow as pa

from pyspark.core import launch
from pyspark.core.context import SparkContext
from pyspark.core.frames import converter
from pyspark.core.lineage import Build, columns
from pyspark.core.rdd import RDD
from pyspark.core.unsupported import INSTEAD, reach_in
from pyspark.errors import PySparkValueError

ROWS = 8192
INFERRED_FROM = 100


def install() -> None:
    """Puts everything in place; once, at import."""
    from pyspark.sql import SparkSession as Facade
    from pyspark.sql.connect.dataframe import DataFrame
    from pyspark.sql.connect.readwriter import DataFrameReader
    from pyspark.sql.connect.session import SparkSession

    _builder(Facade.Builder)
    Facade.getActiveSession = classmethod(lambda cls: SparkSession.getActiveSession())
    SparkSession.sparkContext = property(SparkContext._of)
    SparkSession._sc = property(SparkContext._of)
    SparkSession.newSession = _new_session
    SparkSession.createDataFrame = _create_data_frame(SparkSession.createDataFrame)
    SparkSession.stop = _stop(SparkSession.stop)
    DataFrame.rdd = property(_rdd)
    _refuse_reach_ins(SparkSession, "SparkSession")
    _refuse_reach_ins(DataFrame, "DataFrame")
    for name in ("json", "csv"):
        setattr(DataFrameReader, name, _read_rdd(getattr(DataFrameReader, name)))
    _old_contexts()


def _builder(builder: Any) -> None:
    """`master` gives way to the server that the environment names; without one, a server is started."""
    check = builder._validate_startup_urls

    @functools.wraps(check)
    def checked(self: Any) -> None:
        if "spark.remote" in self._options or "SPARK_REMOTE" in os.environ:
            self._options.pop("spark.master", None)
            os.environ.pop("MASTER", None)
        check(self)

    def started(make: Callable) -> Callable:
        @functools.wraps(make)
        def made(self: Any) -> Any:
            from pyspark.sql.connect.session import SparkSession

            if make.__name__ != "getOrCreate" or SparkSession.getActiveSession() is None:
                self._options["spark.remote"] = launch.remote_url({k: str(v) for k, v in self._options.items()})
                self._options.pop("spark.master", None)
            # What `enableHiveSupport` sets; the server has one catalog whatever it is called.
            self._options.pop("spark.sql.catalogImplementation", None)
            return make(self)

        return made

    builder._validate_startup_urls = checked
    builder.getOrCreate = started(builder.getOrCreate)
    builder.create = started(builder.create)


def _new_session(self: Any) -> Any:
    """A session beside this one, with settings and temporary views of its own."""
    from pyspark.sql.connect.session import SparkSession

    return SparkSession.builder.channelBuilder(self._client._builder).create()


def _stop(stop: Callable) -> Callable:
    @functools.wraps(stop)
    def stopped(self: Any) -> None:
        stop(self)
        context = SparkContext._active_spark_context
        if context is not None and context._session is self:
            context._stopped = True
            SparkContext._active_spark_context = None

    return stopped


def _refuse_reach_ins(kind: Any, name: str) -> None:
    """Attributes of the JVM bridge say what to use instead."""
    other = kind.__getattr__

    @functools.wraps(other)
    def attribute(self: Any, wanted: str) -> Any:
        if wanted in INSTEAD:
            raise reach_in(f"{name}.{wanted}", wanted)
        return other(self, wanted)

    kind.__getattr__ = attribute


def _rdd(self: Any) -> RDD:
    """The rows as an RDD of Row."""
    context = SparkContext._of(self._session)
    return context._of_frame(self, converter(self.schema), "MapPartitionsRDD")


def _read_rdd(read: Callable) -> Callable:
    """A reader of files that also reads an RDD of lines."""

    @functools.wraps(read)
    def reading(self: Any, path: Any, *arguments: Any, **named: Any) -> Any:
        if isinstance(path, RDD):
            lines = path.map(lambda line: (line if isinstance(line, str) else line.decode("utf-8"),))
            path = self._client.createDataFrame(lines, "value string")
        return read(self, path, *arguments, **named)

    return reading


def _create_data_frame(create: Callable) -> Callable:
    @functools.wraps(create)
    def created(
        self: Any,
        data: Any,
        schema: Any = None,
        samplingRatio: Optional[float] = None,
        verifySchema: Optional[bool] = None,
    ) -> Any:
        if not isinstance(data, RDD):
            return create(self, data, schema, samplingRatio, verifySchema)
        return _from_rdd(self, data, schema, samplingRatio)

    return created


def _from_rdd(session: Any, rdd: RDD, schema: Any, ratio: Optional[float]) -> Any:
    from pyspark.sql.types import DataType, StructType

    if isinstance(schema, str):
        schema = session._parse_ddl(schema)
    if isinstance(schema, DataType) and not isinstance(schema, StructType):
        schema = StructType().add("value", schema)
        rdd = rdd.map(lambda value: (value,))
    if not isinstance(schema, StructType):
        schema = _inferred(session, rdd, list(schema) if schema is not None else None, ratio)
    if rdd._node.count_hint() == 0:
        return session.createDataFrame([], schema)
    return columns(Build(rdd.ctx), rdd, _ToArrow(schema), schema)


def _inferred(session: Any, rdd: RDD, names: Optional[list[str]], ratio: Optional[float]) -> Any:
    """The types of the first record, of the first hundred where that leaves some open, or of a sample."""
    from pyspark.sql.types import _has_nulltype

    configs = session._client.get_config_dict(
        "spark.sql.pyspark.inferNestedDictAsStruct.enabled",
        "spark.sql.pyspark.legacy.inferArrayTypeFromFirstElement.enabled",
        "spark.sql.pyspark.legacy.inferMapTypeFromFirstPair.enabled",
        "spark.sql.timestampType",
    )
    if ratio is not None:
        sample = rdd.collect() if ratio >= 0.99 else rdd.sample(False, float(ratio)).collect()
        return session._inferSchemaFromList(sample, names, configs)
    sample = rdd.take(INFERRED_FROM)
    if not sample:
        raise ValueError("RDD is empty")
    schema = session._inferSchemaFromList(sample[:1], names, configs)
    if _has_nulltype(schema):
        schema = session._inferSchemaFromList(sample, names, configs)
    if _has_nulltype(schema):
        raise PySparkValueError(errorClass="CANNOT_DETERMINE_TYPE", messageParameters={})
    return schema


class _ToArrow:
    """Records as batches of a schema, in a task."""

    def __init__(self, schema: Any):
        self.schema = schema

    def __call__(self, values: Iterable[Any]) -> Iterator[pa.RecordBatch]:
        from pyspark.core.exchange import chunks
        from pyspark.sql.conversion import LocalDataToArrowConversion

        for some in chunks(values, ROWS):
            yield from LocalDataToArrowConversion.convert(some, self.schema, False).to_batches()


class SQLContext:
    """The entry point of Spark 1: a session under its old name."""

    def __init__(self, sparkContext: Any, sparkSession: Any = None, jsqlContext: Any = None):
        self.sparkSession = sparkSession if sparkSession is not None else sparkContext._session
        self._sc = sparkContext

    @classmethod
    def getOrCreate(cls, sc: Any) -> "SQLContext":
        """One over a context's session."""
        return cls(sc)

    def __getattr__(self, name: str) -> Any:
        if name == "sparkSession":
            raise AttributeError(name)
        if name in INSTEAD:
            raise reach_in(f"SQLContext.{name}", name)
        return getattr(self.sparkSession, name)

    def setConf(self, key: str, value: Any) -> None:
        """Sets a setting of the session."""
        self.sparkSession.conf.set(key, value)

    def getConf(self, key: str, *default: Any) -> Any:
        """A setting of the session."""
        return self.sparkSession.conf.get(key, *default)

    def registerDataFrameAsTable(self, df: Any, tableName: str) -> None:
        """Gives a DataFrame a name."""
        df.createOrReplaceTempView(tableName)

    def dropTempTable(self, tableName: str) -> None:
        """Forgets a name."""
        self.sparkSession.catalog.dropTempView(tableName)

    def registerFunction(self, name: str, f: Callable, returnType: Any = None) -> Any:
        """Registers a function for SQL."""
        return self.sparkSession.udf.register(name, f, returnType)

    def tables(self, dbName: Optional[str] = None) -> Any:
        """The tables of a schema."""
        return self.sparkSession.sql(f"SHOW TABLES IN {dbName}" if dbName else "SHOW TABLES")

    def tableNames(self, dbName: Optional[str] = None) -> list[str]:
        """The names of the tables of a schema."""
        return [row["tableName"] for row in self.tables(dbName).collect()]

    def cacheTable(self, tableName: str) -> None:
        """Keeps a table."""
        self.sparkSession.catalog.cacheTable(tableName)

    def uncacheTable(self, tableName: str) -> None:
        """Forgets what was kept of a table."""
        self.sparkSession.catalog.uncacheTable(tableName)

    def clearCache(self) -> None:
        """Forgets what was kept of all tables."""
        self.sparkSession.catalog.clearCache()


class HiveContext(SQLContext):
    """The entry point of Spark 1 with Hive's tables: the session's own catalog."""

    def refreshTable(self, tableName: str) -> None:
        """Looks at a table's files again."""
        self.sparkSession.catalog.refreshTable(tableName)


def _old_contexts() -> None:
    import pyspark.sql
    import pyspark.sql.context

    for module in (pyspark.sql, pyspark.sql.context):
        module.SQLContext = SQLContext
        module.HiveContext = HiveContext
