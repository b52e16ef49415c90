"""Settings: read once at the door, passed down, never looked up.

The command line beats `STREAMHOST_<SECTION>_<FIELD>` in the environment (or the same with `_FILE`, a path whose content
is the value), which beats `streamhost.toml`, which beats the default.
"""

from streamhost.config.analytics import AnalyticsSettings, MetricsSettings
from streamhost.config.backup import BackupSettings
from streamhost.config.cache import CacheSettings
from streamhost.config.cdn import CdnSettings
from streamhost.config.described import (
    OTHER_VARIABLES,
    PREFIX,
    REDACTED,
    Field,
    fields,
    fields_of,
    hidden,
    sections,
    value_of,
)
from streamhost.config.editing import (
    SettingsChanged,
    SettingsNotWritable,
    Sheet,
    edited,
    read_sheet,
    value_from,
    write_sheet,
)
from streamhost.config.importing import ImportSettings
from streamhost.config.loading import (
    FILE_NAME,
    InvalidSettings,
    default_data_directory,
    load,
    load_with_origins,
    perhaps,
    settings_file,
)
from streamhost.config.moderating import ModerationSettings
from streamhost.config.notifying import NotificationSettings, WebhookSettings
from streamhost.config.playing import PlaybackSettings
from streamhost.config.plugged import Resolved, plugged
from streamhost.config.plugins import ForPlugins, PluginSettings
from streamhost.config.protecting import ProtectionSettings
from streamhost.config.recommending import RecommendationSettings
from streamhost.config.reporting import ReportSettings
from streamhost.config.section import Section
from streamhost.config.serving import ServerSettings, media_url
from streamhost.config.settings import (
    GIB,
    MIB,
    AccountSettings,
    JobSettings,
    LimitSettings,
    LogSettings,
    MailSettings,
    MediaSettings,
    Settings,
    UploadSettings,
)
from streamhost.config.storage import StorageSettings

__all__ = [
    "FILE_NAME",
    "GIB",
    "MIB",
    "OTHER_VARIABLES",
    "PREFIX",
    "REDACTED",
    "AccountSettings",
    "AnalyticsSettings",
    "BackupSettings",
    "CacheSettings",
    "CdnSettings",
    "Field",
    "ForPlugins",
    "ImportSettings",
    "InvalidSettings",
    "JobSettings",
    "LimitSettings",
    "LogSettings",
    "MailSettings",
    "MediaSettings",
    "MetricsSettings",
    "ModerationSettings",
    "NotificationSettings",
    "PlaybackSettings",
    "PluginSettings",
    "ProtectionSettings",
    "RecommendationSettings",
    "ReportSettings",
    "Resolved",
    "Section",
    "ServerSettings",
    "Settings",
    "SettingsChanged",
    "SettingsNotWritable",
    "Sheet",
    "StorageSettings",
    "UploadSettings",
    "WebhookSettings",
    "default_data_directory",
    "edited",
    "fields",
    "fields_of",
    "hidden",
    "load",
    "load_with_origins",
    "media_url",
    "perhaps",
    "plugged",
    "read_sheet",
    "sections",
    "settings_file",
    "value_from",
    "value_of",
    "write_sheet",
]
