"""kmeans.py sklearn|faiss FILE CENTRES ITERATIONS LABELS: Lloyd's algorithm from given centres; tells the inertia."""
import os
import sys
import warnings

if sys.argv[1] == "faiss":
    os.environ["OPENBLAS_NUM_THREADS"] = "1"  # it has threads of its own, which those of OpenBLAS only hinder

import numpy as np
import pandas as pd

import peer

what, path, start, iterations, labels_path = sys.argv[1:]
if what == "faiss":
    import faiss
else:
    from sklearn.cluster import KMeans
warnings.filterwarnings("ignore")
peer.begin()
rows = np.load(path)
centres = np.loadtxt(start, dtype=np.float32)
if what == "faiss":
    model = faiss.Kmeans(rows.shape[1], len(centres), niter=int(iterations), seed=1, min_points_per_centroid=1,
                         max_points_per_centroid=len(rows))
    model.train(np.ascontiguousarray(rows), init_centroids=centres)
    distances, labels = model.index.search(np.ascontiguousarray(rows), 1)
    labels, inertia = labels[:, 0], distances.sum(dtype=np.float64)
else:
    model = KMeans(len(centres), init=centres, n_init=1, max_iter=int(iterations), tol=0, algorithm="lloyd").fit(rows)
    labels, inertia = model.labels_, model.inertia_
pd.DataFrame({"cluster": labels}).to_csv(labels_path, index=False)
peer.result("%.3f" % inertia)
