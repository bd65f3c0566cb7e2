/* The tiles of kmeans_kernel.c, compiled once for each vector width. Before it is included are defined: NAME(winner), which
 * brings the lanes of a row together, and TARGET, LANES,
 * NAME(x), VEC, IVEC, MASK and the operations LOAD, STORE, ILOAD, ISTORE, SPREAD, FNMADD, MIN, MAX, LESS, PICK, NUMBERS. */

/* Scores of ROWS rows against VECTORS vectors of centres, into what is known of the rows. */
TARGET static inline __attribute__((always_inline)) void NAME(tile)(const float *x, int64_t width, const float *panel,
                                                                    const float *half_norm, int32_t first,
                                                                    NAME(lanes) * state, const int rows,
                                                                    const int vectors) {
  VEC score[ADL_KMEANS_TILE][ADL_KMEANS_PANEL];
#pragma GCC unroll 12
  for (int r = 0; r < rows; r++)
#pragma GCC unroll 3
    for (int v = 0; v < vectors; v++) score[r][v] = LOAD(half_norm + v * LANES);
  for (int64_t i = 0; i < width; i++) {
    VEC center[ADL_KMEANS_PANEL];
#pragma GCC unroll 3
    for (int v = 0; v < vectors; v++) center[v] = LOAD(panel + (i * vectors + v) * LANES);
#pragma GCC unroll 12
    for (int r = 0; r < rows; r++) {
      VEC value = SPREAD(x[r * width + i]);
#pragma GCC unroll 3
      for (int v = 0; v < vectors; v++) score[r][v] = FNMADD(value, center[v], score[r][v]);
    }
  }
#pragma GCC unroll 12
  for (int r = 0; r < rows; r++) {
    VEC best = LOAD(state[r].best), second = LOAD(state[r].second);
    IVEC at = ILOAD(state[r].at);
#pragma GCC unroll 3
    for (int v = 0; v < vectors; v++) {
      second = MIN(second, MAX(best, score[r][v]));
      MASK less = LESS(score[r][v], best);
      best = MIN(score[r][v], best);
      at = PICK(at, NUMBERS(first + v * LANES), less);
    }
    STORE(state[r].best, best);
    STORE(state[r].second, second);
    ISTORE(state[r].at, at);
  }
}

TARGET static void NAME(panel)(const float *x, int64_t rows, int64_t width, const float *panel, const float *half_norm,
                               int32_t first, NAME(lanes) * state, int vectors) {
  if (vectors == 3)
    for (int64_t r = 0; r < rows; r += 4) NAME(tile)(x + r * width, width, panel, half_norm, first, state + r, 4, 3);
  else if (vectors == 2)
    for (int64_t r = 0; r < rows; r += 6) NAME(tile)(x + r * width, width, panel, half_norm, first, state + r, 6, 2);
  else
    for (int64_t r = 0; r < rows; r += 12) NAME(tile)(x + r * width, width, panel, half_norm, first, state + r, 12, 1);
}

TARGET static void NAME(nearest)(const adl_kmeans_panels *panels, const float *x, int64_t rows, int64_t from,
                                 int64_t end, adl_kmeans_winner *winners, int64_t stride) {
  NAME(lanes) state[ADL_KMEANS_AT_ONCE];
  int64_t each = ADL_KMEANS_PANEL * LANES, vectors = (panels->clusters + LANES - 1) / LANES;
  for (int64_t r = 0; r < ADL_KMEANS_AT_ONCE && r < rows + ADL_KMEANS_TILE; r++)
    for (int l = 0; l < LANES; l++) {
      state[r].best[l] = state[r].second[l] = INFINITY;
      state[r].at[l] = 0;
    }
  for (int64_t p = from; p < end; p++) {
    int64_t here = vectors - p * ADL_KMEANS_PANEL;
    NAME(panel)
    (x, rows, panels->width, panels->values + p * each * panels->width, panels->half_norm + p * each,
     (int32_t)(p * each), state, here < ADL_KMEANS_PANEL ? (int)here : ADL_KMEANS_PANEL);
  }
  for (int64_t r = 0; r < rows; r++) winners[r * stride] = NAME(winner)(&state[r]);
}
