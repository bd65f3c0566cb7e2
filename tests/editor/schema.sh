#!/bin/sh
# The example pipelines are valid by the schema that adloom schema writes, and faults are not. Skipped without Python's
# modules jsonschema and yaml; tests/plugin/test_schema.c looks at the schema without them.
set -u
here=$(mktemp -d) || exit 1
trap 'rm -rf "$here"' EXIT
"$ADLOOM_BUILD/adloom" schema >"$here/schema.json" || exit 1
command -v python3 >/dev/null || {
  echo "skipped: there is no python3"
  exit 77
}

# bad NAME: a file with this fault, from standard input, in a stage behind the source.
bad() {
  {
    printf 'adloom: 1\nstages:\n  log: {use: read-csv, path: log.csv, columns: {user: id, text: string, t: bool}}\n'
    cat
  } >"$here/$1.bad.yaml"
}
echo '  s: {use: kmeans, features: [text], clutsers: 4}' | bad unknown-parameter
echo '  s: {use: kmeens, features: [text]}' | bad unknown-class
echo '  s: {use: kmeans}' | bad missing-parameter
echo '  s: {use: kmeans, features: [text], clusters: 0}' | bad too-small
echo '  s: {use: kmeans, features: [text], clusters: 1.5}' | bad no-whole-number
echo '  s: {use: kmeans, features: [text], algorithm: slow}' | bad no-such-choice
echo '  s: {use: kmeans, features: {a: text}}' | bad no-list
echo '  s: {use: ftrl, features: [text]}' | bad nothing-to-learn-from
echo '  s: {use: ftrl, features: [text], label: t, learn: sometimes}' | bad learn
echo '  s: {use: kmeans, features: [text], learn: online}' | bad cannot-learn-online
echo '  s: {use: filter, where: t, model: m.safetensors}' | bad learns-nothing
echo '  s: {use: filter, where: t, holdout: {fraction: 0.2, newest: 0.2}}' | bad two-holdouts
echo '  s: {use: filter, where: t, holdout: {newest: 0.2}}' | bad newest-of-what
echo '  s: {use: filter, where: t, isolate: true}' | bad later-key
echo '  s: {use: group, by: user, columns: {n: number(t)}}' | bad no-such-function
echo '  s: {use: tags, user: user, tag: text, half_life: soon}' | bad no-duration
echo '  2nd: {use: filter, where: t}' | bad name-of-a-stage
echo 'speed: 3' | bad key-of-the-file
printf 'adloom: 2\nstages: {a: {use: market, table: users}}\n' >"$here/version.bad.yaml"
printf 'adloom: 1\nname: x\n' >"$here/no-stages.bad.yaml"
cat >"$here/fine.yaml" <<'END'
adloom: 1
x-mine: &mine {path: log.csv}
threads: "${THREADS:-2}"
memory: 1.5 GiB
max_rejects: 1e-3
plugins: [./none.so]
stages:
  log:
    use: read-csv
    <<: *mine
    columns: {user: id, text: string, t: bool, at: timestamp}
    holdout: {where: "at > '2024-01-01'", as: validate}
  likes: {use: tags, user: user, tag: text, at: at, half_life: 1d12h, best: best}
  learner: {use: ftrl, from: [log, log], features: text, label: t, alpha: "${ALPHA}", as: 1}
  applied: {use: ftrl, from: log, features: text, learn: frozen, model: old}
END
python3 "$ADLOOM_SRC/tests/editor/validate.py" "$here/schema.json" "$here"/*.yaml "$ADLOOM_SRC"/pipelines/*.yaml \
  "$ADLOOM_SRC"/tests/bench/*.yaml
