"""Caption files: what is taken, what is refused, what comes out."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamhost.media import captions, cuetext
from streamhost.media.captions import Cue, NotCaptions

SRT = """1
00:00:01,000 --> 00:00:02,500
<i>Hello</i> <font color="red">Alice</font> & <b>Bob

2
00:00:03,000 --> 00:00:04,000 X1:10 X2:20 Y1:1 Y2:2
{\\an8}First

after an empty line 3 < 4

3
00:00:05.000 --> 00:00:06.00
Last
"""
WEBVTT = """WEBVTT - a title
X-Other: 1

NOTE a remark
about it

STYLE
::cue { color: red }

REGION
id:one

name of a cue
00:01.000 --> 00:02.500 line:0 align:left region:one onclick:evil
<v.loud Alice & Bob>Hello <c.yellow>you</c> &amp; <00:00:01.500>me

01:00:00.000 --> 01:00:01.000
<ruby>base<rt>reading</rt></ruby> <lang en>x</lang> &lt;b&gt;
"""


def test_srt_becomes_cues() -> None:
    """Times with comma or point, few tags kept and closed, empty lines within a text, a place at the top."""
    assert captions.parse(SRT.encode()) == (
        Cue(1000, 2500, "<i>Hello</i> Alice &amp; <b>Bob</b>"),
        Cue(3000, 4000, "First\nafter an empty line 3 &lt; 4", "line:0"),
        Cue(5000, 6000, "Last"),
    )


def test_webvtt_becomes_cues() -> None:
    """Notes, styles and regions go; settings that are none go; who speaks stays."""
    assert captions.parse(WEBVTT.encode()) == (
        Cue(1000, 2500, "<v Alice  Bob>Hello you &amp; me</v>", "line:0 align:left"),
        Cue(3_600_000, 3_601_000, "basereading x &lt;b&gt;"),
    )


def test_what_is_written_reads_back() -> None:
    """WebVTT that was written is read as the same cues, and says that its clock begins at 0."""
    cues = captions.parse(SRT.encode())
    text = captions.write(cues)
    assert text.startswith("WEBVTT\nX-TIMESTAMP-MAP=LOCAL:00:00:00.000,MPEGTS:0\n\n00:00:01.000 --> 00:00:02.500\n")
    assert captions.parse(text.encode()) == cues
    assert "00:00:03.000 --> 00:00:04.000 line:0\n" in text


@pytest.mark.parametrize(
    ("data", "language", "words"),
    [
        ("Grüße".encode(), "de", "Grüße"),
        ("Grüße".encode("utf-8-sig"), "de", "Grüße"),
        ("Grüße".encode("cp1252"), "", "Grüße"),
        ("Привет".encode("cp1251"), "ru", "Привет"),
        ("Česky".encode("cp1250"), "cs", "Česky"),
        ("こんにちは".encode("cp932"), "ja", "こんにちは"),
    ],
)
def test_common_encodings_are_read(data: bytes, language: str, words: str) -> None:
    """UTF-8 with and without a mark, and what was usual for a language before it."""
    mark = b"\xef\xbb\xbf" if data.startswith(b"\xef\xbb\xbf") else b""
    file = mark + b"00:00:01,000 --> 00:00:02,000\n" + data.removeprefix(mark)
    assert captions.parse(file, language) == (Cue(1000, 2000, words),)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf_16_is_read(encoding: str) -> None:
    """With a byte order mark, and without one."""
    assert captions.parse(SRT.encode(encoding)) == captions.parse(SRT.encode())


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "no caption"),
        ("WEBVTT\n\n", "no caption"),
        ("hello", "Line 1: expected a number"),
        ("\x89PNG\r\n\x1a\n\0\0", "expected a number"),
        ("WEBVTT\n\nhello\nworld\n", "Line 3: expected times"),
        ("WEBVTT\n\n00:01.000 -> 00:02.000\nx", "Line 3: expected times"),
        ("1\n00:00:01,000 --> soon\nx", "Line 2: these are no times"),
        ("1\n00:61:01,000 --> 00:62:00,000\nx", "Line 2: there are 60 minutes"),
        ("1\n00:00:02,000 --> 00:00:01,000\nx", "Line 2: it ends before it begins"),
        ("1\n9999:00:02,000 --> 9999:00:03,000\nx", "Line 2: that is later"),
        ("00:00:01,000 --> 00:00:01,000\nx", "no caption"),
        ("00:00:01,000 --> 00:00:02,000\n<i></i>", "no caption"),
        ("00:00:01,000 --> 00:00:02,000\n" + "x" * 2001, "more than 2000 characters"),
        ("00:00:01,000 --> 00:00:02,000\n" + "<i>" * 4000, "Line 2: this caption is too long"),
        ("00:00:01,000 --> 00:00:02,000\nx\n\n" * 20_001, "more than 20000"),
        ("x" * (2 * 1024**2 + 1), "bytes"),
    ],
)
def test_refusals_say_what_is_wrong(text: str, complaint: str) -> None:
    """Each refusal names its reason, and the line where there is one."""
    with pytest.raises(NotCaptions, match=re.escape(complaint)):
        captions.parse(text.encode())


@pytest.mark.parametrize(
    ("ass", "text", "place"),
    [
        (r"{\i1}Leise{\i0} und {\b700}laut{\b0}", "<i>Leise</i> und <b>laut</b>", ""),
        (r"One\NTwo\hThree", "One\nTwo\u00a0Three", ""),
        (r"{\an8\fs20\c&HFF00FF&}Above", "Above", "line:0"),
        (r"{\an1}Left", "Left", "align:left"),
        (r"{\p1}m 0 0 l 100 0 100 100{\p0}", "", ""),
        (r"{\p1}m 0 0{\p0}Words", "Words", ""),
        (r"{\i1}a{\r}b", "<i>a</i>b", ""),
        (r"{\iclip(0,0,1,1)\bord3\pos(1,2)}plain {not a code}", "plain {not a code}", ""),
        (r"{\b1}a{\i1}b{\b0}c", "<b>a<i>b</i></b><i>c</i>", ""),
        ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;", ""),
    ],
)
def test_ass_becomes_webvtt(ass: str, text: str, place: str) -> None:
    """Styles stay, places become settings, drawings and the rest go."""
    assert cuetext.from_ass(ass) == cuetext.CueText(text, place)


def test_markup_cannot_break_out() -> None:
    """Tags that nobody knows are shown as they stand in SRT and dropped in WebVTT; an arrow cannot begin a cue."""
    assert cuetext.from_srt("<script>x</script> --> <LAUGHS>").text == (
        "&lt;script&gt;x&lt;/script&gt; --&gt; &lt;LAUGHS&gt;"
    )
    assert cuetext.from_webvtt("<script>x</script> <v Bob><img src=x>y").text == "x <v Bob>y</v>"


PIECES = st.lists(
    st.sampled_from(
        ["<i>", "</i>", "<b", ">", "<", "</b>", "<v Eve>", "</v>", "{\\i1}", "{\\b1\\an8}", "{", "}", "&amp;", "&",
         "-->",
         "\n", "\n\n", "text", "1", "\u200f", "\x07", "<u.x>", "</u>", "<font>"]
    ),
    max_size=30,
)  # fmt: skip
TAG = re.compile(r"<(/?)([ibuv])(?: [^<>&\n]*)?>")


@settings(deadline=None)
@given(PIECES, st.sampled_from([cuetext.from_srt, cuetext.from_webvtt, cuetext.from_ass]))
def test_a_payload_is_always_sound(pieces: list[str], clean: object) -> None:
    """Whatever comes in: only known tags, closed in order; no empty line, no arrow; cleaned again it stays the same."""
    assert callable(clean)
    text = clean("".join(pieces)).text
    stack: list[str] = []
    for closes, name in TAG.findall(text):
        if closes:
            assert stack.pop() == name
        else:
            stack.append(name)
    assert stack == []
    assert "<" not in TAG.sub("", text)
    assert ">" not in TAG.sub("", text)
    assert "\n\n" not in text
    assert cuetext.from_webvtt(text).text == text


@settings(deadline=None, max_examples=200)
@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: ("WEBVTT\n\n" + text).encode()))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    """Nothing but ``NotCaptions`` ever comes of a file, and what is read can be written and read again."""
    try:
        cues = captions.parse(data)
    except NotCaptions:
        return
    assert captions.parse(captions.write(cues).encode()) == cues


CUES = st.lists(
    st.builds(
        lambda start, length, text: Cue(start, start + length, text),
        st.integers(0, captions.LATEST - 10_000),
        st.integers(1, 10_000),
        st.text("abc &<>é\u05d0", min_size=1, max_size=20).map(lambda text: cuetext.from_srt(f"x{text}").text),
    ),
    min_size=1,
    max_size=8,
)


@settings(deadline=None)
@given(CUES)
def test_cues_survive_writing(cues: list[Cue]) -> None:
    """Every list of cues is read back from its file as it was, by time."""
    assert captions.parse(captions.write(cues).encode()) == captions.ordered(cues)
