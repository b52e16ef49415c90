"""What can be wrong with webhooks and with the links in mails of notices."""

from __future__ import annotations

from streamhost.model.errors import Conflict, StreamhostError


class WebhookOff(StreamhostError):
    """The webhook is switched off."""

    code = "webhook_off"
    permanent = True
    hint = "Switch it on, then deliver again what was missed."


class DeliveryExpired(StreamhostError):
    """The notice could not be delivered for too long."""

    code = "delivery_expired"
    permanent = True


class ChannelGone(StreamhostError):
    """Nobody carries notices by this channel any more."""

    code = "channel_gone"
    permanent = True
    hint = "Was a plugin removed, or is it switched off?"


class NotifierFailed(StreamhostError):
    """The notifier ended in an error that it should not have."""

    code = "notifier_failed"
    hint = "This is a mistake in the plugin that brings it; the log tells where."


class TooManyWebhooks(Conflict):
    """There are as many webhooks as there may be."""

    code = "too_many_webhooks"


class InvalidUnsubscribeLink(StreamhostError):
    """This link is damaged, or not from here."""

    code = "invalid_unsubscribe_link"
    hint = "Sign in and choose on your account's page what you want to be told of."
    permanent = True
