//! The one table of configuration keys: default, static or runtime, meaning.

/// A row of the table.
#[derive(Clone, Copy, Debug)]
pub struct ConfKey {
    /// Spark's name.
    pub name: &'static str,
    /// What `get` answers when nobody set it; `None` where Spark has no default.
    pub default: Option<&'static str>,
    /// Which values it takes.
    pub kind: ConfKind,
    /// Whether it can change while the application runs.
    pub is_static: bool,
    /// Who reads it.
    pub effect: Effect,
    /// Meaning, one line.
    pub doc: &'static str,
}

/// Who reads a key. `tests/tidy.py` holds the table to the code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Firesteel.
    Engine,
    /// The Python client, which asks for it.
    Client,
    /// Nobody: it is kept and given back.
    Nothing,
}

/// Which values a key takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConfKind {
    /// `true` or `false`.
    Bool,
    /// A whole number.
    Int,
    /// A size such as `64m`, in bytes.
    Bytes,
    /// A number with a fraction.
    Number,
    /// A duration such as `2m`, in milliseconds.
    Time,
    /// Any text.
    Text,
}

macro_rules! keys {
    ($($id:ident = $name:literal, $default:expr, $kind:ident, $when:ident, $effect:ident, $doc:literal;)*) => {
        $(
            #[doc = concat!("`", $name, "`")]
            pub static $id: ConfKey = ConfKey {
                name: $name,
                default: $default,
                kind: ConfKind::$kind,
                is_static: matches!(When::$when, When::Static),
                effect: Effect::$effect,
                doc: $doc,
            };
        )*

        /// Every row, in the order of the table.
        pub static ALL: &[&ConfKey] = &[$(&$id),*];
    };
}

enum When {
    Static,
    Runtime,
}

