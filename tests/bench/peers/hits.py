"""hits.py MODEL FOLDER: HR@20 of a model of adloom's als on the held-out items, as als.py tells it for implicit: how often the item
is among the 20 best that the user has not had. Prints the number alone."""
import json
import struct
import sys

import numpy as np

path, folder = sys.argv[1:]
with open(path, "rb") as file:
    (size,) = struct.unpack("<Q", file.read(8))
    header = json.loads(file.read(size))
    data = file.read()


def tensor(name):
    begin, end = header[name]["data_offsets"]
    kind = {"F32": np.float32, "F64": np.float64, "I64": np.int64, "U8": np.uint8}[header[name]["dtype"]]
    return np.frombuffer(data[begin:end], kind).reshape(header[name]["shape"])


def numbers_of(table):
    keys, offsets = tensor(table + ".keys").tobytes(), tensor(table + ".key_offsets")
    return {keys[a:b].decode(): i for i, (a, b) in enumerate(zip(offsets[:-1], offsets[1:]))}


def pairs(name):
    with open(folder + "/" + name, encoding="utf8") as lines:
        next(lines)
        for line in lines:
            yield line.rstrip("\n").split(",")[:2]


users, items = numbers_of("users"), numbers_of("items")
user_factors, item_factors = tensor("user_factors"), tensor("item_factors")
tests = dict(pairs("implicit-test.csv"))
seen = {user: [] for user in tests}
for user, item in pairs("implicit.csv"):
    if user in seen:
        seen[user].append(items[item])
hits = 0
for user, item in tests.items():
    if user not in users or item not in items:
        continue
    scores = item_factors @ user_factors[users[user]]
    scores[seen[user]] = -np.inf
    hits += items[item] in np.argpartition(-scores, 20)[:20]
print("%.4f" % (hits / len(tests)))
