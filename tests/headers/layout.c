/*
 * The public headers' layout, written down: where every member of every struct stands and how long it is, and the value
 * of every constant. It compiles, or the ABI has changed. What may change while the major version stays:
 *
 *   - structs that begin with struct_size, and adl_param, grow at the end: change the SIZE, append an AT, raise
 *     ADL_ABI_MINOR;
 *   - new constants are appended.
 *
 * Any other line that has to be changed breaks plugins that exist. Nothing runs: headers.sh compiles it as C and as
 * C++. The numbers are those of 64-bit machines.
 */
#include <adloom/arrow.h>
#include <adloom/expression.h>
#include <adloom/plugin.h>

#ifdef __cplusplus
#define SAME(what, is, was) static_assert((is) == (was), what " is not what it was")
#else
#define SAME(what, is, was) _Static_assert((is) == (was), what " is not what it was")
#endif
#define SIZE(type, bytes) SAME("the size of " #type, sizeof(type), bytes)
#define AT(type, member, offset, bytes)                                                                                \
  SAME("the place of " #type "." #member, offsetof(type, member), offset);                                             \
  SAME("the size of " #type "." #member, sizeof(((type *)0)->member), bytes)
#define VALUE(name, number) SAME(#name, (long long)(name), number)

#if UINTPTR_MAX == UINT64_MAX

SIZE(adl_type, 16);
AT(adl_type, element, 0, 1);
AT(adl_type, shape, 1, 1);
AT(adl_type, role, 2, 1);
AT(adl_type, reserved, 3, 1);
AT(adl_type, reserved2, 4, 4);
AT(adl_type, width, 8, 8);

SIZE(adl_column, 80);
AT(adl_column, struct_size, 0, 4);
AT(adl_column, null_count, 4, 4);
AT(adl_column, type, 8, 16);
AT(adl_column, rows, 24, 8);
AT(adl_column, validity, 32, 8);
AT(adl_column, data, 40, 8);
AT(adl_column, offsets, 48, 8);
AT(adl_column, string_offsets, 56, 8);
AT(adl_column, index, 64, 8);
AT(adl_column, weights, 72, 8);

SIZE(adl_batch, 48);
AT(adl_batch, struct_size, 0, 4);
AT(adl_batch, slot_count, 4, 4);
AT(adl_batch, rows, 8, 8);
AT(adl_batch, ordinal, 16, 8);
AT(adl_batch, slots, 24, 8);
AT(adl_batch, groups, 32, 8);
AT(adl_batch, group_count, 40, 8);

SIZE(adl_buffers, 64);
AT(adl_buffers, validity, 0, 8);
AT(adl_buffers, data, 8, 8);
AT(adl_buffers, offsets, 16, 8);
AT(adl_buffers, string_offsets, 24, 8);
AT(adl_buffers, index, 32, 8);
AT(adl_buffers, weights, 40, 8);
AT(adl_buffers, item_capacity, 48, 8);
AT(adl_buffers, byte_capacity, 56, 8);

SIZE(adl_text, 16);
AT(adl_text, data, 0, 8);
AT(adl_text, size, 8, 4);

SIZE(adl_tensor, 56);
AT(adl_tensor, data, 0, 8);
AT(adl_tensor, element, 8, 4);
AT(adl_tensor, dimensions, 12, 4);
AT(adl_tensor, size, 16, 32);
AT(adl_tensor, count, 48, 8);

SIZE(adl_model, 24);
AT(adl_model, struct_size, 0, 4);
AT(adl_model, reserved, 4, 4);
AT(adl_model, tensors, 8, 8);
AT(adl_model, prepared, 16, 8);

SIZE(adl_ints, 16);
AT(adl_ints, count, 0, 8);
AT(adl_ints, items, 8, 8);

SIZE(adl_floats, 16);
AT(adl_floats, count, 0, 8);
AT(adl_floats, items, 8, 8);

SIZE(adl_strings, 16);
AT(adl_strings, count, 0, 8);
AT(adl_strings, items, 8, 8);

SIZE(adl_string_lists, 16);
AT(adl_string_lists, count, 0, 8);
AT(adl_string_lists, items, 8, 8);

SIZE(adl_map, 24);
AT(adl_map, count, 0, 8);
AT(adl_map, keys, 8, 8);
AT(adl_map, values, 16, 8);

SIZE(adl_named_floats, 24);
AT(adl_named_floats, count, 0, 8);
AT(adl_named_floats, keys, 8, 8);
AT(adl_named_floats, values, 16, 8);

SIZE(adl_input, 32);
AT(adl_input, name, 0, 8);
AT(adl_input, type, 8, 16);
AT(adl_input, slot, 24, 4);
AT(adl_input, reserved, 28, 4);

SIZE(adl_inputs, 16);
AT(adl_inputs, count, 0, 8);
AT(adl_inputs, items, 8, 8);

SIZE(adl_input_lists, 16);
AT(adl_input_lists, count, 0, 8);
AT(adl_input_lists, items, 8, 8);

SIZE(adl_output, 16);
AT(adl_output, name, 0, 8);
AT(adl_output, slot, 8, 4);
AT(adl_output, reserved, 12, 4);

SIZE(adl_side, 16);
AT(adl_side, name, 0, 8);
AT(adl_side, number, 8, 4);
AT(adl_side, reserved, 12, 4);

SIZE(adl_call_of, 24);
AT(adl_call_of, name, 0, 8);
AT(adl_call_of, function, 8, 4);
AT(adl_call_of, argument_count, 12, 4);
AT(adl_call_of, arguments, 16, 8);

SIZE(adl_calls, 16);
AT(adl_calls, count, 0, 8);
AT(adl_calls, items, 8, 8);

SIZE(adl_param, 96);
AT(adl_param, name, 0, 8);
AT(adl_param, type, 8, 4);
AT(adl_param, flags, 12, 4);
AT(adl_param, offset, 16, 4);
AT(adl_param, elements, 20, 4);
AT(adl_param, shapes, 24, 4);
AT(adl_param, roles, 28, 4);
AT(adl_param, default_value, 32, 8);
AT(adl_param, range, 40, 8);
AT(adl_param, choices, 48, 8);
AT(adl_param, unit, 56, 8);
AT(adl_param, doc, 64, 8);
AT(adl_param, alias, 72, 8);
AT(adl_param, since, 80, 8);
AT(adl_param, deprecated, 88, 8);

SIZE(adl_call, 24);
AT(adl_call, struct_size, 0, 4);
AT(adl_call, worker, 4, 4);
AT(adl_call, host, 8, 8);
AT(adl_call, core, 16, 8);

SIZE(adl_fold, 32);
AT(adl_fold, struct_size, 0, 4);
AT(adl_fold, flags, 4, 4);
AT(adl_fold, step, 8, 8);
AT(adl_fold, merge, 16, 8);
AT(adl_fold, context, 24, 8);

SIZE(adl_class, 240);
AT(adl_class, struct_size, 0, 4);
AT(adl_class, kind, 4, 4);
AT(adl_class, id, 8, 8);
AT(adl_class, title, 16, 8);
AT(adl_class, doc, 24, 8);
AT(adl_class, flags, 32, 4);
AT(adl_class, form, 36, 4);
AT(adl_class, instance_size, 40, 4);
AT(adl_class, state_version, 44, 4);
AT(adl_class, params, 48, 8);
AT(adl_class, param_count, 56, 4);
AT(adl_class, param_size, 60, 4);
AT(adl_class, create, 64, 8);
AT(adl_class, destroy, 72, 8);
AT(adl_class, bind, 80, 8);
AT(adl_class, start, 88, 8);
AT(adl_class, shards, 96, 8);
AT(adl_class, open, 104, 8);
AT(adl_class, next, 112, 8);
AT(adl_class, decode, 120, 8);
AT(adl_class, close, 128, 8);
AT(adl_class, fingerprint, 136, 8);
AT(adl_class, init, 144, 8);
AT(adl_class, fit, 152, 8);
AT(adl_class, prepare, 160, 8);
AT(adl_class, release, 168, 8);
AT(adl_class, process, 176, 8);
AT(adl_class, learn, 184, 8);
AT(adl_class, finish, 192, 8);
AT(adl_class, encode, 200, 8);
AT(adl_class, write, 208, 8);
AT(adl_class, commit, 216, 8);
AT(adl_class, report, 224, 8);
AT(adl_class, extension, 232, 8);

SIZE(adl_series, 64);
AT(adl_series, struct_size, 0, 4);
AT(adl_series, reserved, 4, 4);
AT(adl_series, name, 8, 8);
AT(adl_series, count, 16, 8);
AT(adl_series, x, 24, 8);
AT(adl_series, y, 32, 8);
AT(adl_series, low, 40, 8);
AT(adl_series, high, 48, 8);
AT(adl_series, labels, 56, 8);

SIZE(adl_plot, 48);
AT(adl_plot, struct_size, 0, 4);
AT(adl_plot, kind, 4, 4);
AT(adl_plot, flags, 8, 4);
AT(adl_plot, series_count, 12, 4);
AT(adl_plot, name, 16, 8);
AT(adl_plot, x_title, 24, 8);
AT(adl_plot, y_title, 32, 8);
AT(adl_plot, series, 40, 8);

SIZE(adl_host, 464);
AT(adl_host, struct_size, 0, 4);
AT(adl_host, abi_major, 4, 2);
AT(adl_host, abi_minor, 6, 2);
AT(adl_host, threads, 8, 4);
AT(adl_host, reserved, 12, 4);
AT(adl_host, fail, 16, 8);
AT(adl_host, reject, 24, 8);
AT(adl_host, reject_record, 32, 8);
AT(adl_host, log, 40, 8);
AT(adl_host, progress, 48, 8);
AT(adl_host, cancelled, 56, 8);
AT(adl_host, alloc, 64, 8);
AT(adl_host, random_key, 72, 8);
AT(adl_host, now, 80, 8);
AT(adl_host, parallel, 88, 8);
AT(adl_host, stage_name, 96, 8);
AT(adl_host, split, 104, 8);
AT(adl_host, row_split, 112, 8);
AT(adl_host, online, 120, 8);
AT(adl_host, extension, 128, 8);
AT(adl_host, declare, 136, 8);
AT(adl_host, declare_named, 144, 8);
AT(adl_host, forward, 152, 8);
AT(adl_host, hide, 160, 8);
AT(adl_host, input_column, 168, 8);
AT(adl_host, column_input, 176, 8);
AT(adl_host, side_column, 184, 8);
AT(adl_host, side_input, 192, 8);
AT(adl_host, bring, 200, 8);
AT(adl_host, set_width, 208, 8);
AT(adl_host, set_names, 216, 8);
AT(adl_host, dimension_name, 224, 8);
AT(adl_host, tensor, 232, 8);
AT(adl_host, find_tensor, 240, 8);
AT(adl_host, drop_tensor, 248, 8);
AT(adl_host, scratch_tensors, 256, 8);
AT(adl_host, table, 264, 8);
AT(adl_host, find_table, 272, 8);
AT(adl_host, table_count, 280, 8);
AT(adl_host, table_insert, 288, 8);
AT(adl_host, table_find, 296, 8);
AT(adl_host, table_insert_all, 304, 8);
AT(adl_host, table_find_all, 312, 8);
AT(adl_host, table_row, 320, 8);
AT(adl_host, table_key, 328, 8);
AT(adl_host, fold, 336, 8);
AT(adl_host, reserve, 344, 8);
AT(adl_host, wanted, 352, 8);
AT(adl_host, pass, 360, 8);
AT(adl_host, commit, 368, 8);
AT(adl_host, pick, 376, 8);
AT(adl_host, gather, 384, 8);
AT(adl_host, shard_name, 392, 8);
AT(adl_host, positions, 400, 8);
AT(adl_host, block, 408, 8);
AT(adl_host, block_commit, 416, 8);
AT(adl_host, later, 424, 8);
AT(adl_host, report_number, 432, 8);
AT(adl_host, report_text, 440, 8);
AT(adl_host, report_table, 448, 8);
AT(adl_host, report_plot, 456, 8);

SIZE(adl_plugin, 64);
AT(adl_plugin, struct_size, 0, 4);
AT(adl_plugin, abi_major, 4, 2);
AT(adl_plugin, abi_minor, 6, 2);
AT(adl_plugin, id, 8, 8);
AT(adl_plugin, version, 16, 8);
AT(adl_plugin, licence, 24, 8);
AT(adl_plugin, author, 32, 8);
AT(adl_plugin, home, 40, 8);
AT(adl_plugin, class_count, 48, 4);
AT(adl_plugin, reserved, 52, 4);
AT(adl_plugin, classes, 56, 8);

SIZE(adl_expression_extension, 40);
AT(adl_expression_extension, struct_size, 0, 4);
AT(adl_expression_extension, reserved, 4, 4);
AT(adl_expression_extension, compile, 8, 8);
AT(adl_expression_extension, type, 16, 8);
AT(adl_expression_extension, evaluate, 24, 8);
AT(adl_expression_extension, free, 32, 8);

/* As the Arrow C Data Interface has them. */
SIZE(struct ArrowSchema, 72);
AT(struct ArrowSchema, format, 0, 8);
AT(struct ArrowSchema, name, 8, 8);
AT(struct ArrowSchema, metadata, 16, 8);
AT(struct ArrowSchema, flags, 24, 8);
AT(struct ArrowSchema, n_children, 32, 8);
AT(struct ArrowSchema, children, 40, 8);
AT(struct ArrowSchema, dictionary, 48, 8);
AT(struct ArrowSchema, release, 56, 8);
AT(struct ArrowSchema, private_data, 64, 8);

SIZE(struct ArrowArray, 80);
AT(struct ArrowArray, length, 0, 8);
AT(struct ArrowArray, null_count, 8, 8);
AT(struct ArrowArray, offset, 16, 8);
AT(struct ArrowArray, n_buffers, 24, 8);
AT(struct ArrowArray, n_children, 32, 8);
AT(struct ArrowArray, buffers, 40, 8);
AT(struct ArrowArray, children, 48, 8);
AT(struct ArrowArray, dictionary, 56, 8);
AT(struct ArrowArray, release, 64, 8);
AT(struct ArrowArray, private_data, 72, 8);

SIZE(adl_arrow_extension, 48);
AT(adl_arrow_extension, struct_size, 0, 4);
AT(adl_arrow_extension, reserved, 4, 4);
AT(adl_arrow_extension, export_column, 8, 8);
AT(adl_arrow_extension, export_batch, 16, 8);
AT(adl_arrow_extension, export_type, 24, 8);
AT(adl_arrow_extension, import_type, 32, 8);
AT(adl_arrow_extension, import_column, 40, 8);
#endif

/* ---- constants ---- */

VALUE(ADL_OK, 0);
VALUE(ADL_END, 1);
VALUE(ADL_LATER, 2);
VALUE(ADL_FAILED, -1);

VALUE(ADL_BOOL, 0);
VALUE(ADL_INT32, 1);
VALUE(ADL_INT64, 2);
VALUE(ADL_UINT32, 3);
VALUE(ADL_FLOAT32, 4);
VALUE(ADL_FLOAT64, 5);
VALUE(ADL_TIMESTAMP, 6);
VALUE(ADL_STRING, 7);
VALUE(ADL_BYTES, 8);

VALUE(ADL_SCALAR, 0);
VALUE(ADL_LIST, 1);
VALUE(ADL_VECTOR, 2);
VALUE(ADL_SPARSE, 3);
VALUE(ADL_BAG, 4);

VALUE(ADL_NUMBER, 0);
VALUE(ADL_CATEGORY, 1);

VALUE(ADL_PARAM_BOOL, 1);
VALUE(ADL_PARAM_INT, 2);
VALUE(ADL_PARAM_FLOAT, 3);
VALUE(ADL_PARAM_STRING, 4);
VALUE(ADL_PARAM_CHOICE, 5);
VALUE(ADL_PARAM_SIZE, 6);
VALUE(ADL_PARAM_DURATION, 7);
VALUE(ADL_PARAM_PATH_IN, 8);
VALUE(ADL_PARAM_PATH_OUT, 9);
VALUE(ADL_PARAM_COLUMN, 10);
VALUE(ADL_PARAM_NEW_COLUMN, 11);
VALUE(ADL_PARAM_MATRIX, 12);
VALUE(ADL_PARAM_STAGE, 13);
VALUE(ADL_PARAM_EXPRESSION, 14);
VALUE(ADL_PARAM_CALL, 15);

VALUE(ADL_LIST_OF, 1);
VALUE(ADL_LISTS_OF, 2);
VALUE(ADL_MAP_OF, 4);
VALUE(ADL_REQUIRED, 8);
VALUE(ADL_SECRET, 16);
VALUE(ADL_LEARN_ONLY, 32);
VALUE(ADL_LIVE, 64);
VALUE(ADL_NULLS_PASS, 128);
VALUE(ADL_NAN_PASS, 256);
VALUE(ADL_GROUP_KEY, 512);
VALUE(ADL_PLAIN_NAME, 1024);

VALUE(ADL_FOLD_IN_ORDER, 1);

VALUE(ADL_SOURCE, 1);
VALUE(ADL_TRANSFORM, 2);
VALUE(ADL_FEATURE, 3);
VALUE(ADL_PROFILE, 4);
VALUE(ADL_OPTIMIZE, 5);
VALUE(ADL_EVALUATE, 6);
VALUE(ADL_SINK, 7);

VALUE(ADL_SAME, 0);
VALUE(ADL_PICKED, 1);
VALUE(ADL_NEW, 2);

VALUE(ADL_ALL_ROWS, 1);
VALUE(ADL_WHOLE_GROUPS, 2);
VALUE(ADL_ORDERED, 4);
VALUE(ADL_NOT_REPEATABLE, 8);
VALUE(ADL_WHOLE_TABLE, 16);
VALUE(ADL_SINGLE_PASS, 32);
VALUE(ADL_TRANSIENT, 64);
VALUE(ADL_SPLIT_ROWS, 128);
VALUE(ADL_FOR_JUDGING, 256);
VALUE(ADL_EXACT_ROWS, 512);

VALUE(ADL_PLOT_LINE, 0);
VALUE(ADL_PLOT_BARS, 1);
VALUE(ADL_PLOT_POINTS, 2);
VALUE(ADL_PLOT_SHARES, 1);

VALUE(ADL_TRAIN, 0);
VALUE(ADL_VALIDATE, 1);
VALUE(ADL_TEST, 2);

VALUE(ADL_DEBUG, 0);
VALUE(ADL_INFO, 1);
VALUE(ADL_WARNING, 2);

VALUE(ARROW_FLAG_DICTIONARY_ORDERED, 1);
VALUE(ARROW_FLAG_NULLABLE, 2);
VALUE(ARROW_FLAG_MAP_KEYS_SORTED, 4);
VALUE(ADL_ARROW_PADDED, 1);

VALUE(ADL_MAX_DIMENSIONS, 4);
VALUE(ADL_ANY_FLOAT, 48);
VALUE(ADL_ANY_INTEGER, 14);
VALUE(ADL_ANY_NUMERIC, 63);
VALUE(ADL_ANY_ELEMENT, 511);
VALUE(ADL_ANY_SHAPE, 31);
VALUE(ADL_NOTE_TYPE, 1);

SAME("the name of the expression extension", sizeof ADL_EXPRESSION_EXTENSION, sizeof "adloom.expression/1");
SAME("the name of the Arrow extension", sizeof ADL_ARROW_EXTENSION, sizeof "adloom.arrow/1");
SAME("the owner of the note", sizeof ADL_NOTE_OWNER, 7);

int main(void) { return 0; }
