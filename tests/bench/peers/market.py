"""market.py FOLDER OUT: the steps of pipelines/market.yaml in pandas and scikit-learn, from the market's tables in FOLDER to the
ads that are shown, in OUT; without what only the simulator knows (the truth, and what is judged by it). Tells the AUC of the
click model that knows the users' profiles, on the days that were held out."""
import sys
import warnings

import numpy as np
import pandas as pd
import scipy.sparse
from sklearn.cluster import KMeans
from sklearn.feature_extraction.text import TfidfTransformer, TfidfVectorizer
from sklearn.linear_model import SGDClassifier
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.mixture import GaussianMixture
from sklearn.preprocessing import StandardScaler

import peer

folder, out = sys.argv[1:]
warnings.filterwarnings("ignore")
peer.begin()
BEGIN, CUT = pd.Timestamp("2024-03-01", tz="UTC"), pd.Timestamp("2024-03-23", tz="UTC")
BITS, BLOCK, PASSES = 20, 50000, 4
random = np.random.default_rng(42)


def read(name, dates=(), **types):
    table = pd.read_csv("%s/%s.csv" % (folder, name), dtype=types, usecols=list(types) + list(dates))
    for date in dates:
        table[date] = pd.to_datetime(table[date], utc=True, format="ISO8601" if pd.__version__ >= "2" else None)
    return table


# What is on sale: titles become words, words become shelves. Chinese has no blanks: pairs of characters do for words.
items = read("items", item="str", title="str", category="category")
words = TfidfVectorizer(analyzer="char", ngram_range=(2, 2), dtype=np.float32).fit_transform(items.title)
items["shelf"] = KMeans(40, n_init=1, random_state=42).fit_predict(words)

# What users did before the cut.
visits = read("browse", ["at"], user="str", item="str", seconds="float64")
visits = visits[visits.user.notna() & (visits.seconds >= 0) & (visits["at"] >= BEGIN) & (visits["at"] < CUT)]
visits = visits.merge(items[["item", "shelf", "category"]], on="item")
visits["user"] = visits.user.astype("category")
profiles = visits.groupby("user", observed=True).agg(visits=("item", "size"), seconds=("seconds", "mean"), latest=("at", "max"))
people = visits.user.cat.codes.to_numpy()
seen = scipy.sparse.csr_matrix((np.ones(len(visits), np.float32), (people, visits.shelf)), shape=(len(profiles), 40))
interests = TfidfTransformer(sublinear_tf=True).fit_transform(seen)
profiles["segment"] = KMeans(10, n_init=5, random_state=42).fit_predict(interests)
habits = np.column_stack([np.log1p(profiles.visits), np.log1p(profiles.seconds), (CUT - profiles.latest).dt.total_seconds() / 86400])
scaled = StandardScaler().fit_transform(habits)
profiles["style"] = GaussianMixture(4, reg_covar=0.001, random_state=42).fit_predict(scaled)

# What they like: the category with most decayed seconds, if it is sure enough by Wilson's bound and rests on three visits.
visits["weight"] = visits.seconds * 0.5 ** ((visits["at"].max() - visits["at"]).dt.total_seconds() / 86400 / 14)
tags = visits.groupby(["user", "category"], observed=True)["weight"].agg(["sum", "size"]).reset_index()
total = tags.groupby("user", observed=True)["sum"].transform("sum")
p, z = tags["sum"] / total, 1.959964
bound = (p + z * z / (2 * total) - z * np.sqrt(p * (1 - p) / total + z * z / (4 * total * total))) / (1 + z * z / total)
best = tags[(tags["size"] >= 3) & (bound >= 0.05)].sort_values("sum", ascending=False).drop_duplicates("user")
profiles["likes"] = best.set_index("user").category
users = read("users", user="str", age="float64", gender="category", city="category", device="category")
profiles = users.merge(profiles[["segment", "style", "likes"]], left_on="user", right_index=True, how="left")

# What was shown, and clicked.
ads = read("ads", ad="str", category="category", target_gender="str", target_city="str")
log = read("impressions", ["at"], user="str", ad="str", position="int64", device="category", clicked="bool", purchased="bool")
log = log[log.user.notna() & (log.position > 0) & (log["at"] >= BEGIN) & ~(log.purchased & ~log.clicked)]
log = log.drop_duplicates(["at", "user", "ad", "position"])
log = log.merge(ads[["ad", "category"]], on="ad")  # keeps the order of the log
rates = log[log["at"] < CUT].groupby("ad")["clicked"].agg(["size", "sum"])
ads["popularity"] = ads.ad.map((rates["sum"] + 2) / (rates["size"] + 100))
past = log.merge(profiles.drop(columns="device"), on="user").assign(offered=False)
past["hour"], past["place"] = past["at"].dt.hour, past.position

