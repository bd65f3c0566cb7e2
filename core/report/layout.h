/* Where the boxes of a layered graph stand and where its lines run (after Sugiyama, Tagawa & Toda 1981): layers by depth,
 * an order within each that has few crossings, then places. Deterministic. Called by diagram.c. */
#ifndef ADLOOM_CORE_REPORT_LAYOUT_H
#define ADLOOM_CORE_REPORT_LAYOUT_H

#include <stdbool.h>
#include <stdint.h>

typedef struct adl_layout_edge {
  int32_t from, to; /* numbers of boxes; from < to: boxes are in topological order */
  int32_t count; /* made: of points; the first is below `from`, the last above `to`, the others lie in layers between */
  double *x;     /* made: of the points */
} adl_layout_edge;

typedef struct adl_layout_size {
  double box, gap, lane; /* width of a box, room beside it, width of a line that passes a layer */
} adl_layout_size;

typedef struct adl_layout {
  int32_t layers;
  double width;
  int32_t *layer; /* by box */
  double *x;      /* by box: its middle */
} adl_layout;

void adl_layout_make(adl_layout *layout, int32_t boxes, adl_layout_edge *edges, int32_t edge_count,
                     const adl_layout_size *size);
void adl_layout_clear(adl_layout *layout, adl_layout_edge *edges, int32_t edge_count);

#endif
