"""journey.py FOLDER OUT: the steps of pipelines/journey.yaml in pandas and scikit-learn: what was known of each household on the
day each campaign began, its profiles, who redeems; tells the AUC on campaigns that started after the cut."""
import glob
import sys
import warnings

import numpy as np
import pandas as pd
import scipy.sparse
import scipy.stats
from sklearn.cluster import KMeans
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.mixture import GaussianMixture
from sklearn.preprocessing import StandardScaler

import peer

folder, out = sys.argv[1:]
warnings.filterwarnings("ignore")
peer.begin()
CUT, FIRST = pd.Timestamp("2017-10-01"), pd.Timestamp("2016-12-02")


def read(name, columns, dates=(), dtype=None):
    path = glob.glob("%s/%s.csv*" % (folder, name))[0]
    return pd.read_csv(path, usecols=columns + list(dates), parse_dates=list(dates), dtype=dtype)


# What happened, and when.
transactions = read("transactions_sample", ["household_id", "basket_id", "product_id", "sales_value", "retail_disc", "coupon_disc"],
                    ["transaction_timestamp"])
products = read("products", ["product_id", "department", "product_category"],
                dtype={"department": "category", "product_category": "category"})
purchases = transactions.merge(products, on="product_id", how="left")
purchases["used_coupon"] = purchases.coupon_disc > 0
coupons = read("coupons", ["product_id", "campaign_id"])
offered = purchases[["household_id", "product_id", "sales_value", "transaction_timestamp"]].merge(coupons, on="product_id")
redemptions = read("coupon_redemptions", ["household_id", "campaign_id"], ["redemption_date"])
mailings = read("campaigns", ["campaign_id", "household_id"]).merge(
    read("campaign_descriptions", ["campaign_id", "campaign_type"], ["start_date", "end_date"]), on="campaign_id", how="left")

# A row for each household and campaign, and how it ended.
rows = mailings[(mailings.end_date < CUT) | (mailings.start_date >= CUT)].reset_index(drop=True)
rows["row"] = rows.index
learn = (rows.start_date < CUT).to_numpy()
ended = redemptions.merge(rows[["row", "household_id", "campaign_id", "end_date"]], on=["household_id", "campaign_id"])
ended = ended[ended.redemption_date < ended.end_date + pd.Timedelta(days=1)]
rows["redeemed"] = rows.row.isin(ended.row)


# What was known when the campaign began: only events before it count.
def before(events, by, at):
    pairs = events.merge(rows[["row", "start_date"] + by], on=by)
    return pairs[pairs[at] < pairs.start_date]


def add(groups, **columns):
    """New columns of rows; 0 without events."""
    found = groups.agg(**columns).reindex(rows.index, fill_value=0)
    rows[found.columns] = found


def bag(events, column):
    """Rows x values: what was spent on each."""
    codes = events[column].cat.codes.to_numpy()
    known = codes >= 0
    spent = events.sales_value.to_numpy(np.float32)[known], (events.row.to_numpy()[known], codes[known])
    return scipy.sparse.csr_matrix(spent, shape=(len(rows), len(events[column].cat.categories)))


past = before(purchases, ["household_id"], "transaction_timestamp")
add(past.groupby("row"), spend=("sales_value", "sum"), baskets=("basket_id", "nunique"), discount=("retail_disc", "sum"),
    coupon_spend=("coupon_disc", "sum"))
late = past[past.transaction_timestamp >= past.start_date - pd.Timedelta(days=60)]
add(late.groupby("row"), late_spend=("sales_value", "sum"), late_baskets=("basket_id", "nunique"),
    late_discount=("retail_disc", "sum"), late_coupon_spend=("coupon_disc", "sum"), late_coupons=("used_coupon", "sum"))
add(before(offered, ["household_id", "campaign_id"], "transaction_timestamp").groupby("row"),
    offered_spend=("sales_value", "sum"), offered_items=("sales_value", "size"))
redeemed = before(redemptions.rename(columns={"campaign_id": "redeemed_of"}), ["household_id"], "redemption_date")
add(redeemed.groupby("row"), coupons=("redeemed_of", "size"), answered=("redeemed_of", "nunique"))
mailed = mailings[["household_id", "start_date"]].rename(columns={"start_date": "mailed_at"})
add(before(mailed, ["household_id"], "mailed_at").groupby("row"), mailed=("mailed_at", "size"))
demographics = read("demographics", ["household_id", "age", "income", "home_ownership", "marital_status", "household_size",
                                     "household_comp", "kids_count"], dtype={"kids_count": str})
