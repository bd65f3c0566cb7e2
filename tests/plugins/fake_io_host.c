/* See fake_io_host.h. */
#include "tests/plugins/fake_io_host.h"

#include <check.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Everything that lives as long as the io, and everything that lives as long as a call. */
typedef struct piece {
  struct piece *next;
} piece;

typedef struct owner {
  fake_io io; /* first: a fake_io is an owner */
  piece *kept, *scratch;
  adl_host host;
  adl_call call;
} owner;

struct adl_out {
  bool pooled; /* buffers are kept for the next batch */
  int64_t capacity[FAKE_COLUMNS], bytes[FAKE_COLUMNS];
  adl_buffers buffers[FAKE_COLUMNS];
  int64_t *positions;
  uint8_t *block;
  int64_t block_capacity, block_size, block_position;
  bool committed;
};

static void *grow(void *memory, size_t size) {
  void *grown = realloc(memory, size + 1);
  if (grown == NULL) abort();
  return grown;
}

static void *take(piece **list, size_t size) {
  piece *made = aligned_alloc(64, (sizeof(piece) + 64 + size + 127) / 64 * 64);
  if (made == NULL) abort();
  made->next = *list;
  *list = made;
  return (char *)made + 64;
}

static void give_back(piece **list) {
  while (*list != NULL) {
    piece *next = (*list)->next;
    free(*list);
    *list = next;
  }
}

static owner *owner_of(const adl_call *call) { return call->core; }

static char *keep_text(owner *own, const char *text, size_t size) {
  char *copy = take(&own->kept, size + 1);
  memcpy(copy, text, size);
  copy[size] = '\0';
  return copy;
}

/* ---------------------------------------------------------------------------------------------- parameters ---- */

/* One scalar of YAML's flow style, up to one of `stops`. */
static char *take_scalar(owner *own, const char **at, const char *stops) {
  const char *in = *at + strspn(*at, " ");
  char buffer[4096], quote = *in == '"' || *in == '\'' ? *in++ : '\0';
  size_t size = 0;
  while (*in != '\0' &&
         (quote != '\0' ? *in != quote || (quote == '\'' && in[1] == '\'') : strchr(stops, *in) == NULL)) {
    if (quote == '"' && *in == '\\') {
      in++;
      buffer[size++] = *in == 't' ? '\t' : *in == 'n' ? '\n' : *in;
    } else {
      buffer[size++] = *in;
      in += quote == '\'' && *in == '\'';
    }
    in++;
  }
  while (quote == '\0' && size > 0 && buffer[size - 1] == ' ') size--;
  *at = in + (quote != '\0');
  *at += strspn(*at, " ");
  return keep_text(own, buffer, size);
}

static adl_strings take_list(owner *own, const char *text) {
  const char **items = take(&own->kept, 64 * sizeof *items);
  adl_strings list = {0, items};
  if (*text != '[') {
    items[list.count++] = take_scalar(own, &text, "");
    return list;
  }
  text += 1 + strspn(text + 1, " ");
  while (*text != ']' && *text != '\0') {
    items[list.count++] = take_scalar(own, &text, ",]");
    text += *text == ',';
    text += strspn(text, " ");
  }
  return list;
}

static adl_map take_map(owner *own, const char *text) {
  const char **keys = take(&own->kept, 2 * FAKE_COLUMNS * sizeof *keys), **values = keys + FAKE_COLUMNS;
  adl_map map = {0, keys, values};
  text++;
  while (*text != '}' && *text != '\0') {
    keys[map.count] = take_scalar(own, &text, ":");
    text++;
    values[map.count++] = take_scalar(own, &text, ",}");
    text += *text == ',';
    text += strspn(text, " ");
  }
  return map;
}

static adl_inputs take_columns(owner *own, const char *text) {
  adl_input *items = take(&own->kept, FAKE_COLUMNS * sizeof *items);
  adl_inputs inputs = {0, items};
  adl_strings names = take_list(own, text);
  bool all = names.count == 1 && strcmp(names.items[0], "*") == 0;
  for (int64_t i = 0; i < (all ? own->io.column_count : names.count); i++)
    for (int32_t c = 0; c < own->io.column_count; c++)
      if (all ? c == i : strcmp(own->io.names[c], names.items[i]) == 0)
        items[inputs.count++] = (adl_input){own->io.names[c], own->io.types[c], c, 0};
  return inputs;
}

