"""Scalar functions: the values Spark's documentation gives, and the corners of its semantics."""

import datetime
import math
from decimal import Decimal

import pytest
from pyspark.errors import PySparkException
from results import sql


def plain(got):
    """A Row as a tuple."""
    return tuple(got) if isinstance(got, tuple) else got


TEXT = [
    ("upper('aé')", "AÉ"), ("lower('AÉ')", "aé"), ("length('abc ')", 4), ("char_length('é')", 1), ("octet_length('é')", 2),
    ("bit_length('a')", 8), ("substring('Spark SQL', 5)", "k SQL"), ("substring('Spark SQL', -3)", "SQL"),
    ("substr('Spark SQL', 5, 1)", "k"), ("substring('Spark', 0, 2)", "Sp"), ("left('Spark', 2)", "Sp"),
    ("right('Spark', 2)", "rk"), ("concat('a', 'b', 1)", "ab1"), ("concat('a', NULL)", None), ("concat_ws('-', 'a', NULL, 'b')", "a-b"),
    ("concat_ws(',', array('a', 'b'), 'c')", "a,b,c"), ("trim('  a ')", "a"), ("ltrim('  a')", "a"), ("rtrim('a  ')", "a"),
    ("trim(BOTH 'x' FROM 'xxaxx')", "a"), ("trim(LEADING 'x' FROM 'xax')", "ax"), ("btrim('xax', 'x')", "a"),
    ("lpad('hi', 5, '?')", "???hi"), ("rpad('hi', 1)", "h"), ("repeat('ab', 2)", "abab"), ("reverse('abc')", "cba"),
    ("replace('ABCabc', 'abc', 'DEF')", "ABCDEF"), ("translate('AaBbCc', 'abc', '123')", "A1B2C3"), ("initcap('sPark sql')", "Spark Sql"),
    ("instr('SparkSQL', 'SQL')", 6), ("locate('bar', 'foobarbar')", 4), ("locate('bar', 'foobarbar', 5)", 7), ("position('bar' IN 'foobar')", 4),
    ("split('oneAtwoBthreeC', '[ABC]')", ["one", "two", "three", ""]), ("split('a,b,c', ',', 2)", ["a", "b,c"]), ("split_part('11.12.13', '.', 3)", "13"),
    ("split_part('11.12.13', '.', -1)", "13"), ("substring_index('www.apache.org', '.', 2)", "www.apache"),
    ("regexp_extract('100-200', '(\\\\d+)-(\\\\d+)', 1)", "100"), ("regexp_extract_all('100-200, 300-400', '(\\\\d+)-(\\\\d+)', 1)", ["100", "300"]),
    ("regexp_replace('100-200', '(\\\\d+)', 'num')", "num-num"), ("regexp_replace('a1b', '([a-z])(\\\\d)', '$2$1')", "1ab"),
    ("regexp_count('Steven Jones and Stephen Smith', 'Ste(v|ph)en')", 2), ("regexp_substr('Steven Jones', 'Ste(v|ph)en')", "Steven"),
    ("regexp_instr('Steven', 'v')", 4), ("'abc' RLIKE 'b'", True), ("'Spark' LIKE '%park'", True), ("'a_b' LIKE 'a\\\\_b'", True),
    ("'ABC' ILIKE 'a%'", True), ("'foo' LIKE ANY ('f%', 'x')", True), ("startswith('Spark', 'Sp')", True), ("contains('Spark', 'ar')", True),
    ("ascii('2')", 50), ("chr(65)", "A"), ("base64('Spark SQL')", "U3BhcmsgU1FM"), ("cast(unbase64('U3BhcmsgU1FM') AS string)", "Spark SQL"),
    ("hex('Spark SQL')", "537061726B2053514C"), ("hex(17)", "11"), ("cast(unhex('537061726B') AS string)", "Spark"), ("bin(13)", "1101"),
    ("conv('100', 2, 10)", "4"), ("conv(-10, 16, -10)", "-16"), ("soundex('Miller')", "M460"), ("levenshtein('kitten', 'sitting')", 3),
    ("format_number(12332.123456, 4)", "12,332.1235"), ("format_string('Hello World %d %s', 100, 'days')", "Hello World 100 days"),
    ("printf('%05.1f|%-4s|%x', 3.14159D, 'a', 255)", "003.1|a   |ff"), ("elt(2, 'a', 'b')", "b"), ("find_in_set('ab', 'abc,b,ab,c')", 3),
    ("overlay('Spark SQL' PLACING '_' FROM 6)", "Spark_SQL"), ("space(2) || 'x'", "  x"), ("md5('Spark')", "8cde774d6f7333752ed72cacddb05126"),
    ("sha1('Spark')", "85f5955f4b27a9a4c2aab6ffe5d7189fc298b92c"), ("sha2('Spark', 256)", "529bc3b07127ecb7e53a4dcf1991d9152c24537d919178022b2c42657f79a26b"),
    ("crc32('Spark')", 1557323817), ("url_encode('https://spark.apache.org')", "https%3A%2F%2Fspark.apache.org"),
    ("url_decode('a%20b')", "a b"), ("parse_url('http://spark.apache.org/path?query=1', 'HOST')", "spark.apache.org"),
    ("parse_url('http://spark.apache.org/path?query=1', 'QUERY', 'query')", "1"), ("mask('AbCD123-@$#')", "XxXXnnn-@$#"),
    ("to_char(454, '999')", "454"), ("to_number('12,454.8', '99,999.9')", Decimal("12454.8")), ("luhn_check('79927398713')", True),
    ("encode('a', 'UTF-16BE') = x'0061'", True), ("decode(x'61', 'UTF-8')", "a"), ("decode(2, 1, 'a', 2, 'b', 'c')", "b"),
    ("quote('Don\\'t')", "'Don\\'t'"), ("randstr(5, 0) IS NOT NULL", True), ("uuid() IS NOT NULL", True), ("typeof(1.5)", "decimal(2,1)"),
]  # fmt: skip

