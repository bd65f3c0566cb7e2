"""gmm.py diag|full FILE CENTRES ITERATIONS SHARES: EM of 20 components that begin as the rows nearest to the centres; tells the
log-likelihood of a row."""
import sys
import warnings

import numpy as np
import pandas as pd
from sklearn.metrics import pairwise_distances_argmin
from sklearn.mixture import GaussianMixture

import peer

covariance, path, starts, iterations, out = sys.argv[1:]
warnings.filterwarnings("ignore")
peer.begin()
rows = np.load(path).astype(np.float64)
centres = np.loadtxt(starts)
nearest = pairwise_distances_argmin(rows, centres)
groups = [rows[nearest == k] for k in range(len(centres))]
if covariance == "full":
    precisions = [np.linalg.inv(np.cov(group.T, bias=True) + 1e-6 * np.eye(rows.shape[1])) for group in groups]
else:
    precisions = [1 / (group.var(axis=0) + 1e-6) for group in groups]
model = GaussianMixture(
    len(centres), covariance_type=covariance, max_iter=int(iterations), tol=0, init_params="random", random_state=1,
    weights_init=[len(group) / len(rows) for group in groups], means_init=[group.mean(axis=0) for group in groups],
    precisions_init=precisions).fit(rows)
pd.DataFrame({"component": model.predict(rows)}).to_csv(out, index=False)
peer.stop()
peer.result("%.8f" % model.score(rows))
