"""keyed.py group|join FOLDER OUT: sums, counts and a bag of tokens for each key; or rows joined with the table of keys, summed up
by city. Tells the sum of all sums."""
import sys

import pandas as pd

import peer

what, folder, out = sys.argv[1:]
peer.begin()
if what == "group":
    rows = pd.read_csv(folder + "/keyed.csv", dtype={"key": str, "amount": "float64", "token": "category"})
    groups = rows.groupby("key")["amount"].agg(["count", "sum"])
    bags = rows.groupby(["key", "token"], observed=True)["amount"].sum()
    groups.to_csv(out + ".csv")
    bags.to_csv(out + "-bags.csv")
    total = groups["sum"].sum()
else:
    rows = pd.read_csv(folder + "/keyed.csv", usecols=["key", "amount"], dtype={"key": str, "amount": "float64"})
    keys = pd.read_csv(folder + "/keys.csv", dtype={"key": str, "city": "category", "factor": "float64"})
    joined = rows.merge(keys, on="key")
    joined["worth"] = joined["amount"] * joined["factor"]
    cities = joined.groupby("city", observed=True)["worth"].agg(["count", "sum"])
    cities.to_csv(out + ".csv")
    total = cities["sum"].sum()
peer.result("%.4f" % total)
