/* The directory that a run writes to: what it is called, and that it is nobody else's. For adloom run. */
#ifndef ADLOOM_CORE_CLI_RUN_DIRECTORY_H
#define ADLOOM_CORE_CLI_RUN_DIRECTORY_H

#include <stdbool.h>

typedef struct adl_run_directory adl_run_directory;

/* What --out says (NULL: runs/NAME-DATE-TIME, which is made at once, so that two runs that begin together do not get the
 * same). */
adl_run_directory *adl_run_directory_new(const char *out, const char *name);
const char *adl_run_directory_path(const adl_run_directory *directory);     /* as people shall read it */
const char *adl_run_directory_absolute(const adl_run_directory *directory); /* as programs shall */

/* Makes it, and takes it for this process, until it is freed. Neither where another run is at work in it, nor where it holds
 * files called as those of a run are and made by somebody else. Returns an exit status, having said what is wrong; -1: it is
 * ours. */
int adl_run_directory_take(adl_run_directory *directory);
/* Nothing was started, and nothing shall be left. */
void adl_run_directory_forget(const adl_run_directory *directory);
void adl_run_directory_free(adl_run_directory *directory);

#endif
