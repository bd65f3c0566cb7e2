/* acme.length: how long a text is. Build it with cc -shared -fPIC length.c -o length.so */
#include <adloom/plugin.h> // clang-format off

typedef struct length { adl_input text; adl_output as; } length;

static const adl_param params[] = {
    {.name = "text", .type = ADL_PARAM_COLUMN, .flags = ADL_REQUIRED, .offset = offsetof(length, text),
     .elements = ADL_MASK(ADL_STRING), .doc = "The text."},
    {.name = "as", .type = ADL_PARAM_NEW_COLUMN, .flags = ADL_PLAIN_NAME, .offset = offsetof(length, as),
     .default_value = "length", .doc = "New column: its length in bytes."}};

static adl_status bind(const adl_call *call, void *self) {
  return call->host->declare(call, &((length *)self)->as, (adl_type){.element = ADL_INT32});
}

static adl_status process(const adl_call *call, const void *self, const adl_model *none, const adl_batch *batch,
                          adl_out *out) {
  const length *own = self;
  adl_buffers to;
  (void)none;
  ADL_TRY(call->host->reserve(call, out, own->as.slot, batch->rows, 0, 0, &to));
  for (int64_t row = 0; row < batch->rows; row++)
    ((int32_t *)to.data)[row] = adl_text_at(batch->slots[own->text.slot], row).size;
  return ADL_OK;
}

static const adl_class length_class = {
    .struct_size = sizeof(adl_class), .kind = ADL_FEATURE, .id = "acme.length", .title = "Length of a text",
    .doc = "A text's length.", .instance_size = sizeof(length), ADL_PARAMS(params), .bind = bind, .process = process};
ADL_PLUGIN_OF("acme.length", "1.0.0", "feature:acme.length", &length_class);
