"""Settings of who delivers segments besides this server."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from streamhost.config.section import Section


class CdnSettings(Section, frozen=True):
    """Who delivers segments besides this server. Manifests, keys and licences come from this server in any case, unless
    an edge that honours grants passes them through."""

    kind: Annotated[
        str,
        Meta(
            pattern=r"^[a-z][a-z0-9_-]{0,39}$",
            examples=["pull"],
            description="origin: this server sends everything itself; pull: any CDN with this server as its origin; "
            "secure_link: nginx, or a CDN that checks the same signatures; or what a plugin brings, such as "
            "nginx-edge or cloudfront.",
        ),
    ] = "origin"
    base_url: Annotated[
        str,
        Meta(
            pattern=r"^(https?://[^/\s?#]+(/[^\s?#]*[^\s?#/])?)?$",
            examples=["https://cdn.example.org"],
            description="Where the CDN is reached: pull and secure_link need it. Plugins have settings of their own.",
        ),
    ] = ""
    link_secret: Annotated[
        str,
        Meta(
            description="The secret in `secure_link_md5` of the CDN; secure_link needs it.",
            extra={"secret": True},
        ),
    ] = ""
    pull_secret: Annotated[
        str,
        Meta(
            pattern=r"^([A-Za-z0-9._~+/=-]{20,200})?$",
            examples=["twenty-signs-or-more"],
            description="What the CDN says in the header Streamhost-Edge when it fetches objects below /o/videos/ or "
            "asks about grants; at least 20 signs. Empty: nobody may. CDNs that check signatures by themselves need "
            "it, unless they fetch from a bucket.",
            extra={"secret": True},
        ),
    ] = ""
    url_minutes: Annotated[
        float,
        Meta(
            gt=0,
            le=1440,
            description="Addresses at the CDN are good for one to two times so many minutes, and never longer than "
            "a permission to play. All viewers get the same ones meanwhile. For pull it is also how long copies last.",
        ),
    ] = 60.0
    push: Annotated[
        bool, Meta(description="Whether finished videos are brought to the CDN before the first viewer asks.")
    ] = False
    purge_url: Annotated[
        str,
        Meta(
            pattern=r"^(https?://[^/\s?#]+(/\S*)?)?$",
            examples=["https://cdn.example.org/purge"],
            description='Address that pull and secure_link are told at what to drop: POST {"prefixes": [...]}; empty: '
            "copies end by themselves.",
        ),
    ] = ""
    purge_token: Annotated[
        str, Meta(description="Bearer token that goes with requests to purge_url.", extra={"secret": True})
    ] = ""
