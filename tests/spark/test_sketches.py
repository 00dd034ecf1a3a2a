"""Sketches, VARIANT, TIME, vectors and encryption: values of Spark's documentation, over several partitions."""

import pytest
from pyspark.errors import PySparkException
from results import rows, sql, value

NUMBERS = "range(0, 10000, 1, 4)"

VALUES = [
    ("time_diff('HOUR', TIME'20:30:29', TIME'12:00:00')", -8),
    ("string(make_time(6, 30, 45.887))", "06:30:45.887"),
    ("string(time_bucket(INTERVAL '1' MONTH, TIMESTAMP_NTZ '2024-07-20 14:30:00', TIMESTAMP_NTZ '2024-06-15 09:00:00'))", "2024-07-15 09:00:00"),
    ("vector_norm(array(3.0F, 4.0F), float('inf'))", 4.0),
    ("schema_of_variant(parse_json('[{\"b\":true,\"a\":0}]'))", "ARRAY<OBJECT<a: BIGINT, b: BOOLEAN>>"),
    ("try_variant_get(parse_json('[1, \"hello\"]'), '$[1]', 'int')", None),
    ("parse_json('{\"a\": 1.50}')::string", '{"a":1.5}'),
    ("schema_of_csv('1,abc')", "STRUCT<_c0: INT, _c1: STRING>"),
    ("randstr(3, 0)", "ceV"),
    ("uniform(10, 20, 0) BETWEEN 10 AND 20", True),
    ("string(aes_decrypt(unhex('83F16B2AA704794132802D248E6BFD4E380078182D1544813898AC97E709B28A94'), '0000111122223333'))", "Spark"),
    ("string(aes_decrypt(aes_encrypt('Spark', 'abcdefghijklmnop12345678ABCDEFGH', 'CBC'), 'abcdefghijklmnop12345678ABCDEFGH', 'CBC'))", "Spark"),
    ("base64(aes_encrypt('Spark SQL', '1234567890abcdef', 'ECB', 'PKCS'))", "3lmwu+Mw0H3fi5NDvcu9lg=="),
    ("hex(lpad(unhex('aabb'), 5))", "000000AABB"),
    ("try_validate_utf8(x'80')", None),
    ("string(make_timestamp(DATE'2014-12-28', TIME'6:30:45.887'))", "2014-12-28 06:30:45.887"),
]


@pytest.mark.parametrize("expression,expected", VALUES)
def test_each(spark, expression, expected):
    assert sql(spark, expression) == expected


GROUPS = [
    ("hll_sketch_estimate(hll_sketch_agg(id)) BETWEEN 9500 AND 10500", True),
    ("theta_sketch_estimate(theta_sketch_agg(id)) BETWEEN 9500 AND 10500", True),
    ("kll_sketch_get_n_bigint(kll_sketch_agg_bigint(id))", 10000),
    ("kll_sketch_get_quantile_bigint(kll_sketch_agg_bigint(id), 0.5) BETWEEN 4700 AND 5300", True),
    ("tuple_sketch_summary_integer(tuple_sketch_agg_integer(id % 10, 1))", 10000),
    ("tuple_sketch_estimate_double(tuple_sketch_agg_double(id % 10, 1.0D, 12, 'max'))", 10.0),
    ("bitmap_count(bitmap_construct_agg(bitmap_bit_position(id)))", 9999),
    ("vector_sum(array(1.0F, float(id % 2)))", [10000.0, 5000.0]),
    ("max_by(id, id, 2)", [9999, 9998]),
    ("schema_of_variant_agg(parse_json(if(id % 2 = 0, '1', '2.5')))", "DECIMAL(21,1)"),
    ("hex(count_min_sketch(int(1 + id % 2), 0.5d, 0.5d, 1))",
     "0000000100000000000027100000000100000004000000005D8D6AB90000000000000000000000000000138800000000000013880000000000000000"),
]


@pytest.mark.parametrize("expression,expected", GROUPS)
def test_groups(spark, expression, expected):
    assert value(spark.sql(f"SELECT {expression} FROM {NUMBERS}")) == expected


def test_variant_explode(spark):
    found = rows(spark.sql("SELECT pos, key, value::string FROM variant_explode(parse_json('{\"a\": true, \"b\": 3.14}'))"))
    assert found == [(0, "a", "true"), (1, "b", "3.14")]


def test_last_key_wins(spark):
    with pytest.raises(PySparkException) as raised:
        sql(spark, "map(1, 'a', 1, 'b')")
    assert raised.value.getCondition() == "DUPLICATED_MAP_KEY"
    spark.conf.set("spark.sql.mapKeyDedupPolicy", "LAST_WIN")
    assert sql(spark, "map(1, 'a', 2, 'x', 1, 'b')") == {1: "b", 2: "x"}


def test_methods_of_java_that_are_not_there(spark):
    with pytest.raises(PySparkException) as raised:
        sql(spark, "java_method('java.lang.System', 'exit', 1)")
    assert raised.value.getCondition() == "DATATYPE_MISMATCH.UNEXPECTED_CLASS_TYPE"
