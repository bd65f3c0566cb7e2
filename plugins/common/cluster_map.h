/*
 * A map of rows: a sample of them in the two directions in which it is spread most (principal components), for reports.
 * Used by k-means and the Gaussian mixture, and by als through factor_map.
 */
#ifndef ADLOOM_PLUGINS_COMMON_CLUSTER_MAP_H
#define ADLOOM_PLUGINS_COMMON_CLUSTER_MAP_H

#include <adloom/plugin.h>

enum { ADL_MAP_ROWS = 1000, ADL_MAP_GROUPS = 10 };

/* Every so many rows of a matrix, as a matrix of its own, in the call's scratch. */
adl_column adl_map_thin(const adl_call *call, const adl_column *matrix, int64_t rows);

/* The same rows with only those of their dimensions that occur in them, in their order (dense rows: as they are), in the
 * call's scratch. */
adl_column adl_map_narrow(const adl_call *call, const adl_column *rows);

/* Where rows lie on the map: xy[2 * i], xy[2 * i + 1]. share[2]: of the variance of these rows in each direction. `mean`
 * (width; may be NULL) is subtracted from dense rows first, as large common offsets would cost accuracy. Where there is no
 * second direction its coordinates are 0. */
adl_status adl_map_project(const adl_call *call, const adl_column *rows, const double *mean, double *xy,
                           double share[2]);

/* For fit: keeps a map of at most ADL_MAP_ROWS rows, each of a group, as the tensors "map" (rows x 2), "map_group" and
 * "map_share". */
adl_status adl_map_keep(const adl_call *call, const adl_column *rows, const double *mean, const int32_t *group,
                        adl_tensors *to);

/* For report: the map that fit kept, a colour for each of the groups in `order`; of more than ADL_MAP_GROUPS the last
 * colour is for all that are left. names[k] is the name of group order[k]. Does nothing where the model has no map. */
void adl_map_report(const adl_call *call, const adl_tensors *tensors, const int64_t *order, const char *const *names,
                    int64_t groups, adl_report *report);

/* "direction 1 (24.1 % of variance)", in the call's scratch. */
const char *adl_map_title(const adl_call *call, int direction, double share);

#endif
