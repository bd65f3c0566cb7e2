/* A stage's parameters: from its mapping in the pipeline file, through the class's table, into the instance. Called by
 * core/graph for every stage; what refers to other stages (columns, matrices, expressions, calls) is resolved there,
 * from the nodes that this leaves in adl_args. */
#ifndef ADLOOM_CORE_CONFIG_PARAMS_H
#define ADLOOM_CORE_CONFIG_PARAMS_H

#include <adloom/plugin.h>

#include "core/config/tree.h"

/* One parameter of the class, as this stage has it. */
typedef struct adl_arg {
  const adl_param *param;
  const adl_node *node; /* what was given, else the default as a node placed at the stage's `use`; NULL: neither */
  adl_place key;        /* of the key; not given: of the stage */
  bool given;
  bool valid; /* false: something about it has been reported */
} adl_arg;

typedef struct adl_args {
  const adl_class *class;
  const char *stage;
  const char *version, *path; /* of the plugin, for notes */
  adl_place place;            /* of the value of `use`, else of the stage */
  const void *instance;
  bool valid;     /* every arg is, and nothing was missing or unknown */
  int count;      /* class->param_count */
  adl_arg *items; /* in the order of the class's table */
} adl_args;

/* What becomes of a PATH_OUT: the path to write to, in place of the text in the file (never called with "-"). The result
 * is copied. NULL: it cannot be written, `why` says why. */
typedef const char *(*adl_path_out)(void *context, const char *stage, const adl_param *param, const char *text,
                                    GString *why);

typedef struct adl_params_request {
  const adl_class *class;
  const char *version, *path; /* of the plugin */
  void *instance;             /* class->instance_size zeroed bytes */
  const char *stage;          /* its name */
  const adl_node *node;       /* its mapping */
  adl_place place;            /* of its key */
  const char *directory;      /* of the pipeline file: what PATH_IN is relative to */
  bool learns;                /* false: what is LEARN_ONLY is not required */
  bool check_files;           /* false: PATH_IN files need not exist (yet); globs are then kept as they are */
  adl_path_out path_out;      /* NULL: PATH_OUT stays as written */
  void *path_out_context;
  adl_region *region; /* must outlive the instance; adl_args and everything the instance points to lie in it */
} adl_params_request;

/*
 * Checks the mapping against the class's table and fills the instance: unknown and missing keys, aliases, deprecated
 * ones, types, ranges, choices, files. BOOL, INT, FLOAT, STRING, CHOICE, SIZE, DURATION, PATH_IN and PATH_OUT are final
 * in all their forms. NEW_COLUMN has name (given, or the default with ADL_PLAIN_NAME) and slot -1; STAGE name and
 * number. COLUMN, MATRIX, EXPRESSION and CALL: the node's shape is checked (scalar, list, lists, map of scalars), plain
 * fields get slot -1, the rest is the caller's. Never NULL; look at ->valid.
 */
adl_args *adl_params_fill(const adl_params_request *request, adl_problems *problems);

/* Keys of a stage that are the runtime's: "use", "from", ... NULL-terminated. Plugins may not use them as names. */
const char *const *adl_params_reserved(void);

/* The parameter of that name (an alias counts), NULL if the class has none. */
const adl_arg *adl_args_find(const adl_args *args, const char *name);
/* The node at "clusters", "columns[2]", "columns.user", "crosses[0][1]"; NULL: no such. */
const adl_node *adl_args_node(const adl_args *args, const char *path);
/* Its place, with `offset` bytes into its text (negative: whole). What was not given, and NULL: the stage's `use`. */
adl_place adl_args_place(const adl_args *args, const char *path, int offset);

/* An error about a parameter (NULL: the stage), "stage.path: message", with the notes that belong there. This is
 * host->fail in bind; `hint` may be NULL. */
adl_problem *adl_args_error(const adl_args *args, adl_problems *problems, const char *path, int offset,
                            const char *hint, const char *format, ...) __attribute__((format(printf, 6, 7)));
adl_problem *adl_args_error_va(const adl_args *args, adl_problems *problems, const char *path, int offset,
                               const char *hint, const char *format, va_list list)
    __attribute__((format(printf, 6, 0)));
/* The note "parameter of kmeans 1.0.0 (kmeans.so), default 8" alone. */
void adl_args_note(const adl_args *args, adl_problem *problem, const adl_param *param);

/*
 * The resolved parameters as one JSON object, sorted by name, the same text for the same values however they were
 * written. For the manifest: paths as written, secrets as "(secret)". For hashing: PATH_IN and PATH_OUT are left out
 * (contents are hashed elsewhere), secrets stand as a digest. For a record of the stage: as for the manifest, but for
 * PATH_IN, which is absolute. Only for valid args.
 */
typedef enum adl_args_use { ADL_ARGS_FOR_MANIFEST = 0, ADL_ARGS_FOR_HASH = 1, ADL_ARGS_FOR_RECORD = 2 } adl_args_use;
void adl_args_json(const adl_args *args, adl_args_use use, GString *out);

/* Calls back for each PATH_IN file of the stage, in order ("-" too). */
void adl_args_each_file(const adl_args *args, void (*visit)(void *context, const adl_param *param, const char *path),
                        void *context);

#endif
