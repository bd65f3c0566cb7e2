# Makes the log that pipelines/shop.yaml reads: 20,000 times an ad was shown to somebody in a small shop's newsletter, and
# whether it was clicked. Texts are English or Chinese; every user likes one or two of five kinds of goods. Seeded, so it
# is the same bytes everywhere:
#
#   awk -f pipelines/shop-log.awk > build/shop.csv
#
# -v rows=N and -v seed=N make other logs. As in real logs, some rows are there twice and some cannot be read.

# Park and Miller's generator (CACM 1988): exact in the doubles that every awk computes with.
function uniform() {
  state = (state * 16807) % 2147483647
  return state / 2147483647
}

function pick(count) { return int(uniform() * count) + 1 }

# Seconds since the beginning of March 2024.
function moment(second, day, month) {
  day = int(second / 86400) + 1
  month = 3
  while (day > days[month]) day -= days[month++]
  second %= 86400
  return sprintf("2024-%02d-%02d %02d:%02d:%02d", month, day, int(second / 3600), int(second / 60) % 60, second % 60)
}

function english(kind, noun, text) {
  noun = word[kind, pick(words)]
  if (uniform() < 0.1) return "\"" shelf[kind] ": " noun ", the \"\"" brand[pick(brands)] "\"\" one\""
  text = shelf[kind] ": " about[pick(abouts)] " " noun
  return uniform() < 0.3 ? "\"" text ", " tail[pick(tails)] "\"" : text
}

function chinese(kind, text) {
  text = zhshelf[kind] "：" zhabout[pick(zhabouts)] zhword[kind, pick(words)]
  return uniform() < 0.3 ? text "，" zhtail[pick(zhtails)] : text
}

# A kind of goods: the shelf it stands on, and what is sold there.
function goods(kind, name, nouns, zhname, zhnouns, i, part) {
  shelf[kind] = name
  zhshelf[kind] = zhname
  words = split(nouns, part, "|")
  for (i = 1; i <= words; i++) word[kind, i] = part[i]
  split(zhnouns, part, "|")
  for (i = 1; i <= words; i++) zhword[kind, i] = part[i]
}

BEGIN {
  if (rows == "") rows = 20000
  state = (seed == "" ? 7 : seed) % 2147483646 + 1
  split("31 29 31 30 31 30 31 31 30 31 30 31", days, " ")
  kinds = 5
  goods(1, "sport outdoor", "running shoes|rain jacket|hiking boots|wool socks|yoga mat", "运动户外", "跑鞋|雨衣|登山靴|羊毛袜|瑜伽垫")
  goods(2, "food drink", "green tea|coffee beans|dark chocolate|olive oil|wild honey", "食品饮料", "绿茶|咖啡豆|黑巧克力|橄榄油|蜂蜜")
  goods(3, "computer phone", "phone case|headphones|usb charger|keyboard|smart watch", "电脑手机", "手机壳|耳机|充电器|键盘|手表")
  goods(4, "toys kids", "wooden blocks|picture book|night light|toy train|teddy bear", "玩具儿童", "积木|绘本|夜灯|玩具火车|泰迪熊")
  goods(5, "books music", "crime novel|cook book|poetry|travel guide|comic", "图书音乐", "侦探小说|食谱|诗集|旅行指南|漫画")
  abouts = split("light|new|soft|classic|small|spring", about, "|")
  tails = split("now 20 % off|free delivery|back in stock|only today", tail, "|")
  brands = split("Aster|Birch|Cedar", brand, "|")
  zhabouts = split("轻便|新款|经典|精选|春季", zhabout, "|")
  zhtails = split("限时八折|包邮|现货|买一送一", zhtail, "|")

  users = 200
  for (u = 1; u <= users; u++) {
    likes[u] = pick(kinds)
    also[u] = pick(kinds)
    eager[u] = 0.6 * (uniform() + uniform() - 1)
    reads_chinese[u] = uniform() < 0.35
  }

  print "user,text,at,clicked"
  for (row = 1; row <= rows; row++) {
    user = pick(users)
    kind = pick(kinds)
    second += pick(500)
    margin = -2.6 + eager[user] + (kind == likes[user] ? 2.6 : 0) + (kind == also[user] ? 1.6 : 0)
    clicked = uniform() < 1 / (1 + exp(-margin)) ? 1 : 0
    line = "u" (1000 + user) "," (reads_chinese[user] ? chinese(kind) : english(kind)) "," moment(second) "," clicked
    if (uniform() < 0.0005) sub(/2024-0/, "2024-1", line)
    print line
    if (uniform() < 0.002) print line
  }
}