# What could be shown: a quarter of the users with the ads that are open to them.
some = profiles[random.random(len(profiles)) < 0.25]
offers = some.merge(ads[ads.popularity.notna()], how="cross")
offers = offers[(offers.target_gender.isna() | (offers.target_gender == offers.gender))
                & (offers.target_city.isna() | (offers.target_city == offers.city))]
offers = offers.assign(hour=20, place=1, clicked=False, offered=True)

# Features are hashed by column: codes of categories, and of pairs of them for crosses.
columns = ["ad", "category", "place", "device", "hour", "decade", "gender", "city", "segment", "style", "likes"]
past["decade"], offers["decade"] = past.age // 10, offers.age // 10
rows = pd.concat([past[columns + ["clicked", "offered"]], offers[columns + ["clicked", "offered"]]], ignore_index=True)
held_out = np.concatenate([past["at"] >= CUT, np.ones(len(offers), bool)])
codes = {name: pd.factorize(rows[name])[0].astype(np.uint64) + 1 for name in columns}  # 0 is null


def hashed(names):
    found = np.full(len(rows), names[0], np.uint64)
    for name in names[1]:
        found = (found ^ codes[name]) * np.uint64(0x9E3779B97F4A7C15)
        found ^= found >> np.uint64(29)
    return (found >> np.uint64(8)).astype(np.int32) & (2**BITS - 1)


def features(sets, first=0):
    """Of each row and set: the place of its values among the dimensions, and 1, or 0 where one is null."""
    index = np.column_stack([hashed(each) for each in enumerate(sets, first)])
    present = np.column_stack([np.all([codes[name] > 0 for name in each], axis=0) for each in sets]).astype(np.float32)
    return index, present


def matrix(index, present):
    starts = np.arange(0, index.size + 1, index.shape[1])
    return scipy.sparse.csr_matrix((present.ravel(), index.ravel(), starts), shape=(len(rows), 2**BITS))


def learned(inputs):
    """Logistic regression; scores of all rows. One rate for all dimensions needs some passes to come near one for each; one
    more than these adds less than a thousandth to the AUC."""
    model = SGDClassifier(loss="log_loss", alpha=1e-5, learning_rate="invscaling", eta0=0.1, power_t=0.2, random_state=42)
    learn = np.flatnonzero(~held_out)
    blocks = [learn[start:start + BLOCK] for start in range(0, len(learn), BLOCK)]
    for _ in range(PASSES):
        for block in blocks:
            model.partial_fit(inputs[block], clicked[block], classes=[False, True])
    return model.predict_proba(inputs)[:, 1]


clicked, offered = rows.clicked.to_numpy(bool), rows.offered.to_numpy(bool)
sets = [[name] for name in columns[:8]] + [["decade", "category"], ["gender", "category"]]
known = features(sets)
plain = learned(matrix(*known))
more = features([["segment"], ["style"], ["likes"], ["likes", "category"], ["segment", "category"], ["segment", "ad"],
                 ["style", "category"]], len(sets))
click = learned(matrix(*map(np.hstack, zip(known, more))))
judged = held_out & ~offered
quality = {}
for name, scores in (("plain", plain), ("profiles", click)):
    quality[name] = roc_auc_score(clicked[judged], scores[judged]), log_loss(clicked[judged], scores[judged])
    print(name, *quality[name], file=sys.stderr)

# Decisions: three ads a user, one choice in twenty left to chance.
chances = offers.assign(p_click=click[offered])
chances["order"] = chances.p_click + np.where(random.random(len(chances)) < 0.05, random.random(len(chances)), 0)
chosen = chances.sort_values(["user", "order"], ascending=[True, False]).groupby("user").head(3)
count = chosen.user.map(chances.groupby("user").size())
chosen = chosen.assign(rank=chosen.groupby("user").cumcount() + 1)
chosen["propensity"] = np.where(chosen.order == chosen.p_click, 0.95 + 0.05 / count, 0.05 / count)
chosen[["user", "rank", "ad", "category", "segment", "likes", "p_click", "propensity"]].to_csv(out, index=False)
peer.result("%.4f" % quality["profiles"][0])