static int64_t take_size(const char *text) {
  char *end;
  double number = strtod(text, &end);
  return (int64_t)(number * (*end == 'K' ? 1 << 10 : *end == 'M' ? 1 << 20 : *end == 'G' ? 1 << 30 : 1));
}

static int32_t choice_of(const char *choices, const char *text) {
  int32_t number = 0;
  for (const char *at = choices; at != NULL; at = strchr(at, '|'), at += at != NULL, number++)
    if (strncmp(at, text, strlen(text)) == 0 && (at[strlen(text)] == '|' || at[strlen(text)] == '\0')) return number;
  return -1;
}

static void fill(owner *own, const adl_param *param, const char *text) {
  void *field = (char *)own->io.self + param->offset;
  switch ((adl_param_type)param->type) {
    case ADL_PARAM_BOOL: *(bool *)field = strcmp(text, "true") == 0; break;
    case ADL_PARAM_INT: *(int64_t *)field = strtoll(text, NULL, 10); break;
    case ADL_PARAM_SIZE: *(int64_t *)field = take_size(text); break;
    case ADL_PARAM_FLOAT: *(double *)field = strtod(text, NULL); break;
    case ADL_PARAM_CHOICE: *(int32_t *)field = choice_of(param->choices, text); break;
    case ADL_PARAM_NEW_COLUMN: ((adl_output *)field)->name = keep_text(own, text, strlen(text)); break;
    case ADL_PARAM_COLUMN:
      if ((param->flags & ADL_LIST_OF) != 0)
        *(adl_inputs *)field = take_columns(own, text);
      else
        *(adl_input *)field = take_columns(own, text).items[0];
      break;
    default:
      if ((param->flags & ADL_LIST_OF) != 0)
        *(adl_strings *)field = take_list(own, text);
      else if ((param->flags & ADL_MAP_OF) != 0)
        *(adl_map *)field = take_map(own, text);
      else
        *(const char **)field = take_scalar(own, &text, "");
  }
}

/* A default is plain text unless it is a list or map, as the core reads it. */
static void fill_default(owner *own, const adl_param *param) {
  void *field = (char *)own->io.self + param->offset;
  if (param->type == ADL_PARAM_STRING && (param->flags & (ADL_LIST_OF | ADL_MAP_OF)) == 0)
    *(const char **)field = param->default_value;
  else
    fill(own, param, param->default_value);
}

static void fill_all(owner *own, va_list args) {
  const adl_class *class = own->io.class;
  for (uint32_t i = 0; i < class->param_count; i++) {
    if (class->params[i].type == ADL_PARAM_NEW_COLUMN)
      ((adl_output *)((char *)own->io.self + class->params[i].offset))->slot = -1;
    if (class->params[i].default_value != NULL) fill_default(own, &class->params[i]);
  }
  for (const char *name; (name = va_arg(args, const char *)) != NULL;) {
    const char *text = va_arg(args, const char *);
    const adl_param *param = NULL;
    for (uint32_t i = 0; i < class->param_count; i++)
      if (strcmp(class->params[i].name, name) == 0) param = &class->params[i];
    if (param == NULL) {
      fprintf(stderr, "%s has no parameter %s\n", class->id, name);
      abort();
    }
    fill(own, param, text);
  }
}

/* -------------------------------------------------------------------------------------------- host functions ---- */

static adl_status host_fail(const adl_call *call, const char *parameter, int32_t offset, const char *hint,
                            const char *format, ...) {
  char *out = owner_of(call)->io.failed;
  size_t used = strlen(out), room = sizeof owner_of(call)->io.failed - used;
  va_list args;
  va_start(args, format);
  used += (size_t)snprintf(out + used, room, "%s@%d: ", parameter != NULL ? parameter : "-", (int)offset);
  used += (size_t)vsnprintf(out + used, sizeof owner_of(call)->io.failed - used, format, args);
  va_end(args);
  snprintf(out + used, sizeof owner_of(call)->io.failed - used, hint != NULL ? " (%s)\n" : "\n", hint);
  return ADL_FAILED;
}

