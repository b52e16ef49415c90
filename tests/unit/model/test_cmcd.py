"""What players say of themselves in requests (CTA-5004): read where it can be, passed over where it cannot."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamhost.model.cmcd import Cmcd, parsed


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('bl=21300,br=3200,bs,d=4004,ot=v,sid="6e2f,b\\"5"', Cmcd('6e2f,b"5', 21.3, starved=True)),
        ("bl=0,pr=1.5,su", Cmcd(buffered=0.0, rate=1.5)),
        ("bs=false,bl=900", Cmcd(buffered=0.9)),
        # CTA-5004-A: lists, and keys of its own.
        ("bl=(1200;v 900;a),msd=850,bsd=(400;v),v=2", Cmcd(buffered=1.2, starved_for=0.4, first_frame=0.85)),
        (' sid="a" , bl=1000 , com.example-key="x"', Cmcd("a", 1.0)),
        ('CMCD,=,,bl,sid="open', Cmcd('"open')),
        ("", Cmcd()),
    ],
)
def test_pairs_are_read(text: str, found: Cmcd) -> None:
    """Numbers in milliseconds, flags without a value, strings with commas and quotes in them."""
    assert parsed(text) == found


@given(st.text(max_size=200))
def test_nothing_breaks_it(text: str) -> None:
    """Any text gives something with sensible numbers."""
    found = parsed(text)
    assert found.buffered is None or 0 <= found.buffered < 1e9
    assert found.session is None or 0 < len(found.session) <= 64