NUMBERS = [
    ("abs(-1)", 1), ("ceil(-0.1)", Decimal("0")), ("ceil(5.0D)", 5), ("floor(-0.1D)", -1), ("ceil(3.1411, 3)", Decimal("3.142")),
    ("round(2.5, 0)", Decimal("3")), ("round(-2.5D)", -3.0), ("bround(2.5, 0)", Decimal("2")), ("round(25, -1)", 30), ("bround(25, -1)", 20),
    ("round(1.005, 2)", Decimal("1.01")), ("rint(12.5D)", 12.0), ("sqrt(4)", 2.0), ("cbrt(27D)", 3.0), ("exp(0)", 1.0), ("ln(1)", 0.0), ("log(10, 100)", 2.0),
    ("log2(8)", 3.0), ("log10(1000)", 3.0), ("log1p(0)", 0.0), ("expm1(0)", 0.0), ("power(2, 10)", 1024.0), ("pow(2, -1)", 0.5), ("mod(7, 3)", 1), ("-7 % 3", -1),
    ("pmod(-7, 3)", 2), ("7 div 2", 3), ("-7 div 2", -3), ("7 / 2", 3.5), ("sign(-5)", -1.0), ("factorial(5)", 120), ("greatest(1, NULL, 3)", 3),
    ("least(2, 1)", 1), ("hypot(3, 4)", 5.0), ("degrees(pi())", 180.0), ("radians(180D)", math.pi), ("sin(0)", 0.0), ("cos(0)", 1.0), ("atan2(0, -1)", math.pi),
    ("width_bucket(5.3, 0.2, 10.6, 5)", 3), ("shiftleft(2, 1)", 4), ("shiftright(4, 1)", 2), ("2 << 1", 4),
    ("3 & 5", 1), ("3 | 5", 7), ("3 ^ 5", 6), ("~0", -1), ("bit_count(7)", 3), ("getbit(11, 0)", 1), ("try_add(2147483647, 1)", None),
    ("try_divide(1, 0)", None), ("try_multiply(2147483647, 2)", None), ("try_subtract(-2147483648, 1)", None), ("try_mod(1, 0)", None),
    ("1.10 + 2.205", Decimal("3.305")), ("1.10 * 2.20", Decimal("2.4200")), ("1.0 / 3", Decimal("0.333333")), ("10 / 4.0", Decimal("2.50000")),
    ("0.1 + 0.2", Decimal("0.3")), ("0.1D + 0.2D", 0.30000000000000004), ("cast(2.9 AS int)", 2), ("cast('1.5' AS double)", 1.5), ("cast('  12 ' AS int)", 12),
    ("cast(1.005 AS decimal(3,2))", Decimal("1.01")), ("cast(true AS int)", 1), ("cast('t' AS boolean)", True), ("cast('no' AS boolean)", False),
    ("cast(1e20D AS string)", "1.0E20"), ("cast(100.0D AS string)", "100.0"), ("cast(0.001D AS string)", "0.001"), ("cast(1e-4D AS string)", "1.0E-4"),
    ("cast(12345678.9D AS string)", "1.23456789E7"), ("cast(1.5F AS string)", "1.5"), ("cast(1.50 AS string)", "1.50"), ("1e3", 1000.0), ("1L", 1), ("5Y", 5),
    ("positive(1)", 1), ("negative(1)", -1), ("e()", math.e), ("isnan(cast('NaN' AS double))", True), ("cast('NaN' AS double) = cast('NaN' AS double)", True),
    ("double('Infinity')", math.inf), ("uniform(0, 1, 0) IS NOT NULL", True), ("rand(1) < 1", True), ("typeof(1 + 1L)", "bigint"), ("typeof(1 + 1.5)", "decimal(3,1)"),
    ("typeof(2 / 1)", "double"), ("typeof(1.5 * 1.5)", "decimal(5,2)"), ("typeof(1.0 / 3.0)", "decimal(8,6)"), ("typeof(coalesce(1, 2L))", "bigint"),
    ("typeof(if(true, 1, 2.5D))", "double"), ("typeof(1 + '1')", "bigint"), ("1 + '1'", 2), ("1 = '1'", True), ("'2' > 10", False),
]  # fmt: skip

