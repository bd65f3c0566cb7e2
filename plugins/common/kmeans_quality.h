/* What the profiles of k-means and the Gaussian mixture are worth, and what they are about: silhouette, and the features
 * that set each one apart, by name. */
#ifndef ADLOOM_PLUGINS_COMMON_KMEANS_QUALITY_H
#define ADLOOM_PLUGINS_COMMON_KMEANS_QUALITY_H

#include "common/kmeans_assign.h"
#include "common/kmeans_data.h"

/* Mean silhouette (Rousseeuw 1987) over at most 1000 rows of the sample, Euclidean. Returns how many rows it was measured
 * on; 0: undefined, as fewer than two clusters appear among them. */
int64_t adl_kmeans_silhouette(const adl_call *call, const adl_kmeans_data *data, const adl_kmeans_index *index,
                              double *silhouette);

/* One profile of a report. */
typedef struct adl_kmeans_profile {
  int64_t number, rows;
  const double *center; /* width */
} adl_kmeans_profile;

/* A table of the profiles, the largest 100 first: number, rows, share of all rows, and the features whose centre lies
 * farthest from the overall mean, in standard deviations. `what` is the table's name. Sorts `profiles`. */
void adl_kmeans_report_profiles(const adl_call *call, adl_report *report, const char *what, const adl_input *features,
                                adl_kmeans_profile *profiles, int64_t count, const float *mean, const float *deviation);

/* What a centre is about: the names of the dimensions in which it lies farthest above the mean, at most five, joined by ", ".
 * Returns the length; 0: it lies above the mean nowhere. The text ends with NUL. */
enum { ADL_KMEANS_ABOUT = 640 };
int32_t adl_kmeans_about(const adl_call *call, const adl_input *features, const float *center, const float *mean,
                         char text[ADL_KMEANS_ABOUT]);

#endif
