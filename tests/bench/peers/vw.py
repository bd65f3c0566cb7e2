"""vw.py ARGUMENTS...: Vowpal Wabbit's own driver on its own text format, by its Python package; tells the average loss."""
import sys

from vowpalwabbit import Workspace

import peer

peer.begin()
learner = Workspace(arg_list=["--quiet"] + sys.argv[1:])  # reads all of -d
loss = learner.get_sum_loss() / max(learner.get_weighted_examples(), 1)
learner.finish()
peer.result("%.5f" % loss)
