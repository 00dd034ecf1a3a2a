"""GEOMETRY and GEOGRAPHY: shapes as well-known binary beside the number of their system of coordinates."""

import pytest
from pyspark.errors import PySparkException
from pyspark.sql.types import Geography, GeographyType, Geometry, GeometryType, StructType

POINT = "X'0101000000000000000000F03F0000000000000040'"
BYTES = bytes.fromhex("0101000000000000000000f03f0000000000000040")


def test_shapes_reach_the_client(spark):
    df = spark.sql(f"SELECT st_geomfromwkb({POINT}, 3857) AS plane, st_geogfromwkb({POINT}) AS globe, array(st_geomfromwkb({POINT})) AS many")
    assert df.schema["plane"].dataType == GeometryType(3857)
    assert df.schema["globe"].dataType == GeographyType(4326)
    row = df.first()
    assert row.plane == Geometry(BYTES, 3857)
    assert row.globe == Geography(BYTES, 4326)
    assert row.many == [Geometry(BYTES, 0)]


def test_the_type_of_shapes_in_json(spark):
    df = spark.sql(f"SELECT st_geogfromwkb({POINT}) AS a, st_geomfromwkb({POINT}, 3857)::GEOMETRY(ANY) AS b")
    assert StructType.fromJson(df.schema.jsonValue()) == df.schema
    df.createOrReplaceTempView("shapes")
    assert [row.data_type for row in spark.sql("DESCRIBE shapes").collect()] == ["geography(4326)", "geometry(any)"]


def test_the_number_of_a_system(spark):
    row = spark.sql(f"""SELECT st_srid(st_geomfromwkb({POINT}, cast(id AS INT))) AS own,
        st_srid(st_setsrid(st_geogfromwkb({POINT}), 4326)) AS globe, st_srid(NULL) AS none,
        typeof(st_geomfromwkb({POINT}, cast(id AS INT))) AS kind FROM range(3857, 3858)""").first()
    assert tuple(row) == (3857, 4326, None, "geometry(any)")


def test_bytes_in_either_order(spark):
    row = spark.sql(f"SELECT hex(st_asbinary(st_geomfromwkb({POINT}), 'XDR')), hex(st_asbinary(st_geogfromwkb({POINT})))").first()
    assert tuple(row) == ("00000000013FF00000000000004000000000000000", BYTES.hex().upper())


def test_shapes_are_shown_as_text(spark):
    text = spark.sql(f"SELECT st_geomfromwkb({POINT}, 4326) AS shape").toPandas()
    assert text["shape"][0] == Geometry(BYTES, 4326)
    assert "SRID=4326;POINT(1 2)" in spark.sql(f"SELECT st_geomfromwkb({POINT}, 4326) AS shape")._show_string(1, False)


def test_shapes_pass_through_a_shuffle(spark):
    df = spark.sql(f"SELECT id % 3 AS k, st_geomfromwkb({POINT}, 4326) AS shape FROM range(30)").repartition(4, "k")
    assert [row.shape for row in df.collect()] == [Geometry(BYTES, 4326)] * 30


@pytest.mark.parametrize(
    ("query", "condition"),
    [
        ("st_geomfromwkb(X'6F')", "WKB_PARSE_ERROR"),
        (f"st_geomfromwkb({POINT}, 1)", "ST_INVALID_SRID_VALUE"),
        (f"st_setsrid(st_geogfromwkb({POINT}), 3857)", "ST_INVALID_SRID_VALUE"),
        (f"st_asbinary(st_geogfromwkb({POINT}), 'little')", "ST_INVALID_ENDIANNESS_VALUE"),
        (f"CAST(st_geogfromwkb({POINT}) AS STRING)", "DATATYPE_MISMATCH.CAST_WITHOUT_SUGGESTION"),
        (f"CAST(st_geomfromwkb({POINT}) AS GEOGRAPHY(4326))", "DATATYPE_MISMATCH.CAST_WITHOUT_SUGGESTION"),
        (f"st_geomfromwkb({POINT}) < st_geomfromwkb({POINT})", "DATATYPE_MISMATCH.INVALID_ORDERING_TYPE"),
        ("st_srid('POINT(1 2)')", "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE"),
    ],
)
def test_what_is_refused(spark, query, condition):
    with pytest.raises(PySparkException) as failure:
        spark.sql(f"SELECT {query}").collect()
    assert failure.value.getCondition() == condition
