"""journey.py FOLDER OUT: the steps of pipelines/journey.yaml in pandas and scikit-learn: households and what they bought,
k-means twice, a Gaussian mixture, logistic regression; tells the AUC on campaigns that started after the cut."""
import glob
import sys
import warnings

import numpy as np
import pandas as pd
import scipy.sparse
from sklearn.cluster import KMeans
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.mixture import GaussianMixture
from sklearn.preprocessing import StandardScaler

import peer

folder, out = sys.argv[1:]
warnings.filterwarnings("ignore")
peer.begin()
CUT = pd.Timestamp("2017-10-01", tz="UTC")


def read(name, dates=(), **more):
    table = pd.read_csv(glob.glob("%s/%s.csv*" % (folder, name))[0], **more)
    for date in dates:
        table[date] = pd.to_datetime(table[date], utc=True)
    return table


def bag(rows, of, least):
    """Households x values, log(1 + what was spent); values of fewer than `least` households are left out."""
    spent = rows.pivot_table(index="household_id", columns=of, values="sales_value", aggfunc="sum", fill_value=0)
    return spent, np.log1p(spent.loc[:, (spent > 0).sum() >= least])


transactions = read("transactions_sample", ["transaction_timestamp"])
purchases = transactions[transactions.transaction_timestamp < CUT]
products = read("products")[["product_id", "department", "brand", "product_category"]]
bought = purchases.merge(products, on="product_id", how="left")
bought["coupon_used"] = bought.coupon_disc > 0
bought["private_spend"] = bought.sales_value.where(bought.brand == "Private", 0)
households = bought.groupby("household_id").agg(
    spend=("sales_value", "sum"), baskets=("basket_id", "nunique"), items=("product_id", "nunique"),
    stores=("store_id", "nunique"), categories=("product_category", "nunique"), coupon_spend=("coupon_disc", "sum"),
    coupons=("coupon_used", "sum"), match=("coupon_match_disc", "sum"), discount=("retail_disc", "sum"),
    private_spend=("private_spend", "sum"), latest=("transaction_timestamp", "max"))
habits = pd.DataFrame({"log_" + name: np.log1p(households[name]) for name in (
    "spend", "baskets", "items", "coupon_spend", "discount", "match", "coupons", "categories", "stores")})
habits["log_basket_size"] = np.log1p(households.spend / households.baskets)
habits["private_share"] = households.private_spend / (households.spend + 0.01)
habits["coupon_share"] = households.coupon_spend / (households.spend + 1)
habits["days_since"] = (CUT - households.latest).dt.total_seconds() / 86400

_, by_department = bag(bought, "department", 20)
spent, by_category = bag(bought, "product_category", 150)
counts = scipy.sparse.csr_matrix(spent.to_numpy().clip(min=0))
words = TfidfTransformer(sublinear_tf=True).fit_transform(counts)
segment = KMeans(16, n_init=3, random_state=42).fit_predict(words)
lifestyle = KMeans(8, n_init=3, random_state=42).fit_predict(by_department)
scaled = StandardScaler().fit_transform(habits[["log_spend", "log_baskets", "log_items", "log_coupon_spend", "log_discount", "private_share"]])
mixture = GaussianMixture(4, reg_covar=0.001, random_state=42).fit(scaled).predict_proba(scaled)
profiles = pd.concat([
    habits, by_department.add_prefix("d_").reindex(habits.index, fill_value=0), by_category.add_prefix("c_").reindex(habits.index, fill_value=0),
    pd.DataFrame(mixture, index=habits.index).add_prefix("mixture_")], axis=1)
profiles["segment"] = pd.Series(segment, index=spent.index).astype(str)
profiles["lifestyle"] = pd.Series(lifestyle, index=by_department.index).astype(str)

redemptions = read("coupon_redemptions", ["redemption_date"])
redemptions["before"] = redemptions.redemption_date < CUT
redeemed = redemptions.groupby(["household_id", "campaign_id"]).agg(before=("before", "sum"), ever=("before", "size")).reset_index()
descriptions = read("campaign_descriptions", ["start_date", "end_date"])
sent = read("campaigns").merge(descriptions, on="campaign_id")
sent = sent[(sent.end_date < CUT) | (sent.start_date >= CUT)]
sent = sent.merge(redeemed, on=["household_id", "campaign_id"], how="left").fillna({"before": 0, "ever": 0})
held_out = sent.start_date >= CUT
sent["redeemed"] = np.where(held_out, sent.ever > 0, sent.before > 0)
sent["held_out"] = held_out
demographics = read("demographics", dtype=str)
demographics["household_id"] = demographics.household_id.astype("int64")
demographics["known"] = "yes"
rows = sent.merge(demographics, on="household_id", how="left").merge(profiles, left_on="household_id", right_index=True)
numbers = [name for name in rows.columns if name in profiles.columns and name not in ("segment", "lifestyle")]
for name in ("spend", "baskets", "coupon_spend", "discount", "items"):
    for kind in "ABC":
        numbers.append("%s_%s" % (name, kind))
        rows[numbers[-1]] = rows["log_" + name].where(rows.campaign_type == "Type " + kind, 0)
traits = ["campaign_type", "segment", "lifestyle"] + [name for name in demographics.columns if name != "household_id"]
inputs = np.hstack([rows[numbers].to_numpy(float), pd.get_dummies(rows[traits]).to_numpy(float)])
learn, judge = ~rows.held_out.to_numpy(), rows.held_out.to_numpy()
scaler = StandardScaler().fit(inputs[learn])
labels = rows.redeemed.to_numpy(bool)
model = LogisticRegression(C=1 / (0.05 * learn.sum()), max_iter=1000).fit(scaler.transform(inputs[learn]), labels[learn])
scores = model.predict_proba(scaler.transform(inputs))[:, 1]
rows.assign(p_redeem=scores)[["household_id", "campaign_id", "campaign_type", "segment", "lifestyle", "p_redeem"]].to_csv(out, index=False)
peer.result("%.4f" % roc_auc_score(labels[judge], scores[judge]))
