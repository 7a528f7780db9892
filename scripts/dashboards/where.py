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

#: The alerts whose runbooks say what to do, by what a panel is about.
RUNBOOKS = {
    "unreachable": ("VaultUnreachable",),
    "sealed": ("VaultSealed",),
    "no_active": ("VaultNoActiveNode",),
    "silent": ("VaultAuditLogSilent",),
    "audit_failing": ("VaultAuditFailing",),
    "failing": ("VaultCredentialsFailing",),
    "slow": ("VaultIssuingSlow",),
    "anomaly": ("VaultAnomaly",),
    "notice": ("VaultAnomalyNotice",),
    "overdue": ("VaultLeasesOverdue",),
    "retrying": ("VaultRevocationsFailing",),
    "irrevocable": ("VaultLeasesIrrevocable",),
    "mass_expiry": ("VaultMassExpiry",),
    "growth": ("VaultLeasesGrowing",),
    "renewals": ("VaultRenewalsFailing",),
    "shutdown": ("VaultRevocationDenied",),
    "root_token": ("VaultRootTokenUsed",),
    "audit_changed": ("VaultAuditChanged",),
    "policy_changed": ("VaultPolicyChanged",),
    "probing": ("VaultDenialProbing",),
    "rotation": ("VaultRootNeverRotated",),
    "token": ("LeasewatchTokenExpiring",),
    "exporter": ("LeasewatchDown",),
    "budget": ("LeasewatchLabelBudget",),
    "lag": ("LeasewatchLagging",),
    "losing": ("LeasewatchLosingLines",),
    "scrape": ("LeasewatchScrapeFailing",),
}


def runbook(about):
    """The alerts whose runbooks are about this."""
    return RUNBOOKS[about]


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
