"""The hooks of the plugin: its settings, and CloudFront as a CDN of streamhost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from msgspec import Meta

from streamhost.hookspecs import PluginHost, Section, hookimpl
from streamhost.ports import Cdn
from streamhost_cloudfront.cdn import API, CloudFrontCdn, Invalidating
from streamhost_cloudfront.signing import private_key


class CloudFrontSettings(Section, frozen=True):
    """A distribution of Amazon CloudFront that asks for signed URLs."""

    base_url: Annotated[
        str,
        Meta(
            pattern=r"^(https?://[^/\s?#]+)?$",
            examples=["https://d111111abcdef8.cloudfront.net"],
            description="Address of the distribution; empty: there is none.",
        ),
    ] = ""
    key_pair_id: Annotated[
        str,
        Meta(
            pattern=r"^[A-Z0-9]{0,40}$",
            examples=["K2JCJMDEHXQW5F"],
            description="Id of the public key in the distribution's key group.",
        ),
    ] = ""
    private_key: Annotated[
        str,
        Meta(
            description="The private key (RSA, PEM) of that public key; best by the variable that ends in _FILE.",
            extra={"secret": True},
        ),
    ] = ""
    distribution_id: Annotated[
        str,
        Meta(
            pattern=r"^[A-Z0-9]{0,40}$",
            examples=["EDFDVBD632BHDS5"],
            description="Id of the distribution, for dropping copies; empty: copies end by themselves.",
        ),
    ] = ""
    access_key_id: Annotated[
        str, Meta(description="AWS access key that may create invalidations; needed with distribution_id.")
    ] = ""
    secret_access_key: Annotated[str, Meta(description="The secret of that access key.", extra={"secret": True})] = ""
    api_url: Annotated[
        str,
        Meta(
            pattern=r"^https?://[^/\s?#]+$",
            examples=[API],
            description="Address of CloudFront's API; another one for what speaks the same.",
        ),
    ] = API

    def __post_init__(self) -> None:
        needed = (self.base_url, self.key_pair_id, self.private_key)
        if any(needed) and not all(needed):
            raise ValueError("base_url, key_pair_id and private_key go together")
        purging = (self.distribution_id, self.access_key_id, self.secret_access_key)
        if any(purging) and not all(purging):
            raise ValueError("distribution_id, access_key_id and secret_access_key go together")
        if self.private_key:
            private_key(self.private_key)


@hookimpl
def register_settings() -> type[CloudFrontSettings]:
    """What can be set in `[plugins.cloudfront]`."""
    return CloudFrontSettings


@hookimpl
def register_cdns(host: PluginHost[CloudFrontSettings]) -> Mapping[str, Cdn]:
    """The distribution as `cloudfront`, once it is set up."""
    settings = host.settings
    if not settings.base_url:
        return {}
    invalidating = None
    if settings.distribution_id:
        invalidating = Invalidating(
            settings.distribution_id, settings.access_key_id, settings.secret_access_key, settings.api_url
        )
    return {"cloudfront": CloudFrontCdn(settings.base_url, settings.key_pair_id, settings.private_key, invalidating)}
