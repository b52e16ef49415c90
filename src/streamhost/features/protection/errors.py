"""What can go wrong with keys and licences."""

from __future__ import annotations

from streamhost.model.errors import InvalidInput, NotFound, StreamhostError


class NoSuchKey(NotFound):
    """This stream has no such key."""

    code = "no_such_key"
    hint = "Ask for the key ids that its manifest names, with a grant for this very package."


class BadLicenceRequest(InvalidInput):
    """That is no licence request."""

    code = "bad_licence_request"
    hint = 'Clear Key wants {"kids": ["<base64url>"], "type": "temporary"} (W3C Encrypted Media Extensions, 9.1.3).'


class KeySourceGone(StreamhostError):
    """The keys of this video are kept by a key source that is not here any more."""

    code = "key_source_gone"
    hint = "Install its plugin again, or protect the video anew from its source."
    permanent = True


class BadBox(StreamhostError):
    """What a licence provider wants to have in the header of packages is no `pssh` box."""

    code = "bad_box"
    permanent = True
    hint = "The plugin of the provider must return whole boxes (ISO/IEC 23001-7, 8.1)."


class NoLicences(NotFound):
    """There are no licences of that kind for this stream."""

    code = "no_licences"
    hint = "`license` in the answer of GET /api/v1/stream/{id} says where to ask."