DAY = datetime.date
AT = datetime.datetime
TIME = [
    ("date'2026-02-28' + 1", DAY(2026, 3, 1)), ("date_add(date'2026-02-28', 1)", DAY(2026, 3, 1)), ("date_sub('2016-07-30', 1)", DAY(2016, 7, 29)),
    ("datediff(date'2009-07-31', date'2009-07-30')", 1), ("date'2026-03-01' - date'2026-02-01'", datetime.timedelta(28)), ("add_months('2016-08-31', 1)", DAY(2016, 9, 30)),
    ("months_between('1997-02-28 10:30:00', '1996-10-30')", 3.94959677), ("last_day('2009-01-12')", DAY(2009, 1, 31)), ("next_day('2015-01-14', 'TU')", DAY(2015, 1, 20)),
    ("trunc('2019-08-04', 'week')", DAY(2019, 7, 29)), ("trunc('2019-08-04', 'quarter')", DAY(2019, 7, 1)), ("date_trunc('HOUR', '2015-03-05T09:32:05.359')", AT(2015, 3, 5, 9)),
    ("date_trunc('year', timestamp'2015-03-05 09:32:05')", AT(2015, 1, 1)), ("year('2016-07-30')", 2016), ("quarter('2016-08-31')", 3), ("month('2016-07-30')", 7),
    ("day('2009-07-30')", 30), ("dayofweek('2009-07-30')", 5), ("weekday('2009-07-30')", 3), ("dayofyear('2016-04-09')", 100), ("weekofyear('2008-02-20')", 8),
    ("hour('2018-02-14 12:58:59')", 12), ("minute('2009-07-30 12:58:59')", 58), ("second('2009-07-30 12:58:59')", 59), ("dayname(date'2024-02-29')", "Thu"),
    ("monthname(date'2008-02-20')", "Feb"), ("extract(DOY FROM date'2019-08-12')", 224), ("extract(SECONDS FROM timestamp'2019-10-01 00:00:01.000001')", Decimal("1.000001")),
    ("date_part('week', timestamp'2019-08-12 01:00:00.123456')", 33), ("date_format('2016-04-08', 'y')", "2016"), ("date_format(timestamp'2026-03-09 08:05:07.123', 'yyyy-MM-dd HH:mm:ss.SSS')", "2026-03-09 08:05:07.123"),
    ("date_format(date'2026-03-09', 'EEEE, d MMMM yy')", "Monday, 9 March 26"), ("date_format(timestamp'2026-03-09 15:05:00', 'hh:mm a')", "03:05 PM"),
    ("to_date('2016-12-31', 'yyyy-MM-dd')", DAY(2016, 12, 31)), ("to_date('31/12/2016', 'dd/MM/yyyy')", DAY(2016, 12, 31)), ("to_timestamp('2016-12-31 00:12:00')", AT(2016, 12, 31, 0, 12)),
    ("to_timestamp('2016-12-31', 'yyyy-MM-dd')", AT(2016, 12, 31)), ("unix_timestamp('2016-04-08', 'yyyy-MM-dd')", 1460073600), ("from_unixtime(0, 'yyyy-MM-dd HH:mm:ss')", "1970-01-01 00:00:00"),
    ("timestamp_seconds(1230219000)", AT(2008, 12, 25, 15, 30)), ("timestamp_millis(1230219000123)", AT(2008, 12, 25, 15, 30, 0, 123000)), ("unix_seconds(timestamp'1970-01-01 00:00:01Z')", 1),
    ("unix_micros(timestamp'1970-01-01 00:00:01Z')", 1000000), ("unix_date(date'1970-01-02')", 1), ("date_from_unix_date(1)", DAY(1970, 1, 2)), ("make_date(2013, 7, 15)", DAY(2013, 7, 15)),
    ("make_timestamp(2014, 12, 28, 6, 30, 45.887)", AT(2014, 12, 28, 6, 30, 45, 887000)), ("make_dt_interval(1, 12, 30, 1.001001)", datetime.timedelta(1, 45001, 1001)),
    ("timestamp'2026-01-31 00:00:00' + interval 1 month", AT(2026, 2, 28)), ("timestamp'2026-01-01 00:00:00' - interval '1 02:00:00' day to second", AT(2025, 12, 30, 22)),
    ("date'2026-01-31' + interval '1' month", DAY(2026, 2, 28)), ("interval '3' day * 2", datetime.timedelta(6)), ("timestampadd(HOUR, 8, timestamp'2022-02-11 20:30:00')", AT(2022, 2, 12, 4, 30)),
    ("timestampdiff(MONTH, timestamp'2021-02-28 12:00:00', timestamp'2021-03-28 11:59:59')", 0), ("from_utc_timestamp('2016-08-31', 'Asia/Seoul')", AT(2016, 8, 31, 9)),
    ("to_utc_timestamp('2016-08-31', 'Asia/Seoul')", AT(2016, 8, 30, 15)), ("convert_timezone('Europe/Brussels', 'America/Los_Angeles', timestamp_ntz'2021-12-06 00:00:00')", AT(2021, 12, 5, 15)),
    ("cast('2026-3-9' AS date)", DAY(2026, 3, 9)), ("cast(timestamp'2026-03-09 10:00:00' AS string)", "2026-03-09 10:00:00"), ("cast(timestamp'2026-03-09 10:00:00.120' AS string)", "2026-03-09 10:00:00.12"),
    ("cast(date'0001-01-01' AS string)", "0001-01-01"), ("cast(interval '1-2' year to month AS string)", "INTERVAL '1-2' YEAR TO MONTH"), ("cast(interval '1 2:3:4' day to second AS string)", "INTERVAL '1 02:03:04' DAY TO SECOND"),
    ("try_to_timestamp('x')", None), ("try_cast('x' AS date)", None), ("typeof(current_timestamp())", "timestamp"), ("current_date() IS NOT NULL", True), ("now() = current_timestamp()", True),
    ("typeof(date'2026-01-01' - date'2025-01-01')", "interval day"), ("typeof(timestamp'2026-01-01' - timestamp'2025-01-01')", "interval day to second"),
    ("typeof(timestamp_ntz'2026-01-01 00:00:00')", "timestamp_ntz"), ("timestamp'2026-01-01 12:00:00 America/New_York' = timestamp'2026-01-01 17:00:00Z'", True),
]  # fmt: skip

