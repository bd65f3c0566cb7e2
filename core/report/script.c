/* The script of a report: Chart.js and what uses it, out of the program's resources. Where the program was built without
 * Chart.js there is none, and the pictures are static. */
#include <gio/gio.h>
#include <string.h>

#include "config.h"
#include "core/report/sections.h"

#ifdef HAVE_CHART_JS
#include "core/report/assets.h"

static GResource *assets(void) {
  static gsize ready = 0;
  if (g_once_init_enter(&ready)) {
    adl_assets_register_resource();
    g_once_init_leave(&ready, 1);
  }
  return adl_assets_get_resource();
}

static void append_asset(GString *out, const char *path) {
  GBytes *bytes = g_resource_lookup_data(assets(), path, G_RESOURCE_LOOKUP_FLAGS_NONE, NULL);
  gsize size = 0;
  const char *text = bytes != NULL ? g_bytes_get_data(bytes, &size) : NULL;
  if (size > 0) g_string_append_len(out, text, (gssize)size);
  g_string_append_c(out, '\n');
  if (bytes != NULL) g_bytes_unref(bytes);
}

void adl_page_script(const adl_page *page) {
  GString *out = page->out;
  if (strstr(out->str, "<svg class=\"chart\"") == NULL) return;
  g_string_append(out, "<!-- The script below contains Chart.js (https://www.chartjs.org), under the MIT License: "
                       "https://opensource.org/license/mit -->\n<script>//<![CDATA[\n");
  append_asset(out, "/adloom/report/chart-library.js");
  append_asset(out, "/adloom/report/page.js");
  g_string_append(out, "//]]></script>\n");
}
#else
void adl_page_script(const adl_page *page) { (void)page; }
#endif