keys! {
    ANSI_ENABLED = "spark.sql.ansi.enabled", Some("true"), Bool, Runtime, Engine, "overflow, bad casts and division by zero raise an error instead of giving NULL";
    CASE_SENSITIVE = "spark.sql.caseSensitive", Some("false"), Bool, Runtime, Engine, "whether names differ by case";
    LEGACY_INTERVAL = "spark.sql.legacy.interval.enabled", Some("false"), Bool, Runtime, Engine, "interval literals are of months, days and microseconds together";
    LEGACY_IDENTIFIER_CLAUSE = "spark.sql.legacy.identifierClause", Some("false"), Bool, Runtime, Engine, "IDENTIFIER(..) stands for whole names of relations, columns and functions only";
    VIEW_SCHEMA_BINDING = "spark.sql.legacy.viewSchemaBindingMode", Some("true"), Bool, Runtime, Engine, "views remember what to do when columns change below them (WITH SCHEMA)";
    VIEW_SCHEMA_COMPENSATION = "spark.sql.legacy.viewSchemaCompensation", Some("true"), Bool, Runtime, Engine, "views without WITH SCHEMA cast what changed below them, rather than only widen it";
    SESSION_TIME_ZONE = "spark.sql.session.timeZone", Some("UTC"), Text, Runtime, Engine, "time zone of timestamps shown and parsed";
    SHUFFLE_PARTITIONS = "spark.sql.shuffle.partitions", Some("200"), Int, Runtime, Engine, "partitions after an exchange";
    TIMESTAMP_TYPE = "spark.sql.timestampType", Some("TIMESTAMP_LTZ"), Text, Runtime, Engine, "what TIMESTAMP means: TIMESTAMP_LTZ or TIMESTAMP_NTZ";
    WAREHOUSE_DIR = "spark.sql.warehouse.dir", Some("spark-warehouse"), Text, Static, Engine, "where managed tables lie";
    MASTER = "spark.master", Some("local[*]"), Text, Static, Engine, "where executors run: local, local[N] or local[*] in the driver's process, local-cluster[N,cores,MiB] in N others on the same machine";
    APP_NAME = "spark.app.name", Some("firesteel"), Text, Runtime, Engine, "the application's name";
    PANDAS_CONVERT_TO_ARROW_ARRAY_SAFELY = "spark.sql.execution.pandas.convertToArrowArraySafely", Some("true"), Bool, Runtime, Engine, "pandas to Arrow fails on overflow and truncation";
    PANDAS_INFER_PANDAS_DICT_AS_MAP = "spark.sql.execution.pandas.inferPandasDictAsMap", Some("false"), Bool, Runtime, Client, "a dict in a pandas column is a map rather than a struct";
    PANDAS_STRUCT_HANDLING_MODE = "spark.sql.execution.pandas.structHandlingMode", Some("legacy"), Text, Runtime, Client, "what a struct becomes in pandas: legacy, row or dict";
    PYSPARK_INFER_NESTED_DICT_AS_STRUCT_ENABLED = "spark.sql.pyspark.inferNestedDictAsStruct.enabled", Some("false"), Bool, Runtime, Client, "a nested dict is a struct rather than a map";
    PYSPARK_LEGACY_INFER_ARRAY_TYPE_FROM_FIRST_ELEMENT_ENABLED = "spark.sql.pyspark.legacy.inferArrayTypeFromFirstElement.enabled", Some("false"), Bool, Runtime, Client, "an array's type comes from its first element alone";
    PYSPARK_LEGACY_INFER_MAP_TYPE_FROM_FIRST_PAIR_ENABLED = "spark.sql.pyspark.legacy.inferMapTypeFromFirstPair.enabled", Some("false"), Bool, Runtime, Client, "a map's type comes from its first pair alone";
    PYSPARK_JVM_STACKTRACE_ENABLED = "spark.sql.pyspark.jvmStacktrace.enabled", Some("false"), Bool, Runtime, Client, "the client shows the server's stack trace";
    PYSPARK_PLOTTING_MAX_ROWS = "spark.sql.pyspark.plotting.max_rows", Some("1000"), Int, Runtime, Client, "rows drawn at most in a plot";
    PYSPARK_BINARY_AS_BYTES = "spark.sql.execution.pyspark.binaryAsBytes", Some("true"), Bool, Runtime, Engine, "binary values are bytes rather than bytearray in Python";
    ARROW_USE_LARGE_VAR_TYPES = "spark.sql.execution.arrow.useLargeVarTypes", Some("false"), Bool, Runtime, Engine, "strings and binaries sent to Python have 64-bit offsets";
    ARROW_PYSPARK_ENABLED = "spark.sql.execution.arrow.pyspark.enabled", Some("true"), Bool, Runtime, Client, "classic toPandas and createDataFrame go through Arrow";
    ARROW_PYSPARK_FALLBACK_ENABLED = "spark.sql.execution.arrow.pyspark.fallback.enabled", Some("true"), Bool, Runtime, Client, "classic toPandas does without Arrow where it must";
    ARROW_PYSPARK_SELF_DESTRUCT_ENABLED = "spark.sql.execution.arrow.pyspark.selfDestruct.enabled", Some("false"), Bool, Runtime, Client, "toPandas frees Arrow memory column by column";
    ARROW_MAX_RECORDS_PER_BATCH = "spark.sql.execution.arrow.maxRecordsPerBatch", Some("10000"), Int, Runtime, Engine, "rows in an Arrow batch sent to the client or to Python; 0 is unlimited";
    ARROW_MAX_BYTES_PER_BATCH = "spark.sql.execution.arrow.maxBytesPerBatch", Some("64MB"), Bytes, Runtime, Engine, "bytes in an Arrow batch sent to Python";
    PYTHON_UDF_ARROW_ENABLED = "spark.sql.execution.pythonUDF.arrow.enabled", Some("true"), Bool, Runtime, Client, "plain Python functions exchange Arrow";
    PYTHON_UDF_PANDAS_CONVERSION = "spark.sql.legacy.execution.pythonUDF.pandas.conversion.enabled", Some("false"), Bool, Runtime, Engine, "plain Python functions get their values by way of pandas";
    PYTHON_UDTF_PANDAS_CONVERSION = "spark.sql.legacy.execution.pythonUDTF.pandas.conversion.enabled", Some("false"), Bool, Runtime, Engine, "plain Python table functions get their values by way of pandas";
    PYTHON_UDF_ARROW_CONCURRENCY_LEVEL = "spark.sql.execution.pythonUDF.arrow.concurrency.level", None, Int, Runtime, Engine, "threads in which a worker calls a plain Python function";
    PYTHON_UDF_INT_TO_DECIMAL = "spark.sql.execution.pythonUDF.pandas.intToDecimalCoercionEnabled", Some("false"), Bool, Runtime, Engine, "whole numbers from a pandas function may become decimals";
    PYTHON_UDF_PREFER_INT_EXTENSION = "spark.sql.execution.pythonUDF.pandas.preferIntExtensionDtype", Some("false"), Bool, Runtime, Engine, "pandas functions get integers that may be null as such, not as floats";
    PANDAS_GROUPED_MAP_BY_NAME = "spark.sql.legacy.execution.pandas.groupedMap.assignColumnsByName", Some("true"), Bool, Runtime, Engine, "columns of a frame that a function gives are found by name rather than by place";
    PYSPARK_UDF_PROFILER = "spark.sql.pyspark.udf.profiler", None, Text, Runtime, Engine, "perf or memory: how Python functions are profiled";
    PYSPARK_UDF_SIMPLIFIED_TRACEBACK = "spark.sql.execution.pyspark.udf.simplifiedTraceback.enabled", Some("true"), Bool, Runtime, Engine, "tracebacks of Python functions show the user's code only";
    PYSPARK_UDF_HIDE_TRACEBACK = "spark.sql.execution.pyspark.udf.hideTraceback.enabled", Some("false"), Bool, Runtime, Engine, "errors of Python functions come without a traceback";
    PYSPARK_UDF_IDLE_TIMEOUT_SECONDS = "spark.sql.execution.pyspark.udf.idleTimeoutSeconds", Some("0"), Int, Runtime, Engine, "seconds without output after which a Python worker counts as hung; 0 is never";
    PYSPARK_SESSION_PYTHON = "spark.sql.execution.pyspark.python", None, Text, Runtime, Engine, "the Python that runs the session's functions";
    PYSPARK_PYTHON = "spark.pyspark.python", None, Text, Static, Engine, "the Python that runs functions";
    PYSPARK_EXECUTOR_MEMORY = "spark.executor.pyspark.memory", None, Bytes, Static, Engine, "memory for the Python workers of an executor, shared evenly by its slots; more fails the function";
    PYTHON_FILTER_PUSHDOWN_ENABLED = "spark.sql.python.filterPushdown.enabled", Some("false"), Bool, Runtime, Engine, "readers of Python data sources get the query's filters";
    PYTHON_PLANNER_MEMORY = "spark.sql.planner.pythonExecution.memory", None, Bytes, Runtime, Engine, "memory of a Python process that plans: analyze methods, data sources";
    PYTHON_UDTF_ARROW_ENABLED = "spark.sql.execution.pythonUDTF.arrow.enabled", Some("true"), Bool, Runtime, Client, "plain Python table functions exchange Arrow";
    CONNECT_SERVER_STACKTRACE_ENABLED = "spark.sql.connect.serverStacktrace.enabled", Some("false"), Bool, Runtime, Nothing, "the client shows the stack trace of the JVM; there is none";
    REPL_EAGER_EVAL_ENABLED = "spark.sql.repl.eagerEval.enabled", Some("false"), Bool, Runtime, Client, "a notebook shows a DataFrame's rows at once";
    REPL_EAGER_EVAL_MAX_NUM_ROWS = "spark.sql.repl.eagerEval.maxNumRows", Some("20"), Int, Runtime, Client, "rows shown so";
    REPL_EAGER_EVAL_TRUNCATE = "spark.sql.repl.eagerEval.truncate", Some("20"), Int, Runtime, Client, "characters of a value shown so";
    SESSION_LOCAL_RELATION_CACHE_THRESHOLD = "spark.sql.session.localRelationCacheThreshold", Some("1048576"), Int, Runtime, Client, "createDataFrame sends larger data as artifacts, bytes";
    SESSION_LOCAL_RELATION_SIZE_LIMIT = "spark.sql.session.localRelationSizeLimit", Some("3221225472"), Int, Runtime, Client, "createDataFrame refuses larger data, bytes";
    SESSION_LOCAL_RELATION_CHUNK_SIZE_ROWS = "spark.sql.session.localRelationChunkSizeRows", Some("10000"), Int, Runtime, Client, "rows in a chunk of such data";
    SESSION_LOCAL_RELATION_CHUNK_SIZE_BYTES = "spark.sql.session.localRelationChunkSizeBytes", Some("16777216"), Int, Runtime, Client, "bytes in a chunk of such data";
    SESSION_LOCAL_RELATION_BATCH_OF_CHUNKS_SIZE_BYTES = "spark.sql.session.localRelationBatchOfChunksSizeBytes", Some("1073741824"), Int, Runtime, Client, "bytes of chunks sent in one go";
    CTE_RECURSION_LEVEL_LIMIT = "spark.sql.cteRecursionLevelLimit", Some("100"), Int, Runtime, Engine, "steps of WITH RECURSIVE at most; -1 for no limit";
    CTE_RECURSION_ROW_LIMIT = "spark.sql.cteRecursionRowLimit", Some("1000000"), Int, Runtime, Engine, "rows of WITH RECURSIVE at most; -1 for no limit";
    ARTIFACT_ISOLATION_ENABLED = "spark.sql.artifact.isolation.enabled", Some("true"), Bool, Runtime, Client, "artifacts belong to their session";
    CONNECT_SESSION_PLAN_COMPRESSION_THRESHOLD = "spark.connect.session.planCompression.threshold", Some("10485760"), Int, Runtime, Client, "plans of more bytes are compressed by the client";
    CONNECT_SESSION_PLAN_COMPRESSION_DEFAULT_ALGORITHM = "spark.connect.session.planCompression.defaultAlgorithm", Some("ZSTD"), Text, Runtime, Client, "how they are compressed";
    CONNECT_GRPC_BINDING_PORT = "spark.connect.grpc.binding.port", Some("15002"), Int, Static, Nothing, "port of Spark Connect";
    CONNECT_GRPC_MAX_INBOUND_MESSAGE_SIZE = "spark.connect.grpc.maxInboundMessageSize", Some("134217728"), Bytes, Static, Engine, "largest message taken from a client";
    CONNECT_GRPC_ARROW_MAX_BATCH_SIZE = "spark.connect.grpc.arrow.maxBatchSize", Some("4m"), Bytes, Static, Engine, "largest Arrow batch sent to a client";
    CONNECT_GRPC_MARSHALLER_RECURSION_LIMIT = "spark.connect.grpc.marshallerRecursionLimit", Some("1024"), Int, Static, Nothing, "how deep a plan may nest on the wire";
    CONNECT_AUTHENTICATE_TOKEN = "spark.connect.authenticate.token", None, Text, Static, Nothing, "bearer token that every call must carry";
    CONNECT_EXECUTE_REATTACHABLE_ENABLED = "spark.connect.execute.reattachable.enabled", Some("true"), Bool, Static, Engine, "clients may come back for the rest of a result";
    CONNECT_EXECUTE_REATTACHABLE_SENDER_MAX_STREAM_DURATION = "spark.connect.execute.reattachable.senderMaxStreamDuration", Some("2m"), Time, Static, Engine, "a response stream ends after this time and the client reattaches";
    CONNECT_EXECUTE_REATTACHABLE_SENDER_MAX_STREAM_SIZE = "spark.connect.execute.reattachable.senderMaxStreamSize", Some("1g"), Bytes, Static, Engine, "a response stream ends after this size and the client reattaches";
    CONNECT_EXECUTE_REATTACHABLE_OBSERVER_RETRY_BUFFER_SIZE = "spark.connect.execute.reattachable.observerRetryBufferSize", Some("10m"), Bytes, Static, Engine, "responses kept behind the client's position";
    CONNECT_EXECUTE_MANAGER_DETACHED_TIMEOUT = "spark.connect.execute.manager.detachedTimeout", Some("5m"), Time, Static, Engine, "an operation without client is dropped after this time";
    CONNECT_EXECUTE_MANAGER_ABANDONED_TOMBSTONES_SIZE = "spark.connect.execute.manager.abandonedTombstonesSize", Some("10000"), Int, Static, Engine, "dropped operations remembered";
    CONNECT_EXECUTE_MANAGER_MAINTENANCE_INTERVAL = "spark.connect.execute.manager.maintenanceInterval", Some("30s"), Time, Static, Engine, "how often such operations are looked for";
    CONNECT_SESSION_MANAGER_DEFAULT_SESSION_TIMEOUT = "spark.connect.session.manager.defaultSessionTimeout", Some("60m"), Time, Static, Engine, "an unused session is closed after this time";
    CONNECT_SESSION_MANAGER_CLOSED_SESSIONS_TOMBSTONES_SIZE = "spark.connect.session.manager.closedSessionsTombstonesSize", Some("1000"), Int, Static, Engine, "closed sessions remembered";
    CONNECT_SESSION_MANAGER_MAINTENANCE_INTERVAL = "spark.connect.session.manager.maintenanceInterval", Some("30s"), Time, Static, Engine, "how often such sessions are looked for";
    CONNECT_PROGRESS_REPORT_INTERVAL = "spark.connect.progress.reportInterval", Some("2s"), Time, Runtime, Engine, "how often progress is sent";
    SOURCES_DEFAULT = "spark.sql.sources.default", Some("parquet"), Text, Runtime, Engine, "format where none is named";
    AUTO_BROADCAST_JOIN_THRESHOLD = "spark.sql.autoBroadcastJoinThreshold", Some("10485760b"), Bytes, Runtime, Engine, "a join side up to this size is sent to every task; -1 is never";
    BROADCAST_TIMEOUT = "spark.sql.broadcastTimeout", Some("300"), Int, Runtime, Nothing, "seconds a broadcast may take";
    JOIN_PREFER_SORT_MERGE_JOIN = "spark.sql.join.preferSortMergeJoin", Some("true"), Bool, Runtime, Nothing, "sort-merge rather than hash join";
    CROSS_JOIN_ENABLED = "spark.sql.crossJoin.enabled", Some("true"), Bool, Runtime, Nothing, "joins without condition are allowed";
    ADAPTIVE_ENABLED = "spark.sql.adaptive.enabled", Some("true"), Bool, Runtime, Engine, "plans change with what finished stages tell";
    ADAPTIVE_COALESCE_PARTITIONS_ENABLED = "spark.sql.adaptive.coalescePartitions.enabled", Some("true"), Bool, Runtime, Engine, "small partitions after an exchange are merged";
    ADAPTIVE_COALESCE_PARTITIONS_PARALLELISM_FIRST = "spark.sql.adaptive.coalescePartitions.parallelismFirst", Some("true"), Bool, Runtime, Engine, "merging leaves enough tasks for all cores";
    ADAPTIVE_COALESCE_PARTITIONS_MIN_PARTITION_SIZE = "spark.sql.adaptive.coalescePartitions.minPartitionSize", Some("1MB"), Bytes, Runtime, Engine, "smallest merged partition";
    ADAPTIVE_COALESCE_PARTITIONS_INITIAL_PARTITION_NUM = "spark.sql.adaptive.coalescePartitions.initialPartitionNum", None, Int, Runtime, Nothing, "partitions after an exchange before merging";
    ADAPTIVE_ADVISORY_PARTITION_SIZE_IN_BYTES = "spark.sql.adaptive.advisoryPartitionSizeInBytes", Some("67108864b"), Bytes, Runtime, Engine, "size that merging and splitting aim at";
    ADAPTIVE_AUTO_BROADCAST_JOIN_THRESHOLD = "spark.sql.adaptive.autoBroadcastJoinThreshold", None, Bytes, Runtime, Nothing, "autoBroadcastJoinThreshold once real sizes are known";
    ADAPTIVE_SKEW_JOIN_ENABLED = "spark.sql.adaptive.skewJoin.enabled", Some("true"), Bool, Runtime, Engine, "large partitions of a join are split";
    ADAPTIVE_SKEW_JOIN_SKEWED_PARTITION_FACTOR = "spark.sql.adaptive.skewJoin.skewedPartitionFactor", Some("5.0"), Number, Runtime, Engine, "partitions of a join so many times larger than the median are split";
    ADAPTIVE_SKEW_JOIN_SKEWED_PARTITION_THRESHOLD_IN_BYTES = "spark.sql.adaptive.skewJoin.skewedPartitionThresholdInBytes", Some("256MB"), Bytes, Runtime, Engine, "and only if they are larger than this";
    ADAPTIVE_LOCAL_SHUFFLE_READER_ENABLED = "spark.sql.adaptive.localShuffleReader.enabled", Some("true"), Bool, Runtime, Nothing, "readers keep to map outputs where order is free";
    OPTIMIZER_RUNTIME_BLOOM_FILTER_ENABLED = "spark.sql.optimizer.runtime.bloomFilter.enabled", Some("true"), Bool, Runtime, Engine, "a join's selective side tells the scans of the other which keys it has";
    OPTIMIZER_RUNTIME_BLOOM_FILTER_MAX_NUM_ITEMS = "spark.sql.optimizer.runtime.bloomFilter.maxNumItems", Some("4000000"), Int, Runtime, Engine, "and does not if it has more keys";
    OPTIMIZER_RUNTIME_BLOOM_FILTER_APPLICATION_SIDE_SCAN_SIZE_THRESHOLD = "spark.sql.optimizer.runtime.bloomFilter.applicationSideScanSizeThreshold", Some("10MB"), Bytes, Runtime, Engine, "nor if there is less to scan (Spark's default is 10GB)";
    FILES_MAX_PARTITION_BYTES = "spark.sql.files.maxPartitionBytes", Some("134217728b"), Bytes, Runtime, Engine, "bytes of files read by a task";
    FILES_OPEN_COST_IN_BYTES = "spark.sql.files.openCostInBytes", Some("4194304b"), Bytes, Runtime, Engine, "what opening a file counts as";
    FILES_MIN_PARTITION_NUM = "spark.sql.files.minPartitionNum", None, Int, Runtime, Engine, "partitions of a scan at least";
    FILES_MAX_RECORDS_PER_FILE = "spark.sql.files.maxRecordsPerFile", Some("0"), Int, Runtime, Engine, "rows in a file written; 0 is unlimited";
    FILES_IGNORE_CORRUPT_FILES = "spark.sql.files.ignoreCorruptFiles", Some("false"), Bool, Runtime, Engine, "unreadable files are skipped";
    FILES_IGNORE_MISSING_FILES = "spark.sql.files.ignoreMissingFiles", Some("false"), Bool, Runtime, Engine, "files that are gone are skipped";
    LEAF_NODE_DEFAULT_PARALLELISM = "spark.sql.leafNodeDefaultParallelism", None, Int, Runtime, Engine, "partitions of rows that come from no file";
    SOURCES_PARTITION_OVERWRITE_MODE = "spark.sql.sources.partitionOverwriteMode", Some("STATIC"), Text, Runtime, Engine, "overwriting replaces all partitions, or those written (DYNAMIC)";
    SOURCES_PARTITION_COLUMN_TYPE_INFERENCE_ENABLED = "spark.sql.sources.partitionColumnTypeInference.enabled", Some("true"), Bool, Runtime, Engine, "types of partition columns come from their values";
    SOURCES_BUCKETING_ENABLED = "spark.sql.sources.bucketing.enabled", Some("true"), Bool, Runtime, Nothing, "bucketed tables are read as such";
    STORE_ASSIGNMENT_POLICY = "spark.sql.storeAssignmentPolicy", Some("ANSI"), Text, Runtime, Nothing, "how values are cast on insert";
    PARQUET_COMPRESSION_CODEC = "spark.sql.parquet.compression.codec", Some("snappy"), Text, Runtime, Engine, "compression of Parquet files";
    PARQUET_MERGE_SCHEMA = "spark.sql.parquet.mergeSchema", Some("false"), Bool, Runtime, Engine, "schemas of all Parquet files are merged";
    PARQUET_FILTER_PUSHDOWN = "spark.sql.parquet.filterPushdown", Some("true"), Bool, Runtime, Nothing, "filters reach Parquet files";
    ORC_COMPRESSION_CODEC = "spark.sql.orc.compression.codec", Some("zstd"), Text, Runtime, Engine, "compression of ORC files";
    ORC_MERGE_SCHEMA = "spark.sql.orc.mergeSchema", Some("false"), Bool, Runtime, Nothing, "schemas of all ORC files are merged";
    AVRO_COMPRESSION_CODEC = "spark.sql.avro.compression.codec", Some("snappy"), Text, Runtime, Engine, "compression of Avro files";
    COLUMN_NAME_OF_CORRUPT_RECORD = "spark.sql.columnNameOfCorruptRecord", Some("_corrupt_record"), Text, Runtime, Engine, "column for records that cannot be parsed";
    CSV_PARSER_COLUMN_PRUNING_ENABLED = "spark.sql.csv.parser.columnPruning.enabled", Some("true"), Bool, Runtime, Nothing, "CSV columns not asked for are not parsed";
    MAP_KEY_DEDUP_POLICY = "spark.sql.mapKeyDedupPolicy", Some("EXCEPTION"), Text, Runtime, Engine, "a map's key given twice: EXCEPTION or LAST_WIN";
    GROUP_BY_ORDINAL = "spark.sql.groupByOrdinal", Some("true"), Bool, Runtime, Engine, "GROUP BY 1 means the first item";
    ORDER_BY_ORDINAL = "spark.sql.orderByOrdinal", Some("true"), Bool, Runtime, Engine, "ORDER BY 1 means the first item";
    GROUP_BY_ALIASES = "spark.sql.groupByAliases", Some("true"), Bool, Runtime, Engine, "GROUP BY may name an item of the select list";
    DECIMAL_OPERATIONS_ALLOW_PRECISION_LOSS = "spark.sql.decimalOperations.allowPrecisionLoss", Some("true"), Bool, Runtime, Engine, "decimal results lose scale rather than overflow";
    ANSI_DOUBLE_QUOTED_IDENTIFIERS = "spark.sql.ansi.doubleQuotedIdentifiers", Some("false"), Bool, Runtime, Engine, "\"a\" is a name rather than a text";
    ANSI_ENFORCE_RESERVED_KEYWORDS = "spark.sql.ansi.enforceReservedKeywords", Some("false"), Bool, Runtime, Nothing, "reserved words cannot be names";
    ANSI_RELATION_PRECEDENCE = "spark.sql.ansi.relationPrecedence", Some("false"), Bool, Runtime, Nothing, "JOIN binds before the comma";
    PARSER_QUOTED_REGEX_COLUMN_NAMES = "spark.sql.parser.quotedRegexColumnNames", Some("false"), Bool, Runtime, Engine, "a quoted name in a select list is a pattern";
    PARSER_ESCAPED_STRING_LITERALS = "spark.sql.parser.escapedStringLiterals", Some("false"), Bool, Runtime, Nothing, "backslashes in texts are kept";
    LEGACY_TIME_PARSER_POLICY = "spark.sql.legacy.timeParserPolicy", Some("CORRECTED"), Text, Runtime, Nothing, "how patterns of dates are read: CORRECTED, LEGACY or EXCEPTION";
    LEGACY_SIZE_OF_NULL = "spark.sql.legacy.sizeOfNull", Some("true"), Bool, Runtime, Nothing, "without ANSI mode size(NULL) is -1";
    LEGACY_SET_COMMAND_REJECTS_SPARK_CORE_CONFS = "spark.sql.legacy.setCommandRejectsSparkCoreConfs", Some("true"), Bool, Runtime, Nothing, "SET refuses keys of the application";
    LEGACY_CHAR_VARCHAR_AS_STRING = "spark.sql.legacy.charVarcharAsString", Some("false"), Bool, Runtime, Engine, "CHAR and VARCHAR are plain STRING";
    CHAR_AS_VARCHAR = "spark.sql.charAsVarchar", Some("false"), Bool, Runtime, Engine, "CHAR columns of new tables become VARCHAR";
    READ_SIDE_CHAR_PADDING = "spark.sql.readSideCharPadding", Some("true"), Bool, Runtime, Engine, "CHAR values are padded when read";
    PRESERVE_CHAR_VARCHAR_TYPE_INFO = "spark.sql.preserveCharVarcharTypeInfo", Some("false"), Bool, Runtime, Nothing, "CHAR and VARCHAR stay in schemas";
    DATETIME_JAVA8_API_ENABLED = "spark.sql.datetime.java8API.enabled", Some("false"), Bool, Runtime, Nothing, "JVM clients get java.time values";
    CBO_ENABLED = "spark.sql.cbo.enabled", Some("false"), Bool, Runtime, Nothing, "statistics of columns choose the plan";
    CBO_JOIN_REORDER_ENABLED = "spark.sql.cbo.joinReorder.enabled", Some("false"), Bool, Runtime, Nothing, "statistics of columns choose the order of joins";
    STATISTICS_HISTOGRAM_ENABLED = "spark.sql.statistics.histogram.enabled", Some("false"), Bool, Runtime, Nothing, "ANALYZE makes histograms";
    CODEGEN_WHOLE_STAGE = "spark.sql.codegen.wholeStage", Some("true"), Bool, Runtime, Nothing, "kept for scripts that read it; there is no generated code";
    IN_MEMORY_COLUMNAR_STORAGE_COMPRESSED = "spark.sql.inMemoryColumnarStorage.compressed", Some("true"), Bool, Runtime, Nothing, "cached rows are compressed on disk only";
    IN_MEMORY_COLUMNAR_STORAGE_BATCH_SIZE = "spark.sql.inMemoryColumnarStorage.batchSize", Some("10000"), Int, Runtime, Nothing, "cached rows are the batches that were computed";
    PIVOT_MAX_VALUES = "spark.sql.pivotMaxValues", Some("10000"), Int, Runtime, Engine, "values of a pivot without given values";
    DEBUG_MAX_TO_STRING_FIELDS = "spark.sql.debug.maxToStringFields", Some("25"), Int, Runtime, Nothing, "fields shown of a wide plan node";
    MAX_METADATA_STRING_LENGTH = "spark.sql.maxMetadataStringLength", Some("100"), Int, Runtime, Nothing, "characters shown of a plan node's metadata";
    VARIABLE_SUBSTITUTE = "spark.sql.variable.substitute", Some("true"), Bool, Runtime, Nothing, "${..} in SQL text is replaced";
    DEFAULT_CATALOG = "spark.sql.defaultCatalog", Some("spark_catalog"), Text, Runtime, Nothing, "the catalog a session starts in";
    CATALOG_IMPLEMENTATION = "spark.sql.catalogImplementation", Some("in-memory"), Text, Static, Nothing, "where tables are kept";
    GLOBAL_TEMP_DATABASE = "spark.sql.globalTempDatabase", Some("global_temp"), Text, Static, Nothing, "schema of global temporary views";
    EXTENSIONS = "spark.sql.extensions", None, Text, Static, Nothing, "classes that extend the planner; none can be loaded";
    RANGE_EXCHANGE_SAMPLE_SIZE_PER_PARTITION = "spark.sql.execution.rangeExchange.sampleSizePerPartition", Some("100"), Int, Runtime, Nothing, "rows sampled to find ranges";
    LIMIT_SCALE_UP_FACTOR = "spark.sql.limit.scaleUpFactor", Some("4"), Int, Runtime, Nothing, "how fast take() looks at more partitions";
    LIMIT_INITIAL_NUM_PARTITIONS = "spark.sql.limit.initialNumPartitions", Some("1"), Int, Runtime, Nothing, "partitions take() looks at first";
    STREAMING_CHECKPOINT_LOCATION = "spark.sql.streaming.checkpointLocation", None, Text, Runtime, Nothing, "where streaming queries keep their state";
    APP_ID = "spark.app.id", None, Text, Static, Engine, "the application's id";
    SUBMIT_DEPLOY_MODE = "spark.submit.deployMode", Some("client"), Text, Static, Nothing, "where the driver runs";
    DRIVER_MEMORY = "spark.driver.memory", Some("1g"), Text, Static, Engine, "memory of the driver";
    DRIVER_HOST = "spark.driver.host", None, Text, Static, Engine, "address of the driver";
    DRIVER_MAX_RESULT_SIZE = "spark.driver.maxResultSize", Some("1g"), Bytes, Static, Engine, "bytes of rows that one query may send to its client; 0 is no limit. They are sent as they come, so the driver's memory does not bound them";
    EXECUTOR_ID = "spark.executor.id", Some("driver"), Text, Static, Engine, "which process answers";
    EXECUTOR_MEMORY = "spark.executor.memory", Some("1g"), Text, Static, Engine, "memory of an executor; in one process, of all tasks (not set: that of the machine)";
    MEMORY_FRACTION = "spark.memory.fraction", Some("0.6"), Number, Static, Engine, "share of the memory, less 72 MiB for the program itself, that operators, shuffle and cache divide";
    EXECUTOR_CORES = "spark.executor.cores", Some("1"), Int, Static, Engine, "cores of an executor";
    EXECUTOR_HEARTBEAT_INTERVAL = "spark.executor.heartbeatInterval", Some("10s"), Time, Static, Engine, "how often an executor in another process reports at least";
    EXECUTOR_INSTANCES = "spark.executor.instances", None, Int, Static, Engine, "executors wanted";
    DEFAULT_PARALLELISM = "spark.default.parallelism", None, Int, Static, Engine, "partitions where nothing else says";
    TASK_CPUS = "spark.task.cpus", Some("1"), Int, Static, Engine, "cores of a task";
    TASK_MAX_FAILURES = "spark.task.maxFailures", Some("4"), Int, Static, Engine, "attempts of a task";
    SPECULATION = "spark.speculation", Some("false"), Bool, Static, Engine, "slow tasks are tried twice";
    DYNAMIC_ALLOCATION_ENABLED = "spark.dynamicAllocation.enabled", Some("false"), Bool, Static, Engine, "executors come and go with the work";
    SPECULATION_QUANTILE = "spark.speculation.quantile", Some("0.9"), Number, Static, Engine, "share of a stage's tasks that are done before its slow ones are tried twice";
    SPECULATION_MULTIPLIER = "spark.speculation.multiplier", Some("3"), Number, Static, Engine, "how many times the median is slow";
    SPECULATION_MIN_TASK_RUNTIME = "spark.speculation.minTaskRuntime", Some("100ms"), Time, Static, Engine, "no task is slow before this";
    DYNAMIC_ALLOCATION_MIN_EXECUTORS = "spark.dynamicAllocation.minExecutors", Some("0"), Int, Static, Engine, "executors kept at least";
    DYNAMIC_ALLOCATION_INITIAL_EXECUTORS = "spark.dynamicAllocation.initialExecutors", None, Int, Static, Engine, "executors wanted before the first job";
    DYNAMIC_ALLOCATION_MAX_EXECUTORS = "spark.dynamicAllocation.maxExecutors", Some("2147483647"), Int, Static, Engine, "executors wanted at most";
    DYNAMIC_ALLOCATION_EXECUTOR_IDLE_TIMEOUT = "spark.dynamicAllocation.executorIdleTimeout", Some("60s"), Time, Static, Engine, "an executor without tasks goes after this time";
    DYNAMIC_ALLOCATION_CACHED_EXECUTOR_IDLE_TIMEOUT = "spark.dynamicAllocation.cachedExecutorIdleTimeout", None, Time, Static, Engine, "the same for one with cached blocks; unset keeps it";
    EXCLUDE_ON_FAILURE_ENABLED = "spark.excludeOnFailure.enabled", Some("false"), Bool, Static, Engine, "executors on which tasks keep failing get no more";
    EXCLUDE_ON_FAILURE_STAGE_MAX_FAILED_TASKS_PER_EXECUTOR = "spark.excludeOnFailure.stage.maxFailedTasksPerExecutor", Some("2"), Int, Static, Engine, "failures after which a stage avoids an executor";
    EXCLUDE_ON_FAILURE_APPLICATION_MAX_FAILED_TASKS_PER_EXECUTOR = "spark.excludeOnFailure.application.maxFailedTasksPerExecutor", Some("2"), Int, Static, Engine, "failures after which the application avoids an executor";
    EXCLUDE_ON_FAILURE_TIMEOUT = "spark.excludeOnFailure.timeout", Some("1h"), Time, Static, Engine, "how long the application avoids it";
    LOCALITY_WAIT = "spark.locality.wait", Some("3s"), Time, Static, Engine, "how long tasks wait for an executor that holds their blocks";
    NETWORK_TIMEOUT = "spark.network.timeout", Some("120s"), Time, Static, Engine, "silence after which an executor is lost";
    SCHEDULER_MODE = "spark.scheduler.mode", Some("FIFO"), Text, Static, Engine, "which job's tasks go first";
    SHUFFLE_URL = "spark.firesteel.shuffle.url", None, Text, Static, Engine, "where shuffle outputs lie: a folder of a bucket, s3://bucket/folder, or file:///folder; without it memory and local files, or a folder of this machine that executors in other processes share";
    S3A_CONNECTION_ESTABLISH_TIMEOUT = "spark.hadoop.fs.s3a.connection.establish.timeout", Some("5s"), Time, Static, Engine, "how long a connection to a bucket's service may take to be made";
    S3A_CONNECTION_TIMEOUT = "spark.hadoop.fs.s3a.connection.timeout", Some("15s"), Time, Static, Engine, "a read of which nothing comes for this long is given up and asked for again";
    S3A_CONNECTION_REQUEST_TIMEOUT = "spark.hadoop.fs.s3a.connection.request.timeout", Some("60s"), Time, Static, Engine, "how long one request to a bucket with its answer may take; one of the shuffle no more than 30s";
    S3A_ATTEMPTS_MAXIMUM = "spark.hadoop.fs.s3a.attempts.maximum", Some("9"), Int, Static, Engine, "how often a request to a bucket is tried";
    STORAGE_HEDGE_AFTER = "spark.firesteel.storage.hedgeAfter", Some("1s"), Time, Static, Engine, "a read from a bucket that has no answer after this is asked for a second time; 0 never";
    KUBERNETES_NAMESPACE = "spark.kubernetes.namespace", Some("default"), Text, Static, Engine, "the namespace of the pods; part of the keys of shuffle outputs";
    LOCAL_DIR = "spark.local.dir", Some("/tmp"), Text, Static, Engine, "scratch space";
    CHECKPOINT_DIR = "spark.checkpoint.dir", None, Text, Static, Nothing, "RDD checkpoints go where setCheckpointDir says, those of frames lie with cached rows";
    EVENT_LOG_ENABLED = "spark.eventLog.enabled", Some("false"), Bool, Static, Nothing, "events are logged";
    EVENT_LOG_DIR = "spark.eventLog.dir", None, Text, Static, Nothing, "where they are logged";
    UI_ENABLED = "spark.ui.enabled", Some("true"), Bool, Static, Nothing, "there is a web page";
    UI_PORT = "spark.ui.port", Some("4040"), Int, Static, Nothing, "its port";
    JARS = "spark.jars", None, Text, Static, Nothing, "libraries of the JVM; unused";
    REMOTE = "spark.remote", None, Text, Static, Engine, "address of the Spark Connect server";
    API_MODE = "spark.api.mode", Some("connect"), Text, Static, Client, "how scripts talk to the driver";
}

