"""Columns of adloom read and made by pyarrow, through the Arrow C Data Interface. Run by arrow.sh: arrow.py LIBRARY"""

import ctypes
import gc
import json
import sys

import pyarrow as pa

bridge = ctypes.CDLL(sys.argv[1])
bridge.bridge_sample.restype = ctypes.c_void_p
bridge.bridge_import.restype = ctypes.c_void_p
bridge.bridge_data.restype = ctypes.c_void_p
bridge.bridge_json.restype = ctypes.c_void_p

SCHEMA_SIZE, ARRAY_SIZE = 72, 80
SCALARS = [pa.bool_(), pa.int32(), pa.int64(), pa.uint32(), pa.float32(), pa.float64(), pa.timestamp("us", "UTC"),
           pa.string(), pa.binary()]
VECTORS = [pa.float32(), pa.float64()]


def item(type):
    return pa.field("item", type, nullable=False)


def pairs(first, first_type, second):
    return pa.list_(item(pa.struct([pa.field(first, first_type, nullable=False),
                                    pa.field(second, pa.float32(), nullable=False)])))


TYPES = (SCALARS + [pa.list_(item(type)) for type in SCALARS[1:]] + [pa.list_(item(type), 3) for type in VECTORS] +
         [pairs("index", pa.uint32(), "value"), pairs("item", pa.string(), "weight")])

checks = 0


def check(what, is_so, *seen):
    global checks
    checks += 1
    if not is_so:
        sys.exit(f"failed: {what}: {seen}")


class Column:
    """A column of adloom."""

    def __init__(self, pointer):
        self.pointer = ctypes.c_void_p(pointer)

    def values(self):
        text = bridge.bridge_json(self.pointer)
        values = json.loads(ctypes.string_at(text).decode())
        bridge.bridge_free_text(ctypes.c_void_p(text))
        return values

    def export(self):
        schema, array = ctypes.create_string_buffer(SCHEMA_SIZE), ctypes.create_string_buffer(ARRAY_SIZE)
        bridge.bridge_export(self.pointer, schema, array)
        field = pa.Field._import_from_c(ctypes.addressof(schema))
        return field, pa.Array._import_from_c(ctypes.addressof(array), field.type)

    def data(self):
        return bridge.bridge_data(self.pointer)

    def free(self):
        bridge.bridge_free(self.pointer)


def take(array, field=None, padded=False):
    """What adloom makes of an array; a sentence when it refuses."""
    schema, given = ctypes.create_string_buffer(SCHEMA_SIZE), ctypes.create_string_buffer(ARRAY_SIZE)
    why = ctypes.create_string_buffer(1000)
    (field or pa.field("column", array.type))._export_to_c(ctypes.addressof(schema))
    array._export_to_c(ctypes.addressof(given))
    pointer = bridge.bridge_import(schema, given, int(padded), why, len(why))
    return Column(pointer) if pointer else why.value.decode()


def plain(value):
    """As bridge_json tells it."""
    if isinstance(value, list):
        return [plain(v) for v in value]
    if isinstance(value, dict):
        return [plain(v) for v in value.values()]
    if isinstance(value, bytes):
        return value.decode()
    return repr(value) if isinstance(value, float) else value


def listed(array):
    if pa.types.is_timestamp(array.type):
        array = array.cast(pa.int64())
    elif pa.types.is_list(array.type) and pa.types.is_timestamp(array.type.value_type):
        array = array.cast(pa.list_(pa.int64()))
    return plain(array.to_pylist())


def reads_every_type():
    check("there are as many types", bridge.bridge_types() == len(TYPES))
    for number, type in enumerate(TYPES):
        for rows, nulls in ((0, 0), (1, 0), (100, 0), (100, 4), (64, 1)):
            column = Column(bridge.bridge_sample(number, rows, nulls, 5))
            field, array = column.export()
            expected = plain(column.values())
            column.free()
            array.validate(full=True)
            check("the type", array.type == type, array.type, type)
            check("the role", field.metadata[b"adloom.role"] in (b"number", b"category"), field.metadata)
            check("the values", listed(array) == expected, listed(array), expected)
            if type == TYPES[19]:
                check("the width", field.metadata[b"adloom.width"] == b"50", field.metadata)
            # and back, as it is, from the third row on, and from a copy that pyarrow made
            for given, wanted in ((array, expected), (array[3:], expected[3:]), (array[3:7], expected[3:7]),
                                  (pa.concat_arrays([array[:5], array[5:]]), expected)):
                back = take(given, field)
                check("it is taken", isinstance(back, Column), back)
                check("the values taken", plain(back.values()) == wanted, back.values(), wanted)
                back.free()


