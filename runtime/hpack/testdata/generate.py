"""Writes blocks of the Python package hpack: `pip install hpack; python generate.py > python_hpack.txt`.

A line `connection` begins an encoder; a line of hex digits is a block, and the lines `name: value` below it are its fields.
"""

import random

import hpack

NAMES = [":status", ":path", "content-type", "x-request-id", "set-cookie", "authorization", "te", "a", "grpc-status"]


def value(rng):
    match rng.randrange(5):
        case 0:
            return rng.choice(["200", "application/grpc", "trailers", "gzip, deflate", "/", ""])
        case 1:
            return str(rng.randrange(10**9))
        case 2:
            return "".join(chr(rng.randrange(0x21, 0x7F)) for _ in range(rng.randrange(1, 60)))
        case 3:
            return "".join(chr(rng.randrange(0x80, 0x100)) for _ in range(rng.randrange(1, 9)))
        case _:
            return rng.choice("abc") * rng.choice([1, 127, 128, 200])


def main():
    rng = random.Random(7541)
    for connection in range(12):
        encoder = hpack.Encoder()
        print("connection")
        pool = [(rng.choice(NAMES), value(rng)) for _ in range(12)]
        for _ in range(12):
            if rng.random() < 0.15:
                for _ in range(rng.randrange(1, 3)):
                    encoder.header_table_size = rng.choice([0, 64, 200, 1000, 4096])
            fields = [rng.choice(pool) if rng.random() < 0.7 else (rng.choice(NAMES), value(rng)) for _ in range(6)]
            lines = [(name.encode(), text.encode("latin-1"), rng.random() < 0.1) for name, text in fields]
            print(encoder.encode(lines, huffman=connection % 3 != 0).hex())
            for name, text in fields:
                print(f"{name}: {text.encode('latin-1').hex()}")


main()
