#include "core/compare/compare.h"

#include <math.h>
#include <string.h>

static int32_t column_of(const adl_stage *stage, const char *parameter) {
  for (guint i = 0; i < stage->slots->len; i++) {
    const adl_slot *slot = stage->slots->pdata[i];
    if (slot->side < 0 && slot->kind == ADL_SLOT_COLUMN && strcmp(slot->parameter, parameter) == 0)
      return slot->columns[0];
  }
  return -1;
}

static bool learned_online(const adl_stage *stage) {
  if (stage->learn == ADL_LEARN_ONLINE) return true;
  for (guint i = 0; i < stage->from->len; i++)
    if (learned_online(stage->from->pdata[i])) return true;
  return false;
}

adl_collector *adl_collector_new(const adl_stage *judge) {
  int32_t label = column_of(judge, "label"), score = column_of(judge, "score");
  bool judges = judge->class != NULL && judge->class->kind == ADL_EVALUATE && judge->from->len == 1;
  if (!judges || label < 0 || score < 0) return NULL;
  adl_collector *collector = g_new0(adl_collector, 1);
  *collector = (adl_collector){.judge = judge,
                               .from = judge->from->pdata[0],
                               .label = label,
                               .score = score,
                               .weight = column_of(judge, "weight"),
                               .online = learned_online(judge),
                               .held = g_array_new(FALSE, FALSE, sizeof(adl_scored)),
                               .progressive = g_array_new(FALSE, FALSE, sizeof(adl_scored))};
  return collector;
}

void adl_collector_free(adl_collector *collector) {
  if (collector == NULL) return;
  g_array_unref(collector->held);
  g_array_unref(collector->progressive);
  g_free(collector);
}

/* Rows that the judge refuses are left out here as well. */
void adl_collector_see(adl_collector *collector, const adl_frame *frame) {
  const adl_array *labels = frame->columns[collector->label], *scores = frame->columns[collector->score];
  const adl_array *weights = collector->weight >= 0 ? frame->columns[collector->weight] : NULL;
  if (labels == NULL || scores == NULL) return;
  for (int64_t i = 0; i < frame->rows; i++) {
    bool training = adl_tag_split(adl_frame_tags(frame)[i]) == ADL_TRAIN;
    if (training && !collector->online) continue;
    if (adl_is_null(&labels->view, i) || adl_is_null(&scores->view, i)) continue;
    if (weights != NULL && adl_is_null(&weights->view, i)) continue;
    adl_scored row = {adl_frame_tags(frame)[i], adl_number_at(&labels->view, i), adl_number_at(&scores->view, i),
                      weights != NULL ? adl_number_at(&weights->view, i) : 1};
    bool sound = (row.label == 0 || row.label == 1) && isfinite(row.score) && isfinite(row.weight) && row.weight > 0;
    if (sound) g_array_append_val(training ? collector->progressive : collector->held, row);
  }
}

static int by_tag(const void *a, const void *b) {
  int64_t x = ((const adl_scored *)a)->tag, y = ((const adl_scored *)b)->tag;
  return x < y ? -1 : x > y;
}

const GArray *adl_collector_rows(adl_collector *collector) {
  GArray *rows = collector->held->len > 0 ? collector->held : collector->progressive;
  g_array_sort(rows, by_tag);
  return rows;
}
