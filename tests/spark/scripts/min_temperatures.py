"""The lowest temperature of each station."""
from pyspark import SparkConf, SparkContext

sc = SparkContext(conf=SparkConf().setMaster("local").setAppName("MinTemperatures"))
lines = sc.parallelize([
    "ITE1,18000101,TMAX,-75", "ITE1,18000101,TMIN,-148", "GM1,18000101,TMIN,-135", "ITE1,18000102,TMIN,-125"], 2)


def parse(line):
    f = line.split(",")
    return f[0], f[2], float(f[3]) * 0.1 * (9.0 / 5.0) + 32.0


lowest = lines.map(parse).filter(lambda x: "TMIN" in x[1]).map(lambda x: (x[0], x[2])).reduceByKey(min)
result = {station: round(t, 2) for station, t in lowest.collect()}
assert result == {"ITE1": 5.36, "GM1": 7.7}
sc.stop()
