// acme.rfm, a profiler in C++17: sorts users by how recently they bought, how often, and how much they spent.
// Each of the three numbers becomes a grade by the quantiles of all users (Hughes: Strategic Database Marketing, 1994);
// grades are told as a cell such as 545, and as a segment that people can talk about.
#include <adloom/plugin.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <new>
#include <string_view>
#include <utility>
#include <vector>

namespace {

struct rfm_stage {
  adl_input measures[3]; // recency, frequency, monetary
  int64_t grades;
  adl_output as, cell;
};

constexpr const char *names[3] = {"recency", "frequency", "monetary"};

constexpr adl_param parameter(const char *name, adl_param_type type, uint32_t flags, size_t offset, const char *doc,
                              const char *preset = nullptr, uint32_t elements = 0, const char *range = nullptr) {
  adl_param made = {};
  made.name = name;
  made.type = type;
  made.flags = flags;
  made.offset = static_cast<uint32_t>(offset);
  made.doc = doc;
  made.default_value = preset;
  made.elements = elements;
  made.range = range;
  return made;
}

constexpr adl_param params[] = {
    parameter(names[0], ADL_PARAM_COLUMN, ADL_REQUIRED, offsetof(rfm_stage, measures),
              "When a user bought last (a timestamp: later is better), or how long ago (a number: less is better).",
              nullptr, ADL_ANY_NUMERIC | ADL_MASK(ADL_TIMESTAMP)),
    parameter(names[1], ADL_PARAM_COLUMN, ADL_REQUIRED, offsetof(rfm_stage, measures) + sizeof(adl_input),
              "How often a user bought.", nullptr, ADL_ANY_NUMERIC),
    parameter(names[2], ADL_PARAM_COLUMN, ADL_REQUIRED, offsetof(rfm_stage, measures) + 2 * sizeof(adl_input),
              "How much a user spent.", nullptr, ADL_ANY_NUMERIC),
    parameter("grades", ADL_PARAM_INT, 0, offsetof(rfm_stage, grades),
              "How many grades there are, each with about as many users; 1 is the worst.", "5", 0, "[3, 9]"),
    parameter("as", ADL_PARAM_NEW_COLUMN, ADL_PLAIN_NAME, offsetof(rfm_stage, as),
              "New column: champion, loyal, promising, at-risk, lost or regular (string).", "segment"),
    parameter("cell", ADL_PARAM_NEW_COLUMN, 0, offsetof(rfm_stage, cell),
              "New column: the three grades, such as 545 (string).")};

adl_status bind(const adl_call *call, void *self) {
  auto &own = *static_cast<rfm_stage *>(self);
  adl_type type = {};
  type.element = ADL_STRING;
  type.role = ADL_CATEGORY;
  ADL_TRY(call->host->declare(call, &own.as, type));
  return call->host->declare(call, &own.cell, type);
}

// A number for which more is better.
double value_of(const rfm_stage &own, const adl_batch *batch, int measure, int64_t row) {
  const adl_column *column = batch->slots[own.measures[measure].slot];
  double value = adl_number_at(column, row);
  return measure == 0 && column->type.element != ADL_TIMESTAMP ? -value : value;
}

// ---- learning ----

// Counts how often each value occurs: exact quantiles, however the rows are dealt to threads. The keys of a table are
// bytes, here those of a double.
adl_status step(const adl_call *call, const void *self, const void *, const adl_batch *batch, adl_tensors *partial) {
  const auto &own = *static_cast<const rfm_stage *>(self);
  for (int m = 0; m < 3; m++) {
    adl_table *values = call->host->table(call, partial, names[m], 1);
    for (int64_t row = 0; row < batch->rows; row++) {
      double value = value_of(own, batch, m, row) + 0.0; // -0 is 0
      *call->host->table_row(values, call->host->table_insert(values, &value, sizeof value)) += 1;
    }
  }
  return ADL_OK;
}

// The largest value of each grade but the last. May throw for want of memory.
void find_edges(const adl_host *host, const adl_table *values, int64_t grades, double *edges) {
  std::vector<std::pair<double, double>> counted(static_cast<size_t>(host->table_count(values)));
  double users = 0, below = 0;
  for (size_t i = 0; i < counted.size(); i++) {
    std::memcpy(&counted[i].first, host->table_key(values, static_cast<int64_t>(i)).data, sizeof(double));
    users += counted[i].second = *host->table_row(values, static_cast<int64_t>(i));
  }
  std::sort(counted.begin(), counted.end());
  int64_t grade = 1;
  for (const auto &[value, count] : counted) {
    below += count;
    while (grade < grades && below * static_cast<double>(grades) >= users * static_cast<double>(grade))
      edges[grade++ - 1] = value;
  }
}

// No exception may cross the border to the core: what may throw stands in a try.
adl_status fit(const adl_call *call, const void *self, adl_rows *rows, adl_model *model) {
  const auto &own = *static_cast<const rfm_stage *>(self);
  const adl_host *host = call->host;
  const int64_t size[] = {3, own.grades - 1};
  auto *edges = static_cast<double *>(host->tensor(call, model->tensors, "edges", ADL_FLOAT64, 2, size));
  adl_tensors *counts = host->scratch_tensors(call);
  adl_fold fold = {};
  fold.struct_size = sizeof fold;
  fold.flags = ADL_FOLD_KEYS; // partials grow with the values
  fold.step = step;
  for (const char *name : names) host->table(call, counts, name, 1);
  ADL_TRY(host->fold(call, rows, &fold, counts));
  if (host->table_count(host->find_table(call, counts, names[0])) == 0)
    return host->fail(call, nullptr, -1, "look at `holdout` and at rejects.jsonl", "there are no training rows");
  try {
    for (int m = 0; m < 3; m++)
      find_edges(host, host->find_table(call, counts, names[m]), own.grades, edges + m * (own.grades - 1));
  } catch (const std::bad_alloc &) {
    return host->fail(call, nullptr, -1, nullptr, "out of memory");
  }
  return ADL_OK;
}

adl_status prepare(const adl_call *call, const void *self, const adl_model *model, void **) {
  adl_tensor edges;
  if (call->host->find_tensor(call, model->tensors, "edges", &edges) && edges.element == ADL_FLOAT64 &&
      edges.count == 3 * (static_cast<const rfm_stage *>(self)->grades - 1))
    return ADL_OK;
  return call->host->fail(call, "grades", -1, "fit the stage again", "the model is not one of so many grades");
}

// ---- grading ----

std::string_view segment_of(const std::array<int64_t, 3> &grade, int64_t grades) {
  auto high = [&](int m) { return 3 * grade[m] > 2 * grades; }; // 4 and 5 of 5
  auto low = [&](int m) { return 2 * grade[m] < grades; };      // 1 and 2 of 5
  if (high(0)) return high(1) && high(2) ? "champion" : high(1) ? "loyal" : low(1) ? "promising" : "regular";
  if (low(0)) return high(1) || high(2) ? "at-risk" : low(1) ? "lost" : "regular";
  return high(1) ? "loyal" : "regular";
}

// Appends a text as that of the row. The column was reserved with room for the longest in every row.
void put(const adl_buffers &to, int64_t row, std::string_view text) {
  int32_t begin = to.string_offsets[row];
  std::memcpy(static_cast<char *>(to.data) + begin, text.data(), text.size());
  to.string_offsets[row + 1] = begin + static_cast<int32_t>(text.size());
}

adl_status process(const adl_call *call, const void *self, const adl_model *model, const adl_batch *batch,
                   adl_out *out) {
  constexpr int64_t longest = 9; // promising
  const auto &own = *static_cast<const rfm_stage *>(self);
  adl_tensor learned;
  adl_buffers as, cell = {};
  call->host->find_tensor(call, model->tensors, "edges", &learned); // prepare has seen that it is there
  ADL_TRY(call->host->reserve(call, out, own.as.slot, batch->rows, 0, longest * batch->rows, &as));
  if (own.cell.slot >= 0) ADL_TRY(call->host->reserve(call, out, own.cell.slot, batch->rows, 0, 3 * batch->rows, &cell));
  for (int64_t row = 0; row < batch->rows; row++) {
    std::array<int64_t, 3> grade;
    char text[3];
    for (int m = 0; m < 3; m++) {
      const double *edges = static_cast<const double *>(learned.data) + m * (own.grades - 1);
      grade[m] = 1 + (std::lower_bound(edges, edges + own.grades - 1, value_of(own, batch, m, row)) - edges);
      text[m] = static_cast<char>('0' + grade[m]);
    }
    put(as, row, segment_of(grade, own.grades));
    if (cell.data != nullptr) put(cell, row, {text, 3});
  }
  return ADL_OK;
}

constexpr adl_class make_class() {
  adl_class made = {};
  made.struct_size = sizeof made;
  made.kind = ADL_PROFILE;
  made.id = "acme.rfm";
  made.title = "Segments by recency, frequency and money";
  made.doc = "Grades users by the quantiles of three numbers, such as `group` makes of a log of purchases (Hughes 1994).\n\n"
             "High grades are those above two thirds, low ones those below the middle. champion: all three are high. "
             "loyal: bought often, and not long ago. promising: lately, not often. at-risk: often or for much, long ago. "
             "lost: neither often nor lately. regular: everybody else. Equal values have equal grades, so that grades may "
             "be of different size. Rows with a null are refused. Fitting needs about 50 bytes for each different value.";
  made.instance_size = sizeof(rfm_stage);
  made.params = params;
  made.param_count = sizeof params / sizeof *params;
  made.param_size = sizeof *params;
  made.flags = ADL_SINGLE_PASS | ADL_EXACT_ROWS;
  made.state_version = 1;
  made.bind = bind;
  made.fit = fit;
  made.prepare = prepare;
  made.process = process;
  return made;
}
constexpr adl_class rfm_class = make_class();

} // namespace

ADL_PLUGIN_BY("acme.rfm", "1.0.0", "MIT", "Acme <plugins@acme.example>", "https://acme.example/rfm",
              "profile:acme.rfm", &rfm_class);
