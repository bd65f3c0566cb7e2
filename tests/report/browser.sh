#!/bin/bash
# A report in a real browser, headless Chromium: no errors on the console, nothing sticks out of the page at 400 and 1600
# pixels, the pointer gets the value of a point and zooms, and the page makes no request. tests/report/browser.js does it
# within the page.
set -u

browser=
for name in chromium chromium-browser google-chrome; do
  command -v "$name" >/dev/null && browser=$name && break
done
if [ -z "$browser" ]; then
  echo "skipped: no Chromium (Debian: apt install chromium)"
  exit 77
fi
folder=$(mktemp -d "${TMPDIR:-/tmp}/adloom-XXXXXX") || exit 1
trap 'rm -rf "$folder"' EXIT
trap 'exit 1' HUP INT TERM
fail() {
  echo "failed: $*"
  exit 1
}

awk -f "$ADLOOM_SRC/pipelines/shop-log.awk" >"$folder/shop.csv" || exit 1
SHOP_LOG=$folder/shop.csv "$ADLOOM_BUILD/adloom" run "$ADLOOM_SRC/pipelines/shop.yaml" --quiet --out "$folder/run" \
  --store "$folder/store" || fail "adloom run"
report=$folder/run/report.html
SHOP_LOG=$folder/shop.csv "$ADLOOM_BUILD/adloom" compare "$ADLOOM_SRC/pipelines/shop.yaml" --swap segment.clusters=2,3,5 \
  --quiet --out "$folder/compared" --store "$folder/store" >"$folder/table" 2>&1 || fail "adloom compare"
grep -q '^#define HAVE_CHART_JS 1' "$ADLOOM_BUILD/config.h" && interactive=yes || interactive=no

# The report with the test's script behind it, in a frame: a window of headless Chromium is never narrower than 500 pixels.
# Under virtual time it draws no frames that could be waited for: they come by the clock.
prepare() { # prepare REPORT
  sed '/^<\/body>$/d; /^<\/html>$/d
    s|^<body>$|&<script>window.requestAnimationFrame = (draw) => setTimeout(() => draw(performance.now()), 16);</script>|' \
    "$1" >"$folder/page.html"
  {
    printf '<script>\n'
    cat "$ADLOOM_SRC/tests/report/browser.js"
    printf '</script>\n</body>\n</html>\n'
  } >>"$folder/page.html"
}

# look WIDTH: opens the page; what it found goes to found.json, the console to console.txt.
look() {
  local width=$1 before after state
  cat >"$folder/frame.html" <<EOF
<!DOCTYPE html><html><body style="margin:0"><script>
addEventListener('message', (event) => { document.documentElement.dataset.found = event.data; });
</script><iframe src="page.html" style="border:0;width:${width}px;height:900px"></iframe></body></html>
EOF
  timeout 120 "$browser" --headless --no-sandbox --disable-gpu --disable-dev-shm-usage --no-first-run \
    --user-data-dir="$folder/profile" --host-resolver-rules='MAP * ~NOTFOUND' --enable-logging=stderr --v=0 \
    --window-size=1700,1000 --virtual-time-budget=60000 --dump-dom "file://$folder/frame.html" \
    >"$folder/dom.html" 2>"$folder/console.txt"
  sed -n 's/^.*<html[^>]* data-found="\([^"]*\)".*$/\1/p' "$folder/dom.html" | head -n 1 |
    sed 's/&quot;/"/g; s/&lt;/</g; s/&gt;/>/g; s/&amp;/\&/g' >"$folder/found.json"
  [ -s "$folder/found.json" ] || fail "the page told nothing at $width pixels: $(tail -n 5 "$folder/console.txt")"
  if grep 'CONSOLE' "$folder/console.txt"; then fail "the console is not silent at $width pixels"; fi
  grep -q '"errors":\[\]' "$folder/found.json" || fail "errors: $(cat "$folder/found.json")"
  before=$(grep -o '"before":{[^}]*}' "$folder/found.json") after=$(grep -o '"after":{[^}]*}' "$folder/found.json")
  for state in "$before" "$after"; do
    [[ $state =~ \"width\":([0-9]+),\"scroll\":([0-9]+),\"out\":\[\] ]] || fail "sticks out at $width pixels: $state"
    [ "${BASH_REMATCH[2]}" -le "${BASH_REMATCH[1]}" ] || fail "scrolls sideways at $width pixels: $state"
    [ "${BASH_REMATCH[1]}" -le "$width" ] || fail "the page is ${BASH_REMATCH[1]} pixels wide"
  done
}

# Every chart is alive, its first point tells its value, dragging looks closer, a double click goes back; between whole
# numbers there is no tick.
answers() {
  awk -v RS='{"name":' 'NR == 1 { next } {
      n++
      split($0, part, /"tip":"/)
      if (!/"alive":true/) bad = "is not alive"
      else if (!/"tip":"[^"]+: [-0-9]/) bad = "tells no value"
      else if (/"between":true/) bad = "has ticks between whole numbers"
      else if (/"closer":/ && !/"closer":(0\.[0-9]+|1),"back":1[^0-9.]/) bad = "does not zoom"
      if (bad != "") { print bad ": " $0; exit 1 }
    } END { if (bad == "" && n < 3) { print n + 0 " charts"; exit 1 } if (bad == "") print n " charts" }' "$folder/found.json"
}

for page in "$folder/compared/compare.html" "$report"; do
  prepare "$page"
  for width in 400 1600; do
    look $width
    if [ $interactive = yes ]; then
      answers || fail "a chart of ${page##*/} at $width pixels"
    else
      grep -q '"alive":true' "$folder/found.json" && fail "a chart is alive without Chart.js"
    fi
  done
done
[ $interactive = no ] || grep -q '"closer":0\.[1-6]' "$folder/found.json" || fail "no chart zooms"
[ $interactive = yes ] || echo "built without Chart.js: the page is static"
echo "$(wc -c <"$report") bytes"
