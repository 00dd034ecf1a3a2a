//! The one table of Spark's error classes: name, SQLSTATE, the exception Spark raises, our message.
//!
//! Names, SQLSTATEs and parameter names are Spark's; the sentences are ours. `<name>` is replaced by the parameter.

use serde::{Deserialize, Serialize};

/// A row of the table.
#[derive(Debug, PartialEq, Eq)]
pub struct ErrorClass {
    /// Spark's name, with its subclass after a dot.
    pub name: &'static str,
    /// Five characters, or empty where Spark gives none.
    pub sql_state: &'static str,
    /// The exception Spark raises for it, unless an error says otherwise.
    pub kind: ExceptionKind,
    /// Message with `<parameter>` in it.
    pub template: &'static str,
}

/// The JVM exceptions that the Python client tells apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ExceptionKind {
    /// The query's text is not SQL.
    Parse,
    /// The query does not fit the data's schema or the catalog.
    Analysis,
    /// Overflow, division by zero.
    Arithmetic,
    /// Text that is no number.
    NumberFormat,
    /// Text that is no date, or a date out of range.
    DateTime,
    /// Index beyond the end of an array.
    ArrayIndexOutOfBounds,
    /// A wrong argument.
    IllegalArgument,
    /// Something that is not supported.
    UnsupportedOperation,
    /// A failure while running with an error class.
    Runtime,
    /// A key that is not there.
    NoSuchElement,
    /// A setting whose meaning changed between versions.
    Upgrade,
    /// An exception in the user's Python function.
    Python,
    /// A failed query on a stream.
    StreamingQuery,
    /// Any other failure of a job.
    Spark,
    /// A Connect message that makes no sense.
    InvalidPlan,
}

impl ExceptionKind {
    /// The JVM class names, most derived first, as the Connect protocol wants them.
    pub fn jvm_classes(self) -> &'static [&'static str] {
        match self {
            Self::Parse => &[
                "org.apache.spark.sql.catalyst.parser.ParseException",
                "org.apache.spark.sql.AnalysisException",
                "java.lang.Exception",
            ],
            Self::Analysis => &["org.apache.spark.sql.AnalysisException", "java.lang.Exception"],
            Self::Arithmetic => {
                &["org.apache.spark.SparkArithmeticException", "java.lang.ArithmeticException", "java.lang.Exception"]
            }
            Self::NumberFormat => &[
                "org.apache.spark.SparkNumberFormatException",
                "java.lang.NumberFormatException",
                "java.lang.IllegalArgumentException",
            ],
            Self::DateTime => {
                &["org.apache.spark.SparkDateTimeException", "java.time.DateTimeException", "java.lang.Exception"]
            }
            Self::ArrayIndexOutOfBounds => {
                &["org.apache.spark.SparkArrayIndexOutOfBoundsException", "java.lang.ArrayIndexOutOfBoundsException"]
            }
            Self::IllegalArgument => {
                &["org.apache.spark.SparkIllegalArgumentException", "java.lang.IllegalArgumentException"]
            }
            Self::UnsupportedOperation => {
                &["org.apache.spark.SparkUnsupportedOperationException", "java.lang.UnsupportedOperationException"]
            }
            Self::Runtime => &["org.apache.spark.SparkRuntimeException", "java.lang.RuntimeException"],
            Self::NoSuchElement => {
                &["org.apache.spark.SparkNoSuchElementException", "java.util.NoSuchElementException"]
            }
            Self::Upgrade => &["org.apache.spark.SparkUpgradeException", "java.lang.RuntimeException"],
            Self::Python => &["org.apache.spark.api.python.PythonException", "java.lang.RuntimeException"],
            Self::StreamingQuery => &["org.apache.spark.sql.streaming.StreamingQueryException", "java.lang.Exception"],
            Self::Spark => &["org.apache.spark.SparkException", "java.lang.Exception"],
            Self::InvalidPlan => &["org.apache.spark.sql.connect.common.InvalidPlanInput", "java.lang.Exception"],
        }
    }
}

macro_rules! classes {
    ($($id:ident = $name:literal, $state:literal, $kind:ident, $template:literal;)*) => {
        $(
            #[doc = concat!("`", $name, "`")]
            pub static $id: ErrorClass =
                ErrorClass { name: $name, sql_state: $state, kind: ExceptionKind::$kind, template: $template };
        )*

        /// Every row, in the order of the table.
        pub static ALL: &[&ErrorClass] = &[$(&$id),*];
    };
}

