"""gmm.py diag|full FILE ITERATIONS SHARES: EM from a k-means start, 20 components; tells the log-likelihood of a row."""
import sys
import warnings

import numpy as np
import pandas as pd
from sklearn.mixture import GaussianMixture

import peer

covariance, path, iterations, out = sys.argv[1:]
warnings.filterwarnings("ignore")
peer.begin()
rows = np.load(path).astype(np.float64)
model = GaussianMixture(20, covariance_type=covariance, max_iter=int(iterations), tol=0, random_state=1).fit(rows)
pd.DataFrame({"component": model.predict(rows)}).to_csv(out, index=False)
likelihood = model.score(rows)
peer.result("%.5f" % likelihood)
