"""Shared variables, jobs, conf and formats, over frames in this process."""

import threading

import pytest
from pyspark import Accumulator, AccumulatorParam, SparkConf, TaskContext
from pyspark.core import hadoop


class Vector(AccumulatorParam):
    def zero(self, value):
        return [0] * len(value)

    def addInPlace(self, one, other):
        return [a + b for a, b in zip(one, other)]


def test_accumulators_count_once_per_action(sc):
    total, vector = sc.accumulator(10), sc.accumulator([0, 0], Vector())
    assert isinstance(total, Accumulator)

    def see(x):
        nonlocal total, vector
        total += x
        vector += [x, 1]
        return (x % 2, x)

    rdd = sc.parallelize(range(10), 4).map(see).reduceByKey(lambda a, b: a + b)
    assert total.value == 10
    assert sorted(rdd.collect()) == [(0, 20), (1, 25)]
    assert total.value == 55 and vector.value == [45, 10]
    rdd.take(1)
    assert total.value == 100
    assert sc.accumulator(1.5).value == 1.5
    with pytest.raises(TypeError):
        sc.accumulator([1])
    with pytest.raises(Exception):
        sc.parallelize([1]).map(lambda x: total.value).collect()


def test_broadcast(sc):
    table = sc.broadcast({1: "one", 2: "two"})
    assert sc.parallelize([1, 2]).map(lambda x: table.value[x]).collect() == ["one", "two"]
    table.unpersist()
    assert sc.parallelize([2]).map(lambda x: table.value[x]).collect() == ["two"]
    table.destroy()
    with pytest.raises(Exception, match="destroyed"):
        table.value


def test_local_properties_reach_tasks(sc):
    sc.setLocalProperty("key", "value")
    sc.setJobDescription("words")
    read = sc.parallelize([1]).map(lambda x: TaskContext.get().getLocalProperty("key")).collect()
    assert read == ["value"] and sc.getLocalProperty("spark.job.description") == "words"
    seen = []
    other = threading.Thread(target=lambda: seen.append(sc.getLocalProperty("key")))
    other.start()
    other.join()
    assert seen == [None]


def test_jobs_are_on_record(sc):
    sc.setJobGroup("group", "about", True)
    sc.parallelize([1, 2], 2).map(lambda x: (x, x)).groupByKey(3).collect()
    tracker = sc.statusTracker()
    (job,) = tracker.getJobIdsForGroup("group")
    info = tracker.getJobInfo(job)
    assert info.status == "SUCCEEDED" and len(info.stageIds) == 2
    assert [tracker.getStageInfo(stage).numTasks for stage in info.stageIds] == [2, 3]
    assert tracker.getActiveJobsIds() == [] and tracker.getJobInfo(99) is None and tracker.getExecutorInfos()
    with pytest.raises(Exception):
        sc.parallelize([0]).map(lambda x: 1 / x).collect()
    assert tracker.getJobInfo(tracker.getJobIdsForGroup("group")[-1]).status == "FAILED"


def test_run_job(sc):
    rdd = sc.parallelize(range(6), 3)
    assert sc.runJob(rdd, lambda part: [x * x for x in part]) == [0, 1, 4, 9, 16, 25]
    assert sc.runJob(rdd, lambda part: [x * x for x in part], [0, 2], True) == [0, 1, 16, 25]


def test_about_the_application(sc):
    assert sc.master == "local[4]" and sc.defaultParallelism == 4 and sc.defaultMinPartitions == 2
    assert sc.getConf().get("spark.app.name") == "test" and isinstance(sc.getConf(), SparkConf)
    assert sc.applicationId.startswith("local-") and sc.startTime > 0 and sc.sparkUser()
    sc.setLogLevel("ERROR")
    with pytest.raises(ValueError):
        sc.setLogLevel("LOUD")
    with pytest.raises(AttributeError, match="no JVM runs"):
        sc._jvm
    with pytest.raises(AttributeError, match="SparkContext"):
        sc._jsc
    with pytest.raises(RuntimeError):
        sc.show_profiles()
    sc.addJobTag("tag")
    assert sc.getJobTags() == {"tag"}


def test_sequence_files(sc, tmp_path):
    pairs = [(i, f"värde {i}") for i in range(3000)] + [(-5, "")]
    for name, codec in (("plain", None), ("zlib", "org.apache.hadoop.io.compress.DefaultCodec")):
        path = str(tmp_path / name)
        sc.parallelize(pairs, 3).saveAsSequenceFile(path, codec)
        files = sorted(tmp_path.joinpath(name).iterdir())
        assert [file.name for file in files] == ["_SUCCESS", "part-00000", "part-00001", "part-00002"]
        assert [pair for file in files[1:] for pair in hadoop.pairs_of(file.read_bytes())] == pairs
        with pytest.raises(FileExistsError):
            sc.parallelize(pairs, 3).saveAsSequenceFile(path)
    for number in (0, 1, -1, 127, 128, -112, -113, 255, 256, 2**31, -(2**40), 2**62):
        assert hadoop.Reader(hadoop.vlong(number)).vlong() == number


def test_formats_of_java_are_refused_by_name():
    with pytest.raises(Exception, match="com.example.OddInputFormat"):
        hadoop.format_of("com.example.OddInputFormat")
    with pytest.raises(Exception, match="converter"):
        hadoop.refuse_converters("sequenceFile", "com.example.Converter", None)
