#include "core/report/layout.h"

#include <glib.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SWEEPS = 12, ROUNDS = 200 };

/* A box, or the place where a line passes a layer. */
typedef struct vertex {
  int32_t layer, order;
  double x, half, weight; /* half of the room it takes; weight: how much it wants to stand where its neighbours are */
  double wish;
  GArray *up, *down; /* of int32_t: neighbours in the layers above and below */
} vertex;

typedef struct drawing {
  vertex *vertices;
  int32_t count;
  GPtrArray *rows; /* of GArray * of int32_t: by layer, in order */
} drawing;

static int32_t item(const GArray *array, guint i) { return g_array_index(array, int32_t, i); }

/* ---- layers ---- */

/* Longest way from the top; then everything that leads somewhere sinks as close to where it is needed as it can. */
static void choose_layers(adl_layout *layout, int32_t boxes, const adl_layout_edge *edges, int32_t count) {
  int32_t *layer = layout->layer, *lowest = g_new(int32_t, (gsize)boxes + 1);
  bool *ends = g_new(bool, (gsize)boxes + 1);
  for (int32_t i = 0; i < boxes; i++) layer[i] = 0, ends[i] = true, lowest[i] = INT32_MAX;
  for (int32_t i = 0; i < boxes; i++)
    for (int32_t e = 0; e < count; e++)
      if (edges[e].from == i) {
        ends[i] = false;
        layer[edges[e].to] = MAX(layer[edges[e].to], layer[i] + 1);
      }
  for (int32_t i = boxes - 1; i >= 0; i--) {
    for (int32_t e = 0; e < count; e++)
      if (edges[e].from == i) lowest[i] = MIN(lowest[i], layer[edges[e].to] - 1);
    if (!ends[i]) layer[i] = lowest[i];
  }
  int32_t top = INT32_MAX;
  for (int32_t i = 0; i < boxes; i++) top = MIN(top, layer[i]);
  layout->layers = 0;
  for (int32_t i = 0; i < boxes; i++) {
    layer[i] -= top;
    layout->layers = MAX(layout->layers, layer[i] + 1);
  }
  g_free(lowest);
  g_free(ends);
}

static void join(drawing *d, int32_t above, int32_t below) {
  g_array_append_val(d->vertices[above].down, below);
  g_array_append_val(d->vertices[below].up, above);
}

static void make_vertices(drawing *d, const adl_layout *layout, int32_t boxes, const adl_layout_edge *edges,
                          int32_t count, const adl_layout_size *size) {
  int32_t all = boxes;
  for (int32_t e = 0; e < count; e++) all += layout->layer[edges[e].to] - layout->layer[edges[e].from] - 1;
  d->vertices = g_new0(vertex, (gsize)all + 1);
  d->count = all;
  d->rows = g_ptr_array_new();
  for (int32_t l = 0; l < layout->layers; l++) g_ptr_array_add(d->rows, g_array_new(FALSE, FALSE, sizeof(int32_t)));
  for (int32_t v = 0; v < all; v++) {
    d->vertices[v].up = g_array_new(FALSE, FALSE, sizeof(int32_t));
    d->vertices[v].down = g_array_new(FALSE, FALSE, sizeof(int32_t));
    d->vertices[v].half = (v < boxes ? size->box + size->gap : size->lane) / 2;
    d->vertices[v].weight = v < boxes ? 1 : 2; /* lines are to be straight */
    if (v < boxes) d->vertices[v].layer = layout->layer[v];
  }
  int32_t next = boxes;
  for (int32_t e = 0; e < count; e++) {
    int32_t above = edges[e].from;
    for (int32_t l = layout->layer[edges[e].from] + 1; l < layout->layer[edges[e].to]; l++) {
      d->vertices[next].layer = l;
      join(d, above, next);
      above = next++;
    }
    join(d, above, edges[e].to);
  }
}

/* ---- order ---- */

/* Depth first from each box: what hangs together stands together. */
static void visit(drawing *d, int32_t v, bool *seen) {
  if (seen[v]) return;
  seen[v] = true;
  GArray *row = d->rows->pdata[d->vertices[v].layer];
  d->vertices[v].order = (int32_t)row->len;
  g_array_append_val(row, v);
  for (guint i = 0; i < d->vertices[v].up->len; i++) visit(d, item(d->vertices[v].up, i), seen);
  for (guint i = 0; i < d->vertices[v].down->len; i++) visit(d, item(d->vertices[v].down, i), seen);
}

