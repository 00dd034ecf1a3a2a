"""CSV files, read and written."""

import datetime
from decimal import Decimal

import pytest
from pyspark.errors import PySparkException
from pyspark.sql import functions as F
from results import column, rows, types


def put(bucket, text, name="data.csv"):
    path = bucket.folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return f"{bucket.url}/{name}"


def written(folder, suffix="*.csv"):
    return sorted(line for part in folder.glob(suffix) for line in part.read_text().splitlines())


def test_without_header(spark, bucket):
    df = spark.read.csv(put(bucket, "1,a\n2,b\n"))
    assert df.columns == ["_c0", "_c1"]
    assert types(df) == ["string", "string"]
    assert rows(df) == [("1", "a"), ("2", "b")]


def test_header_and_inferred_types(spark, bucket):
    text = "i,l,d,b,a,t,s\n1,9999999999,1.5,true,2026-01-02,2026-01-02 03:04:05,x\n2,1,2,false,2026-01-03,2026-01-02T03:04:06,\n"
    df = spark.read.csv(put(bucket, text), header=True, inferSchema=True)
    assert types(df) == ["int", "bigint", "double", "boolean", "date", "timestamp", "string"]
    assert rows(df)[1] == (2, 1, 2.0, False, datetime.date(2026, 1, 3), datetime.datetime(2026, 1, 2, 3, 4, 6), None)


def test_given_schema(spark, bucket):
    df = spark.read.schema("a int, b decimal(5,2), c date").csv(put(bucket, "1,2.5,2026-01-02\n,,\n"))
    assert rows(df) == [(1, Decimal("2.50"), datetime.date(2026, 1, 2)), (None, None, None)]


def test_quotes_and_escapes(spark, bucket):
    df = spark.read.csv(put(bucket, 'a,"b,c","say \\"hi\\"",""\n'))
    assert rows(df)[0][:3] == ("a", "b,c", 'say "hi"')
    doubled = spark.read.csv(put(bucket, '"say ""hi""",x\n', "doubled.csv"), escape='"')
    assert rows(doubled) == [('say "hi"', "x")]


def test_options(spark, bucket):
    path = put(bucket, "# a comment\nx| y |NA|-\n")
    df = spark.read.csv(path, sep="|", comment="#", nullValue="NA", ignoreLeadingWhiteSpace=True, ignoreTrailingWhiteSpace=True)
    assert rows(df) == [("x", "y", None, "-")]


def test_lines_inside_quotes(spark, bucket):
    df = spark.read.csv(put(bucket, 'id,text\n1,"two\nlines"\n2,one\n'), header=True, multiLine=True)
    assert rows(df) == [("1", "two\nlines"), ("2", "one")]


def test_other_line_ends_and_encodings(spark, bucket):
    assert rows(spark.read.csv(put(bucket, "a,b\r\nc,d\r\n", "windows.csv"))) == [("a", "b"), ("c", "d")]
    assert rows(spark.read.csv(put(bucket, "é,ü\n".encode("latin-1"), "latin.csv"), encoding="ISO-8859-1")) == [("é", "ü")]
    assert rows(spark.read.csv(put(bucket, "\ufeffa,b\n1,2\n", "bom.csv"), header=True)) == [("1", "2")]


def test_dates_in_other_formats(spark, bucket):
    path = put(bucket, "31/12/2026,2026.12.31 23:59\n")
    df = spark.read.schema("d date, t timestamp").csv(path, dateFormat="dd/MM/yyyy", timestampFormat="yyyy.MM.dd HH:mm")
    assert rows(df) == [(datetime.date(2026, 12, 31), datetime.datetime(2026, 12, 31, 23, 59))]


BROKEN = "a,b\n1,x\ntwo,y\n3,z,extra\n4\n"


def test_broken_records_become_null(spark, bucket):
    df = spark.read.schema("a int, b string").csv(put(bucket, BROKEN), header=True)
    assert rows(df) == [(1, "x"), (None, "y"), (3, "z"), (4, None)]


def test_broken_records_are_kept(spark, bucket):
    df = spark.read.schema("a int, b string, _corrupt_record string").csv(put(bucket, BROKEN), header=True, enforceSchema=True)
    assert [row[2] for row in rows(df)] == [None, "two,y", "3,z,extra", "4"]