def reads_a_batch():
    columns = [Column(bridge.bridge_sample(number, 33, 5, 9)) for number in range(len(TYPES))]
    pointers = (ctypes.c_void_p * len(columns))(*[column.pointer for column in columns])
    schema, array = ctypes.create_string_buffer(SCHEMA_SIZE), ctypes.create_string_buffer(ARRAY_SIZE)
    bridge.bridge_export_all(pointers, len(columns), 33, schema, array)
    batch = pa.RecordBatch._import_from_c(ctypes.addressof(array), ctypes.addressof(schema))
    expected = [plain(column.values()) for column in columns]
    for column in columns:
        column.free()
    batch.validate(full=True)
    check("rows of the batch", batch.num_rows == 33, batch.num_rows)
    for number in range(len(columns)):
        check("a column of the batch", listed(batch.column(number)) == expected[number], number)


def takes_what_it_can_convert():
    words = ["a", None, "", "ü", "a"]
    nested = [["a", "b"], None, [], ["c"]]
    weighted = [[{"item": "a", "weight": 1.5}], None, []]
    for array, values in (
            (pa.array(words, pa.large_string()), words),
            (pa.array(words, pa.large_string())[2:], words[2:]),
            (pa.array(words).dictionary_encode(), words),
            (pa.array(words).dictionary_encode()[1:], words[1:]),
            (pa.DictionaryArray.from_arrays(pa.array([1, None, 0], pa.uint8()), pa.array([2.5, None])), [None, None, 2.5]),
            (pa.array(nested, pa.large_list(pa.string())), nested),
            (pa.array(nested, pa.large_list(pa.large_string()))[1:], nested[1:]),
            (pa.array(weighted, pa.large_list(pa.struct([("item", pa.large_string()), ("weight", pa.float32())]))),
             [[["a", 1.5]], None, []]),
            (pa.array([1, None], pa.timestamp("us", "Europe/Berlin")), [1, None]),
            (pa.array([True, None, False] * 30)[7:], ([True, None, False] * 30)[7:]),
            (pa.array([[1.0, 2.0], None, [3.0, 4.0]], pa.list_(pa.float64(), 2))[1:], [None, [3.0, 4.0]])):
        column = take(array)
        check("it is taken", isinstance(column, Column), array.type, column)
        check("the values taken", plain(column.values()) == plain(values), column.values(), values)
        column.free()


def refuses_the_rest():
    for array, words in (
            (pa.array([1], pa.int8()), "the format of the column is 'c'"),
            (pa.array([1], pa.uint64()), "the format of the column is 'L'"),
            (pa.array([None]), "the format of the column is 'n'"),
            (pa.array([1], pa.timestamp("ns", "UTC")), "the format of the column is 'tsn:UTC'"),
            (pa.array([1], pa.timestamp("us")), "the format of the column is 'tsu:'"),
            (pa.array(["a"], pa.string_view()), "the format of the column is 'vu'"),
            (pa.array([{"a": 1}]), "the format of the column is '+s'"),
            (pa.array([[[1]]]), "the format of its items is '+l'"),
            (pa.array([[1, None]]), "there is a null among the values of its items, in row 0"),
            (pa.array([[True]]), "There are no lists of bool."),
            (pa.array([[{"i": 3, "v": 1.0}, {"i": 2, "v": 1.0}]],
                      pa.list_(pa.struct([("i", pa.uint32()), ("v", pa.float32())]))), "has the index 2 behind 3"),
            (pa.Array.from_buffers(pa.string(), 1, [None, pa.array([0, 1], pa.int32()).buffers()[1], pa.py_buffer(b"\xff")]),
             "the text of row 0 is not valid UTF-8")):
        why = take(array)
        check("it is refused", isinstance(why, str) and words in why, why, words)


def shares_what_is_aligned():
    for array, padded, shared in ((pa.array(range(640), pa.int64()), False, True),
                                  (pa.array(range(641), pa.int64()), False, False),
                                  (pa.array(range(641), pa.int64()), True, True),
                                  (pa.array(range(640), pa.int64())[8:], False, True),
                                  (pa.array(range(640), pa.int64())[1:], True, False)):
        column = take(array, padded=padded)
        address = array.buffers()[1].address + 8 * array.offset
        check("the buffer is shared", (column.data() == address) == shared, padded, shared)
        values, expected = column.values(), array.to_pylist()
        del array  # the column keeps it
        gc.collect()
        check("the values of it", values == expected and column.values() == expected)
        column.free()


before = pa.total_allocated_bytes()
for test in (reads_every_type, reads_a_batch, takes_what_it_can_convert, refuses_the_rest, shares_what_is_aligned):
    test()
gc.collect()
check("everything has been released", pa.total_allocated_bytes() == before, pa.total_allocated_bytes(), before)
print(f"{checks} checks with pyarrow {pa.__version__}")