static int64_t crossings(const drawing *d) {
  int64_t count = 0;
  for (guint l = 0; l + 1 < d->rows->len; l++) {
    const GArray *row = d->rows->pdata[l];
    for (guint a = 0; a < row->len; a++)
      for (guint b = a + 1; b < row->len; b++) {
        const GArray *left = d->vertices[item(row, a)].down, *right = d->vertices[item(row, b)].down;
        for (guint i = 0; i < left->len; i++)
          for (guint k = 0; k < right->len; k++)
            count += d->vertices[item(left, i)].order > d->vertices[item(right, k)].order;
      }
  }
  return count;
}

static gint by_wish(gconstpointer a, gconstpointer b, gpointer data) {
  const vertex *x = (const vertex *)data + *(const int32_t *)a, *y = (const vertex *)data + *(const int32_t *)b;
  if (x->wish != y->wish) return x->wish < y->wish ? -1 : 1;
  return (x->order > y->order) - (x->order < y->order);
}

static void sort_row(drawing *d, GArray *row, bool by_up) {
  for (guint i = 0; i < row->len; i++) {
    vertex *v = &d->vertices[item(row, i)];
    const GArray *others = by_up ? v->up : v->down;
    v->wish = v->order;
    if (others->len == 0) continue;
    v->wish = 0;
    for (guint k = 0; k < others->len; k++) v->wish += (double)d->vertices[item(others, k)].order / others->len;
  }
  g_array_sort_with_data(row, by_wish, d->vertices);
  for (guint i = 0; i < row->len; i++) d->vertices[item(row, i)].order = (int32_t)i;
}

static void keep_order(const drawing *d, int32_t *best) {
  for (int32_t v = 0; v < d->count; v++) best[v] = d->vertices[v].order;
}

static void choose_order(drawing *d) {
  bool *seen = g_new0(bool, (gsize)d->count + 1);
  for (int32_t v = 0; v < d->count; v++) visit(d, v, seen);
  g_free(seen);
  int32_t *best = g_new(int32_t, (gsize)d->count + 1);
  int64_t least = crossings(d);
  keep_order(d, best);
  for (int sweep = 0; sweep < SWEEPS && least > 0; sweep++) {
    for (guint l = 0; l < d->rows->len; l++)
      sort_row(d, d->rows->pdata[sweep % 2 == 0 ? l : d->rows->len - 1 - l], sweep % 2 == 0);
    int64_t now = crossings(d);
    if (now >= least) continue;
    least = now;
    keep_order(d, best);
  }
  for (int32_t v = 0; v < d->count; v++) {
    d->vertices[v].order = best[v];
    g_array_index((GArray *)d->rows->pdata[d->vertices[v].layer], int32_t, best[v]) = v;
  }
  g_free(best);
}

/* ---- places ---- */

/* A run of neighbours that touch: the first stands at `place` plus its own offset. */
typedef struct block {
  double place, weight;
  guint begin;
} block;

/* Everybody as near to its wish as the order and the room allow: least squares, by pooling neighbours that would
 * overlap. */
static void place_row(drawing *d, const GArray *row) {
  block *blocks = g_new(block, row->len + 1);
  double *offset = g_new0(double, row->len + 1);
  guint count = 0;
  for (guint i = 0; i < row->len; i++) {
    vertex *v = &d->vertices[item(row, i)];
    if (i > 0) offset[i] = offset[i - 1] + d->vertices[item(row, i - 1)].half + v->half;
    blocks[count++] = (block){v->wish - offset[i], v->weight, i};
    for (; count > 1 && blocks[count - 1].place < blocks[count - 2].place; count--) {
      block *to = &blocks[count - 2], *from = &blocks[count - 1];
      to->place = (to->place * to->weight + from->place * from->weight) / (to->weight + from->weight);
      to->weight += from->weight;
    }
  }
  for (guint b = 0; b < count; b++)
    for (guint i = blocks[b].begin; i < (b + 1 < count ? blocks[b + 1].begin : row->len); i++)
      d->vertices[item(row, i)].x = blocks[b].place + offset[i];
  g_free(blocks);
  g_free(offset);
}

/* Vertices one below the other that nothing else touches: they are to stand on one line. */
typedef struct chain {
  int32_t first, last, count;
  double sum; /* of the places of its vertices */
} chain;

static bool follows(const drawing *d, int32_t v) {
  const vertex *at = &d->vertices[v];
  return at->up->len == 1 && d->vertices[item(at->up, 0)].down->len == 1;
}

