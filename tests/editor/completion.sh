#!/bin/bash
# The completion function of bash, called as bash calls it, in the file system of a user who has a pipeline.
set -u
here=$(mktemp -d) || exit 1
trap 'rm -rf "$here"' EXIT
PATH=$ADLOOM_BUILD:$PATH
cd "$here" || exit 1
failed=0
cat >p.yaml <<'END'
adloom: 1
stages:
  log: {use: read-csv, path: log.csv}
  words: {use: tfidf, text: text}
  segment: {use: kmeans, features: [words], clus
END
mkdir runs
touch runs/one.yaml
source <(adloom completion bash) || exit 1

# offered LINE: what completing the line offers, in one line.
offered() {
  COMP_LINE=$1 COMP_POINT=${#1} COMP_WORDBREAKS=$' \t\n"\'><=;|&(:'
  COMPREPLY=()
  _adloom
  printf '%s ' "${COMPREPLY[@]}"
}

# offers LINE WORD...: these are among them; a word with ! in front is not.
offers() {
  local line=$1 found word
  shift
  found=" $(offered "$line")"
  for word; do
    case $word in
    !*) case $found in *" ${word#!} "*) echo "'$line' offers ${word#!}:$found" && failed=1 ;; esac ;;
    *) case $found in *" $word "*) ;; *) echo "'$line' does not offer $word:$found" && failed=1 ;; esac ;;
    esac
  done
}

offers "adloom " run check schema explain help --version
offers "adloom r" run !check
offers "adloom help " run completion
offers "adloom run --" --set --threads --help !--format
offers "adloom run p.yaml --th" --threads !--set
offers "adloom graph p.yaml --format " text dot mermaid
offers "adloom graph p.yaml --format=m" mermaid !dot
offers "adloom run " p.yaml runs
offers "adloom run p" p.yaml !runs
offers "adloom run runs/" runs/one.yaml
offers "adloom run p.yaml --models " runs
offers "adloom plugin " list show
offers "adloom plugin show " kmeans tfidf
offers "adloom plugin show tfidf k" kmeans !tfidf
offers "adloom plugin list " !kmeans
offers "adloom nothing " !run

# The file ends in the middle of a line: there is nothing to read in it, and nothing to offer but keys of the file.
offers "adloom run p.yaml --set " seed= !segment.
echo '}' >>p.yaml
sed -i 's/, clus$/}/; $d' p.yaml
offers "adloom run p.yaml --set " seed= segment. words.
offers "adloom run p.yaml --set seg" segment. !words.
offers "adloom run p.yaml --set segment." segment.clusters= segment.algorithm= segment.from= !segment.alpha=
offers "adloom run p.yaml --set segment.cl" segment.clusters= !segment.algorithm=
offers "adloom run p.yaml --set segment.algorithm=" lloyd mini-batch
offers "adloom run p.yaml --set segment.algorithm=mi" mini-batch !lloyd
offers "adloom run p.yaml --set segment.use=k" kmeans !tfidf
offers "adloom run p.yaml --set segment.from=" log words
offers "adloom run p.yaml --set words.sublinear=" true false
offers "adloom run p.yaml --quiet --set segment.algorithm=" lloyd
offers "adloom run --set segment.algorithm=" !lloyd
offers "adloom explain p.yaml " log words segment
offers "adloom explain p.yaml seg" segment !log
offers "adloom explain nowhere.yaml " !log
exit $failed
