"""Common Encryption's arithmetic, against the published vectors, OpenSSL, and the plain rules block by block."""

from __future__ import annotations

import subprocess
from random import Random

import numpy as np
import pytest
from Crypto.Cipher import AES

from streamhost.media import cenc
from streamhost.media.cenc import Range

# NIST SP 800-38A, F.2.1: CBC-AES128.Encrypt.
KEY = bytes.fromhex("2b7e151628aed2a6abf7158809cf4f3c")
IV = bytes.fromhex("000102030405060708090a0b0c0d0e0f")
PLAIN = bytes.fromhex(
    "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51"
    "30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710"
)
CODED = bytes.fromhex(
    "7649abac8119b246cee98e9b12e9197d5086cb9b507219ee95db113a917678b2"
    "73bed6b8e3c1743b7116e69e222295163ff1caa1681fac09120eca307586e1a7"
)


def test_cbc_gives_the_published_ciphertext() -> None:
    """The standard's four blocks come out as printed, and what is no whole block stays as it was."""
    data = bytearray(PLAIN + b"the rest")
    cenc.cbc_encrypt(data, [Range(0, len(data), 0)], KEY, IV, pattern=False)
    assert bytes(data) == CODED + b"the rest"


def test_the_pattern_encrypts_one_block_in_ten() -> None:
    """With the standard's blocks at every tenth place the same chain comes out there, and all between stays clear."""
    between = bytes(range(144))
    data = bytearray(b"".join(PLAIN[at : at + 16] + between for at in range(0, 64, 16)))
    cenc.cbc_encrypt(data, [Range(0, len(data), 0)], KEY, IV, pattern=True)
    assert bytes(data) == b"".join(CODED[at : at + 16] + between for at in range(0, 64, 16))


def test_each_range_starts_anew() -> None:
    """Equal ranges give equal ciphertext: the constant vector starts each of them."""
    data = bytearray(PLAIN * 3)
    cenc.cbc_encrypt(data, [Range(at, 64, at) for at in (0, 64, 128)], KEY, IV, pattern=False)
    assert bytes(data) == CODED * 3


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("pattern", [False, True])
def test_chains_together_are_as_each_alone(seed: int, pattern: bool) -> None:
    """Many ranges of any length at any place give what AES-CBC gives for each by itself, and decryption undoes it."""
    random = Random(seed)
    ranges, at = [], 0
    for sample in range(random.choice([1, 3, 5, 40])):
        at += random.randrange(40)
        ranges.append(Range(at, random.choice([0, 1, 15, 16, 17, 160, 161, 175, 176, 2000, 5000]), sample))
        at += ranges[-1].size
    plain = random.randbytes(at + 20)
    expected = bytearray(plain)
    for item in ranges:
        chain = AES.new(KEY, AES.MODE_CBC, iv=IV)
        for place in range(item.offset, item.offset + item.size - 15, 160 if pattern else 16):
            expected[place : place + 16] = chain.encrypt(bytes(expected[place : place + 16]))
    data = bytearray(plain)
    cenc.cbc_encrypt(data, ranges, KEY, IV, pattern=pattern)
    assert data == expected
    cenc.cbc_decrypt(data, ranges, KEY, IV, pattern=pattern)
    assert data == plain


def test_counters_are_those_of_openssl() -> None:
    """A sample in several ranges is one stream from its own vector: OpenSSL's, with the counter in the lower half."""
    random = Random(5)
    sizes = [[48, 16, 100], [7], [64, 32]]
    ivs = np.array([1, 0xFEDCBA9876543210, 1 << 48], np.uint64)
    ranges, at = [], 3
    for sample, parts in enumerate(sizes):
        for size in parts:
            ranges.append(Range(at, size, sample))
            at += size + 5
    plain = random.randbytes(at)
    data = bytearray(plain)
    cenc.ctr(data, ranges, KEY, ivs)
    for sample, iv in enumerate(ivs.tolist()):
        mine = [item for item in ranges if item.sample == sample]
        protected = b"".join(plain[item.offset : item.offset + item.size] for item in mine)
        command = ["openssl", "enc", "-aes-128-ctr", "-K", KEY.hex(), "-iv", f"{iv:016x}{0:016x}"]
        coded = subprocess.run(command, input=protected, capture_output=True, check=True).stdout
        assert b"".join(data[item.offset : item.offset + item.size] for item in mine) == coded
    untouched = bytearray(plain)
    for item in ranges:
        untouched[item.offset : item.offset + item.size] = data[item.offset : item.offset + item.size]
    assert data == untouched
    cenc.ctr(data, ranges, KEY, ivs)
    assert data == plain


def test_nothing_to_protect_is_left_alone() -> None:
    """No range, or ranges shorter than a block, change nothing."""
    data = bytearray(b"short")
    cenc.ctr(data, [], KEY, np.array([], np.uint64))
    cenc.cbc_encrypt(data, [Range(0, 5, 0)], KEY, IV, pattern=True)
    cenc.cbc_decrypt(data, [Range(0, 5, 0)], KEY, IV, pattern=True)
    assert data == b"short"