/* by_vertex: number of the chain of each. Returns how many. */
static int32_t find_chains(const drawing *d, chain *chains, int32_t *by_vertex) {
  int32_t count = 0;
  for (int32_t v = 0; v < d->count; v++) {
    if (follows(d, v)) continue;
    chains[count] = (chain){.first = v, .last = v};
    for (int32_t at = v;; at = item(d->vertices[at].down, 0)) {
      chains[count].last = at;
      chains[count].count++;
      by_vertex[at] = count;
      if (d->vertices[at].down->len != 1 || !follows(d, item(d->vertices[at].down, 0))) break;
    }
    count++;
  }
  return count;
}

/* Between where its chain is and where the neighbours of the chain are: `pull` towards them. */
static double wish_of(const drawing *d, const chain *c, double pull) {
  const GArray *up = d->vertices[c->first].up, *down = d->vertices[c->last].down;
  double mean = c->sum / c->count, around = 0;
  for (guint k = 0; k < up->len; k++) around += d->vertices[item(up, k)].x;
  for (guint k = 0; k < down->len; k++) around += d->vertices[item(down, k)].x;
  return up->len + down->len == 0 ? mean : mean + (around / (up->len + down->len) - mean) * pull;
}

static void choose_places(drawing *d) {
  chain *chains = g_new0(chain, (gsize)d->count + 1);
  int32_t *by_vertex = g_new0(int32_t, (gsize)d->count + 1), count = find_chains(d, chains, by_vertex);
  for (int32_t v = 0; v < d->count; v++) {
    d->vertices[v].wish = 0;
    d->vertices[v].weight *= chains[by_vertex[v]].count; /* the longer one stands, the shorter makes way */
  }
  for (int round = 0; round < ROUNDS; round++) {
    for (guint l = 0; l < d->rows->len; l++) place_row(d, d->rows->pdata[l]);
    for (int32_t c = 0; c < count; c++) chains[c].sum = 0;
    for (int32_t v = 0; v < d->count; v++) chains[by_vertex[v]].sum += d->vertices[v].x;
    double pull = round < ROUNDS / 2 ? 0.5 : 0.02; /* first where they belong, then straight */
    for (int32_t v = 0; v < d->count; v++) d->vertices[v].wish = wish_of(d, &chains[by_vertex[v]], pull);
  }
  g_free(chains);
  g_free(by_vertex);
}

/* ---- the result ---- */

static void hand_over(const drawing *d, adl_layout *layout, int32_t boxes, adl_layout_edge *edges, int32_t count) {
  double least = INFINITY, most = -INFINITY;
  for (int32_t v = 0; v < d->count; v++) {
    least = fmin(least, d->vertices[v].x - d->vertices[v].half);
    most = fmax(most, d->vertices[v].x + d->vertices[v].half);
  }
  layout->width = d->count > 0 ? most - least : 0;
  for (int32_t v = 0; v < boxes; v++) layout->x[v] = d->vertices[v].x - least;
  int32_t next = boxes;
  for (int32_t e = 0; e < count; e++) {
    adl_layout_edge *edge = &edges[e];
    int32_t between = layout->layer[edge->to] - layout->layer[edge->from] - 1;
    edge->count = between + 2;
    edge->x = g_new(double, (gsize)edge->count);
    edge->x[0] = layout->x[edge->from];
    for (int32_t i = 0; i < between; i++) edge->x[i + 1] = d->vertices[next++].x - least;
    edge->x[between + 1] = layout->x[edge->to];
  }
}

void adl_layout_make(adl_layout *layout, int32_t boxes, adl_layout_edge *edges, int32_t edge_count,
                     const adl_layout_size *size) {
  drawing d;
  layout->layer = g_new0(int32_t, (gsize)boxes + 1);
  layout->x = g_new0(double, (gsize)boxes + 1);
  choose_layers(layout, boxes, edges, edge_count);
  make_vertices(&d, layout, boxes, edges, edge_count, size);
  choose_order(&d);
  choose_places(&d);
  hand_over(&d, layout, boxes, edges, edge_count);
  for (int32_t v = 0; v < d.count; v++) {
    g_array_free(d.vertices[v].up, TRUE);
    g_array_free(d.vertices[v].down, TRUE);
  }
  for (guint l = 0; l < d.rows->len; l++) g_array_free(d.rows->pdata[l], TRUE);
  g_ptr_array_free(d.rows, TRUE);
  g_free(d.vertices);
}

void adl_layout_clear(adl_layout *layout, adl_layout_edge *edges, int32_t edge_count) {
  for (int32_t e = 0; e < edge_count; e++) g_free(edges[e].x);
  g_free(layout->layer);
  g_free(layout->x);
}
