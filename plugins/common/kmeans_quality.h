/* What the profiles of k-means and the Gaussian mixture are worth, and what they are about: silhouette, and the features
 * that set each one apart, by name. */
#ifndef ADLOOM_PLUGINS_COMMON_KMEANS_QUALITY_H
#define ADLOOM_PLUGINS_COMMON_KMEANS_QUALITY_H

#include "common/kmeans_assign.h"
#include "common/kmeans_data.h"

/* Looks at ADL_MAP_ROWS rows of the sample, or all of them. Mean silhouette (Rousseeuw 1987), Euclidean; *measured is on
 * how many rows, 0: undefined, as fewer than two clusters appear among them. `map` gets the map of these rows. */
adl_status adl_kmeans_look_at_sample(const adl_call *call, const adl_kmeans_data *data, const adl_kmeans_index *index,
                                     double *silhouette, int64_t *measured, adl_tensors *map);

/* One profile of a report. */
typedef struct adl_kmeans_profile {
  int64_t number, rows;
  const double *center; /* width */
} adl_kmeans_profile;

/* What the profiles are: a chart of their sizes, the map that fit kept among `tensors`, and a table `what` of the largest
 * 100: number, rows, share of all rows, and the features whose centre lies farthest from the overall mean, in standard
 * deviations. Sorts `profiles` by size. */
void adl_kmeans_report_profiles(const adl_call *call, adl_report *report, const char *what, const adl_input *features,
                                adl_kmeans_profile *profiles, int64_t count, const adl_tensors *tensors);

/* "3: price, visits": the number of a profile and the dimensions in which it lies farthest above the mean, in the call's
 * scratch. */
const char *adl_kmeans_profile_name(const adl_call *call, const adl_input *features, const adl_kmeans_profile *profile,
                                    const adl_tensors *tensors);

/* What a centre is about: the names of the dimensions in which it lies farthest above the mean, at most five, joined by ", ".
 * Returns the length; 0: it lies above the mean nowhere. The text ends with NUL. */
enum { ADL_KMEANS_ABOUT = 640 };
int32_t adl_kmeans_about(const adl_call *call, const adl_input *features, const float *center, const float *mean,
                         char text[ADL_KMEANS_ABOUT]);

#endif
