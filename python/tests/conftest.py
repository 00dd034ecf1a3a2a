import pytest
from frames_in_process import InProcessFrames
from pyspark import SparkContext


@pytest.fixture
def sc():
    return SparkContext._over(InProcessFrames(), {"spark.master": "local[4]", "spark.app.name": "test"})