classes! {
    // Defects and limits of ours.
    INTERNAL_ERROR = "INTERNAL_ERROR", "XX000", Spark, "a defect in the engine: <message>";
    UNSUPPORTED_FEATURE_FIRESTEEL = "UNSUPPORTED_FEATURE.FIRESTEEL", "0A000", UnsupportedOperation, "Firesteel does not support <feature>";
    FIRESTEEL_JOB_ABORTED = "FIRESTEEL_JOB_ABORTED", "", Spark, "the job was aborted: <reason>";
    STORAGE_FAILED = "FIRESTEEL_STORAGE_FAILED", "58030", Spark, "the storage failed: <reason>";

    // Python functions.
    PYTHON_EXCEPTION = "PYTHON_EXCEPTION", "", Python, "<msg>";
    PYTHON_WORKER_FAILED = "FIRESTEEL_PYTHON_WORKER_FAILED", "", Spark, "the Python worker failed: <reason>";
    UNSUPPORTED_FEATURE_PYTHON_UDF_IN_ON_CLAUSE = "UNSUPPORTED_FEATURE.PYTHON_UDF_IN_ON_CLAUSE", "0A000", Analysis, "a Python function of columns of both sides cannot stand in the ON clause of a <joinType> JOIN; an INNER JOIN with a filter above can do it";
    UNSUPPORTED_FEATURE_LAMBDA_FUNCTION_WITH_PYTHON_UDF = "UNSUPPORTED_FEATURE.LAMBDA_FUNCTION_WITH_PYTHON_UDF", "0A000", Analysis, "the Python function <funcName> cannot stand in a lambda";
    UNSUPPORTED_FEATURE_PANDAS_UDAF_IN_PIVOT = "UNSUPPORTED_FEATURE.PANDAS_UDAF_IN_PIVOT", "0A000", Analysis, "PIVOT does not take aggregates in Python";
    INVALID_PANDAS_UDF_PLACEMENT = "INVALID_PANDAS_UDF_PLACEMENT", "0A000", Analysis, "the Python aggregates <functionList> cannot stand beside aggregates that are not Python's";
    ARROW_TYPE_MISMATCH = "ARROW_TYPE_MISMATCH", "42K0G", Spark, "<operation> gave rows of the wrong schema: <outputTypes> was declared, not <actualDataTypes>";

    // Syntax.
    PARSE_SYNTAX_ERROR = "PARSE_SYNTAX_ERROR", "42601", Parse, "syntax error at or near <error><hint>";
    PARSE_EMPTY_STATEMENT = "PARSE_EMPTY_STATEMENT", "42617", Parse, "the statement is empty";
    UNCLOSED_BRACKETED_COMMENT = "UNCLOSED_BRACKETED_COMMENT", "42601", Parse, "a bracketed comment is not closed; end it with */";
    INVALID_IDENTIFIER = "INVALID_IDENTIFIER", "42602", Parse, "the name <ident> needs back-quotes around it";
    INVALID_TYPED_LITERAL = "INVALID_TYPED_LITERAL", "42604", Parse, "the value <value> does not fit a literal of type <valueType>";
    INVALID_NUMERIC_LITERAL_RANGE = "INVALID_NUMERIC_LITERAL_RANGE", "22003", Parse, "the number <rawStrippedQualifier> is outside the range of <typeName>, from <minValue> to <maxValue>";
    UNSUPPORTED_DATATYPE = "UNSUPPORTED_DATATYPE", "0A000", Analysis, "the data type <typeName> is not supported";

    // Names.
    UNRESOLVED_COLUMN_WITH_SUGGESTION = "UNRESOLVED_COLUMN.WITH_SUGGESTION", "42703", Analysis, "no column, variable or function parameter is called <objectName>; did you mean one of <proposal>?";
    UNRESOLVED_COLUMN_WITHOUT_SUGGESTION = "UNRESOLVED_COLUMN.WITHOUT_SUGGESTION", "42703", Analysis, "no column, variable or function parameter is called <objectName>";
    UNRESOLVED_FIELD_WITH_SUGGESTION = "UNRESOLVED_FIELD.WITH_SUGGESTION", "42703", Analysis, "the struct column <columnPath> has no field <fieldName>; did you mean one of <proposal>?";
    UNRESOLVED_USING_COLUMN_FOR_JOIN = "UNRESOLVED_USING_COLUMN_FOR_JOIN", "42703", Analysis, "the <side> side of the join has no USING column <colName>; it has <suggestion>";
    UNRESOLVED_ROUTINE = "UNRESOLVED_ROUTINE", "42883", Analysis, "no function is called <routineName> in <searchPath>";
    AMBIGUOUS_REFERENCE = "AMBIGUOUS_REFERENCE", "42704", Analysis, "the name <name> is ambiguous; it could be <referenceNames>";
    AMBIGUOUS_COLUMN_REFERENCE = "AMBIGUOUS_COLUMN_REFERENCE", "42702", Analysis, "the column <name> is ambiguous because it stands in several DataFrames of this join; give them aliases";
    CANNOT_RESOLVE_DATAFRAME_COLUMN = "CANNOT_RESOLVE_DATAFRAME_COLUMN", "42704", Analysis, "the DataFrame column <name> cannot be found below this operation";
    TABLE_OR_VIEW_NOT_FOUND = "TABLE_OR_VIEW_NOT_FOUND", "42P01", Analysis, "no table or view is called <relationName>";
    TABLE_OR_VIEW_ALREADY_EXISTS = "TABLE_OR_VIEW_ALREADY_EXISTS", "42P07", Analysis, "a table or view called <relationName> exists already";
    TEMP_TABLE_OR_VIEW_ALREADY_EXISTS = "TEMP_TABLE_OR_VIEW_ALREADY_EXISTS", "42P07", Analysis, "a temporary view called <relationName> exists already";
    SCHEMA_NOT_FOUND = "SCHEMA_NOT_FOUND", "42704", Analysis, "no schema is called <schemaName>";
    SCHEMA_ALREADY_EXISTS = "SCHEMA_ALREADY_EXISTS", "42P06", Analysis, "a schema called <schemaName> exists already";
    SCHEMA_NOT_EMPTY = "SCHEMA_NOT_EMPTY", "2BP01", Analysis, "the schema <schemaName> still holds objects; use CASCADE to drop them too";
    COLUMN_ALREADY_EXISTS = "COLUMN_ALREADY_EXISTS", "42711", Analysis, "the column <columnName> is there twice";

    // Types.
    DATATYPE_MISMATCH_BINARY_OP_DIFF_TYPES = "DATATYPE_MISMATCH.BINARY_OP_DIFF_TYPES", "42K09", Analysis, "cannot resolve <sqlExpr>: the operands of the operator have different types, <left> and <right>";
    DATATYPE_MISMATCH_BINARY_OP_WRONG_TYPE = "DATATYPE_MISMATCH.BINARY_OP_WRONG_TYPE", "42K09", Analysis, "cannot resolve <sqlExpr>: the operator needs operands of type <inputType>, not <actualDataType>";
    DATATYPE_MISMATCH_UNEXPECTED_INPUT_TYPE = "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE", "42K09", Analysis, "cannot resolve <sqlExpr>: the <paramIndex> parameter must be of type <requiredType>, but <inputSql> is of type <inputType>";
    DATATYPE_MISMATCH_DATA_DIFF_TYPES = "DATATYPE_MISMATCH.DATA_DIFF_TYPES", "42K09", Analysis, "cannot resolve <sqlExpr>: the arguments of <functionName> must be of one type, not <dataType>";
    DATATYPE_MISMATCH_CAST_WITHOUT_SUGGESTION = "DATATYPE_MISMATCH.CAST_WITHOUT_SUGGESTION", "42K09", Analysis, "cannot resolve <sqlExpr>: a value of type <srcType> cannot be cast to <targetType>";
    DATATYPE_MISMATCH_CAST_WITH_CONF_SUGGESTION = "DATATYPE_MISMATCH.CAST_WITH_CONF_SUGGESTION", "42K09", Analysis, "cannot resolve <sqlExpr>: a value of type <srcType> cannot be cast to <targetType> in ANSI mode; set <config> to <configVal> to allow it";
    DATATYPE_MISMATCH_CAST_WITH_FUNC_SUGGESTION = "DATATYPE_MISMATCH.CAST_WITH_FUNC_SUGGESTION", "42K09", Analysis, "cannot resolve <sqlExpr>: a value of type <srcType> cannot be cast to <targetType>; use the functions <functionNames> instead";
    DATATYPE_MISMATCH_FILTER_NOT_BOOLEAN = "DATATYPE_MISMATCH.FILTER_NOT_BOOLEAN", "42K09", Analysis, "cannot resolve <sqlExpr>: the condition <filter> must be boolean, not <type>";
    WRONG_NUM_ARGS_WITHOUT_SUGGESTION = "WRONG_NUM_ARGS.WITHOUT_SUGGESTION", "42605", Analysis, "the function <functionName> takes <expectedNum> arguments, not <actualNum>";
    INCOMPATIBLE_COLUMN_TYPE = "INCOMPATIBLE_COLUMN_TYPE", "42825", Analysis, "<operator> needs compatible types in both inputs, but the <columnOrdinalNumber> column of the <tableOrdinalNumber> table is <dataType1> and not <dataType2><hint>";
    NUM_COLUMNS_MISMATCH = "NUM_COLUMNS_MISMATCH", "42826", Analysis, "<operator> needs inputs of the same number of columns, but the first has <firstNumColumns> and the <invalidOrdinalNum> has <invalidNumColumns>";

    // Clauses.
    MISSING_AGGREGATION = "MISSING_AGGREGATION", "42803", Analysis, "the expression <expression> is neither grouped nor aggregated; group by it or use <expressionAnyValue>";
    MISSING_GROUP_BY = "MISSING_GROUP_BY", "42803", Analysis, "an aggregate stands beside plain columns without GROUP BY";
    GROUP_BY_AGGREGATE = "GROUP_BY_AGGREGATE", "42903", Analysis, "GROUP BY cannot hold the aggregate <sqlExpr>";
    GROUP_BY_POS_OUT_OF_RANGE = "GROUP_BY_POS_OUT_OF_RANGE", "42805", Analysis, "GROUP BY position <index> is not among the <size> items of the select list";
    ORDER_BY_POS_OUT_OF_RANGE = "ORDER_BY_POS_OUT_OF_RANGE", "42805", Analysis, "ORDER BY position <index> is not among the <size> items of the select list";
    NESTED_AGGREGATE_FUNCTION = "NESTED_AGGREGATE_FUNCTION", "42607", Analysis, "an aggregate cannot stand inside another aggregate; use a subquery";
    WINDOW_FUNCTION_WITHOUT_OVER_CLAUSE = "WINDOW_FUNCTION_WITHOUT_OVER_CLAUSE", "42601", Analysis, "the window function <funcName> needs an OVER clause";
    SCALAR_SUBQUERY_TOO_MANY_ROWS = "SCALAR_SUBQUERY_TOO_MANY_ROWS", "21000", Runtime, "a subquery that stands for one value gave more than one row";

    // Values.
    DIVIDE_BY_ZERO = "DIVIDE_BY_ZERO", "22012", Arithmetic, "division by zero; use try_divide to get NULL instead, or set <config> to false";
    REMAINDER_BY_ZERO = "REMAINDER_BY_ZERO", "22012", Arithmetic, "remainder by zero; use try_mod to get NULL instead, or set <config> to false";
    ARITHMETIC_OVERFLOW = "ARITHMETIC_OVERFLOW", "22003", Arithmetic, "<message>.<alternative> To go on regardless, set <config> to false";
    BINARY_ARITHMETIC_OVERFLOW = "BINARY_ARITHMETIC_OVERFLOW", "22003", Arithmetic, "<value1> <symbol> <value2> overflows; use <functionName> to get NULL instead";
    CHECKPOINT_RDD_BLOCK_ID_NOT_FOUND = "CHECKPOINT_RDD_BLOCK_ID_NOT_FOUND", "56000", Spark, "rows <rddBlockId> are lost, and what they were computed from was forgotten when they were checkpointed; cache() instead of a checkpoint keeps that";
    CAST_INVALID_INPUT = "CAST_INVALID_INPUT", "22018", NumberFormat, "the value <expression> of type <sourceType> cannot be cast to <targetType> because it is malformed; use try_cast to get NULL instead, or set <ansiConfig> to false";
    CAST_OVERFLOW = "CAST_OVERFLOW", "22003", Arithmetic, "the value <value> of type <sourceType> does not fit into <targetType>; use try_cast to get NULL instead, or set <ansiConfig> to false";
    NUMERIC_VALUE_OUT_OF_RANGE_WITH_SUGGESTION = "NUMERIC_VALUE_OUT_OF_RANGE.WITH_SUGGESTION", "22003", Arithmetic, "the value <value> does not fit DECIMAL(<precision>,<scale>); to get NULL instead, set <config> to false";
    INVALID_ARRAY_INDEX = "INVALID_ARRAY_INDEX", "22003", ArrayIndexOutOfBounds, "the index <indexValue> is outside the array's <arraySize> elements; use get to get NULL instead";
    INVALID_ARRAY_INDEX_IN_ELEMENT_AT = "INVALID_ARRAY_INDEX_IN_ELEMENT_AT", "22003", ArrayIndexOutOfBounds, "the index <indexValue> is outside the array's <arraySize> elements; use try_element_at to get NULL instead";
    INVALID_INDEX_OF_ZERO = "INVALID_INDEX_OF_ZERO", "22003", Runtime, "the index 0 is invalid; an index is below or above 0, and the first element is 1";
    USER_RAISED_EXCEPTION = "USER_RAISED_EXCEPTION", "P0001", Runtime, "<errorMessage>";
    CANNOT_PARSE_TIMESTAMP = "CANNOT_PARSE_TIMESTAMP", "22007", DateTime, "<message>; use <func> to get NULL instead";
    INVALID_FORMAT_ESC_AT_THE_END = "INVALID_FORMAT.ESC_AT_THE_END", "42601", Analysis, "the format <format> is invalid: the escape character cannot be the last one";
    INVALID_FORMAT_ESC_IN_THE_MIDDLE = "INVALID_FORMAT.ESC_IN_THE_MIDDLE", "42601", Analysis, "the format <format> is invalid: the escape character cannot stand before <char>";
    EXCEED_LIMIT_LENGTH = "EXCEED_LIMIT_LENGTH", "54006", Runtime, "the text is longer than the <limit> characters of its CHAR or VARCHAR column";
    DEFAULT_PLACEMENT_INVALID = "DEFAULT_PLACEMENT_INVALID", "42608", Analysis, "DEFAULT can only stand alone, as a value of an INSERT, UPDATE, MERGE or SET VARIABLE";
    INVALID_DEFAULT_VALUE_DATA_TYPE = "INVALID_DEFAULT_VALUE.DATA_TYPE", "42623", Analysis, "<statement>: the column <colName> is of type <expectedType>, but its default <defaultValue> is of type <actualType>";
    INVALID_DEFAULT_VALUE_SUBQUERY_EXPRESSION = "INVALID_DEFAULT_VALUE.SUBQUERY_EXPRESSION", "42623", Analysis, "<statement>: the default <defaultValue> of the column <colName> holds a subquery";
    INVALID_DEFAULT_VALUE_UNRESOLVED_EXPRESSION = "INVALID_DEFAULT_VALUE.UNRESOLVED_EXPRESSION", "42623", Analysis, "<statement>: the default <defaultValue> of the column <colName> cannot be resolved";
    INTERVAL_DIVIDED_BY_ZERO = "INTERVAL_DIVIDED_BY_ZERO", "22012", Arithmetic, "an interval is divided by zero; use try_divide to get NULL instead";
    DATETIME_WEEK_BASED_PATTERN = "INCONSISTENT_BEHAVIOR_CROSS_VERSION.DATETIME_WEEK_BASED_PATTERN", "42K0B", Upgrade, "Spark 3.0 and later have no week-based pattern letter <c>; use EXTRACT instead";
    DATETIME_PATTERN_RECOGNITION = "INCONSISTENT_BEHAVIOR_CROSS_VERSION.DATETIME_PATTERN_RECOGNITION", "42K0B", Upgrade, "Spark 3.0 and later cannot read the pattern <pattern>; set <config> to LEGACY for the older behaviour, or see <docroot>/sql-ref-datetime-pattern.html";
    INVALID_DATETIME_PATTERN_WITH_SUGGESTION = "INVALID_DATETIME_PATTERN.WITH_SUGGESTION", "22007", Runtime, "the datetime pattern <pattern> is invalid; valid ones are described at <docroot>/sql-ref-datetime-pattern.html";
    INVALID_DATETIME_PATTERN_LENGTH = "INVALID_DATETIME_PATTERN.LENGTH", "22007", IllegalArgument, "the datetime pattern <pattern> repeats a letter too often";
    INVALID_DATETIME_PATTERN_ILLEGAL_CHARACTER = "INVALID_DATETIME_PATTERN.ILLEGAL_CHARACTER", "22007", IllegalArgument, "the datetime pattern <pattern> holds the character <c>, which is not allowed there";
    INVALID_TIMEZONE = "INVALID_TIMEZONE", "22009", DateTime, "no time zone is called <timeZone>; give an offset or a region such as America/Los_Angeles";

    // Files and tables.
    PATH_NOT_FOUND = "PATH_NOT_FOUND", "42K03", Analysis, "the path does not exist: <path>";
    PATH_ALREADY_EXISTS = "PATH_ALREADY_EXISTS", "42K04", Analysis, "the path <outputPath> exists already; set mode to overwrite to replace it";
    UNABLE_TO_INFER_SCHEMA = "UNABLE_TO_INFER_SCHEMA", "42KD9", Analysis, "the schema of <format> cannot be inferred; give one";
    DATA_SOURCE_ALREADY_EXISTS = "DATA_SOURCE_ALREADY_EXISTS", "42710", Analysis, "a data source called <provider> is there already; another needs another name";
    PYTHON_DATA_SOURCE_ERROR = "PYTHON_DATA_SOURCE_ERROR", "38000", Analysis, "a Python data source failed to <action> its <type>: <msg>";
    UNSUPPORTED_DATA_SOURCE_SAVE_MODE = "UNSUPPORTED_DATA_SOURCE_SAVE_MODE", "0A000", Analysis, "the data source <source> cannot be written in the mode <createMode>; append and overwrite can";
    DATA_SOURCE_NOT_FOUND = "DATA_SOURCE_NOT_FOUND", "42K02", Analysis, "no data source is called <provider>";
    FAILED_READ_FILE_NO_HINT = "FAILED_READ_FILE.NO_HINT", "KD001", Spark, "the file <path> cannot be read";
    FAILED_READ_FILE_CANNOT_READ_FILE_FOOTER = "FAILED_READ_FILE.CANNOT_READ_FILE_FOOTER", "KD001", Spark, "the file <path> cannot be read: its end, which holds its schema, is missing or broken";
    FAILED_READ_FILE_FILE_NOT_EXIST = "FAILED_READ_FILE.FILE_NOT_EXIST", "KD001", Spark, "the file <path> does not exist any more; refresh the table if it was replaced";
    MALFORMED_RECORD_IN_PARSING_WITHOUT_SUGGESTION = "MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION", "22023", Spark, "the record <badRecord> is malformed and the parse mode is <failFastMode>";
    CANNOT_MERGE_INCOMPATIBLE_DATA_TYPE = "CANNOT_MERGE_INCOMPATIBLE_DATA_TYPE", "42825", Spark, "the types <left> and <right> do not go together";
    CONFLICTING_PARTITION_COLUMN_NAMES = "CONFLICTING_PARTITION_COLUMN_NAMES", "KD009", Spark, "directories disagree about the partition columns: <distinctPartColLists>; directories with files under them: <suspiciousPaths>";
    CONFLICTING_DIRECTORY_STRUCTURES = "CONFLICTING_DIRECTORY_STRUCTURES", "KD009", Spark, "partitioned directories start at several places: <discoveredBasePaths>; set basePath to their common root, or read them apart";
    FAILED_READ_FILE_PARQUET_COLUMN_DATA_TYPE_MISMATCH = "FAILED_READ_FILE.PARQUET_COLUMN_DATA_TYPE_MISMATCH", "KD001", Spark, "the file <path> cannot be read: the column <column> is <actualType> in the file, but <expectedType> was expected";
    UNSUPPORTED_DATA_TYPE_FOR_DATASOURCE = "UNSUPPORTED_DATA_TYPE_FOR_DATASOURCE", "0A000", Analysis, "the format <format> cannot hold the column <columnName> of type <columnType>";
    ALL_PARTITION_COLUMNS_NOT_ALLOWED = "ALL_PARTITION_COLUMNS_NOT_ALLOWED", "KD005", Analysis, "not all columns can be partition columns";
    TASK_WRITE_FAILED = "TASK_WRITE_FAILED", "58030", Spark, "writing rows to <path> failed";
    UNABLE_TO_ACQUIRE_MEMORY = "UNABLE_TO_ACQUIRE_MEMORY", "53200", Spark, "out of execution memory: <message>";

    // Configuration and Connect.
    SQL_CONF_NOT_FOUND = "SQL_CONF_NOT_FOUND", "42K0I", NoSuchElement, "the configuration <sqlConf> has neither a value nor a default";
    CANNOT_MODIFY_STATIC_CONFIG = "CANNOT_MODIFY_STATIC_CONFIG", "46110", Analysis, "the configuration <key> is static and cannot be changed while the application runs";
    INVALID_CONF_VALUE_TYPE_MISMATCH = "INVALID_CONF_VALUE.TYPE_MISMATCH", "22022", IllegalArgument, "the value <confValue> of <confName> must be of type <confType>";
    OPERATION_CANCELED = "OPERATION_CANCELED", "HY008", Spark, "the operation was cancelled";
    INVALID_HANDLE_OPERATION_NOT_FOUND = "INVALID_HANDLE.OPERATION_NOT_FOUND", "HY000", Spark, "the handle <handle> is invalid: no such operation";
    INVALID_HANDLE_OPERATION_ALREADY_EXISTS = "INVALID_HANDLE.OPERATION_ALREADY_EXISTS", "HY000", Spark, "the handle <handle> is invalid: the operation exists already";
    INVALID_HANDLE_SESSION_NOT_FOUND = "INVALID_HANDLE.SESSION_NOT_FOUND", "HY000", Spark, "the handle <handle> is invalid: no such session";
    INVALID_HANDLE_FORMAT = "INVALID_HANDLE.FORMAT", "HY000", Spark, "the handle <handle> is invalid: it must be a UUID";
    CANNOT_MODIFY_CONFIG = "CANNOT_MODIFY_CONFIG", "46110", Analysis, "the configuration <key> belongs to the application and cannot be changed while it runs<docroot>";
    INVALID_CONF_VALUE_TIME_ZONE = "INVALID_CONF_VALUE.TIME_ZONE", "22022", IllegalArgument, "the value <confValue> of <confName> is no time zone";
    INVALID_HANDLE_OPERATION_ABANDONED = "INVALID_HANDLE.OPERATION_ABANDONED", "HY000", Spark, "the handle <handle> is invalid: the operation was given up because no client asked for it";
    INVALID_HANDLE_SESSION_CLOSED = "INVALID_HANDLE.SESSION_CLOSED", "HY000", Spark, "the handle <handle> is invalid: the session is closed";
    INVALID_HANDLE_SESSION_CHANGED = "INVALID_HANDLE.SESSION_CHANGED", "HY000", Spark, "the handle <handle> is invalid: the server has another session than the client knew";
    INVALID_CURSOR_DISCONNECTED = "INVALID_CURSOR.DISCONNECTED", "HY109", Spark, "the cursor is invalid: another client took over the result";
    INVALID_CURSOR_NOT_REATTACHABLE = "INVALID_CURSOR.NOT_REATTACHABLE", "HY109", Spark, "the cursor is invalid: the operation was not started as reattachable";
    INVALID_CURSOR_POSITION_NOT_AVAILABLE = "INVALID_CURSOR.POSITION_NOT_AVAILABLE", "HY109", Spark, "the cursor is invalid: response <responseId> at position <index> is no longer kept; the last one dropped is <responseIndex>";
    INVALID_CURSOR_POSITION_NOT_FOUND = "INVALID_CURSOR.POSITION_NOT_FOUND", "HY109", Spark, "the cursor is invalid: there is no response <responseId>";
    INVALID_ATTRIBUTE_NAME_SYNTAX = "INVALID_ATTRIBUTE_NAME_SYNTAX", "42604", Analysis, "the name <name> has unbalanced or misplaced back-quotes or an empty part";
    FIRESTEEL_INVALID_MESSAGE = "FIRESTEEL_INVALID_MESSAGE", "56K00", InvalidPlan, "the client's message makes no sense: <message>";
    FIRESTEEL_LIMIT_EXCEEDED = "FIRESTEEL_LIMIT_EXCEEDED", "54000", Spark, "the server's limit on <what> is reached: <limit>";
    ARTIFACT_ALREADY_EXISTS = "ARTIFACT_ALREADY_EXISTS", "42713", Runtime, "the artifact <normalizedRemoteRelativePath> exists already with other content";
    INVALID_CLONE_SESSION_REQUEST_TARGET_SESSION_ID_ALREADY_EXISTS = "INVALID_CLONE_SESSION_REQUEST.TARGET_SESSION_ID_ALREADY_EXISTS", "42K04", Spark, "the session cannot be cloned: the session <targetSessionId> exists already";
    INVALID_CLONE_SESSION_REQUEST_TARGET_SESSION_ID_ALREADY_CLOSED = "INVALID_CLONE_SESSION_REQUEST.TARGET_SESSION_ID_ALREADY_CLOSED", "42K04", Spark, "the session cannot be cloned: the session <targetSessionId> is closed";
    INVALID_CLONE_SESSION_REQUEST_INVALID_TARGET_SESSION_ID = "INVALID_CLONE_SESSION_REQUEST.INVALID_TARGET_SESSION_ID", "42K04", Spark, "the session cannot be cloned: <targetSessionId> is no UUID";
    CONNECT_INVALID_PLAN = "CONNECT_INVALID_PLAN.CANNOT_PARSE", "56K00", InvalidPlan, "the plan cannot be read: <errorMsg>";

    // Parsing.
    INCOMPLETE_TYPE_DEFINITION = "INCOMPLETE_TYPE_DEFINITION.ARRAY", "42K01", Parse, "the type needs its element types in angle brackets, as in <elementType>";
    FROM_TO_INTERVAL_UNSUPPORTED = "_LEGACY_ERROR_TEMP_0028", "", Parse, "intervals from <startField> to <endField> do not exist";
    DATATYPE_MISSING_SIZE = "DATATYPE_MISSING_SIZE", "42K01", Parse, "the type <type> needs a length, as in <type>(10)";
    UNSUPPORTED_TIME_PRECISION = "UNSUPPORTED_TIME_PRECISION", "0A001", Analysis, "TIME takes a precision from 0 to 6, not <precision>";
    DECIMAL_PRECISION_EXCEEDS_MAX_PRECISION = "DECIMAL_PRECISION_EXCEEDS_MAX_PRECISION", "22003", Arithmetic, "a decimal of <precision> digits has more than the <maxPrecision> there can be";
    DECIMAL_SCALE_EXCEEDS_PRECISION = "_LEGACY_ERROR_TEMP_1228", "", Analysis, "the decimal's scale <scale> is greater than its precision <precision>";
    DUPLICATE_CLAUSES = "DUPLICATE_CLAUSES", "42614", Parse, "the clause <clauseName> stands twice; remove one";
    FAILED_TO_PARSE_TOO_COMPLEX = "FAILED_TO_PARSE_TOO_COMPLEX", "54001", Parse, "the statement nests too deeply to be parsed";
    IDENTIFIER_TOO_MANY_NAME_PARTS = "IDENTIFIER_TOO_MANY_NAME_PARTS", "42601", Parse, "the name <identifier> has more than <limit> parts";
    INVALID_ESCAPE_CHAR = "INVALID_ESCAPE_CHAR", "42604", Parse, "the escape character must be one character, not <sqlExpr>";
    INVALID_SQL_SYNTAX_EMPTY_IN_PREDICATE = "INVALID_SQL_SYNTAX.EMPTY_IN_PREDICATE", "42000", Parse, "the list of IN must not be empty";
    INVALID_SQL_SYNTAX_REPETITIVE_WINDOW_DEFINITION = "INVALID_SQL_SYNTAX.REPETITIVE_WINDOW_DEFINITION", "42000", Parse, "the window <windowName> is defined twice";
    INVALID_SQL_SYNTAX_EMPTY_PARTITION_VALUE = "INVALID_SQL_SYNTAX.EMPTY_PARTITION_VALUE", "42000", Parse, "the partition key <partKey> needs a value";
    INVALID_SQL_SYNTAX_VARIABLE_TYPE_OR_DEFAULT_REQUIRED = "INVALID_SQL_SYNTAX.VARIABLE_TYPE_OR_DEFAULT_REQUIRED", "42000", Parse, "the variable needs a type or a DEFAULT";
    INVALID_SQL_SYNTAX_CREATE_TEMP_FUNC_WITH_IF_NOT_EXISTS = "INVALID_SQL_SYNTAX.CREATE_TEMP_FUNC_WITH_IF_NOT_EXISTS", "42000", Parse, "a temporary function cannot be made with IF NOT EXISTS";
    INVALID_SQL_SYNTAX_CREATE_ROUTINE_WITH_IF_NOT_EXISTS_AND_REPLACE = "INVALID_SQL_SYNTAX.CREATE_ROUTINE_WITH_IF_NOT_EXISTS_AND_REPLACE", "42000", Parse, "IF NOT EXISTS and REPLACE cannot stand together";
    INVALID_SQL_SYNTAX_CREATE_FUNC_WITH_GENERATED_COLUMNS = "INVALID_SQL_SYNTAX.CREATE_FUNC_WITH_GENERATED_COLUMNS_AS_PARAMETERS", "42000", Parse, "a function's parameter cannot be a generated column";
    INVALID_SQL_SYNTAX_CREATE_FUNC_WITH_COLUMN_CONSTRAINTS = "INVALID_SQL_SYNTAX.CREATE_FUNC_WITH_COLUMN_CONSTRAINTS", "42000", Parse, "a function's parameter cannot have constraints";
    INVALID_PARAMETER_VALUE_DATETIME_UNIT = "INVALID_PARAMETER_VALUE.DATETIME_UNIT", "22023", Parse, "the parameter <parameter> of <functionName> is a unit such as YEAR or DAY without quotes, not <invalidValue>";
    UNSUPPORTED_TYPED_LITERAL = "UNSUPPORTED_TYPED_LITERAL", "0A000", Parse, "there are no literals of type <unsupportedType>; there are <supportedTypes>";
    DUPLICATED_CTE_NAMES = "DUPLICATED_CTE_NAMES", "42602", Parse, "WITH names <duplicateNames> twice";
    INVALID_INTERVAL_FORMAT_ARITHMETIC_EXCEPTION = "INVALID_INTERVAL_FORMAT.ARITHMETIC_EXCEPTION", "22006", Parse, "the interval <input> is too large or malformed";
    INVALID_INTERVAL_FORMAT_INTERVAL_PARSING = "INVALID_INTERVAL_FORMAT.INTERVAL_PARSING", "22006", Parse, "the <interval> interval <input> cannot be read";
    INVALID_INTERVAL_FORMAT_UNMATCHED_FORMAT_STRING = "INVALID_INTERVAL_FORMAT.UNMATCHED_FORMAT_STRING", "22006", Parse, "the <intervalStr> interval <input> must have the form <supportedFormat> to be an <typeName>";
    INVALID_INTERVAL_FORMAT_UNMATCHED_FORMAT_STRING_WITH_NOTICE = "INVALID_INTERVAL_FORMAT.UNMATCHED_FORMAT_STRING_WITH_NOTICE", "22006", Parse, "the <intervalStr> interval <input> must have the form <supportedFormat> to be an <typeName>";
    INVALID_INTERVAL_FORMAT_UNSUPPORTED_FROM_TO_EXPRESSION = "INVALID_INTERVAL_FORMAT.UNSUPPORTED_FROM_TO_EXPRESSION", "22006", Parse, "the interval <input> cannot reach from <from> to <to>";
    INVALID_INTERVAL_FORMAT_TIMEZONE_INTERVAL_OUT_OF_RANGE = "INVALID_INTERVAL_FORMAT.TIMEZONE_INTERVAL_OUT_OF_RANGE", "22006", Parse, "a time zone's offset lies between -18 and +18 hours, not at <input>";
    INVALID_INLINE_TABLE_NUM_COLUMNS_MISMATCH = "INVALID_INLINE_TABLE.NUM_COLUMNS_MISMATCH", "42000", Analysis, "row <rowIndex> of VALUES has <actualNumCols> columns, not <expectedNumCols>";
    INVALID_TEMP_OBJ_REFERENCE = "INVALID_TEMP_OBJ_REFERENCE", "42K0F", Analysis, "the stored <obj> <objName> cannot use the temporary <tempObj> <tempObjName>";
    FEATURE_NOT_ENABLED = "FEATURE_NOT_ENABLED", "56038", Parse, "<featureName> is switched off; set <configKey> to <configValue> to use it";
    INCOMPATIBLE_VIEW_SCHEMA_CHANGE = "INCOMPATIBLE_VIEW_SCHEMA_CHANGE", "51024", Analysis, "the query of the view <viewName> should have <expectedNum> columns called <colName> but has <actualCols>; make the view anew: <suggestion>";
    CANNOT_UP_CAST_DATATYPE = "CANNOT_UP_CAST_DATATYPE", "42846", Analysis, "<expression> of type <sourceType> does not fit into <targetType>. <details>";
    INVALID_TEMP_OBJ_QUALIFIER = "INVALID_TEMP_OBJ_QUALIFIER", "42602", Parse, "the temporary <objectType> <objectName> cannot be in <qualifier>";
    INVALID_SET_SYNTAX = "INVALID_SET_SYNTAX", "42000", Parse, "SET takes a key, a key and a value as in key=value, or nothing; keys with other characters need back-quotes";
    INCOMPATIBLE_JOIN_TYPES = "INCOMPATIBLE_JOIN_TYPES", "42613", Parse, "a join cannot be both <joinType1> and <joinType2>";
    UNSUPPORTED_FEATURE_LATERAL_JOIN_USING = "UNSUPPORTED_FEATURE.LATERAL_JOIN_USING", "0A000", Parse, "a LATERAL join cannot have USING";
    UNSUPPORTED_FEATURE_TRANSFORM_DISTINCT_ALL = "UNSUPPORTED_FEATURE.TRANSFORM_DISTINCT_ALL", "0A000", Parse, "TRANSFORM takes neither DISTINCT nor ALL";
    UNSUPPORTED_FEATURE_COMBINATION_QUERY_RESULT_CLAUSES = "UNSUPPORTED_FEATURE.COMBINATION_QUERY_RESULT_CLAUSES", "0A000", Parse, "ORDER BY, SORT BY, CLUSTER BY and DISTRIBUTE BY cannot be combined so";
    UNSUPPORTED_FEATURE_PIPE_OPERATOR_AGGREGATE_UNSUPPORTED_CASE = "UNSUPPORTED_FEATURE.PIPE_OPERATOR_AGGREGATE_UNSUPPORTED_CASE", "0A000", Parse, "|> AGGREGATE does not take <case>";
    UNSUPPORTED_FEATURE_DESC_TABLE_COLUMN_JSON = "UNSUPPORTED_FEATURE.DESC_TABLE_COLUMN_JSON", "0A000", Parse, "a single column cannot be described AS JSON";
    MULTIPLE_QUERY_RESULT_CLAUSES_WITH_PIPE_OPERATORS = "MULTIPLE_QUERY_RESULT_CLAUSES_WITH_PIPE_OPERATORS", "42000", Parse, "<clause1> and <clause2> need a |> of their own each";
    NOT_ALLOWED_IN_PIPE_OPERATOR_WHERE_WINDOW_CLAUSE = "NOT_ALLOWED_IN_PIPE_OPERATOR_WHERE.WINDOW_CLAUSE", "42601", Parse, "|> WHERE cannot have a WINDOW clause";
    NOT_ALLOWED_IN_FROM_UNPIVOT_WITH_PIVOT = "NOT_ALLOWED_IN_FROM.UNPIVOT_WITH_PIVOT", "42601", Parse, "one FROM cannot have both PIVOT and UNPIVOT";
    EXEC_IMMEDIATE_DUPLICATE_ARGUMENT_ALIASES = "EXEC_IMMEDIATE_DUPLICATE_ARGUMENT_ALIASES", "42701", Parse, "USING names <aliases> twice";
    DESCRIBE_JSON_NOT_EXTENDED = "DESCRIBE_JSON_NOT_EXTENDED", "0A000", Parse, "DESCRIBE .. AS JSON needs EXTENDED";
    LEGACY_ERROR_TEMP_0014 = "_LEGACY_ERROR_TEMP_0014", "", Parse, "TABLESAMPLE needs what to take";
    LEGACY_ERROR_TEMP_0015 = "_LEGACY_ERROR_TEMP_0015", "", Parse, "TABLESAMPLE (<msg>) is not supported";
    LEGACY_ERROR_TEMP_0016 = "_LEGACY_ERROR_TEMP_0016", "", Parse, "<bytesStr> is no size; use something like 10 PERCENT or 10 ROWS";
    LEGACY_ERROR_TEMP_0024 = "_LEGACY_ERROR_TEMP_0024", "", Parse, "one interval can have only one range from a unit to a unit";
    LEGACY_ERROR_TEMP_0026 = "_LEGACY_ERROR_TEMP_0026", "", Parse, "the value <value> of an interval's unit must be a number";
    LEGACY_ERROR_TEMP_0027 = "_LEGACY_ERROR_TEMP_0027", "", Parse, "the value of an interval from a unit to a unit must be a string";
    LEGACY_ERROR_TEMP_0029 = "_LEGACY_ERROR_TEMP_0029", "", Parse, "an interval cannot mix years or months with days or times: <literal>";
    LEGACY_ERROR_TEMP_0035 = "_LEGACY_ERROR_TEMP_0035", "", Parse, "not allowed: <message>";
    LEGACY_ERROR_TEMP_0045 = "_LEGACY_ERROR_TEMP_0045", "", Parse, "SET TIME ZONE takes a zone in quotes, LOCAL or an interval";
    LEGACY_ERROR_TEMP_0051 = "_LEGACY_ERROR_TEMP_0051", "", Parse, "<element> cannot have an empty set";
    LEGACY_ERROR_TEMP_0063 = "_LEGACY_ERROR_TEMP_0063", "", Parse, "<msg>";
    LEGACY_ERROR_TEMP_0064 = "_LEGACY_ERROR_TEMP_0064", "", Parse, "<msg>";

    // Functions.
    DATATYPE_MISMATCH_NON_FOLDABLE_INPUT = "DATATYPE_MISMATCH.NON_FOLDABLE_INPUT", "42K09", Analysis, "cannot resolve <sqlExpr>: the argument <inputName> must be a constant of type <inputType>, not <inputExpr>";
    DATATYPE_MISMATCH_VALUE_OUT_OF_RANGE = "DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE", "42K09", Analysis, "cannot resolve <sqlExpr>: <exprName> must lie within <valueRange>, not <currentValue>";
    DATATYPE_MISMATCH_PARAMETER_CONSTRAINT_VIOLATION = "DATATYPE_MISMATCH.PARAMETER_CONSTRAINT_VIOLATION", "42K09", Analysis, "cannot resolve <sqlExpr>: <leftExprName> is <leftExprValue>, but must be <constraint> <rightExprName>, which is <rightExprValue>";
    MULTIPLE_TIME_WINDOWS = "_LEGACY_ERROR_TEMP_1039", "", Analysis, "one query cannot put its rows into two kinds of windows of time";
    DATATYPE_MISMATCH_ARRAY_FUNCTION_DIFF_TYPES = "DATATYPE_MISMATCH.ARRAY_FUNCTION_DIFF_TYPES", "42K09", Analysis, "cannot resolve <sqlExpr>: <functionName> takes an ARRAY and a value of its element type, not <leftType> and <rightType>";
    DATATYPE_MISMATCH_MAP_FUNCTION_DIFF_TYPES = "DATATYPE_MISMATCH.MAP_FUNCTION_DIFF_TYPES", "42K09", Analysis, "cannot resolve <sqlExpr>: <functionName> takes MAPs of one type, not <dataType>";
    DATATYPE_MISMATCH_CREATE_MAP_KEY_DIFF_TYPES = "DATATYPE_MISMATCH.CREATE_MAP_KEY_DIFF_TYPES", "42K09", Analysis, "cannot resolve <sqlExpr>: the keys of <functionName> must be of one type, not <dataType>";
    DATATYPE_MISMATCH_CREATE_MAP_VALUE_DIFF_TYPES = "DATATYPE_MISMATCH.CREATE_MAP_VALUE_DIFF_TYPES", "42K09", Analysis, "cannot resolve <sqlExpr>: the values of <functionName> must be of one type, not <dataType>";
    DATATYPE_MISMATCH_UNEXPECTED_RETURN_TYPE = "DATATYPE_MISMATCH.UNEXPECTED_RETURN_TYPE", "42K09", Analysis, "cannot resolve <sqlExpr>: <functionName> must return <expectedType>, not <actualType>";
    DATATYPE_MISMATCH_INVALID_ORDERING_TYPE = "DATATYPE_MISMATCH.INVALID_ORDERING_TYPE", "42K09", Analysis, "cannot resolve <sqlExpr>: <functionName> cannot order values of type <dataType>";
    WRONG_NUM_ARGS_WITH_SUGGESTION = "WRONG_NUM_ARGS.WITH_SUGGESTION", "42605", Analysis, "the function <functionName> takes <expectedNum> arguments, not <actualNum>";
    INVALID_WITHIN_GROUP_EXPRESSION_WITHIN_GROUP_MISSING = "INVALID_WITHIN_GROUP_EXPRESSION.WITHIN_GROUP_MISSING", "42K0K", Analysis, "the aggregate <funcName> needs WITHIN GROUP (ORDER BY ..)";
    INVALID_LAMBDA_FUNCTION_CALL_NUM_ARGS_MISMATCH = "INVALID_LAMBDA_FUNCTION_CALL.NUM_ARGS_MISMATCH", "42K0D", Analysis, "a lambda of <expectedNumArgs> parameters stands where one of <actualNumArgs> is needed";
    INTERVAL_ARITHMETIC_OVERFLOW_WITH_SUGGESTION = "INTERVAL_ARITHMETIC_OVERFLOW.WITH_SUGGESTION", "22015", Arithmetic, "an interval overflows; use <functionName> to get NULL instead";
    INTERVAL_ARITHMETIC_OVERFLOW_WITHOUT_SUGGESTION = "INTERVAL_ARITHMETIC_OVERFLOW.WITHOUT_SUGGESTION", "22015", Arithmetic, "an interval overflows";
    DATETIME_OVERFLOW = "DATETIME_OVERFLOW", "22008", Arithmetic, "the date or timestamp is out of range: <operation>";
    DATETIME_FIELD_OUT_OF_BOUNDS = "DATETIME_FIELD_OUT_OF_BOUNDS.WITH_SUGGESTION", "22023", DateTime, "<rangeMessage>; to get NULL instead, set <ansiConfig> to false";
    DATETIME_FIELD_OUT_OF_BOUNDS_WITHOUT_SUGGESTION = "DATETIME_FIELD_OUT_OF_BOUNDS.WITHOUT_SUGGESTION", "22023", DateTime, "<rangeMessage>";
    INVALID_WINDOW_SPEC_FOR_AGGREGATION_FUNC = "INVALID_WINDOW_SPEC_FOR_AGGREGATION_FUNC", "42601", Analysis, "<aggFunc> orders its values itself: its window can have neither ORDER BY nor a frame";
    INVALID_FRACTION_OF_SECOND = "INVALID_FRACTION_OF_SECOND", "22023", DateTime, "second 60 has no fraction, but <secAndMicros> was given; use try_make_timestamp to get NULL instead";
    MALFORMED_CHARACTER_CODING = "MALFORMED_CHARACTER_CODING", "22000", Runtime, "<function> met what has no place in the character set <charset>";
    NON_FOLDABLE_ARGUMENT = "NON_FOLDABLE_ARGUMENT", "42K08", Analysis, "the parameter <paramName> of <funcName> must be a constant of type <paramType>";
    INVALID_WITHIN_GROUP_EXPRESSION_DISTINCT_UNSUPPORTED = "INVALID_WITHIN_GROUP_EXPRESSION.DISTINCT_UNSUPPORTED", "42K0K", Analysis, "<funcName> with WITHIN GROUP cannot have DISTINCT";
    INVALID_WITHIN_GROUP_EXPRESSION_WRONG_NUM_ORDERINGS = "INVALID_WITHIN_GROUP_EXPRESSION.WRONG_NUM_ORDERINGS", "42K0K", Analysis, "<funcName> takes <expectedNum> expressions after WITHIN GROUP (ORDER BY, not <actualNum>";
    DATATYPE_MISMATCH_UNEXPECTED_NULL = "DATATYPE_MISMATCH.UNEXPECTED_NULL", "42K09", Analysis, "cannot resolve <sqlExpr>: <exprName> must not be NULL";
    INVALID_OPTIONS_NON_MAP_FUNCTION = "INVALID_OPTIONS.NON_MAP_FUNCTION", "42K06", Analysis, "options are given by the map() function";
    INVALID_OPTIONS_NON_STRING_TYPE = "INVALID_OPTIONS.NON_STRING_TYPE", "42K06", Analysis, "keys and values of options are STRINGs, not those of <mapType>";
    INVALID_SCHEMA_NON_STRING_LITERAL = "INVALID_SCHEMA.NON_STRING_LITERAL", "42K07", Analysis, "a schema is a constant text, not <inputSchema>";
    INVALID_SCHEMA_NON_STRUCT_TYPE = "INVALID_SCHEMA.NON_STRUCT_TYPE", "42K07", Analysis, "the schema <inputSchema> must be of a STRUCT, not of <dataType>";
    CANNOT_PARSE_TIME = "CANNOT_PARSE_TIME", "22010", Runtime, "the text <input> is no TIME of the format <format>";
    INVALID_PARAMETER_VALUE_TIME_UNIT = "INVALID_PARAMETER_VALUE.TIME_UNIT", "22023", IllegalArgument, "the parameter <parameter> of <functionName> is one of 'HOUR', 'MINUTE', 'SECOND', 'MILLISECOND', 'MICROSECOND', not <invalidValue>";
    INVALID_PARAMETER_VALUE_AES_KEY_LENGTH = "INVALID_PARAMETER_VALUE.AES_KEY_LENGTH", "22023", Runtime, "the parameter <parameter> of <functionName> is a key of 16, 24 or 32 bytes, not of <actualLength>";
    INVALID_PARAMETER_VALUE_AES_IV_LENGTH = "INVALID_PARAMETER_VALUE.AES_IV_LENGTH", "22023", Runtime, "the parameter <parameter> of <functionName> has 16 bytes for CBC and 12 for GCM, not <actualLength> for <mode>";
    INVALID_PARAMETER_VALUE_AES_CRYPTO_ERROR = "INVALID_PARAMETER_VALUE.AES_CRYPTO_ERROR", "22023", Runtime, "the parameter <parameter> of <functionName> cannot be used: <detailMessage>";
    UNSUPPORTED_FEATURE_AES_MODE = "UNSUPPORTED_FEATURE.AES_MODE", "0A000", Runtime, "AES with the mode <mode> and the padding <padding> is not supported by <functionName>";
    UNSUPPORTED_FEATURE_AES_MODE_IV = "UNSUPPORTED_FEATURE.AES_MODE_IV", "0A000", Runtime, "<functionName> takes no initialization vector in the mode <mode>";
    UNSUPPORTED_FEATURE_AES_MODE_AAD = "UNSUPPORTED_FEATURE.AES_MODE_AAD", "0A000", Runtime, "<functionName> takes no additional data in the mode <mode>";
    VECTOR_DIMENSION_MISMATCH = "VECTOR_DIMENSION_MISMATCH", "22000", Runtime, "<functionName> needs vectors of one length, not of <leftDim> and <rightDim>";
    INVALID_VECTOR_NORM_DEGREE = "INVALID_VECTOR_NORM_DEGREE", "22023", Runtime, "<functionName> knows the degrees 1.0, 2.0 and float('inf'), not <degree>";
    INVALID_BITMAP_POSITION = "INVALID_BITMAP_POSITION", "22003", Runtime, "the position <bitPosition>, counted from 0, is outside of a bitmap of <bitmapNumBits> bits (<bitmapNumBytes> bytes)";
    COLLATION_INVALID_NAME = "COLLATION_INVALID_NAME", "42704", Runtime, "no collation is called <collationName>; near it are [<proposals>]";
    INVALID_VARIANT_CAST = "INVALID_VARIANT_CAST", "22023", Runtime, "the variant value `<value>` is no `<dataType>`; use `try_variant_get` to get NULL instead";
    INVALID_VARIANT_GET_PATH = "INVALID_VARIANT_GET_PATH", "22023", Runtime, "`<path>` is no path of `<functionName>`: such a path is `$` followed by `[123]`, `.name`, `['name']` or `[\"name\"]`";
    MALFORMED_VARIANT = "MALFORMED_VARIANT", "22023", Runtime, "the bytes are no VARIANT";
    VARIANT_DUPLICATE_KEY = "VARIANT_DUPLICATE_KEY", "22023", Runtime, "an object of a VARIANT has the key `<key>` twice";
    MULTI_SOURCES_UNSUPPORTED_FOR_EXPRESSION = "MULTI_SOURCES_UNSUPPORTED_FOR_EXPRESSION", "42K0E", Analysis, "<expr> over several sources of rows could mean any of them";
    WKB_PARSE_ERROR = "WKB_PARSE_ERROR", "22023", IllegalArgument, "the bytes are no shape in well-known binary: <parseError> at position <pos>";
    ST_INVALID_SRID_VALUE = "ST_INVALID_SRID_VALUE", "22023", IllegalArgument, "no system of coordinates has the number <srid> here";
    ST_INVALID_ENDIANNESS_VALUE = "ST_INVALID_ENDIANNESS_VALUE", "22023", IllegalArgument, "'<endianness>' is no order of bytes: it has to be 'NDR' or 'XDR'";
    DATATYPE_MISMATCH_UNEXPECTED_CLASS_TYPE = "DATATYPE_MISMATCH.UNEXPECTED_CLASS_TYPE", "42K09", Analysis, "cannot resolve <sqlExpr>: the class <className> is not there; without a JVM only a few classes of Java's own are, see docs/sql.md";
    DATATYPE_MISMATCH_UNEXPECTED_STATIC_METHOD = "DATATYPE_MISMATCH.UNEXPECTED_STATIC_METHOD", "42K09", Analysis, "cannot resolve <sqlExpr>: <className> has no static method <methodName> for these arguments; without a JVM only a few methods of Java's own are there, see docs/sql.md";
    VARIANT_SIZE_LIMIT = "VARIANT_SIZE_LIMIT", "22023", Runtime, "<functionName> cannot build a VARIANT larger than <sizeLimit>";
    MALFORMED_RECORD_IN_PARSING_CANNOT_PARSE_JSON_ARRAYS_AS_STRUCTS = "MALFORMED_RECORD_IN_PARSING.CANNOT_PARSE_JSON_ARRAYS_AS_STRUCTS", "22023", Runtime, "the record <badRecord> is malformed: an array of JSON cannot be read as a struct (mode <failFastMode>)";
    HLL_INVALID_INPUT_SKETCH_BUFFER = "HLL_INVALID_INPUT_SKETCH_BUFFER", "22546", Runtime, "<function> takes only HLL sketches, such as hll_sketch_agg makes";
    HLL_INVALID_LG_K = "HLL_INVALID_LG_K", "22546", Runtime, "<function> takes an lgConfigK from <min> to <max>, not <value>";
    HLL_K_MUST_BE_CONSTANT = "HLL_K_MUST_BE_CONSTANT", "42K0E", Runtime, "<function> takes a constant K only";
    HLL_UNION_DIFFERENT_LG_K = "HLL_UNION_DIFFERENT_LG_K", "22000", Runtime, "<function> got sketches with the lgConfigK <left> and <right>; allowDifferentLgConfigK permits it";
    SKETCH_INVALID_LG_NOM_ENTRIES = "SKETCH_INVALID_LG_NOM_ENTRIES", "22003", Runtime, "<function> takes an lgNomEntries from <min> to <max>, not <value>";
    THETA_INVALID_INPUT_SKETCH_BUFFER = "THETA_INVALID_INPUT_SKETCH_BUFFER", "22000", Runtime, "<function> takes only Theta sketches, such as theta_sketch_agg makes";
    THETA_LG_NOM_ENTRIES_MUST_BE_CONSTANT = "THETA_LG_NOM_ENTRIES_MUST_BE_CONSTANT", "42K0E", Runtime, "<function> takes a constant lgNomEntries only";
    TUPLE_INVALID_INPUT_SKETCH_BUFFER = "TUPLE_INVALID_INPUT_SKETCH_BUFFER", "22000", Runtime, "<function> takes only Tuple sketches, such as tuple_sketch_agg makes";
    TUPLE_INVALID_SKETCH_MODE = "TUPLE_INVALID_SKETCH_MODE", "22023", Runtime, "<function> knows the modes <validModes>, not '<mode>'";
    KLL_INVALID_INPUT_SKETCH_BUFFER = "KLL_INVALID_INPUT_SKETCH_BUFFER", "22000", Runtime, "<function> takes only KLL sketches, such as kll_sketch_agg makes";
    KLL_SKETCH_INVALID_QUANTILE_RANGE = "KLL_SKETCH_INVALID_QUANTILE_RANGE", "22003", Runtime, "<functionName> takes a quantile from 0.0 to 1.0";
    KLL_SKETCH_K_OUT_OF_RANGE = "KLL_SKETCH_K_OUT_OF_RANGE", "22003", Runtime, "<functionName> takes a k from 8 to 65535, not <k>";
    APPROX_TOP_K_MAX_ITEMS_TRACKED_EXCEEDS_LIMIT = "APPROX_TOP_K_MAX_ITEMS_TRACKED_EXCEEDS_LIMIT", "22023", Runtime, "approx_top_k tracks at most <limit> items, not <maxItemsTracked>";
    APPROX_TOP_K_MAX_ITEMS_TRACKED_LESS_THAN_K = "APPROX_TOP_K_MAX_ITEMS_TRACKED_LESS_THAN_K", "22023", Runtime, "approx_top_k must track at least k (<k>) items, not <maxItemsTracked>";
    APPROX_TOP_K_NON_POSITIVE_ARG = "APPROX_TOP_K_NON_POSITIVE_ARG", "22023", Runtime, "the argument <argName> of approx_top_k must be above 0, not <argValue>";
    APPROX_TOP_K_NULL_ARG = "APPROX_TOP_K_NULL_ARG", "22004", Runtime, "the argument <argName> of approx_top_k must not be NULL";
    PARSE_MODE_UNSUPPORTED = "PARSE_MODE_UNSUPPORTED", "42601", Analysis, "<funcName> knows the modes PERMISSIVE and FAILFAST, not <mode>";
    ILLEGAL_DAY_OF_WEEK = "ILLEGAL_DAY_OF_WEEK", "22009", IllegalArgument, "no day of the week is called <string>";
    INVALID_EXTRACT_FIELD = "INVALID_EXTRACT_FIELD", "42601", Analysis, "<field> cannot be extracted from <expr>";
    INVALID_PARAMETER_VALUE_PATTERN = "INVALID_PARAMETER_VALUE.PATTERN", "22023", Runtime, "the parameter <parameter> of <functionName> is no regular expression: <value>";
    INVALID_PARAMETER_VALUE_REGEX_GROUP_INDEX = "INVALID_PARAMETER_VALUE.REGEX_GROUP_INDEX", "22023", Runtime, "the parameter <parameter> of <functionName> must lie between 0 and the pattern's <groupCount> groups, not <groupIndex>";
    INVALID_PARAMETER_VALUE_CHARSET = "INVALID_PARAMETER_VALUE.CHARSET", "22023", IllegalArgument, "the parameter <parameter> of <functionName> must be one of <charsets>, not <charset>";
    INVALID_PARAMETER_VALUE_BIT_POSITION_RANGE = "INVALID_PARAMETER_VALUE.BIT_POSITION_RANGE", "22023", IllegalArgument, "the parameter <parameter> of <functionName> must lie within 0 and <upper>, not <invalidValue>";
    INVALID_PARAMETER_VALUE_LENGTH = "INVALID_PARAMETER_VALUE.LENGTH", "22023", Runtime, "the parameter <parameter> of <functionName> must not be negative, but is <length>";
    INVALID_PARAMETER_VALUE_START = "INVALID_PARAMETER_VALUE.START", "22023", Runtime, "the parameter <parameter> of <functionName> must not be 0";
    INVALID_PARAMETER_VALUE_NULL = "INVALID_PARAMETER_VALUE.NULL", "22023", Runtime, "the parameter <parameter> of <functionName> must not be null";
    INVALID_PARAMETER_VALUE_BOOLEAN = "INVALID_PARAMETER_VALUE.BOOLEAN", "22023", IllegalArgument, "the parameter <parameter> of <functionName> must be TRUE or FALSE";
    INVALID_FORMAT_MISMATCH_INPUT = "INVALID_FORMAT.MISMATCH_INPUT", "42601", IllegalArgument, "the input <inputType> <input> does not fit the format <format>";
    CONVERSION_INVALID_INPUT = "CONVERSION_INVALID_INPUT", "22018", IllegalArgument, "the text <str> (format <fmt>) cannot be converted to <targetType>; use <suggestion> to get NULL instead";
    INVALID_URL = "INVALID_URL", "22P02", IllegalArgument, "the URL <url> is invalid; use try_parse_url to get NULL instead";
    CANNOT_DECODE_URL = "CANNOT_DECODE_URL", "22546", IllegalArgument, "the URL <url> cannot be decoded";
    INVALID_UTF8_STRING = "INVALID_UTF8_STRING", "22029", IllegalArgument, "the string holds bytes that are not UTF-8: <str>";
    NULL_MAP_KEY = "NULL_MAP_KEY", "2200E", Runtime, "a map cannot have a null key";
    DUPLICATED_MAP_KEY = "DUPLICATED_MAP_KEY", "23505", Runtime, "the key <key> is there twice; set <mapKeyDedupPolicy> to LAST_WIN to keep the last";
    MAP_ARRAYS_DIFF_LENGTH = "_LEGACY_ERROR_TEMP_2128", "", Runtime, "the array of keys and the array of values of a map differ in length";
    COLLECTION_SIZE_LIMIT_EXCEEDED_PARAMETER = "COLLECTION_SIZE_LIMIT_EXCEEDED.PARAMETER", "54000", Runtime, "<functionName> cannot make an array of <numberOfElements> elements; at most <maxRoundedArrayLength> are possible (parameter <parameter>)";
    ILLEGAL_SEQUENCE_BOUNDARIES = "_LEGACY_ERROR_TEMP_ILLEGAL_SEQUENCE", "", IllegalArgument, "no sequence leads from <start> to <stop> by <step>";
    INVALID_JSON_SCHEMA = "INVALID_SCHEMA.PARSE_ERROR", "42K07", Analysis, "the schema <inputSchema> is invalid: <reason>";
    CREATE_TABLE_COLUMN_DESCRIPTOR_DUPLICATE = "CREATE_TABLE_COLUMN_DESCRIPTOR_DUPLICATE", "42710", Parse, "the column <columnName> has <optionName> twice";
    LABELS_MISMATCH = "LABELS_MISMATCH", "42K0L", Parse, "the label <beginLabel> ends as <endLabel>";
    END_LABEL_WITHOUT_BEGIN_LABEL = "END_LABEL_WITHOUT_BEGIN_LABEL", "42K0L", Parse, "the label <endLabel> ends without having begun";
    SHOW_COLUMNS_WITH_CONFLICT_NAMESPACE = "SHOW_COLUMNS_WITH_CONFLICT_NAMESPACE", "42K05", Analysis, "SHOW COLUMNS names two schemas, <namespaceA> and <namespaceB>";
    INVALID_SQLSTATE = "INVALID_SQLSTATE", "428B3", Parse, "<sqlState> is no SQLSTATE: five digits or capitals";

    // Resolution of queries.
    AMBIGUOUS_LATERAL_COLUMN_ALIAS = "AMBIGUOUS_LATERAL_COLUMN_ALIAS", "42702", Analysis, "the alias <name> stands <n> times in this select list";
    ASSIGNMENT_ARITY_MISMATCH = "ASSIGNMENT_ARITY_MISMATCH", "42802", Analysis, "<numExpr> columns cannot be given <numTarget> names";
    CANNOT_RESOLVE_STAR_EXPAND = "CANNOT_RESOLVE_STAR_EXPAND", "42704", Analysis, "<targetString>.* names nothing that has columns; there are <columns>";
    CATALOG_NOT_FOUND = "CATALOG_NOT_FOUND", "42P08", Analysis, "no catalog is called <catalogName>; there is only spark_catalog";
    DATATYPE_MISMATCH_IN_SUBQUERY_LENGTH_MISMATCH = "DATATYPE_MISMATCH.IN_SUBQUERY_LENGTH_MISMATCH", "42K09", Analysis, "cannot resolve <sqlExpr>: <leftLength> values [<leftColumns>] are compared with <rightLength> columns [<rightColumns>]";
    DATATYPE_MISMATCH_RANGE_FRAME_MULTI_ORDER = "DATATYPE_MISMATCH.RANGE_FRAME_MULTI_ORDER", "42K09", Analysis, "cannot resolve <sqlExpr>: a RANGE frame with an offset needs exactly one ORDER BY key, not <orderSpec>";
    DATATYPE_MISMATCH_RANGE_FRAME_INVALID_TYPE = "DATATYPE_MISMATCH.RANGE_FRAME_INVALID_TYPE", "42K09", Analysis, "cannot resolve <sqlExpr>: a RANGE frame cannot move a sort key of type <orderSpecType> by a <valueBoundaryType>";
    DATATYPE_MISMATCH_RANGE_FRAME_WITHOUT_ORDER = "DATATYPE_MISMATCH.RANGE_FRAME_WITHOUT_ORDER", "42K09", Analysis, "cannot resolve <sqlExpr>: a RANGE frame needs ORDER BY";
    DATATYPE_MISMATCH_SPECIFIED_WINDOW_FRAME_UNACCEPTED_TYPE = "DATATYPE_MISMATCH.SPECIFIED_WINDOW_FRAME_UNACCEPTED_TYPE", "42K09", Analysis, "cannot resolve <sqlExpr>: the <location> bound of the frame is of type <exprType>, but must be <expectedType>";
    DATATYPE_MISMATCH_SPECIFIED_WINDOW_FRAME_WRONG_COMPARISON = "DATATYPE_MISMATCH.SPECIFIED_WINDOW_FRAME_WRONG_COMPARISON", "42K09", Analysis, "cannot resolve <sqlExpr>: the lower bound of the frame must be <comparison> to its upper bound";
    DISTINCT_WINDOW_FUNCTION_UNSUPPORTED = "DISTINCT_WINDOW_FUNCTION_UNSUPPORTED", "0A000", Analysis, "DISTINCT cannot stand in the window function <windowExpr>";
    DUPLICATED_CTE_DEFINITION_NAMES = "DUPLICATED_CTE_DEFINITION_NAMES", "42602", Parse, "WITH defines <duplicateNames> more than once";
    GROUPING_COLUMN_MISMATCH = "GROUPING_COLUMN_MISMATCH", "42803", Analysis, "the column <grouping> of grouping is not among the grouping columns <groupingColumns>";
    GROUP_BY_POS_AGGREGATE = "GROUP_BY_POS_AGGREGATE", "42903", Analysis, "GROUP BY <index> names the item <aggExpr>, which holds an aggregate";
    GROUP_EXPRESSION_TYPE_IS_NOT_ORDERABLE = "GROUP_EXPRESSION_TYPE_IS_NOT_ORDERABLE", "42822", Analysis, "<sqlExpr> cannot be grouped by: values of type <dataType> have no order";
    INVALID_INLINE_TABLE_INCOMPATIBLE_TYPES_IN_INLINE_TABLE = "INVALID_INLINE_TABLE.INCOMPATIBLE_TYPES_IN_INLINE_TABLE", "42000", Analysis, "the rows of VALUES have no common type for the column <colName>";
    INVALID_LIMIT_LIKE_EXPRESSION_DATA_TYPE = "INVALID_LIMIT_LIKE_EXPRESSION.DATA_TYPE", "42K0E", Analysis, "the <name> expression <expr> must be an integer, not <dataType>";
    INVALID_LIMIT_LIKE_EXPRESSION_IS_NEGATIVE = "INVALID_LIMIT_LIKE_EXPRESSION.IS_NEGATIVE", "42K0E", Analysis, "the <name> expression <expr> must not be below 0, but it is <v>";
    INVALID_LIMIT_LIKE_EXPRESSION_IS_NULL = "INVALID_LIMIT_LIKE_EXPRESSION.IS_NULL", "42K0E", Analysis, "the <name> expression <expr> must not be NULL";
    INVALID_PARAMETER_VALUE_ZERO_STEP = "_LEGACY_ERROR_TEMP_ZERO_STEP", "", IllegalArgument, "the parameter <parameter> of <functionName> must not be 0";
    INVALID_PARTITION_COUNT = "_LEGACY_ERROR_TEMP_PARTITION_COUNT", "", IllegalArgument, "<message>";
    RECURSION_LEVEL_LIMIT_EXCEEDED = "RECURSION_LEVEL_LIMIT_EXCEEDED", "42836", Spark, "the recursion has not ended after <levelLimit> steps; MAX RECURSION LEVEL allows more";
    RECURSION_ROW_LIMIT_EXCEEDED = "RECURSION_ROW_LIMIT_EXCEEDED", "42836", Spark, "the recursion has not ended after <rowLimit> rows; spark.sql.cteRecursionRowLimit allows more";
    INVALID_RECURSIVE_CTE = "INVALID_RECURSIVE_CTE", "42836", Analysis, "the recursive WITH is invalid: <message>";
    INVALID_SQL_SYNTAX_FUNCTION_WITH_UNSUPPORTED_SYNTAX = "INVALID_SQL_SYNTAX.FUNCTION_WITH_UNSUPPORTED_SYNTAX", "42000", Analysis, "the function <prettyName> does not take <syntax>";
    INVALID_SUBQUERY_EXPRESSION_SCALAR_SUBQUERY_RETURN_MORE_THAN_ONE_OUTPUT_COLUMN = "INVALID_SUBQUERY_EXPRESSION.SCALAR_SUBQUERY_RETURN_MORE_THAN_ONE_OUTPUT_COLUMN", "42823", Analysis, "a subquery that stands for one value must have one column, not <number>";
    INVALID_USAGE_OF_STAR_OR_REGEX = "INVALID_USAGE_OF_STAR_OR_REGEX", "42000", Analysis, "<elem> cannot stand in <prettyName>";
    INVALID_WHERE_CONDITION = "INVALID_WHERE_CONDITION", "42903", Analysis, "the condition <condition> holds <expressionList>, which cannot stand there";
    MISSING_WINDOW_SPECIFICATION = "MISSING_WINDOW_SPECIFICATION", "42P20", Analysis, "no WINDOW clause defines <windowName>";
    MULTI_ALIAS_WITHOUT_GENERATOR = "MULTI_ALIAS_WITHOUT_GENERATOR", "42K0E", Analysis, "only a generator takes several names, not <expr> (<names>)";
    NOT_A_CONSTANT_STRING_NULL = "NOT_A_CONSTANT_STRING.NULL", "42601", Analysis, "the expression <expr> of <name> must be constant text, not NULL";
    NOT_A_CONSTANT_STRING_WRONG_TYPE = "NOT_A_CONSTANT_STRING.WRONG_TYPE", "42601", Analysis, "the expression <expr> of <name> must be constant text, not of type <dataType>";
    REQUIRES_SINGLE_PART_NAMESPACE = "REQUIRES_SINGLE_PART_NAMESPACE", "42K05", Analysis, "schemas of <sessionCatalog> have names of one part, which <identifier> exceeds";
    NOT_A_CONSTANT_STRING = "NOT_A_CONSTANT_STRING.NOT_CONSTANT", "42601", Analysis, "the expression <expr> of <name> must be constant text";
    NOT_A_SCALAR_FUNCTION = "NOT_A_SCALAR_FUNCTION", "42887", Analysis, "<functionName> gives a table, not a value";
    NOT_A_TABLE_FUNCTION = "NOT_A_TABLE_FUNCTION", "42887", Analysis, "<functionName> is no table function";
    NULLABLE_COLUMN_OR_FIELD = "NULLABLE_COLUMN_OR_FIELD", "42000", Analysis, "the column <name> may be null where it must not be";
    PIVOT_VALUES_TOO_MANY = "_LEGACY_ERROR_TEMP_1324", "", Analysis, "the pivot column has more than <max> distinct values; name the values, or raise spark.sql.pivotMaxValues";
    NAMED_PARAMETERS_NOT_SUPPORTED = "NAMED_PARAMETERS_NOT_SUPPORTED", "4274K", Analysis, "<functionName> takes no arguments by name";
    UNEXPECTED_POSITIONAL_ARGUMENT = "UNEXPECTED_POSITIONAL_ARGUMENT", "4274K", Analysis, "an argument without a name follows <parameterName> in the call of <routineName>";
    UNRECOGNIZED_PARAMETER_NAME = "UNRECOGNIZED_PARAMETER_NAME", "4274K", Analysis, "<routineName> has no parameter <argumentName>; did you mean one of <proposal>?";
    DUPLICATE_ROUTINE_PARAMETER_ASSIGNMENT_BOTH_POSITIONAL_AND_NAMED = "DUPLICATE_ROUTINE_PARAMETER_ASSIGNMENT.BOTH_POSITIONAL_AND_NAMED", "4274K", Analysis, "the call of <routineName> gives <parameterName> both by place and by name";
    DUPLICATE_ROUTINE_PARAMETER_ASSIGNMENT_DOUBLE_NAMED_ARGUMENT_REFERENCE = "DUPLICATE_ROUTINE_PARAMETER_ASSIGNMENT.DOUBLE_NAMED_ARGUMENT_REFERENCE", "4274K", Analysis, "the call of <routineName> gives <parameterName> twice";
    REQUIRED_PARAMETER_NOT_FOUND = "REQUIRED_PARAMETER_NOT_FOUND", "4274K", Analysis, "<routineName> needs the parameter <parameterName> at place <index>";
    TRANSPOSE_NO_LEAST_COMMON_TYPE = "TRANSPOSE_NO_LEAST_COMMON_TYPE", "42K09", Analysis, "the columns to transpose have no common type: <dt1> and <dt2>";
    UDTF_ALIAS_NUMBER_MISMATCH = "UDTF_ALIAS_NUMBER_MISMATCH", "42802", Analysis, "the generator gives <aliasesSize> columns, but these names are given: <aliasesNames>";
    UNBOUND_SQL_PARAMETER = "UNBOUND_SQL_PARAMETER", "42P02", Analysis, "no argument was given for the parameter <name>";
    UNEXPECTED_INPUT_TYPE = "UNEXPECTED_INPUT_TYPE", "42K09", Analysis, "the <paramIndex> parameter of <functionName> must be a constant of type <requiredType>, not <inputSql> of type <inputType>";
    UNPIVOT_VALUE_DATA_TYPE_MISMATCH = "UNPIVOT_VALUE_DATA_TYPE_MISMATCH", "42K09", Analysis, "the unpivoted columns have no common type: <types>";
    UNRECOGNIZED_STATISTIC = "UNRECOGNIZED_STATISTIC", "42704", Analysis, "<stats> is no statistic";
    TABLE_VALUED_FUNCTION_FAILED_TO_ANALYZE_IN_PYTHON = "TABLE_VALUED_FUNCTION_FAILED_TO_ANALYZE_IN_PYTHON", "38000", Analysis, "the analyze method of a Python table function failed: <msg>";
    TABLE_VALUED_FUNCTION_REQUIRED_METADATA_INCOMPATIBLE_WITH_CALL = "TABLE_VALUED_FUNCTION_REQUIRED_METADATA_INCOMPATIBLE_WITH_CALL", "22023", Analysis, "the table function <functionName> <requestedMetadata>, but its call <invalidFunctionCallProperty>";
    TABLE_VALUED_FUNCTION_REQUIRED_METADATA_INVALID = "TABLE_VALUED_FUNCTION_REQUIRED_METADATA_INVALID", "22023", Analysis, "what the table function <functionName> wants of its table makes no sense: <reason>";
    TABLE_VALUED_FUNCTION_TOO_MANY_TABLE_ARGUMENTS = "TABLE_VALUED_FUNCTION_TOO_MANY_TABLE_ARGUMENTS", "54023", Analysis, "a table function takes one TABLE argument, not <num>";
    UDTF_INVALID_ALIAS_IN_REQUESTED_ORDERING_STRING_FROM_ANALYZE_METHOD = "UDTF_INVALID_ALIAS_IN_REQUESTED_ORDERING_STRING_FROM_ANALYZE_METHOD", "42802", Analysis, "the analyze method asks for an order with the alias <aliasName>, which an order cannot have";
    UDTF_INVALID_REQUESTED_SELECTED_EXPRESSION_FROM_ANALYZE_METHOD_REQUIRES_ALIAS = "UDTF_INVALID_REQUESTED_SELECTED_EXPRESSION_FROM_ANALYZE_METHOD_REQUIRES_ALIAS", "42802", Analysis, "the analyze method selects <expression>, which is no plain column and so needs an alias";
    UNRESOLVABLE_TABLE_VALUED_FUNCTION = "UNRESOLVABLE_TABLE_VALUED_FUNCTION", "42883", Analysis, "no table function is called <name>";
    UNSUPPORTED_EXPR_FOR_WINDOW = "UNSUPPORTED_EXPR_FOR_WINDOW", "42P20", Analysis, "<sqlExpr> is no window function and no aggregate";
    UNSUPPORTED_FEATURE_SET_OPERATION_ON_MAP_TYPE = "UNSUPPORTED_FEATURE.SET_OPERATION_ON_MAP_TYPE", "0A000", Analysis, "maps cannot be compared, so <colName> of type <dataType> cannot be made distinct";
    UNSUPPORTED_GENERATOR_MULTI_GENERATOR = "UNSUPPORTED_GENERATOR.MULTI_GENERATOR", "42K0E", Analysis, "a select list holds one generator at most, not <num>: <generators>";
    UNSUPPORTED_GENERATOR_NESTED_IN_EXPRESSIONS = "UNSUPPORTED_GENERATOR.NESTED_IN_EXPRESSIONS", "42K0E", Analysis, "a generator cannot stand inside <expression>";
    UNSUPPORTED_GENERATOR_OUTSIDE_SELECT = "UNSUPPORTED_GENERATOR.OUTSIDE_SELECT", "42K0E", Analysis, "the generator <plan> must stand in a select list";
    UNSUPPORTED_EXPR_FOR_OPERATOR = "UNSUPPORTED_EXPR_FOR_OPERATOR", "42K0E", Analysis, "these expressions cannot stand here: <invalidExprSqls>";
    UNSUPPORTED_GROUPING_EXPRESSION = "UNSUPPORTED_GROUPING_EXPRESSION", "42K0E", Analysis, "grouping and grouping_id need GROUPING SETS, CUBE or ROLLUP";
    WINDOW_FUNCTION_NEEDS_ORDER = "_LEGACY_ERROR_TEMP_1037", "", Analysis, "the window function <funcName> needs ORDER BY in its OVER clause";
    FIELD_NOT_FOUND = "FIELD_NOT_FOUND", "42704", Analysis, "no field is called <fieldName> among <fields>";
    AMBIGUOUS_REFERENCE_TO_FIELDS = "AMBIGUOUS_REFERENCE_TO_FIELDS", "42000", Analysis, "the field <field> stands <count> times in the struct";
    INVALID_EXTRACT_BASE_FIELD_TYPE = "INVALID_EXTRACT_BASE_FIELD_TYPE", "42000", Analysis, "nothing can be extracted from <base>: a struct, an array or a map is needed, not <other>";
    INVALID_EXTRACT_FIELD_TYPE = "INVALID_EXTRACT_FIELD_TYPE", "42000", Analysis, "a field is named by constant text, not by <extraction>";
    DATATYPE_MISMATCH_CREATE_NAMED_STRUCT_WITHOUT_FOLDABLE_STRING = "DATATYPE_MISMATCH.CREATE_NAMED_STRUCT_WITHOUT_FOLDABLE_STRING", "42K09", Analysis, "cannot resolve <sqlExpr>: field names must be constant text that is not null, not <inputExprs>";
    DATATYPE_MISMATCH_CANNOT_DROP_ALL_FIELDS = "DATATYPE_MISMATCH.CANNOT_DROP_ALL_FIELDS", "42K09", Analysis, "cannot resolve <sqlExpr>: a struct must keep at least one field";
    DATATYPE_MISMATCH_INVALID_MAP_KEY_TYPE = "DATATYPE_MISMATCH.INVALID_MAP_KEY_TYPE", "42K09", Analysis, "cannot resolve <sqlExpr>: the key of a map cannot be or hold <keyType>";
    DATATYPE_MISMATCH_MAP_CONCAT_DIFF_TYPES = "DATATYPE_MISMATCH.MAP_CONCAT_DIFF_TYPES", "42K09", Analysis, "cannot resolve <sqlExpr>: <functionName> takes maps of one type, not <dataType>";
    DATATYPE_MISMATCH_MAP_ZIP_WITH_DIFF_TYPES = "DATATYPE_MISMATCH.MAP_ZIP_WITH_DIFF_TYPES", "42K09", Analysis, "cannot resolve <sqlExpr>: the maps of <functionName> must have keys of one type, not <leftType> and <rightType>";
    DATATYPE_MISMATCH_MAP_FROM_ENTRIES_WRONG_TYPE = "DATATYPE_MISMATCH.MAP_FROM_ENTRIES_WRONG_TYPE", "42K09", Analysis, "cannot resolve <sqlExpr>: <functionName> takes an array of pairs, but <childExpr> is <childType>";
    DATATYPE_MISMATCH_BINARY_ARRAY_DIFF_TYPES = "DATATYPE_MISMATCH.BINARY_ARRAY_DIFF_TYPES", "42K09", Analysis, "cannot resolve <sqlExpr>: <functionName> takes two <arrayType> of one element type, not <leftType> and <rightType>";
    DATATYPE_MISMATCH_SEQUENCE_WRONG_INPUT_TYPES = "DATATYPE_MISMATCH.SEQUENCE_WRONG_INPUT_TYPES", "42K09", Analysis, "cannot resolve <sqlExpr>: <functionName> takes bounds of one type, <startType>, and a step of <stepType> or <intervalType>";
    DATATYPE_MISMATCH_NON_STRING_TYPE = "DATATYPE_MISMATCH.NON_STRING_TYPE", "42K09", Analysis, "cannot resolve <sqlExpr>: every argument of <funcName> must be a STRING";
    DATATYPE_MISMATCH_STACK_COLUMN_DIFF_TYPES = "DATATYPE_MISMATCH.STACK_COLUMN_DIFF_TYPES", "42K09", Analysis, "cannot resolve <sqlExpr>: column <columnIndex> would hold <leftType> of parameter <leftParamIndex> and <rightType> of parameter <rightParamIndex>";
    COMPARATOR_RETURNS_NULL = "COMPARATOR_RETURNS_NULL", "22004", Runtime, "the comparator gave NULL for <firstValue> and <secondValue>; it must give a number";
    INVALID_INTERVAL_FORMAT_INVALID_UNIT = "INVALID_INTERVAL_FORMAT.INVALID_UNIT", "22006", IllegalArgument, "the interval <input> has the unknown unit <unit>";
    DATATYPE_MISMATCH_NULL_TYPE = "DATATYPE_MISMATCH.NULL_TYPE", "42K09", Analysis, "cannot resolve <sqlExpr>: <functionName> takes no bare NULL";

    // Commands.
    COLUMN_NOT_FOUND_IN_TABLE_DEFINITION = "COLUMN_NOT_FOUND", "42703", Analysis, "the table's definition has no column <colName>; check the spelling and <caseSensitiveConfig>";
    CREATE_VIEW_COLUMN_ARITY_MISMATCH_NOT_ENOUGH_DATA_COLUMNS = "CREATE_VIEW_COLUMN_ARITY_MISMATCH.NOT_ENOUGH_DATA_COLUMNS", "21S01", Analysis, "the view <viewName> names <viewColumns> columns, but its query gives only <dataColumns>";
    CREATE_VIEW_COLUMN_ARITY_MISMATCH_TOO_MANY_DATA_COLUMNS = "CREATE_VIEW_COLUMN_ARITY_MISMATCH.TOO_MANY_DATA_COLUMNS", "21S01", Analysis, "the view <viewName> names <viewColumns> columns, but its query gives <dataColumns>";
    EXPECT_TABLE_NOT_VIEW_NO_ALTERNATIVE = "EXPECT_TABLE_NOT_VIEW.NO_ALTERNATIVE", "42809", Analysis, "<operation> needs a table, but <viewName> is a view";
    EXPECT_VIEW_NOT_TABLE_NO_ALTERNATIVE = "EXPECT_VIEW_NOT_TABLE.NO_ALTERNATIVE", "42809", Analysis, "<operation> needs a view, but <tableName> is a table";
    INCOMPATIBLE_DATA_FOR_TABLE_CANNOT_SAFELY_CAST = "INCOMPATIBLE_DATA_FOR_TABLE.CANNOT_SAFELY_CAST", "KD000", Analysis, "the rows do not fit <tableName>: <colName> of type <srcType> cannot safely become <targetType>";
    INCOMPATIBLE_DATA_FOR_TABLE_EXTRA_COLUMNS = "INCOMPATIBLE_DATA_FOR_TABLE.EXTRA_COLUMNS", "KD000", Analysis, "the rows do not fit <tableName>, which has no <extraColumns>";
    INSERT_COLUMN_ARITY_MISMATCH_NOT_ENOUGH_DATA_COLUMNS = "INSERT_COLUMN_ARITY_MISMATCH.NOT_ENOUGH_DATA_COLUMNS", "21S01", Analysis, "<tableName> takes the columns <tableColumns>, but the rows have only <dataColumns>";
    INSERT_COLUMN_ARITY_MISMATCH_TOO_MANY_DATA_COLUMNS = "INSERT_COLUMN_ARITY_MISMATCH.TOO_MANY_DATA_COLUMNS", "21S01", Analysis, "<tableName> takes just the columns <tableColumns>, but the rows have <dataColumns>";
    INVALID_INTERVAL_FORMAT_TIMEZONE = "INVALID_INTERVAL_FORMAT.TIMEZONE_INTERVAL_OUT_OF_RANGE", "22006", Parse, "the offset <input> of a time zone must be whole minutes within 18 hours";
    INVALID_PARTITION_OPERATION_PARTITION_SCHEMA_IS_EMPTY = "INVALID_PARTITION_OPERATION.PARTITION_SCHEMA_IS_EMPTY", "42601", Analysis, "the table <name> is not partitioned";
    NON_PARTITION_COLUMN = "NON_PARTITION_COLUMN", "42000", Analysis, "PARTITION names <columnName>, which is no partition column";
    PARTITION_COLUMN_NOT_FOUND_IN_SCHEMA = "PARTITION_COLUMN_NOT_FOUND_IN_SCHEMA", "42000", Analysis, "the partition column <column> is not in the schema <schema>";
    ROUTINE_ALREADY_EXISTS = "ROUTINE_ALREADY_EXISTS", "42723", Analysis, "the <newRoutineType> <routineName> cannot be made: a <existingRoutineType> of the name exists";
    ROUTINE_NOT_FOUND = "ROUTINE_NOT_FOUND", "42883", Analysis, "no function is called <routineName>";
    TRUNCATE_EXTERNAL_TABLE = "_LEGACY_ERROR_TEMP_1266", "", Analysis, "the external table <tableIdentWithDB> cannot be truncated";
    UNSET_NONEXISTENT_PROPERTIES = "UNSET_NONEXISTENT_PROPERTIES", "42K0J", Analysis, "the table <table> has no property <properties>";
    UNSUPPORTED_FEATURE_DROP_DATABASE = "UNSUPPORTED_FEATURE.DROP_DATABASE", "0A000", Analysis, "the schema <database> cannot be dropped";
    UNSUPPORTED_FEATURE_TABLE_OPERATION = "UNSUPPORTED_FEATURE.TABLE_OPERATION", "0A000", Analysis, "the table <tableName> does not support <operation>";
    UNSUPPORTED_INSERT_RDD_BASED = "UNSUPPORTED_INSERT.RDD_BASED", "42809", Analysis, "rows cannot be inserted into <relationId>, which is no table";
    VARIABLE_ALREADY_EXISTS = "VARIABLE_ALREADY_EXISTS", "42723", Analysis, "a variable called <variableName> exists already; use OR REPLACE to replace it";
    VARIABLE_NOT_FOUND = "VARIABLE_NOT_FOUND", "42883", Analysis, "no variable is called <variableName> in <searchPath>";
    WRITE_WITHOUT_PATH = "_LEGACY_ERROR_TEMP_2047", "", IllegalArgument, "a write of <format> needs a path";
    DATATYPE_MISMATCH_INVALID_ARG_VALUE = "DATATYPE_MISMATCH.INVALID_ARG_VALUE", "42K09", Analysis, "cannot resolve <sqlExpr>: <inputName> must be <requireType>, one of <validValues>, not <inputValue>";
    INVALID_FORMAT_UNEXPECTED_TOKEN = "INVALID_FORMAT.UNEXPECTED_TOKEN", "42601", Analysis, "the format <format> is invalid: <token> is unexpected";
    CANNOT_PARSE_INTERVAL = "CANNOT_PARSE_INTERVAL", "22006", Analysis, "<intervalString> is no interval";
}