rows = rows.merge(demographics, on="household_id", how="left", indicator="has_demographics")

months = (rows.start_date - FIRST).dt.days / 30
inputs = {name: np.log1p(rows[name] / months) for name in ("spend", "baskets", "discount", "coupon_spend")}
inputs.update((name, np.log1p(rows[name])) for name in (
    "late_spend", "late_baskets", "late_discount", "late_coupon_spend", "late_coupons", "offered_spend", "offered_items",
    "coupons", "answered"))
inputs["ever_answered"] = rows.answered > 0
inputs["answer_rate"] = (rows.answered + 0.12) / (rows.mailed + 1)
for name in ("spend", "baskets", "coupon_spend", "discount"):
    for kind in ("Type A", "Type B", "Type C"):
        inputs[name + kind] = inputs[name].where(rows.campaign_type == kind, 0)

# Profiles.
departments = bag(past, "department")
by_department = np.log1p(departments[:, departments[learn].getnnz(axis=0) >= 20].toarray())
categories = bag(past, "product_category")
more = categories.data > 1
categories.data[more] = 1 + np.log(categories.data[more])  # sublinear_tf would make amounts below 1 / e negative
words = TfidfTransformer().fit(categories[learn]).transform(categories)
tastes = TruncatedSVD(8, n_iter=2, random_state=42).fit(words[learn]).transform(words)
rows["segment"] = KMeans(16, n_init=3, random_state=42).fit(words[learn]).predict(words)
rows["lifestyle"] = KMeans(5, n_init=3, random_state=42).fit(by_department[learn]).predict(by_department)
mixture = GaussianMixture(4, reg_covar=0.001, random_state=42).fit(tastes[learn]).predict_proba(tastes)
traits = pd.get_dummies(rows[["campaign_type", "age", "income", "home_ownership", "marital_status", "household_size",
                              "household_comp", "kids_count", "has_demographics", "lifestyle"]].astype(object))

# Who redeems.
features = np.hstack([traits, pd.DataFrame(inputs), tastes, mixture]).astype(float)
features = StandardScaler().fit(features[learn]).transform(features)
labels = rows.redeemed.to_numpy()
model = LogisticRegression(C=1 / (0.05 * learn.sum()), max_iter=1000).fit(features[learn], labels[learn])
rows["p_redeem"] = model.predict_proba(features)[:, 1]
rows[["household_id", "campaign_id", "campaign_type", "segment", "lifestyle", "p_redeem"]].to_csv(out, index=False)


def quality(judged):
    """Measures with half of their intervals of 95 %: that of AUC by DeLong, that of means by the variance of the rows."""
    score, label = judged.p_redeem.to_numpy(float), judged.redeemed.to_numpy()
    rank, yes, no = scipy.stats.rankdata(score), label.sum(), (~label).sum()
    above = (rank[label] - scipy.stats.rankdata(score[label])) / no  # for each positive: the share of negatives below it
    below = (rank[~label] - scipy.stats.rankdata(score[~label])) / yes
    loss, brier = -np.log(np.where(label, score, 1 - score)), (score - label) ** 2
    gaps = pd.DataFrame({"score": score, "label": label}).groupby(np.minimum((score * 10).astype(int), 9)).sum().diff(axis=1)
    return pd.Series({
        "rows": len(judged), "positives": yes, "ctr": label.mean(), "mean_score": score.mean(), "calibration": score.sum() / yes,
        "logloss": loss.mean(), "logloss_half": 1.96 * loss.std() / len(judged) ** 0.5,
        "brier": brier.mean(), "brier_half": 1.96 * brier.std() / len(judged) ** 0.5,
        "auc": above.mean(), "auc_half": 1.96 * (above.var(ddof=1) / yes + below.var(ddof=1) / no) ** 0.5,
        "ece": gaps.label.abs().sum() / len(judged)})


judged = rows[~learn]
table = pd.concat([quality(judged).rename("all"), judged.groupby("campaign_type").apply(quality).T], axis=1)
peer.result("%.4f" % table["all"].auc)
print(table, file=sys.stderr)
