/* The words of the two catalogues. */
#include "common/market_catalogue.h"

/* clang-format off */
#define THING(zh, en, low, high) {{zh, en}, low, high}

const adl_market_catalogue adl_market_catalogues[2] = {
  {.interests = {
    {"electronics", 1.4f, -0.3f, -0.5f, 0.05f, {
      THING("笔记本电脑", "laptop", 3000, 12000), THING("蓝牙耳机", "Bluetooth earphones", 80, 1500),
      THING("智能手机", "smartphone", 1000, 8000), THING("机械键盘", "mechanical keyboard", 150, 1200),
      THING("平板电脑", "tablet", 1200, 6000), THING("充电宝", "power bank", 60, 300)}},
    {"fashion", 1.4f, -0.4f, 0.6f, 0.10f, {
      THING("连衣裙", "dress", 80, 900), THING("牛仔裤", "jeans", 90, 600), THING("运动鞋", "sneakers", 200, 1500),
      THING("羽绒服", "down jacket", 300, 2500), THING("双肩包", "backpack", 90, 800), THING("卫衣", "hoodie", 70, 500)}},
    {"beauty", 1.1f, -0.3f, 0.9f, 0.00f, {
      THING("口红", "lipstick", 50, 400), THING("面膜", "face mask", 40, 300), THING("精华液", "serum", 120, 1200),
      THING("防晒霜", "sunscreen", 50, 350), THING("香水", "perfume", 150, 1500), THING("洗面奶", "face wash", 30, 200)}},
    {"food", 1.3f, 0.2f, 0.1f, 0.10f, {
      THING("坚果礼盒", "nut gift box", 50, 300), THING("咖啡豆", "coffee beans", 50, 250),
      THING("绿茶", "green tea", 40, 800), THING("牛排", "steak", 80, 500), THING("火锅底料", "hotpot base", 15, 80),
      THING("新鲜水果", "fresh fruit", 30, 200)}},
    {"home", 1.0f, 0.4f, 0.3f, 0.15f, {
      THING("沙发", "sofa", 1000, 8000), THING("台灯", "desk lamp", 60, 500), THING("床垫", "mattress", 800, 6000),
      THING("电饭煲", "rice cooker", 150, 1500), THING("窗帘", "curtains", 80, 600),
      THING("收纳箱", "storage box", 20, 150)}},
    {"sports", 0.9f, -0.2f, -0.4f, 0.20f, {
      THING("跑步鞋", "running shoes", 200, 1400), THING("瑜伽垫", "yoga mat", 50, 300),
      THING("篮球", "basketball", 80, 500), THING("山地自行车", "mountain bike", 900, 6000),
      THING("羽毛球拍", "badminton racket", 100, 1200), THING("哑铃", "dumbbells", 60, 500)}},
    {"baby", 0.8f, 0.0f, 0.6f, -0.05f, {
      THING("纸尿裤", "nappies", 60, 250), THING("婴儿推车", "pram", 300, 3000),
      THING("奶粉", "milk powder", 150, 500), THING("儿童绘本", "picture book", 20, 150),
      THING("积木玩具", "building blocks", 50, 600), THING("安全座椅", "child seat", 500, 3000)}},
    {"travel", 0.8f, 0.1f, 0.0f, -0.10f, {
      THING("拉杆箱", "suitcase", 200, 1800), THING("酒店套餐", "hotel package", 300, 3000),
      THING("机票", "flight", 400, 4000), THING("帐篷", "tent", 150, 1500),
      THING("景区门票", "admission ticket", 50, 400), THING("登山杖", "trekking poles", 60, 400)}},
    {"books", 0.7f, 0.2f, 0.1f, 0.05f, {
      THING("科幻小说", "science fiction novel", 25, 120), THING("历史书", "history book", 30, 180),
      THING("电子书阅读器", "e-book reader", 500, 2500), THING("编程教材", "programming textbook", 50, 200),
      THING("漫画", "comics", 20, 150), THING("诗集", "poems", 20, 90)}},
    {"pets", 0.6f, -0.1f, 0.3f, 0.10f, {
      THING("猫粮", "cat food", 50, 400), THING("狗粮", "dog food", 60, 500), THING("猫砂", "cat litter", 20, 120),
      THING("宠物窝", "pet bed", 40, 300), THING("牵引绳", "dog lead", 20, 150), THING("鱼缸", "aquarium", 100, 1500)}}},
   .modifiers = {{"轻便", "light"}, {"经典", "classic"}, {"进口", "imported"}, {"新款", "new"}, {"高端", "premium"},
                 {"实惠", "good-value"}, {"人气", "popular"}, {"环保", "eco-friendly"}},
   .slogans = {{"限时优惠", "limited offer"}, {"满减包邮", "free delivery"}, {"新品上市", "just in"},
               {"年度好物", "pick of the year"}, {"第二件半价", "second at half price"}, {"口碑之选", "well reviewed"}},
   .questions = {"", "推荐", "价格", "哪个好", "评测", "怎么选", "优惠", "品牌排行"}},
  {.interests = {
    {"english", 1.4f, -0.2f, 0.3f, 0.10f, {
      THING("英语口语课", "spoken English course", 300, 5000), THING("四六级词汇", "CET vocabulary", 60, 500),
      THING("雅思冲刺班", "IELTS sprint class", 1500, 12000), THING("商务英语", "business English", 500, 6000),
      THING("英语语法", "English grammar", 80, 800), THING("英文阅读", "English reading", 90, 900)}},
    {"mathematics", 1.0f, 0.1f, -0.2f, 0.15f, {
      THING("高等数学", "advanced mathematics", 100, 1500), THING("线性代数", "linear algebra", 100, 1200),
      THING("概率统计", "probability and statistics", 100, 1200), THING("奥数课", "olympiad mathematics", 500, 5000),
      THING("初中数学", "middle school mathematics", 300, 3000), THING("数学建模", "mathematical modelling", 200, 2000)}},
    {"programming", 1.3f, -0.4f, -0.5f, 0.05f, {
      THING("编程入门", "introduction to programming", 50, 1000), THING("人工智能课程", "AI course", 500, 9000),
      THING("前端开发", "front-end development", 300, 6000), THING("数据分析", "data analysis", 300, 5000),
      THING("算法训练营", "algorithm camp", 400, 5000), THING("少儿编程", "coding for children", 500, 6000)}},
    {"postgraduate", 1.1f, -0.9f, 0.1f, 0.05f, {
      THING("考研政治", "postgraduate exam politics", 100, 1500), THING("考研英语", "postgraduate exam English", 100, 2000),
      THING("考研数学", "postgraduate exam mathematics", 100, 2500), THING("复试辅导", "interview coaching", 300, 5000),
      THING("专业课真题", "past papers", 30, 300), THING("择校咨询", "school advice", 200, 3000)}},
    {"civil-service", 1.1f, -0.1f, 0.0f, 0.10f, {
      THING("行测题库", "aptitude question bank", 50, 600), THING("申论写作", "essay writing", 80, 1200),
      THING("公务员面试班", "civil service interview class", 800, 9000), THING("事业单位考试", "public institution exam", 100, 2000),
      THING("时政热点", "current affairs", 30, 300), THING("模拟考试", "mock exam", 20, 200)}},
    {"accounting", 0.9f, 0.2f, 0.5f, 0.05f, {
      THING("初级会计", "junior accountant", 200, 2000), THING("注册会计师", "certified accountant", 800, 9000),
      THING("税务实务", "tax practice", 200, 2500), THING("财务报表分析", "financial statements", 150, 2000),
      THING("证券从业", "securities licence", 100, 1500), THING("表格软件课", "spreadsheet course", 60, 600)}},
    {"design", 0.8f, -0.4f, 0.3f, 0.00f, {
      THING("平面设计", "graphic design", 200, 4000), THING("界面设计", "interface design", 400, 6000),
      THING("视频剪辑", "video editing", 150, 3000), THING("手绘插画", "illustration", 100, 2500),
      THING("摄影课", "photography course", 100, 2500), THING("三维建模", "3D modelling", 300, 5000)}},
    {"music", 0.7f, 0.1f, 0.2f, 0.20f, {
      THING("钢琴课", "piano lessons", 500, 8000), THING("吉他入门", "guitar for beginners", 80, 1500),
      THING("声乐训练", "voice training", 200, 4000), THING("乐理基础", "music theory", 50, 600),
      THING("古筝课", "guzheng lessons", 300, 5000), THING("尤克里里", "ukulele", 80, 900)}},
    {"early-childhood", 0.9f, 0.2f, 0.6f, -0.05f, {
      THING("幼儿识字", "first characters", 60, 900), THING("拼音启蒙", "first pinyin", 50, 700),
      THING("绘本阅读", "picture books", 50, 800), THING("思维训练", "thinking games", 200, 3000),
      THING("亲子手工", "crafts with parents", 40, 500), THING("幼小衔接", "ready for school", 300, 4000)}},
    {"teaching", 0.8f, 0.3f, 0.5f, 0.05f, {
      THING("教师资格证", "teaching certificate", 100, 2000), THING("普通话考试", "Mandarin test", 40, 500),
      THING("教育心理学", "educational psychology", 80, 900), THING("教师招聘", "teacher recruitment", 200, 3500),
      THING("课件制作", "making slides", 60, 700), THING("班级管理", "class management", 50, 600)}}},
   .modifiers = {{"零基础", "from scratch"}, {"系统", "systematic"}, {"名师", "master teacher's"}, {"直播", "live"},
                 {"精品", "selected"}, {"高效", "efficient"}, {"一对一", "one-to-one"}, {"全程", "complete"}},
   .slogans = {{"免费试听", "free trial lesson"}, {"限时优惠", "limited offer"}, {"不过退费", "pass or money back"},
               {"新班开课", "new class begins"}, {"名额有限", "few places left"}, {"好评如潮", "well reviewed"}},
   .questions = {"", "推荐", "多少钱", "哪家好", "怎么学", "学习资料", "培训班", "报名时间"}},
};
/* clang-format on */