def test_broken_records_are_dropped(spark, bucket):
    df = spark.read.schema("a int, b string").csv(put(bucket, BROKEN), header=True, mode="DROPMALFORMED")
    assert rows(df) == [(1, "x")]


def test_broken_records_fail(spark, bucket):
    df = spark.read.schema("a int, b string").csv(put(bucket, BROKEN), header=True, mode="FAILFAST")
    with pytest.raises(PySparkException) as raised:
        df.collect()
    text = str(raised.value)
    assert "MALFORMED_RECORD_IN_PARSING" in text or "MALFORMED_CSV_RECORD" in text or "FAILED_READ_FILE" in text


def test_many_files_and_globs(spark, bucket):
    for number in range(3):
        put(bucket, f"x\n{number}\n", f"in/part{number}.csv")
    put(bucket, "not me", "in/_hidden.csv")
    assert sorted(column(spark.read.csv(f"{bucket.url}/in", header=True))) == ["0", "1", "2"]
    assert sorted(column(spark.read.csv(f"{bucket.url}/in/part[01].csv", header=True))) == ["0", "1"]
    assert sorted(column(spark.read.csv(f"{bucket.url}/in/{{part1,absent}}.csv", header=True))) == ["1"]
    paths = [f"{bucket.url}/in/part{number}.csv" for number in (0, 2)]
    assert sorted(column(spark.read.csv(paths, header=True))) == ["0", "2"]
    assert sorted(column(spark.read.csv(paths[:1] * 2, header=True))) == ["0", "0"]
    deep = spark.read.option("recursiveFileLookup", "true").csv([f"{bucket.url}/in"] * 2, header=True)
    assert sorted(column(deep)) == ["0", "1", "2"]
    assert spark.read.option("pathGlobFilter", "*2.csv").csv(f"{bucket.url}/in", header=True).count() == 1


def test_compressed(spark, bucket):
    import gzip

    put(bucket, gzip.compress(b"x\n1\n"), "data.csv.gz")
    assert rows(spark.read.csv(f"{bucket.url}/data.csv.gz", header=True, inferSchema=True)) == [(1,)]


def test_large_file_is_split(spark, bucket):
    path = put(bucket, "id,text\n" + "".join(f"{i},{'x' * 40}\n" for i in range(100_000)))
    spark.conf.set("spark.sql.files.maxPartitionBytes", "1000000")
    df = spark.read.csv(path, header=True, inferSchema=True)
    assert df.count() == 100_000
    assert df.agg({"id": "sum"}).first()[0] == 100_000 * 99_999 // 2


    assert df.select(F.spark_partition_id()).distinct().count() > 2


def test_write(spark, people, bucket):
    people.coalesce(1).write.csv(f"{bucket.url}/out", header=True)
    assert written(bucket.folder / "out")[:2] == ["Ada,36,UK", "Alan,41,UK"]
    assert written(bucket.folder / "out")[-1] == "name,age,country"
    assert (bucket.folder / "out" / "_SUCCESS").exists()


def test_write_options(spark, bucket):
    df = spark.createDataFrame([("a,b", 'say "x"', None, "")], "w string, x string, y string, z string").withColumn("d", F.lit(1.5))
    df.write.csv(f"{bucket.url}/plain")
    assert written(bucket.folder / "plain") == ['"a,b","say \\"x\\"",,"",1.5']
    df.write.csv(f"{bucket.url}/other", sep=";", nullValue="NULL", quoteAll=True, escape='"')
    assert written(bucket.folder / "other") == ['"a,b";"say ""x""";NULL;"";"1.5"']
    df.write.option("compression", "gzip").csv(f"{bucket.url}/zipped")
    assert len(list((bucket.folder / "zipped").glob("*.csv.gz"))) == 1


def test_written_values_come_back(spark, bucket):
    df = spark.sql("SELECT 1 AS i, 1.5D AS d, 'x' AS s, date'2026-01-02' AS a, timestamp'2026-01-02 03:04:05.678' AS t, true AS b")
    df.write.csv(f"{bucket.url}/out", header=True)
    assert rows(spark.read.csv(f"{bucket.url}/out", header=True, inferSchema=True)) == rows(df)


def test_sql_over_a_file(spark, bucket):
    path = put(bucket, "1,a\n")
    assert rows(spark.sql(f"SELECT * FROM csv.`{path}`")) == [("1", "a")]
