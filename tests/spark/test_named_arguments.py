"""Arguments given by name to built-in functions: each reaches its parameter, or is refused as Spark does."""

import pytest

from results import rows

VALUES = [
    ("mask('AbC1', lowerChar => 'q', upperChar => 'Q')", "QqQn"),
    ("mask(otherChar => 'o', str => 'Ab-1')", "Xxon"),
    ("sum(c) FROM explode(collection => array(1, 2)) AS t(c)", 3),
    (
        "tuple_sketch_estimate_double(tuple_sketch_agg_double(summary => 1.0D, key => array(id, 1L)))"
        " FROM range(3)",
        3.0,
    ),
]

REFUSED = [
    ("encode(str => 'a', charset => 'utf-8')", "NAMED_PARAMETERS_NOT_SUPPORTED"),
    ("mask(lowerChar => 'q', 'a')", "UNEXPECTED_POSITIONAL_ARGUMENT"),
    ("mask('a', lower => 'q')", "UNRECOGNIZED_PARAMETER_NAME"),
    ("mask('a', str => 'b')", "DUPLICATE_ROUTINE_PARAMETER_ASSIGNMENT.BOTH_POSITIONAL_AND_NAMED"),
    (
        "mask('a', digitChar => 'd', digitChar => 'e')",
        "DUPLICATE_ROUTINE_PARAMETER_ASSIGNMENT.DOUBLE_NAMED_ARGUMENT_REFERENCE",
    ),
    ("mask(digitChar => 'd')", "REQUIRED_PARAMETER_NOT_FOUND"),
]


@pytest.mark.parametrize(("expression", "value"), VALUES)
def test_values(spark, expression, value):
    assert rows(spark.sql(f"SELECT {expression}")) == [(value,)]


@pytest.mark.parametrize(("expression", "error"), REFUSED)
def test_refused(spark, expression, error):
    with pytest.raises(Exception) as raised:
        spark.sql(f"SELECT {expression}").collect()
    assert raised.value.getCondition() == error
