"""Messages by protobuf's own package for Python: makes them, and reads what became of them.

    messages.py make SET            a line for each: full name, bytes in hexadecimal, and whether a field is unknown
    messages.py check MADE AGAIN    the same lines; those of AGAIN must be the messages of MADE
"""
import random
import struct
import sys

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.descriptor import FieldDescriptor as Field

DEPTH_MAX = 3
# Of a field that no schema here has: its number is the last but one.
UNKNOWN = b"\xf0\xff\xff\xff\x0f\x2a"


def main(what, descriptor_set, *files):
    pool, names = read(descriptor_set)
    messages = message_factory.MessageFactory(pool)
    kind = lambda name: messages.GetPrototype(pool.FindMessageTypeByName(name))
    if what == "make":
        for name in names:
            for variant in VARIANTS:
                message = fill(kind(name)(), VARIANTS[variant], random.Random(f"{name} {variant}"))
                encoded = message.SerializeToString(deterministic=True)
                print(name, encoded.hex() or "-", "known")
                print(name, (encoded + UNKNOWN).hex(), "unknown")
        return 0
    wrong = 0
    for made, again in zip(*[open(file).read().splitlines() for file in files], strict=True):
        name, before, _ = made.split()
        before, after = (decode(kind(name), text) for text in (before, again.split()[1]))
        if before != after:
            print(f"{made}\n{again}\n")
            wrong += 1
    return wrong and 1


def read(descriptor_set):
    """The types of a descriptor set, and the names of those messages that are in no other."""
    pool, names = descriptor_pool.DescriptorPool(), []
    for file in descriptor_pb2.FileDescriptorSet.FromString(open(descriptor_set, "rb").read()).file:
        # This package is older than editions.
        if file.syntax == "editions":
            continue
        pool.Add(file)
        if file.name.startswith("awkward/"):
            names += [".".join(filter(None, [file.package, message.name])) for message in file.message_type]
    return pool, names


def decode(kind, text):
    message = kind.FromString(bytes.fromhex(text.replace("-", "")))
    return message.SerializeToString(deterministic=True)


def fill(message, value, choose, depth=0):
    """Sets the fields of a message: one of each oneof, and some to values at the borders of their types."""
    if message.DESCRIPTOR.full_name in SPECIAL:
        SPECIAL[message.DESCRIPTOR.full_name](message, choose)
        return message
    chosen = {oneof.name: choose.choice(oneof.fields).name for oneof in message.DESCRIPTOR.oneofs}
    for field in message.DESCRIPTOR.fields:
        oneof = field.containing_oneof
        if oneof and len(oneof.fields) > 1 and chosen[oneof.name] != field.name:
            continue
        if field.message_type and depth == DEPTH_MAX:
            continue
        place = getattr(message, field.name)
        if field.message_type and field.message_type.GetOptions().map_entry:
            key, item = (field.message_type.fields_by_name[name] for name in ("key", "value"))
            for _ in range(choose.randint(0, 3)):
                if item.message_type:
                    fill(place[value(key, choose)], value, choose, depth + 1)
                else:
                    place[value(key, choose)] = value(item, choose)
        elif field.message_type and field.label == Field.LABEL_REPEATED:
            for _ in range(choose.randint(0, 2)):
                fill(place.add(), value, choose, depth + 1)
        elif field.message_type:
            place.SetInParent()
            fill(place, value, choose, depth + 1)
        elif field.label == Field.LABEL_REPEATED:
            place.extend(value(field, choose) for _ in range(choose.randint(0, 4)))
        else:
            setattr(message, field.name, value(field, choose))
    return message


def bits(field):
    return 64 if "64" in NAMES[field.type] else 32


def lowest(field, choose):
    name = NAMES[field.type]
    if "FLOAT" in name or "DOUBLE" in name:
        return float("-inf")
    if "INT" in name or "FIXED" in name:
        return 0 if name.startswith(("UINT", "FIXED")) else -(1 << bits(field) - 1)
    return OTHERS[name](field, choose, 0)


def highest(field, choose):
    name = NAMES[field.type]
    if "FLOAT" in name or "DOUBLE" in name:
        return float("inf")
    if "INT" in name or "FIXED" in name:
        return (1 << bits(field) - (0 if name.startswith(("UINT", "FIXED")) else 1)) - 1
    return OTHERS[name](field, choose, 3)


def anything(field, choose):
    name = NAMES[field.type]
    if name == "FLOAT":
        return struct.unpack("<f", struct.pack("<f", choose.uniform(-1e30, 1e30)))[0]
    if name == "DOUBLE":
        return choose.choice([choose.uniform(-1e300, 1e300), 5e-324, 0.1])
    if "INT" in name or "FIXED" in name:
        return choose.randint(lowest(field, choose), highest(field, choose))
    return OTHERS[name](field, choose, choose.randint(0, 12))


def enum(field, choose, _):
    numbers = [value.number for value in field.enum_type.values]
    # One that the schema does not know, where the enum is open. JSON has one null.
    is_open = field.enum_type.file.syntax == "proto3" and field.enum_type.name != "NullValue"
    return choose.choice([*numbers, 77] if is_open else numbers)


def seconds(message, choose):
    message.seconds, message.nanos = choose.randint(0, 253402300799), choose.choice([0, 1, 999999999])


def json_value(message, choose):
    what = choose.choice(["null_value", "number_value", "string_value", "bool_value", "list_value"])
    if what == "list_value":
        message.list_value.values.add(string_value="x")
    else:
        setattr(message, what, {"number_value": 1.5, "string_value": "\u00e9"}.get(what, 0))


# Types whose JSON does not take everything.
SPECIAL = {
    "google.protobuf.Any": lambda message, choose: None,
    "google.protobuf.Duration": lambda message, choose: setattr(message, "seconds", choose.randint(0, 315576000000)),
    "google.protobuf.FieldMask": lambda message, choose: message.paths.extend(["a", "b_c.d"]),
    "google.protobuf.Timestamp": seconds,
    "google.protobuf.Value": json_value,
}


OTHERS = {
    "BOOL": lambda _field, choose, _: choose.random() < 0.5,
    "BYTES": lambda _field, choose, length: choose.randbytes(length),
    "ENUM": enum,
    "STRING": lambda _field, choose, length: "".join(choose.choice("a\u00e9\u2028\U0001f980\"\\\0") for _ in range(length)),
}
VARIANTS = {
    "lowest": lowest,
    "highest": highest,
    "one": anything,
    "two": anything,
    "three": anything,
}
NAMES = {number: name.removeprefix("TYPE_") for name, number in vars(Field).items() if name.startswith("TYPE_")}

sys.exit(main(*sys.argv[1:]))
