# For vault.listing_interval, beside leasewatch.hcl: the IDs of all leases of the
# roles of a database mount. One such block for each database mount.
#
# Vault asks for sudo here. It allows nothing but listing below this one path; but
# whoever holds the IDs and may revoke (sys/leases/revoke) can end any of these leases.
path "sys/leases/lookup/database/creds/*" {
  capabilities = ["list", "sudo"]
}
