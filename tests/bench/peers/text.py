"""text.py tfidf|hash|jieba FILE: sparse TF-IDF vectors of all documents; tells features, entries and their sum."""
import sys

import numpy as np
from sklearn.feature_extraction.text import HashingVectorizer, TfidfTransformer, TfidfVectorizer

import peer

what, path = sys.argv[1:]
if what == "jieba":
    import jieba
    import pandas as pd

    jieba.setLogLevel(60)
peer.begin()
if what == "jieba":
    documents = pd.read_csv(path, dtype=str)["review"].fillna("").tolist()
    matrix = TfidfVectorizer(analyzer=jieba.lcut, dtype=np.float32).fit_transform(documents)
else:
    with open(path, encoding="utf8") as lines:
        if what == "tfidf":
            matrix = TfidfVectorizer(dtype=np.float32).fit_transform(lines)
        else:
            counts = HashingVectorizer(n_features=2**20, alternate_sign=False, norm=None, dtype=np.float32)
            matrix = TfidfTransformer().fit_transform(counts.transform(lines))
peer.result("%d/%d/%.2f" % (matrix.shape[1], matrix.nnz, matrix.sum(dtype=np.float64)))
