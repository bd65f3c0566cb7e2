"""clicks.py LOG SCORES: features hashed to 2^22, logistic regression by SGD, each block of rows scored before it is learned
from; tells the progressive logloss."""
import sys

import numpy as np
from sklearn.feature_extraction import FeatureHasher
from sklearn.linear_model import SGDClassifier

import peer

BLOCK = 20000


def blocks(lines):
    names = next(lines).rstrip("\n").split("\t")[1:]
    features, labels = [], []
    for line in lines:
        fields = line.rstrip("\n").split("\t")
        labels.append(int(fields[0]))
        row = [(name, np.log1p(float(value))) for name, value in zip(names[:13], fields[1:14]) if value]
        row += [(name + "=" + value, 1.0) for name, value in zip(names[13:], fields[14:]) if value]
        features.append(row)
        if len(labels) == BLOCK:
            yield features, np.array(labels)
            features, labels = [], []
    if labels:
        yield features, np.array(labels)


peer.begin()
hasher = FeatureHasher(2**22, input_type="pair", alternate_sign=False, dtype=np.float32)
model = SGDClassifier(loss="log_loss", alpha=1e-6, learning_rate="invscaling", eta0=0.1, power_t=0.2, random_state=1)
loss, rows = 0.0, 0
with open(sys.argv[1], encoding="utf8") as log, open(sys.argv[2], "w", encoding="utf8") as scores:
    for features, labels in blocks(log):
        hashed = hasher.transform(features)
        p = model.predict_proba(hashed)[:, 1] if rows else np.full(len(labels), 0.5)
        q = np.clip(p, 1e-15, 1 - 1e-15)
        loss -= np.where(labels == 1, np.log(q), np.log(1 - q)).sum()
        rows += len(labels)
        scores.writelines("%d,%.6g\n" % pair for pair in zip(labels, p))
        model.partial_fit(hashed, labels, classes=[0, 1])
peer.result("%.5f" % (loss / rows))
