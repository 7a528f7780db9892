"""Where links lead: the dashboards by their uid, and the runbooks by what they are about."""

OVERVIEW = "leasewatch-overview"


def _board(name, title):
    return title, f"/d/leasewatch-{name}?${{__url_time_range}}&${{__all_variables}}"


LEASES = _board("leases", "Leases")
ISSUING = _board("issuing", "Issuing")
REVOCATION = _board("revocation", "Revocation")
ANOMALIES = _board("anomalies", "Anomalies")
SECURITY = _board("security", "Security")
HEALTH = _board("health", "Health")

#: The alerts whose runbooks say what to do, by what a panel is about; without their common prefix.
RUNBOOKS = {
    "unreachable": ("VaultDown", "VaultNodeDown"),
    "sealed": ("VaultSealed", "VaultUninitialized"),
    "no_active": ("VaultNoActiveNode", "VaultSeveralActiveNodes"),
    "silent": ("AuditLogSilent",),
    "audit_failing": ("AuditDeviceFailing",),
    "failing": ("CredentialsFailingFast", "CredentialsFailingSlow"),
    "refused": ("CredentialsDenied",),
    "stopped": ("IssuingStopped",),
    "slow": ("IssuingSlow",),
    "anomaly": ("AnomalyPage",),
    "notice": ("AnomalyNotice",),
    "overdue": ("LeasesOverdue",),
    "retrying": ("RevocationFailing",),
    "last_attempts": ("RevocationNearlyGivenUp",),
    "stuck": ("LeasesStuck",),
    "irrevocable": ("LeasesIrrevocable",),
    "mass_expiry": ("MassExpiry",),
    "growth": ("LeasesGrowing",),
    "limit": ("LeaseLimitNear",),
    "renewals": ("RenewalsFailing",),
    "root_token": ("RootTokenUsed",),
    "audit_changed": ("AuditDeviceChanged",),
    "policy_changed": ("PolicyChanged", "DatabaseConfigChanged"),
    "probing": ("DenialProbing",),
    "rotation": ("RootCredentialNeverRotated",),
    "token": ("TokenExpiring",),
    "exporter": ("Down", "CheckpointFailing"),
    "budget": ("LabelBudgetExhausted",),
    "lag": ("Lagging",),
    "losing": ("LinesLost", "ReceiverDropping"),
    "unreadable": ("LogUnreadable",),
    "scrape": ("ScrapeFailing",),
}


def runbook(about):
    """The alerts whose runbooks are about this."""
    return [f"Leasewatch{name}" for name in RUNBOOKS[about]]


def a_role(board):
    """For a table with a column `Role`: to that dashboard, for the role of the row."""
    title, url = board
    path = url.partition("?")[0]
    chosen = "&".join(
        f"var-{name}=${{__data.fields.{column}}}"
        for name, column in (("vault_namespace", "Namespace"), ("mount", "Mount"), ("role", "Role"))
    )
    kept = "${datasource:queryparam}&${cluster:queryparam}&${__url_time_range}"
    return "role", f"{title} of this role", f"{path}?{kept}&{chosen}"
