"""The lines of HLS playlists about keys (RFC 8216, 4.3.2.4 and 4.3.4.5), as players take them. Pure text.

Keys are named by paths under the top of the stream, so they inherit the grant that the playlist was fetched with.

What players want differs. Shaka fetches the 16 bytes of an ``identity`` key and reads the key id out of the header;
hls.js asks the browser's ClearKey module when it finds the key format ``org.w3.clearkey`` with the key id as data.
Under ``cenc`` both lines stand side by side. Under ``cbcs`` hls.js takes the ``identity`` line for that of encrypted
MPEG-TS and fails with it there, so the other one would serve nobody and is left out.
"""

from __future__ import annotations

from base64 import b64encode

from streamhost.model.protection import RenditionProtection, Scheme, file_iv, system_of
from streamhost.model.streaming import INIT_SEGMENT, Presentation, Rendition, segment_name

KEY_FOLDER = "key"
"""Where the keys are answered, from the top of the stream."""
UP = "../"
METHODS = {Scheme.AES_128: "AES-128", Scheme.CENC: "SAMPLE-AES-CTR", Scheme.CBCS: "SAMPLE-AES"}
CLEARKEY = "org.w3.clearkey"
CLEAR = "#EXT-X-KEY:METHOD=NONE"


def session_keys(presentation: Presentation) -> list[str]:
    """Return the lines of the multivariant playlist that let a player fetch keys early, each key once."""
    found = []
    for rendition in presentation.renditions:
        facts = rendition.protection
        if facts is None:
            continue
        for kid in facts.kids:
            found += [f"#EXT-X-SESSION-KEY:{words}" for words in _formats(facts.scheme, kid, "")]
        found += [f"#EXT-X-SESSION-KEY:{words}" for words in _systems(facts)]
    return list(dict.fromkeys(found))


def before_header(rendition: Rendition) -> list[str]:
    """Return the lines that stand before ``EXT-X-MAP``: the header's key, and that of samples from the start on."""
    facts = rendition.protection
    if facts is None or (facts.scheme.common and facts.is_clear(rendition.segments[0].start)):
        return []
    if facts.scheme.common:
        return _samples(rendition)
    return [_file(rendition, facts.kid(0), INIT_SEGMENT)]


def before_segment(rendition: Rendition, number: int) -> list[str]:
    """Return the lines that stand before a segment, counted from 0: where its key is not the one before it."""
    facts = rendition.protection
    if facts is None:
        return []
    segment = rendition.segments[number]
    clear = facts.is_clear(segment.start)
    was_clear = number > 0 and facts.is_clear(rendition.segments[number - 1].start)
    if not facts.scheme.common:
        if clear:
            return [] if was_clear else [CLEAR]
        return [_file(rendition, facts.kid(number), segment_name(segment.start))]
    return _samples(rendition) if was_clear and not clear else []


def _samples(rendition: Rendition) -> list[str]:
    facts = rendition.protection
    assert facts is not None, "asked only of protected renditions"
    return [f"#EXT-X-KEY:{words}" for words in (*_formats(facts.scheme, facts.kid(0), UP), *_systems(facts))]


def _file(rendition: Rendition, kid: str, name: str) -> str:
    [words] = _formats(Scheme.AES_128, kid, UP)
    return f"#EXT-X-KEY:{words},IV=0x{file_iv(kid, rendition.name, name).hex()}"


def _systems(facts: RenditionProtection) -> list[str]:
    """Return the attributes for other key systems: their ``pssh`` boxes, by the system's id as key format."""
    method = f"METHOD={METHODS[facts.scheme]}"
    boxes = [bytes.fromhex(box) for box in facts.pssh]
    return [
        f'{method},URI="data:text/plain;base64,{b64encode(box).decode()}",KEYFORMAT="urn:uuid:{system_of(box)}",'
        'KEYFORMATVERSIONS="1"'
        for box in boxes
    ]


def _formats(scheme: Scheme, kid: str, up: str) -> list[str]:
    """Return the attributes of a key in each format that it is offered in."""
    method = f"METHOD={METHODS[scheme]}"
    plain = f'{method},URI="{up}{KEY_FOLDER}/{kid}"'
    if not scheme.common:
        return [plain]
    lines = [f'{plain},KEYFORMAT="identity"']
    if scheme is Scheme.CENC:
        data = b64encode(bytes.fromhex(kid)).decode()
        lines.append(f'{method},URI="data:text/plain;base64,{data}",KEYFORMAT="{CLEARKEY}"')
    return lines
