#!/usr/bin/env bash
# TF-IDF of short documents, with a vocabulary and by hashing; and of Chinese reviews, by dictionary.
# shellcheck disable=SC2034,SC2154 # bench.sh, lib.sh and contests share variables

text_pipeline() { # FILE PARAMETERS of tfidf
  cat <<TEXT
adloom: 1
plugins: [$tools/.libs/noop.so]
stages:
  documents: {use: read-csv, path: "$1", header: false, delimiter: tab, quote: "", columns: {text: string}}
  words: {use: tfidf, text: text$2}
  total: {use: bench.total, columns: [words]}
TEXT
}

# The same numbers: features, entries that are not zero, and the sum of all of them.
text_vocabulary() {
  text_pipeline "$file" '' >text.yaml
  begin text
  ours text.yaml
  if python_with sklearn; then against 'scikit-learn, TfidfVectorizer' "$python" "$source/peers/text.py" tfidf "$file"; fi
  bound "read:$file" "lines:$file"
  measured || return 0
  words=$(metric text words words) entries=$(metric text total items) sum=$(metric text total sum)
  if [ -n "${peer_quality[0]:-}" ] && [ "${peer_quality[0]}" != failed ]; then
    IFS=/ read -r its_words its_entries its_sum <<<"${peer_quality[0]}"
    close_to "$words" "$its_words" 0 'text: words of scikit-learn'
    close_to "$entries" "$its_entries" 0 'text: entries of scikit-learn'
    close_to "$sum" "$its_sum" 1e-6 'text: sum of scikit-learn'
  fi
  show "$rows" "$(megabytes "$file") / 1e3 * (1 / read + 1 / lines)" "$(calculate '%d/%d/%.2f' "$words, $entries, $sum")"
}

text_hashed() {
  begin 'text, hashed'
  if ! has tfidf mode; then
    not_built "$this"
    return 0
  fi
  text_pipeline "$file" ', mode: hash, bits: 20' >text-hashed.yaml
  ours text-hashed.yaml
  if python_with sklearn; then against 'scikit-learn, HashingVectorizer and TfidfTransformer' "$python" "$source/peers/text.py" hash "$file"; fi
  bound "read:$file" "lines:$file"
  measured || return 0
  show "$rows" "$(megabytes "$file") / 1e3 * (1 / read + 1 / lines)" "$(calculate '%d entries' "$(metric "$this" total items)")"
}

# Other dictionaries cut words in other places, so the results are not the same; only time and memory are compared.
text_chinese() {
  local dictionary='' reviews=${ADLOOM_DATA:-}/zh_shopping/online_shopping_10_cats.csv.gz
  if [ ! -e "$reviews" ]; then
    plain 'text, Chinese' 'skipped: ADLOOM_DATA is not set' '' '' '' ''
    return 0
  fi
  rows=$(scaled 60000)
  gzip -cd "$reviews" 2>/dev/null | head -n $((rows + 1)) >chinese.csv || true
  if has tfidf dictionary && python_with jieba; then
    dictionary=", dictionary: $("$python" -c 'import jieba, os; print(os.path.dirname(jieba.__file__))')/dict.txt"
  fi
  cat >text-chinese.yaml <<TEXT
adloom: 1
plugins: [$tools/.libs/noop.so]
stages:
  documents: {use: read-csv, path: chinese.csv, columns: {review: string}}
  words: {use: tfidf, text: review$dictionary}
  total: {use: bench.total, columns: [words]}
TEXT
  begin 'text, Chinese'
  ours text-chinese.yaml
  if python_with jieba,sklearn; then against 'jieba and scikit-learn' "$python" "$source/peers/text.py" jieba chinese.csv; fi
  measured || return 0
  show "$rows" '' "$(calculate '%d words, %d entries' "$(metric "$this" words words), $(metric "$this" total items)")"
}

text() {
  local file rows words entries sum its_words its_entries its_sum
  data documents "$(scaled 500000)"
  file=$folder/documents.txt rows=$(fact rows)
  table "$heading"
  text_vocabulary
  text_hashed
  text_chinese
}