JSON = [
    ("""get_json_object('{"a":{"b":[1,2]}}', '$.a.b[1]')""", "2"), ("""json_tuple('{"a":1}', 'a')""", "1"), ("""from_json('{"a":1, "b":0.8}', 'a INT, b DOUBLE')""", (1, 0.8)),
    ("to_json(named_struct('a', 1, 'b', NULL))", '{"a":1}'), ("to_json(array(map('a', 1)))", '[{"a":1}]'), ("""schema_of_json('[{"col":0}]')""", "ARRAY<STRUCT<col: BIGINT>>"),
    ("""json_array_length('[1,2,3]')""", 3), ("""json_object_keys('{"a":1,"b":2}')""", ["a", "b"]), ("from_csv('1,0.8', 'a INT, b DOUBLE')", (1, 0.8)), ("to_csv(named_struct('a', 1, 'b', 'x'))", "1,x"),
    ("""from_json('broken', 'a INT')""", (None,)), ("""from_json('{"t":"2026-01-01 10:00:00"}', 't TIMESTAMP')""", (AT(2026, 1, 1, 10),)),
]  # fmt: skip


@pytest.mark.parametrize(("expression", "expected"), TEXT + NUMBERS + TIME + JSON)
def test_each(spark, expression, expected):
    got = plain(sql(spark, expression))
    assert got == expected
    assert type(got) is type(expected)