static void host_reject_record(const adl_call *call, int64_t position, const char *column, const char *format, ...) {
  fake_io *io = &owner_of(call)->io;
  size_t used = io->rejected_size;
  va_list args;
  if (io->rejected_room < used + 1024) {
    io->rejected_room = 2 * used + 1024;
    io->rejected = grow(io->rejected, io->rejected_room);
  }
  used += (size_t)snprintf(io->rejected + used, 256, "%lld %s: ", (long long)position, column != NULL ? column : "-");
  va_start(args, format);
  used += (size_t)vsnprintf(io->rejected + used, 700, format, args);
  va_end(args);
  strcpy(io->rejected + used, "\n");
  io->rejected_size = used + 1;
  io->reject_count++;
}

static void *host_alloc(const adl_call *call, size_t size) {
  void *memory = take(&owner_of(call)->scratch, size);
  if (!owner_of(call)->io.keep_nothing) memset(memory, 0xa5, size);
  return memory;
}

static adl_status host_declare_named(const adl_call *call, const char *parameter, const char *name, adl_type type,
                                     int32_t *slot) {
  owner *own = owner_of(call);
  for (int32_t i = 0; i < own->io.column_count; i++)
    if (strcmp(own->io.names[i], name) == 0)
      return host_fail(call, parameter, -1, NULL, "column `%s` is there twice", name);
  *slot = own->io.column_count++;
  own->io.names[*slot] = keep_text(own, name, strlen(name));
  own->io.types[*slot] = type;
  return ADL_OK;
}

static adl_status host_declare(const adl_call *call, adl_output *output, adl_type type) {
  return output->name == NULL ? ADL_OK : host_declare_named(call, "?", output->name, type, &output->slot);
}

static void host_shard_name(const adl_call *call, const char *name) {
  (void)call;
  (void)name;
}

static bool host_wanted(const adl_call *call, int32_t slot) { return !owner_of(call)->io.unwanted[slot]; }

/* Buffers move whenever they grow, so that somebody who keeps an old pointer is found out. */
static void *move(void *old, size_t from, size_t to) {
  char *made = aligned_alloc(64, (to + 127) / 64 * 64);
  if (made == NULL) abort();
  if (from < to) memset(made + from, 0x5a, to - from);
  if (old != NULL) memcpy(made, old, from < to ? from : to);
  free(old);
  return made;
}

static adl_status host_reserve(const adl_call *call, adl_out *out, int32_t slot, int64_t rows, int64_t items,
                               int64_t bytes, adl_buffers *buffers) {
  (void)items;
  adl_buffers *b = &out->buffers[slot];
  int64_t before = out->capacity[slot], bits = (before + 7) / 8;
  uint8_t element = owner_of(call)->io.types[slot].element;
  if (out->pooled && rows <= before && (element != ADL_STRING || bytes <= out->bytes[slot])) {
    memset(b->validity, 0xff, (size_t)bits);
    *buffers = *b;
    return ADL_OK;
  }
  b->validity = move(b->validity, (size_t)bits, (size_t)(rows + 7) / 8);
  if (rows > before) memset(b->validity + bits, 0xff, (size_t)((rows + 7) / 8 - bits));
  if (element == ADL_STRING) {
    b->data = move(b->data, (size_t)out->bytes[slot], (size_t)bytes);
    b->string_offsets =
        move(b->string_offsets, b->string_offsets != NULL ? (size_t)(before + 1) * 4 : 0, (size_t)(rows + 1) * 4);
    b->string_offsets[0] = 0;
    out->bytes[slot] = b->byte_capacity = bytes;
  } else {
    b->data = move(b->data, (size_t)before * 8, (size_t)rows * 8);
  }
  out->capacity[slot] = rows;
  *buffers = *b;
  return ADL_OK;
}

static int64_t *host_positions(const adl_call *call, adl_out *out, int64_t rows) {
  (void)call;
  out->positions = grow(out->positions, (size_t)rows * sizeof *out->positions);
  return out->positions;
}

static uint8_t *host_block(const adl_call *call, adl_out *out, int64_t size) {
  (void)call;
  if (size > out->block_capacity) out->block = move(out->block, (size_t)out->block_capacity, (size_t)size);
  if (size > out->block_capacity) out->block_capacity = size;
  return out->block;
}

static adl_status host_block_commit(const adl_call *call, adl_out *out, int64_t size, int64_t position) {
  if (size > out->block_capacity || out->committed) return host_fail(call, "host", -1, NULL, "bad block_commit");
  out->block_size = size;
  out->block_position = position;
  out->committed = true;
  return ADL_OK;
}

