"""Validates pipeline files against the schema that `adloom schema` writes. YAML is read by the core rules of YAML 1.2, as
adloom reads it (PyYAML alone would take 1e-3 for a text and `on` for true). Usage: validate.py SCHEMA FILE...
A file that ends in .bad.yaml must not be valid. Exit status 77: a module is missing."""
import json
import re
import sys

try:
    import jsonschema
    import yaml
except ImportError as error:
    print(error)
    sys.exit(77)


class Core(yaml.SafeLoader):
    yaml_implicit_resolvers = {}


for tag, pattern, first in (
    ("null", r"^(?:~|null|Null|NULL|)$", ["~", "n", "N", ""]),
    ("bool", r"^(?:true|True|TRUE|false|False|FALSE)$", list("tTfF")),
    ("int", r"^(?:[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+)$", list("-+0123456789")),
    ("float", r"^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$", list("-+.0123456789")),
    ("merge", r"^<<$", ["<"]),
):
    Core.add_implicit_resolver("tag:yaml.org,2002:" + tag, re.compile(pattern), first)
Core.add_constructor("tag:yaml.org,2002:float", lambda loader, node: float(node.value))
Core.add_constructor("tag:yaml.org,2002:int", lambda loader, node: int(node.value, 0) if node.value[0:2] in ("0x", "0o") else int(node.value))

with open(sys.argv[1], encoding="utf-8") as file:
    schema = json.load(file)
jsonschema.Draft7Validator.check_schema(schema)
validator = jsonschema.Draft7Validator(schema)
failed = 0
for path in sys.argv[2:]:
    with open(path, encoding="utf-8") as file:
        errors = list(validator.iter_errors(yaml.load(file, Core)))
    if path.endswith(".bad.yaml"):
        if not errors:
            print(f"{path} is valid, and should not be")
            failed = 1
        continue
    for error in errors:
        print(f"{path}: {'.'.join(map(str, error.absolute_path))}: {error.message[:200]}")
        failed = 1
sys.exit(failed)