JAVA = [
    ("'java.util.UUID', 'fromString', 'A5CF6C42-c85-418f-af6c-3e4e5b1328f2'", "a5cf6c42-0c85-418f-af6c-3e4e5b1328f2"),
    ("'java.lang.String', 'valueOf', 1.5D", "1.5"), ("'java.lang.Math', 'max', 2, 3", "3"), ("'java.lang.Math', 'min', -0D, 0D", "-0.0"),
    ("'java.lang.Integer', 'valueOf', '10', 16", "16"), ("'java.net.URLDecoder', 'decode', 'a%20b'", "a b"),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "value"), JAVA)
def test_methods_of_java(spark, arguments, value):
    assert tuple(spark.sql(f"SELECT reflect({arguments}), java_method({arguments}), try_reflect({arguments})").first()) == (value,) * 3


def test_other_methods_of_java(spark):
    assert len(spark.sql("SELECT reflect('java.util.UUID', 'randomUUID')").first()[0]) == 36
    assert spark.sql("SELECT try_reflect('java.util.UUID', 'fromString', 'b')").first()[0] is None
    for call, condition in [
        ("reflect('java.util.UUID', 'fromString', 'b')", "USER_RAISED_EXCEPTION"),
        ("reflect('java.lang.System', 'exit', 0)", "DATATYPE_MISMATCH.UNEXPECTED_CLASS_TYPE"),
        ("reflect('java.lang.Math', 'max', 2, 3.5D)", "DATATYPE_MISMATCH.UNEXPECTED_STATIC_METHOD"),
        ("reflect('java.lang.Math', 'max', array(1))", "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE"),
    ]:
        with pytest.raises(PySparkException) as failure:
            spark.sql(f"SELECT {call}").collect()
        assert failure.value.getCondition() == condition
