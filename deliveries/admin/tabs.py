"""The tabs of the forms, in one place; one line per field."""

CONTENT = (
    "Content",
    {
        "classes": ["tab"],
        "fields": [
            "sender_name",
            "sender_address",
            "reply_name",
            "reply_address",
            "subject",
            "html",
            "text",
        ],
    },
)
SENDER = (
    "Sender",
    {"classes": ["tab"], "fields": ["sender_name", "sender_address", "reply_name", "reply_address", "language"]},
)
ATTACHMENTS = (
    "Attachments",
    {"classes": ["tab"], "fields": ["attachments", "new_files", "new_images"]},
)
DELIVERY = (
    "Delivery",
    {
        "classes": ["tab"],
        "fields": [
            "route",
            "priority",
            "max_retries",
            "retry_period",
            "waves_mode",
            "wave_size",
            "wave_interval",
            "wave_calendar",
            "in_doubt_policy",
            "part_size",
            "mail_formats",
            "test_smtp",
            "archive_emails",
            "archive",
        ],
    },
)
VALIDITY = (
    "Validity",
    {
        "classes": ["tab"],
        "fields": [
            "validity",
            "resources_validity",
            "explicit_dates",
            "ends_at",
            "resources_end_at",
            "mirror_mode",
            "personalization_time",
        ],
    },
)
TRACKING = (
    "Tracking",
    {
        "classes": ["tab"],
        "fields": [
            "track_clicks",
            "track_opens",
            "track_individuals",
            "honeypot",
            "tracking_validity",
            "substitution_url",
            "url_parameters",
            "url_parameter_hosts",
        ],
    },
)
SMTP = (
    "SMTP",
    {"classes": ["tab"], "fields": ["default_error_address", "error_address", "investigation_address", "smtp_headers"]},
)
PROPERTIES = (
    "Properties",
    {"classes": ["tab"], "fields": ["label", "code", "description", "language"]},
)
EXCLUSIONS = (
    "Exclusions",
    {
        "classes": ["tab"],
        "fields": [
            "exclude_duplicates",
            "keep_duplicate_records",
            "exclude_denylisted",
            "exclude_quarantined",
            "consent_service",
        ],
    },
)
TYPOLOGY = ("Typology", {"classes": ["tab"], "fields": ["typology"]})
APPROVAL = ("Approval", {"classes": ["tab"], "fields": ["approval_mode"]})
