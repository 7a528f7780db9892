# What leasewatch may ask of Vault or OpenBao. Every line is optional: without
# it, one part of the metrics is missing, the page at / says which, and nothing
# else changes. docs/rights.md says what each line buys and what it exposes.
# None of them needs sudo, and none can change anything but the exporter's own token.
# (The one that needs it, to list leases, is in leasewatch-listing.hcl.)

# Vault's own counters and its lease count. Root namespace only.
path "sys/metrics" {
  capabilities = ["read"]
}

# Leases that Vault gave up revoking, counted by mount.
path "sys/leases/count" {
  capabilities = ["read"]
}

# Secret engines with their types, accessors and lease TTLs.
path "sys/mounts" {
  capabilities = ["read"]
}

# Auth methods, likewise.
path "sys/auth" {
  capabilities = ["read"]
}

# The names of database roles. One such block for each database mount.
path "database/roles" {
  capabilities = ["list"]
}

# Their TTLs and connections. One such block for each database mount.
path "database/roles/*" {
  capabilities = ["read"]
}

# When a lease was issued and when it ends: the TTL of its role, seldom asked.
# In the default policy.
path "sys/leases/lookup" {
  capabilities = ["update"]
}

# The server log as a stream, with vault.monitor. Whoever has this may ask for
# any log level, trace included. Leave it out where the server log is a file.
path "sys/monitor" {
  capabilities = ["read"]
}

# When the exporter's own token expires. In the default policy.
path "auth/token/lookup-self" {
  capabilities = ["read"]
}

# Renewal of a login; without it, a new login each time. In the default policy.
path "auth/token/renew-self" {
  capabilities = ["update"]
}