static void drop_buffers(adl_out *out) {
  for (int i = 0; i < FAKE_COLUMNS; i++) {
    free(out->buffers[i].validity);
    free(out->buffers[i].data);
    free(out->buffers[i].string_offsets);
    out->buffers[i] = (adl_buffers){0};
    out->capacity[i] = out->bytes[i] = 0;
  }
  free(out->positions);
  out->positions = NULL;
}

static adl_status host_commit(const adl_call *call, adl_out *out, int64_t rows) {
  fake_io *io = &owner_of(call)->io;
  io->batch_count++;
  io->rows += rows;
  if (io->keep_nothing || rows == 0) {
    if (!out->pooled) drop_buffers(out);
    io->batch_count -= rows == 0;
    return ADL_OK;
  }
  io->batches = grow(io->batches, (size_t)io->batch_count * sizeof *io->batches);
  fake_batch *batch = &io->batches[io->batch_count - 1];
  memset(batch, 0, sizeof *batch);
  batch->rows = rows;
  batch->positions = out->positions;
  for (int32_t c = 0; c < io->column_count; c++) {
    adl_column *column = &batch->columns[c];
    *column = (adl_column){.struct_size = sizeof *column, .type = io->types[c], .rows = rows};
    column->validity = out->buffers[c].validity;
    column->data = out->buffers[c].data;
    column->string_offsets = out->buffers[c].string_offsets;
  }
  memset(out->buffers, 0, sizeof out->buffers);
  memset(out->capacity, 0, sizeof out->capacity);
  memset(out->bytes, 0, sizeof out->bytes);
  out->positions = NULL;
  return ADL_OK;
}

static void host_progress(const adl_call *call, const char *what, double done, double total) {
  (void)call;
  ck_assert_str_eq(what, "bytes");
  ck_assert(done >= 0 && done <= total);
}

static const adl_host host_functions = {
    .struct_size = sizeof(adl_host),
    .abi_major = ADL_ABI_MAJOR,
    .abi_minor = ADL_ABI_MINOR,
    .threads = 1,
    .fail = host_fail,
    .reject_record = host_reject_record,
    .progress = host_progress,
    .alloc = host_alloc,
    .declare = host_declare,
    .declare_named = host_declare_named,
    .shard_name = host_shard_name,
    .wanted = host_wanted,
    .reserve = host_reserve,
    .positions = host_positions,
    .block = host_block,
    .block_commit = host_block_commit,
    .commit = host_commit,
};

/* --------------------------------------------------------------------------------------------------- running ---- */

static const adl_call *begin(fake_io *io) {
  owner *own = (owner *)io;
  give_back(&own->scratch);
  own->call = (adl_call){sizeof(adl_call), 0, &own->host, own};
  return &own->call;
}

static fake_io *make(const adl_class *class, int32_t columns, const char *const *names, const adl_column *const *data,
                     va_list args) {
  owner *own = calloc(1, sizeof *own);
  if (own == NULL) abort();
  fake_io *io = &own->io;
  own->host = host_functions;
  io->class = class;
  io->self = take(&own->kept, class->instance_size);
  memset(io->self, 0, class->instance_size);
  io->rejected = grow(NULL, 1);
  io->rejected[0] = '\0';
  io->column_count = columns;
  for (int32_t c = 0; c < columns; c++) {
    io->names[c] = names[c];
    io->types[c] = data[c]->type;
  }
  fill_all(own, args);
  bool good = class->create == NULL || class->create(begin(io), io->self) == ADL_OK;
  good = good && (class->bind == NULL || class->bind(begin(io), io->self) == ADL_OK);
  if (good && class->start != NULL) good = class->start(begin(io), io->self) == ADL_OK;
  if (!good && io->failed[0] == '\0') abort(); /* failed without saying why */
  return io;
}

fake_io *fake_io_new(const adl_class *class, ...) {
  va_list args;
  va_start(args, class);
  fake_io *io = make(class, 0, NULL, NULL, args);
  va_end(args);
  return io;
}

fake_io *fake_sink_new(const adl_class *class, int32_t columns, const char *const *names, const adl_column *const *data,
                       ...) {
  va_list args;
  va_start(args, data);
  fake_io *io = make(class, columns, names, data, args);
  va_end(args);
  return io;
}

