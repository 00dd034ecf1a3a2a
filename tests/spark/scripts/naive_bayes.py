"""A naive Bayes classifier trained by counting."""
import math

from pyspark import SparkContext

sc = SparkContext("local[2]", "bayes")
mails = sc.parallelize([
    ("spam", "win money now"), ("spam", "win a prize now"), ("ham", "meeting at noon"), ("ham", "lunch at noon now")], 2)
labels = mails.keys().countByValue()
counts = mails.flatMap(lambda m: [((m[0], w), 1) for w in m[1].split()]).reduceByKey(lambda a, b: a + b).collectAsMap()
vocabulary = len({w for _, w in counts})
totals = {label: sum(c for (l, _), c in counts.items() if l == label) for label in labels}
model = sc.broadcast((dict(labels), counts, totals, vocabulary))


def classify(text):
    labels, counts, totals, size = model.value
    everything = sum(labels.values())
    return max(labels, key=lambda l: math.log(labels[l] / everything) + sum(
        math.log((counts.get((l, w), 0) + 1) / (totals[l] + size)) for w in text.split()))


assert sc.parallelize(["win a lunch prize", "noon meeting"]).map(classify).collect() == ["spam", "ham"]
sc.stop()