/// Keys of this form are the user's variables of Python workers.
pub const EXECUTOR_ENV: &str = "spark.executorEnv.";

/// The row of a key, if Firesteel knows it.
pub fn find(name: &str) -> Option<&'static ConfKey> {
    ALL.iter().copied().find(|key| key.name == name)
}

/// Says in the log that a setting changes nothing: nobody reads the key, and the value is not what holds anyway.
pub fn warn_if_without_effect(name: &str, value: &str) {
    if is_without_effect(name, value) {
        tracing::warn!("{name} has no effect: nothing here reads it");
    }
}

fn is_without_effect(name: &str, value: &str) -> bool {
    match find(name) {
        Some(key) => {
            let is_default = key.default.is_some_and(|default| default.eq_ignore_ascii_case(value));
            key.effect == Effect::Nothing && !is_default
        }
        None => name.starts_with("spark.") && !name.starts_with(EXECUTOR_ENV),
    }
}

#[cfg(test)]
mod tests {
    use super::is_without_effect;

    #[test]
    fn settings_without_effect_are_those_that_nobody_reads() {
        let settings = [
            ("spark.sql.shuffle.partitions", "7"),
            ("spark.jars", ""),
            ("my.own.key", "x"),
            ("spark.executorEnv.STAGE", "test"),
        ];
        for (name, value) in settings {
            assert_eq!(is_without_effect(name, value), name == "spark.jars", "{name}");
        }
        assert!(is_without_effect("spark.shufle.partitions", "7"));
        assert!(!is_without_effect("spark.sql.crossJoin.enabled", "TRUE"));
    }
}