void fake_io_free(fake_io *io) {
  owner *own = (owner *)io;
  if (io->class->destroy != NULL) io->class->destroy(io->self);
  for (int64_t b = 0; b < io->batch_count && io->batches != NULL; b++) {
    free(io->batches[b].positions);
    for (int c = 0; c < FAKE_COLUMNS; c++) {
      free((void *)io->batches[b].columns[c].validity);
      free((void *)io->batches[b].columns[c].data);
      free((void *)io->batches[b].columns[c].string_offsets);
    }
  }
  free(io->batches);
  free(io->rejected);
  give_back(&own->scratch);
  give_back(&own->kept);
  free(own);
}

static int64_t now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static adl_status read_shard(fake_io *io, int32_t shard) {
  void *cursor = NULL;
  adl_out out = {.pooled = io->keep_nothing};
  adl_status status = io->class->open(begin(io), io->self, shard, &cursor);
  if (status != ADL_OK) return status;
  while (status == ADL_OK) {
    int64_t start = now_ns();
    status = io->class->next(begin(io), io->self, cursor, &out);
    int64_t middle = now_ns();
    io->next_ns += middle - start;
    bool blocks = io->class->decode != NULL; /* else next has given rows */
    if (status == ADL_OK && blocks && !out.committed)
      status = host_fail(begin(io), "host", -1, NULL, "next gave no block");
    if (status == ADL_OK && blocks) {
      /* a copy of exactly this size: reading beyond it is found by the address sanitizer */
      uint8_t *block = out.block;
      if (!io->keep_nothing) {
        block = malloc((size_t)out.block_size);
        if (block == NULL) abort();
        memcpy(block, out.block, (size_t)out.block_size);
      }
      io->block_bytes += out.block_size;
      start = now_ns();
      status = io->class->decode(begin(io), io->self, block, out.block_size, out.block_position, &out);
      io->decode_ns += now_ns() - start;
      if (block != out.block) free(block);
    }
    out.committed = false;
    if (out.pooled) continue;
    free(out.block);
    drop_buffers(&out);
    memset(&out, 0, sizeof out);
  }
  free(out.block);
  drop_buffers(&out);
  io->class->close(begin(io), io->self, cursor);
  return status == ADL_END ? ADL_OK : status;
}

adl_status fake_read(fake_io *io) {
  int32_t count = 1;
  if (io->class->shards != NULL) ADL_TRY(io->class->shards(begin(io), io->self, &count));
  for (int32_t i = 0; i < count; i++) ADL_TRY(read_shard(io, i));
  return ADL_OK;
}

static const fake_batch *find_row(const fake_io *io, int64_t *row) {
  for (int64_t b = 0; b < io->batch_count; *row -= io->batches[b++].rows)
    if (*row < io->batches[b].rows) return &io->batches[b];
  fprintf(stderr, "there are only %lld rows\n", (long long)io->rows);
  abort();
}

const char *fake_cell(const fake_io *io, const char *name, int64_t row) {
  static char text[4096];
  const fake_batch *batch = find_row(io, &row);
  int32_t c = 0;
  while (c < io->column_count && strcmp(io->names[c], name) != 0) c++;
  if (c == io->column_count) abort();
  const adl_column *column = &batch->columns[c];
  if (adl_is_null(column, row)) return "null";
  switch (column->type.element) {
    case ADL_BOOL: return adl_bit(column->data, row) ? "true" : "false";
    case ADL_FLOAT64: snprintf(text, sizeof text, "%.17g", ((const double *)column->data)[row]); break;
    case ADL_STRING: {
      adl_text value = adl_text_at(column, row);
      snprintf(text, sizeof text, "%.*s", (int)value.size, value.data);
      break;
    }
    default: snprintf(text, sizeof text, "%lld", (long long)((const int64_t *)column->data)[row]);
  }
  return text;
}

int64_t fake_position(const fake_io *io, int64_t row) {
  const fake_batch *batch = find_row(io, &row);
  return batch->positions[row];
}

adl_status fake_write(fake_io *io, int64_t rows, const adl_column *const *columns) {
  adl_out out;
  memset(&out, 0, sizeof out);
  adl_batch batch = {sizeof batch, (uint32_t)io->column_count, rows, io->rows, columns, NULL, 0};
  adl_status status = ADL_OK;
  if (io->class->encode != NULL) status = io->class->encode(begin(io), io->self, &batch, &out);
  if (status == ADL_OK) status = io->class->write(begin(io), io->self, &batch, out.block, out.block_size);
  free(out.block);
  io->rows += rows;
  return status;
}

adl_status fake_commit(fake_io *io) { return io->class->commit(begin(io), io->self); }
