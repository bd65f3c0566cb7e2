"""read.py FILE: a click log (.tsv) or events (.jsonl) to a typed table; tells how many values are missing."""
import json
import sys

import pandas as pd

import peer

peer.begin()
if sys.argv[1].endswith(".jsonl"):
    columns = {name: [] for name in ("id", "at", "user", "age", "device", "price", "tags", "clicked")}
    with open(sys.argv[1], encoding="utf8") as lines:
        for line in lines:
            event = json.loads(line)
            for name in ("id", "at", "price", "tags", "clicked"):
                columns[name].append(event[name])
            columns["user"].append(event["user"]["id"])
            columns["age"].append(event["user"]["age"])
            columns["device"].append(event["device"]["type"])
    columns["age"] = pd.array(columns["age"], dtype="Int64")
    table = pd.DataFrame(columns)
else:
    types = {"label": "int64", **{"i%d" % i: "float64" for i in range(1, 14)}, **{"c%d" % i: "str" for i in range(1, 27)}}
    table = pd.read_csv(sys.argv[1], sep="\t", dtype=types)
peer.result(int(table.isna().sum().sum()))
